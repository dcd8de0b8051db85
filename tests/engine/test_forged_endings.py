"""Whoever can forge refunds: other people's late purchases end as they must, and as fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from bridge.engine import late
from bridge.ledger import endings, tables
from bridge.ledger.database import Database
from bridge.ledger.endings import MOST_ENDINGS, Ending
from bridge.ledger.plan import Plan, PlannedEvent
from tests.engine import test_endings, test_turns
from tests.engine.test_endings import TOLD, receive, remarks, work
from tests.engine.test_turns import Engine
from tests.ledger.records import accept, arrival

FORGED = 10_000
LATER = 1_000_000
MATTER = "transaction T1"

engine = test_turns.engine
bench = test_endings.bench


def forge(database: Database) -> None:
    """As many refunds of one transaction, all later, each in another person's name."""
    persons = [f"person-{number}@example.com" for number in range(FORGED)]
    rows = [
        {
            "known_by": endings.key_of("showpass", MATTER, person),
            "webhook": LATER + number,
            "position": 1,
            "known_since": 1.0,
        }
        for number, person in enumerate(persons)
    ]
    with database.write() as connection:
        connection.execute(insert(tables.endings), rows)
        last = Ending("showpass", (LATER + FORGED, 1), "last@example.com", [MATTER])
        endings.keep(connection, [last], 1.0)
        connection.execute(text("ANALYZE endings"))


def test_forged_endings_of_others_do_not_displace_the_genuine_one(bench: Engine) -> None:
    receive(bench, "refund", "T1")
    work(bench)
    forge(bench.database)
    receive(bench, "purchase", "T1")
    assert work(bench) == ["T1 refunded", "T1 bought", "T1 refunded"]
    assert f"{TOLD} 1: " in remarks(bench, 2)


def test_others_endings_alone_repeat_nothing_and_the_story_names_the_last(bench: Engine) -> None:
    forge(bench.database)
    receive(bench, "purchase", "T1")
    assert work(bench) == ["T1 bought"]
    assert f"{TOLD} {LATER + FORGED}: " in remarks(bench, 1)


def purchase(number: int = 1) -> Plan:
    begun = PlannedEvent(
        1, "invoice.purchase", None, [], [], begins=[MATTER], order_key="ana@example.com"
    )
    return Plan(number, "unrouted", "v", "showpass", events=[begun])


@contextmanager
def asked(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent meanwhile, each with its parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        sent.append((statement, values))

    event.listen(database._engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database._engine, "before_cursor_execute", note)


def test_forged_endings_of_others_are_not_even_read(database: Database) -> None:
    forge(database)
    with asked(database) as sent, database.read() as connection:
        late.look(connection, [purchase()])
    (claims, ends) = [each for each in sent if "endings" in each[0]]
    # What is anybody's last, and nothing else.
    for (statement, values), count in ((claims, 0), (ends, 1)):
        with database.read() as connection:
            assert len(connection.exec_driver_sql(statement, values).all()) == count
            words = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN ANALYZE"
            rows = connection.exec_driver_sql(f"{words} {statement}", values).all()
        reads_by_key(database, "\n".join(str(row[-1]) for row in rows))


def reads_by_key(database: Database, plan: str) -> None:
    if database.is_sqlite:
        assert "SEARCH endings USING" in plan
        assert "(known_by=?)" in plan
    else:
        assert "Index Cond: (known_by = ANY" in plan
        assert "pk_endings" in plan
        assert "Removed by Filter" not in plan


def test_of_one_person_s_matter_only_the_newest_endings_are_kept(database: Database) -> None:
    numbers = range(1, 2 * MOST_ENDINGS)
    with database.write() as connection:
        for number in numbers:
            ended = Ending("showpass", (number, 1), "ana@example.com", [MATTER])
            endings.keep(connection, [ended], 1.0)
        keys = [*ended.keys, *ended.keys_of_anybody]
        found = endings.known(connection, keys)
    newest = [(number, 1) for number in numbers][-MOST_ENDINGS:]
    assert found == {keys[0]: newest, keys[1]: newest[-1:]}


def test_while_others_wait_to_write_no_endings_are_looked_for(database: Database) -> None:
    accept(database, arrival())
    with database.write() as connection:
        endings.keep(connection, [Ending("showpass", (2, 1), "ana@example.com", [MATTER])], 1.0)
    plans = [purchase()]
    with database.read() as connection:
        before = late.look(connection, plans)
    assert before.endings
    with asked(database) as sent, database.write() as connection:
        late.record(connection, plans, before, lambda _: True, 1.0)
    assert sent
    assert not [statement for statement, _ in sent if "FROM endings" in statement]


@pytest.mark.parametrize("key", ["ana@example.com", ""])
def test_what_nobody_is_named_in_is_nobody_s(database: Database, key: str) -> None:
    """Else all that name nobody would share one person's endings."""
    ended = Ending("showpass", (1, 1), "", [MATTER])
    begun = PlannedEvent(1, "invoice.purchase", None, [], [], begins=[MATTER], order_key=key)
    with database.write() as connection:
        endings.keep(connection, [ended], 1.0)
        before = late.look(connection, [Plan(7, "routed", "v", "showpass", events=[begun])])
    assert not before.endings
    assert before.strangers == {(7, 1): (1, 1)}
