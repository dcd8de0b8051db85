"""What an account has by name, remembered for some minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from connectors.hubspot.schema import FRESH, PATIENT

_What = TypeVar("_What")


@dataclass
class Remembered(Generic[_What]):
    """`look_up` answers None where there is no such thing; that is believed for a shorter time."""

    look_up: Callable[[str], _What | None]
    now: Callable[[], float] = time.monotonic
    _found: dict[str, tuple[_What | None, float]] = field(default_factory=dict)

    def get(self, name: str) -> _What | None:
        """Raises what `look_up` raises, and remembers nothing then."""
        known = self._found.get(name)
        if known and self.now() - known[1] < (PATIENT if known[0] is None else FRESH):
            return known[0]
        found = self.look_up(name)
        self._found[name] = (found, self.now())
        return found
