"""The pace of one rate, and what one process may do by itself while Redis is away.

Each window of a limit is a leaky bucket as GCRA describes it
(https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm): nine tenths of the
calls at a steady pace and nearly a tenth at once, so that no window of that
length, wherever it begins, holds more than the limit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.connector import Rate

# From here on a window is a budget rather than a pace.
LONG_WINDOW = 3600.0
# Of a limit, what is used evenly.
STEADY = 0.9
# Among so many processes the pace is shared while Redis is away.
PROCESSES = 8


@dataclass(frozen=True)
class Bucket:
    """One window, in microseconds: a call each `interval`, and `tolerance` for those at once.

    `fresh` is how much of the tolerance counts as used where nothing is known.
    """

    key: str
    interval: int
    tolerance: int
    fresh: int


def bucket(key: str, rate: Rate) -> Bucket:
    """The pace for one rate. Pure.

    A day's limit is a budget: half at once, half evenly, and the vendor's own
    count corrects it. Else two calls fewer than a tenth at once: what the way
    to the vendor delays must not fall into the next window.
    """
    long = rate.seconds >= LONG_WINDOW
    steady = rate.calls * (0.5 if long else STEADY)
    at_once = max(1, rate.calls // 2 if long else rate.calls // 10 - 2)
    interval = int(rate.seconds / steady * 1_000_000) + 1
    tolerance = (at_once - 1) * interval
    return Bucket(key, interval, tolerance, 0 if long else tolerance)


class Alone:
    """What one process may do by itself while Redis is away: its share, and one call at a time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._slot = ""

    def take(self, buckets: Sequence[Bucket], longest: float) -> tuple[bool, float]:
        with self._lock:
            now = self._monotonic()
            pace = {one.key: one.interval * PROCESSES / 1_000_000 for one in buckets}
            at = max(now, *(self._next.get(key, now + step) for key, step in pace.items()))
            if at - now > longest:
                self._next.update({key: self._next.get(key, at) for key in pace})
                return False, at - now
            self._next.update({key: at + step for key, step in pace.items()})
            return True, at - now

    def enter(self, slot: str) -> bool:
        with self._lock:
            self._slot = self._slot or slot
            return self._slot == slot

    def leave(self, slot: str) -> bool:
        with self._lock:
            if self._slot != slot:
                return False
            self._slot = ""
            return True
