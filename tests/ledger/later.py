"""Plans of what is done later, once, or unless something comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from bridge.engine import late
from bridge.ledger import scheduled
from bridge.ledger.database import Database
from bridge.ledger.endings import key_of
from bridge.ledger.plan import Plan, PlannedDelivery, PlannedEvent, Unless, waiting
from bridge.ledger.tables import deliveries
from tests.ledger.records import accept, arrival, delivery

PURCHASE, REFUND = "invoice.purchase", "invoice.refund"
ANA, BO = "ana@example.com", "bo@example.com"
AFTER = 1000.0


def may_repeat(owed: PlannedDelivery) -> bool:
    """What updates a contact, and no message."""
    return owed.action != "post_message"


def of_order(order: str = "T1", person: str = ANA) -> str:
    return key_of("showpass", order, person)


def of_contact(person: str = ANA) -> str:
    return key_of("", "contact", person)


def unless(*types: str, order: str = "T1", person: str = ANA) -> Unless:
    return Unless(types or (REFUND,), (of_order(order, person),))


def later(name: str, person: str = ANA, **changes: Any) -> PlannedDelivery:
    return delivery(name, person, **{"state": "scheduled", "due_at": AFTER, **changes})


def event(
    kind: str, *owed: PlannedDelivery, order: str = "T1", person: str = ANA, position: int = 1
) -> tuple[PlannedEvent, Sequence[PlannedDelivery]]:
    """A purchase begins its order, a refund ends it; both are known by order and person."""
    matters: dict[str, Any] = {"begins": [order]} if kind == PURCHASE else {}
    matters |= {"ends": [order]} if kind == REFUND else {}
    known_as = [of_order(order, person), of_contact(person)]
    made = PlannedEvent(
        position, kind, person, [], [], order_key=person, known_as=known_as, **matters
    )
    return made, [replace(each, position=position) for each in owed]


def plan(number: int, *events: Any, replayed: bool = False) -> Plan:
    owed = [each for _, some in events for each in some]
    made = [each for each, _ in events]
    return Plan(number, "routed", "v1", "showpass", None, replayed, made, owed)


def receive(database: Database, key: str, at: float = 1.0) -> int:
    """A webhook that waits; its number."""
    accept(database, arrival(key, at=at))
    with database.read() as connection:
        return max(each.number for each in waiting(connection, 10_000))


def route(database: Database, *plans: Plan, now: float = 10.0) -> None:
    """As a turn at the inbox does it."""
    with database.read() as connection:
        before = late.look(connection, plans)
    with database.write() as connection:
        late.record(connection, plans, before, may_repeat, now)


def come(
    database: Database, kind: str, *owed: PlannedDelivery, now: float = 10.0, **about: Any
) -> int:
    """One event is received and routed; its webhook's number."""
    at = about.pop("at", now)
    named = owed[0].id if owed else ""
    number = receive(database, f"{kind} {now} {named} {about}", at)
    route(database, plan(number, event(kind, *owed, **about)), now=now)
    return number


def promote(database: Database, now: float = AFTER) -> int:
    """As a tick of the clock does it."""
    with database.write() as connection:
        ids = scheduled.due(connection, now)
        return scheduled.promote(connection, ids, now, may_repeat)


def states(database: Database) -> dict[str, str]:
    with database.read() as connection:
        rows = connection.execute(select(deliveries.c.id, deliveries.c.state))
        return {row.id: row.state for row in rows}


def reason(database: Database, name: str) -> str | None:
    with database.read() as connection:
        query = select(deliveries.c.reason).where(deliveries.c.id == name)
        found: str | None = connection.execute(query).scalar_one()
    return found
