"""The clock: finds what is due and what was missed, and wakes it.

It is what makes Redis dispensable. Whatever was lost there, a queue, a job
popped by a worker that died, shows in the ledger as work that is due with
nobody at it. Of several clocks one holds the office and the others stand by.
Two at once, for a moment, do no harm: a wake is taken by one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from redis.exceptions import RedisError

from bridge.engine.foreign import Foreign
from bridge.engine.lease import since_boot
from bridge.engine.queue import LaneQueue
from bridge.engine.wake import Waker
from bridge.errors import LedgerUnavailable
from bridge.ledger import lanes, offices, scheduled
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from bridge.ledger.repeats import MayRepeat
from bridge.logs import OnChange, place_of

log = logging.getLogger(__name__)

# A job that has left the queue begins its turn within milliseconds.
PATIENCE = 2.0
# How long a clock that was killed keeps the office, and how often it is renewed.
OFFICE_SECONDS = 5.0
RENEW_SECONDS = 1.8
# What became due while no clock ran lets other work go on meanwhile.
PROMOTING_SECONDS = 0.5


@dataclass
class Clock:
    """`holder` is its name among the clocks; `elapsed` a time that nobody sets.

    `may_repeat` says what may be done once more behind what is promoted.
    """

    database: Database
    queue: LaneQueue
    waker: Waker
    may_repeat: MayRepeat
    now: Callable[[], float]
    elapsed: Callable[[], float] = since_boot
    holder: str = field(default_factory=lambda: uuid4().hex)
    _held_at: float | None = field(default=None, init=False)
    _foreign: Foreign = field(init=False)
    _said: OnChange = field(default_factory=lambda: OnChange(log), init=False)

    def __post_init__(self) -> None:
        self._foreign = Foreign(self.database, self.now)

    def tick(self) -> None:
        """Wake what needs it; errors of ledger and Redis are for the next tick."""
        try:
            if self._holds_office():
                self._promote()
                self._mend()
                self._wake()
            self._said.over("the clock goes on")
        except LedgerUnavailable as failure:
            self._said.trouble("the clock waits, the ledger is away: %s", failure)
        except (RedisError, OSError) as failure:
            self._said.trouble("the clock waits, redis is away: %s", failure)

    @property
    def holds(self) -> bool:
        """Whether the office is this clock's, as far as it knows."""
        return self._held_at is not None and self.elapsed() < self._held_at + OFFICE_SECONDS

    @property
    def cannot_write(self) -> bool:
        """It was in charge, and the ledger has taken no writes since then."""
        return self._held_at is not None and not self.holds

    def leave(self) -> None:
        """Another clock may go on at once."""
        if self._held_at is None:
            return
        self._held_at = None
        try:
            with self.database.write() as connection:
                offices.leave(connection, offices.CLOCK, self.holder)
        except LedgerUnavailable as failure:
            log.warning("the clock's office is left to lapse: %s", failure)

    def _holds_office(self) -> bool:
        """Renewed only now and then, since each time is a write to the disk."""
        asked_at = self.elapsed()
        if self._held_at is not None and asked_at < self._held_at + RENEW_SECONDS:
            return True
        with self.database.write() as connection:
            held = offices.hold(connection, offices.CLOCK, self.holder, self.now(), OFFICE_SECONDS)
        if held != (self._held_at is not None):
            log.info("the clock %s", "is in charge" if held else "stands by")
        self._held_at = asked_at if held else None
        return held

    def _promote(self) -> None:
        """Let what is due wait to be sent; its lanes are woken like all that have work."""
        until = self.elapsed() + PROMOTING_SECONDS
        while ids := self._due():
            if not self._promoted(ids) or self.elapsed() >= until:
                return

    def _due(self) -> list[str]:
        with self.database.read() as connection:
            return scheduled.due(connection, self.now())

    def _promoted(self, ids: Sequence[str]) -> bool:
        """Whether all were; one that cannot be keeps neither the others nor wakes from it."""
        try:
            with self.database.write() as connection:
                count = scheduled.promote(connection, ids, self.now(), self.may_repeat)
        except LedgerUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # tried again in the next tick
            log.error("%d that are due cannot be promoted: %s", len(ids), place_of(error))
            return len(ids) > 1 and len(ids) == sum(self._promoted([each]) for each in ids)
        return count == len(ids)

    def _mend(self) -> None:
        self._foreign.tell()
        for key in self.queue.mend():
            self._foreign.key(key)

    def _wake(self) -> None:
        with self.database.read() as connection:
            due = due_lanes(connection, self.now())
            overdue = lanes.wakes_before(connection, self.now(), PATIENCE)
        for lane in due:
            self.waker.wake(lane)
        queued = self.queue.holds() if overdue else set()
        for wake in overdue:
            if wake.job not in queued:
                self.waker.wake_lost(wake)
