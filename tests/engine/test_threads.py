"""What answers an earlier message, what waits for its time, and what always comes as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bridge.connector import Delivered, Rejected, Retry
from bridge.engine.drain import Drain
from bridge.engine.lease import Lease
from bridge.engine.owing import described
from bridge.engine.perform import Destination
from bridge.engine.route import Router
from bridge.event import Contact, Event, Webhook
from bridge.ledger import lanes, threads
from bridge.ledger.database import Database
from bridge.ledger.plan import PlannedDelivery, Waiting
from bridge.ledger.stories import DeliveryRecord, story
from bridge.rules import World, compile_rules
from bridge.sources.showpass import Showpass
from tests.conftest import Now
from tests.engine.scripted import Script, Scripted, destination, patience
from tests.ledger.records import delivery, plan_all
from tests.web.conftest import purchase

ANSWER, SUM_UP = "scripted.answer", "scripted.sum_up"
RULES = """
rules:
  - name: Everything
    when: {source: showpass}
    do:
      - scripted.answer: {text: "{{ contact.email }}"}
      - scripted.send: {text: sent}
"""


class Lane:
    """One lane of the scripted account, drained by hand."""

    def __init__(self, database: Database, now: Now) -> None:
        self.database, self.now, self.script = database, now, Script()
        self.destination: Destination = destination(self.script)

    def plan(self, *owed: PlannedDelivery) -> None:
        plan_all(self.database, list(owed), self.now())

    def drain(self, lane: str = ANSWER, **changes: Any) -> None:
        with self.database.write() as connection:
            lanes.wake(connection, lane, "job", self.now())
            assert lanes.take(connection, lane, "turn", self.now(), 30.0)
        with Lease(self.database, lane, "turn", 30.0, self.now, self.now()) as lease:
            drain = Drain(self.database, self.destination, patience(**changes), self.now)
            drain.run(lease, lambda: False)


@pytest.fixture
def lane(database: Database, now: Now) -> Lane:
    return Lane(database, now)


def said(text: str, topic: str | None, *, answers: str = "", lane: str = ANSWER) -> PlannedDelivery:
    item = {"text": text, "answers": answers} if answers else {"text": text}
    action = lane.partition(".")[2].partition(":")[0]
    return delivery(text, lane=lane, account="scripted", action=action, item=item, topic=topic)


def test_what_answers_is_told_what_was_delivered_first_about_its_topic(lane: Lane) -> None:
    lane.script.answers = [Delivered("first"), Delivered("second")]
    lane.plan(said("bought", "t1"), said("also", "t1"), said("refund", "t1", answers="yes"))
    lane.drain()
    assert lane.script.earlier == [None, None, "first"]


@pytest.mark.parametrize("topic", ["t2", None])
def test_nothing_was_said_of_another_topic(lane: Lane, topic: str | None) -> None:
    lane.script.answers = [Delivered("first")]
    lane.plan(said("bought", "t1"), said("refund", topic, answers="yes"))
    lane.drain()
    assert lane.script.earlier == [None, None]


def test_another_lane_has_threads_of_its_own(lane: Lane) -> None:
    lane.script.answers = [Delivered("first")]
    other = f"{ANSWER}:elsewhere"
    lane.plan(said("bought", "t1"), said("refund", "t1", answers="yes", lane=other))
    lane.drain()
    lane.drain(other)
    assert lane.script.earlier == [None, None]


@pytest.mark.parametrize("outcome", [Rejected("no"), Delivered("")])
def test_what_cannot_be_answered_is_not_remembered(
    lane: Lane, outcome: Rejected | Delivered
) -> None:
    lane.script.answers = [outcome, Delivered("second")]
    lane.plan(said("bought", "t1"), said("also", "t1"), said("refund", "t1", answers="yes"))
    lane.drain()
    assert lane.script.earlier == [None, None, "second"]


def test_old_threads_are_forgotten_a_portion_at_a_time(lane: Lane) -> None:
    lane.plan(*(said(name, name) for name in ("a", "b", "c")))
    lane.script.answers = [Delivered("1"), Delivered("2"), Delivered("3")]
    lane.drain()
    with lane.database.write() as connection:
        counts = [threads.forget(connection, lane.now() + 1, 2) for _ in range(3)]
    assert counts == [2, 1, 0]


def test_what_always_comes_as_one_is_one_message_also_of_one(lane: Lane) -> None:
    lane.plan(said("alone", None, lane=SUM_UP))
    lane.drain(SUM_UP)
    lane.plan(said("a", None, lane=SUM_UP), said("b", None, lane=SUM_UP))
    lane.drain(SUM_UP)
    assert lane.script.digests == [["alone"], ["a", "b"]]
    together = "in one message with 1 other; delivery a has its text"
    assert [_reason(lane, number) for number in (1, 2, 3)] == [None, together, together]


def test_the_parts_of_a_message_that_was_put_off_stay_one_message(lane: Lane) -> None:
    jitter = iter((0.1, 0.9, 0.4)).__next__
    lane.script.answers = [Retry("busy")]
    lane.plan(*(said(name, None, lane=SUM_UP) for name in ("a", "b", "c")))
    lane.drain(SUM_UP, jitter=jitter)
    lane.now.advance(60)
    lane.drain(SUM_UP)
    assert lane.script.digests == [["a", "b", "c"], ["a", "b", "c"]]
    assert len({_record(lane, number).due_at for number in (1, 2, 3)}) == 1


def test_what_waits_for_its_time_is_not_old_before_that(lane: Lane) -> None:
    """Else it would be given up soon after it was tried for the first time."""
    lane.script.answers = [Retry("busy")] * 3
    later = lane.now() + 10 * 3600.0
    lane.plan(replace(said("reminder", None), due_at=later))
    lane.now.advance(10 * 3600.0)
    for _ in range(3):
        lane.drain(max_age=3600.0, attempts=9)
        lane.now.advance(60)
    assert _record(lane, 1).state == "waiting"


def test_a_reference_that_no_database_takes_is_remembered_without_what_is_odd(lane: Lane) -> None:
    lane.script.answers = [Delivered("fir\0st")]
    lane.plan(said("bought", "t1"), said("refund", "t1", answers="yes"))
    lane.drain()
    assert lane.script.earlier == [None, "first"]


def _reason(lane: Lane, number: int) -> str | None:
    return _record(lane, number).reason


def _record(lane: Lane, number: int) -> DeliveryRecord:
    with lane.database.read() as connection:
        found = story(connection, number)
    assert found is not None
    return found.events[0].deliveries[0]


# Routing


def _planned(received_at: float, rules_text: str = RULES) -> Sequence[PlannedDelivery]:
    world = World(sources={"showpass": Showpass}, accounts={"scripted": Scripted})
    rules = compile_rules(rules_text, "rules.yaml", world)
    source = Showpass(Showpass.Settings(), [])
    router = Router({"showpass": source}, {"scripted": Scripted}, rules)
    webhook = Webhook("showpass", purchase(), {}, received_at)
    return router.plan(Waiting(1, "key", webhook, replayed=False), 1.0).deliveries


def test_a_delivery_waits_for_the_time_that_its_action_names() -> None:
    received = datetime(2026, 5, 1, 9, 30, tzinfo=UTC).timestamp()
    answer, sent = _planned(received)
    assert answer.due_at == datetime(2026, 5, 1, 12, 0, tzinfo=UTC).timestamp()
    assert sent.due_at == 0.0


def test_what_waits_for_its_time_is_not_sent_before(lane: Lane) -> None:
    lane.plan(*_planned(lane.now())[:1])
    lane.drain()
    assert lane.script.earlier == []
    lane.now.advance(86_400)
    lane.drain()
    assert lane.script.earlier == [None]


def test_a_connector_that_cannot_say_when_spoils_its_own_delivery_alone() -> None:
    answer, sent = _planned(1.0, RULES.replace("{{ contact.email }}", "when?"))
    assert (answer.state, sent.state) == ("rejected", "waiting")
    assert "fails to say when" in (answer.reason or "")


def test_only_an_action_that_asks_for_it_holds_the_event() -> None:
    answer, sent = _planned(1.5)
    assert sent.event is None
    assert sent.topic is None
    assert answer.topic is not None
    assert answer.event is not None
    assert answer.event["event"]["time"] == "1970-01-01T00:00:01.500000+00:00"
    assert answer.event["event"]["id"] == (_planned(9.0)[0].event or {})["event"]["id"]


def test_an_event_is_told_in_plain_data_and_without_what_was_sent_raw() -> None:
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    facts = {"order": {"total": Decimal("12.50"), "at": moment, "count": 2}}
    event = Event("shop", "sold", Contact(email="a@example.com"), facts, raw={"secret": 1})
    told = described(event)
    assert told["order"] == {"total": "12.50", "at": "2026-05-01T00:00:00+00:00", "count": 2}
    assert told["contact"]["email"] == "a@example.com"
    assert "raw" not in told
