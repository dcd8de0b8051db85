"""What becomes of deliveries, for every outcome that a connector can give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import event

from bridge.connector import (
    Delivered,
    Halted,
    Outcome,
    Rate,
    Rejected,
    Retry,
    Suppressed,
    Unknown,
)
from bridge.engine.drain import Drain
from bridge.engine.lease import Lease
from bridge.engine.limits import Limits
from bridge.engine.perform import Destination
from bridge.errors import LeaseLost
from bridge.ledger import accounts, lanes
from bridge.ledger.alerts import open_alerts
from bridge.ledger.claim import Batch, claim
from bridge.ledger.database import Database
from bridge.ledger.stories import DeliveryRecord, story
from tests.conftest import Now
from tests.engine.scripted import Message, Script, Scripted, Settings, destination, patience
from tests.ledger.records import delivery, plan_all

SEND, MERGE, POST = "scripted.send", "scripted.merge", "scripted.post"


@dataclass
class Bench:
    """One lane of one account, drained by hand."""

    database: Database
    script: Script
    now: Now
    destination: Destination

    def plan(self, *texts: str, lane: str = SEND, person: str = "") -> None:
        action = lane.partition(".")[2]
        owed = [
            delivery(text, person, lane=lane, account="scripted", action=action,
                     item={"text": text})
            for text in texts
        ]  # fmt: skip
        plan_all(self.database, owed, self.now())

    def drain(self, lane: str = SEND, **changes: Any) -> float:
        with self.database.write() as connection:
            lanes.wake(connection, lane, "job", self.now())
            assert lanes.take(connection, lane, "turn", self.now(), 30.0)
        with Lease(self.database, lane, "turn", 30.0, self.now, self.now()) as lease:
            drain = Drain(self.database, self.destination, patience(**changes), self.now)
            return drain.run(lease, lambda: False)

    def find(self, number: int = 1) -> DeliveryRecord:
        with self.database.read() as connection:
            found = story(connection, number)
        assert found is not None
        return found.events[0].deliveries[0]


@pytest.fixture
def bench(database: Database, now: Now) -> Bench:
    script = Script()
    return Bench(database, script, now, destination(script))


def test_a_lane_is_drained_in_order_until_it_is_empty(bench: Bench) -> None:
    texts = [f"message {number}" for number in range(25)]
    bench.plan(*texts)
    bench.drain()
    assert bench.script.sent == texts
    assert bench.find(25).state == "delivered"


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Delivered(reference="17"), "delivered"),
        (Rejected("no such channel"), "rejected"),
        (Suppressed("unsubscribed"), "suppressed"),
        (Retry("busy"), "waiting"),
        (Unknown("no answer"), "waiting"),
    ],
)
def test_each_outcome_leaves_its_state_and_its_story(
    bench: Bench, outcome: Outcome, state: str
) -> None:
    bench.script.answers = [outcome]
    bench.plan("hello")
    bench.drain()
    found = bench.find()
    assert found.state == state
    assert found.attempts[0].calls[0]["path"] == "/messages"
    assert found.reason == (getattr(outcome, "reason", None) or None)


def test_a_retry_waits_longer_each_time_and_then_is_a_dead_letter(bench: Bench) -> None:
    bench.script.answers = [Retry("busy")] * 3
    bench.plan("hello")
    waits = []
    for _ in range(3):
        bench.drain()
        waits.append(bench.find().due_at - bench.now())
        bench.now.advance(waits[-1])
    assert waits[:2] == [2.0, 4.0]
    assert (bench.find().state, bench.find().reason) == ("dead", "gave up after 3 attempts: busy")


def test_the_vendor_s_own_retry_after_is_honoured(bench: Bench) -> None:
    bench.script.answers = [Retry("busy", after=30.0)]
    bench.plan("hello")
    bench.drain()
    assert bench.find().due_at == bench.now() + 30.0


@pytest.mark.parametrize("whole_account", [False, True])
@pytest.mark.parametrize("lane", [SEND, POST])
def test_a_header_that_asks_for_days_gets_an_hour_and_is_told_of(
    bench: Bench, lane: str, whole_account: bool
) -> None:
    bench.script.answers = [Retry("busy", 999_999.0, whole_account=whole_account)]
    bench.plan("hello", lane=lane)
    bench.drain(lane)
    reason = "busy (asked for 278 hours, tried again after one)"
    assert 3600.0 <= bench.find().due_at - bench.now() <= 3602.0
    assert bench.find().reason == reason
    with bench.database.read() as connection:
        standing = accounts.standing(connection, "scripted")
    known = (standing.rest_until - bench.now(), standing.reason) if standing else None
    assert known == ((3600.0, reason) if whole_account else None)


def test_a_look_up_that_is_to_wait_for_days_waits_for_an_hour(bench: Bench) -> None:
    bench.plan("hello", lane=POST)
    bench.script.answers = [Unknown("no answer")]
    bench.drain(POST)
    bench.now.advance(60)
    bench.script.found = Retry("history is limited", 999_999.0)
    bench.drain(POST)
    assert bench.find().due_at == bench.now() + 3600.0


def test_a_delivery_that_is_too_old_is_given_up_after_a_few_tries(bench: Bench) -> None:
    bench.script.answers = [Retry("busy")] * 3
    bench.plan("hello")
    for _ in range(3):
        bench.now.advance(3600)
        bench.drain(attempts=12)
    assert (bench.find().state, bench.find().reason) == ("dead", "gave up after 1 hours: busy")


def test_rests_of_an_account_grow_until_a_call_is_taken(bench: Bench) -> None:
    down = Retry("unreachable", whole_account=True)
    bench.script.answers = [down] * 6
    bench.plan("one", "two")
    rests = []
    for _ in range(3):
        bench.drain()
        with bench.database.read() as connection:
            standing = accounts.standing(connection, "scripted")
        assert standing is not None
        rests.append(standing.rest_until - bench.now())
        bench.now.advance(rests[-1])
    bench.drain()
    assert rests == [2.0, 4.0, 8.0]
    with bench.database.read() as connection:
        assert accounts.standing(connection, "scripted") is None


def test_a_rate_limit_rests_the_whole_account_and_costs_no_attempt(bench: Bench) -> None:
    bench.script.answers = [Retry("limit", after=10.0, whole_account=True)]
    bench.plan("first", lane=POST)
    bench.drain(POST, attempts=1)
    bench.plan("second", lane=POST)
    bench.drain(POST, attempts=1)
    assert bench.script.sent == ["first"]
    bench.now.advance(10)
    bench.drain(POST, attempts=1)
    assert bench.script.sent == ["first", "first", "second"]
    assert bench.find().state == "delivered"


def test_a_refused_account_halts_spends_no_attempt_and_a_person_is_told(bench: Bench) -> None:
    bench.script.answers = [Halted("token revoked")]
    bench.plan("first", "second")
    bench.drain()
    assert (bench.find().state, bench.find().attempts[0].outcome) == ("waiting", "halted")
    bench.drain()
    assert bench.script.sent == ["first"]
    with bench.database.read() as connection:
        assert "token revoked" in open_alerts(connection)[0].text


def test_a_halted_account_goes_on_when_a_person_says_so(bench: Bench) -> None:
    bench.script.answers = [Halted("token revoked")]
    bench.plan("first")
    bench.drain()
    with bench.database.write() as connection:
        accounts.resume(connection, "scripted")
    bench.drain()
    assert bench.find().state == "delivered"
    with bench.database.read() as connection:
        assert open_alerts(connection) == []


def test_a_halted_account_goes_on_by_itself_with_other_credentials(bench: Bench) -> None:
    bench.script.answers = [Halted("token revoked")]
    bench.plan("first")
    bench.drain()
    bench.destination = replace(bench.destination, fingerprint="corrected")
    bench.drain()
    assert bench.find().state == "delivered"


def test_in_preview_nothing_is_sent_and_the_call_is_recorded(bench: Bench) -> None:
    bench.destination = destination(bench.script, preview=True)
    bench.plan("hello")
    bench.drain()
    found = bench.find()
    assert (found.state, bench.script.sent) == ("previewed", [])
    assert found.attempts[0].calls[0]["body"] == {"text": "hello"}


def test_many_previews_are_settled_in_few_transactions(bench: Bench) -> None:
    bench.destination = destination(bench.script, preview=True)
    texts = [f"message {number}" for number in range(60)]
    bench.plan(*texts, lane=POST, person="ana")
    commits: list[object] = []
    event.listen(bench.database._engine, "commit", commits.append)
    bench.drain(POST)
    found = [bench.find(number) for number in range(1, 61)]
    assert [each.state for each in found] == ["previewed"] * 60
    assert [each.attempts[0].calls[0]["body"]["text"] for each in found] == texts
    assert len(commits) < 10


def test_previews_of_a_worker_that_died_are_shown_all_the_same(bench: Bench) -> None:
    bench.destination = destination(bench.script, preview=True)
    bench.plan("one", "two", lane=POST)
    with bench.database.write() as connection:
        claim(connection, POST, "dead", 10, Batch, bench.now())
    bench.drain(POST)
    bench.now.advance(10)
    bench.drain(POST)
    found = [bench.find(number) for number in (1, 2)]
    assert [each.state for each in found] == ["previewed"] * 2
    assert [each.attempts[-1].calls[0]["body"]["text"] for each in found] == ["one", "two"]


def test_a_connector_s_bug_is_a_retry_and_its_message_is_not_kept(bench: Bench) -> None:
    bench.script.answers = [RuntimeError("token xoxb-secret")]
    bench.plan("hello")
    bench.drain()
    assert bench.find().reason == "the connector failed with RuntimeError"


def test_what_a_dead_worker_had_in_hand_is_looked_up_before_it_is_repeated(bench: Bench) -> None:
    bench.plan("hello", lane=POST)
    with bench.database.write() as connection:
        claim(connection, POST, "dead", 1, Batch, bench.now())
    bench.script.found = Delivered(reference="17")
    bench.drain(POST)
    assert bench.script.looked_up == [], "the vendor may still be at it"
    bench.now.advance(10)
    bench.drain(POST)
    assert (bench.script.sent, bench.script.looked_up) == ([], ["hello"])
    assert (bench.find().state, bench.find().reference) == ("delivered", "17")


def test_while_the_vendor_cannot_be_asked_nothing_is_sent_again(bench: Bench) -> None:
    bench.plan("hello", lane=POST)
    with bench.database.write() as connection:
        claim(connection, POST, "dead", 1, Batch, bench.now())
    bench.script.found = Retry("history is limited")
    bench.drain(POST)
    bench.now.advance(10)
    bench.drain(POST)
    assert bench.script.looked_up == ["hello"]
    assert bench.script.sent == []
    assert bench.find().state == "waiting"


@pytest.mark.parametrize(
    ("policy", "sent", "state"),
    [(None, 1, "dead"), ("keep", 1, "dead"), ("repeat", 2, "delivered")],
)
def test_what_nobody_can_tell_is_repeated_or_kept_for_a_person(
    bench: Bench, policy: Any, sent: int, state: str
) -> None:
    bench.destination = replace(bench.destination, settings=Settings(if_unknown=policy))
    bench.script.found = Unknown("this vendor cannot be asked")
    bench.script.answers = [Unknown("no answer")]
    bench.plan("hello", lane=POST)
    for _ in range(4):
        bench.drain(POST)
        bench.now.advance(60)
    assert bench.script.sent == ["hello"] * sent
    assert bench.find().state == state
    told = " ".join(attempt.reason or "" for attempt in bench.find().attempts)
    assert ("it may have been done already" in told) is (state == "dead")
    assert ("as `if_unknown` says" in told) is (policy == "repeat")


def test_a_lost_answer_is_looked_for_only_when_the_vendor_must_be_done(bench: Bench) -> None:
    bench.script.answers = [Unknown("no answer")]
    bench.plan("hello", lane=POST)
    bench.drain(POST)
    bench.now.advance(Settings().timeout - 0.1)
    bench.drain(POST)
    assert bench.script.looked_up == []
    bench.now.advance(0.2)
    bench.drain(POST)
    assert bench.script.looked_up == ["hello"]


@pytest.mark.parametrize(
    "nonsense",
    [
        [None],
        "sent",
        [Retry("soon", after="30")],  # type: ignore[arg-type]
        [Delivered(), Delivered()],
    ],
)
def test_an_answer_that_makes_no_sense_is_a_failure_with_an_end(
    bench: Bench, nonsense: Any
) -> None:
    class Confused(bench.destination.kind):  # type: ignore[name-defined, misc]
        def send(self, items: Sequence[Message]) -> list[Outcome]:
            self.script.sent.append("again")
            return nonsense  # type: ignore[no-any-return]

        send.action = Scripted.send.action  # type: ignore[attr-defined]

    bench.destination = replace(bench.destination, connector=Confused(None))
    bench.plan("hello")
    for _ in range(6):
        bench.drain()
        bench.now.advance(3600)
    assert bench.script.sent == ["again"] * 3
    assert bench.find().state == "dead"


def test_what_is_not_there_is_sent_again(bench: Bench) -> None:
    bench.plan("hello", lane=POST)
    with bench.database.write() as connection:
        claim(connection, POST, "dead", 1, Batch, bench.now())
    bench.drain(POST)
    bench.now.advance(10)
    bench.drain(POST)
    assert bench.script.sent == ["hello"]
    assert [attempt.outcome for attempt in bench.find().attempts] == [
        "unknown",
        "absent",
        "delivered",
    ]


def test_what_is_the_same_twice_is_sent_again_without_looking(bench: Bench) -> None:
    bench.plan("hello")
    with bench.database.write() as connection:
        claim(connection, SEND, "dead", 1, Batch, bench.now())
    bench.drain()
    assert bench.script.sent == [], "the dead worker's call may still be under way"
    bench.now.advance(Settings().timeout)
    bench.drain()
    assert (bench.script.sent, bench.script.looked_up) == (["hello"], [])


def test_an_item_that_no_longer_fits_is_rejected_and_its_neighbours_are_sent(
    bench: Bench,
) -> None:
    odd = delivery("odd", lane=SEND, account="scripted", action="send", item={"gone": 1})
    plan_all(bench.database, [odd], bench.now())
    bench.plan("good")
    bench.drain()
    assert bench.script.sent == ["good"]
    assert "replay the event" in (bench.find(1).reason or "")


def test_a_turn_whose_lease_lapsed_sends_nothing_more(bench: Bench) -> None:
    bench.plan("hello")
    with bench.database.write() as connection:
        lanes.wake(connection, SEND, "job", bench.now())
        lanes.take(connection, SEND, "turn", bench.now(), 30.0)
    with Lease(bench.database, SEND, "turn", 30.0, bench.now, bench.now(), bench.now) as lease:
        bench.now.advance(31)
        with pytest.raises(LeaseLost):
            Drain(bench.database, bench.destination, patience(), bench.now).run(
                lease, lambda: False
            )
    assert bench.script.sent == []


def test_a_connector_that_answers_for_too_few_items_is_asked_again(bench: Bench) -> None:
    class Forgetful(bench.destination.kind):  # type: ignore[name-defined, misc]
        def send(self, items: Sequence[Message]) -> list[Outcome]:
            return [Delivered()]

        send.action = Scripted.send.action  # type: ignore[attr-defined]

    bench.destination = replace(bench.destination, connector=Forgetful(None))
    bench.plan("first", "second")
    bench.drain()
    assert bench.find(1).state == "waiting"
    assert bench.find(1).reason == "the connector answered 1 of 2 items"


def test_what_is_late_becomes_one_message(bench: Bench) -> None:
    bench.plan("one", "two", "three", lane=POST)
    bench.now.advance(61)
    bench.drain(POST)
    assert bench.script.digests == [["one", "two", "three"]]
    assert bench.script.sent == []
    assert {bench.find(number).state for number in (1, 2, 3)} == {"delivered"}
    assert bench.find(1).attempts[0].calls[0]["body"] == {"texts": ["one", "two", "three"]}
    assert bench.find(2).reason == (
        "in one message with 2 others, since the lane was behind; delivery one has its text"
    )


def test_what_keeps_up_is_sent_one_by_one(bench: Bench) -> None:
    bench.plan("one", "two", lane=POST)
    bench.now.advance(59)
    bench.drain(POST)
    assert (bench.script.sent, bench.script.digests) == (["one", "two"], [])


def test_what_could_not_keep_up_becomes_one_message_at_once(bench: Bench) -> None:
    class Slow(bench.destination.kind):  # type: ignore[name-defined, misc]
        rates = (Rate(1, 20.0, per_lane=True),)

    bench.destination = replace(bench.destination, kind=Slow, connector=Slow(Settings()))
    bench.plan("one", "two", "three", lane=POST)
    bench.drain(POST)
    assert bench.script.digests == [["one", "two", "three"]]


def test_what_is_late_but_alone_is_sent_as_it_is(bench: Bench) -> None:
    bench.plan("one", lane=POST)
    bench.now.advance(61)
    bench.drain(POST)
    assert (bench.script.sent, bench.script.digests) == (["one"], [])


def test_a_digest_whose_answer_was_lost_is_looked_for_once_by_its_own_name(bench: Bench) -> None:
    bench.plan("one", "two", lane=POST)
    bench.now.advance(61)
    bench.script.answers = [Unknown("no answer")]
    bench.drain(POST)
    bench.plan("three", lane=POST)
    bench.script.found = Delivered(reference="17")
    bench.now.advance(30)
    bench.drain(POST)
    (looked_up,) = bench.script.looked_up
    assert looked_up.startswith("digest-")
    assert [bench.find(number).reference for number in (1, 2)] == ["17", "17"]
    assert bench.script.sent == ["three"]


def test_a_digest_that_is_not_there_is_sent_under_another_name(bench: Bench) -> None:
    bench.plan("one", "two", lane=POST)
    bench.now.advance(61)
    bench.script.answers = [Unknown("no answer"), Unknown("no answer")]
    for _ in range(5):
        bench.drain(POST)
        bench.now.advance(30)
    assert bench.script.digests == [["one", "two"]] * 3
    assert len(set(bench.script.looked_up)) == 2
    assert bench.find(2).state == "delivered"


def test_one_person_s_items_come_one_by_one_unless_the_action_merges(bench: Bench) -> None:
    bench.script.answers = [Retry("busy", after=5.0)]
    bench.plan("one", "two", person="ana")
    bench.drain()
    assert bench.script.sent == ["one"]
    bench.now.advance(5)
    bench.drain()
    assert bench.script.sent == ["one", "one", "two"]


def test_an_action_that_merges_gets_one_person_s_items_together(bench: Bench) -> None:
    bench.plan("one", "two", lane=MERGE, person="ana")
    bench.drain(MERGE)
    assert bench.script.batches == [["one", "two"]]


def test_what_is_merged_of_one_person_is_due_again_together(bench: Bench) -> None:
    jitter = iter([0.9, 0.1])
    bench.script.answers = [Retry("busy"), Retry("busy")]
    bench.plan("one", "two", lane=MERGE, person="ana")
    bench.drain(MERGE, jitter=lambda: next(jitter))
    assert bench.find(1).due_at == bench.find(2).due_at == bench.now() + 1.8


def test_one_that_makes_its_account_rest_holds_up_nobody_for_good(bench: Bench) -> None:
    class Barred(bench.destination.kind):  # type: ignore[name-defined, misc]
        def merge(self, items: Sequence[Message]) -> list[Outcome]:
            if any(item.text == "<script>" for item in items):
                return [Retry("something refuses our calls (403)", whole_account=True)] * len(items)
            return [self._answer(item) for item in items]

        merge.action = Scripted.merge.action  # type: ignore[attr-defined]

    bench.destination = replace(bench.destination, kind=Barred, connector=Barred(None))
    bench.plan("<script>", *(f"good-{number}" for number in range(30)), lane=MERGE)
    for number in range(30, 60):
        bench.drain(MERGE)
        bench.now.advance(60)
        bench.plan(f"good-{number}", lane=MERGE)
    bench.drain(MERGE)
    assert sorted(bench.script.sent) == sorted(f"good-{number}" for number in range(60))
    assert bench.find(1).state == "dead"


def test_a_call_that_was_under_way_ends_no_rest_that_came_meanwhile(bench: Bench) -> None:
    with bench.database.write() as connection:
        accounts.rest(connection, "scripted", "the day is used up", bench.now() + 60, bench.now())
        assert not accounts.note_success(connection, "scripted", "f", bench.now())
        assert accounts.standing(connection, "scripted") is not None
        assert accounts.note_success(connection, "scripted", "f", bench.now() + 60)


def test_a_lane_that_is_lost_in_mid_batch_gets_no_further_call(bench: Bench, redis: Redis) -> None:
    now = bench.now

    class OneByOne(bench.destination.kind):  # type: ignore[name-defined, misc]
        rates = ()

        def send(self, items: Sequence[Message]) -> list[Outcome]:
            outcomes = []
            for item in items:
                with self.pacer.call():
                    outcomes.append(self._answer(item))
                now.advance(20)
            return outcomes

        send.action = Scripted.send.action  # type: ignore[attr-defined]

    pacer = Limits(redis).pacer("scripted", OneByOne, 1.0)
    bench.destination = replace(
        bench.destination, kind=OneByOne, connector=OneByOne(Settings(), pacer), pacer=pacer
    )
    bench.plan("one", "two", "three")
    with bench.database.write() as connection:
        lanes.wake(connection, SEND, "job", now())
        lanes.take(connection, SEND, "turn", now(), 30.0)
    with Lease(bench.database, SEND, "turn", 30.0, now, now(), now) as lease:
        drain = Drain(bench.database, bench.destination, patience(), now)
        with pytest.raises(LeaseLost):
            drain.run(lease, lambda: False)
    assert bench.script.sent == ["one", "two"]


def test_a_limit_that_says_wait_ends_the_turn(bench: Bench, redis: Redis) -> None:
    class Slow(bench.destination.kind):  # type: ignore[name-defined, misc]
        rates = (Rate(1, 10.0),)

    pacer = Limits(redis).pacer("scripted", Slow, 1.0)
    bench.destination = replace(
        bench.destination, kind=Slow, connector=Slow(Settings(), pacer), pacer=pacer
    )
    bench.plan("one", "two", lane=POST)
    assert 10 < bench.drain(POST) < 12
    assert bench.script.sent == ["one"]
