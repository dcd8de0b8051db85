"""The story of one webhook, for a program: what `showbridge event --json` prints."""

from __future__ import annotations

from typing import Any

from bridge.cli.bodies import shown_body
from bridge.cli.calls import attempt_seconds, requests_of
from bridge.cli.json_lines import iso
from bridge.cli.story import NO_VERSIONS, Versions, verified
from bridge.config import Config
from bridge.ledger.stories import AttemptRecord, DeliveryRecord, EventRecord, Story


def story_object(
    story: Story, config: Config, *, body: bool = False, versions: Versions = NO_VERSIONS
) -> dict[str, Any]:
    """Plain data; times in ISO 8601 and UTC. The body only where it was asked for."""
    told = {
        "id": str(story.number),
        "source": story.source,
        "type": story.type,
        "idempotency_key": story.idempotency_key,
        "received_at": iso(story.received_at),
        "verified": verified(story, config),
        "headers": dict(story.headers),
        "state": story.state,
        "reason": story.reason,
        "events": [_event(event, config, versions) for event in story.events],
        "more_events": max(0, story.events_in_all - len(story.events)),
    }
    return told | {"body": shown_body(story.body)} if body else told


def _event(event: EventRecord, config: Config, versions: Versions) -> dict[str, Any]:
    rules = versions.get(event.rules_version)
    return {
        "id": event.id,
        "type": event.type,
        "who": event.who,
        "remarks": list(event.remarks),
        "rules_version": event.rules_version,
        "rules_in_version": len(rules.rules) if rules else None,
        "routed_at": iso(event.routed_at),
        "verdicts": [dict(verdict) for verdict in event.verdicts],
        "deliveries": [_delivery(delivery, config) for delivery in event.deliveries],
        "more_deliveries": event.more,
    }


def _delivery(delivery: DeliveryRecord, config: Config) -> dict[str, Any]:
    requests = requests_of(delivery, config)
    return {
        "id": delivery.id,
        "rule": delivery.rule,
        "step": delivery.step,
        "account": delivery.account,
        "action": delivery.action,
        "lane": delivery.lane,
        "state": delivery.state,
        "reason": delivery.reason,
        "reference": delivery.reference,
        "link": delivery.link,
        "planned_at": iso(delivery.planned_at),
        "due_at": iso(delivery.due_at) if delivery.state in ("waiting", "scheduled") else None,
        "settled_at": iso(delivery.settled_at),
        "item": dict(delivery.item),
        "requests": None if requests is None else requests.tense,
        "calls": [] if requests is None else [dict(call) for call in requests.calls],
        "attempts": [_attempt(attempt) for attempt in delivery.attempts],
    }


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started_at": iso(attempt.started_at),
        "seconds": attempt_seconds(attempt),
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "calls": [dict(call) for call in attempt.calls],
    }
