"""Whoever was taken off a list after they agreed is sent nothing on that yes any more."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from bridge.ledger.books import books
from bridge.ledger.consents import of_person
from bridge.ledger.database import Database
from bridge.ledger.plan import Once, PlannedConsent, PlannedDelivery
from bridge.ledger.replay import replay_deliveries, replay_webhook
from bridge.ledger.tables import deliveries
from tests.ledger.later import (
    ANA,
    BO,
    PURCHASE,
    come,
    event,
    later,
    may_repeat,
    plan,
    promote,
    reason,
    route,
    states,
    unless,
)
from tests.ledger.records import delivery

TRANSFER = "invoice.transfer"
TOLD = "no consent any more: event 2 took the person off a list"


def on(name: str = "on", address: str = ANA, **changes: Any) -> PlannedDelivery:
    """For later, in an account where nobody can be taken off a list."""
    said = PlannedConsent(address, "mail", True, None)
    return later(name, address, consent=said, account="email", **changes)


def off(name: str = "off", address: str = ANA, **changes: Any) -> PlannedDelivery:
    return delivery(
        name, address, consent=PlannedConsent(address, "unsubscribe", None, None), **changes
    )


def send_again(database: Database, *names: str) -> int:
    with database.write() as connection:
        return replay_deliveries(connection, names, 40.0, may_repeat).sent


def ended(database: Database, name: str, state: str) -> None:
    with database.write() as connection:
        values = {"state": state, "attempts": 1, "settled_at": 15.0}
        connection.execute(update(deliveries).where(deliveries.c.id == name).values(values))


def test_what_is_scheduled_is_called_off(database: Database) -> None:
    come(database, PURCHASE, on())
    come(database, TRANSFER, off(), now=20.0)
    assert states(database) == {"on": "suppressed", "off": "waiting"}
    assert reason(database, "on") == TOLD
    assert promote(database) == 0
    with database.read() as connection:
        assert books(connection).are_balanced
        assert [each.outcome for each in of_person(connection, ANA)] == ["suppressed", "waiting"]


def test_so_is_what_waits(database: Database) -> None:
    come(database, PURCHASE, on(state="waiting"))
    come(database, TRANSFER, off(), now=20.0)
    assert states(database) == {"on": "suppressed", "off": "waiting"}


def test_what_may_have_been_sent_is_looked_for(database: Database) -> None:
    come(database, PURCHASE, on(state="waiting"))
    with database.write() as connection:
        connection.execute(update(deliveries).values(uncertain=True))
    come(database, TRANSFER, off(), now=20.0)
    assert states(database) == {"on": "waiting", "off": "waiting"}


def test_others_keep_theirs(database: Database) -> None:
    come(database, PURCHASE, on(), delivery("receipt", ANA, place=1))
    come(database, PURCHASE, on("bo", BO), person=BO)
    come(database, TRANSFER, off(), now=20.0)
    assert states(database)["bo"] == "scheduled"
    assert states(database)["receipt"] == "waiting"


def test_a_later_yes_counts(database: Database) -> None:
    come(database, PURCHASE, on())
    come(database, TRANSFER, off(), now=20.0)
    number = come(database, PURCHASE, on("again"), now=30.0)
    assert states(database) == {"on": "suppressed", "off": "waiting", "again": "scheduled"}
    replay(database, number, on("again"))
    assert states(database)["again"] == "scheduled"


def test_who_is_to_be_taken_off_later_agrees_until_then(database: Database) -> None:
    come(database, PURCHASE, on(due_at=2000.0))
    come(database, TRANSFER, off(state="scheduled", due_at=500.0), now=20.0)
    assert states(database) == {"on": "scheduled", "off": "scheduled"}
    promote(database, 500.0)
    assert states(database) == {"on": "suppressed", "off": "waiting"}


def test_being_taken_off_may_be_called_off_itself(database: Database) -> None:
    come(database, PURCHASE, on())
    come(database, TRANSFER, off(state="scheduled", due_at=500.0, unless=unless()), now=20.0)
    come(database, "invoice.refund", now=30.0)
    replay(database, 1, on())
    assert states(database) == {"on": "scheduled", "off": "suppressed"}


def test_a_replay_of_the_event_asks_in_vain(database: Database) -> None:
    come(database, PURCHASE, on(state="waiting"))
    ended(database, "on", "dead")
    come(database, TRANSFER, off(), now=20.0)
    replay(database, 1, on())
    assert (states(database)["on"], reason(database, "on")) == ("suppressed", TOLD)


def test_so_does_sending_the_delivery_again(database: Database) -> None:
    come(database, PURCHASE, on(state="waiting"), delivery("receipt", ANA, place=1))
    ended(database, "on", "dead")
    ended(database, "receipt", "dead")
    come(database, TRANSFER, off(), now=20.0)
    assert send_again(database, "on", "receipt") == 1
    assert states(database) == {"on": "suppressed", "receipt": "waiting", "off": "waiting"}


def test_what_arrived_stays(database: Database) -> None:
    come(database, PURCHASE, on(state="waiting"))
    ended(database, "on", "delivered")
    come(database, TRANSFER, off(), now=20.0)
    replay(database, 1, on())
    assert send_again(database, "on") == 0
    assert states(database)["on"] == "delivered"


def test_another_event_does_once_what_was_called_off(database: Database) -> None:
    once = Once("ana", None, "once per contact")
    come(database, PURCHASE, on(once=once))
    come(database, TRANSFER, off(), now=20.0)
    come(database, PURCHASE, on("again", once=once), now=30.0)
    assert states(database)["again"] == "scheduled"


def replay(database: Database, number: int, *owed: PlannedDelivery) -> None:
    with database.write() as connection:
        assert replay_webhook(connection, number)
    route(database, plan(number, event(PURCHASE, *owed), replayed=True), now=40.0)
