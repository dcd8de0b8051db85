"""Turns that are to begin at a moment soon, more exactly than the clock ticks."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable

from bridge.errors import LedgerUnavailable
from bridge.logs import place_of

log = logging.getLogger(__name__)


class Alarm:
    """Wakes lanes from a thread of its own; what it loses with its process, the clock finds."""

    def __init__(self, wake: Callable[[str], None]) -> None:
        self._wake = wake
        self._changed = threading.Condition()
        self._set: list[tuple[float, str]] = []
        self._stopped = False
        self._thread: threading.Thread | None = None

    def set(self, lane: str, seconds: float) -> None:
        """Each lane once: the clock also wakes it, and each of those turns would set another."""
        with self._changed:
            if any(lane == each for _, each in self._set):
                return
            heapq.heappush(self._set, (time.monotonic() + seconds, lane))
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="alarm", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Returns when the thread has ended; what was set is left to the clock."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        while (lane := self._next()) is not None:
            try:
                self._wake(lane)
            except LedgerUnavailable as error:
                log.warning("cannot wake %s, the clock will: %s", lane, error)
            except Exception as error:  # noqa: BLE001  # the thread is there for good
                log.error("cannot wake %s, the clock will: %s", lane, place_of(error))

    def _next(self) -> str | None:
        """Waits for the next lane whose moment has come; None once stopped."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                if self._set and self._set[0][0] <= now:
                    return heapq.heappop(self._set)[1]
                self._changed.wait(self._set[0][0] - now if self._set else None)
        return None
