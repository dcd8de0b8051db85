"""Asking for a turn at a lane, once however much has gathered there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from bridge.engine.queue import LaneQueue
from bridge.errors import LedgerUnavailable
from bridge.ledger import lanes
from bridge.ledger.database import Database
from bridge.logs import place_of

log = logging.getLogger(__name__)

# Longer only delays a busy inbox; shorter only asks the ledger more often.
BELL_PAUSE = 0.02


@dataclass(frozen=True)
class Waker:
    """Wakes lanes. To be called after the work is committed (see `bridge.ledger.lanes`)."""

    database: Database
    queue: LaneQueue
    now: Callable[[], float]

    def wake(self, lane: str) -> None:
        """Ask for a turn unless one is under way or asked for; raises LedgerUnavailable."""
        with self.database.read() as connection:
            if not lanes.is_quiet(connection, lane, self.now()):
                return
        job = uuid4().hex
        with self.database.write() as connection:
            woken = lanes.wake(connection, lane, job, self.now())
        if woken:
            self.queue.put(lane, job)

    def wake_lost(self, lost: lanes.Wake) -> None:
        """Ask again for a turn whose job is gone; raises LedgerUnavailable."""
        job = uuid4().hex
        with self.database.write() as connection:
            woken = lanes.wake_again(connection, lost, job, self.now())
        if woken:
            log.info("lane %s is woken again, its job was lost", lost.lane)
            self.queue.put(lost.lane, job)


class Bell:
    """Wakes one lane from a thread of its own, so that nobody waits for Redis.

    The receiver rings it after each accept. The first ring after a pause is
    answered at once; those that follow within the pause count as one.
    """

    def __init__(self, waker: Waker, lane: str) -> None:
        self._waker = waker
        self._lane = lane
        self._rung = threading.Event()
        self._stopped = False
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Costs nothing but a flag; the thread is started by the first ring, after any fork."""
        self._rung.set()
        if self._thread is None:
            self._start()

    def stop(self) -> None:
        """Returns when the thread has ended."""
        self._stopped = True
        self._rung.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="bell", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while self._rung.wait() and not self._stopped:
            self._rung.clear()
            try:
                self._waker.wake(self._lane)
            except LedgerUnavailable as error:
                log.warning("cannot wake %s, the clock will: %s", self._lane, error)
            except Exception as error:  # noqa: BLE001  # the thread is there for good
                log.error("cannot wake %s, the clock will: %s", self._lane, place_of(error))
            time.sleep(BELL_PAUSE)
