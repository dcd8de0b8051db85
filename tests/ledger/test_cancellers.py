"""What is not sent yet is called off by what comes first, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text

from bridge.ledger import cancellers, prune, scheduled, tables
from bridge.ledger.books import books
from bridge.ledger.claim import Batch, claim
from bridge.ledger.database import Database
from bridge.ledger.plan import Unless
from bridge.ledger.replay import replay_deliveries, replay_webhook
from bridge.ledger.settle import settle
from bridge.settings import RetentionConfig
from tests.ledger.at_once import at_once
from tests.ledger.later import (
    AFTER,
    ANA,
    BO,
    PURCHASE,
    REFUND,
    come,
    event,
    later,
    may_repeat,
    of_contact,
    of_order,
    plan,
    promote,
    reason,
    receive,
    route,
    states,
    unless,
)
from tests.ledger.records import LANE, delivery, settlement


def kept(database: Database) -> int:
    with database.read() as connection:
        count = select(func.count()).select_from(tables.cancellers)
        return connection.execute(count).scalar_one()


def taken(database: Database, now: float = AFTER) -> list[str]:
    with database.write() as connection:
        batch = claim(connection, LANE, "turn", 10, Batch, now)
    return [each.id for each in batch.deliveries]


def settled(database: Database, name: str, state: str, attempt: int = 1) -> None:
    outcome = {"waiting": "retry"}.get(state, state)
    with database.write() as connection:
        ended = settlement(connection, name, attempt, state, AFTER, outcome=outcome)
        settle(connection, [ended], "turn", AFTER)


def test_a_refund_calls_off_what_its_purchase_was_to_have_done_later(database: Database) -> None:
    come(database, PURCHASE, later("thanks", unless=unless()))
    refund = come(database, REFUND, now=20.0)
    assert states(database) == {"thanks": "suppressed"}
    said = f"cancelled: invoice.refund came first (event {refund})"
    assert reason(database, "thanks") == said
    assert promote(database) == 0
    with database.read() as connection:
        assert books(connection).are_balanced


def test_it_is_gone_from_the_table_then(database: Database) -> None:
    come(database, PURCHASE, later("thanks", unless=unless()))
    assert kept(database) == 1
    come(database, REFUND, now=20.0)
    assert kept(database) == 0


@pytest.mark.parametrize(
    ("types", "calls_off"),
    [(["invoice.*"], True), (["invoice.void", "INVOICE.REFUND"], True), (["invoice.void"], False)],
    ids=["a glob", "one of several, whatever the case", "another type"],
)
def test_the_type_must_fit(database: Database, types: list[str], calls_off: bool) -> None:
    come(database, PURCHASE, later("thanks", unless=unless(*types)))
    come(database, REFUND, now=20.0)
    assert states(database)["thanks"] == ("suppressed" if calls_off else "scheduled")


def test_another_s_refund_of_the_same_order_calls_nothing_off(database: Database) -> None:
    come(database, PURCHASE, later("thanks", unless=unless()))
    come(database, REFUND, now=20.0, person=BO)
    come(database, REFUND, now=21.0, order="T2")
    assert states(database) == {"thanks": "scheduled"}


def test_another_s_refund_that_was_there_before_suppresses_nothing(database: Database) -> None:
    come(database, REFUND, person=BO)
    come(database, PURCHASE, later("thanks", unless=unless()), now=20.0)
    assert states(database) == {"thanks": "scheduled"}


def test_a_purchase_that_comes_after_its_refund_plans_nothing_to_be_sent(
    database: Database,
) -> None:
    refund = come(database, REFUND)
    come(database, PURCHASE, later("thanks", unless=unless()), now=20.0)
    assert states(database) == {"thanks": "suppressed"}
    assert reason(database, "thanks") == f"cancelled: invoice.refund came first (event {refund})"
    assert kept(database) == 0


def test_of_what_was_there_before_the_type_must_fit_too(database: Database) -> None:
    come(database, REFUND)
    come(database, PURCHASE, later("thanks", unless=unless("invoice.void")), now=20.0)
    assert states(database) == {"thanks": "scheduled"}


@pytest.mark.parametrize("refund_first", [True, False])
def test_both_may_be_routed_at_once(database: Database, refund_first: bool) -> None:
    numbers = [receive(database, "one"), receive(database, "two")]
    both = [event(REFUND), event(PURCHASE, later("thanks", unless=unless()))]
    made = both if refund_first else both[::-1]
    route(database, *(plan(number, each) for number, each in zip(numbers, made, strict=True)))
    assert states(database) == {"thanks": "suppressed"}


def test_both_may_be_events_of_one_webhook(database: Database) -> None:
    number = receive(database, "both")
    first = event(PURCHASE, later("thanks", unless=unless()))
    route(database, plan(number, first, event(REFUND, position=2)))
    assert reason(database, "thanks") == f"cancelled: invoice.refund came first (event {number}-2)"


def test_of_two_received_at_once_the_lower_number_may_be_routed_last(database: Database) -> None:
    """A server commits them in any order: what ends the matter counts all the same."""
    refund = receive(database, "lower")
    purchase = receive(database, "higher")
    route(database, plan(purchase, event(PURCHASE, later("thanks", unless=unless()))))
    route(database, plan(refund, event(REFUND)))
    assert states(database) == {"thanks": "suppressed"}


def test_of_the_same_contact_only_what_comes_later_counts(database: Database) -> None:
    by_contact = Unless(("course-completed",), (of_contact(),))
    early = receive(database, "early")
    come(database, PURCHASE, later("remind", unless=by_contact))
    route(database, plan(early, event("course-completed", order="C1")))
    assert states(database) == {"remind": "scheduled"}
    come(database, "course-completed", now=20.0, order="C2")
    assert states(database) == {"remind": "suppressed"}


def test_an_event_does_not_call_off_what_it_has_done_itself(database: Database) -> None:
    own = Unless(("course-*", "invoice.*"), (of_contact(), of_order()))
    come(database, "course-completed", later("remind", unless=own))
    come(database, REFUND, later("sorry", BO, unless=unless(person=BO)), person=BO, now=20.0)
    assert states(database) == {"remind": "scheduled", "sorry": "scheduled"}


def test_what_is_promoted_and_not_claimed_is_called_off(database: Database) -> None:
    come(database, PURCHASE, later("thanks", unless=unless()))
    assert promote(database) == 1
    come(database, REFUND, now=AFTER)
    assert states(database) == {"thanks": "suppressed"}
    assert taken(database) == []


def test_what_waits_for_a_refused_account_is_called_off(database: Database) -> None:
    """It was tried, and it is known that it was not done."""
    come(database, PURCHASE, later("thanks", unless=unless()))
    promote(database)
    assert taken(database) == ["thanks"]
    settled(database, "thanks", "waiting")
    come(database, REFUND, now=AFTER)
    assert states(database) == {"thanks": "suppressed"}


@pytest.mark.parametrize("state", ["sending", "delivered", "dead", "lost"])
def test_what_is_sent_or_may_be_is_not(database: Database, state: str) -> None:
    come(database, PURCHASE, later("thanks", unless=unless()))
    promote(database)
    taken(database)
    if state == "lost":
        with database.write() as connection:
            unknown = settlement(
                connection, "thanks", 1, "waiting", AFTER, outcome="unknown", uncertain=True
            )
            settle(connection, [unknown], "turn", AFTER)
    elif state != "sending":
        settled(database, "thanks", state)
    before = states(database)
    come(database, REFUND, now=AFTER)
    assert states(database) == before


def test_what_is_sent_at_once_may_be_called_off_until_it_is(database: Database) -> None:
    come(database, PURCHASE, delivery("thanks", ANA, unless=unless()))
    come(database, REFUND, now=20.0)
    assert states(database) == {"thanks": "suppressed"}


def test_one_event_calls_off_all_that_names_it(database: Database) -> None:
    many = [later(f"no-{n:04}", unless=unless()) for n in range(1200)]
    come(database, PURCHASE, *many, later("stays"))
    come(database, REFUND, now=20.0)
    found = states(database)
    assert found.pop("stays") == "scheduled"
    assert set(found.values()) == {"suppressed"}
    assert kept(database) == 0


class TestReplays:
    def test_of_the_purchase_plan_it_afresh_and_find_the_refund(self, database: Database) -> None:
        number = come(database, PURCHASE, later("thanks", unless=unless()))
        come(database, REFUND, now=20.0)
        self.replay(database, number, later("thanks", unless=unless()))
        assert states(database) == {"thanks": "suppressed"}

    def test_renew_what_was_called_off_by_the_person_s_other_event(
        self, database: Database
    ) -> None:
        by_contact = Unless(("course-completed",), (of_contact(),))
        number = come(database, PURCHASE, later("remind", unless=by_contact))
        come(database, "course-completed", order="C1", now=20.0)
        self.replay(database, number, later("remind", unless=by_contact))
        assert states(database) == {"remind": "scheduled"}
        come(database, "course-completed", order="C2", now=40.0)
        assert states(database) == {"remind": "suppressed"}

    def test_take_the_rules_of_now(self, database: Database) -> None:
        number = come(database, PURCHASE, later("thanks", unless=unless()))
        self.replay(database, number, later("thanks"))
        come(database, REFUND, now=40.0)
        assert states(database) == {"thanks": "scheduled"}

    def test_of_the_refund_call_off_nothing_new(self, database: Database) -> None:
        refund = come(database, REFUND)
        come(database, PURCHASE, later("thanks"), now=20.0)
        route(database, plan(refund, event(REFUND), replayed=True), now=30.0)
        assert states(database) == {"thanks": "scheduled"}

    def replay(self, database: Database, number: int, owed: Any) -> None:
        with database.write() as connection:
            replay_webhook(connection, number)
        route(database, plan(number, event(PURCHASE, owed), replayed=True), now=30.0)


class TestTheTable:
    def test_is_emptied_of_what_has_ended(self, database: Database) -> None:
        come(database, PURCHASE, later("sent", unless=unless()))
        promote(database)
        taken(database)
        settled(database, "sent", "delivered")
        come(database, PURCHASE, later("open", unless=unless()), now=30.0)
        come(database, PURCHASE, delivery("waits", ANA, unless=unless()), now=31.0)
        assert kept(database) == 3
        with database.write() as connection:
            assert cancellers.forget_ended(connection, ("", ""), 100) is None
        assert kept(database) == 2
        come(database, REFUND, now=40.0)
        assert states(database) == {
            "sent": "delivered",
            "open": "suppressed",
            "waits": "suppressed",
        }

    def test_is_gone_through_in_portions(self, database: Database) -> None:
        for n in range(7):
            unlike = unless(order=f"T{n}")
            come(database, PURCHASE, delivery(f"d{n}", ANA, unless=unlike), order=f"T{n}")
        self.end_all(database)
        steps, after = 0, ("", "")
        while after is not None:
            with database.write() as connection:
                after = cancellers.forget_ended(connection, after, 2)  # type: ignore[assignment]
            steps += 1
        assert steps == 4
        assert kept(database) == 0

    def test_loses_what_is_pruned(self, database: Database) -> None:
        come(database, PURCHASE, delivery("old", ANA, unless=unless()))
        self.end_all(database)
        with database.write() as connection:
            dropped = prune.drop_records(connection, 1e9, RetentionConfig(), 0, 10)
        assert dropped.count == 1
        assert kept(database) == 0

    def end_all(self, database: Database) -> None:
        with database.write() as connection:
            connection.execute(text("UPDATE deliveries SET state = 'dead', settled_at = 20"))
            connection.execute(text("UPDATE deliveries SET state = 'delivered'"))


def test_what_is_sent_sooner_by_hand_is_called_off_until_it_is_claimed(database: Database) -> None:
    come(database, PURCHASE, later("thanks", unless=unless()))
    with database.write() as connection:
        assert replay_deliveries(connection, ["thanks"], 20.0, may_repeat).sent == 1
    come(database, REFUND, now=21.0)
    assert states(database) == {"thanks": "suppressed"}


class TestAtTheSameTime:
    """Two transactions of a server, at their worst: whoever is first wins, and never both."""

    def test_promoted_first_and_called_off_before_it_is_claimed(self, database: Database) -> None:
        refund = self.scheduled(database)
        at_once(
            database,
            lambda connection: scheduled.promote(connection, ["thanks"], AFTER, may_repeat),
            lambda: route(database, plan(refund, event(REFUND)), now=AFTER),
        )
        assert states(database) == {"thanks": "suppressed"}
        assert taken(database) == []

    def test_called_off_first_it_is_not_promoted(self, database: Database) -> None:
        refund = self.scheduled(database)
        at_once(
            database,
            lambda connection: cancellers.call_off(
                connection, [plan(refund, event(REFUND))], AFTER
            ),
            lambda: promote(database),
        )
        assert states(database) == {"thanks": "suppressed"}
        assert taken(database) == []

    def test_called_off_first_it_is_not_claimed(self, database: Database) -> None:
        refund = self.scheduled(database)
        promote(database)
        claimed: list[str] = []
        at_once(
            database,
            lambda connection: cancellers.call_off(
                connection, [plan(refund, event(REFUND))], AFTER
            ),
            lambda: claimed.extend(taken(database)),
        )
        assert states(database) == {"thanks": "suppressed"}
        assert claimed == []

    def test_claimed_first_it_is_sent(self, database: Database) -> None:
        refund = self.scheduled(database)
        promote(database)
        at_once(
            database,
            lambda connection: claim(connection, LANE, "turn", 10, Batch, AFTER),
            lambda: route(database, plan(refund, event(REFUND)), now=AFTER),
        )
        assert states(database) == {"thanks": "sending"}

    def scheduled(self, database: Database) -> int:
        come(database, PURCHASE, later("thanks", unless=unless()))
        return receive(database, "refund")
