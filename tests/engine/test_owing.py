"""What the options of rules make of deliveries: for each, later, once, called off."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest

from bridge.engine.route import Router
from bridge.event import Webhook
from bridge.ledger.plan import Plan, PlannedDelivery, Waiting
from bridge.rules import World, compile_rules
from bridge.sources.showpass import Showpass
from tests.engine.scripted import Scripted
from tests.web.conftest import purchase

WORLD = World(sources={"showpass": Showpass}, accounts={"scripted": Scripted})
RECEIVED = 1_800_000_000.0
TICKETS = [
    {"id": "1", "ticket_type_name": "VIP", "event_id": "7"},
    {"id": "2", "ticket_type_name": "Standing", "event_id": "8"},
]


def plan(
    options: str,
    key: str = "key",
    now: float = RECEIVED,
    rule: str = "A rule",
    zone: str = "",
    **changes: Any,
) -> Plan:
    text = (
        (f"time_zone: {zone}\n" if zone else "")
        + f"rules:\n  - name: {rule}\n    when: {{source: showpass}}\n"
        + "".join(f"    {line}\n" for line in options.splitlines())
        + '    do: [{scripted.send: {text: "{{ ticket.type or order.id }}"}}]\n'
    )
    text = text if "for_each" in options else text.replace("ticket.type or ", "")
    router = Router(
        sources={"showpass": Showpass(Showpass.Settings(), [])},
        accounts={"scripted": Scripted},
        rules=compile_rules(text, "rules.yaml", WORLD),
    )
    changes = {"data": {"ticket_items": TICKETS, **changes.pop("data", {})}, **changes}
    webhook = Webhook("showpass", purchase(**changes), {}, RECEIVED)
    return router.plan(Waiting(1, key, webhook, replayed=False), now)


def owed(options: str, **changes: Any) -> Sequence[PlannedDelivery]:
    return plan(options, **changes).deliveries


def test_each_member_has_a_delivery_of_its_own_that_is_the_same_the_next_time() -> None:
    first, second = owed("for_each: tickets")
    assert (first.item["text"], second.item["text"]) == ("VIP", "Standing")
    assert first.id != second.id
    assert [one.id for one in owed("for_each: tickets")] == [first.id, second.id]
    assert (first.place, second.place) == (0, 1)


def test_of_far_too_many_the_first_are_done_and_the_story_says_so() -> None:
    made = plan("for_each: tickets", data={"ticket_items": TICKETS * 501})
    assert len(made.deliveries) == 1000
    assert made.events[0].remarks == ("of 1,002 tickets, rules go through the first 1,000 alone",)


def test_what_comes_later_is_scheduled() -> None:
    [later] = owed("after: 2 days")
    assert (later.state, later.due_at) == ("scheduled", RECEIVED + 2 * 86400)


def test_what_is_due_when_it_is_routed_just_waits() -> None:
    [late] = owed("after: 2 days", now=RECEIVED + 3 * 86400)
    assert (late.state, late.due_at) == ("waiting", 0.0)


def test_what_nobody_can_tell_the_time_of_is_suppressed_with_the_reason() -> None:
    [never] = owed("after: 1 day after tickets.ends_on")
    assert (never.state, never.item) == ("suppressed", {})
    assert never.reason == "tickets.ends_on is not known, so nothing says when"


def once(options: str, **changes: Any) -> list[str]:
    """The keys."""
    found = [one.once for one in owed(options, **changes)]
    return [one.key for one in found if one is not None]


@pytest.mark.parametrize(
    ("options", "same", "other"),
    [
        (
            "once_per: contact",
            {"data": {"customer_email": "ANA@example.com", "transaction_id": "other"}},
            {"data": {"customer_email": "bo@example.com"}},
        ),
        (
            "once_per: transaction",
            {"data": {"customer_email": "bo@example.com"}},
            {"id": "other", "data": {"transaction_id": "other"}},
        ),
        (
            "once_per: event",
            {"data": {"customer_email": "bo@example.com"}},
            {"data": {"ticket_items": TICKETS[:1]}},
        ),
        (
            'once_per: "{{ order.currency }}"',
            {"data": {"currency": "cad"}},
            {"data": {"currency": "USD"}},
        ),
    ],
)
def test_once_per_is_for_the_same_of_what_it_names(
    options: str, same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert once(options, key="another", **same) == once(options)
    assert once(options, key="another", **other) != once(options)


@pytest.mark.parametrize("zone", ["", "UTC", "America/Edmonton", "Australia/Sydney"])
@pytest.mark.parametrize(
    ("text", "starts_on", "value"),
    [
        ("{{ event.time }}", None, "2027-01-15t08:00:00+00:00"),
        ("{{ ticket.starts_on }}", "2027-07-02T19:30:00-06:00", "2027-07-03t01:30:00+00:00"),
        ("{{ ticket.starts_on }}", "2027-07-03", "2027-07-03t00:00:00+00:00"),
        ("{{ ticket.starts_on | upper }}", "2027-07-03", "2027-07-03t00:00:00+00:00"),
        ("{{ tickets[0].starts_on ~ ' A' }}", "2027-07-03", "2027-07-03t00:00:00+00:00 a"),
        (
            "{{ tickets | map(attribute='starts_on') | join }}",
            "2027-07-03",
            "2027-07-03t00:00:00+00:00",
        ),
    ],
)
def test_times_in_keys_are_those_of_utc_whatever_the_rules_zone(
    zone: str, text: str, starts_on: str | None, value: str
) -> None:
    """The ledger holds keys of this form: others would have it all done a second time."""
    ticket = {"id": "1", "event_starts_on": starts_on}
    options = f'for_each: tickets\nonce_per: "{text}"'
    found = once(options, zone=zone, data={"ticket_items": [ticket]})
    parts = ("A rule", "text", value)
    assert found == [hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]]


def test_a_day_that_a_key_asks_for_is_one_of_the_rules_zone() -> None:
    options = """for_each: tickets\nonce_per: "{{ ticket.starts_on | date('%d') }}\""""
    evening = {"data": {"ticket_items": [{"event_starts_on": "2027-07-03T01:30:00Z"}]}}
    noon = {"data": {"ticket_items": [{"event_starts_on": "2027-07-02T18:00:00Z"}]}}
    zone = "America/Edmonton"
    assert once(options, zone=zone, **evening) == once(options, zone=zone, **noon)
    assert once(options, **evening) != once(options, **noon)


