"""Emptying one delivery lane: claim, call the connector, settle; one transaction a round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bridge.connector import Action, Connector, Halted, Rejected, Retry, Unknown
from bridge.engine import backoff
from bridge.engine.backoff import Patience
from bridge.engine.calling import Tried, calls_of, item_of, try_all
from bridge.engine.lease import Lease
from bridge.ledger import accounts
from bridge.ledger.alerts import clear_alert, raise_alert
from bridge.ledger.claim import Claimed, claim, recover
from bridge.ledger.database import Connection, Database
from bridge.ledger.settle import Settlement, settle


@dataclass(frozen=True)
class Destination:
    """One account, ready to be used. `connector` is None in preview."""

    name: str
    kind: type[Connector]
    settings: Any
    fingerprint: str
    connector: Connector | None


@dataclass(frozen=True)
class Round:
    """What became of one batch; why the account was refused, or what sends it to rest."""

    settlements: Sequence[Settlement] = ()
    halt: str | None = None
    rest: Retry | None = None

    @property
    def reached(self) -> bool:
        """The vendor took a call, whatever it thought of it."""
        return any(each.state in _REACHED for each in self.settlements)


_REACHED = frozenset({"delivered", "suppressed"})


@dataclass(frozen=True)
class Drain:
    """Drains lanes of one account."""

    database: Database
    destination: Destination
    patience: Patience
    now: Callable[[], float]

    def run(self, lease: Lease, stopping: Callable[[], bool]) -> None:
        """Until the lane is empty, the account rests, or `stopping` says so.

        Raises LeaseLost and LedgerUnavailable; what was claimed then comes
        free with the lease, as of unknown outcome.
        """
        done = Round()
        first = True
        while True:
            with self.database.write() as connection:
                standing = accounts.standing(connection, self.destination.name)
                settle(connection, done.settlements, lease.turn, self.now())
                self._judge_account(connection, done, standing)
                if first:
                    recover(connection, lease.lane, self.patience.attempts, self.now())
                is_over = stopping() or done.halt or done.rest
                claimed = [] if is_over else self._claim(connection, lease, standing)
            if not claimed:
                return
            lease.hold()
            done = self._perform(claimed)
            first = False

    def _claim(
        self, connection: Connection, lease: Lease, standing: accounts.Standing | None
    ) -> list[Claimed]:
        now = self.now()
        if not accounts.may_send(standing, self.destination.fingerprint, now):
            return []
        return claim(connection, lease.lane, lease.turn, self._batch(lease.lane), now)

    def _batch(self, lane: str) -> int:
        """Of the lane's action; one by one where several actions share it."""
        name = _name_of(lane)
        actions = self.destination.kind.actions()
        return actions[name].batch if name in actions else 1

    def _judge_account(
        self, connection: Connection, done: Round, standing: accounts.Standing | None
    ) -> None:
        name, now = self.destination.name, self.now()
        if done.halt is not None:
            halt(connection, name, done.halt, self.destination.fingerprint, now)
        elif done.rest is not None:
            rests = standing.rests if standing else 0
            until = now + max(done.rest.after or 0.0, self.patience.rest(rests))
            accounts.rest(connection, name, done.rest.reason, until, now)
        elif (
            standing is not None
            and done.reached
            and accounts.note_success(connection, name, self.destination.fingerprint)
        ):
            clear_alert(connection, kind="halted", subject=name)

    def _perform(self, claimed: Sequence[Claimed]) -> Round:
        """Each action's deliveries together; what follows a halt or a rest waits."""
        done = Round()
        for name, group in groupby(claimed, key=lambda each: each.action):
            some = list(group)
            if done.halt or done.rest:
                waiting = [backoff.halted(each, "", (), self.now()) for each in some]
                done = Round([*done.settlements, *waiting], done.halt, done.rest)
                continue
            one = self._perform_action(name, some)
            done = Round([*done.settlements, *one.settlements], one.halt, one.rest)
        return done

    def _perform_action(self, name: str, claimed: Sequence[Claimed]) -> Round:
        action = self.destination.kind.actions().get(name)
        if action is None:
            gone = Rejected(f"{self.destination.name} has no action {name} any more")
            return Round([self._settlement(Tried(each, gone)) for each in claimed])
        filled = [(each, item_of(action, each)) for each in claimed]
        refused = [Tried(each, item) for each, item in filled if isinstance(item, Rejected)]
        usable = [(each, item) for each, item in filled if not isinstance(item, Rejected)]
        done = self._send(action, usable)
        settled = [self._settlement(tried) for tried in refused]
        return Round([*settled, *done.settlements], done.halt, done.rest)

    def _send(self, action: Action, usable: Sequence[tuple[Claimed, Any]]) -> Round:
        settings, now = self.destination.settings, self.now()
        calls = {each.id: calls_of(action, settings, item) for each, item in usable}
        connector = self.destination.connector
        if connector is None:
            return Round([backoff.previewed(each, calls[each.id], now) for each, _ in usable])
        try:
            tried = try_all(connector, action, usable)
        except Halted as refused:
            reason = str(refused) or "the vendor refuses the credentials"
            ended = [backoff.halted(each, reason, calls[each.id], now) for each, _ in usable]
            return Round(ended, halt=reason)
        settlements = [
            self._settlement(Tried(one.claimed, one.outcome, calls[one.claimed.id]), action)
            for one in tried
        ]
        return Round(settlements, rest=_longest_rest(tried))

    def _settlement(self, tried: Tried, action: Action | None = None) -> Settlement:
        claimed, outcome = tried.claimed, tried.outcome
        guessed = claimed.uncertain and action is not None and not action.idempotent
        if isinstance(outcome, Unknown) and guessed:
            return backoff.kept_for_a_person(claimed, outcome, tried.calls, self.now())
        return backoff.settlement(claimed, outcome, tried.calls, self.patience, self.now())


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


def _longest_rest(tried: Sequence[Tried]) -> Retry | None:
    rests = [
        one.outcome for one in tried if isinstance(one.outcome, Retry) and one.outcome.whole_account
    ]
    return max(rests, key=lambda rest: rest.after or 0.0, default=None)


def _name_of(lane: str) -> str:
    """`post_message` of `slack.post_message:#sales#3`."""
    return lane.partition(".")[2].partition(":")[0].partition("#")[0]
