"""No query that is asked all the time reads a table from end to end, however large it grows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event

from bridge.ledger import books, lanes, prune
from bridge.ledger.claim import Batch, claim, recover
from bridge.ledger.database import Connection, Database
from bridge.ledger.due import due_lanes, in_hand, is_due
from bridge.ledger.look_up import Filters, recent
from bridge.ledger.migrate import migrate
from bridge.ledger.plan import record, waiting
from bridge.ledger.replay import delivery_ids, replay_webhook
from bridge.ledger.settle import Settlement, settle
from bridge.ledger.stories import story
from bridge.settings import RetentionConfig
from tests.ledger.filling import BEGAN, fill
from tests.ledger.records import accept, arrival, delivery, plan
from tests.servers import PostgreSQL

EVENTS = 20_000
LANE = "slack.post_message:#1"
LATER = BEGAN + 1e9
RETENTION = RetentionConfig()
LARGE = ("webhooks", "events", "deliveries", "attempts")

Query = Callable[[Connection], Any]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A ledger with a past, which the tests only look at: each rolls back what it does."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('grown') / 'ledger.db'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.make_database(f"grown_{uuid4().hex}")
    database = Database(url, keeps_time=False)
    migrate(database)
    fill(database, EVENTS)
    accept(database, arrival("waits-1"), arrival("waits-2", quarantine="stale-timestamp"))
    yield database
    database.close()


def asked(database: Database, query: Query) -> list[tuple[str, Any]]:
    """The statements that it sends, each with its parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, _m: bool) -> None:
        # Of many rows the first is like all others.
        sent.append((statement, values[0] if isinstance(values, list) else values))

    event.listen(database._engine, "before_cursor_execute", note)
    try:
        with database.write() as connection, connection.begin_nested() as undone:
            query(connection)
            undone.rollback()
    finally:
        event.remove(database._engine, "before_cursor_execute", note)
    return [each for each in sent if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH|INSERT)", each[0])]


def scans(database: Database, query: Query) -> Iterator[str]:
    """Each step of a plan that reads one of the large tables, or sorts it, from end to end."""
    statements = asked(database, query)
    assert statements
    with database.read() as connection:
        for statement, values in statements:
            found = _sqlite if database.is_sqlite else _postgresql
            yield from (f"{step}  <-  {statement}" for step in found(connection, statement, values))


def _sqlite(connection: Connection, statement: str, values: Any) -> Iterator[str]:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    steps = [row[3] for row in rows]
    sorts = any("TEMP B-TREE FOR ORDER BY" in step for step in steps)
    for step in steps:
        read = re.match(r"SCAN (?!.*CONSTANT ROW)(\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
        # In the order of their numbers, of which the limit takes the first few.
        in_order = "LIMIT" in statement and "WHERE" not in statement and not sorts
        if read and read[1] not in SMALL_TABLES and not (in_order or read[2] in SMALL):
            yield step


SMALL_TABLES = ("lanes", "accounts", "alerts", "tallies")
SMALL = ("ix_webhooks_waiting", "ix_deliveries_open", "ix_deliveries_order")


def _postgresql(connection: Connection, statement: str, values: Any) -> Iterator[str]:
    for (line,) in connection.exec_driver_sql(f"EXPLAIN {statement}", values):
        read = re.search(r"Seq Scan on (\w+)", line)
        if read and read[1] in LARGE:
            yield line


def routed(connection: Connection) -> None:
    record(connection, [plan(EVENTS + 1, delivery("new"))], LATER)


def settled(connection: Connection) -> None:
    taken = claim(connection, LANE, "turn", 100, Batch, LATER).deliveries
    assert taken
    ends = [
        Settlement(each.webhook, each.id, each.attempt, "delivered", "delivered", LATER, 0)
        for each in taken
    ]
    settle(connection, ends, "turn", LATER)


def recovered(connection: Connection) -> None:
    assert claim(connection, LANE, "turn", 100, Batch, LATER).deliveries
    assert recover(connection, LANE, 12, 10.0, LATER)


def accepted(connection: Connection) -> None:
    from bridge.ledger.accept import keep

    keep(connection, [arrival("new"), arrival("fill-77", fingerprint="another")])


def listed(**filters: Any) -> Query:
    return lambda connection: recent(connection, Filters(**filters), 20)


QUERIES: dict[str, Query] = {
    "accept": accepted,
    "what waits to be routed": lambda connection: waiting(connection, 100),
    "routing": routed,
    "claim and settle": settled,
    "which lanes are due": lambda connection: due_lanes(connection, LATER),
    "whether a lane is due": lambda connection: is_due(connection, LANE, LATER),
    "whether the inbox is due": lambda connection: is_due(connection, lanes.INBOX, LATER),
    "what a dead worker had in hand": recovered,
    "a delivery by the beginning of its id": lambda connection: delivery_ids(connection, 77, "77_"),
    "what is in hand": lambda connection: in_hand(connection, LANE),
    "events": listed(),
    "events that follow": listed(after=EVENTS - 10),
    "events that wait": listed(state="waiting"),
    "events kept aside": listed(state="quarantined"),
    "events with dead letters": listed(state="dead"),
    "events with deliveries": listed(state="delivered"),
    "events being sent": listed(state="sending"),
    "event": lambda connection: story(connection, EVENTS // 2),
    "replay": lambda connection: replay_webhook(connection, EVENTS // 2),
    "pruning bodies": lambda connection: prune.empty_bodies(connection, LATER, RETENTION, 500, 50),
    "pruning records": lambda connection: prune.drop_records(connection, LATER, RETENTION, 500, 50),
    "how many there are": books.stored_webhooks,
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_large_table_is_read_from_end_to_end(grown: Database, name: str) -> None:
    assert list(scans(grown, QUERIES[name])) == []


def test_a_scan_would_be_noticed(grown: Database) -> None:
    def search(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT number FROM webhooks WHERE fingerprint = 'x'").all()

    assert list(scans(grown, search))


@pytest.mark.parametrize("who", ["person-777@example.com", "nobody@example.com"])
def test_a_search_ends_somewhere(grown: Database, who: str) -> None:
    """It goes through webhooks one by one, of which a bound takes the newest."""
    (statement, *_), *_ = (
        each for each in asked(grown, listed(who=who)) if "LIKE" in each[0].upper()
    )
    assert re.search(r"webhooks\.number > ", statement)
    with grown.read() as connection:
        everything = recent(connection, Filters(who=who), None)
        assert recent(connection, Filters(who=who), 1) == everything[:1]


@pytest.mark.parametrize("state", ["routed", "delivered"])
def test_a_source_of_which_nothing_is_in_the_state_takes_few_steps(
    grown: Database, state: str
) -> None:
    """Pages of those that are in the state, and not the source's, are else thousands."""
    statements = asked(grown, listed(state=state, source="nothing-of-it"))
    assert len(statements) < 2 * EVENTS / 500 + 20


def test_what_is_being_sent_is_found_by_what_is_open(grown: Database) -> None:
    """And not in the order of all deliveries there ever were."""
    statements = [each for each in asked(grown, listed(state="sending")) if "'waiting'" in each[0]]
    ((statement, values),) = statements
    explain = "EXPLAIN QUERY PLAN" if grown.is_sqlite else "EXPLAIN"
    with grown.read() as connection:
        found = str(connection.exec_driver_sql(f"{explain} {statement}", values).all())
    assert re.search(r"ix_deliveries_(open|order)", found), found