def test_another_rule_does_it_once_by_itself() -> None:
    assert once("once_per: contact", rule="Another") != once("once_per: contact")


def test_where_nobody_is_known_each_event_stands_for_itself() -> None:
    nobody = {"customer_email": None}
    for options in ("once_per: contact", 'once_per: "{{ contact.email }} {{ event.type }}"'):
        for key in ("a key", "another"):
            assert [one.once for one in owed(options, data=nobody, key=key)] == [None]


@pytest.mark.parametrize(
    "text",
    [
        "{{ ticket.holder_email }}",
        "{{ ticket.holder_email }} {{ event.type }}",
        "{{ ticket.holder_email | lower }}",
        "{{ ticket.holder_email or ticket.holder_phone }}",
        "{{ raw.nobody }}{{ ticket.holder_email }}",
    ],
)
def test_each_entry_of_whom_nobody_knows_is_done(text: str) -> None:
    """What is unknown is nobody, and no two of them are the same.

    https://github.com/twentyhq/twenty/issues/16270
    """
    holders: list[Any] = [None, "", None, " "]
    data = {"ticket_items": [{"id": n, "email_on_ticket": one} for n, one in enumerate(holders)]}
    found = owed(f'for_each: tickets\nonce_per: "{text}"', data=data)
    assert [one.state for one in found] == ["waiting"] * 4


