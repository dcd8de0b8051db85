"""The clock: finds what is due and what was missed, and wakes it.

It is what makes Redis dispensable. Whatever was lost there, a queue, a job
popped by a worker that died, shows in the ledger as work that is due with
nobody at it. Several clocks do no harm: a wake is taken by one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import RedisError

from bridge.engine.queue import LaneQueue
from bridge.engine.wake import Waker
from bridge.errors import LedgerUnavailable
from bridge.ledger import lanes
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes

log = logging.getLogger(__name__)

# A job that has left the queue begins its turn within milliseconds.
PATIENCE = 2.0


@dataclass(frozen=True)
class Clock:
    database: Database
    queue: LaneQueue
    waker: Waker
    now: Callable[[], float]

    def tick(self) -> None:
        """Wake what needs it; errors of ledger and Redis are for the next tick."""
        try:
            self._wake_due()
            self._wake_lost()
        except LedgerUnavailable as failure:
            log.warning("the clock waits, the ledger is away: %s", failure)
        except (RedisError, OSError) as failure:
            log.warning("the clock waits, redis is away: %s", failure)

    def _wake_due(self) -> None:
        with self.database.read() as connection:
            due = due_lanes(connection, self.now())
        for lane in due:
            self.waker.wake(lane)

    def _wake_lost(self) -> None:
        with self.database.read() as connection:
            overdue = lanes.wakes_before(connection, self.now() - PATIENCE)
        if not overdue:
            return
        queued = self.queue.holds()
        for wake in overdue:
            if wake.job not in queued:
                self.waker.wake_lost(wake)
