"""Rehearsing webhooks: as live, and nothing is written or sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.config import Config, world
from bridge.engine.rehearse import (
    Rehearsal,
    RehearsedEvent,
    Stage,
    arriving,
    filled_in,
    once_only,
)
from bridge.errors import OperatorError
from bridge.event import Webhook
from bridge.ledger.database import Database
from bridge.ledger.plan import Waiting
from bridge.rules import compile_rules
from bridge.settings import SourceConfig
from tests.cli.house import House

RECEIVED = 1_800_000_000.0
RULES = """\
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase, where: {order.total: {at_least: 1}}}
    OPTION
    do:
      - slack.post_message: {channel: "#sales", text: "{{ contact.name }}"}
      - hubspot.upsert_contact: {email: "{{ contact.email }}"}
"""


@pytest.fixture
def config(tmp_path: Any) -> Config:
    return House(tmp_path).config


def stage(config: Config, option: str = "enabled: true") -> Stage:
    text = RULES.replace("OPTION", option)
    return Stage.of(config, compile_rules(text, "rules.yaml", world(config)))


def source(config: Config, name: str = "showpass") -> SourceConfig:
    return config.sources[name]


def sample(config: Config, name: str = "invoice.purchase", **changes: Any) -> Waiting:
    shop = source(config)
    text = next(each.text for each in shop.source.samples() if each.name == name)
    payload = json.loads(text)
    payload["data"].update(changes)
    return arriving(shop, filled_in(json.dumps(payload).encode()), RECEIVED)


def only(rehearsal: Rehearsal) -> RehearsedEvent:
    [event] = rehearsal.events
    return event


def test_the_plan_is_the_router_s_own(config: Config) -> None:
    made, waiting = stage(config), sample(config)
    assert made.rehearse(waiting, RECEIVED).plan == made.router.plan(waiting, RECEIVED)


def test_an_event_has_its_verdicts_examinations_and_deliveries(config: Config) -> None:
    event = only(stage(config).rehearse(sample(config), RECEIVED))
    assert event.event.type == "invoice.purchase"
    assert event.event.id
    assert [verdict.matched for verdict in event.verdicts] == [True]
    [examined] = event.examinations
    assert examined.matched
    assert [each.planned.action for each in event.deliveries] == ["post_message", "upsert_contact"]


def test_rules_about_other_events_are_examined_too(config: Config) -> None:
    event = only(stage(config).rehearse(sample(config, "invoice.refund"), RECEIVED))
    assert event.verdicts == ()
    [examined] = event.examinations
    assert examined.elsewhere == "the event is invoice.refund, not invoice.purchase"


def test_the_calls_are_those_of_the_connector_s_preview(config: Config) -> None:
    event = only(stage(config).rehearse(sample(config), RECEIVED))
    [call] = event.deliveries[0].calls
    assert (call["method"], call["path"]) == ("POST", "/api/chat.postMessage")
    assert call["body"]["text"] == "Priya Raghunathan"
    name = call["body"]["metadata"]["event_payload"]["delivery_id"]
    assert name == event.deliveries[0].planned.id


def test_what_is_not_sent_makes_no_calls(config: Config) -> None:
    event = only(stage(config).rehearse(sample(config, customer_email=""), RECEIVED))
    [_, contact] = event.deliveries
    assert contact.planned.state == "suppressed"
    assert not contact.is_sent
    assert contact.calls == ()


def test_what_is_scheduled_is_sent_with_its_calls(config: Config) -> None:
    event = only(stage(config, "after: 2 days").rehearse(sample(config), RECEIVED))
    first = event.deliveries[0]
    assert (first.planned.state, first.planned.due_at) == ("scheduled", RECEIVED + 2 * 86400)
    assert first.is_sent
    assert first.calls


def test_what_is_over_by_now_is_not_put_off(config: Config) -> None:
    event = only(stage(config, "after: 2 days").rehearse(sample(config), RECEIVED + 3 * 86400))
    assert event.deliveries[0].planned.state == "waiting"


def test_what_cannot_be_routed_has_no_events(config: Config) -> None:
    strange = Waiting(1, "key", Webhook("gone", b"{}", {}, RECEIVED), replayed=False)
    rehearsal = stage(config).rehearse(strange, RECEIVED)
    assert rehearsal.plan.state == "quarantined"
    assert rehearsal.events == ()


def test_a_sample_is_the_same_however_often_it_is_made(config: Config) -> None:
    text = b'{"a": "{{ uuid }}", "b": "{{ uuid }}"}'
    made = json.loads(filled_in(text))
    assert made == json.loads(filled_in(text))
    assert made["a"] != made["b"]


def test_a_body_arrives_as_the_receiver_would_keep_it(config: Config) -> None:
    shop = source(config, "showpad")
    body = json.dumps({"id": "x-1", "type": "COURSE_COMPLETED", "data": {}}).encode()
    waiting = arriving(shop, body, RECEIVED)
    assert waiting.idempotency_key == "x-1"
    assert waiting.webhook.headers["x-showpad-signature-timestamp"] == str(int(RECEIVED))
    assert not set(waiting.webhook.headers) & set(shop.source.signature_headers)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("showpass", b"no json", "showpass would be refused it"),
        ("showpad", b"no json", "it would be kept for a person: unparsable"),
    ],
)
def test_what_would_not_be_taken_says_so(config: Config, name: str, body: bytes, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        arriving(source(config, name), body, RECEIVED)


def test_what_is_done_once_is_done_for_the_first_of_them(
    config: Config, database: Database
) -> None:
    made = stage(config, "once_per: {of: contact, within: 1 hour}")
    several = [
        Waiting(number, f"key-{number}", sample(config).webhook, replayed=False)
        for number in (1, 2)
    ]
    rehearsals = [made.rehearse(each, RECEIVED) for each in several]
    with database.read() as connection:
        first, second = once_only(connection, rehearsals)
    assert [each.planned.state for each in only(first).deliveries] == ["waiting"] * 2
    held = only(second).deliveries[0].planned
    assert held.state == "suppressed"
    assert held.reason
    assert held.reason.startswith("once per contact in 1 hour: event 1 did it on")
    assert [each.planned.state for each in only(rehearsals[1]).deliveries] == ["waiting"] * 2
