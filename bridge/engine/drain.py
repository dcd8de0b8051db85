"""Emptying one delivery lane: claim, call the connector, settle; one transaction a round."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from math import inf

from bridge.engine.backoff import Patience
from bridge.engine.batching import Batching
from bridge.engine.lane_names import actions_of, value_of
from bridge.engine.lease import Lease
from bridge.engine.pace import STEADY
from bridge.engine.perform import Destination, Performer, Round
from bridge.ledger import accounts, threads
from bridge.ledger.alerts import clear_alert, raise_alert
from bridge.ledger.claim import Batch, claim, recover
from bridge.ledger.database import Connection, Database
from bridge.ledger.settle import settle

# A lane that has to wait longer for its next call lets another have the worker.
SHORT_WAIT = 0.3
# At once. Who writes holds up the receiver on SQLite: so many are settled in 10 ms.
PREVIEWED = 100


@dataclass(frozen=True)
class Drain:
    """Drains lanes of one account. What waits longer than `digest_after` seconds is summed up."""

    database: Database
    destination: Destination
    patience: Patience
    now: Callable[[], float]
    digest_after: float = 60.0

    def run(self, lease: Lease, stopping: Callable[[], bool]) -> float:
        """Until the lane is empty, the account rests, its limits say wait, or `stopping`.

        Answers in how many seconds the limits allow the next call; 0 where they are not
        the reason. Raises LeaseLost and LedgerUnavailable; what was claimed then comes
        free with the lease, as of unknown outcome.
        """
        performer = Performer(self.destination, self.patience, self.now)
        done = Round()
        first = True
        while True:
            wait = self._wait(lease.lane)
            goes_on = not (stopping() or done.halt or done.rest or wait > SHORT_WAIT)
            with self.database.write() as connection:
                standing = accounts.standing(connection, self.destination.name)
                settle(connection, done.settlements, lease.turn, self.now())
                threads.remember(connection, lease.lane, done.settlements, self.now())
                self._judge_account(connection, done, standing)
                if first:
                    self._recover(connection, lease.lane)
                batch = self._claim(connection, lease, standing) if goes_on else Batch()
            if not batch.deliveries:
                return wait if wait > SHORT_WAIT else 0.0
            lease.hold()
            with self._held(lease):
                done = performer.perform(batch, standing.rests if standing else 0)
            first = False

    def _held(self, lease: Lease) -> AbstractContextManager[None]:
        """A batch may take many calls, and the lane may be lost before the last."""
        pacer = self.destination.pacer
        return pacer.held_by(lease.hold) if pacer else nullcontext()

    def _wait(self, lane: str) -> float:
        pacer = self.destination.pacer
        if pacer is None:
            return 0.0
        actions = actions_of(lane, self.destination.kind).values()
        return pacer.wait(value_of(lane, actions))

    def _claim(
        self, connection: Connection, lease: Lease, standing: accounts.Standing | None
    ) -> Batch:
        now = self.now()
        if not accounts.may_send(standing, self.destination.fingerprint, now):
            return Batch()
        batching = self._batching(lease.lane, now)
        return claim(connection, lease.lane, lease.turn, batching.limit, batching.choose, now)

    def _batching(self, lane: str, now: float) -> Batching:
        actions = actions_of(lane, self.destination.kind)
        if self.destination.connector is None:
            # A preview shows each message by itself, and many are shown at once: nobody is called,
            # and what a dead worker had in hand is simply shown again.
            together = {
                name: replace(
                    action, batch=max(action.batch, PREVIEWED), merges=True, idempotent=True
                )
                for name, action in actions.items()
            }
            return Batching(together, late=-inf, crowd=inf)
        return Batching(actions, now - self.digest_after, self._in_time())

    def _in_time(self) -> float:
        """How many calls the limits allow before the last of them is late."""
        rates = self.destination.kind.rates
        paces = [rate.calls / rate.seconds for rate in rates if not rate.lane]
        return STEADY * min(paces, default=inf) * self.digest_after

    def _recover(self, connection: Connection, lane: str) -> None:
        """What a dead worker had in hand rests while the vendor may still be at it.

        Else its last call could land after the next one, an older value over a newer.
        """
        pause = getattr(self.destination.settings, "timeout", 0.0)
        recover(connection, lane, self.patience.attempts, pause, self.now())

    def _judge_account(
        self, connection: Connection, done: Round, standing: accounts.Standing | None
    ) -> None:
        name, now = self.destination.name, self.now()
        fingerprint = self.destination.fingerprint
        if done.halt is not None:
            if not accounts.is_replaced(standing, fingerprint, now):
                halt(connection, name, done.halt, fingerprint, now)
        elif done.rest is not None:
            until = now + done.rest_seconds
            accounts.rest(connection, name, done.rest.reason, until, now, reached=done.reached)
        elif (
            standing is not None
            and done.reached
            and accounts.note_success(connection, name, fingerprint, now)
        ):
            clear_alert(connection, kind="halted", subject=name)


def halt(connection: Connection, account: str, reason: str, fingerprint: str, now: float) -> None:
    """Let the account wait for a person, who is told."""
    accounts.halt(connection, account, reason, fingerprint, now)
    raise_alert(
        connection,
        kind="halted",
        subject=account,
        text=f"The account {account} is refused and rests: {reason}. Put that right and restart, "
        f"or run `showbridge resume {account}`.",
        at=now,
    )
