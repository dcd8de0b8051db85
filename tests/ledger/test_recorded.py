"""Reading again what came in over a period."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import update

from bridge.ledger.database import Database
from bridge.ledger.plan import MOST_BYTES
from bridge.ledger.recorded import portions, span_since
from bridge.ledger.tables import webhooks
from tests.ledger.records import accept, arrival

BEGAN = 1_800_000_000.0
DAY = 86_400.0


def receive(database: Database, count: int) -> None:
    """One a day, numbered in the order of their keys."""
    arrivals = [
        arrival(f"key-{number:03}", at=BEGAN + DAY * number) for number in range(1, count + 1)
    ]
    accept(database, *arrivals)


def change(database: Database, number: int, **values: object) -> None:
    with database.write() as connection:
        connection.execute(update(webhooks).where(webhooks.c.number == number).values(**values))


def read(database: Database, since: float) -> list[list[int]]:
    """The numbers, portion by portion."""
    with database.read() as connection:
        span = span_since(connection, since)
    return [[each.number for each in portion.webhooks] for portion in portions(database, span)]


def test_it_is_read_in_portions_in_the_order_of_receipt(database: Database) -> None:
    receive(database, 450)
    found = read(database, 0.0)
    assert [len(each) for each in found] == [200, 200, 50]
    assert [number for some in found for number in some] == list(range(1, 451))


def test_only_what_was_received_since_then_is_read(database: Database) -> None:
    receive(database, 20)
    assert read(database, BEGAN + 10.5 * DAY) == [list(range(11, 21))]
    assert read(database, BEGAN + 11 * DAY) == [list(range(11, 21))]
    assert read(database, BEGAN + 30 * DAY) == []


def test_clocks_that_differ_by_minutes_change_nothing(database: Database) -> None:
    receive(database, 20)
    since = BEGAN + 10.5 * DAY
    change(database, 10, received_at=since + 600)
    change(database, 11, received_at=since - 600)
    assert read(database, since) == [[10, *range(12, 21)]]


def test_few_webhooks_are_looked_at_to_find_the_first(database: Database) -> None:
    receive(database, 100)
    with database.read() as connection:
        span = span_since(connection, BEGAN + 90.5 * DAY)
    assert (span.first, span.last, span.most) == (91, 100, 10)


def test_nothing_at_all_is_no_portion(database: Database) -> None:
    assert read(database, 0.0) == []


def test_what_is_missing_in_between_ends_nothing(database: Database) -> None:
    receive(database, 5)
    with database.write() as connection:
        connection.execute(webhooks.delete().where(webhooks.c.number.in_([2, 3, 5])))
    assert read(database, 0.0) == [[1, 4]]


def test_large_bodies_come_one_by_one(database: Database) -> None:
    large = b" " * (MOST_BYTES // 2 + 1)
    made = [arrival(f"key-{number}", at=BEGAN) for number in range(3)]
    accept(database, *(replace(a, webhook=replace(a.webhook, body=large)) for a in made))
    assert read(database, 0.0) == [[1], [2], [3]]


def test_what_has_no_body_or_is_kept_aside_is_counted_and_not_read(database: Database) -> None:
    receive(database, 4)
    change(database, 1, pruned_at=BEGAN, body=b"")
    change(database, 2, state="quarantined")
    change(database, 3, state="quarantined", pruned_at=BEGAN)
    with database.read() as connection:
        [portion] = portions(database, span_since(connection, 0.0))
    assert [each.number for each in portion.webhooks] == [4]
    assert (portion.pruned, portion.quarantined) == (2, 1)