def test_of_those_who_are_known_each_is_done_once() -> None:
    holders = ["ana@example.com", None, "ANA@example.com ", "bo@example.com", None]
    data = {"ticket_items": [{"id": n, "email_on_ticket": one} for n, one in enumerate(holders)]}
    found = owed('for_each: tickets\nonce_per: "{{ ticket.holder_email }}"', data=data)
    states = [one.state for one in found]
    assert states == ["waiting", "waiting", "suppressed", "waiting", "waiting"]


def test_of_several_entries_with_the_same_key_only_the_first_is_done() -> None:
    one_show = {"ticket_items": [{**each, "event_id": "7"} for each in TICKETS]}
    first, second = owed("for_each: tickets\nonce_per: event", data=one_show)
    assert (first.state, first.reason) == ("waiting", None)
    assert second.state == "suppressed"
    assert second.reason == "once per event: ticket 1 of this event did it"
    each_show = owed("for_each: tickets\nonce_per: event")
    assert [one.state for one in each_show] == ["waiting", "waiting"]


def test_once_per_show_of_each_ticket_is_by_the_tickets_show() -> None:
    first, second = once("for_each: tickets\nonce_per: event")
    assert first != second
    one_show = {"ticket_items": [{**one, "event_id": "7"} for one in TICKETS]}
    assert once("for_each: tickets\nonce_per: event", data=one_show) == [first, first]


def test_the_words_and_the_period_go_along() -> None:
    [made] = owed("once_per: {of: contact, within: 30 days}")
    assert made.once is not None
    assert (made.once.words, made.once.period) == ("once per contact in 30 days", 30 * 86400)


def test_what_waits_knows_what_calls_it_off() -> None:
    [later] = owed("after: 2 days\nunless: invoice.refund")
    assert later.unless is not None
    assert later.unless.types == ("invoice.refund",)
    refund = plan("stop: false", key="refund", event_type="invoice.refund").events[0]
    assert set(later.unless.keys) <= set(refund.known_as)


@pytest.mark.parametrize(
    ("refund", "calls_off"),
    [
        ({}, True),
        ({"transaction_id": "other"}, False),
        ({"customer_email": "bo@example.com"}, True),
    ],
)
def test_it_is_called_off_by_the_signed_transaction_whoever_is_named(
    refund: dict[str, Any], calls_off: bool
) -> None:
    [later] = owed("after: 2 days\nunless: invoice.refund")
    changes: dict[str, Any] = {"event_type": "invoice.refund", "data": refund}
    if "transaction_id" in refund:
        changes["id"] = refund["transaction_id"]
    event = plan("stop: false", key="refund", **changes).events[0]
    assert later.unless is not None
    assert bool(set(later.unless.keys) & set(event.known_as)) is calls_off


def test_by_contact_it_is_called_off_whatever_the_transaction() -> None:
    [later] = owed("after: 2 days\nunless: {event: invoice.refund, same: contact}")
    other = {"transaction_id": "other", "ticket_items": []}
    event = plan("stop: false", key="r", id="other", event_type="invoice.refund", data=other)
    assert later.unless is not None
    assert set(later.unless.keys) & set(event.events[0].known_as)


@pytest.mark.parametrize("address", ["bo@example.com", None])
def test_by_contact_a_refund_for_somebody_else_or_nobody_calls_nothing_off(
    address: str | None,
) -> None:
    """Also of the same signed transaction: `same: contact` asks for the person alone."""
    [later] = owed("after: 2 days\nunless: {event: invoice.refund, same: contact}")
    other = {"customer_email": address}
    event = plan("stop: false", key="r", event_type="invoice.refund", data=other).events[0]
    assert later.unless is not None
    assert not set(later.unless.keys) & set(event.known_as)


def test_what_is_done_at_once_cannot_be_called_off() -> None:
    [now] = owed("unless: invoice.refund")
    assert now.unless is None
