"""A ledger that was written by the bridge is right; whatever is wrong with another is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from bridge.ledger.claim import Batch, Claimed, claim, recover
from bridge.ledger.database import Database
from bridge.ledger.plan import record
from bridge.ledger.replay import replay_webhook
from bridge.ledger.settle import Settlement, settle
from bridge.ledger.tables import attempts, cancellers, deliveries, events, webhooks
from bridge.ledger.verify import PORTION, Verdict, verify
from bridge.ledger.verify_checks import INSPECTIONS, OF_ALL
from tests.ledger.records import LANE, accept, arrival, delivery, plan, plan_all, webhook_of


def quietly(_done: int, _total: int) -> None:
    """Nobody looks on."""


def verdict(database: Database, clocks_differ: float = 0.0, portion: int = PORTION) -> Verdict:
    with database.snapshot() as connection:
        return verify(connection, quietly, clocks_differ, portion)


def found(database: Database, portion: int = PORTION) -> dict[str, int]:
    return {each.what: each.count for each in verdict(database, portion=portion).findings}


def take(database: Database, now: float, turn: str = "turn") -> list[Claimed]:
    with database.write() as connection:
        return list(claim(connection, LANE, turn, 100, Batch, now).deliveries)


def end(
    database: Database, claimed: list[Claimed], state: str, now: float, turn: str = "turn"
) -> None:
    outcome = "retry" if state == "waiting" else state
    settled = [
        Settlement(each.webhook, each.id, each.attempt, outcome, state, now, 1) for each in claimed
    ]
    with database.write() as connection:
        settle(connection, settled, turn, now)


def deliver(database: Database, now: float) -> None:
    end(database, take(database, now), "delivered", now + 1)


def tamper(database: Database, *statements: Any) -> None:
    """As somebody does who knows better, and switches the checks of the database off."""
    with database._engine.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.invalidate()


@pytest.fixture
def worked(database: Database) -> Database:
    """Two webhooks of two people: one delivered at the second try, one dead."""
    plan_all(database, [delivery("ana", "ana"), delivery("bo", "bo")])
    first = take(database, 20.0)
    end(database, first[:1], "waiting", 21.0)
    end(database, first[1:], "dead", 21.0)
    deliver(database, 30.0)
    return database


def test_an_empty_ledger_is_right(database: Database) -> None:
    assert verdict(database).is_right


def test_what_the_bridge_has_written_is_right(worked: Database) -> None:
    plan_all(worked, [delivery("cy", "cy")])
    take(worked, 40.0)
    accept(worked, arrival("waits"), arrival("kept", quarantine="stale-timestamp"))
    found = verdict(worked)
    assert found.is_right, found.findings
    assert found.checked == {"webhooks": 5, "events": 3, "deliveries": 3, "attempts": 4}


def test_what_a_killed_worker_leaves_is_right(worked: Database) -> None:
    plan_all(worked, [delivery("cy", "cy")])
    take(worked, 40.0, "killed")
    with worked.write() as connection:
        recover(connection, LANE, 12, 0.0, 50.0)
    deliver(worked, 60.0)
    assert verdict(worked).is_right


@pytest.mark.parametrize(("pruned_at", "right"), [(5.0, True), (50.0, False)])
def test_what_is_sent_again_needs_no_body_that_was_pruned_before(
    worked: Database, pruned_at: float, right: bool
) -> None:
    plan_all(worked, [delivery("cy", "cy")])
    tamper(worked, update(webhooks).where(webhooks.c.number == 3).values(pruned_at=pruned_at))
    assert verdict(worked).is_right is right


WRONG: dict[str, Callable[[], list[Any]]] = {
    "events without a webhook": lambda: [delete(webhooks).where(webhooks.c.number == 1)],
    "deliveries without a webhook": lambda: [delete(webhooks).where(webhooks.c.number == 2)],
    "deliveries without an event": lambda: [delete(events).where(events.c.webhook == 1)],
    "routed webhooks without an event": lambda: [delete(events).where(events.c.webhook == 2)],
    "routed webhooks without a delivery": lambda: [delete(deliveries)],
    "deliveries that are open and ended at once": lambda: [
        update(deliveries).values(settled_at=None)
    ],
    "deliveries in nobody's or in two hands": lambda: [update(deliveries).values(claim="x")],
    "delivered without an attempt that arrived": lambda: [
        update(attempts).values(outcome="unknown")
    ],
    "delivered twice": lambda: [
        update(attempts).where(attempts.c.delivery == "ana").values(outcome="delivered")
    ],
    "attempts that are missing or too many": lambda: [
        delete(attempts).where(attempts.c.delivery == "bo")
    ],
    "attempts that nobody is at": lambda: [update(attempts).values(outcome="started")],
    "attempts that have both ended and not": lambda: [update(attempts).values(finished_at=None)],
    "webhooks emptied too early": lambda: [
        update(webhooks).values(state="quarantined", pruned_at=1.0)
    ],
    "attempts without a delivery": lambda: [delete(deliveries).where(deliveries.c.id == "bo")],
    "cancellers without a delivery": lambda: [
        insert(cancellers).values(key="k", delivery="gone", types=[])
    ],
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_found(worked: Database, what: str) -> None:
    tamper(worked, *WRONG[what]())
    assert what in found(worked)
    assert not verdict(worked).is_right


def test_every_check_has_its_test() -> None:
    assert {check.what for each in (*INSPECTIONS, *OF_ALL) for check in each.checks} == set(WRONG)


def test_a_finding_says_how_many_and_names_one(worked: Database) -> None:
    tamper(worked, delete(attempts), update(deliveries).values(attempts=0, state="delivered"))
    (finding,) = verdict(worked).findings
    assert (finding.what, finding.count) == ("delivered without an attempt that arrived", 2)
    assert (finding.webhook, finding.delivery) in [(1, "ana"), (2, "bo")]


def test_a_difference_in_the_books_is_wrong_even_where_all_else_is_right(
    database: Database,
) -> None:
    accept(database, arrival("a"), arrival("b"))
    tamper(database, delete(webhooks).where(webhooks.c.number == 1))
    assert verdict(database).findings == []
    assert not verdict(database).is_right


def test_portions_leave_nothing_out(database: Database) -> None:
    plan_all(database, [delivery(f"d{number}") for number in range(10)])
    tamper(
        database,
        delete(webhooks).where(webhooks.c.number.in_([1, 4, 5, 10])),
        update(deliveries).values(settled_at=1.0),
    )
    wrong = found(database, portion=2)
    assert wrong["deliveries that are open and ended at once"] == 10
    assert wrong["deliveries without a webhook"] == 4


def arrived(database: Database, name: str, began: float, ended: float, turn: str = "t") -> None:
    """One attempt that arrived, whoever let it be claimed."""
    row = {"delivery": name, "number": 1, "started_at": began, "finished_at": ended}
    with database.write() as connection:
        row["webhook"] = webhook_of(connection, name)
        connection.execute(
            insert(attempts).values(**row, outcome="delivered", calls=[], worker=turn)
        )
        connection.execute(
            update(deliveries)
            .where(deliveries.c.id == name)
            .values(state="delivered", settled_at=ended, attempts=1)
        )


OVERTOOK = "deliveries that overtook another"


def test_overtaking_is_found(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    arrived(database, "ana-2", 20.0, 21.0)
    assert found(database) == {OVERTOOK: 1}
    arrived(database, "ana-1", 30.0, 31.0)
    assert found(database) == {OVERTOOK: 1}
    assert [each.delivery for each in verdict(database).findings] == ["ana-2"]


def test_one_that_is_still_open_is_overtaken_by_what_was_planned_later(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana")], 10.0)
    plan_all(database, [delivery("ana-2", "ana")], 15.0)
    arrived(database, "ana-2", 20.0, 21.0)
    assert found(database) == {OVERTOOK: 1}


def test_one_that_was_over_in_between_does_not_hide_one_that_was_not(database: Database) -> None:
    plan_all(database, [delivery(f"ana-{number}", "ana") for number in (1, 2)], 10.0)
    arrived(database, "ana-2", 11.0, 12.0)
    plan_all(database, [delivery("ana-3", "ana")], 20.0)
    arrived(database, "ana-3", 21.0, 22.0)
    assert found(database) == {OVERTOOK: 2}


def test_one_after_the_other_is_in_order(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    arrived(database, "ana-1", 20.0, 21.0)
    arrived(database, "ana-2", 21.0, 22.0)
    assert found(database) == {}


def test_other_people_other_lanes_and_nobody_may_pass(database: Database) -> None:
    owed = [
        delivery("ana-1", "ana"),
        delivery("bo-1", "bo"),
        delivery("ana-2", "ana", lane="hubspot.upsert_contact"),
        delivery("nobody-1"),
        delivery("nobody-2"),
    ]
    plan_all(database, owed)
    for each in reversed(owed):
        arrived(database, each.id, 20.0 - len(each.id), 21.0)
    assert found(database) == {}


def test_one_call_for_several_is_in_order(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    end(database, take(database, 20.0), "delivered", 21.0)
    assert found(database) == {}


def test_arriving_while_an_earlier_one_of_the_same_call_has_to_be_repeated_is_overtaking(
    database: Database,
) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    first, second = take(database, 20.0)
    end(database, [first], "waiting", 21.0)
    end(database, [second], "delivered", 21.0)
    assert found(database) == {OVERTOOK: 1}


def test_failing_together_and_arriving_together_is_in_order(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    end(database, take(database, 20.0), "waiting", 21.0)
    end(database, take(database, 30.0), "delivered", 31.0)
    assert found(database) == {}


def test_what_is_replayed_later_was_not_overtaken(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    both = take(database, 20.0)
    end(database, both[:1], "dead", 21.0)
    end(database, both[1:], "delivered", 22.0)
    with database.write() as connection:
        replay_webhook(connection, 1)
        record(connection, [plan(1, delivery("ana-1", "ana"), replayed=True)], 30.0)
    assert found(database) == {}
    deliver(database, 40.0)
    assert found(database) == {}


def test_times_of_several_machines_are_compared_with_patience(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    arrived(database, "ana-1", 20.0, 21.0)
    arrived(database, "ana-2", 20.4, 22.0)
    assert verdict(database).findings
    assert not verdict(database, clocks_differ=1.0).findings
