from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import rules
from bridge.event import Contact, Event
from bridge.rules import conditions
from bridge.rules.conditions import OF_ALL, OF_ONE, OPERATORS, Comparison, holds
from bridge.rules.countries import Country
from bridge.rules.relative import within
from bridge.rules.seen import Seen
from bridge.rules.sentences import why_not

Where = Callable[[str], rules.RuleSet]


def verdict(where: Where, condition: str, event: Event) -> rules.Verdict:
    (only,) = rules.judge(where(condition), event)
    return only


@pytest.mark.parametrize(
    "condition",
    [
        "{order.currency: cad}",
        "{order.currency: {is: CAD}}",
        "{order.currency: [USD, cad]}",
        "{order.currency: {one_of: [USD, CAD]}}",
        "{order.currency: {is_not: USD}}",
        "{order.currency: {contains: a}}",
        "{order.currency: {starts_with: ca, ends_with: AD}}",
        '{order.currency: {matches: "c*d"}}',
        '{order.currency: {matches: "C?D"}}',
        "{order.total: 236.25}",
        '{order.total: "236.250"}',
        "{order.total: {at_least: 236.25, at_most: 236.25}}",
        "{order.gift: false}",
        "{order.gift: no}",
        "{contact.consent: yes}",
        "{contact.email: {present: true}, contact.phone: {present: false}}",
        "{tickets.type: vip}",
        "{tickets.seats: 2}",
        "{tickets.seats: {at_least: 2}}",
        "{tickets.starts_on: 2027-07-03}",
        "{tickets.starts_on: {after: 2027-07-02, before: 2027-07-04}}",
        '{tickets.starts_on: {before: "2027-07-02T20:00:00-06:00"}}',
        "{tickets: {present: true}}",
        "{raw.deep.list.colour: blue}",
        "{raw.id: 7}",
        '{raw.id: "7"}',
        "{raw.nothing.there: {present: false}}",
        "{event.type: order.paid}",
        "{any: [{order.currency: USD}, {order.total: {at_least: 5}}]}",
        "{all: [{order.currency: CAD}, {order.gift: false}]}",
        "{not: {order.currency: USD}}",
        "{not: {order.currency: CAD, order.gift: true}}",
        "{order.currency: {any: [USD, {starts_with: c}]}}",
        "{order.currency: {not: {contains: x}}}",
        "{tickets.type: {not: balcony}}",
        "{tickets.type: {is_not: balcony}}",
    ],
)
def test_this_holds(where: Where, order: Event, condition: str) -> None:
    assert verdict(where, condition, order) == rules.Verdict("A rule", True, "")


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("{order.total: {at_least: 300}}", "order.total is 236.25, not at least 300"),
        ("{order.total: {at_most: 5}}", "order.total is 236.25, not at most 5"),
        ("{order.currency: USD}", "order.currency is “CAD”, not “USD”"),
        ("{order.currency: [USD, EUR]}", "order.currency is “CAD”, not one of “USD”, “EUR”"),
        (
            "{order.currency: {is_not: cad}}",
            "order.currency is “CAD”, which this rule leaves out",
        ),
        (
            "{tickets.type: {contains: balcony}}",
            "tickets.type is “VIP”, “Standing”, which does not contain “balcony”",
        ),
        (
            "{tickets.starts_on: {after: 2027-07-03}}",
            "tickets.starts_on is 2027-07-03 01:30 UTC, not after 2027-07-03 in UTC",
        ),
        (
            "{contact.phone: {starts_with: '+1'}}",
            "contact.phone is not known, so nothing says that it starts with “+1”",
        ),
        ("{contact.phone: {present: true}}", "contact.phone is missing"),
        ("{order.gift: {present: false}}", "order.gift is there, and must not be"),
        ("{order.gift: true}", "order.gift is false, not true"),
        (
            "{not: {order.currency: CAD}}",
            "order.currency is “CAD”, which this rule leaves out",
        ),
        (
            "{any: [{order.currency: USD}, {order.total: 5}]}",
            "none of these holds: order.currency is “CAD”, not “USD”; order.total is 236.25, not 5",
        ),
        (
            "{order.currency: CAD, order.total: 5, order.gift: true}",
            "order.total is 236.25, not 5, and order.gift is false, not true",
        ),
    ],
)
def test_what_does_not_hold_says_what_was_expected_and_found(
    where: Where, order: Event, condition: str, why: str
) -> None:
    found = verdict(where, condition, order)
    # The sentence of a condition says `is`, quoting what the rule says.
    assert (found.matched, found.why_not) == (False, why)


