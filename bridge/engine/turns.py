"""Turns at lanes: what an RQ job does."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from bridge.engine import late
from bridge.engine.alarm import Alarm
from bridge.engine.backoff import Patience
from bridge.engine.drain import Drain
from bridge.engine.lane_names import account_of
from bridge.engine.lease import Lease, since_boot
from bridge.engine.live_rules import LiveRules
from bridge.engine.perform import Destination
from bridge.engine.route import Router
from bridge.engine.wake import Waker
from bridge.errors import LeaseLost, LedgerUnavailable
from bridge.ledger import accounts, lanes, plan, rule_versions
from bridge.ledger.alerts import raise_alert
from bridge.ledger.database import Connection, Database
from bridge.ledger.due import is_due
from bridge.ledger.lanes import INBOX
from bridge.logs import place_of
from bridge.source import Source

log = logging.getLogger(__name__)

# Then another lane has its turn; this one is woken again.
TURN_SECONDS = 2.0
# Who writes holds up the receiver on SQLite, about a millisecond for each of them.
INBOX_BATCH = 25
# Of hostile events each may come to thousands, and all of them are in memory until then.
DELIVERIES_AT_ONCE = 1_000
# How long deliveries to an account that is not configured are left alone.
MISSING_SECONDS = 60.0


@dataclass
class Turns:
    """Takes turns at lanes, one at a time: one of these for each worker process."""

    database: Database
    waker: Waker
    sources: Mapping[str, Source]
    destinations: Mapping[str, Destination]
    live_rules: LiveRules
    patience: Patience
    lease_seconds: float
    digest_after: float
    alarm: Alarm
    now: Callable[[], float]
    stop: Callable[[], bool] = field(default=lambda: False)

    def take(self, lane: str) -> None:
        """One turn: until the lane is empty or others should have theirs.

        Does nothing where somebody else is at the lane. An unavailable ledger
        ends the turn; the lane comes free by itself and the clock wakes it.
        """
        try:
            wait = self._take(lane)
            if wait is not None and self._may_go_on(lane):
                self._wake(lane, wait)
        except LedgerUnavailable as failure:
            log.warning("the turn at %s ends, the ledger is away: %s", lane, failure)
        except LeaseLost:
            log.warning("the turn at %s ends, its lease lapsed", lane)
        except Exception as error:  # noqa: BLE001
            # RQ would keep the traceback, whose messages may quote addresses, for a day.
            log.error("the turn at %s failed: %s", lane, place_of(error))

    def _wake(self, lane: str, wait: float) -> None:
        if wait > 0:
            self.alarm.set(lane, wait)
        else:
            self.waker.wake(lane)

    def _take(self, lane: str) -> float | None:
        """How long the lane's limits say wait; None where somebody else is at the lane."""
        turn = uuid4().hex
        began = since_boot()
        with self.database.write() as connection:
            if not lanes.take(connection, lane, turn, self.now(), self.lease_seconds):
                return None
        lease = Lease(self.database, lane, turn, self.lease_seconds, self.now, began)
        with lease:
            if lane == INBOX:
                self._route(lease)
                return 0.0
            return self._drain(lease)

    def _may_go_on(self, lane: str) -> bool:
        if lane == INBOX and self.live_rules.current() is None:
            return False
        with self.database.read() as connection:
            return is_due(connection, lane, self.now()) and self._may_send(connection, lane)

    def _may_send(self, connection: Connection, lane: str) -> bool:
        """Others may, where only this worker's credential was refused: the clock wakes them."""
        name = account_of(lane)
        destination = self.destinations.get(name)
        standing = accounts.standing(connection, name) if destination else None
        return destination is None or accounts.may_send(
            standing, destination.fingerprint, self.now()
        )

    def _stopping(self) -> Callable[[], bool]:
        end = time.monotonic() + TURN_SECONDS
        return lambda: self.stop() or time.monotonic() >= end

    def _drain(self, lease: Lease) -> float:
        name = account_of(lease.lane)
        destination = self.destinations.get(name)
        if destination is None:
            self._wait_for_account(name)
            return 0.0
        drain = Drain(self.database, destination, self.patience, self.now, self.digest_after)
        return drain.run(lease, self._stopping())

    def _wait_for_account(self, name: str) -> None:
        reason = f"bridge.yaml has no account {name}, but deliveries wait for it"
        with self.database.write() as connection:
            accounts.rest(connection, name, reason, self.now() + MISSING_SECONDS, self.now())
            raise_alert(
                connection,
                kind="missing-account",
                subject=name,
                text=f"{reason}; add it again, or replay their events once the rules are changed",
                at=self.now(),
            )

    def _route(self, lease: Lease) -> None:
        stopping = self._stopping()
        while not stopping():
            self.live_rules.look()
            with self.database.read() as connection:
                waiting = deque(plan.waiting(connection, INBOX_BATCH))
                # After them: what came in once a version was live is not routed by the one before.
                published = rule_versions.live(connection)
            live = self.live_rules.compiled(published)
            if live is None or not waiting:
                return
            kinds = {name: each.kind for name, each in self.destinations.items()}
            self._route_batch(Router(self.sources, kinds, live, self._wordings()), waiting, lease)

    def _wordings(self) -> Mapping[str, str]:
        named = {name: each.opt_in for name, each in self.destinations.items()}
        return {name: opt_in.version for name, opt_in in named.items() if opt_in}

    def _route_batch(self, router: Router, waiting: deque[plan.Waiting], lease: Lease) -> None:
        while waiting:
            plans: list[plan.Plan] = []
            while waiting and sum(len(each.deliveries) for each in plans) < DELIVERIES_AT_ONCE:
                # Let go of each as it is done: parsed, a body takes many times its size.
                plans.append(router.plan(waiting.popleft(), self.now()))
            self._record_and_wake(router, plans, lease)

    def _record_and_wake(self, router: Router, plans: Sequence[plan.Plan], lease: Lease) -> None:
        lease.hold()
        self._record(router, plans, lease)
        for lane in sorted({each.lane for made in plans for each in made.deliveries}):
            self.waker.wake(lane)

    def _record(self, router: Router, plans: Sequence[plan.Plan], lease: Lease) -> None:
        """All at once; where one cannot be written, each alone, and that one is kept aside."""
        try:
            with self.database.read() as connection:
                before = late.look(connection, plans)
            with self.database.write() as connection:
                # Nobody else has routed anything since it was looked at.
                lanes.hold(connection, lease.lane, lease.turn)
                late.record(connection, plans, before, late.repeatable(router.accounts), self.now())
        except (LeaseLost, LedgerUnavailable):
            raise
        except Exception as error:
            log.error("plans cannot be written: %s", place_of(error))
            if len(plans) == 1:
                aside = plan.kept_aside(plans[0], f"cannot be written: {type(error).__name__}")
                if aside == plans[0]:
                    raise
                plans = [aside]
            for each in plans:
                self._record(router, [each], lease)


_turns: Turns | None = None


def install(turns: Turns) -> None:
    """Say whose turns this process takes: RQ finds a job's function by its dotted name alone."""
    global _turns  # the one place where RQ leaves no other way
    _turns = turns


def take_turn(lane: str) -> None:
    """The RQ job."""
    if _turns is None:
        raise RuntimeError("turns are taken by `showbridge worker`, not by a bare RQ worker")
    _turns.take(lane)
