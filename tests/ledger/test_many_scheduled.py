"""However much is scheduled, nothing that is asked all the time reads it through."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from bridge.ledger import books, cancellers, lanes, occasions, prune, scheduled
from bridge.ledger.claim import Batch, claim
from bridge.ledger.database import Connection, Database
from bridge.ledger.due import due_lanes, is_due
from bridge.ledger.look_up import Filters, recent
from bridge.ledger.migrate import migrate
from bridge.ledger.plan import Once
from tests.ledger.filling import PER_EVENT, fill, schedule
from tests.ledger.later import PURCHASE, REFUND, event, may_repeat, plan, unless
from tests.ledger.records import accept, arrival, delivery
from tests.ledger.test_plans import LANE, LATER, RETENTION, Query, asked, scans
from tests.servers import PostgreSQL

EVENTS = 34_000
SCHEDULED = 33_400


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A hundred thousand are scheduled, one is due; each test rolls back what it does."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('grown') / 'ledger.db'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.make_database(f"grown_{uuid4().hex}")
    database = Database(url, keeps_time=False)
    migrate(database)
    fill(database, EVENTS)
    schedule(database, SCHEDULED, LATER - 10)
    accept(database, arrival("waits-1"))
    yield database
    database.close()


def promoted(connection: Connection) -> None:
    ids = scheduled.due(connection, LATER + 50)
    assert scheduled.promote(connection, ids, LATER + 50, may_repeat)


def called_off(connection: Connection) -> None:
    made, owed = event(REFUND)
    refund = plan(EVENTS, (made, owed))
    made = type(made)(**{**vars(made), "known_as": ["key-77"]})
    assert cancellers.call_off(connection, [plan(EVENTS, (made, owed))], LATER)
    cancellers.call_off(connection, [refund], LATER)


def decided(connection: Connection) -> None:
    owed = delivery("new", once=Once("key-77", None, "once"), unless=unless())
    plans = [plan(EVENTS + 1, event(PURCHASE, owed))]
    cancellers.came_before(connection, plans)
    occasions.keep(connection, occasions.decide(connection, plans), LATER)
    assert occasions.decide(connection, plans).plans[0].deliveries[0].state == "suppressed"


QUERIES: dict[str, Query] = {
    "claim": lambda connection: claim(connection, LANE, "turn", 100, Batch, LATER),
    "which lanes are due": lambda connection: due_lanes(connection, LATER),
    "whether a lane is due": lambda connection: is_due(connection, LANE, LATER),
    "whether the inbox is due": lambda connection: is_due(connection, lanes.INBOX, LATER),
    "what is due": lambda connection: scheduled.due(connection, LATER),
    "that nothing is due": lambda connection: scheduled.due(connection, 0.0),
    "promoting": promoted,
    "calling off": called_off,
    "what is done once": decided,
    "who did it": lambda connection: occasions.holders(connection, ["key-1", "key-2"]),
    "events": lambda connection: recent(connection, Filters(), 20),
    "pruning bodies": lambda connection: prune.empty_bodies(connection, LATER, RETENTION, 500, 50),
    "pruning records": lambda connection: prune.drop_records(connection, LATER, RETENTION, 0, 50),
    "forgetting what was done": lambda connection: occasions.forget(connection, LATER + 9, 50),
    "forgetting what is sent": lambda connection: cancellers.forget_ended(
        connection, ("key-2", ""), 50
    ),
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_large_table_is_read_from_end_to_end(grown: Database, name: str) -> None:
    assert list(scans(grown, QUERIES[name])) == []


def test_what_is_due_is_found_by_its_own_index(grown: Database) -> None:
    (statement, values), *_ = asked(grown, lambda c: scheduled.due(c, LATER))
    assert "ix_deliveries_scheduled" in plan_of(grown, statement, values)


def test_what_is_promoted_is_found_by_its_id(grown: Database) -> None:
    """However much else is due at the time, as after a clock was away."""
    _due, *by_id = asked(grown, promoted)
    assert len(by_id) > 1
    for statement, values in by_id:
        assert "ix_deliveries_scheduled" not in plan_of(grown, statement, values)


def test_so_many_are_counted_without_their_rows(grown: Database) -> None:
    (statement, values), *_ = [
        each
        for each in asked(grown, lambda c: books.delivery_states(c))
        if "state = 'scheduled'" in each[0]
    ]
    found = plan_of(grown, statement, values)
    assert "ix_deliveries_scheduled" in found
    assert "COVERING INDEX" in found or "Index Only Scan" in found
    with grown.read() as connection:
        assert books.delivery_states(connection)["scheduled"] == SCHEDULED * PER_EVENT


def plan_of(database: Database, statement: str, values: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.read() as connection:
        return str(connection.exec_driver_sql(f"{explain} {statement}", values).all())
