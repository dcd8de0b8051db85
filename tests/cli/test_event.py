"""`showbridge event`: the story, for people and for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.cells import cell_len

from bridge.connector import Delivered, Rejected, Retry, Unknown
from tests.cli.house import RULES, House, Ledger

HOSTILE = "[bold]Bob[/bold] \x1b[2J\x1b]0;pwned\x07\u202egnp.exe\u2066\r\n"


def told(house: House, *arguments: str) -> str:
    result = house.run("event", *arguments)
    assert result.exit_code == 0, result.output
    assert max(map(cell_len, result.stdout.splitlines())) <= 80
    return result.stdout


def as_object(house: House, *arguments: str) -> Any:
    return json.loads(house.run("event", "--json", *arguments).stdout)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("event_id", ["x", "1042-", "1-0", "-1", "１", "9" * 30, "deadbeef"])
def test_what_is_no_id_is_explained(house: House, ledger: Ledger, event_id: str) -> None:
    result = house.run("event", "--", event_id)
    assert result.exit_code == 2
    assert "1042-2" in result.stderr


def test_an_unknown_event_is_no_traceback(house: House, ledger: Ledger) -> None:
    result = house.run("event", "7")
    assert result.exit_code == 2
    assert "there is no event 7" in result.stderr


def test_an_unknown_second_event_says_how_many_there_are(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    assert "1 has 1 event" in house.run("event", "1-2").stderr


def test_it_says_how_the_webhook_was_verified(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.receive("shared-space-created")
    assert "only the body's id" in flat(told(house, "1", "--calls"))
    assert "the whole body" in flat(told(house, "2", "--calls"))


def test_every_rule_about_such_events_says_why_or_why_not(house: House, ledger: Ledger) -> None:
    large = "where: {order.total: {at_least: 1000}}"
    house.write("rules.yaml", RULES.replace("invoice.refund}", f"invoice.purchase, {large}}}"))
    ledger.receive()
    ledger.route()
    story = flat(told(house, "1"))
    assert "2 of 2 rules are about such events" in story
    assert "Buyers matched" in story
    assert "Refunds order.total is 236.25, not at least 1000" in story


def test_rules_about_other_events_are_counted_only(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    story = flat(told(house, "1"))
    assert "1 of 2 rules is about such events" in story
    assert "Refunds" not in story
    assert as_object(house, "1")["events"][0]["rules_in_version"] == 2


def test_how_many_rules_there_were_is_left_out_where_they_no_longer_fit(
    house: House, ledger: Ledger
) -> None:
    ledger.receive()
    ledger.route()
    house.write("bridge.yaml", "sources: {showpass: }\naccounts: {hubspot: }\n")
    assert "1 rule asked" in flat(told(house, "1"))
    assert as_object(house, "1")["events"][0]["rules_in_version"] is None


def test_entries_that_fitted_are_named(house: House, ledger: Ledger) -> None:
    each = "invoice.purchase}\n    for_each: tickets"
    house.write("rules.yaml", RULES.replace("invoice.purchase}", each))
    ledger.receive()
    ledger.route()
    assert "Buyers matched for tickets 1, 2, 3" in flat(told(house, "1"))
    assert as_object(house, "1")["events"][0]["verdicts"][0]["members"] == [1, 2, 3]
    house.write("bridge.yaml", "sources: {showpass: }\naccounts: {hubspot: }\n")
    assert "Buyers matched for entries 1, 2, 3" in flat(told(house, "1"))


def test_without_a_match_it_says_what_to_do_after_a_change(house: House, ledger: Ledger) -> None:
    ledger.receive("webhook.test")
    ledger.route()
    assert "showbridge replay 1" in told(house, "1")


def test_a_preview_shows_the_request_that_would_be_sent(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    ledger.deliver("hubspot")
    story = flat(told(house, "1", "--calls"))
    assert "hubspot.upsert_contact previewed" in story
    assert "would be sent: preview:" in story
    assert '"email": "priya.raghunathan@example.com"' in story


def test_what_waits_shows_the_request_that_will_be_sent(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    story = flat(told(house, "1", "--calls"))
    assert "will be sent, in preview:" in story
    assert "will be sent: POST /api/chat.postMessage" in story
    assert '"text": "Priya Raghunathan bought"' in story


@pytest.mark.parametrize(
    ("outcome", "tense"),
    [
        (Delivered("ts-1", "https://example.com/x", "as before"), "was sent"),
        (Rejected("channel_not_found"), "was sent"),
        (Retry("the vendor is away", after=60.0), "will be sent again"),
        (Unknown("no answer came"), "will be sent again"),
    ],
)
def test_attempts_say_what_became_of_them(
    house: House, ledger: Ledger, outcome: Any, tense: str
) -> None:
    ledger.receive("invoice.refund")
    ledger.route()
    ledger.deliver("slack", outcome)
    story = flat(told(house, "1", "--calls"))
    reason = getattr(outcome, "reason", None) or outcome.remark
    assert f"{tense}: POST /api/chat.postMessage" in story
    assert reason in story
    (attempt,) = as_object(house, "1")["events"][0]["deliveries"][0]["attempts"]
    assert attempt["reason"] == reason
    assert attempt["seconds"] >= 0


def test_a_removed_account_does_not_hide_the_rest(house: House, ledger: Ledger) -> None:
    ledger.receive("invoice.refund")
    ledger.route()
    house.write("bridge.yaml", "sources: {showpad: }\naccounts: {hubspot: }\n")
    story = flat(told(house, "1", "--calls"))
    assert "bridge.yaml has no account slack" in story
    assert "showpass is no longer configured" in story


def test_what_people_see_first_is_what_the_rules_say_with_the_values_of_the_event(
    house: House, ledger: Ledger
) -> None:
    ledger.receive()
    ledger.route()
    ledger.deliver("hubspot")
    story = told(house, "1")
    assert len(story.splitlines()) <= 24
    assert "{" not in story
    assert "/api/" not in story
    assert "attempts" not in story
    said = flat(story)
    assert "hubspot.upsert_contact previewed" in said
    assert "channel #sales text Priya Raghunathan bought" in said
    assert "`showbridge event 1 --calls` shows the requests." in said
    assert len(told(house, "1", "--calls").splitlines()) > 2 * len(story.splitlines())


@pytest.mark.parametrize(
    "outcome",
    [
        Delivered("ts-1", "https://example.com/x", "without its image"),
        Rejected("channel_not_found"),
        Retry("the vendor is away", after=60.0),
    ],
)
def test_what_did_not_go_through_at_once_is_told_first_too(
    house: House, ledger: Ledger, outcome: Any
) -> None:
    ledger.receive("invoice.refund")
    ledger.route()
    ledger.deliver("slack", outcome)
    assert (getattr(outcome, "reason", None) or outcome.remark) in flat(told(house, "1"))


def test_why_a_request_cannot_be_told_is_said_first_too(house: House, ledger: Ledger) -> None:
    ledger.receive("invoice.refund")
    ledger.route()
    house.write("bridge.yaml", "sources: {showpad: }\naccounts: {hubspot: }\n")
    assert "bridge.yaml has no account slack" in flat(told(house, "1"))


def test_a_long_text_is_told_by_its_beginning(house: House, ledger: Ledger) -> None:
    house.write("rules.yaml", RULES.replace('"refunded"', f'"refunded {"x" * 2000} end"'))
    ledger.receive("invoice.refund")
    ledger.route()
    story = told(house, "1")
    assert "…" in story
    assert " end" not in story
    assert " end" in flat(told(house, "1", "--calls"))


def test_what_waits_to_be_routed_says_so(house: House, ledger: Ledger) -> None:
    ledger.receive()
    assert "waits to be routed" in told(house, "1")


def test_quarantine_names_its_reason_and_the_way_out(house: House, ledger: Ledger) -> None:
    ledger.keep("showpad", b"[]")
    story = flat(told(house, "1"))
    assert "unparsable: not-an-object" in story
    assert "showbridge replay 1" in story


@pytest.mark.parametrize("option", ["--body", "--json"])
def test_a_hostile_name_garbles_nothing(house: House, ledger: Ledger, option: str) -> None:
    ledger.receive(customer_email=HOSTILE, customer_name=HOSTILE, payment_type=HOSTILE)
    ledger.route()
    ledger.deliver("slack", Rejected(HOSTILE))
    shown = house.run("event", "1", option).stdout
    assert not set(shown) & set("\x1b\x07\u202e\u2066\r")
    assert "[bold]Bob[/bold]" in shown


def test_the_body_is_shown_when_asked_for(house: House, ledger: Ledger) -> None:
    ledger.receive()
    assert "net_sales" not in told(house, "1")
    assert '"net_sales": "236.25"' in told(house, "1", "--body")
    assert "body" not in as_object(house, "1")
    assert as_object(house, "1", "--body")["body"]["event_type"] == "invoice.purchase"


def test_barcodes_are_masked_always(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    for options in (["--body"], ["--body", "--json"]):
        shown = house.run("event", "1", *options).stdout
        assert "barcode_string" in shown
        assert "QX7TR2MNB" not in shown


@pytest.mark.parametrize(
    "body",
    [
        b'{"barcode_string": "QX7TR2MNB", ',
        b"{'ticket_barcode' : 'QX7TR2MNB'}",
        b"a=b&barcode_string=QX7TR2MNB&c=d",
        b'{"barcode_string": "QX7TR2MNB", "barcode_string": "QX7TR2MNB"}',
        b'{"Barcode": "QX7TR2MNB',
    ],
)
def test_barcodes_are_masked_in_what_is_no_json(house: House, ledger: Ledger, body: bytes) -> None:
    ledger.keep("showpad", body)
    shown = told(house, "1", "--body")
    assert "barcode" in shown.lower()
    assert "QX7TR2MNB" not in shown


def test_json_tells_the_whole_story(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    ledger.deliver("slack", Delivered("ts-1"))
    story = as_object(house, "1")
    assert story["id"] == "1"
    (event,) = story["events"]
    assert [verdict["matched"] for verdict in event["verdicts"]] == [True]
    waiting, delivered = event["deliveries"]
    assert (waiting["state"], waiting["requests"]) == ("waiting", "will be sent, in preview")
    assert (delivered["state"], delivered["reference"]) == ("delivered", "ts-1")
    assert delivered["calls"][0]["path"] == "/api/chat.postMessage"
    assert delivered["settled_at"].endswith("Z")


def test_one_of_several_events_can_be_asked_for(house: House, ledger: Ledger) -> None:
    people = [{"email": f"{name}@example.com"} for name in ("ana", "bo")]
    body = {"type": "shared-space-user-added", "id": "s-1", "data": [{"user": p} for p in people]}
    ledger.keep("showpad", json.dumps(body).encode())
    ledger.route()
    assert [event["id"] for event in as_object(house, "1")["events"]] == ["1", "1-2"]
    assert [event["id"] for event in as_object(house, "1-2")["events"]] == ["1-2"]
    assert "Event 1-2" in told(house, "1")


MANY = """\
rules:
  - name: Each ticket
    when: {source: showpass, event: invoice.purchase}
    for_each: tickets
    do:
      - slack.post_message: {channel: "#sales", text: "{{ ticket.id }}"}
