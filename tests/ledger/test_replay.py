"""Choosing what has ended, and asking for it again: on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, update

from bridge.ledger.claim import Batch, claim
from bridge.ledger.database import Database
from bridge.ledger.dead import Group, groups, letters
from bridge.ledger.newer import Newer
from bridge.ledger.plan import PlannedDelivery, record, waiting
from bridge.ledger.replay import replay_deliveries, replay_webhook, replay_webhooks
from bridge.ledger.selection import (
    Candidate,
    Place,
    Selection,
    Unit,
    next_deliveries,
    next_webhooks,
)
from bridge.ledger.settle import settle
from bridge.ledger.tables import webhooks
from tests.ledger.records import (
    LANE,
    accept,
    arrival,
    delivery,
    plan,
    plan_all,
    settlement,
)

START: Place = (0, 0, 0)
NOW = 100.0


def owe(database: Database, *owed: PlannedDelivery) -> None:
    plan_all(database, owed)


def end(
    database: Database, name: str, state: str, reason: str = "", lane: str = LANE, **changes: Any
) -> None:
    """Take it in hand, alone, and settle it so."""
    with database.write() as connection:
        _take(connection, name, lane)
        settled = {"failures": 1, "due_at": NOW, "reason": reason, **changes}
        attempt = settlement(connection, name, 1, state, **settled)
        settle(connection, [attempt], "turn", NOW)


def _take(connection: Connection, name: str, lane: str = LANE) -> None:
    def choose(ready: Sequence[Any]) -> Batch:
        return Batch([each for each in ready if each.id == name])

    assert claim(connection, lane, "turn", 100, choose, NOW).deliveries, name


def again(connection: Connection, *names: str) -> int:
    return replay_deliveries(connection, names, NOW, lambda _: True).sent


def chosen(database: Database, **asked: Any) -> list[str]:
    with database.read() as connection:
        units = next_deliveries(connection, Selection(**asked), START, 100)
    return [unit.deliveries[0].id for unit in units]


def candidate(database: Database, name: str) -> Candidate:
    with database.read() as connection:
        units = next_deliveries(connection, Selection(), START, 100)
    (found,) = [each for unit in units for each in unit.deliveries if each.id == name]
    return found


@pytest.fixture
def two_dead(database: Database) -> Database:
    """The first of showpass's Buyers, the second of other rules; both about a purchase."""
    owe(database, delivery("a"), delivery("b", rule="Others", account="slack"))
    end(database, "a", "dead", "Slack is gone (500)")
    end(database, "b", "dead", "100% refused")
    return database


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["a", "b"]),
        ({"state": "rejected"}, []),
        ({"source": "showpass"}, ["a", "b"]),
        ({"source": "showpad"}, []),
        ({"type": "invoice.*"}, ["a", "b"]),
        ({"type": "invoice_purchase"}, []),
        ({"rule": "Others"}, ["b"]),
        ({"account": "slack"}, ["a", "b"]),
        ({"account": "hubspot"}, []),
        ({"reason": "slack IS"}, ["a"]),
        ({"reason": "100%"}, ["b"]),
        ({"reason": "1%d"}, []),
        ({"since": 0.5}, ["a", "b"]),
        ({"since": 2.0}, []),
        ({"until": 0.5}, []),
        ({"ended_by": NOW}, ["a", "b"]),
        ({"ended_by": NOW - 1}, []),
    ],
    ids=str,
)
def test_each_filter_chooses(two_dead: Database, asked: dict[str, Any], found: list[str]) -> None:
    assert chosen(two_dead, **asked) == found


def test_portions_go_on_where_the_last_one_ended(two_dead: Database) -> None:
    with two_dead.read() as connection:
        (first,) = next_deliveries(connection, Selection(), START, 1)
        (second,) = next_deliveries(connection, Selection(), first.place, 1)
        assert next_deliveries(connection, Selection(), second.place, 1) == []
    assert [first.deliveries[0].id, second.deliveries[0].id] == ["a", "b"]


def test_only_what_has_ended_undelivered_is_sent_again(database: Database) -> None:
    states = ["dead", "rejected", "previewed", "delivered", "suppressed"]
    owe(database, *map(delivery, states), delivery("open"))
    owe(database, delivery("unfilled", state="rejected"))
    for state in states:
        end(database, state, state)
    with database.write() as connection:
        everything = [*states, "open", "unfilled"]
        assert again(connection, *everything) == 3
        assert again(connection, *everything) == 0


