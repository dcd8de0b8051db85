"""Webhooks, plans and deliveries for the ledger's tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from bridge.event import Identity, Webhook
from bridge.ledger.accept import Acceptance, Arrival, keep
from bridge.ledger.database import Database
from bridge.ledger.plan import Plan, PlannedDelivery, PlannedEvent, record, waiting
from bridge.ledger.settle import Settlement
from bridge.ledger.tables import deliveries

LANE = "slack.post_message:#sales"


def arrival(key: str = "key-1", *, at: float = 1.0, **identity: Any) -> Arrival:
    known = {"event_type": "invoice.purchase", "fingerprint": "f1", **identity}
    body = f'{{"id": "{known["fingerprint"]}"}}'.encode()
    webhook = Webhook("showpass", body, {"content-type": "application/json"}, at)
    return Arrival(webhook, Identity(idempotency_key=key, **known))


def accept(database: Database, *arrivals: Arrival) -> list[Acceptance]:
    with database.write() as connection:
        return keep(connection, list(arrivals))


def delivery(name: str, person: str = "", **changes: Any) -> PlannedDelivery:
    values: dict[str, Any] = {
        "id": name,
        "position": 1,
        "rule": "Buyers",
        "step": 1,
        "place": 0,
        "account": "slack",
        "action": "post_message",
        "lane": LANE,
        "order_key": person,
        "item": {"text": name},
    }
    return PlannedDelivery(**values | changes)


def plan_all(database: Database, owed: Sequence[PlannedDelivery], now: float = 10.0) -> None:
    """One webhook for each delivery, in the order given."""
    accept(database, *(arrival(f"for-{each.id}") for each in owed))
    with database.write() as connection:
        numbers = [each.number for each in waiting(connection, len(owed))]
        plans = [plan(number, each) for number, each in zip(numbers, owed, strict=True)]
        record(connection, plans, now)


def plan(number: int, *owed: PlannedDelivery, replayed: bool = False) -> Plan:
    event = PlannedEvent(1, "invoice.purchase", "ana@example.com", [{"rule": "Buyers"}], [])
    return Plan(number, "routed", "v1", replayed=replayed, events=[event], deliveries=owed)


def webhook_of(connection: Connection, delivery: str) -> int:
    query = select(deliveries.c.webhook).where(deliveries.c.id == delivery)
    return int(connection.execute(query).scalar_one())


def settlement(
    connection: Connection, delivery: str, attempt: int, state: str, due_at: float, **changes: Any
) -> Settlement:
    """The end of an attempt at a delivery, wherever it is."""
    webhook = webhook_of(connection, delivery)
    values = {"outcome": state, "failures": 0, **changes}
    return Settlement(webhook, delivery, attempt, state=state, due_at=due_at, **values)
