"""The versions of the rules in the ledger, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from bridge.ledger import rule_versions
from bridge.ledger.database import Database
from bridge.ledger.rule_versions import PUBLISHED, ROLLED_BACK, SAVED, How, Published


def publish(connection: Connection, version: str, how: How = SAVED, at: float = 1.0) -> None:
    files = {"rules.yaml": f"# {version}\n", "rules/a.yaml": "\x00 ä"}
    rule_versions.publish(connection, version, files, author="ana", how=how, now=at)


@pytest.mark.parametrize(
    ("published", "before"),
    [
        ([("a", SAVED)], None),
        ([("a", SAVED), ("b", SAVED)], "a"),
        ([("a", SAVED), ("b", SAVED), ("b", PUBLISHED)], "a"),
        ([("a", SAVED), ("b", SAVED), ("c", SAVED), ("b", ROLLED_BACK)], "a"),
        ([("a", SAVED), ("b", SAVED), ("a", SAVED), ("c", SAVED), ("a", ROLLED_BACK)], "b"),
        ([("a", SAVED), ("b", SAVED), ("a", ROLLED_BACK)], None),
        ([("a", SAVED), ("b", SAVED), ("a", ROLLED_BACK), ("b", PUBLISHED)], "a"),
    ],
    ids=["first", "second", "noted-again", "further-back", "the-last-of-two", "end", "published"],
)
def test_what_to_go_back_to_is_the_one_before_and_after_a_rollback_one_further_back(
    database: Database, published: list[tuple[str, How]], before: str | None
) -> None:
    with database.write() as connection:
        for version, how in published:
            publish(connection, version, how)
        found = rule_versions.before(connection)
    assert (found.version if found else None) == before


def test_the_last_publication_is_live_and_a_rollback_is_no_offer(database: Database) -> None:
    with database.write() as connection:
        assert rule_versions.live(connection) is None
        publish(connection, "a", SAVED, 1.0)
        publish(connection, "b", PUBLISHED, 2.0)
        # By a machine whose clock is behind.
        publish(connection, "a", ROLLED_BACK, 1.5)
    with database.read() as connection:
        assert rule_versions.live(connection) == Published(3, "a", 1.5, "ana", ROLLED_BACK)
        assert rule_versions.last_offered(connection) == Published(2, "b", 2.0, "ana", PUBLISHED)
        assert rule_versions.one(connection, 1) == Published(1, "a", 1.0, "ana", SAVED)
        assert rule_versions.one(connection, 4) is None
        numbers = [each.number for each in rule_versions.history(connection)]
        assert (numbers, len(rule_versions.history(connection, 2))) == ([3, 2, 1], 2)


def test_what_was_only_rolled_back_to_was_not_offered(database: Database) -> None:
    with database.write() as connection:
        publish(connection, "a", SAVED)
        rule_versions.keep(connection, "kept", {"rules.yaml": ""})
        publish(connection, "kept", ROLLED_BACK)
        offered = [rule_versions.was_offered(connection, each) for each in ("a", "kept", "none")]
    assert offered == [True, False, False]


def test_texts_and_their_order_come_back_as_they_were(database: Database) -> None:
    files = {"rules.yaml": "\x00\t“ä” 🎫\n", "rules/z.yaml": "z", "rules/a.yaml": ""}
    with database.write() as connection:
        rule_versions.keep(connection, "one", files)
        rule_versions.keep(connection, "one", files)
    with database.read() as connection:
        found = rule_versions.files_of(connection, "one")
        assert found is not None
        assert list(found.items()) == list(files.items())
        assert rule_versions.files_of(connection, "two") is None


def test_versions_are_found_by_how_they_begin(database: Database) -> None:
    with database.write() as connection:
        for version in ("abc1", "abd2", "b%_3"):
            publish(connection, version)
        assert sorted(rule_versions.versions(connection, "ab")) == ["abc1", "abd2"]
        assert rule_versions.versions(connection, "%") == []


def test_what_is_live_is_one_row_of_an_index(database: Database) -> None:
    """Asked for with each batch of webhooks, however long the history is."""
    query = "SELECT * FROM rule_publications WHERE true ORDER BY number DESC LIMIT 1"
    with database.read() as connection:
        if database.is_sqlite:
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
        else:
            # It would rather scan a table as small as this one.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            steps = connection.exec_driver_sql(f"EXPLAIN {query}").all()
    plan = str(steps)
    assert not any(word in plan for word in ("TEMP B-TREE", "Sort", "Seq Scan"))
