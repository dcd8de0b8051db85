"""The whole story of one webhook: its events, what is owed for them, and each attempt.

Or the first part of it, since one webhook may come to thousands of deliveries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from bridge.ledger.bodies import body_of
from bridge.ledger.endings import portions
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
    """One event as it was routed; `verdicts` say for each rule why or why not.

    `states` counts all its deliveries by state, those among them that were not asked for.
    """

    id: str
    position: int
    type: str
    who: str | None
    verdicts: Sequence[Mapping[str, Any]]
    remarks: Sequence[str]
    rules_version: str
    routed_at: float
    deliveries: Sequence[DeliveryRecord]
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def more(self) -> int:
        """How many deliveries it has besides these."""
        return max(0, sum(self.states.values()) - len(self.deliveries))


@dataclass(frozen=True)
class Story:
    """Everything about one webhook. The body is as received.

    `events_in_all` counts its events, those among them that were not asked for.
    """

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
    events_in_all: int = 0


@dataclass(frozen=True)
class Part:
    """How much of a story is read: one event of it, the first `limit` events and deliveries.

    Not `with_contents`: without what was filled in, what was sent, and the body.
    """

    position: int | None = None
    limit: int | None = None
    with_contents: bool = True


WHOLE = Part()


def event_id(webhook: int, position: int) -> str:
    """`1042`, and `1042-2` for the second event of webhook 1042."""
    return str(webhook) if position == 1 else f"{webhook}-{position}"


def webhook_number(event: str) -> int | None:
    """The webhook of an event's id; None where it is no such id."""
    digits = event.partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def story(connection: Connection, number: int, part: Part = WHOLE) -> Story | None:
    """What the ledger has on one webhook; None where there is no such number."""
    body = [webhooks.c.body, webhooks.c.received_bytes] if part.with_contents else []
    query = select(*_RECEIPT, *body).where(webhooks.c.number == number)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    count = select(func.count()).select_from(events).where(events.c.webhook == number)
    return Story(
        number=number,
        source=row["source"],
        type=row["event_type"],
        idempotency_key=row["idempotency_key"],
        received_at=row["received_at"],
        headers=row["headers"],
        body=body_of(row) if part.with_contents else b"",
        state=row["state"],
        reason=row["reason"],
        events=_events(connection, number, part),
        events_in_all=connection.execute(count).scalar_one(),
    )


_RECEIPT = (
    *(webhooks.c.source, webhooks.c.event_type, webhooks.c.idempotency_key),
    *(webhooks.c.received_at, webhooks.c.headers, webhooks.c.state, webhooks.c.reason),
)


def _events(connection: Connection, number: int, part: Part) -> list[EventRecord]:
    query = select(events).where(events.c.webhook == number).order_by(events.c.position)
    if part.position is not None:
        query = query.where(events.c.position == part.position)
    rows = connection.execute(query.limit(part.limit)).mappings().all()
    owed = _deliveries(connection, number, part)
    states = _states(connection, number)
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
            states=states.get(row["position"], {}),
        )
        for row in rows
    ]


def _states(connection: Connection, number: int) -> dict[int, dict[str, int]]:
    by = (deliveries.c.position, deliveries.c.state)
    query = select(*by, func.count()).where(deliveries.c.webhook == number).group_by(*by)
    found: dict[int, dict[str, int]] = {}
    for position, state, count in connection.execute(query):
        found.setdefault(position, {})[state] = count
    return found


def _deliveries(connection: Connection, number: int, part: Part) -> list[DeliveryRecord]:
    names = set(DeliveryRecord.__dataclass_fields__) - {"attempts", "item"}
    contents = ["item"] if part.with_contents else []
    query = (
        select(*(deliveries.c[name] for name in sorted([*names, *contents])))
        .where(deliveries.c.webhook == number)
        .order_by(deliveries.c.position, deliveries.c.place)
        .limit(part.limit)
    )
    if part.position is not None:
        query = query.where(deliveries.c.position == part.position)
    rows = connection.execute(query).mappings().all()
    tries = _attempts(connection, number, [row["id"] for row in rows], part)
    return [
        DeliveryRecord(**{"item": {}, **row}, attempts=tries.get(row["id"], [])) for row in rows
    ]


def _attempts(
    connection: Connection, number: int, ids: Sequence[str], part: Part
) -> dict[str, list[AttemptRecord]]:
    """Of these deliveries."""
    names = set(AttemptRecord.__dataclass_fields__) - {"calls"}
    contents = ["calls"] if part.with_contents else []
    wanted = [attempts.c[name] for name in sorted([*names, *contents])]
    found: dict[str, list[AttemptRecord]] = {}
    for some in portions(ids):
        query = (
            select(attempts.c.delivery, *wanted)
            .where(attempts.c.webhook == number, attempts.c.delivery.in_(some))
            .order_by(attempts.c.delivery, attempts.c.number)
        )
        for row in connection.execute(query).mappings():
            values = {name: row[name] for name in (*names, *contents)}
            record = AttemptRecord(**{"calls": (), **values})
            found.setdefault(row["delivery"], []).append(record)
    return found
