"""What is owed for one event by the rules that it matches: their steps, filled in. Pure."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from bridge.connector import Action, Connector, Item
from bridge.engine.consent import decision, refusal
from bridge.engine.lane_names import lane_of, short
from bridge.engine.occasions import Unknown, once_of, unless_of
from bridge.event import Event
from bridge.ledger.delivery_ids import delivery_id
from bridge.ledger.plan import PlannedDelivery
from bridge.logs import place_of
from bridge.rules import NotFilled, Rule, Step, Verdict, fill
from bridge.rules.match import members
from bridge.rules.seen import Seen
from bridge.rules.timing import TooLate
from bridge.rules.values import view
from bridge.rules.work import Notes, noting

log = logging.getLogger(__name__)

MAX_REMARKS = 20
"""On what the rules made of one event."""


@dataclass(frozen=True)
class PlannedAt:
    """A delivery's id, its event's position in the webhook, and its place in the event."""

    name: str
    position: int
    place: int


@dataclass(frozen=True)
class Turn:
    """One step of a rule for one event: `turn` counts the rule's steps of the same action, from 1.

    `member` is the number of the entry that the rule is at, from 1; 0: it goes through none.
    """

    rule: Rule
    step: Step
    turn: int
    member: int
    seen: Seen


@dataclass(frozen=True)
class Owing:
    """Plans what is owed for one event. `now` and its `received_at` are in Unix seconds.

    `webhook` and `key` are its webhook's number and idempotency key; `wordings` names,
    by account, the version of the text on which people consent. `zone` is the rules', empty
    where nobody gave one. `remarks` are filled as
    deliveries are planned.
    """

    accounts: Mapping[str, type[Connector]]
    wordings: Mapping[str, str]
    event: Event
    seen: Seen
    webhook: int
    key: str
    position: int
    show_field: str | None
    now: float
    zone: str = ""
    remarks: dict[str, None] = field(default_factory=dict)

    def turns(self, rules: Sequence[Rule], verdicts: Sequence[Verdict]) -> list[Turn]:
        """In the order of the rules, of the entries that fit, and of the steps."""
        matched = {verdict.rule: verdict for verdict in verdicts if verdict.matched}
        return [
            turn
            for rule in rules
            if rule.name in matched
            for turn in self._turns(rule, matched[rule.name])
        ]

    def deliveries(self, turns: Sequence[Turn]) -> Iterator[PlannedDelivery]:
        """One for each turn, in their order; filled in as they are asked for."""
        done_by: dict[str, int] = {}
        for place, turn in enumerate(turns):
            name = self._name(turn)
            planned = self._delivery(turn, PlannedAt(name, self.position, place))
            yield _once_in_event(planned, turn, done_by)

    def _name(self, turn: Turn) -> str:
        """A step is known by its action and its turn: moving others about is nothing to it."""
        step, each = turn.step, turn.rule.for_each
        told = [self.event.source, self.key, str(self.position)]
        told += [step.rule, step.account, step.action, str(turn.turn)]
        told += [f"{each.name} {turn.member}"] if each else []
        return delivery_id(self.webhook, told)

    def _turns(self, rule: Rule, verdict: Verdict) -> Iterator[Turn]:
        if rule.for_each is None:
            yield from _steps(rule, 0, self.seen)
            return
        listed = members(rule, self.seen)
        for number in verdict.members:
            seen = self.seen.with_member(rule.for_each.name, listed[number - 1])
            yield from _steps(rule, number, seen)

    def _delivery(self, turn: Turn, at: PlannedAt) -> PlannedDelivery:
        step, event = turn.step, self.event
        action = self.accounts[step.account].actions()[step.action]
        planned = PlannedDelivery(
            id=at.name,
            position=at.position,
            rule=step.rule,
            step=step.number,
            place=at.place,
            account=step.account,
            action=step.action,
            lane=f"{step.account}.{step.action}",
            order_key=event.order_key,
            item={},
            gist=_gist(event) if action.digest else None,
            event=self._described if action.event else None,
            topic=_topic(event) if action.threads else None,
        )
        try:
            with noting() as notes:
                item = fill(step, event, turn.seen)
            self._remark(step, notes)
        except NotFilled as why:
            state = "suppressed" if why.skipped else "rejected"
            return replace(planned, state=state, reason=why.reason)
        lane = lane_of(step.account, action, item, event.order_key)
        wording = self.wordings.get(step.account)
        consent = decision(action, item, event.contact, wording)
        planned = replace(planned, lane=lane, consent=consent)
        refused = refusal(action, item, event.contact)
        if refused:
            # Without its item it can never be sent by mistake, only planned afresh.
            return replace(planned, state="suppressed", reason=refused)
        return self._timed(turn, action, item, planned)

    def _remark(self, step: Step, notes: Notes) -> None:
        """A person sees what a text had to do without, once for each rule and action."""
        what = f"a text of “{step.rule}” for {step.account}.{step.action}"
        for told in notes.told:
            self._tell(f"{what} is not whole: {told}")

    def _tell(self, remark: str) -> None:
        if len(self.remarks) < MAX_REMARKS:
            self.remarks[remark] = None

    def _timed(
        self, turn: Turn, action: Action, item: Item, planned: PlannedDelivery
    ) -> PlannedDelivery:
        """When it is due, for whom it is done once, and what calls it off."""
        step, rule = turn.step, turn.rule
        try:
            later = self._later(rule, turn.seen)
            once = once_of(rule, self.event, turn.seen, self.show_field)
            if rule.once and once is None:
                self._tell(
                    f"`once_per` of “{rule.name}” is not known here, so it is done each time"
                )
        except TooLate as why:
            return replace(planned, state="suppressed", reason=str(why))
        except Unknown as why:
            return replace(planned, state="rejected", reason=str(why))
        try:
            due_at = _not_before(action, item, later or self.received_at)
        except Exception as error:  # noqa: BLE001  # a connector's bug: its place is told
            log.error("%s.%s cannot say when: %s", step.account, step.action, place_of(error))
            reason = f"{step.account}.{step.action} fails to say when it is to be sent"
            return replace(planned, state="rejected", reason=reason)
        return replace(
            planned,
            item=item.model_dump(mode="json"),
            state="scheduled" if later else "waiting",
            due_at=max(later, due_at),
            once=once,
            unless=unless_of(rule, self.event) if later else None,
            quiet=rule.timing.quiet.as_plain()
            if later and rule.timing and rule.timing.quiet
            else None,
        )

    @property
    def received_at(self) -> float:
        return self.event.received_at or 0.0

    @cached_property
    def _described(self) -> Mapping[str, Any]:
        """Once for all that want to see it."""
        return described(self.event, self.zone)

    def _later(self, rule: Rule, seen: Seen) -> float:
        """When the rule wants it done, in Unix seconds; 0: now. Raises TooLate."""
        return rule.timing.due(seen, self.received_at, self.now) if rule.timing else 0.0


def _once_in_event(
    planned: PlannedDelivery, turn: Turn, done_by: dict[str, int]
) -> PlannedDelivery:
    """As planned, and noted in `done_by`; or suppressed, where another entry had it done."""
    once, each = planned.once, turn.rule.for_each
    if once is None or each is None or planned.state not in ("waiting", "scheduled"):
        return planned
    first = done_by.setdefault(once.key, turn.member)
    if first == turn.member:
        return planned
    reason = f"{once.words}: {each.name} {first} of this event did it"
    return replace(planned, state="suppressed", reason=reason)


def _steps(rule: Rule, member: int, seen: Seen) -> Iterator[Turn]:
    counted: Counter[tuple[str, str]] = Counter()
    for step in rule.steps:
        counted[step.account, step.action] += 1
        yield Turn(rule, step, counted[step.account, step.action], member, seen)


def _gist(event: Event) -> Mapping[str, str] | None:
    """As `bridge.connector.Gist`, in texts."""
    if not event.noun:
        return None
    amount = "" if event.amount is None else str(event.amount)
    return {"what": event.noun, "amount": amount, "currency": event.currency}


def described(event: Event, zone: str = "") -> Mapping[str, Any]:
    """The event as `bridge.connector.Item.event` shows it, for rules of this time zone."""
    seen = {name: value for name, value in view(event).items() if name != "raw"}
    if zone:
        seen["event"] = {**seen["event"], "time_zone": zone}
    plain: Mapping[str, Any] = json.loads(json.dumps(seen, default=_plain))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _topic(event: Event) -> str | None:
    return short(f"{event.source} {event.subject}") if event.subject else None


def _not_before(action: Action, item: Item, since: float) -> float:
    """In Unix seconds; 0 where nothing has to be waited for."""
    if action.not_before is None:
        return 0.0
    return action.not_before(item, datetime.fromtimestamp(since, UTC)).timestamp()
