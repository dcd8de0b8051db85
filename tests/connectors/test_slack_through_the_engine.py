"""Slack from webhook to message: routed by rules, kept in a real ledger, drained by the engine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from bridge.engine.drain import Drain
from bridge.engine.lease import Lease
from bridge.engine.perform import Destination
from bridge.engine.route import Router
from bridge.event import Webhook
from bridge.ledger import lanes
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from bridge.ledger.plan import PlannedDelivery, Waiting
from bridge.ledger.stories import DeliveryRecord, story
from bridge.rules import World, compile_rules
from bridge.sources.showpass import Showpass
from bridge.testing.vendor import Answer, Reply, Request
from connectors.slack import Slack, SlackSettings
from tests.conftest import Now
from tests.connectors.slack_workspace import Workspace, bot
from tests.engine.scripted import patience
from tests.ledger.records import plan_all
from tests.web.conftest import purchase

RULES = """
rules:
  - name: Sold
    when: {source: showpass, event: invoice.purchase}
    do:
      - slack.post_message: {channel: "#sales", layout: purchase}
      - slack.post_daily_digest:
          channel: "#sales"
          at: "09:00"
          time_zone: Europe/Berlin
          group_by: "{{ order.currency }}"
          amount: "{{ order.total }}"
          currency: "{{ order.currency }}"
  - name: Refunded
    when: {source: showpass, event: invoice.refund}
    do:
      - slack.post_message: {channel: "#sales", text: Refunded, thread_of: transaction}
      - slack.update_message: {channel: "#sales", text: It was sold, update_of: transaction}
      - slack.add_reaction: {channel: "#sales", reaction_to: transaction, emoji: money_with_wings}
      - slack.post_daily_digest:
          channel: "#sales"
          at: "09:00"
          time_zone: Europe/Berlin
          group_by: "{{ order.currency }}"
          amount: "{{ order.total }}"
          currency: "{{ order.currency }}"
          kind: refund
