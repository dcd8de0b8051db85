"""What is scheduled keeps nothing back until it is due, and then does not undo what undid it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select, update

from bridge.engine import late
from bridge.ledger import consents, prune, scheduled
from bridge.ledger.backlog import backlog, owed_to
from bridge.ledger.books import DELIVERY_STATES, books
from bridge.ledger.claim import Batch, claim
from bridge.ledger.database import Connection, Database
from bridge.ledger.dead import groups
from bridge.ledger.due import due_lanes, is_due
from bridge.ledger.look_up import Filters, recent
from bridge.ledger.newer import Newer
from bridge.ledger.plan import Once, PlannedConsent
from bridge.ledger.replay import replay_deliveries, replay_webhook
from bridge.ledger.selection import Selection, next_deliveries
from bridge.ledger.settle import settle
from bridge.ledger.stories import story
from bridge.ledger.tables import deliveries, webhooks
from bridge.ledger.verify import Verdict, verify
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
    plan,
    promote,
    receive,
    route,
    states,
    unless,
)
from tests.ledger.records import LANE, accept, arrival, delivery, settlement

CONTACT: dict[str, Any] = {"action": "upsert_contact", "lane": "hubspot.upsert_contact"}


class Killed(Exception):
    """Whatever was not committed is not there."""


def take(database: Database, now: float = AFTER, lane: str = LANE) -> list[str]:
    """Claim what is ready in a lane."""
    with database.write() as connection:
        batch = claim(connection, lane, "turn", 100, Batch, now)
    return [each.id for each in batch.deliveries]


def end(database: Database, *names: str, state: str = "delivered", now: float = AFTER) -> None:
    with database.write() as connection:
        ends = [settlement(connection, each, 1, state, now, failures=1) for each in names]
        settle(connection, ends, "turn", now)


def send(database: Database, now: float = AFTER, lane: str = LANE) -> list[str]:
    """All that a lane has, in the order in which it is sent."""
    sent = []
    while names := take(database, now, lane):
        end(database, *names, now=now)
        sent += names
    return sent


def texts(database: Database, names: list[str]) -> list[str]:
    with database.read() as connection:
        rows = connection.execute(select(deliveries.c.id, deliveries.c.item)).all()
    said = {row.id: row.item["text"] for row in rows}
    return [said[name] for name in names]


def verdict(database: Database) -> Verdict:
    with database.snapshot() as connection:
        return verify(connection, lambda _done, _total: None)


class TestUntilItIsDue:
    def test_nothing_sees_it(self, database: Database) -> None:
        come(database, PURCHASE, later("late"))
        with database.read() as connection:
            assert due_lanes(connection, AFTER - 1) == []
            assert not is_due(connection, LANE, AFTER - 1)
            assert scheduled.due(connection, AFTER - 1) == []
        assert take(database, AFTER - 1) == []

    def test_what_comes_after_it_for_the_same_person_goes_on(self, database: Database) -> None:
        come(database, PURCHASE, later("late"))
        come(database, PURCHASE, delivery("now", ANA), now=20.0)
        assert send(database, 20.0) == ["now"]
        assert verdict(database).is_right

    def test_it_is_no_backlog(self, database: Database) -> None:
        come(database, PURCHASE, later("late"), delivery("now", ANA, place=1))
        with database.read() as connection:
            assert backlog(connection, 100) == 1
            assert owed_to(connection, "slack") == 1

    def test_it_is_in_the_books(self, database: Database) -> None:
        come(database, PURCHASE, later("late"), delivery("now", ANA, place=1))
        with database.snapshot() as connection:
            found = books(connection).deliveries
        assert found.states == {"scheduled": 1, "waiting": 1}
        assert found.counted == 2
        assert found.is_balanced
        assert "scheduled" in DELIVERY_STATES

    def test_the_whole_ledger_is_right(self, database: Database) -> None:
        come(database, PURCHASE, later("late", unless=unless()))
        found = verdict(database)
        assert found.is_right, found.findings

    def test_a_body_that_is_emptied_all_the_same_is_found(self, database: Database) -> None:
        come(database, PURCHASE, later("late"))
        with database.write() as connection:
            connection.execute(update(webhooks).values(pruned_at=5.0))
        assert [each.what for each in verdict(database).findings] == ["webhooks emptied too early"]

    def test_nothing_of_its_event_is_pruned(self, database: Database) -> None:
        come(database, PURCHASE, later("late", due_at=2e9))
        with database.write() as connection:
            assert prune.empty_bodies(connection, 1e9, RetentionConfig(), 0, 10).count == 0
            assert prune.drop_records(connection, 1e9, RetentionConfig(), 0, 10).count == 0

    def test_it_is_no_dead_letter(self, database: Database) -> None:
        come(database, PURCHASE, later("late"))
        with database.read() as connection:
            for state in ("dead", "rejected", "previewed"):
                chosen = Selection(state=state)
                assert groups(connection, chosen) == []
                assert next_deliveries(connection, chosen, (0, 0, 0), 10) == []

    def test_its_event_says_when(self, database: Database) -> None:
        come(database, PURCHASE, later("late"), later("later", due_at=5000.0, place=1))
        come(database, PURCHASE, delivery("now", ANA), now=20.0)
        with database.read() as connection:
            now, before = recent(connection, Filters(), 10)
            found = recent(connection, Filters(state="scheduled"), 10)
        assert (before.deliveries, before.due_at) == ({"scheduled": 2}, AFTER)
        assert (now.deliveries, now.due_at) == ({"waiting": 1}, None)
        assert [each.id for each in found] == [before.id]


class TestPromotion:
    def test_makes_it_wait_as_of_now(self, database: Database) -> None:
        """Not older than that, else it would be late at once, or given up."""
        come(database, PURCHASE, later("late"))
        assert promote(database, AFTER + 500) == 1
        with database.read() as connection:
            row = connection.execute(select(deliveries)).one()
            assert due_lanes(connection, AFTER + 500) == [LANE]
        assert (row.state, row.due_at, row.planned_at) == ("waiting", AFTER + 500, AFTER + 500)
        assert send(database, AFTER + 500) == ["late"]

    def test_is_done_once_however_often_it_is_asked_for(self, database: Database) -> None:
        come(database, PURCHASE, later("late"))
        with database.read() as connection:
            ids = scheduled.due(connection, AFTER)
        counts = []
        for _ in range(2):
            with database.write() as connection:
                counts.append(scheduled.promote(connection, ids, AFTER, may_repeat))
        assert counts == [1, 0]
        assert send(database) == ["late"]

    def test_takes_what_is_due_longest_first_a_portion_at_a_time(self, database: Database) -> None:
        due = {"c": 3.0, "a": 1.0, "d": 4.0, "b": 2.0}
        for place, (name, at) in enumerate(due.items()):
            come(database, PURCHASE, later(name, due_at=100 + at), now=10.0 + place)
        with database.read() as connection:
            assert scheduled.due(connection, 103.5, 2) == ["a", "b"]
            assert scheduled.due(connection, 103.5) == ["a", "b", "c"]

    def test_a_killed_clock_leaves_it_to_the_next(self, database: Database) -> None:
        come(database, PURCHASE, later("late"))
        with pytest.raises(Killed), database.write() as connection:
            self.promote_and_die(connection)
        assert states(database) == {"late": "scheduled"}
        assert promote(database) == 1

    def promote_and_die(self, connection: Connection) -> None:
        assert scheduled.promote(connection, ["late"], AFTER, may_repeat) == 1
        raise Killed

    def test_several_of_a_person_are_sent_in_the_order_of_receipt(self, database: Database) -> None:
        """Whatever the order in which they became due."""
        for place, name in enumerate("abc"):
            come(database, PURCHASE, later(name, due_at=AFTER - place), now=10.0 + place)
        come(database, PURCHASE, delivery("now", ANA), now=20.0)
        assert promote(database) == 3
        assert take(database) == ["a", "b", "c", "now"]

    def test_what_waits_for_another_try_holds_back_what_is_promoted_after_it(
        self, database: Database
    ) -> None:
        come(database, PURCHASE, delivery("now", ANA))
        come(database, PURCHASE, later("late"), now=20.0)
        take(database, 20.0)
        with database.write() as connection:
            again = settlement(connection, "now", 1, "waiting", AFTER + 60, outcome="retry")
            settle(connection, [again], "turn", 30.0)
        promote(database)
        assert take(database) == []
        assert take(database, AFTER + 60) == ["now", "late"]

    def test_nobody_was_overtaken(self, database: Database) -> None:
        come(database, PURCHASE, later("late"))
        come(database, PURCHASE, delivery("now", ANA), now=20.0)
        send(database, 20.0)
        promote(database)
        send(database)
        found = verdict(database)
        assert found.is_right, found.findings

    def test_two_clocks_at_once_promote_each_once(self, database: Database) -> None:
        for place in range(40):
            come(database, PURCHASE, later(f"d{place}"), now=10.0 + place)
        counts: list[int] = []

        def tick() -> None:
            while count := promote(database):
                counts.append(count)

        clocks = [threading.Thread(target=tick) for _ in range(4)]
        for clock in clocks:
            clock.start()
        for clock in clocks:
            clock.join()
        promote(database)
        assert set(states(database).values()) == {"waiting"}
        assert sum(counts) <= 40
        with database.read() as connection:
            assert books(connection).are_balanced


class TestWhatUndidIt:
    """A purchase's delivery that is sent after the refund's must not have the last word."""

    def test_has_the_last_word(self, database: Database) -> None:
        come(database, PURCHASE, later("bought", **CONTACT))
        come(database, REFUND, delivery("refunded", ANA, **CONTACT), now=20.0)
        assert send(database, 20.0, CONTACT["lane"]) == ["refunded"]
        promote(database)
        names = send(database, AFTER, CONTACT["lane"])
        assert texts(database, names) == ["bought", "refunded"]
        found = verdict(database)
        assert found.is_right, found.findings

    def test_has_it_where_it_came_before_its_purchase(self, database: Database) -> None:
        come(database, REFUND, delivery("refunded", ANA, **CONTACT))
        send(database, 10.0, CONTACT["lane"])
        come(database, PURCHASE, later("bought", **CONTACT), now=20.0)
        assert send(database, 20.0, CONTACT["lane"]) == []
        promote(database)
        names = send(database, AFTER, CONTACT["lane"])
        assert texts(database, names) == ["bought", "refunded"]

    def test_and_its_purchase_says_so(self, database: Database) -> None:
        come(database, REFUND, delivery("refunded", ANA, **CONTACT))
        number = come(database, PURCHASE, later("bought", **CONTACT), now=20.0)
        with database.read() as connection:
            found = story(connection, number)
        assert found is not None
        (remark,) = found.events[0].remarks
        assert "done once more behind what this writes" in remark

    def test_has_it_while_it_waits_itself(self, database: Database) -> None:
        come(database, PURCHASE, later("bought", **CONTACT))
        come(database, REFUND, delivery("refunded", ANA, **CONTACT), now=20.0)
        promote(database)
        names = send(database, AFTER, CONTACT["lane"])
        assert texts(database, names)[0] == "bought"
        assert texts(database, names)[-1] == "refunded"

    def test_is_not_done_once_more_where_it_is_scheduled_after_it(self, database: Database) -> None:
        come(database, PURCHASE, later("bought", **CONTACT))
        refund = later("refunded", **CONTACT, due_at=AFTER + 1)
        come(database, REFUND, refund, now=20.0)
        promote(database)
        assert send(database, AFTER, CONTACT["lane"]) == ["bought"]
        promote(database, AFTER + 1)
        assert send(database, AFTER + 1, CONTACT["lane"]) == ["refunded"]

    def test_nor_where_it_is_promoted_with_it_behind_it(self, database: Database) -> None:
        come(database, PURCHASE, later("bought", **CONTACT))
        come(database, REFUND, later("refunded", **CONTACT), now=20.0)
        promote(database)
        assert send(database, AFTER, CONTACT["lane"]) == ["bought", "refunded"]

    def test_but_where_it_is_promoted_with_it_and_goes_before_it(self, database: Database) -> None:
        come(database, REFUND, later("refunded", **CONTACT))
        come(database, PURCHASE, later("bought", **CONTACT), now=20.0)
        promote(database)
        names = send(database, AFTER, CONTACT["lane"])
        assert texts(database, names) == ["refunded", "bought", "refunded"]

    def test_and_where_it_was_scheduled_before_it(self, database: Database) -> None:
        come(database, PURCHASE, later("bought", **CONTACT))
        come(database, REFUND, later("refunded", **CONTACT, due_at=AFTER - 1), now=20.0)
        promote(database, AFTER - 1)
        send(database, AFTER - 1, CONTACT["lane"])
        promote(database)
        names = send(database, AFTER, CONTACT["lane"])
        assert texts(database, names) == ["bought", "refunded"]

    def test_is_scheduled_still_when_a_late_purchase_is_sent_at_once(
        self, database: Database
    ) -> None:
        come(database, REFUND, later("refunded", **CONTACT))
        come(database, PURCHASE, delivery("bought", ANA, **CONTACT), now=20.0)
        assert send(database, 20.0, CONTACT["lane"]) == ["bought"]
        promote(database)
        assert send(database, AFTER, CONTACT["lane"]) == ["refunded"]

    def test_is_scheduled_still_where_both_are_routed_at_once(self, database: Database) -> None:
        numbers = [receive(database, "one"), receive(database, "two")]
        made = [
            event(REFUND, later("refunded", **CONTACT)),
            event(PURCHASE, delivery("bought", ANA, **CONTACT)),
        ]
        route(database, *(plan(*each) for each in zip(numbers, made, strict=True)))
        assert send(database, 20.0, CONTACT["lane"]) == ["bought"]

    def test_has_it_also_where_its_late_purchase_waits_when_it_is_promoted(
        self, database: Database
    ) -> None:
        """In the order of receipt the purchase would be sent after it."""
        self.late(database)
        promote(database)
        names = send(database, AFTER, CONTACT["lane"])
        assert texts(database, names) == ["refunded", "bought", "refunded"]

    def test_and_where_it_is_sent_sooner_by_hand(self, database: Database) -> None:
        self.late(database)
        with database.write() as connection:
            assert replay_deliveries(connection, ["refunded"], 30.0, may_repeat).behind == 1
        names = send(database, 30.0, CONTACT["lane"])
        assert texts(database, names) == ["refunded", "bought", "refunded"]

    def test_and_where_a_replay_by_other_rules_sends_it_at_once(self, database: Database) -> None:
        refund = self.late(database)
        with database.write() as connection:
            replay_webhook(connection, refund)
        made = event(REFUND, delivery("refunded", ANA, **CONTACT))
        route(database, plan(refund, made, replayed=True), now=30.0)
        names = send(database, 30.0, CONTACT["lane"])
        assert texts(database, names) == ["refunded", "bought", "refunded"]

    def test_and_where_it_is_promoted_while_its_late_purchase_is_routed(
        self, database: Database
    ) -> None:
        come(database, REFUND, later("refunded", **CONTACT))
        purchase = plan(receive(database, "late"), self.bought())
        with database.read() as connection:
            before = late.look(connection, [purchase])
        at_once(
            database,
            lambda connection: late.record(connection, [purchase], before, may_repeat, AFTER),
            lambda: promote(database),
        )
        promote(database)
        names = send(database, AFTER, CONTACT["lane"])
        assert texts(database, names)[-2:] == ["bought", "refunded"]

    def test_and_where_its_late_purchase_is_routed_while_it_is_promoted(
        self, database: Database
    ) -> None:
        come(database, REFUND, later("refunded", **CONTACT))
        number = receive(database, "late")
        at_once(
            database,
            lambda connection: scheduled.promote(connection, ["refunded"], AFTER, may_repeat),
            lambda: route(database, plan(number, self.bought()), now=AFTER),
        )
        names = send(database, AFTER, CONTACT["lane"])
        assert texts(database, names) == ["refunded", "bought", "refunded"]

    def test_is_not_done_once_more_where_its_purchase_goes_before_it_anyhow(
        self, database: Database
    ) -> None:
        come(database, PURCHASE, delivery("bought", ANA, **CONTACT))
        come(database, REFUND, later("refunded", **CONTACT), now=20.0)
        promote(database)
        assert send(database, AFTER, CONTACT["lane"]) == ["bought", "refunded"]

    def test_alone_is_done_once_more_and_no_other_of_its_kind(self, database: Database) -> None:
        come(database, REFUND, delivery("first", ANA, **CONTACT))
        send(database, 10.0, CONTACT["lane"])
        come(database, REFUND, later("second", **CONTACT), now=15.0)
        come(database, PURCHASE, delivery("bought", ANA, **CONTACT), now=20.0)
        end(database, *take(database, 20.0, CONTACT["lane"]), state="waiting")
        promote(database)
        said = texts(database, send(database, AFTER, CONTACT["lane"]))
        assert said[:3] == ["second", "bought", "first"]
        assert set(said[3:]) == {"second"}

    def late(self, database: Database) -> int:
        """A refund that is scheduled, and its purchase after it, which waits."""
        refund = come(database, REFUND, later("refunded", **CONTACT))
        purchase = receive(database, "late")
        route(database, plan(purchase, self.bought()), now=20.0)
        return refund

    def bought(self) -> Any:
        return event(PURCHASE, delivery("bought", ANA, **CONTACT))

    def test_was_done_before_and_is_scheduled_once_more_by_a_replay(
        self, database: Database
    ) -> None:
        """The refund's rule waits now; what it wrote then is the last word until it is due."""
        numbers = [receive(database, "one"), receive(database, "two")]
        refund = event(REFUND, delivery("refunded", ANA, **CONTACT))
        purchase = event(PURCHASE, delivery("bought", ANA, **CONTACT))
        route(database, plan(numbers[0], refund))
        route(database, plan(numbers[1], purchase))
        assert take(database, 20.0, CONTACT["lane"]) == ["refunded", "bought", self.last(database)]
        end(database, "refunded", now=20.0)
        end(database, "bought", self.last(database), state="rejected", now=20.0)
        again = event(REFUND, later("refunded", **CONTACT))
        made = [plan(numbers[0], again, replayed=True), plan(numbers[1], purchase, replayed=True)]
        route(database, *made, now=30.0)
        names = send(database, 30.0, CONTACT["lane"])
        assert texts(database, names)[-1] == "refunded"

    def last(self, database: Database) -> str:
        with database.read() as connection:
            query = select(deliveries.c.id).where(deliveries.c.repeats.is_not(None))
            return str(connection.execute(query).scalar_one())

    @pytest.mark.parametrize("first", [PURCHASE, REFUND])
    def test_is_not_done_once_more_where_it_was_called_off_itself(
        self, database: Database, first: str
    ) -> None:
        never = later("never", **CONTACT, state="suppressed", reason="once per contact: ...")
        come(database, REFUND, never) if first == REFUND else None
        come(database, PURCHASE, later("bought", **CONTACT), now=20.0)
        come(database, REFUND, never, now=30.0) if first == PURCHASE else None
        promote(database)
        assert send(database, AFTER, CONTACT["lane"]) == ["bought"]

    def test_is_not_needed_where_the_purchase_is_called_off(self, database: Database) -> None:
        come(database, PURCHASE, later("bought", **CONTACT, unless=unless()))
        come(database, REFUND, delivery("refunded", ANA, **CONTACT), now=20.0)
        promote(database)
        assert send(database, AFTER, CONTACT["lane"]) == ["refunded"]

    def test_is_another_person_s_or_a_message(self, database: Database) -> None:
        come(database, PURCHASE, later("bought"), later("noted", **CONTACT, place=1))
        come(database, REFUND, delivery("refunded", ANA), now=20.0)
        other = delivery("other", BO, **CONTACT)
        come(database, REFUND, other, person=BO, now=21.0)
        send(database, 21.0)
        send(database, 21.0, CONTACT["lane"])
        promote(database)
        assert send(database) == ["bought"]
        assert send(database, AFTER, CONTACT["lane"]) == ["noted"]


