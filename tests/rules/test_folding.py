"""What looks the same to people is the same to a rule, and what differs can be seen.

Reported elsewhere: a name with a no-break space that matches nothing
(https://github.com/openreview/openreview-web/issues/781), `startsWith` that fails for a blank
that is none (https://github.com/andrewplummer/Sugar/issues/377).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge import rules
from bridge.event import Event
from bridge.rules.conditions import identical, same
from bridge.rules.folding import apart, eye, folded, lookalike, shown

Where = Callable[[str], rules.RuleSet]

ALIKE = [
    ("VIP\u00a0Gold", "VIP Gold"),
    ("VIP\u2009Gold", "VIP Gold"),
    ("VIP\u202fGold\u3000", "VIP Gold"),
    ("VIP\tGold", "VIP Gold"),
    ("VIP\r\n Gold", "VIP Gold"),
    ("  VIP   Gold ", "VIP Gold"),
    ("VIP\u200b Gold", "VIP Gold"),
    ("\ufeffVIP Gold", "VIP Gold"),
    ("V\u00adIP Gold", "VIP Gold"),
    ("\u202aVIP Gold\u202c", "VIP Gold"),
    ("ＶＩＰ Gold", "VIP Gold"),
    ("Caf\u0065\u0301", "CAF\u00c9"),
    ("\ufb01rst row", "First row"),
    ("Kids\u2019 Day", "Kids' Day"),
    ("\u201cOpen\u201d", '"open"'),
    ("Early\u2011bird", "early-bird"),
    ("VIP \u2013 Gold", "VIP - Gold"),
    ("\u2764\ufe0f Gala", "\u2764 gala"),
    ("STRASSE", "stra\u00dfe"),
    ("\u0130stanbul", "i\u0307stanbul"),
]
DIFFERENT = [
    ("VIPGold", "VIP Gold"),
    ("Cafe", "Café"),
    ("VIP", "\u0412IP"),
    ("VIP - Gold", "VIP + Gold"),
    ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\U0001f3f4"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_what_looks_the_same_is_the_same(where: Where, order: Event, one: str, other: str) -> None:
    assert folded(one) == folded(other) == folded(folded(one))
    for found, wanted in ((one, other), (other, one)):
        event = replace(order, raw={"it": found})
        quoted = json.dumps(wanted)
        for operator in ("is", "contains", "starts_with", "ends_with", "matches"):
            condition = f"{{raw.it: {{{operator}: {quoted}}}}}"
            assert rules.judge(where(condition), event)[0].matched, operator
        assert rules.judge(where(f"{{raw.it: [x, {quoted}]}}"), event)[0].matched
        assert not rules.judge(where(f"{{raw.it: {{is_not: {quoted}}}}}"), event)[0].matched


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_looks_different_is_different(one: str, other: str) -> None:
    assert folded(one) != folded(other)
    assert not same(one, other)


def test_exactly_looks_at_capitals_and_not_at_blanks(where: Where, order: Event) -> None:
    event = replace(order, raw={"it": "VIP\u00a0Gold"})
    assert rules.judge(where('{raw.it: {exactly: "VIP Gold"}}'), event)[0].matched
    assert not rules.judge(where('{raw.it: {exactly: "Vip Gold"}}'), event)[0].matched


@pytest.mark.parametrize(
    ("operator", "found", "matched"),
    [
        ('{contains: "VIP "}', "VIP\u00a0Gold", True),
        ('{contains: "VIP "}', "VIPs", False),
        ('{contains: " "}', "VIP Gold", True),
        ('{ends_with: "Gold "}', "VIP Gold", True),
        ('{starts_with: " VIP"}', "VIP Gold", True),
        ('{starts_with: "VIP "}', "VIP\u2009Gold", True),
        ('{starts_with: "VIP "}', "VIPs only", False),
        ('{ends_with: " day"}', "Kids'\u00a0day", True),
        ('{ends_with: " day"}', "Sunday", False),
    ],
)
def test_a_blank_at_the_end_of_what_is_looked_for_ends_a_word(
    where: Where, order: Event, operator: str, found: str, matched: bool
) -> None:
    event = replace(order, raw={"it": found})
    assert rules.judge(where(f"{{raw.it: {operator}}}"), event)[0].matched is matched


def test_what_is_sent_is_compared_to_the_letter() -> None:
    assert not identical("a  b", "a b")
    assert not identical("a\nb", "a b")
    assert identical("Cafe\u0301", "Caf\u00e9")


LONG = "Bow River Summer Folk Festival 2027 at Prince Island Park, %s, all ages"


def test_of_long_texts_the_part_that_differs_is_shown(where: Where, order: Event) -> None:
    condition = f"{{tickets.type: {json.dumps(LONG % 'Sunday')}}}"
    listed = [{"type": LONG % "Saturday"}, {"type": "Standing"}]
    event = replace(order, facts={**order.facts, "tickets": listed})
    [verdict] = rules.judge(where(condition), event)
    assert verdict.why_not == (
        "tickets.type is “…rince Island Park, Saturday, all ages” and 1 more, not "
        "“…rince Island Park, Sunday, all ages”"
    )
    [asked] = rules.examine(where(condition).rules[0], event).asked
    assert asked.why_not == verdict.why_not
    assert asked.nearest == (
        "“…rince Island Park, Saturday, all ages” is almost “…rince Island Park, Sunday, all ages”"
    )


def test_letters_of_another_alphabet_are_named(where: Where, order: Event) -> None:
    listed = [{"type": "\u0412IP"}]
    event = replace(order, facts={**order.facts, "tickets": listed})
    [verdict] = rules.judge(where("{tickets.type: VIP}"), event)
    assert verdict.why_not == (
        "tickets.type is “\u0412IP” (“\u0412” is CYRILLIC CAPITAL LETTER VE), not “VIP”"
    )
    [asked] = rules.examine(where("{tickets.type: VIP}").rules[0], event).asked
    assert asked.nearest.endswith(
        "it has “\u0412”, CYRILLIC CAPITAL LETTER VE, where the other has “V”, "
        "LATIN CAPITAL LETTER V"
    )


def test_what_cannot_be_seen_is_shown_by_its_name() -> None:
    assert shown("a\ue000b\x00") == "“a‹U+E000›b‹U+0000›”"
    assert shown("Étudiant, 学生, ελληνικά") == "“Étudiant, 学生, ελληνικά”"
    assert lookalike("СОР", "COP").startswith("“С”, CYRILLIC CAPITAL LETTER ES, where")
    assert lookalike("VIP", "vip lounge") == ""


def test_texts_that_differ_in_the_middle_of_much_are_shown_there() -> None:
    one, other = (f"{'x' * 100}{letter}{'y' * 100}" for letter in "ab")
    assert apart(one, other) == (
        f"“…{'x' * 20}a{'y' * 37}…”",
        f"“…{'x' * 20}b{'y' * 37}…”",
    )
    assert apart("VIP", "vip") == ("“VIP”", "“vip”")
    assert eye(" a  b ") == "a b"
