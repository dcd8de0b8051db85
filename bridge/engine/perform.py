"""Doing what one batch asks for: send it, send it as a digest, or look for it. One call each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bridge.connector import (
    Action,
    Connector,
    Delivered,
    Halted,
    Item,
    OptIn,
    Outcome,
    Rejected,
    Retry,
    Unknown,
)
from bridge.engine import backoff, calling
from bridge.engine.backoff import Patience
from bridge.engine.calling import Calls
from bridge.engine.limits import AccountPacer
from bridge.ledger.claim import Batch, Claimed
from bridge.ledger.settle import Settlement


@dataclass(frozen=True)
class Destination:
    """One account, ready to be used. `connector` is None in preview; no `pacer`: no limits."""

    name: str
    kind: type[Connector]
    settings: Any
    fingerprint: str
    connector: Connector | None
    pacer: AccountPacer | None = None

    @property
    def opt_in(self) -> OptIn | None:
        found = getattr(self.settings, "opt_in", None)
        return found if isinstance(found, OptIn) else None


@dataclass(frozen=True)
class Round:
    """What became of one batch; why the account was refused, or what sends it to rest.

    `rest_seconds` is how long the rest lasts.
    """

    settlements: Sequence[Settlement] = ()
    halt: str | None = None
    rest: Retry | None = None
    rest_seconds: float = 0.0

    @property
    def reached(self) -> bool:
        """The vendor took a call, whatever it thought of it."""
        return any(each.state in ("delivered", "suppressed") for each in self.settlements)


Filled = Sequence[tuple[Claimed, Item]]


@dataclass(frozen=True)
class Performer:
    """Performs batches of one account."""

    destination: Destination
    patience: Patience
    now: Callable[[], float]

    def perform(self, batch: Batch, rests: int = 0) -> Round:
        """Nothing is in the ledger yet when it returns; raises LeaseLost.

        `rests`: how often the account has rested since its vendor last took something.
        """
        action = self.destination.kind.actions().get(batch.deliveries[0].action)
        if action is None:
            gone = f"{self.destination.name} has no such action any more"
            return Round([self._settled(each, Rejected(gone)) for each in batch.deliveries])
        filled = [(each, self._item(action, batch, each)) for each in batch.deliveries]
        refused = [self._settled(each, item) for each, item in filled if isinstance(item, Rejected)]
        usable = [(each, item) for each, item in filled if isinstance(item, Item)]
        done = self._perform(action, batch, usable, rests) if usable else Round()
        return replace(done, settlements=[*refused, *done.settlements])

    def _item(self, action: Action, batch: Batch, claimed: Claimed) -> Item | Rejected:
        sent_as = claimed.sent_as if batch.looked_up else batch.sent_as
        return calling.item_of(action, claimed, sent_as)

    def _perform(self, action: Action, batch: Batch, usable: Filled, rests: int) -> Round:
        connector = self.destination.connector
        calls = self._calls(action, batch, usable)
        began = self.now()
        if connector is None:
            now = self.now()
            return Round([backoff.previewed(each, calls[each.id], now) for each, _ in usable])
        try:
            if batch.looked_up:
                return self._look_up(connector, action, usable, rests)
            outcomes = self._send(connector, action, batch, usable)
        except Halted as refused:
            reason = str(refused) or "the vendor refuses the credentials"
            ended = [backoff.halted(each, reason, calls[each.id], self.now()) for each, _ in usable]
            return Round(ended, halt=reason)
        rest = self._rest(outcomes, rests)
        if action.batch > 1 and len(usable) == 1:
            outcomes = [self._blamed(usable[0][0], outcomes[0], rest, rests)]
        if action.idempotent and self.now() - began >= self._timeout:
            outcomes = [_let_end(each, self._timeout) for each in outcomes]
        settlements = [
            self._settled(each, outcome, calls[each.id])
            for (each, _), outcome in zip(usable, outcomes, strict=True)
        ]
        if batch.sent_as:
            settlements = _due_together(settlements, [batch.sent_as] * len(usable))
        elif action.merges:
            settlements = _due_together(settlements, [each.order_key for each, _ in usable])
        return replace(rest, settlements=settlements)

    def _calls(self, action: Action, batch: Batch, usable: Filled) -> Mapping[str, Calls]:
        """By delivery; none where nothing is sent."""
        settings = self.destination.settings
        if batch.looked_up:
            return {each.id: () for each, _ in usable}
        if batch.sent_as and (digest := action.digest):
            items, seconds = [item for _, item in usable], self._waited(usable)
            made = calling.calls_of(action, lambda: digest.preview(settings, items, seconds))
            # Kept once: a long message in a thousand rows would fill the disk.
            return {each.id: made if number == 0 else () for number, (each, _) in enumerate(usable)}
        return {
            each.id: calling.calls_of(action, partial(action.preview, settings, item))
            for each, item in usable
        }

    def _send(
        self, connector: Connector, action: Action, batch: Batch, usable: Filled
    ) -> Sequence[Outcome]:
        items = [item for _, item in usable]
        if not batch.sent_as:
            return calling.send(connector, action, items)
        outcome = calling.send_digest(connector, action, items, self._waited(usable))
        if isinstance(outcome, Delivered):
            outcome = replace(outcome, remark=_in_one_message(action, usable))
        return [outcome] * len(items)

    def _waited(self, usable: Filled) -> float:
        return max(0.0, self.now() - usable[0][0].planned_at)

    def _look_up(self, connector: Connector, action: Action, usable: Filled, rests: int) -> Round:
        """Once for all: what is looked up together was sent together."""
        found = calling.look_up(connector, action, usable[0][1])
        if found is None:
            return Round([backoff.absent(each, self.now()) for each, _ in usable])
        if isinstance(found, Unknown):
            return Round([self._undecided(action, each, found) for each, _ in usable])
        settlements = [self._settled(each, found) for each, _ in usable]
        return replace(self._rest([found], rests), settlements=settlements)

    def _undecided(self, action: Action, claimed: Claimed, why: Unknown) -> Settlement:
        """Nobody can tell whether it was done: the account decides, else the action."""
        policy = getattr(self.destination.settings, "if_unknown", None) or action.if_unknown
        if policy == "repeat":
            return backoff.repeated(claimed, why, self.now())
        return backoff.kept_for_a_person(claimed, why, self.now())

    def _rest(self, outcomes: Sequence[Outcome], rests: int) -> Round:
        """How long the account rests, if one of them says so: longer each time in a row."""
        asked = [each for each in outcomes if isinstance(each, Retry) and each.whole_account]
        if not asked:
            return Round()
        rest = max(asked, key=lambda each: each.after or 0.0)
        return Round(rest=rest, rest_seconds=max(rest.after or 0.0, self.patience.rest(rests)))

    def _blamed(self, claimed: Claimed, outcome: Outcome, rest: Round, rests: int) -> Outcome:
        """What goes alone and still sends the account to rest may itself be the reason.

        It lets others go first. Where they arrive, or none come for too long, it counts as
        its own failure.
        """
        if rest.rest is None:
            return outcome
        later = rest.rest_seconds + self.patience.first
        is_young = self.now() - claimed.planned_at < self.patience.max_age
        return Retry(rest.rest.reason, later, limited=rests > 0 and is_young)

    def _settled(self, claimed: Claimed, outcome: Outcome, calls: Calls = ()) -> Settlement:
        if isinstance(outcome, Unknown):
            # The vendor may still be at it: looked for now, it might not be there yet.
            pause = self._timeout
            return backoff.doubtful(claimed, outcome, calls, pause, self.patience, self.now())
        return backoff.settlement(claimed, outcome, calls, self.patience, self.now())

    @property
    def _timeout(self) -> float:
        return float(getattr(self.destination.settings, "timeout", 0.0))


def _let_end(outcome: Outcome, timeout: float) -> Outcome:
    """What was cut off may still be done: too soon, and it could land after the person's next."""
    if not isinstance(outcome, Retry):
        return outcome
    return replace(outcome, after=max(outcome.after or 0.0, timeout))


def _due_together(settlements: Sequence[Settlement], persons: Sequence[str]) -> list[Settlement]:
    """What was tried of one person together, perhaps with effect, is tried again together.

    So are the parts of a digest: else one message would become many.
    """
    due: dict[str, float] = {}
    for each, person in zip(settlements, persons, strict=True):
        due[person] = max(due.get(person, 0.0), each.due_at)
    return [
        replace(each, due_at=due[person]) if person else each
        for each, person in zip(settlements, persons, strict=True)
    ]


def _in_one_message(action: Action, usable: Filled) -> str:
    first, others = usable[0][0], len(usable) - 1
    if not others:
        return ""
    word = "other" if others == 1 else "others"
    why = "" if action.digest and action.digest.always else ", since the lane was behind"
    return f"in one message with {others} {word}{why}; delivery {first.id} has its text"
