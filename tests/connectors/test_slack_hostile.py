"""Hostile values in every field of every action: nothing breaks out, and Slack takes the message.

Each value goes the whole way: from an event through a rule's templates, the item
as the ledger keeps it, and Slack's SDK, to a server that holds each request
against Slack's limits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge.connector import Delivered, Earlier, Item
from bridge.engine.owing import described
from bridge.event import Contact, Event
from bridge.rules import NotFilled, World, compile_rules, fill
from bridge.rules.records import Step
from bridge.sources.showpad import Showpad
from bridge.sources.showpass import Showpass
from bridge.testing.vendor import Answer, Request, VendorServer
from connectors.slack import Slack
from tests.connectors.slack_limits import controls_of, urls_of
from tests.connectors.slack_workspace import BEFORE, DELIVERY, POSTED, Workspace, bot

VALUE = "{{ contact.name }}"
RECEIVED = datetime(2027, 3, 9, 16, 45, tzinfo=UTC).timestamp()
PAGE = "https://app.example.com/"
OWN_CONTROLS = {
    "<!date^1804610700^{date_short_pretty}, {time}|2027-03-09 16:45 UTC>",
    f"<{PAGE}rule|the rule's own>",
}
BUTTON = {"text": VALUE, "url": f"{PAGE}{VALUE}"}
MRKDWN = {"type": "mrkdwn", "text": VALUE}
PLAIN = {"type": "plain_text", "text": VALUE}
IMAGE = {"type": "image", "image_url": f"{PAGE}{VALUE}", "alt_text": VALUE}
PRESSED = {"type": "button", "text": PLAIN, "url": f"{PAGE}{VALUE}", "value": VALUE}
BLOCKS = [
    {"type": "header", "text": PLAIN, "block_id": VALUE},
    {"type": "section", "text": MRKDWN, "fields": [MRKDWN, PLAIN], "accessory": PRESSED},
    {"type": "section", "text": PLAIN, "accessory": IMAGE},
    {"type": "context", "elements": [MRKDWN, PLAIN, IMAGE]},
    {"type": "actions", "elements": [{**PRESSED, "action_id": VALUE}]},
    {**IMAGE, "title": PLAIN},
    {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": VALUE}]}],
    },
]
LAID_OUT = {
    "title": VALUE,
    "text": VALUE,
    "fields": {"One": VALUE, "Two": f"{VALUE} and {VALUE}"},
    "footer": VALUE,
}
STEPS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "a text": ("post_message", {"text": f"{VALUE} <{PAGE}rule|the rule's own> {VALUE}"}),
    "a layout": ("post_message", {**LAID_OUT, "layout": "plain", "button": BUTTON}),
    "a link": ("post_message", {**LAID_OUT, "button": {**BUTTON, "as_link": True}}),
    "blocks": ("post_message", {"blocks": BLOCKS}),
    "a purchase": ("post_message", {"layout": "purchase"}),
    "a refund": ("post_message", {"layout": "refund", "thread_of": "transaction"}),
    "a share": ("post_message", {"layout": "share"}),
    "a course": ("post_message", {"layout": "course"}),
    "a change": ("update_message", {**LAID_OUT, "update_of": "transaction", "button": BUTTON}),
    "a changed text": ("update_message", {"text": VALUE, "update_of": "transaction"}),
    "a reaction": ("add_reaction", {"emoji": VALUE, "reaction_to": "transaction"}),
    "a day": (
        "post_daily_digest",
        {
            "title": VALUE,
            "group_by": VALUE,
            "noun": VALUE,
            "amount": VALUE,
            "currency": VALUE,
            "kind": "refund",
        },
    ),
}

HOSTILE = (
    "<!channel>",
    "<!here|here> <@U0123456789> <#C0123456789> <!subteam^S0123>",
    "<http://evil.example|Pay>",
    "&lt;!channel&gt; &amp;lt;!channel&gt;",
    '=HYPERLINK("http://evil.example")',
    "\u202ecod.exe\u202c",
    "\0",
    "a\0b",
    "x" * 3_100 + "\U0001f3ab",
    "x" * 149 + "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "x" * 2_998 + "&<>",
    "&" * 100_000,
    "<" * 40_000 + ">" * 40_000,
    "\U0001f600" * 50_000,
    "word " * 20_000,
    "{{ 7 * 7 }} {% raw %} {0} %s",
    "one\r\ntwo\rthree\n\n\n" * 200,
    "```unclosed *bold _italic ~gone",
    "](http://evil.example) [Pay](http://evil.example)",
    "../../evil?x=y#z",
    "https://evil.example/",
    "@channel #general javascript:alert(1)",
    " ",
    "e\u0301" * 5_000,
    "\ud800",
)
anything = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from([*HOSTILE, "a", " ", "|"]), max_size=4).map("".join),
    st.text(max_size=200),
)


@pytest.fixture(scope="module")
def workspace() -> Iterator[VendorServer]:
    with Workspace(handler=_answer) as server:
        yield server


def _answer(request: Request) -> Answer:
    return Answer(200, {"ok": True}) if "reactions" in request.path else POSTED


def step_of(name: str) -> Step:
    action, fields = STEPS[name]
    rule = {
        "name": name,
        "when": {"source": "showpass"},
        "do": [{f"slack.{action}": {"channel": "#sales", **fields}}],
    }
    world = World({"showpass": Showpass, "showpad": Showpad}, {"slack": Slack})
    text = yaml.safe_dump({"rules": [rule]})
    [step] = compile_rules(text, "rules.yaml", world).rules[0].steps
    return step


READ = {name: step_of(name) for name in STEPS}


def event_of(value: str) -> Event:
    """An event that says this wherever a layout looks."""
    facts = {
        "order": {"id": value, "total": value, "currency": value},
        "tickets": [{"type": value, "event_name": value}] * 5,
        "space": {"name": value},
        "course": {"name": value},
        "inviter": {"email": value},
        "invitee": {"email": value},
    }
    return Event("showpass", value, Contact(name=value, email=value), facts)


def sent(workspace: VendorServer, name: str, value: str) -> list[Request]:
    """What Slack gets for an event with this value; nothing where no item can be made of it."""
    step, event = READ[name], event_of(value)
    try:
        made = fill(step, event)
    except NotFilled:
        return []
    item = step.declared.item.model_validate(json.loads(json.dumps(made.model_dump(mode="json"))))
    told = described(replace(event, id="e", received_at=RECEIVED))
    before = len(workspace.requests)
    [outcome] = _performed(Slack(bot(workspace.url)), step, item, told)
    assert isinstance(outcome, Delivered)
    return workspace.requests[before:]


def _performed(slack: Slack, step: Step, item: Item, told: Mapping[str, Any]) -> list[Any]:
    earlier = Earlier(BEFORE.reference) if step.declared.threads else None
    item = item.for_delivery(DELIVERY, event=told, earlier=earlier, planned_at=RECEIVED)
    act: Callable[[list[Item]], list[Any]] = getattr(slack, step.action)
    return act([item])


def only_the_rules_own(request: Request) -> None:
    """No mention, link or page came out of a value; and it went where the rule says."""
    body = request.body
    links = {
        control for control in controls_of(body) if not control.startswith(f"<{PAGE}")
    } - OWN_CONTROLS
    assert not links
    assert all(address.startswith(PAGE) for address in urls_of(body))
    assert body["channel"] in ("#sales", "C0123456789")
    assert body.get("thread_ts", "1600000000.000100") == "1600000000.000100"
    if request.path == "/api/chat.update":
        assert (body["parse"], body["link_names"]) == ("none", False)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_no_value_breaks_out(workspace: VendorServer, name: str, value: str) -> None:
    for request in sent(workspace, name, value):
        only_the_rules_own(request)


@given(value=anything)
@example(value="\0")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("name", STEPS)
def test_no_value_at_all_breaks_out(workspace: VendorServer, name: str, value: str) -> None:
    for request in sent(workspace, name, value):
        only_the_rules_own(request)


@pytest.mark.parametrize("name", [name for name in STEPS if name != "a reaction"])
def test_a_value_does_arrive(workspace: VendorServer, name: str) -> None:
    """Else nothing of this would say anything."""
    [request] = sent(workspace, name, "Zoë")
    assert "Zoë" in str(request.body)
