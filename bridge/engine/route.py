"""From a webhook to what is owed for it: normalise, match, fill in, plan. Pure."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.connector import Connector
from bridge.engine.lane_names import short
from bridge.engine.occasions import known_as
from bridge.engine.owing import Owing
from bridge.engine.room import Room, with_fewer_keys
from bridge.event import Event
from bridge.ledger.plan import CLAIM_ACCEPTED, Plan, PlannedDelivery, PlannedEvent, Waiting
from bridge.logs import place_of
from bridge.rules import RuleSet, judge
from bridge.rules.match import MOST_MEMBERS, about
from bridge.rules.seen import Seen
from bridge.rules.values import view
from bridge.rules.work import together
from bridge.source import Source

log = logging.getLogger(__name__)

WHO_LENGTH = 320


@dataclass(frozen=True)
class Router:
    """What routing needs to know: sources and connectors by configured name, and the rules.

    `wordings` names, by account, the version of the text on which people consent.
    """

    sources: Mapping[str, Source]
    accounts: Mapping[str, type[Connector]]
    rules: RuleSet
    wordings: Mapping[str, str] = field(default_factory=dict)

    def plan(self, waiting: Waiting, now: float) -> Plan:
        """Never raises: what cannot be routed is quarantined with its reason.

        `now` in Unix seconds: what is due by then is not put off.
        """
        source = self.sources.get(waiting.webhook.source)
        if source is None:
            return self.quarantine(waiting, "this source is no longer configured")
        try:
            with together():
                return self._plan(waiting, source, now)
        except Exception as error:  # noqa: BLE001
            # A bug, in a source or here, must cost no webhook: it is kept and can be replayed.
            log.error("webhook %d cannot be routed: %s", waiting.number, place_of(error))
            return self.quarantine(waiting, f"cannot be routed: {type(error).__name__}")

    def _plan(self, waiting: Waiting, source: Source, now: float) -> Plan:
        planned: list[PlannedEvent] = []
        owed: list[PlannedDelivery] = []
        room = Room(len(waiting.webhook.body))
        left_out: list[str] = []
        unread: list[str] = []
        for position, event in enumerate(events_of(waiting, source), start=1):
            seen = Seen(view(event))
            verdicts = judge(self.rules, event, seen)
            left_out += (less := [*event.left_out, *_too_many(self.rules, event, seen)])
            unread += event.unread
            event = replace(event, remarks=(*event.remarks, *less))
            owing = Owing(
                accounts=self.accounts,
                wordings=self.wordings,
                event=event,
                seen=seen,
                webhook=waiting.number,
                key=waiting.idempotency_key,
                position=position,
                show_field=source.show_field,
                now=now,
                zone=self.rules.time_zone if self.rules.names_zone else "",
            )
            kept = room.verdicts([verdict._asdict() for verdict in verdicts])
            turns = owing.turns(self.rules.rules, verdicts)
            owed.extend(room.within(owing.deliveries(turns), len(turns)))
            event = replace(event, remarks=(*event.remarks, *owing.remarks))
            planned.append(_event(position, event, kept))
        if room.remarks:
            planned[0] = replace(planned[0], remarks=(*planned[0].remarks, *room.remarks))
        return Plan(
            number=waiting.number,
            state="routed" if owed else "unrouted",
            reason=CLAIM_ACCEPTED if waiting.released else None,
            rules_version=self.rules.version,
            source=waiting.webhook.source,
            replayed=waiting.replayed,
            events=planned,
            deliveries=with_fewer_keys(owed),
            too_much="; ".join(dict.fromkeys([*left_out, *room.remarks])),
            unread=list(dict.fromkeys(unread)),
        )

    def quarantine(self, waiting: Waiting, reason: str) -> Plan:
        """Keep it for a person, who is told."""
        return Plan(
            number=waiting.number,
            state="quarantined",
            reason=reason,
            rules_version=self.rules.version,
        )


def events_of(waiting: Waiting, source: Source) -> list[Event]:
    """The webhook's events, as rules see them."""
    webhook = waiting.webhook
    return [
        replace(
            _believed(event) if waiting.released else event,
            source=webhook.source,
            id=event_id(webhook.source, waiting.idempotency_key, position),
            received_at=webhook.received_at,
        )
        for position, event in enumerate(source.normalise(webhook), start=1)
    ]


def _believed(event: Event) -> Event:
    """What a person released ends what it claims to end, whatever the settings say now."""
    if not event.ends:
        return event
    return replace(event, ends=(*event.ends, *event.claims), claims=())


def _event(position: int, event: Event, verdicts: Sequence[Mapping[str, Any]]) -> PlannedEvent:
    return PlannedEvent(
        position=position,
        type=event.type,
        who=_storable(event.contact.email or event.contact.name),
        verdicts=verdicts,
        remarks=event.remarks,
        begins=_short((*event.begins, *event.claims) if event.begins else ()),
        ends=_short(event.ends),
        order_key=event.order_key,
        known_as=known_as(event),
        claims=_short(event.claims),
        holds_claims=event.holds_claims,
    )


def _too_many(rules: RuleSet, event: Event, seen: Seen) -> Iterator[str]:
    """What rules with `for_each` leave out, which nobody must have to find out by counting."""
    asked = about(rules, event.source, event.type)
    for path in sorted({rule.for_each.path for rule in asked if rule.for_each}):
        count = len(seen.find(path))
        if count > MOST_MEMBERS:
            yield f"of {count:,} {path}, rules go through the first {MOST_MEMBERS:,} alone"


def _short(matters: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(short(matter) for matter in matters)


def event_id(source: str, idempotency_key: str, position: int) -> str:
    """The same for the same event, on every machine and every replay."""
    parts = (source, idempotency_key, str(position))
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:24]


def _storable(text: str | None) -> str | None:
    """PostgreSQL's texts hold no U+0000, and nobody's name is a page long."""
    return text.replace("\x00", "")[:WHO_LENGTH] if text else None