def test_several_operators_must_hold_for_the_same_member_of_a_list(
    where: Where, order: Event
) -> None:
    tickets = {"tickets": [{"seats": 1}, {"seats": 30}]}
    event = replace(order, facts={**order.facts, **tickets})
    found = verdict(where, "{tickets.seats: {at_least: 5, at_most: 20}}", event)
    assert found.why_not == "no single tickets.seats is at least 5 and is at most 20"


def test_is_not_means_that_no_member_is(where: Where, order: Event) -> None:
    found = verdict(where, "{tickets.type: {is_not: VIP}}", order)
    assert found.why_not == "tickets.type is “VIP”, “Standing”, which this rule leaves out"


NAMED = ("holder", "customer_name", "name_on_ticket", "first_name_on_ticket", "lastName")


@pytest.mark.parametrize(
    "path", ["contact.email", "contact.name", "raw.text", *(f"raw.{name}" for name in NAMED)]
)
def test_a_verdict_does_not_say_who_somebody_is(where: Where, order: Event, path: str) -> None:
    event = replace(order, raw={**dict.fromkeys(NAMED, "Priya R"), "text": "priya@example.com"})
    found = verdict(where, f"{{{path}: somebody}}", event)
    assert found.why_not == f"{path} is another one, not “somebody”"


def test_accents_compare_alike_however_they_are_encoded(where: Where, order: Event) -> None:
    event = replace(order, contact=Contact(name="E\u0301tienne"))
    assert verdict(where, '{contact.name: "\u00c9TIENNE"}', event).matched


@pytest.mark.parametrize(
    ("event_type", "source", "why"),
    [
        ("shop.test", "shop", "the event is shop.test, not order.*"),
        ("order.paid", "academy", "the event is from academy, not shop"),
        ("order.unheard-of", "shop", ""),
        ("ORDER.PAID", "shop", ""),
    ],
)
def test_source_and_type_are_asked_first(
    where: Where, order: Event, event_type: str, source: str, why: str
) -> None:
    event = replace(order, type=event_type, source=source)
    compiled = where("{order.currency: CAD}")
    assert rules.judge(compiled, event) == (() if why else (rules.Verdict("A rule", True),))
    examined = rules.examine(compiled.rules[0], event)
    assert (examined.matched, examined.elsewhere) == (not why, why or None)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.datetimes()
    | st.datetimes(timezones=st.timezones()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(found=anything, expected=anything, operator=st.sampled_from(OPERATORS))
def test_no_value_of_any_type_raises(found: Any, expected: Any, operator: str) -> None:
    listed = (expected,) if operator == "one_of" else expected
    if operator == "between":
        listed = (expected, expected)
    if operator in ("contains", "matches", "starts_with", "ends_with"):
        listed = str(expected)
    if operator == "country":
        listed = Country(("CA",))
    if operator == "within":
        listed = within("2 days")
    test = conditions.Test("raw.it", (Comparison(operator, listed),))
    seen = Seen({"raw": {"it": found}})
    if not holds(test, seen):
        assert "raw.it" in why_not(test, seen)


def test_every_operator_has_one_way_of_being_asked() -> None:
    assert not set(OF_ONE) & set(OF_ALL)
    assert set(OPERATORS) == {
        *("is", "is_not", "one_of", "contains", "starts_with", "ends_with", "matches"),
        *("at_least", "at_most", "more_than", "less_than", "between"),
        *("before", "after", "within", "present", "exactly", "country"),
    }
