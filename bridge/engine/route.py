"""From a webhook to what is owed for it: normalise, match, fill in, plan. Pure."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bridge.connector import Action, Connector, Item
from bridge.engine.consent import decision, refusal
from bridge.engine.lane_names import lane_of, short
from bridge.event import Event
from bridge.ledger.plan import Plan, PlannedDelivery, PlannedEvent, Waiting
from bridge.logs import place_of
from bridge.rules import NotFilled, Rule, RuleSet, Step, Verdict, fill, judge
from bridge.rules.values import view
from bridge.source import Source

log = logging.getLogger(__name__)

WHO_LENGTH = 320


@dataclass(frozen=True)
class PlannedAt:
    """A delivery's id, its event's position in the webhook, and its place in the event.

    `event` is the event's own id; `received_at` is in Unix seconds.
    """

    name: str
    position: int
    place: int
    event: str = ""
    received_at: float = 0.0


@dataclass(frozen=True)
class Router:
    """What routing needs to know: sources and connectors by configured name, and the rules.

    `wordings` names, by account, the version of the text on which people consent.
    """

    sources: Mapping[str, Source]
    accounts: Mapping[str, type[Connector]]
    rules: RuleSet
    wordings: Mapping[str, str] = field(default_factory=dict)

    def plan(self, waiting: Waiting) -> Plan:
        """Never raises: what cannot be routed is quarantined with its reason."""
        source = self.sources.get(waiting.webhook.source)
        if source is None:
            return self.quarantine(waiting, "this source is no longer configured")
        try:
            return self._plan(waiting, source.normalise(waiting.webhook))
        except Exception as error:  # noqa: BLE001
            # A bug, in a source or here, must cost no webhook: it is kept and can be replayed.
            log.error("webhook %d cannot be routed: %s", waiting.number, place_of(error))
            return self.quarantine(waiting, f"cannot be routed: {type(error).__name__}")

    def _plan(self, waiting: Waiting, found: tuple[Event, ...]) -> Plan:
        planned: list[PlannedEvent] = []
        owed: list[PlannedDelivery] = []
        for position, event in enumerate(found, start=1):
            event = replace(event, source=waiting.webhook.source)
            verdicts = judge(self.rules, event)
            planned.append(_event(position, event, verdicts))
            matched = {verdict.rule for verdict in verdicts if verdict.matched}
            owed.extend(self._deliveries(waiting, position, event, matched))
        return Plan(
            number=waiting.number,
            state="routed" if owed else "unrouted",
            rules_version=self.rules.version,
            source=waiting.webhook.source,
            replayed=waiting.replayed,
            events=planned,
            deliveries=owed,
        )

    def _deliveries(
        self, waiting: Waiting, position: int, event: Event, matched: set[str]
    ) -> Iterator[PlannedDelivery]:
        rules = [rule for rule in self.rules.rules if rule.name in matched]
        steps = [pair for rule in rules for pair in _with_turns(rule)]
        for place, (step, turn) in enumerate(steps):
            name = delivery_id(waiting, position, step, turn)
            of_event = event_id(waiting, position)
            received_at = waiting.webhook.received_at
            at = PlannedAt(name, position, place, of_event, received_at)
            yield self._delivery(event, step, at)

    def _delivery(self, event: Event, step: Step, at: PlannedAt) -> PlannedDelivery:
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
            event=described(event, at) if action.event else None,
            topic=_topic(event) if action.threads else None,
        )
        try:
            item = fill(step, event)
        except NotFilled as why:
            state = "suppressed" if why.skipped else "rejected"
            return replace(planned, state=state, reason=why.reason)
        lane = lane_of(step.account, action, item, event.order_key)
        wording = self.wordings.get(step.account)
        planned = replace(planned, consent=decision(action, item, event.contact, wording))
        refused = refusal(action, item, event.contact)
        if refused:
            # Without its item it can never be sent by mistake, only planned afresh.
            return replace(planned, lane=lane, state="suppressed", reason=refused)
        try:
            due_at = _not_before(action, item, at.received_at)
        except Exception as error:  # noqa: BLE001  # a connector's bug: its place is told
            log.error("%s.%s cannot say when: %s", step.account, step.action, place_of(error))
            reason = f"{step.account}.{step.action} fails to say when it is to be sent"
            return replace(planned, lane=lane, state="rejected", reason=reason)
        return replace(planned, lane=lane, item=item.model_dump(mode="json"), due_at=due_at)

    def quarantine(self, waiting: Waiting, reason: str) -> Plan:
        """Keep it for a person, who is told."""
        return Plan(
            number=waiting.number,
            state="quarantined",
            reason=reason,
            rules_version=self.rules.version,
        )


def _event(position: int, event: Event, verdicts: tuple[Verdict, ...]) -> PlannedEvent:
    return PlannedEvent(
        position=position,
        type=event.type,
        who=_storable(event.contact.email or event.contact.name),
        verdicts=[asdict(verdict) for verdict in verdicts],
        remarks=event.remarks,
        begins=_short(event.begins),
        ends=_short(event.ends),
        order_key=event.order_key,
    )


def _short(matters: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(short(matter) for matter in matters)


def _gist(event: Event) -> Mapping[str, str] | None:
    """As `bridge.connector.Gist`, in texts."""
    if not event.noun:
        return None
    amount = "" if event.amount is None else str(event.amount)
    return {"what": event.noun, "amount": amount, "currency": event.currency}


def described(event: Event, at: PlannedAt) -> Mapping[str, Any]:
    """The event as `bridge.connector.Item.event` shows it."""
    seen = {name: value for name, value in view(event).items() if name != "raw"}
    time = datetime.fromtimestamp(at.received_at, UTC).isoformat()
    seen["event"] = {"id": at.event, "type": event.type, "source": event.source, "time": time}
    plain: Mapping[str, Any] = json.loads(json.dumps(seen, default=_plain))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _topic(event: Event) -> str | None:
    return short(f"{event.source} {event.subject}") if event.subject else None


def _not_before(action: Action, item: Item, received_at: float) -> float:
    """In Unix seconds; 0 where nothing has to be waited for."""
    if action.not_before is None:
        return 0.0
    return action.not_before(item, datetime.fromtimestamp(received_at, UTC)).timestamp()


def _with_turns(rule: Rule) -> Iterator[tuple[Step, int]]:
    """Each step with its turn among the rule's steps of the same action, from 1."""
    seen: Counter[tuple[str, str]] = Counter()
    for step in rule.steps:
        seen[step.account, step.action] += 1
        yield step, seen[step.account, step.action]


def delivery_id(waiting: Waiting, position: int, step: Step, turn: int) -> str:
    """The same for the same event, rule and step, on every machine and every replay.

    A step is known by its action and its turn, so that moving other steps
    about neither repeats nor replaces it.
    """
    parts = (
        waiting.webhook.source,
        waiting.idempotency_key,
        str(position),
        step.rule,
        step.account,
        step.action,
        str(turn),
    )
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:24]


def event_id(waiting: Waiting, position: int) -> str:
    """The same for the same event, on every machine and every replay."""
    parts = (waiting.webhook.source, waiting.idempotency_key, str(position))
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:24]


def _storable(text: str | None) -> str | None:
    """PostgreSQL's texts hold no U+0000, and nobody's name is a page long."""
    return text.replace("\x00", "")[:WHO_LENGTH] if text else None
