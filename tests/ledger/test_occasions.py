"""What is done once is done for one event alone, and for that one as often as it is replayed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event as sql
from sqlalchemy import func, select, update

from bridge.ledger import occasions, tables
from bridge.ledger.books import books
from bridge.ledger.claim import Batch, claim
from bridge.ledger.database import Database
from bridge.ledger.plan import Once, PlannedDelivery
from bridge.ledger.replay import replay_webhook
from bridge.ledger.settle import settle
from tests.ledger.later import (
    AFTER,
    ANA,
    BO,
    PURCHASE,
    REFUND,
    come,
    event,
    later,
    plan,
    promote,
    reason,
    receive,
    route,
    states,
    unless,
)
from tests.ledger.records import LANE, delivery, settlement

DAY = 86400.0
NOV_3 = datetime(2026, 11, 3, 12, tzinfo=UTC).timestamp()
FOR_EVER = Once("ana", None, "once per contact")
IN_30_DAYS = Once("ana", 30 * DAY, "once per contact")


def owed(name: str, once: Once = FOR_EVER, **changes: Any) -> PlannedDelivery:
    return delivery(name, ANA, once=once, **changes)


def kept(database: Database) -> int:
    with database.read() as connection:
        count = select(func.count()).select_from(tables.occasions)
        return connection.execute(count).scalar_one()


def replay(database: Database, number: int, *some: PlannedDelivery, now: float = NOV_3) -> None:
    with database.write() as connection:
        replay_webhook(connection, number)
    route(database, plan(number, event(PURCHASE, *some), replayed=True), now=now)


def test_another_event_does_not_do_it_again(database: Database) -> None:
    first = come(database, PURCHASE, owed("one"), at=NOV_3)
    come(database, PURCHASE, owed("two"), at=NOV_3 + DAY)
    assert states(database) == {"one": "waiting", "two": "suppressed"}
    assert reason(database, "two") == f"once per contact: event {first} did it on 3 Nov"
    with database.read() as connection:
        assert books(connection).are_balanced


def test_another_year_is_told(database: Database) -> None:
    first = come(database, PURCHASE, owed("one"), at=NOV_3)
    come(database, PURCHASE, owed("two"), at=NOV_3 + 300 * DAY)
    assert reason(database, "two") == f"once per contact: event {first} did it on 3 Nov 2026"


def test_another_key_is_another_matter(database: Database) -> None:
    come(database, PURCHASE, owed("one"))
    come(database, PURCHASE, owed("two", replace(FOR_EVER, key="bo")), now=20.0)
    assert set(states(database).values()) == {"waiting"}


def test_it_is_so_among_events_that_are_routed_at_once(database: Database) -> None:
    numbers = [receive(database, f"key {n}", NOV_3) for n in range(3)]
    route(database, *(plan(each, event(PURCHASE, owed(f"d{each}"))) for each in numbers))
    first, *others = numbers
    assert states(database) == {
        f"d{first}": "waiting",
        **{f"d{each}": "suppressed" for each in others},
    }


def test_it_is_so_among_the_events_of_one_webhook(database: Database) -> None:
    number = receive(database, "both", NOV_3)
    two = event(PURCHASE, owed("two"), position=2)
    route(database, plan(number, event(PURCHASE, owed("one")), two))
    assert states(database) == {"one": "waiting", "two": "suppressed"}
    assert reason(database, "two") == f"once per contact: event {number} did it on 3 Nov"


def test_one_event_may_do_several_things_under_the_key(database: Database) -> None:
    come(database, PURCHASE, owed("one"), owed("two", place=1))
    assert set(states(database).values()) == {"waiting"}
    assert kept(database) == 1


@pytest.mark.parametrize(
    ("days", "state"), [(30, "suppressed"), (-30, "suppressed"), (31, "waiting"), (-31, "waiting")]
)
def test_a_period_counts_between_the_receipts_either_way(
    database: Database, days: int, state: str
) -> None:
    come(database, PURCHASE, owed("one", IN_30_DAYS), at=NOV_3)
    come(database, PURCHASE, owed("two", IN_30_DAYS), at=NOV_3 + days * DAY)
    assert states(database) == {"one": "waiting", "two": state}


def test_a_period_counts_from_what_was_done(database: Database) -> None:
    for day in (0, 20, 40, 60, 80):
        come(database, PURCHASE, owed(f"day-{day}", IN_30_DAYS), at=NOV_3 + day * DAY)
    done = [name for name, state in states(database).items() if state == "waiting"]
    assert sorted(done) == ["day-0", "day-40", "day-80"]


def test_an_older_event_between_two_that_did_it_meets_both(database: Database) -> None:
    come(database, PURCHASE, owed("early", IN_30_DAYS), at=NOV_3)
    come(database, PURCHASE, owed("late", IN_30_DAYS), at=NOV_3 + 100 * DAY)
    for days, state in ((20, "suppressed"), (80, "suppressed"), (50, "waiting")):
        name = f"day-{days}"
        come(database, PURCHASE, owed(name, IN_30_DAYS), at=NOV_3 + days * DAY)
        assert states(database)[name] == state


class TestTheSameEventAgain:
    def test_passes_where_it_is_routed_twice(self, database: Database) -> None:
        number = come(database, PURCHASE, owed("one"))
        for _ in range(2):
            route(database, plan(number, event(PURCHASE, owed("one"))))
        assert states(database) == {"one": "waiting"}
        assert kept(database) == 1

    def test_passes_where_it_is_replayed(self, database: Database) -> None:
        number = come(database, PURCHASE, owed("one"))
        self.end(database, "rejected")
        replay(database, number, owed("one"))
        assert states(database) == {"one": "waiting"}

    def test_and_another_replayed_stays_suppressed(self, database: Database) -> None:
        come(database, PURCHASE, owed("one"))
        second = come(database, PURCHASE, owed("two"), now=20.0)
        replay(database, second, owed("two"))
        assert states(database) == {"one": "waiting", "two": "suppressed"}

    def test_counts_although_the_vendor_said_no(self, database: Database) -> None:
        come(database, PURCHASE, owed("one"))
        self.end(database, "rejected")
        come(database, PURCHASE, owed("two"), now=20.0)
        assert states(database) == {"one": "rejected", "two": "suppressed"}

    def end(self, database: Database, state: str) -> None:
        with database.write() as connection:
            claim(connection, LANE, "turn", 10, Batch, 30.0)
            settle(connection, [settlement(connection, "one", 1, state, 30.0)], "turn", 30.0)


class TestWhatDoesNotCount:
    @pytest.mark.parametrize("state", ["suppressed", "rejected"])
    def test_an_event_of_which_nothing_is_to_be_sent(self, database: Database, state: str) -> None:
        come(database, PURCHASE, owed("one", state=state, reason="no consent"))
        come(database, PURCHASE, owed("two"), now=20.0)
        assert states(database) == {"one": state, "two": "waiting"}

    def test_but_one_that_does_something_all_the_same(self, database: Database) -> None:
        come(database, PURCHASE, owed("no", state="suppressed"), owed("yes", place=1))
        come(database, PURCHASE, owed("two"), now=20.0)
        assert states(database)["two"] == "suppressed"

    def test_what_was_called_off(self, database: Database) -> None:
        come(database, PURCHASE, later("one", once=FOR_EVER, unless=unless()))
        come(database, REFUND, now=20.0)
        come(database, PURCHASE, owed("two"), now=30.0, order="T2")
        assert states(database) == {"one": "suppressed", "two": "waiting"}

    def test_what_was_called_off_before_its_second_attempt(self, database: Database) -> None:
        come(database, PURCHASE, later("one", once=FOR_EVER, unless=unless()))
        promote(database)
        with database.write() as connection:
            tried = update(tables.deliveries).values(attempts=1, failures=1)
            connection.execute(tried)
        come(database, REFUND, now=AFTER + 1)
        come(database, PURCHASE, owed("two"), now=AFTER + 2, order="T2")
        assert states(database) == {"one": "suppressed", "two": "waiting"}

    def test_unless_some_of_it_was_sent_before(self, database: Database) -> None:
        sent, not_sent = owed("sent"), later("late", once=FOR_EVER, unless=unless(), place=1)
        come(database, PURCHASE, sent, not_sent)
        come(database, REFUND, now=20.0)
        come(database, PURCHASE, owed("two"), now=30.0, order="T2")
        assert states(database) == {"sent": "waiting", "late": "suppressed", "two": "suppressed"}

    def test_what_the_rules_of_now_do_not_send_any_more(self, database: Database) -> None:
        number = come(database, PURCHASE, later("one", once=FOR_EVER))
        replay(database, number, later("one", once=FOR_EVER, state="suppressed", reason="no"))
        come(database, PURCHASE, owed("two"), now=20.0)
        assert states(database) == {"one": "suppressed", "two": "waiting"}

    def test_what_a_refund_was_before(self, database: Database) -> None:
        """Routed at once: the first is called off, so the other does it."""
        numbers = [receive(database, f"key {n}") for n in range(3)]
        happened = [
            event(PURCHASE, later("one", once=FOR_EVER, unless=unless())),
            event(PURCHASE, owed("two"), order="T2"),
            event(REFUND),
        ]
        route(database, *(plan(*each) for each in zip(numbers, happened, strict=True)))
        assert states(database) == {"one": "suppressed", "two": "waiting"}


def test_what_is_scheduled_counts_before_it_is_sent(database: Database) -> None:
    come(database, PURCHASE, later("one", once=FOR_EVER))
    come(database, PURCHASE, owed("two"), now=20.0)
    promote(database)
    assert states(database) == {"one": "waiting", "two": "suppressed"}


class TestForgetting:
    def test_what_was_long_ago(self, database: Database) -> None:
        come(database, PURCHASE, owed("one", IN_30_DAYS), at=NOV_3, now=NOV_3)
        come(database, PURCHASE, owed("two", replace(FOR_EVER, key="bo")), at=NOV_3, now=NOV_3)
        assert self.forget(database, NOV_3 + 30 * DAY) == 0
        assert self.forget(database, NOV_3 + 31 * DAY) == 1
        assert kept(database) == 1

    def test_but_not_what_is_replayed_with_others_of_its_time(self, database: Database) -> None:
        now = NOV_3 + 400 * DAY
        for name in ("one", "two"):
            come(database, PURCHASE, owed(name, IN_30_DAYS), at=NOV_3, now=now)
            self.forget(database, now + DAY)
        assert states(database) == {"one": "waiting", "two": "suppressed"}

    def test_in_portions(self, database: Database) -> None:
        for n in range(5):
            once = Once(f"key-{n}", 1.0, "once per contact")
            come(database, PURCHASE, owed(f"d{n}", once), now=10.0)
        assert [self.forget(database, 100.0, 2) for _ in range(4)] == [2, 2, 1, 0]

    def forget(self, database: Database, now: float, limit: int = 100) -> int:
        with database.write() as connection:
            return occasions.forget(connection, now, limit)


def test_holders_tell_who_did_it_and_when(database: Database) -> None:
    first = come(database, PURCHASE, owed("one", IN_30_DAYS), at=NOV_3)
    later_on = come(database, PURCHASE, owed("two", IN_30_DAYS), at=NOV_3 + 40 * DAY)
    with database.read() as connection:
        found = occasions.holders(connection, ["ana", "nobody"])
    assert {key: [(each.place, each.at) for each in some] for key, some in found.items()} == {
        "ana": [((first, 1), NOV_3), ((later_on, 1), NOV_3 + 40 * DAY)]
    }


def test_a_batch_takes_as_many_statements_as_one_event(database: Database) -> None:
    def statements(count: int) -> int:
        some = [receive(database, f"{count} {n}") for n in range(count)]
        plans = [
            plan(each, event(PURCHASE, owed(f"d{each}", replace(FOR_EVER, key=f"k{each}"))))
            for each in some
        ]
        sent: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            sent.append(statement)

        sql.listen(database._engine, "before_cursor_execute", note)
        route(database, *plans)
        sql.remove(database._engine, "before_cursor_execute", note)
        return sum("occasions" in each or "cancellers" in each for each in sent)

    assert statements(1) == statements(40)


def test_bo_is_not_ana(database: Database) -> None:
    come(database, PURCHASE, owed("one"))
    once = replace(FOR_EVER, key="bo")
    come(database, PURCHASE, delivery("two", BO, once=once), person=BO, now=20.0)
    assert states(database) == {"one": "waiting", "two": "waiting"}
