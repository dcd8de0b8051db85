"""The whole story of one webhook: its events, what is owed for them, and each attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from bridge.ledger.bodies import body_of
from bridge.ledger.tables import attempts, deliveries, events, webhooks


@dataclass(frozen=True)
class AttemptRecord:
    number: int
    started_at: float
    finished_at: float | None
    outcome: str
    reason: str | None
    calls: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class DeliveryRecord:
    """A delivery with its attempts; `item` is the filled-in step, `due_at` of one to come."""

    id: str
    position: int
    rule: str
    step: int
    account: str
    action: str
    lane: str
    item: Mapping[str, Any]
    state: str
    due_at: float
    reason: str | None
    reference: str | None
    link: str | None
    planned_at: float
    settled_at: float | None
    attempts: Sequence[AttemptRecord]


@dataclass(frozen=True)
class EventRecord:
    """One event as it was routed; `verdicts` say for each rule why or why not."""

    id: str
    position: int
    type: str
    who: str | None
    verdicts: Sequence[Mapping[str, Any]]
    remarks: Sequence[str]
    rules_version: str
    routed_at: float
    deliveries: Sequence[DeliveryRecord]


@dataclass(frozen=True)
class Story:
    """Everything about one webhook. The body is as received."""

    number: int
    source: str
    type: str
    idempotency_key: str
    received_at: float
    headers: Mapping[str, str]
    body: bytes
    state: str
    reason: str | None
    events: Sequence[EventRecord]


def event_id(webhook: int, position: int) -> str:
    """`1042`, and `1042-2` for the second event of webhook 1042."""
    return str(webhook) if position == 1 else f"{webhook}-{position}"


def webhook_number(event: str) -> int | None:
    """The webhook of an event's id; None where it is no such id."""
    digits = event.partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def story(connection: Connection, number: int) -> Story | None:
    """Everything that the ledger has on one webhook; None where there is no such number."""
    query = select(webhooks).where(webhooks.c.number == number)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Story(
        number=number,
        source=row["source"],
        type=row["event_type"],
        idempotency_key=row["idempotency_key"],
        received_at=row["received_at"],
        headers=row["headers"],
        body=body_of(row),
        state=row["state"],
        reason=row["reason"],
        events=_events(connection, number),
    )


def _events(connection: Connection, number: int) -> list[EventRecord]:
    query = select(events).where(events.c.webhook == number).order_by(events.c.position)
    owed = _deliveries(connection, number)
    return [
        EventRecord(
            id=event_id(number, row["position"]),
            position=row["position"],
            type=row["type"],
            who=row["who"],
            verdicts=row["verdicts"],
            remarks=row["remarks"],
            rules_version=row["rules_version"],
            routed_at=row["routed_at"],
            deliveries=[each for each in owed if each.position == row["position"]],
        )
        for row in connection.execute(query).mappings()
    ]


def _deliveries(connection: Connection, number: int) -> list[DeliveryRecord]:
    query = (
        select(deliveries)
        .where(deliveries.c.webhook == number)
        .order_by(deliveries.c.position, deliveries.c.place)
    )
    rows = connection.execute(query).mappings().all()
    tries = _attempts(connection, number)
    return [_delivery(row, tries.get(row["id"], [])) for row in rows]


def _delivery(row: Mapping[Any, Any], tries: Sequence[AttemptRecord]) -> DeliveryRecord:
    names = DeliveryRecord.__dataclass_fields__.keys() - {"attempts"}
    return DeliveryRecord(**{name: row[name] for name in names}, attempts=tries)


def _attempts(connection: Connection, number: int) -> dict[str, list[AttemptRecord]]:
    query = (
        select(attempts)
        .where(attempts.c.webhook == number)
        .order_by(attempts.c.delivery, attempts.c.number)
    )
    found: dict[str, list[AttemptRecord]] = {}
    for row in connection.execute(query).mappings():
        names = AttemptRecord.__dataclass_fields__
        record = AttemptRecord(**{name: row[name] for name in names})
        found.setdefault(row["delivery"], []).append(record)
    return found
