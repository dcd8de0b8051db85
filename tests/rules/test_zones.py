"""One time zone for all that a rule does, and a word where there is none or there are two."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge import rules
from bridge.engine.owing import described
from bridge.event import Contact, Event
from bridge.rules.fill import fill
from bridge.sources.showpass import Showpass
from connectors.email import Email, EmailSettings
from connectors.slack import Slack
from connectors.slack.daily import not_before

# 2 July, 19:30 in Edmonton; 21:30 in Toronto.
EVENT = Event(
    source="showpass",
    type="invoice.purchase",
    contact=Contact(email="ana@example.com"),
    facts={"tickets": [{"type": "VIP", "starts_on": datetime(2027, 7, 3, 1, 30, tzinfo=UTC)}]},
    received_at=datetime(2027, 6, 1, 15, tzinfo=UTC).timestamp(),
)
DIGEST = '{channel: "#sales", at: "08:00"}'


def compiled(
    step: str, zone: str = "", where: str = "{}", texts: str = "", **zones: str
) -> rules.RuleSet:
    """`zones` are those of e-mail accounts, by their names."""
    settings = {
        name: EmailSettings.model_validate({"time_zone": each} if each else {})
        for name, each in zones.items()
    }
    world = rules.World(
        sources={"showpass": Showpass},
        accounts={"slack": Slack, **dict.fromkeys(zones, Email)},
        settings=settings,
    )
    first = f"time_zone: {zone}\n" if zone else ""
    first += f"texts: {texts}\n" if texts else ""
    text = (
        f"{first}rules:\n- name: A rule\n"
        f"  when: {{source: showpass, event: invoice.purchase, where: {where}}}\n"
        f"  do:\n  - {step}\n"
    )
    if where == "{}":
        text = text.replace(", where: {}", "")
    return rules.compile_rules(text, "rules.yaml", world)


def warnings(made: rules.RuleSet) -> str:
    return "\n".join(f"{each.what}; {each.advice}" for each in made.warnings)


@pytest.mark.parametrize(
    ("step", "zone", "accounts", "due"),
    [
        (DIGEST, "America/Toronto", {}, "2027-06-02T12:00Z"),
        (DIGEST, "America/Vancouver", {}, "2027-06-01T15:00:00.000001Z"),
        (DIGEST, "Australia/Sydney", {}, "2027-06-01T22:00Z"),
        (DIGEST, "", {"email": "America/Edmonton"}, "2027-06-02T14:00Z"),
        (DIGEST, "America/Toronto", {"email": "America/Edmonton"}, "2027-06-02T12:00Z"),
        (DIGEST, "", {}, "2027-06-02T08:00Z"),
        (DIGEST[:-1] + ", time_zone: Europe/Berlin}", "America/Toronto", {}, "2027-06-02T06:00Z"),
    ],
)
def test_a_digest_comes_by_the_rules_clocks(
    step: str, zone: str, accounts: dict[str, str], due: str
) -> None:
    """https://github.com/SuiteCRM/SuiteCRM/issues/7305"""
    made = compiled(f"slack.post_daily_digest: {step}", zone, **accounts)
    item: Any = fill(made.rules[0].steps[0], EVENT)
    received = datetime.fromtimestamp(EVENT.received_at or 0, UTC)
    found = not_before(item, received)
    expected = datetime.fromisoformat(due)
    if zone == "America/Vancouver":
        # It is 08:00 there when the event comes in: the next morning.
        expected = datetime(2027, 6, 2, 15, tzinfo=UTC)
    assert found == expected


@pytest.mark.parametrize(
    ("day", "hour"),
    [("2027-03-13", 15), ("2027-03-14", 14), ("2027-11-06", 14), ("2027-11-07", 15)],
)
def test_a_digest_comes_at_the_same_time_of_day_when_the_clocks_change(day: str, hour: int) -> None:
    """https://github.com/OpenCTI-Platform/opencti/issues/4310"""
    made = compiled(f"slack.post_daily_digest: {DIGEST}", "America/Edmonton")
    item: Any = fill(made.rules[0].steps[0], EVENT)
    received = datetime.fromisoformat(f"{day}T08:30:00+00:00")
    assert not_before(item, received) == datetime.fromisoformat(f"{day}T{hour}:00:00+00:00")


