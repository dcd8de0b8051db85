"""What has to be done now and then, so little at a time that nothing has to wait for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeVar

from bridge.errors import LedgerUnavailable
from bridge.ledger import (
    books,
    cancellers,
    endings,
    occasions,
    prune,
    quarantine,
    shrink,
    threads,
)
from bridge.ledger.alerts import end_unreadable, forget_told, raise_alerts
from bridge.ledger.database import Connection, Database
from bridge.ledger.prune import Pruned
from bridge.settings import RetentionConfig

log = logging.getLogger(__name__)

# Between one round through the ledger and the next.
ROUND_SECONDS = 600.0
# A portion that takes longer than this is followed by a smaller one.
LONGEST_PORTION = 0.02
# Of the time, at most one part in so many is spent on it.
SHARE = 25
FEWEST, MOST = 20, 500

# Where others read all the time, the journal is shortened in a later round.
TRIES = 10

Portion = Callable[[Connection, float, RetentionConfig, int, int], Pruned]
Result = TypeVar("Result")
# Yields after each portion.
Steps = Generator[None, None, Result]


@dataclass
class Housekeeping:
    """Prunes what is old, gives back what is free, and folds the tallies, in rounds.

    `elapsed` is a time that nobody sets. One process does this at a time.
    """

    database: Database
    retention: RetentionConfig
    now: Callable[[], float]
    elapsed: Callable[[], float] = time.monotonic
    _limit: int = field(default=FEWEST, init=False)
    _rests_until: float = field(default=0.0, init=False)
    _round: Steps[None] | None = field(default=None, init=False)

    def tick(self) -> None:
        """At most one portion, which takes a few hundredths of a second; raises LedgerUnavailable.

        What a failure cut off is done in the next round.
        """
        began = self.elapsed()
        if began < self._rests_until:
            return
        self._round = self._round or self._portions()
        try:
            next(self._round)
        except (StopIteration, LedgerUnavailable) as end:
            self._round = None
            self._rests_until = began + ROUND_SECONDS
            if isinstance(end, LedgerUnavailable):
                raise
            return
        self._pace(self.elapsed() - began)

    def _pace(self, took: float) -> None:
        half, double = max(FEWEST, self._limit // 2), min(MOST, self._limit * 2)
        if took > LONGEST_PORTION:
            self._limit = half
        elif took < LONGEST_PORTION / 2:
            self._limit = double
        self._rests_until = self.elapsed() + took * SHARE

    def _portions(self) -> Steps[None]:
        """One round."""
        emptied = yield from self._prune(prune.empty_bodies)
        dropped = yield from self._prune(prune.drop_records)
        yield from self._keep_quarantine_in_bounds()
        if emptied or dropped:
            log.info("pruned: %d bodies, %d whole records", emptied, dropped)
        while self._forget_endings():
            yield
        while self._forget_threads():
            yield
        while self._forget_occasions():
            yield
        yield from self._forget_cancellers()
        while self._give_back():
            yield
        with self.database.write() as connection:
            books.fold(connection)
        yield
        with self.database.write() as connection:
            # What most of them are about has been emptied by then.
            end_unreadable(connection, self.now())
            forget_told(connection, self.now() - self.retention.bodies_seconds)
        for _ in range(TRIES):
            yield
            if shrink.shorten_journal(self.database):
                return

    def _prune(self, portion: Portion) -> Steps[int]:
        """How many there were; what is in the way of some lets the others go on."""
        count, after = 0, 0
        while True:
            with self.database.write() as connection:
                done = portion(connection, self.now(), self.retention, after, self._limit)
            count += done.count
            yield
            if done.after is None:
                return count
            after = done.after

    def _keep_quarantine_in_bounds(self) -> Steps[None]:
        yield from self._prune(quarantine.release)
        while self._list_quarantined():
            yield
        yield from self._prune(quarantine.expire)
        while self._let_go():
            yield

    def _list_quarantined(self) -> bool:
        """Bodies are packed while nothing is locked."""
        with self.database.read() as connection:
            found = quarantine.unlisted(connection, self.now(), self._limit)
        if found:
            with self.database.write() as connection:
                quarantine.pack(connection, found)
        return bool(found)

    def _let_go(self) -> bool:
        with self.database.read() as connection:
            found = quarantine.too_much(connection, self.retention)
        if not found:
            return False
        with self.database.write() as connection:
            told = quarantine.let_go(connection, found[: self._limit], self.now())
            raise_alerts(connection, told)
        return bool(told)

    def _forget_endings(self) -> bool:
        """A purchase that comes so late meets no record of its refund any more."""
        before = self.now() - self.retention.finished_seconds
        with self.database.write() as connection:
            return endings.forget(connection, before, self._limit) > 0

    def _forget_threads(self) -> bool:
        """What answers a message that old begins a thread of its own."""
        before = self.now() - self.retention.finished_seconds
        with self.database.write() as connection:
            return threads.forget(connection, before, self._limit) > 0

    def _forget_occasions(self) -> bool:
        with self.database.write() as connection:
            return occasions.forget(connection, self.now(), self._limit) > 0

    def _forget_cancellers(self) -> Steps[None]:
        """What has been sent cannot be called off."""
        after: cancellers.Row | None = ("", "")
        while after is not None:
            with self.database.write() as connection:
                after = cancellers.forget_ended(connection, after, self._limit)
            yield

    def _give_back(self) -> bool:
        with self.database.write() as connection:
            return shrink.give_back(connection, self._limit)
