"""`showbridge why`: what happened for an event or a person, what did not, and why."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from bridge.connector import Delivered, Rejected, Retry, Suppressed
from bridge.ledger.tables import deliveries, webhooks
from bridge.rule_files import read_files
from tests.cli.house import RULES, House, Ledger
from tests.cli.trying import DRAFT, line_of, lines, refused, told

PRIYA = "priya.raghunathan@example.com"


@pytest.fixture
def routed(house: House, ledger: Ledger) -> Ledger:
    """One purchase, by rules of every kind."""
    house.write("rules.yaml", DRAFT)
    ledger.receive()
    ledger.route()
    return ledger


def one(house: House, *arguments: str) -> Any:
    [found] = lines(house, "why", *arguments)
    return found


def set_all(ledger: Ledger, **values: object) -> None:
    with ledger.database.write() as connection:
        connection.execute(update(deliveries).values(**values))


def test_it_says_by_which_version_the_event_was_handled(house: House, routed: Ledger) -> None:
    version = read_files(house.folder / "config").version
    shown = told(house, "why", "1")
    assert "Event 1 invoice.purchase from showpass" in shown
    assert f"who {PRIYA} rules version {version}, saved 20" in shown
    assert "by ana" in shown


def test_each_condition_says_why_or_why_not_with_its_line(house: House, routed: Ledger) -> None:
    shown = told(house, "why", "1")
    amount = line_of(DRAFT, "order.total: {at_least: 1000}")
    none = line_of(DRAFT, "- order.currency: CAD")
    assert f"✗ order.total is at least 1000 (line {amount})" in shown
    assert "order.total is 236.25, not at least 1000; 763.75 too little" in shown
    expected = (
        f"It would match if lines {amount}, {amount + 1} and {none} of config/rules.yaml held"
    )
    assert expected in shown
    assert "✓ Reminder" in shown
    assert "matches for ticket 1" in shown
    assert "1 rule about other events: “Not now”" in shown


def test_what_else_keeps_an_event_from_a_rule_is_told_beside(house: House, ledger: Ledger) -> None:
    off = DRAFT.replace("  - name: Large orders", "  - name: Large orders\n    enabled: false")
    house.write("rules.yaml", off)
    ledger.receive()
    ledger.route()
    shown = told(house, "why", "1", "--rule", "large orders")
    assert "it is switched off" in shown
    assert "Beside that, lines 11, 12 and 19 of config/rules.yaml would have to hold." in shown
    assert "Reminder" not in shown


def test_a_rule_that_was_not_asked_says_who_stopped_it(house: House, routed: Ledger) -> None:
    shown = told(house, "why", "1")
    assert "not asked: “Reminder” matched and stops" in shown


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Delivered("1.1", "https://example.com/m"), "slack.post_message was delivered at"),
        (None, "slack.post_message was previewed at"),
        (Suppressed("the person left"), "was suppressed, nothing was sent: the person left"),
        (Rejected("channel_not_found"), "slack.post_message was rejected: channel_not_found"),
        (
            Retry("the vendor is away", after=60.0),
            "waits for its next try after the vendor is away: in ",
        ),
    ],
    ids=["delivered", "previewed", "suppressed", "rejected", "retry"],
)
def test_each_delivery_says_what_became_of_it(
    house: House, ledger: Ledger, outcome: Any, said: str
) -> None:
    ledger.receive("invoice.refund")
    ledger.route()
    ledger.deliver("slack", outcome)
    shown = told(house, "why", "1")
    assert said in shown
    assert "rule “Refunds”, step 1" in shown
    assert ("https://example.com/m" in shown) == isinstance(outcome, Delivered)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"state": "scheduled"}, "waits for its time: in "),
        (
            {"state": "suppressed", "reason": "cancelled: invoice.refund came first (event 7)"},
            "was cancelled: invoice.refund came first (event 7)",
        ),
        ({"state": "sending"}, "is being sent"),
        ({"state": "dead", "reason": "too old"}, "was given up after 0 attempts: too old"),
    ],
    ids=["scheduled", "cancelled", "sending", "dead"],
)
def test_states_say_themselves(
    house: House, routed: Ledger, values: dict[str, Any], said: str
) -> None:
    set_all(routed, **values)
    assert said in told(house, "why", "1")
    deliveries = one(house, "1")["deliveries"]
    assert all(said in each["said"] for each in deliveries)


def test_one_rule_alone(house: House, routed: Ledger) -> None:
    shown = told(house, "why", "1", "--rule", "REMINDER")
    assert "✓ Reminder" in shown
    assert "Large orders" not in shown
    assert "about other events" not in shown
    found = one(house, "1", "--rule", "Large orders")
    assert [each["rule"] for each in found["rules"]] == ["Large orders"]
    assert found["deliveries"] == []
    other = told(house, "why", "1", "--rule", "Not now")
    assert "Nothing by this rule; by others: " in other
    assert "Nothing happened" not in other


def test_a_rule_about_other_events_says_so_when_it_is_asked_for(
    house: House, routed: Ledger
) -> None:
    shown = told(house, "why", "1", "--rule", "Not now")
    assert "the event is invoice.purchase, not invoice.refund" in shown
    assert "It would match" not in shown
    assert "would have to hold" not in shown


def test_a_rule_that_there_was_not_then(house: House, routed: Ledger) -> None:
    assert "did you mean `Reminder`?" in refused(house, "why", "1", "--rule", "Remindr")
    house.write("rules.yaml", DRAFT.replace("name: Reminder", "name: Later one"))
    routed.route()
    said = refused(house, "why", "1", "--rule", "later one")
    assert "which handled event 1, had no rule `later one`; it is in the live rules" in said
    assert "showbridge rules try live 1" in said


def test_the_live_rules_say_what_they_would_do_otherwise(house: House, routed: Ledger) -> None:
    changed = DRAFT.replace('text: "{{ ticket.type }}"', 'text: "Type {{ ticket.type }}"')
    changed = changed.replace("    stop: true\n", "").replace("#all", "#everybody", 1)
    house.write("rules.yaml", changed)
    routed.route()
    version = read_files(house.folder / "config").version
    shown = told(house, "why", "1")
    assert f"The live rules, version {version}, would do otherwise" in shown
    assert '~ slack.post_message rule “Reminder” text: "VIP" → "Type VIP"' in shown
    assert "+ slack.post_message rule “After the stop”" in shown
    found = one(house, "1")["live"]
    assert [each["kind"] for each in found["differences"]] == ["changed", "added"]
    only = one(house, "1", "--rule", "After the stop")["live"]
    assert [each["kind"] for each in only["differences"]] == ["added"]


def test_what_is_gone_is_not_explained_by_what_another_rule_leaves(
    house: House, ledger: Ledger
) -> None:
    ledger.receive()
    ledger.route()
    moved = RULES.replace("name: Buyers", "name: Others").replace("contact.email", "raw.nobody")
    house.write("rules.yaml", moved)
    ledger.route()
    shown = told(house, "why", "1")
    assert "− hubspot.upsert_contact rule “Buyers” `showbridge" in shown
    same = RULES.replace("contact.email", "raw.nobody")
    house.write("rules.yaml", same)
    ledger.route()
    shown = told(house, "why", "1")
    assert "− hubspot.upsert_contact rule “Buyers” the event has no e-mail address" in shown


def test_lines_are_of_the_version_that_handled_it(house: House, routed: Ledger) -> None:
    version = read_files(house.folder / "config").version
    house.write("rules.yaml", f"# more\n{DRAFT}")
    shown = told(house, "why", "1")
    assert f"Large orders version {version}/rules.yaml:5" in shown


def test_other_live_rules_that_do_the_same_say_so(house: House, routed: Ledger) -> None:
    house.write("rules.yaml", f"# more\n{DRAFT}")
    routed.route()
    shown = told(house, "why", "1")
    version = read_files(house.folder / "config").version
    assert f"The live rules, version {version}, would do the same." in shown


def test_the_same_rules_are_not_compared_with_themselves(house: House, routed: Ledger) -> None:
    assert "The live rules" not in told(house, "why", "1")
    assert one(house, "1")["live"] is None


def test_of_a_deleted_body_the_kept_verdicts_are_told(house: House, routed: Ledger) -> None:
    with routed.database.write() as connection:
        connection.execute(update(webhooks).values(body=b"", pruned_at=time.time()))
    shown = told(house, "why", "1")
    assert "Only what was written down then can be told: the event's body was deleted" in shown
    assert "✗ Large orders order.total is 236.25, not at least 1000, and" in shown
    assert "✓ Reminder matched" in shown
    found = one(house, "1")
    assert found["rules"] == []
    assert found["not_examined_because"] == "the event's body was deleted for its age"
    assert len(found["verdicts"]) == 3


def test_of_rules_that_no_longer_fit_the_kept_verdicts_are_told(
    house: House, routed: Ledger
) -> None:
    bridge = (house.folder / "config/bridge.yaml").read_text()
    house.write("bridge.yaml", bridge.replace("  hubspot: {", "  crm: {connector: hubspot, "))
    shown = told(house, "why", "1")
    assert "no longer fit bridge.yaml" in shown
    assert "✓ Reminder matched" in shown


def test_what_is_not_routed_yet_and_what_is_kept(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.keep("showpad", b"no json")
    assert "It waits to be routed" in told(house, "why", "1")
    shown = told(house, "why", "2")
    assert "reason unparsable" in shown
    assert "It is kept for a person" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give the id of an event, or --contact"),
        (["1", "--contact", PRIYA], "give the id of an event, or --contact"),
        (["--contact", "priya"], "`priya` is no e-mail address"),
        (["99"], "there is no event 99"),
        (["x"], "`x` is no event's id"),
        (["1-2"], "there is no event 1-2: 1 has 1 event"),
    ],
    ids=range(6),
)
def test_slips_are_explained(house: House, routed: Ledger, arguments: list[str], said: str) -> None:
    assert said in refused(house, "why", *arguments)


def test_a_person_is_told_event_by_event(house: House, ledger: Ledger) -> None:
    bridge = (house.folder / "config/bridge.yaml").read_text()
    house.write("bridge.yaml", bridge + "  mailchimp: {api_key: {env: MAILCHIMP_API_KEY}}\n")
    house.write("rules.yaml", RULES + _NEWSLETTER)
    ledger.config = house.config
    ledger.receive()
    ledger.receive(customer_email="bo@example.com")
    ledger.receive("invoice.refund")
    ledger.route()
    ledger.deliver("slack", Delivered("1.1", "https://example.com/m"))
    shown = told(house, "why", "--contact", PRIYA.upper())
    assert "2 events of" in shown
    assert "the address is in what was sent" not in shown
    assert "1 invoice.purchase from showpass" in shown
    assert "✓ slack.post_message was delivered at" in shown
    assert "by “Buyers”" in shown
    assert "✗ Large: order.total is 236.25, not at least 1000" in shown
    assert "3 invoice.refund from showpass" in shown
    assert "2 invoice.purchase" not in shown
    assert "event 1: subscribe, waiting the person said yes" in shown
    assert "event 3: subscribe, suppressed the person was not asked" in shown


_NEWSLETTER = """\
  - name: Newsletter
    when: {source: showpass, event: "invoice.*"}
    do:
      - mailchimp.subscribe: {audience: newsletter, email: "{{ contact.email }}"}
  - name: Large
    when: {source: showpass, event: invoice.purchase, where: {order.total: {at_least: 1000}}}
    do:
      - slack.post_message: {channel: "#vip", text: large}
