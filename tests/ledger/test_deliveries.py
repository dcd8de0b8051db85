"""Planning, claiming, settling, recovering, replaying: on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.ledger.claim import Batch, Claimed, claim, recover
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes, is_due
from bridge.ledger.look_up import Filters, recent, totals
from bridge.ledger.plan import record, waiting
from bridge.ledger.replay import replay_deliveries, replay_webhook
from bridge.ledger.settle import Settlement, settle
from bridge.ledger.stories import DeliveryRecord, story
from tests.ledger.records import LANE, accept, arrival, delivery, plan, plan_all

NOW = 100.0


def take(
    database: Database, limit: int = 10, now: float = NOW, turn: str = "turn"
) -> list[Claimed]:
    with database.write() as connection:
        return list(claim(connection, LANE, turn, limit, Batch, now).deliveries)


def end(
    database: Database, claimed: Claimed, state: str, turn: str = "turn", **changes: Any
) -> None:
    values: dict[str, Any] = {
        "webhook": claimed.webhook,
        "delivery": claimed.id,
        "attempt": claimed.attempt,
        "outcome": "retry" if state == "waiting" else state,
        "state": state,
        "due_at": NOW,
        "failures": 1,
    }
    with database.write() as connection:
        settle(connection, [Settlement(**values | changes)], turn, NOW)


def find(database: Database, name: str) -> DeliveryRecord:
    with database.read() as connection:
        for number in range(1, 20):
            found = story(connection, number)
            for event in found.events if found else ():
                for each in event.deliveries:
                    if each.id == name:
                        return each
    raise LookupError(name)


def names(claimed: list[Claimed]) -> list[str]:
    return [each.id for each in claimed]


def test_deliveries_are_claimed_in_the_order_of_receipt_up_to_the_limit(
    database: Database,
) -> None:
    plan_all(database, [delivery("a"), delivery("b"), delivery("c")])
    assert names(take(database, limit=2)) == ["a", "b"]
    assert names(take(database, limit=2)) == ["c"]


def test_planning_the_same_event_twice_changes_nothing(database: Database) -> None:
    accept(database, arrival())
    with database.write() as connection:
        for _ in range(2):
            record(connection, [plan(1, delivery("a"), delivery("b", place=1))], NOW)
        assert totals(connection).deliveries == {"waiting": 2}


def test_one_person_s_deliveries_do_not_overtake_each_other(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana"), delivery("bo-1", "bo")])
    assert names(take(database, limit=1)) == ["ana-1"]
    assert names(take(database)) == ["bo-1"]


def test_one_person_s_deliveries_may_be_taken_together_in_order(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("bo-1", "bo"), delivery("ana-2", "ana")])
    assert names(take(database)) == ["ana-1", "bo-1", "ana-2"]


def test_a_retry_holds_back_its_own_person_and_nobody_else(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    (first,) = take(database, limit=1)
    end(database, first, "waiting", due_at=NOW + 60)
    plan_all(database, [delivery("bo-1", "bo")])
    assert names(take(database)) == ["bo-1"]
    assert names(take(database, now=NOW + 60)) == ["ana-1", "ana-2"]


def test_after_the_first_has_ended_the_next_of_that_person_follows(database: Database) -> None:
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    end(database, take(database, limit=1)[0], "rejected")
    assert names(take(database)) == ["ana-2"]


def test_nobody_s_deliveries_pass_each_other_freely(database: Database) -> None:
    plan_all(database, [delivery("a"), delivery("b")])
    end(database, take(database, limit=1)[0], "waiting", due_at=NOW + 60)
    assert names(take(database)) == ["b"]


def test_what_is_held_back_does_not_count_as_due(database: Database) -> None:
    """Else a lane with one person's retry would be woken again and again for nothing."""
    plan_all(database, [delivery("ana-1", "ana"), delivery("ana-2", "ana")])
    end(database, take(database, limit=1)[0], "waiting", due_at=NOW + 60)
    with database.read() as connection:
        assert not is_due(connection, LANE, NOW)
        assert due_lanes(connection, NOW) == []
        assert due_lanes(connection, NOW + 60) == [LANE]


def test_a_dead_worker_s_deliveries_come_back_as_uncertain(database: Database) -> None:
    plan_all(database, [delivery("a")])
    take(database, turn="dead")
    with database.write() as connection:
        assert due_lanes(connection, NOW) == [LANE]
        assert recover(connection, LANE, 12, 0.0, NOW) == 1
    (again,) = take(database, turn="alive")
    assert again.uncertain
    assert again.attempt == 2
    assert find(database, "a").attempts[0].outcome == "unknown"