@pytest.mark.parametrize(
    ("zone", "account", "shown"),
    [
        ("America/Toronto", "", "2 July 2027, 21:30 EDT"),
        ("America/Toronto", "America/Edmonton", "2 July 2027, 21:30 EDT"),
        ("", "America/Edmonton", "2 July 2027, 19:30 MDT"),
        ("", "", "3 July 2027, 01:30 UTC"),
        ("Australia/Sydney", "", "3 July 2027, 11:30 AEST"),
    ],
)
def test_subject_and_ticket_list_of_a_message_say_the_same_time(
    zone: str, account: str, shown: str
) -> None:
    """https://github.com/matomo-org/matomo/issues/24980"""
    step = (
        'email.send: {to: "{{ contact.email }}", text: Hello, tickets: true, '
        'subject: "{{ tickets[0].starts_on | date }}"}'
    )
    made = compiled(step, zone, email=account)
    item = fill(made.rules[0].steps[0], EVENT)
    event = described(EVENT, made.time_zone if made.names_zone else "")
    settings = EmailSettings.model_validate({"time_zone": account} if account else {})
    preview = Email.actions()["send"].preview
    (call,) = preview(settings, item.for_delivery("1", event=event))
    assert call.body["Subject"] == shown
    assert shown in call.body["text"]


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("email", "2 July 2027, 19:30 MDT"),
        ("mail", "2 July 2027, 21:30 EDT"),
        ("post", "3 July 2027, 01:30 UTC"),
    ],
)
def test_where_accounts_have_several_zones_a_message_is_in_that_of_its_own(
    account: str, shown: str
) -> None:
    zones = {"email": "America/Edmonton", "mail": "America/Toronto", "post": ""}
    step = (
        'ACCOUNT.send: {to: "{{ contact.email }}", tickets: true, text: "{{ texts.when }}", '
        'subject: "{{ tickets[0].starts_on | date }}"}'
    ).replace("ACCOUNT", account)
    made = compiled(step, texts='{when: "{{ tickets[0].starts_on | date }}"}', **zones)
    item = fill(made.rules[0].steps[0], EVENT).for_delivery("1", event=described(EVENT))
    zone = zones[account]
    settings = EmailSettings.model_validate({"time_zone": zone} if zone else {})
    (call,) = Email.actions()["send"].preview(settings, item)
    assert call.body["Subject"] == shown
    assert call.body["text"].count(shown) == 2, "the text and the ticket list"


@pytest.mark.parametrize("far", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
@pytest.mark.parametrize("zone", ["America/Edmonton", "Australia/Sydney"])
def test_a_date_from_the_ends_of_the_calendar_stops_no_message(zone: str, far: str) -> None:
    step = 'email.send: {to: "{{ contact.email }}", text: Hello, tickets: true, subject: Hi}'
    made = compiled(step, zone, email="")
    ticket = {"type": "VIP", "starts_on": datetime.fromisoformat(far)}
    event = replace(EVENT, facts={"tickets": [ticket]})
    item = fill(made.rules[0].steps[0], event).for_delivery("1", event=described(event, zone))
    preview = Email.actions()["send"].preview
    assert len(preview(EmailSettings.model_validate({}), item)) == 1


def test_a_day_without_a_zone_is_told() -> None:
    message = 'slack.post_message: {channel: "#a", text: hello}'
    day = "{tickets.starts_on: {after: 2027-07-02}}"
    assert "this day begins and ends in UTC, since no `time_zone` is given" in warnings(
        compiled(message, where=day)
    )
    assert not warnings(compiled(message, "America/Edmonton", where=day))
    assert not warnings(compiled(message, where=day, email="America/Edmonton"))
    assert not warnings(compiled(message, where="{tickets.starts_on: {after: now}}"))


def test_a_digest_without_a_zone_is_told() -> None:
    digest = f"slack.post_daily_digest: {DIGEST}"
    assert warnings(compiled(digest)) == (
        "`slack.post_daily_digest` goes by the clocks of UTC, since no `time_zone` is given; "
        "add a line such as `time_zone: America/Edmonton` at the top of the file"
    )
    assert not warnings(compiled(digest, "America/Edmonton"))
    assert not warnings(compiled(digest, email="America/Edmonton"))
    assert not warnings(compiled(f"{digest[:-1]}, time_zone: Europe/Berlin}}"))


def test_two_zones_are_told() -> None:
    send = "email.send: {to: ana@example.com, subject: Hi, text: Hello}"
    both = compiled(send, "America/Toronto", email="America/Edmonton")
    assert warnings(both) == (
        "the account `email` has the time zone America/Edmonton, and these rules another one; "
        "messages of rules use America/Toronto; give both the same"
    )
    digest = f"slack.post_daily_digest: {DIGEST[:-1]}, time_zone: Europe/Berlin}}"
    assert "at a time in Europe/Berlin, and days in these rules are in America/Toronto" in warnings(
        compiled(digest, "America/Toronto")
    )
    several = compiled(send, email="America/Edmonton", mail="America/Toronto")
    assert warnings(several) == (
        "accounts have the time zones America/Edmonton and America/Toronto, and these rules give "
        "none: what an account sends is in its own, and days are days of UTC; add a line such as "
        "`time_zone: America/Edmonton` at the top of the file"
    )
    for quiet in (
        compiled(send, "America/Toronto", email="America/Toronto"),
        compiled(send, "America/Toronto", email=""),
        compiled(digest.replace("Europe/Berlin", "America/Toronto"), "America/Toronto"),
    ):
        assert not warnings(quiet)
