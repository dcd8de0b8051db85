"""How many connections each web process has, so that none has most of them.

Processes that wait at one socket are woken together, and whoever is quickest
accepts. Connections that stay open, such as a proxy's, can so end up with one
process, while another has nothing to do.
"""

from __future__ import annotations

import mmap

# More than this above the least is too much; below it, asking costs more than it gives.
MARGIN = 4
_NOBODY = 2**32 - 1
_PLACES = 256


class Shares:
    """Counts by worker, seen by all processes that are forked after it was made."""

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, 4 * _PLACES)).cast("I")
        for place in range(_PLACES):
            self._counts[place] = _NOBODY

    def tell(self, worker: int, connections: int) -> None:
        self._counts[worker % _PLACES] = max(0, connections)

    def leave(self, worker: int) -> None:
        """It takes no more: nobody is to wait for it."""
        self._counts[worker % _PLACES] = _NOBODY

    def has_too_many(self, worker: int, connections: int) -> bool:
        """Whether another one, which takes connections too, has far fewer."""
        least = min(
            (count for place, count in enumerate(self._counts) if place != worker % _PLACES),
            default=_NOBODY,
        )
        return least != _NOBODY and connections > least + MARGIN