"""


@pytest.fixture
def sixty(house: House, ledger: Ledger) -> House:
    """An event with sixty deliveries."""
    house.write("rules.yaml", MANY)
    ledger.receive(ticket_items=[{"id": number} for number in range(60)])
    ledger.route()
    return house


def test_of_very_many_deliveries_the_first_are_told_and_how_to_see_the_rest(
    sixty: House,
) -> None:
    text = told(sixty, "1")
    assert "50. slack.post_message" in text
    assert "51. slack.post_message" not in text
    assert "60 waiting" in text
    assert "and 10 deliveries more: `showbridge event 1 --all`" in flat(text)


def test_all_of_them_are_told_where_all_are_asked_for(sixty: House) -> None:
    text = told(sixty, "1", "--all")
    assert "60. slack.post_message" in text
    assert "deliveries more" not in text


@pytest.mark.parametrize(("option", "count"), [("", 50), ("--all", 60)])
def test_programs_are_told_as_many_and_how_many_more(sixty: House, option: str, count: int) -> None:
    (event,) = as_object(sixty, "1", *filter(None, [option]))["events"]
    assert len(event["deliveries"]) == count
    assert event["more_deliveries"] == 60 - count


def test_why_tells_as_many(sixty: House) -> None:
    result = sixty.run("why", "1")
    assert "and 10 deliveries more: `showbridge event 1 --all`" in flat(result.stdout)


def test_of_very_many_events_in_one_webhook_the_first_are_told(
    house: House, ledger: Ledger
) -> None:
    people = [{"email": f"p{number}@example.com"} for number in range(60)]
    body = {"id": "x1", "type": "shared-space-user-added", "data": people}
    ledger.keep("showpad", json.dumps(body).encode())
    ledger.route()
    text = told(house, "1")
    assert "Event 1-50" in text
    assert "Event 1-51" not in text
    assert "and 10 events more: `showbridge event 1 --all`" in flat(text)
    assert "p59@" in told(house, "1-60")


def test_of_a_very_long_body_the_first_lines_are_shown(house: House, ledger: Ledger) -> None:
    ledger.receive(ticket_items=[{"id": number} for number in range(3_000)])
    ledger.route()
    text = told(house, "1", "--body")
    assert text.count("\n") < 1_000
    assert "more lines: `--json` has them" in text
    assert len(as_object(house, "1", "--body")["body"]["data"]["ticket_items"]) == 3_000


@pytest.mark.parametrize(("zone", "shown"), [("EST5", "EST"), ("AEDT-11", "AEDT"), ("UTC0", "UTC")])
def test_times_are_those_of_the_machine_and_name_its_zone(
    house: House, ledger: Ledger, zone: str, shown: str
) -> None:
    ledger.receive()
    house.environ["TZ"] = zone
    received = next(line for line in told(house, "1").splitlines() if "received" in line)
    assert f" {shown} (" in received