def test_what_was_replayed_is_no_longer_chosen(two_dead: Database) -> None:
    with two_dead.write() as connection:
        again(connection, "a")
    assert chosen(two_dead) == ["b"]


def events_chosen(database: Database, state: str) -> list[Unit]:
    with database.read() as connection:
        return next_webhooks(connection, Selection(state=state), START, 100)


def test_an_event_is_chosen_once_with_all_that_routing_it_renews(database: Database) -> None:
    accept(database, arrival())
    owed = [delivery(name, place=place) for place, name in enumerate("abc")]
    with database.write() as connection:
        record(connection, [plan(1, *owed)], NOW)
    end(database, "a", "dead")
    end(database, "b", "delivered")
    end(database, "c", "rejected")
    (unit,) = events_chosen(database, "dead")
    assert (unit.webhook, [each.id for each in unit.deliveries]) == (1, ["a", "c"])


def test_unrouted_events_are_chosen_and_wait_again(database: Database) -> None:
    accept(database, arrival("1"), arrival("2"))
    with database.write() as connection:
        record(connection, [plan(1)], NOW)
        connection.execute(update(webhooks).values(state="unrouted"))
    assert [unit.webhook for unit in events_chosen(database, "unrouted")] == [1, 2]
    with database.write() as connection:
        assert replay_webhooks(connection, [1, 2]) == 2
        assert [each.replayed for each in waiting(connection, 10)] == [True, True]


def test_an_event_whose_body_is_gone_is_named_and_not_routed_again(two_dead: Database) -> None:
    with two_dead.write() as connection:
        connection.execute(update(webhooks).values(pruned_at=NOW, body=b""))
        assert not replay_webhook(connection, 1)
    assert [unit.is_pruned for unit in events_chosen(two_dead, "dead")] == [True, True]


def has_passed(database: Database, newer: Newer, name: str) -> bool:
    asked = candidate(database, name)
    with database.write() as connection:
        newer.look_again(connection, [asked])
    return newer.has_passed(asked)


def looked(database: Database) -> Newer:
    with database.read() as connection:
        return Newer(connection, Selection())


def test_a_later_one_of_the_person_that_arrived_is_known(database: Database) -> None:
    owe(database, delivery("a", "ana"), delivery("b", "ana"), delivery("c", "ben"))
    end(database, "a", "dead")
    end(database, "b", "delivered")
    end(database, "c", "dead")
    newer = looked(database)
    assert has_passed(database, newer, "a")
    assert not has_passed(database, newer, "c")


def test_an_earlier_one_that_arrived_does_no_harm(database: Database) -> None:
    owe(database, delivery("a", "ana"), delivery("b", "ana"))
    end(database, "a", "delivered")
    end(database, "b", "dead")
    assert not has_passed(database, looked(database), "b")


def test_what_is_about_nobody_or_in_another_lane_does_no_harm(database: Database) -> None:
    elsewhere = {"lane": "slack.post_message:#others"}
    owe(database, delivery("a"), delivery("b"), delivery("c", "ana"), delivery("d", "ana"))
    owe(database, delivery("e", "ana", **elsewhere))
    for name in "ac":
        end(database, name, "dead")
    end(database, "b", "delivered")
    end(database, "d", "rejected")
    newer = looked(database)
    assert not has_passed(database, newer, "a")
    assert not has_passed(database, newer, "c")


def test_a_later_step_of_the_same_event_counts_as_later(database: Database) -> None:
    accept(database, arrival())
    owed = [delivery("first", "ana", place=0), delivery("second", "ana", place=1)]
    with database.write() as connection:
        record(connection, [plan(1, *owed)], NOW)
    end(database, "first", "dead")
    end(database, "second", "delivered")
    assert has_passed(database, looked(database), "first")


def test_a_later_one_in_hand_or_of_unknown_outcome_may_have_arrived(database: Database) -> None:
    owe(database, delivery("a", "ana"), delivery("b", "ana"))
    owe(database, delivery("c", "ben"), delivery("d", "ben"))
    for name in "ac":
        end(database, name, "dead")
    with database.write() as connection:
        _take(connection, "b")
    end(database, "d", "waiting", uncertain=True)
    newer = looked(database)
    assert has_passed(database, newer, "a")
    assert has_passed(database, newer, "c")


def receive_many(database: Database) -> None:
    """More than what is looked at again in any case; nothing of it waits."""
    accept(database, *(arrival(f"more-{number}") for number in range(300)))
    with database.write() as connection:
        many = webhooks.c.idempotency_key.startswith("more-")
        connection.execute(update(webhooks).where(many).values(state="unrouted"))