"""


def test_a_person_who_is_only_named_in_what_was_sent_is_found(house: House, ledger: Ledger) -> None:
    house.write("rules.yaml", RULES.replace("{{ contact.name }} bought", "cc sam@example.com"))
    ledger.receive()
    ledger.route()
    shown = told(house, "why", "--contact", "Sam@example.com")
    assert "1 event of Sam@example.com" in shown
    assert f"about {PRIYA}; the address is in what was sent" in shown
    [event, _] = lines(house, "why", "--contact", "sam@example.com")
    assert event["is_about_the_person"] is False


def test_a_person_s_newest_events_and_one_rule(house: House, ledger: Ledger) -> None:
    for _ in range(3):
        ledger.receive()
    ledger.route()
    *found, last = lines(house, "why", "--contact", PRIYA, "--limit", "2", "--rule", "buyers")
    assert [each["event"] for each in found] == ["2", "3"]
    assert last == {"contact": PRIYA, "consents": [], "may_have_more": True}
    shown = told(house, "why", "--contact", PRIYA, "--limit", "2")
    assert "The newest ones, of the newest 50,000 webhooks; `--limit` and `--all`" in shown
    assert "The newest" not in told(house, "why", "--contact", PRIYA, "--limit", "3")


def test_nobody_is_known_by_that_address(house: House, ledger: Ledger) -> None:
    shown = told(house, "why", "--contact", "nobody@example.com")
    assert "0 events of nobody@example.com" in shown
    assert "No decision to subscribe or unsubscribe this person was ever made." in shown


def test_an_event_without_a_rule_about_it_says_so(house: House, ledger: Ledger) -> None:
    data = [{"user": {"email": PRIYA}}]
    body = {"id": str(uuid4()), "type": "COURSE_COMPLETED", "data": data}
    ledger.keep("showpad", json.dumps(body).encode())
    ledger.route()
    assert "no rule is about such events" in told(house, "why", "--contact", PRIYA)
    shown = told(house, "why", "1")
    assert "Nothing happened" in shown
    assert "2 rules about other events: “Buyers”, “Refunds”" in shown


def test_hostile_values_move_no_cursor(house: House, ledger: Ledger) -> None:
    ledger.receive(customer_name="\x1b[2J\x1b]0;x\x07", customer_email="e\x1b[31m@example.com")
    ledger.route()
    ledger.deliver("slack", Rejected("\x1b[2Jno"))
    for arguments in (["1"], ["--contact", PRIYA]):
        assert "\x1b" not in house.run("why", *arguments).stdout