class TestReplays:
    def test_of_its_event_leave_it_scheduled_once(self, database: Database) -> None:
        number = come(database, PURCHASE, later("late"))
        self.replay(database, number, later("late"))
        assert states(database) == {"late": "scheduled"}
        promote(database)
        assert send(database) == ["late"]

    def test_take_the_words_and_the_time_of_the_rules_of_now(self, database: Database) -> None:
        number = come(database, PURCHASE, later("late"))
        self.replay(database, number, later("late", item={"text": "new"}, due_at=AFTER - 5))
        assert promote(database, AFTER - 5) == 1
        assert texts(database, ["late"]) == ["new"]

    def test_send_it_at_once_where_its_rule_does_not_wait_any_more(
        self, database: Database
    ) -> None:
        number = come(database, PURCHASE, later("late"))
        self.replay(database, number, delivery("late", ANA))
        assert send(database, 30.0) == ["late"]

    def test_with_what_undid_it_behind_it(self, database: Database) -> None:
        number = come(database, PURCHASE, later("bought", **CONTACT))
        come(database, REFUND, delivery("refunded", ANA, **CONTACT), now=20.0)
        send(database, 20.0, CONTACT["lane"])
        self.replay(database, number, delivery("bought", ANA, **CONTACT))
        names = send(database, 30.0, CONTACT["lane"])
        assert texts(database, names) == ["bought", "refunded"]

    def test_schedule_what_ended_otherwise(self, database: Database) -> None:
        number = come(database, PURCHASE, delivery("late", ANA))
        take(database, 20.0)
        end(database, "late", state="dead", now=20.0)
        self.replay(database, number, later("late"))
        assert states(database) == {"late": "scheduled"}
        promote(database)
        assert take(database) == ["late"]

    def test_leave_what_was_promoted_alone(self, database: Database) -> None:
        number = come(database, PURCHASE, later("late"))
        promote(database)
        self.replay(database, number, later("late", due_at=9e9))
        assert states(database) == {"late": "waiting"}

    def test_of_the_delivery_send_it_now(self, database: Database) -> None:
        come(database, PURCHASE, later("late"))
        with database.write() as connection:
            again = replay_deliveries(connection, ["late"], 20.0, may_repeat)
        assert (again.sent, again.behind) == (1, 0)
        assert send(database, 20.0) == ["late"]
        assert promote(database) == 0

    def test_of_the_delivery_put_what_undid_it_behind_it(self, database: Database) -> None:
        come(database, PURCHASE, later("bought", **CONTACT))
        come(database, REFUND, delivery("refunded", ANA, **CONTACT), now=20.0)
        send(database, 20.0, CONTACT["lane"])
        with database.write() as connection:
            assert replay_deliveries(connection, ["bought"], 30.0, may_repeat).behind == 1
        names = send(database, 30.0, CONTACT["lane"])
        assert texts(database, names) == ["bought", "refunded"]

    def test_of_an_older_one_see_it_once_it_was_sent(self, database: Database) -> None:
        """However long the replay goes on."""
        come(database, PURCHASE, delivery("old", ANA))
        take(database, 20.0)
        end(database, "old", state="dead", now=20.0)
        come(database, PURCHASE, later("late"), now=20.0)
        # So many that it is not read again for being among the last.
        accept(database, *(arrival(f"q{n}", quarantine="stale-timestamp") for n in range(300)))
        with database.read() as connection:
            newer = Newer(connection, Selection(state="dead"))
            ((unit,),) = [next_deliveries(connection, Selection(state="dead"), (0, 0, 0), 10)]
        (candidate,) = unit.deliveries
        assert not newer.has_passed(candidate)
        promote(database)
        send(database)
        with database.read() as connection:
            newer.look_again(connection, [candidate])
        assert newer.has_passed(candidate)

    def replay(self, database: Database, number: int, owed: Any) -> None:
        with database.write() as connection:
            replay_webhook(connection, number)
        route(database, plan(number, event(PURCHASE, owed), replayed=True), now=30.0)
        with database.read() as connection:
            assert books(connection).are_balanced


