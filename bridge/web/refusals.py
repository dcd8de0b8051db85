"""The log's lines of refused requests, bounded: strangers must not fill a disk with them."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

log = logging.getLogger(__name__)

# Enough to see who tries what, and less than strangers send themselves.
MAX_LINES = 20
WINDOW_SECONDS = 10.0
MAX_REASONS = 50


class Refusals(logging.Filter):
    """Lets the first lines of each ten seconds through and counts the rest by reason.

    Lines of webhooks that were taken always pass: how many there are is bounded by
    who has a secret.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._began = elapsed()
        self._lines = 0
        self._rest: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status", 0) < 400:
            return True
        self.tell_rest()
        with self._lock:
            self._lines += 1
            if self._lines <= MAX_LINES:
                return True
            reason = str(getattr(record, "reason", None))
            is_room = reason in self._rest or len(self._rest) < MAX_REASONS
            self._rest[reason if is_room else "others"] += 1
            return False

    def tell_rest(self) -> None:
        """One line for all that had none, once their ten seconds are over."""
        with self._lock:
            if self._elapsed() < self._began + WINDOW_SECONDS:
                return
            rest, self._rest = self._rest, Counter()
            self._began, self._lines = self._elapsed(), 0
        if rest:
            log.warning("more requests were refused", extra={"refused": dict(rest)})
