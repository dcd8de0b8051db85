"""Finding the events of one person, on both kinds of database."""

from __future__ import annotations

from dataclasses import replace

from bridge.ledger.database import Database
from bridge.ledger.persons import Found, events_of
from bridge.ledger.plan import PlannedDelivery, PlannedEvent, record, waiting
from tests.ledger.records import accept, arrival, delivery, plan

ANA, BO = "ana@example.com", "bo@example.com"


def route(database: Database, *events: tuple[str | None, str]) -> None:
    """Who each webhook is about, and what is sent for it."""
    accept(database, *(arrival(f"key-{number}") for number in range(len(events))))
    with database.write() as connection:
        numbers = [each.number for each in waiting(connection, 100)]
        for number, (who, text) in zip(numbers, events, strict=True):
            owed: PlannedDelivery = delivery(f"d{number}", item={"text": text})
            event = PlannedEvent(1, "invoice.purchase", who, [], [])
            record(connection, [replace(plan(number, owed), events=[event])], 10.0)


def found(database: Database, address: str, limit: int = 10, searched: int | None = 100) -> Found:
    with database.read() as connection:
        return events_of(connection, address, limit, searched)


def test_events_about_the_person_in_order_whatever_the_case(database: Database) -> None:
    route(database, (ANA, "x"), (BO, "x"), ("Ana@Example.com", "x"), (None, "x"))
    assert found(database, "ANA@example.com ") == Found(((1, 1), (3, 1)), bounded=False)


def test_a_longer_address_is_somebody_else(database: Database) -> None:
    route(database, (f"xx{ANA}", "x"), (f"{ANA}.org", "x"))
    assert found(database, ANA).places == ()


def test_events_for_which_something_was_sent_with_the_address(database: Database) -> None:
    route(database, (BO, f"cc {ANA}"), (ANA, f"to {ANA}"), (BO, "x"))
    assert found(database, ANA).places == ((1, 1), (2, 1))


def test_what_is_special_in_a_search_is_just_a_character(database: Database) -> None:
    route(database, (BO, "aXa@example.com"))
    assert found(database, "a_a@example.com").places == ()
    assert found(database, "%@example.com").places == ()


def test_the_newest_so_many_and_that_there_are_more(database: Database) -> None:
    route(database, *[(ANA, "x")] * 5)
    assert found(database, ANA, limit=2) == Found(((4, 1), (5, 1)), bounded=True)
    assert found(database, ANA, limit=5) == Found(tuple((n, 1) for n in range(1, 6)), bounded=False)


def test_only_the_newest_webhooks_are_looked_at_unless_all_are_asked_for(
    database: Database,
) -> None:
    route(database, *[(ANA, "x")] * 5)
    assert found(database, ANA, searched=2) == Found(((4, 1), (5, 1)), bounded=True)
    assert len(found(database, ANA, searched=None).places) == 5


def test_an_empty_ledger_knows_nobody(database: Database) -> None:
    assert found(database, ANA) == Found((), bounded=False)