def test_a_late_answer_settles_what_nobody_has_taken_up_since(database: Database) -> None:
    plan_all(database, [delivery("a")])
    (claimed,) = take(database, turn="slow")
    with database.write() as connection:
        recover(connection, LANE, 12, 0.0, NOW)
    end(database, claimed, "delivered", turn="slow")
    assert find(database, "a").state == "delivered"


def test_a_late_answer_leaves_the_delivery_to_who_has_it_now(database: Database) -> None:
    plan_all(database, [delivery("a")])
    (claimed,) = take(database, turn="slow")
    with database.write() as connection:
        recover(connection, LANE, 12, 0.0, NOW)
    take(database, turn="other")
    end(database, claimed, "rejected", turn="slow")
    assert find(database, "a").state == "sending"


def test_every_attempt_is_told_with_its_outcome(database: Database) -> None:
    plan_all(database, [delivery("a")])
    end(database, take(database)[0], "waiting", reason="busy", calls=[{"method": "POST"}])
    end(database, take(database)[0], "delivered", reference="17")
    found = find(database, "a")
    assert [attempt.outcome for attempt in found.attempts] == ["retry", "delivered"]
    assert found.attempts[0].reason == "busy"
    assert found.attempts[0].calls == [{"method": "POST"}]
    assert found.reference == "17"


@pytest.mark.parametrize("state", ["rejected", "dead", "previewed"])
def test_what_did_not_arrive_can_be_sent_again(database: Database, state: str) -> None:
    plan_all(database, [delivery("a")])
    end(database, take(database)[0], state)
    with database.write() as connection:
        assert replay_deliveries(connection, ["a"], NOW, lambda _: True).sent == 1
    assert names(take(database)) == ["a"]


@pytest.mark.parametrize("state", ["delivered", "suppressed"])
def test_what_arrived_or_was_not_wanted_is_not_sent_again(database: Database, state: str) -> None:
    plan_all(database, [delivery("a")])
    end(database, take(database)[0], state)
    with database.write() as connection:
        assert replay_deliveries(connection, ["a"], NOW, lambda _: True).sent == 0


def test_replaying_an_event_fills_in_afresh_what_did_not_arrive(database: Database) -> None:
    accept(database, arrival())
    with database.write() as connection:
        record(connection, [plan(1, delivery("a"), delivery("b", place=1))], NOW)
    first, second = take(database)
    end(database, first, "delivered")
    end(database, second, "rejected")
    with database.write() as connection:
        assert replay_webhook(connection, 1)
        (again,) = waiting(connection, 10)
        assert again.replayed
        mended = [delivery(name, place=n, item={"text": "mended"}) for n, name in enumerate("ab")]
        record(connection, [plan(1, *mended, replayed=True)], NOW)
    (only,) = take(database)
    assert (only.id, only.item) == ("b", {"text": "mended"})


def test_the_list_shows_the_newest_first_with_what_became_of_it(database: Database) -> None:
    plan_all(database, [delivery("a"), delivery("b")])
    accept(database, arrival("late", quarantine="stale-timestamp"))
    end(database, take(database)[0], "delivered")
    with database.read() as connection:
        late, second, first = recent(connection, Filters(), 10)
    assert (late.state, late.reason) == ("quarantined", "stale-timestamp")
    assert (second.deliveries, first.deliveries) == ({"sending": 1}, {"delivered": 1})
    assert first.who == "ana@example.com"


def test_the_list_can_be_filtered(database: Database) -> None:
    plan_all(database, [delivery("a")])
    accept(database, arrival("other", event_type="webhook.test"))

    def ids(**filters: Any) -> list[str]:
        with database.read() as connection:
            return [each.id for each in recent(connection, Filters(**filters), 10)]

    assert ids(type="invoice.*") == ["1"]
    assert ids(type="webhook.test") == ["2"]
    assert ids(who="ANA@") == ["1"]
    assert ids(state="waiting") == ["2", "1"]
    assert ids(source="showpad") == []
    assert ids(after=1) == ["2"]


def test_a_delivery_that_kills_its_workers_ends_as_a_dead_letter(database: Database) -> None:
    plan_all(database, [delivery("a")])
    for number in range(3):
        assert names(take(database, turn=f"dead-{number}")) == ["a"]
        with database.write() as connection:
            recover(connection, LANE, 3, 0.0, NOW)
    assert find(database, "a").state == "dead"


def test_what_a_vendor_answers_can_be_stored_whatever_it_is(database: Database) -> None:
    plan_all(database, [delivery("a")])
    end(database, take(database)[0], "delivered", reference="17\x00\ud800", reason="x" * 9000)
    found = find(database, "a")
    assert found.reference == "17?"
    assert len(found.reason or "") == 2000
