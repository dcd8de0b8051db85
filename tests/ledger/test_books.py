"""The books balance at any moment, and show it where somebody tampers."""

from __future__ import annotations

import multiprocessing

import pytest
from sqlalchemy import delete, func, insert, select, update

from bridge.ledger import books
from bridge.ledger.accept import Acceptor
from bridge.ledger.books import ACKNOWLEDGED, Books, tally
from bridge.ledger.database import Database
from bridge.ledger.plan import record
from bridge.ledger.tables import deliveries, tallies, webhooks
from tests.ledger.records import accept, arrival, delivery, plan, plan_all


def balance(database: Database) -> Books:
    with database.snapshot() as connection:
        return books.books(connection)


def route(database: Database, number: int, *names: str, replayed: bool = False) -> None:
    owed = [delivery(name, place=place) for place, name in enumerate(names)]
    with database.write() as connection:
        record(connection, [plan(number, *owed, replayed=replayed)], 10.0)


def test_an_empty_ledger_is_balanced(database: Database) -> None:
    assert balance(database).are_balanced


def test_redeliveries_are_not_counted_again(database: Database) -> None:
    accept(database, arrival("a"), arrival("a"), arrival("b"))
    accept(database, arrival("a"), arrival("c", quarantine="stale-timestamp"))
    found = balance(database)
    assert found.webhooks.counted == 3
    assert found.webhooks.states == {"waiting": 2, "quarantined": 1}
    assert found.are_balanced


def test_deliveries_are_counted_once_however_often_they_are_planned(database: Database) -> None:
    accept(database, arrival())
    route(database, 1, "a", "b")
    route(database, 1, "a", "b", "c")
    assert balance(database).deliveries.counted == 3
    assert balance(database).are_balanced


def test_a_replay_counts_only_what_it_adds(database: Database) -> None:
    accept(database, arrival())
    route(database, 1, "a", "b")
    with database.write() as connection:
        connection.execute(update(deliveries).values(state="dead", settled_at=11.0))
    route(database, 1, "a", "b", "c", replayed=True)
    found = balance(database)
    assert found.deliveries.counted == 3
    assert found.deliveries.states == {"waiting": 3}
    assert found.are_balanced


def test_a_webhook_that_vanished_shows(database: Database) -> None:
    accept(database, arrival("a"), arrival("b"))
    with database.write() as connection:
        connection.execute(delete(webhooks).where(webhooks.c.number == 1))
    assert balance(database).webhooks.difference == -1
    assert not balance(database).are_balanced


def test_a_delivery_that_nobody_planned_shows(database: Database) -> None:
    plan_all(database, [delivery("a")])
    with database.write() as connection:
        row = dict(connection.execute(select(deliveries)).mappings().one())
        connection.execute(insert(deliveries).values(row | {"id": "forged"}))
    assert balance(database).deliveries.difference == 1
    assert not balance(database).are_balanced


def test_a_state_that_nobody_knows_shows(database: Database) -> None:
    accept(database, arrival())
    with database.write() as connection:
        connection.execute(update(webhooks).values(state="lost"))
    found = balance(database)
    assert (found.webhooks.difference, found.webhooks.astray) == (0, 1)
    assert not found.are_balanced


def test_what_is_rolled_back_is_not_counted(database: Database) -> None:
    def interrupted() -> None:
        with database.write() as connection:
            tally(connection, ACKNOWLEDGED, 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert balance(database).are_balanced


def test_one_snapshot_sees_nothing_of_what_comes_meanwhile(database: Database) -> None:
    accept(database, arrival("a"))
    with database.snapshot() as connection:
        assert books.books(connection).webhooks.stored == 1
        accept(database, arrival("b"))
        assert books.books(connection).webhooks.stored == 1
    assert balance(database).webhooks.stored == 2


def _accept(url: str) -> None:
    database = Database(url)
    Acceptor(database).accept(arrival(multiprocessing.current_process().name))
    database.close()


def test_each_process_counts_in_a_row_of_its_own(database: Database, database_url: str) -> None:
    accept(database, arrival("ours"))
    # Also one that is a copy of a process which has counted already.
    forking = multiprocessing.get_context("fork")
    processes = [forking.Process(target=_accept, args=(database_url,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    with database.read() as connection:
        writers = select(tallies.c.writer).where(tallies.c.name == ACKNOWLEDGED)
        assert len(connection.execute(writers).all()) == 3
    assert balance(database).webhooks.counted == 3


def test_the_counts_of_many_processes_are_folded_into_one(database: Database) -> None:
    with database.write() as connection:
        rows = [{"name": ACKNOWLEDGED, "writer": f"gone-{n}", "count": n} for n in range(150)]
        connection.execute(insert(tallies), rows)
        for _ in range(2):
            books.fold(connection)
        assert books.counted(connection) == {ACKNOWLEDGED: sum(range(150))}
        assert connection.execute(select(func.count()).select_from(tallies)).scalar_one() == 1
    accept(database, arrival())
    assert balance(database).webhooks.counted == sum(range(150)) + 1


def test_few_processes_keep_their_rows(database: Database) -> None:
    accept(database, arrival())
    with database.write() as connection:
        books.fold(connection)
        assert connection.execute(select(tallies.c.writer)).scalar_one() != "all"