def test_what_arrives_later_on_is_noticed(database: Database) -> None:
    owe(database, delivery("a", "ana"), delivery("b", "ana"))
    owe(database, delivery("c", "ben"))
    end(database, "a", "dead")
    end(database, "c", "dead")
    receive_many(database)
    newer = looked(database)
    assert not has_passed(database, newer, "a")
    end(database, "b", "delivered")
    owe(database, delivery("d", "ben"))
    end(database, "d", "delivered")
    assert has_passed(database, newer, "a")
    assert has_passed(database, newer, "c")


def test_what_ends_later_on_without_having_arrived_does_no_harm(database: Database) -> None:
    owe(database, delivery("a", "ana"), delivery("b", "ana"))
    end(database, "a", "dead")
    newer = looked(database)
    end(database, "b", "rejected")
    assert not has_passed(database, newer, "a")


def test_an_older_webhook_that_is_routed_later_on_is_noticed(database: Database) -> None:
    owe(database, delivery("a", "ana"))
    end(database, "a", "dead")
    accept(database, arrival("late"))
    receive_many(database)
    newer = looked(database)
    with database.write() as connection:
        record(connection, [plan(2, delivery("late", "ana"))], NOW)
    end(database, "late", "delivered")
    assert has_passed(database, newer, "a")


def test_of_whole_events_all_that_is_renewed_is_looked_at(database: Database) -> None:
    accept(database, arrival())
    owed = [delivery("first", "ana", place=0), delivery("second", "ana", place=1, lane=LANE + "#2")]
    with database.write() as connection:
        record(connection, [plan(1, *owed)], NOW)
    end(database, "first", "dead")
    end(database, "second", "rejected", lane=LANE + "#2")
    owe(database, delivery("later", "ana"))
    end(database, "later", "delivered")
    asked = candidate(database, "first")
    with database.read() as connection:
        assert Newer(connection, Selection(state="rejected"), whole_webhooks=True).has_passed(asked)


def grouped(database: Database, **asked: Any) -> list[Group]:
    with database.read() as connection:
        return groups(connection, Selection(**asked))


def test_dead_letters_go_together_by_account_action_and_reason(database: Database) -> None:
    owe(database, *map(delivery, "abcd"), delivery("e", action="shout"))
    trace = "correlation id 5e8a1c1d-12ab-4f00-9c3e-00aa11bb22c"
    for number, name in enumerate("abc"):
        end(database, name, "dead", f"gave up after {number} attempts: no (500, {trace}{number})")
    end(database, "d", "dead", f"gave up after 3 attempts: no (503, {trace}3)")
    end(database, "e", "dead", f"gave up after 3 attempts: no (503, {trace}3)")
    found = [(group.count, group.action, group.reason) for group in grouped(database)]
    varied = "gave up after … attempts: no ({}, correlation id …)"
    assert found == [
        (3, "post_message", varied.format(500)),
        (1, "post_message", varied.format(503)),
        (1, "shout", varied.format(503)),
    ]


def test_a_group_has_its_times_and_the_newest_as_example(database: Database) -> None:
    owe(database, delivery("a"), delivery("b"))
    end(database, "a", "dead", "no")
    with database.write() as connection:
        _take(connection, "b")
        late = settlement(connection, "b", 1, "dead", NOW, outcome="retry", reason="no")
        settle(connection, [late], "turn", NOW + 50)
    (group,) = grouped(database)
    assert (group.first_at, group.last_at) == (NOW, NOW + 50)
    assert (group.delivery, group.event) == ("b", "2")


def test_what_was_never_filled_in_is_a_group_of_its_own(database: Database) -> None:
    owe(database, delivery("a"), delivery("b", state="rejected", reason="no"))
    end(database, "a", "rejected", "no")
    found = {group.delivery: group.unfilled for group in grouped(database, state="rejected")}
    assert found == {"a": False, "b": True}


def test_single_ones_are_listed_the_newest_first(two_dead: Database) -> None:
    with two_dead.read() as connection:
        listed = letters(connection, Selection(), 10)
        assert [each.delivery for each in letters(connection, Selection(), 1)] == ["b"]
    assert [(each.delivery, each.event, each.reason) for each in listed] == [
        ("b", "2", "100% refused"),
        ("a", "1", "Slack is gone (500)"),
    ]
