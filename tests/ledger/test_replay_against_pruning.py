"""A replay and pruning that meet: on PostgreSQL, where neither waits for its turn at the ledger."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from bridge.ledger import prune
from bridge.ledger.database import Connection, Database
from bridge.ledger.endings import Ending, keep
from bridge.ledger.migrate import migrate
from bridge.ledger.plan import PlannedDelivery
from bridge.ledger.replay import replay_deliveries, replay_webhook
from bridge.ledger.stories import story
from bridge.ledger.tables import deliveries, events
from tests.ledger.test_prune import DAY, RETENTION, is_right, settled
from tests.servers import PostgreSQL

Result = TypeVar("Result")
Work = Callable[[Connection], Any]
NOW = 1000 * DAY
PATIENCE = 10.0


@pytest.fixture
def ledger(postgresql: PostgreSQL) -> Iterator[Database]:
    """With one event, rejected long ago."""
    database = Database(postgresql.make_database(f"met_{uuid4().hex}"), keeps_time=False)
    migrate(database)
    settled(database, "a", "rejected", 10 * DAY)
    with database.write() as connection:
        connection.execute(update(events).values(begins=["transaction T1"]))
        connection.execute(update(deliveries).values(order_key="ana"))
    yield database
    database.close()


def replay_event(connection: Connection) -> bool:
    return replay_webhook(connection, 1)


def replay_delivery(connection: Connection) -> bool:
    return replay_deliveries(connection, ["a"], NOW, lambda _: True).sent == 1


def empty(connection: Connection) -> bool:
    return prune.empty_bodies(connection, NOW, RETENTION, 0, 100).count == 1


def drop(connection: Connection) -> bool:
    return prune.drop_records(connection, NOW, RETENTION, 0, 100).count == 1


def meet(database: Database, first: Work, second: Work) -> tuple[bool, bool]:
    """The second begins before the first has committed, and waits for it on the server."""
    with ThreadPoolExecutor(1) as threads:
        with database.write() as connection:
            done = first(connection)
            later = threads.submit(_at_once, database, second)
            _await_waiting(database, later)
        return done, later.result(PATIENCE)


def _at_once(database: Database, work: Callable[[Connection], Result]) -> Result:
    with database.write() as connection:
        return work(connection)


def _await_waiting(database: Database, later: Future[Any]) -> None:
    query = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline, tick = time.monotonic() + PATIENCE, threading.Event()
    while time.monotonic() < deadline and not later.done():
        with database.read() as connection:
            if connection.execute(query).scalar_one():
                return
        tick.wait(0.005)
    raise AssertionError("it did not wait")


def state(database: Database) -> tuple[str, str, bool] | None:
    """Of the event and its delivery, and whether the body is there; None: all is gone."""
    with database.read() as connection:
        found = story(connection, 1)
    if found is None:
        return None
    return found.state, found.events[0].deliveries[0].state, bool(found.body)


@pytest.mark.parametrize(
    ("replay", "pruning", "left"),
    [
        (replay_event, empty, ("waiting", "rejected", True)),
        (replay_event, drop, ("waiting", "rejected", True)),
        (replay_delivery, drop, ("routed", "waiting", True)),
    ],
    ids=["event-body", "event-record", "delivery-record"],
)
def test_what_is_being_replayed_is_not_pruned(
    ledger: Database, replay: Work, pruning: Work, left: tuple[str, str, bool]
) -> None:
    assert meet(ledger, replay, pruning) == (True, False)
    assert state(ledger) == left
    assert is_right(ledger)


@pytest.mark.parametrize(
    ("pruning", "replay", "left"),
    [
        (empty, replay_event, ("routed", "rejected", False)),
        (drop, replay_event, None),
        (drop, replay_delivery, None),
    ],
    ids=["body-event", "record-event", "record-delivery"],
)
def test_what_is_being_pruned_is_not_replayed(
    ledger: Database, pruning: Work, replay: Work, left: tuple[str, str, bool] | None
) -> None:
    assert meet(ledger, pruning, replay) == (True, False)
    assert state(ledger) == left
    assert is_right(ledger)


def test_pruning_comes_between_no_steps_of_a_replay(ledger: Database) -> None:
    """Else each would wait for the other, until the server ends one of them."""
    _undo(ledger)
    with ThreadPoolExecutor(1) as threads:
        pruning: list[Future[bool]] = []

        def may_repeat(_: PlannedDelivery) -> bool:
            """Asked when it waits to be sent again, before what is behind it is written down."""
            pruning.append(threads.submit(_at_once, ledger, drop))
            _await_waiting(ledger, pruning[0])
            return True

        with ledger.write() as connection:
            again = replay_deliveries(connection, ["a"], NOW, may_repeat)
        assert not pruning[0].result(PATIENCE)
    assert (again.sent, again.behind) == (1, 1)
    assert state(ledger) == ("routed", "waiting", True)


def _undo(ledger: Database) -> None:
    """By a second event, of today."""
    settled(ledger, "b", "delivered", NOW)
    with ledger.write() as connection:
        connection.execute(update(deliveries).values(order_key="ana"))
        ended = Ending("showpass", (2, 1), "ana", ["transaction T1"])
        keep(connection, [ended], NOW)


def test_a_delivery_whose_body_goes_meanwhile_is_sent_again(ledger: Database) -> None:
    """It needs none: it was filled in."""
    with ledger.write() as connection:
        assert replay_delivery(connection)
        assert _at_once(ledger, empty)
    assert state(ledger) == ("routed", "waiting", False)