"""
DAILY = "post_daily_digest"


class Channels(Workspace):
    """One channel, whose messages are numbered."""

    def __init__(self) -> None:
        self.numbers = count(1)
        super().__init__(handler=self.answer)

    def answer(self, request: Request) -> Reply:
        ts = f"1700000000.{next(self.numbers):06}"
        return Answer(200, {"ok": True, "channel": "C0123456789", "ts": ts})


class Engine:
    """Routes and drains by hand, as both live and preview accounts."""

    def __init__(self, database: Database, now: Now, settings: SlackSettings, live: bool) -> None:
        self.database, self.now = database, now
        connector = Slack(settings) if live else None
        self.destination = Destination("slack", Slack, settings, "f", connector)
        self.planned = 0

    def receive(self, **changes: Any) -> None:
        self.plan(self.routed(**changes))

    def plan(self, owed: Sequence[PlannedDelivery]) -> None:
        plan_all(self.database, owed, self.now())
        self.planned += len(owed)

    def routed(self, **changes: Any) -> Sequence[PlannedDelivery]:
        world = World(sources={"showpass": Showpass}, accounts={"slack": Slack})
        router = Router(
            {"showpass": Showpass(Showpass.Settings(), [])},
            {"slack": Slack},
            compile_rules(RULES, "rules.yaml", world),
        )
        webhook = Webhook("showpass", purchase(**changes), {}, self.now())
        key = f"key-{self.planned}"
        return router.plan(Waiting(1, key, webhook, replayed=False), 1.0).deliveries

    def work(self) -> None:
        with self.database.read() as connection:
            due = due_lanes(connection, self.now())
        for lane in due:
            with self.database.write() as connection:
                lanes.wake(connection, lane, "job", self.now())
                assert lanes.take(connection, lane, "turn", self.now(), 30.0)
            with Lease(self.database, lane, "turn", 30.0, self.now, self.now()) as lease:
                drain = Drain(self.database, self.destination, patience(), self.now)
                drain.run(lease, lambda: False)

    def records(self) -> list[DeliveryRecord]:
        with self.database.read() as connection:
            stories = [story(connection, number) for number in range(1, self.planned + 1)]
        return [each for one in stories if one for event in one.events for each in event.deliveries]


@pytest.fixture
def workspace() -> Iterator[Channels]:
    with Channels() as server:
        yield server


@pytest.fixture
def engine(database: Database, now: Now, workspace: Channels) -> Engine:
    return Engine(database, now, bot(workspace.url), live=True)


def calls(workspace: Workspace) -> list[str]:
    return [request.path.removeprefix("/api/") for request in workspace.requests]


def refund(**data: Any) -> Mapping[str, Any]:
    return {"event_type": "invoice.refund", "data": {"net_sales": "7.00", **data}}


def test_what_is_said_of_a_refund_follows_its_purchase(engine: Engine, workspace: Channels) -> None:
    engine.receive()
    engine.receive(**refund())
    engine.work()
    bought, answer, change, reaction = workspace.requests
    assert calls(workspace) == [
        "chat.postMessage",
        "chat.postMessage",
        "chat.update",
        "reactions.add",
    ]
    assert bought.body["blocks"][0]["text"]["text"] == "Ana Díaz bought"
    assert answer.body["thread_ts"] == "1700000000.000001"
    assert change.body["ts"] == "1700000000.000001"
    assert reaction.body["timestamp"] == "1700000000.000001"
    sent = [each for each in engine.records() if each.action != DAILY]
    assert {each.state for each in sent} == {"delivered"}
    assert [each.attempts[0].calls[0]["body"] for each in sent] == [
        request.body for request in workspace.requests
    ]


def test_a_refund_without_its_purchase_is_said_by_itself(
    engine: Engine, workspace: Channels
) -> None:
    engine.receive(**refund(transaction_id="another"), id="another")
    engine.work()
    assert calls(workspace) == ["chat.postMessage", "chat.update", "reactions.add"]
    first = engine.records()[0]
    assert first.reason == "nothing was said of this here before, so it is a message of its own"


def test_a_day_comes_as_one_message_at_its_time(
    database: Database, engine: Engine, workspace: Channels
) -> None:
    engine.now.at = datetime(2027, 3, 9, 7, 0, tzinfo=UTC).timestamp()
    engine.receive()
    engine.now.advance(600)
    engine.receive(**refund())
    engine.work()
    del workspace.requests[:]
    engine.now.at = datetime(2027, 3, 9, 7, 59, tzinfo=UTC).timestamp()
    engine.work()
    assert workspace.requests == []
    engine.now.advance(61)
    engine.work()
    [request] = workspace.requests
    assert request.body["blocks"][1]["text"]["text"] == (
        "• *CAD:* 1 sale, CAD 107.00 · 1 refund, CAD 7.00 · CAD 100.00 left"
    )
    assert request.body["blocks"][-1]["elements"][0]["text"] == (
        "Received from 9 March 08:00 to 9 March 08:10 (Europe/Berlin)"
    )
    daily = [each for each in engine.records() if each.action == DAILY]
    assert [each.state for each in daily] == ["delivered", "delivered"]
    assert daily[0].attempts[0].calls[0]["body"] == request.body


def test_a_preview_of_a_day_is_one_message_too(
    database: Database, now: Now, workspace: Channels
) -> None:
    preview = Engine(database, now, SlackSettings(), live=False)
    preview.receive()
    preview.receive(**refund())
    now.advance(90_000)
    preview.work()
    assert workspace.requests == []
    daily = [each for each in preview.records() if each.action == DAILY]
    assert {each.state for each in daily} == {"previewed"}
    [body] = [call["body"] for each in daily for one in each.attempts for call in one.calls]
    assert body["text"] == (
        "Daily summary: 1 sale, CAD 107.00 · 1 refund, CAD 7.00 · CAD 100.00 left"
    )


def test_a_day_of_many_is_one_message_soon(
    database: Database, engine: Engine, workspace: Channels
) -> None:
    one = next(each for each in engine.routed() if each.action == DAILY)
    owed = [
        PlannedDelivery(**{**vars(one), "id": f"d{n}", "due_at": 0.0, "order_key": f"p{n}"})
        for n in range(1_000)
    ]
    engine.plan(owed)
    started = time.monotonic()
    engine.work()
    # Slack allows one message a second: each by itself, they would take a quarter of an hour.
    assert time.monotonic() - started < 120
    [request] = workspace.requests
    assert request.body["text"] == "Daily summary: 1,000 sales, CAD 107,000.00"
