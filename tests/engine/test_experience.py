"""What is said of rules after many events: what never came, what never held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from bridge import rules
from bridge.engine.experience import FEWEST, Experience
from bridge.event import Contact, Event
from tests.rules.conftest import Academy, Chat, Crm, Shop

LATER = "change it, or leave it if you wait for the first such event"
WORLD = rules.World(sources={"shop": Shop, "academy": Academy}, accounts={"crm": Crm, "chat": Chat})


def a_rule(where: str, *options: str, event: str = "order.paid") -> str:
    lines = "".join(f"  {line}\n" for line in options)
    return (
        f"rules:\n- name: A rule\n  when:\n    source: shop\n    event: {event}\n"
        f"    where: {where}\n{lines}"
        "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
    )


def an_order(total: object = 100, *types: str | None, **contact: str) -> Event:
    return Event(
        source="shop",
        type="order.paid",
        contact=Contact(**contact),  # type: ignore[arg-type]  # texts, all of them
        facts={
            "order": {"total": Decimal(str(total)), "currency": "CAD", "gift": False},
            "tickets": [{"type": each, "seats": 1} for each in types],
        },
        raw={"name": "Priya"},
    )


def told(text: str, events: Sequence[Event]) -> list[str]:
    experience = Experience(rules.compile_rules(text, "rules.yaml", WORLD))
    experience.period = "the last 30 days"
    for event in events:
        experience.take(event)
    return [str(each) for each in experience.warnings()]


VIPS = [an_order(100, "VIP", "Standing")] * 3 + [an_order(100, "Balcony")]


def test_a_value_that_never_came_although_one_like_it_did() -> None:
    assert told(a_rule("{tickets.type: VIPP}"), VIPS) == [
        (
            "rules.yaml:6:13: `tickets.type` was never “VIPP” in the last 30 days, but “VIP” was "
            "there 3 times; did you mean “VIP”? Others were “Standing” (3), “Balcony” (1)"
        )
    ]


@pytest.mark.parametrize(
    "where",
    [
        "{tickets.type: {one_of: [Standing, VIPP]}}",
        "{tickets.type: {is_not: VIPP}}",
        "{tickets.type: {exactly: VIPP}}",
        "{not: {any: [{tickets.type: VIPP}, {order.total: 5}]}}",
    ],
)
def test_it_is_told_wherever_a_value_is_named(where: str) -> None:
    [one] = told(a_rule(where), VIPS)
    assert "was never “VIPP”" in one


def test_it_is_told_of_a_rule_for_each() -> None:
    [one] = told(a_rule("{ticket.type: VIPP}", "for_each: tickets"), VIPS)
    assert "`ticket.type` was never “VIPP”" in one
    assert "“VIP” was there 3 times" in one


@pytest.mark.parametrize("value", ["vip", "VIP ", "Backstage"])
def test_a_value_that_came_or_is_like_no_other_is_not_misspelt(value: str) -> None:
    assert not any("was never" in one for one in told(a_rule(f'{{tickets.type: "{value}"}}'), VIPS))


def test_nobodys_name_or_address_is_told() -> None:
    rule = a_rule("{contact.name: Prya, contact.email: prya@example.com}")
    people = [an_order(1, name="Priya", email="priya@example.com")] * FEWEST
    said = told(rule, people)
    assert len(said) == 2
    assert not any("Priya" in one or "priya@" in one for one in said)


def test_what_the_sender_calls_something_is_told_only_where_it_is_alike() -> None:
    somebody_else = replace(an_order(), raw={"name": "Zora"})
    [one] = told(a_rule("{raw.name: Pria}"), [an_order(), somebody_else, an_order()])
    assert one.endswith("did you mean “Priya”?")
    [one] = told(a_rule("{raw.name: Somebody}"), [an_order()] * FEWEST)
    assert "Priya" not in one


@pytest.mark.parametrize(
    ("where", "column", "said"),
    [
        ("{order.total: {at_least: 500}}", 13, "order.total is at least 500; found was 20 to 300"),
        (
            "{tickets.type: Backstage}",
            13,
            "tickets.type is “Backstage”; found was “VIP” (2), “Standing” (1)",
        ),
        (
            "{order.currency: CAD, tickets.type: {present: false}}",
            34,
            "tickets.type is missing; found was “VIP” (2), “Standing” (1)",
        ),
        ("{contact.email: {present: true}}", 13, "contact.email is there"),
    ],
)
def test_a_condition_that_never_held(where: str, column: int, said: str) -> None:
    events = [an_order(20, "VIP"), an_order(300, "VIP"), an_order(300, "Standing")]
    begins = "this condition held for none of the 3 events of the last 30 days"
    assert told(a_rule(where), events) == [
        f"rules.yaml:6:{column}: {begins}: {said}; {LATER}",
    ]


def test_conditions_that_never_held_together() -> None:
    rule = a_rule("{order.total: {at_least: 200}, tickets.type: VIP}")
    events = [an_order(20, "VIP"), an_order(300, "Standing"), an_order(20, "VIP")]
    assert told(rule, events) == [
        (
            "rules.yaml:2:3: this rule matched none of the 3 events of the last 30 days, though "
            "each condition held for some; look at one with `showbridge rules try`"
        )
    ]
    assert told(rule, [*events, an_order(300, "VIP")]) == []


def test_conditions_on_an_entry_hold_for_the_same_entry() -> None:
    rule = a_rule("{ticket.type: VIP, ticket.seats: 2}", "for_each: tickets")
    apart = an_order(20, "VIP", "Standing")
    apart.facts["tickets"][1]["seats"] = 2
    [one] = told(rule, [apart] * FEWEST)
    assert "though each condition held for some" in one


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("{tickets: {count: {at_least: 3}}}", "the number of tickets is at least 3"),
        ("{tickets: {sum: {seats: {more_than: 9}}}}", "the sum of tickets.seats is more than 9"),
        (
            "{any: [{tickets: {where: {type: VIP, seats: 2}}}]}",
            "one and the same of tickets has (tickets.type is “VIP” and tickets.seats is 2)",
        ),
    ],
)
def test_what_no_list_ever_was_is_told(where: str, said: str) -> None:
    [one] = told(a_rule(where), VIPS)
    assert one.startswith("rules.yaml:6:")
    assert f"held for none of the 4 events of the last 30 days: {said}; change it" in one


LONG = "Bow River Summer Folk Festival 2027 at Prince Island Park, {}, all ages"


def test_of_long_values_the_part_that_differs_is_told_and_the_whole_is_meant() -> None:
    rule = a_rule(f"{{tickets.type: '{LONG.format('Sundai')}'}}")
    [one] = told(rule, [an_order(20, LONG.format("Sunday"))] * FEWEST)
    assert "never “…e Island Park, Sundai, all ages”" in one
    assert "but “…e Island Park, Sunday, all ages” was there" in one
    assert f"did you mean “{LONG.format('Sunday')}”?" in one


def test_letters_that_only_look_alike_are_named() -> None:
    [one] = told(a_rule("{tickets.type: V\u0406P Gold}"), [an_order(20, "VIP Gold")] * FEWEST)
    assert "“I”, LATIN CAPITAL LETTER I, where the other has “\u0406”, CYRILLIC" in one


def test_too_few_events_say_nothing() -> None:
    rule = a_rule("{order.total: {at_least: 500}}")
    assert told(rule, [an_order(20)] * (FEWEST - 1)) == []
    assert len(told(rule, [an_order(20)] * FEWEST)) == 1


def test_events_of_another_type_say_nothing() -> None:
    rule = a_rule("{order.total: {at_least: 500}}", event="order.refunded")
    assert told(rule, [an_order(20)] * 10) == []


def test_what_is_switched_off_is_not_watched() -> None:
    off = a_rule("{tickets.type: VIPP}", "enabled: false").removeprefix("rules:\n")
    on = a_rule("{tickets.type: VIP}").replace("A rule", "Another")
    assert told(on + off, VIPS) == []


def saying(text: str) -> str:
    return a_rule("{order.total: {at_least: 1}}").replace("text: hello", f"text: '{text}'")


def test_a_text_that_an_event_cannot_fill_is_told_with_the_event() -> None:
    """`check` had seen that it was unknown in all events, and said nothing."""
    experience = Experience(
        rules.compile_rules(saying("net {{ order.total - tickets[0].seats }}"), "rules.yaml", WORLD)
    )
    for number, event in ((12, an_order()), (11, an_order()), (10, an_order(5, "VIP"))):
        experience.take(event, str(number))
    (warning,) = experience.warnings()
    assert str(warning) == (
        "rules.yaml:2:3: for event 12, chat.post_message cannot say all: it calculates with "
        "something, which is not known in this event; "
        "write `... if ... else ...` or `| default(...)` for where it is not known"
    )


def test_a_step_that_an_event_would_have_rejected_is_told() -> None:
    text = a_rule("{order.total: {at_least: 1}}").replace("channel: here", 'channel: "{{ raw.x }}"')
    (warning,) = told(text, [an_order()])
    assert "for an event that came in, chat.post_message cannot say all: `channel`" in warning


def test_texts_are_tried_on_what_matches_alone() -> None:
    text = saying("{{ order.total - tickets[0].seats }}").replace("at_least: 1", "at_least: 500")
    assert not any("cannot say all" in each for each in told(text, [an_order()] * 5))
    assert told(saying("{{ order.total - tickets[0].seats }}"), [an_order(5, "VIP")] * 3) == []