class TestForgettingAPerson:
    YES = PlannedConsent(ANA, "subscribe", True, None)
    NO = PlannedConsent(ANA, "unsubscribe", None, None)

    def test_calls_off_their_subscription(self, database: Database) -> None:
        come(database, PURCHASE, later("on", consent=self.YES))
        assert self.forget(database) == 1
        assert states(database) == {"on": "suppressed"}
        assert promote(database) == 0

    def test_lets_them_do_once_what_was_called_off(self, database: Database) -> None:
        once = Once("ana", None, "once per contact")
        come(database, PURCHASE, later("on", consent=self.YES, once=once))
        self.forget(database)
        come(database, PURCHASE, later("again", consent=self.YES, once=once), now=40.0)
        assert states(database) == {"on": "suppressed", "again": "scheduled"}

    def test_waits_for_them_to_be_taken_off_a_list(self, database: Database) -> None:
        come(database, PURCHASE, later("on", consent=self.YES))
        come(database, REFUND, later("off", consent=self.NO), now=20.0)
        assert self.forget(database) is None
        assert states(database) == {"on": "scheduled", "off": "scheduled"}

    def test_waits_for_what_was_promoted(self, database: Database) -> None:
        come(database, PURCHASE, later("on", consent=self.YES))
        promote(database)
        assert self.forget(database) is None

    def forget(self, database: Database) -> int | None:
        with database.write() as connection:
            return consents.forget(connection, ANA, 30.0)
