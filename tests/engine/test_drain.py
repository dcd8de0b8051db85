"""What becomes of deliveries, for every outcome that a connector can give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bridge.connector import Delivered, Halted, Outcome, Rejected, Retry, Suppressed, Unknown
from bridge.engine.drain import Destination, Drain
from bridge.engine.lease import Lease
from bridge.errors import LeaseLost
from bridge.ledger import accounts, lanes
from bridge.ledger.alerts import open_alerts
from bridge.ledger.claim import claim
from bridge.ledger.database import Database
from bridge.ledger.look_up import DeliveryRecord, story
from tests.conftest import Now
from tests.engine.scripted import Message, Script, Scripted, destination, patience
from tests.ledger.records import delivery, plan_all

SEND, POST = "scripted.send", "scripted.post"


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

    def drain(self, lane: str = SEND, **changes: Any) -> None:
        with self.database.write() as connection:
            lanes.wake(connection, lane, "job", self.now())
            assert lanes.take(connection, lane, "turn", self.now(), 30.0)
        with Lease(self.database, lane, "turn", 30.0, self.now, self.now()) as lease:
            drain = Drain(self.database, self.destination, patience(**changes), self.now)
            drain.run(lease, lambda: False)

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


def test_a_delivery_that_is_too_old_is_given_up_after_a_few_tries(bench: Bench) -> None:
    bench.script.answers = [Retry("busy")] * 3
    bench.plan("hello")
    for _ in range(3):
        bench.now.advance(3600)
        bench.drain(attempts=12)
    assert (bench.find().state, bench.find().reason) == ("dead", "gave up after 1 hours: busy")


def test_rests_of_an_account_grow_until_a_call_is_taken(bench: Bench) -> None:
    down = Retry("unreachable", whole_account=True)
    bench.script.answers = [down, down, down]
    bench.plan("hello")
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


def test_a_connector_s_bug_is_a_retry_and_its_message_is_not_kept(bench: Bench) -> None:
    bench.script.answers = [RuntimeError("token xoxb-secret")]
    bench.plan("hello")
    bench.drain()
    assert bench.find().reason == "the connector failed with RuntimeError"


def test_what_a_dead_worker_had_in_hand_is_looked_up_before_it_is_repeated(bench: Bench) -> None:
    bench.plan("hello", lane=POST)
    with bench.database.write() as connection:
        claim(connection, POST, "dead", 1, bench.now())
    bench.script.found = Delivered(reference="17")
    bench.drain(POST)
    assert (bench.script.sent, bench.script.looked_up) == ([], ["hello"])
    assert (bench.find().state, bench.find().reference) == ("delivered", "17")


def test_while_the_vendor_cannot_be_asked_nothing_is_sent_again(bench: Bench) -> None:
    bench.plan("hello", lane=POST)
    with bench.database.write() as connection:
        claim(connection, POST, "dead", 1, bench.now())
    bench.script.found = Retry("history is limited")
    bench.drain(POST)
    assert bench.script.sent == []
    assert bench.find().state == "waiting"


def test_what_nobody_can_tell_is_sent_once_more_and_then_kept_for_a_person(bench: Bench) -> None:
    bench.script.found = Unknown("this vendor cannot be asked")
    bench.script.answers = [Unknown("no answer"), Unknown("no answer")]
    bench.plan("hello", lane=POST)
    for _ in range(4):
        bench.drain(POST)
        bench.now.advance(60)
    assert bench.script.sent == ["hello", "hello"]
    assert bench.find().state == "dead"
    assert "may have been done already" in (bench.find().reason or "")


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
        claim(connection, POST, "dead", 1, bench.now())
    bench.drain(POST)
    assert bench.script.sent == ["hello"]


def test_what_is_the_same_twice_is_sent_again_without_looking(bench: Bench) -> None:
    bench.plan("hello")
    with bench.database.write() as connection:
        claim(connection, SEND, "dead", 1, bench.now())
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
    with Lease(bench.database, SEND, "turn", 30.0, bench.now, bench.now()) as lease:
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
