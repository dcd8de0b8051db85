"""Memory that large requests took, given back to the machine once they are answered."""

from __future__ import annotations

import ctypes
from collections.abc import Callable


def trimmer() -> Callable[[], None]:
    """What gives back all that is free; it does nothing where the C library cannot.

    The GNU C library keeps what was freed below what is still in use, and each
    thread's share of it: https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: None) if trim is None else lambda: trim(0)
