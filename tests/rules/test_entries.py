"""What is asked of a list's entries: one and the same, how many, and what they come to.

Elsewhere, too, conditions on several fields were met by several entries without a word:
https://github.com/labd/commercetools-node-mock/pull/182. Quantities of one line and of all
were mistaken for one another in https://github.com/shopware/shopware/pull/17440.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.event import Event

Where = Callable[[str], rules.RuleSet]


def with_tickets(event: Event, *each: tuple[Any, Any]) -> Event:
    listed = [{"type": kind, "seats": seats, "starts_on": None} for kind, seats in each]
    return replace(event, facts={**event.facts, "tickets": listed})


def verdict(where: Where, condition: str, event: Event) -> rules.Verdict:
    (only,) = rules.judge(where(condition), event)
    [rule] = where(condition).rules
    examined = rules.examine(rule, event)
    assert examined.matched is only.matched
    if not only.matched:
        assert only.why_not == ", and ".join(one.why_not for one in examined.failed)
    return only


TWO_VIPS = "{tickets: {where: {type: {contains: VIP}}, count: {at_least: 2}}}"
TEN_PLACES = "{tickets: {sum: {seats: {at_least: 10}}}}"
SAME = "{tickets: {where: {type: {contains: VIP}, seats: {at_least: 2}}}}"


@pytest.mark.parametrize(
    ("condition", "listed", "why"),
    [
        (SAME, [("VIP", 2), ("Standing", 1)], ""),
        (
            SAME,
            [("VIP", 1), ("Standing", 2)],
            (
                "none of the 2 in tickets has (tickets.type contains “VIP” and tickets.seats is at "
                "least 2)"
            ),
        ),
        (
            SAME,
            [],
            (
                "tickets has no entries, so none has (tickets.type contains “VIP” and "
                "tickets.seats is at least 2)"
            ),
        ),
        (TWO_VIPS, [("VIP", 1), ("vip lounge", 1)], ""),
        (
            TWO_VIPS,
            [("VIP", 1), ("Standing", 1)],
            "the number of tickets with (tickets.type contains “VIP”) is 1, not at least 2",
        ),
        (
            TWO_VIPS,
            [("VIP", 1), (None, 1)],
            "the number of tickets with (tickets.type contains “VIP”) is 1, not at least 2",
        ),
        (TEN_PLACES, [("VIP", 6), ("Standing", 6)], ""),
        (
            TEN_PLACES,
            [("VIP", 6), ("Standing", 3)],
            "the sum of tickets.seats is 9, not at least 10",
        ),
        (TEN_PLACES, [("VIP", 6), ("Standing", 6), (None, None)], ""),
        (
            TEN_PLACES,
            [("VIP", 6), ("Standing", None)],
            (
                "the sum of tickets.seats is 6 where 1 is not known, so nothing says that it is at "
                "least 10"
            ),
        ),
        (
            TEN_PLACES,
            [("VIP", 12), ("Standing", -1), (None, None)],
            (
                "the sum of tickets.seats is 11 where 1 is not known, so nothing says that it "
                "is at least 10"
            ),
        ),
        (
            "{tickets: {sum: {seats: {at_most: 10}}}}",
            [("VIP", 6), ("Standing", None)],
            (
                "the sum of tickets.seats is 6 where 1 is not known, so nothing says that it is at "
                "most 10"
            ),
        ),
        ("{tickets: {sum: {seats: {between: [10, 12]}}}}", [("VIP", 6), ("Standing", 6)], ""),
        (
            "{tickets: {where: {type: VIP}, sum: {seats: {more_than: 5}}}}",
            [("VIP", 3), ("a", 9), ("vip", 3)],
            "",
        ),
        (
            "{tickets: {where: {type: VIP}, sum: {seats: {at_most: 5}}}}",
            [("a", 3)],
            "none of the 1 in tickets has (tickets.type is “VIP”)",
        ),
        (
            "{tickets: {where: {type: VIP}, count: {at_least: 0}, sum: {seats: {at_most: 5}}}}",
            [("a", 3)],
            "",
        ),
        ("{tickets: {count: 2}}", [("a", 3), ("b", 3)], ""),
        ("{tickets: {count: 2}}", [("a", 3)], "the number of tickets is 1, not 2"),
        ("{tickets: {count: {at_most: 0}, where: {type: Staff}}}", [("a", 3)], ""),
        ("{tickets: {count: {at_most: 0}, where: {type: Staff}}}", [], ""),
        ("{tickets: {where: {any: [{type: VIP}, {not: {seats: 1}}]}}}", [("a", 1), ("b", 2)], ""),
        ("{not: {tickets: {where: {type: VIP, seats: 2}}}}", [("VIP", 1), ("b", 2)], ""),
    ],
)
def test_entries_are_asked_one_by_one(
    where: Where, order: Event, condition: str, listed: list[tuple[Any, Any]], why: str
) -> None:
    found = verdict(where, condition, with_tickets(order, *listed))
    assert (found.matched, found.why_not) == (not why, why)


@pytest.mark.parametrize(
    "condition", [SAME, TWO_VIPS, TEN_PLACES, "{tickets: {count: {at_most: 5}}}"]
)
def test_of_a_list_that_is_not_known_nothing_holds(
    where: Where, order: Event, condition: str
) -> None:
    unknown = replace(order, facts={**order.facts, "tickets": None})
    found = verdict(where, condition, unknown)
    assert not found.matched
    assert found.why_not.startswith("tickets is not known, so nothing says that ")


def test_an_exact_sum_of_amounts(where: Where, order: Event) -> None:
    priced = with_tickets(order, ("a", Decimal("0.10")), ("b", Decimal("0.20")))
    assert verdict(where, "{tickets: {sum: {seats: 0.3}}}", priced).matched


def test_sums_beyond_all_numbers_raise_nothing(where: Where, order: Event) -> None:
    huge = with_tickets(order, *[("a", Decimal("9E+999999"))] * 3)
    assert not verdict(where, "{tickets: {sum: {seats: {at_most: 10}}}}", huge).matched


def test_a_list_of_nobody_knows_what_is_asked_the_same_way(where: Where, order: Event) -> None:
    same = "{raw.deep.list: {where: {colour: red, size: 1}}}"
    raw = {"deep": {"list": [{"colour": "red", "size": 2}, {"colour": "blue", "size": 1}]}}
    assert not verdict(where, same, replace(order, raw=raw)).matched
    assert verdict(where, "{raw.deep.list: {sum: {size: 3}}}", replace(order, raw=raw)).matched


def test_lists_in_lists_are_asked_by_their_own_entries(where: Where, order: Event) -> None:
    raw = {
        "groups": [{"name": "a", "people": [{"age": 3}]}, {"name": "b", "people": [{"age": 40}]}]
    }
    inner = "{raw.groups: {where: {name: %s, people: {where: {age: {at_least: 18}}}}}}"
    assert verdict(where, inner % "b", replace(order, raw=raw)).matched
    assert not verdict(where, inner % "a", replace(order, raw=raw)).matched


FRIEND = "{tickets: {where: {type: {is_not: {field: order.currency}}}}}"


@pytest.mark.parametrize(
    ("condition", "listed", "matched"),
    [
        ("{order.currency: {field: tickets.type}}", [("cad", 1)], True),
        ("{order.currency: {field: tickets.type}}", [("usd", 1), ("CAD", 1)], True),
        ("{order.currency: {is_not: {field: tickets.type}}}", [("usd", 1), ("CAD", 1)], False),
        ("{order.currency: {is_not: {field: tickets.type}}}", [("usd", 1)], True),
        ("{order.currency: {is_not: {field: tickets.type}}}", [(None, 1)], False),
        ("{order.currency: {is_not: {field: tickets.type}}}", [], False),
        ("{order.total: {more_than: {field: tickets.seats}}}", [("a", 1)], True),
        ("{order.total: {at_most: {field: tickets.seats}}}", [("a", 1), ("b", 236.25)], True),
        ("{tickets.type: {starts_with: {field: order.currency}}}", [("Cadillac", 1)], True),
        (FRIEND, [("CAD", 1), ("usd", 1)], True),
        (FRIEND, [("CAD", 1), (None, 1)], False),
        (
            "{tickets: {where: {seats: {at_least: {field: tickets.seats}}, type: VIP}}}",
            [("VIP", 1)],
            None,
        ),
    ],
)
def test_fields_are_compared_with_fields(
    where: Where, order: Event, condition: str, listed: list[tuple[Any, Any]], matched: bool | None
) -> None:
    event = with_tickets(order, *listed)
    if matched is None:
        with pytest.raises(ConfigurationError, match="compared with itself"):
            where(condition)
    else:
        assert verdict(where, condition, event).matched is matched


def test_a_field_of_the_list_means_the_same_entry(where: Where, order: Event) -> None:
    lines = [{"paid": 5, "price": 3}, {"paid": 1, "price": 9}]
    event = replace(order, raw={"lines": lines})
    more = "{raw.lines: {where: {paid: {more_than: {field: raw.lines.price}}}, count: %s}}"
    assert verdict(where, more % 1, event).matched
    assert not verdict(where, more % 2, event).matched


@pytest.mark.parametrize(
    ("name", "one_matches"),
    [("two-fields-of-a-list", False), ("two-fields-beside-the-list", False)],
)
def test_what_the_warning_shows_can_be_pasted_and_says_what_it_says(
    where: Where, order: Event, name: str, one_matches: bool
) -> None:
    file = Path(__file__).parent / "warnings" / f"{name}.txt"
    told = file.read_text("utf-8")
    same, apart = re.findall(r"write `(.+?)`(?: instead|$)", told, re.MULTILINE)
    event = with_tickets(order, ("VIP", 1), ("Standing", 12))
    for written, matched in ((same, one_matches), (apart, True)):
        assert where(f"{{{written}}}").warnings == ()
        assert verdict(where, f"{{{written}}}", event).matched is matched
    both = with_tickets(order, ("VIP", 2))
    assert all(verdict(where, f"{{{written}}}", both).matched for written in (same, apart))


class Counted(dict[str, Any]):
    """An entry that counts how often somebody looks into one."""

    looked = 0

    def __contains__(self, name: object) -> bool:
        Counted.looked += 1
        return super().__contains__(name)


COSTLY = """\
country: CA
rules:
- name: A rule
  when:
    source: shop
    event: order.paid
    where:
      ticket.seats: {at_least: 1}
      tickets:
        where: {seats: {at_most: 5}}
        count: {at_least: 1}
        sum: {seats: {at_least: 1}}
      tickets.type: {not: {country: US}}
      order.currency: {is_not: {field: tickets.type}}
  for_each: tickets
  do: [{chat.post_message: {channel: here, text: hello}}]
"""


@pytest.mark.parametrize("count", [100, 400])
def test_the_work_grows_with_the_entries_and_not_with_their_square(
    compiled: Callable[[str], rules.RuleSet], order: Event, count: int
) -> None:
    listed = [Counted({"type": f"T{at}", "seats": 1, "starts_on": None}) for at in range(count)]
    event = replace(order, facts={**order.facts, "tickets": listed})
    made = compiled(COSTLY)
    Counted.looked = 0
    [verdict] = rules.judge(made, event)
    assert verdict.matched
    assert len(verdict.members) == count
    assert Counted.looked <= 12 * count
