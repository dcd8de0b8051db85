from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.event import Event
from bridge.findings import MOST_FOUND, MOST_TOLD
from bridge.rules.schema import MOST_STEPS, MOST_TESTS
from bridge.rules.template_check import MOST_IN_BRACES, check, together
from bridge.rules.templates import compile_text
from bridge.rules.vocabulary import vocabulary
from bridge.rules.where import MOST_CONDITIONS
from tests.rules.fuzz.making import template

Compiled = Callable[[str], rules.RuleSet]

HEAD = "rules:\n- name: A rule\n  when: {source: shop}\n  do:\n"
STEP = "  - chat.post_message: {channel: here, text: hello}\n"


def told(compiled: Compiled, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        compiled(text)
    return str(raised.value).split("\n")


def test_where_very_much_is_wrong_the_first_is_told_and_that_there_is_more(
    compiled: Compiled,
) -> None:
    lines = told(compiled, HEAD + "  - chat.post_message: {text: x}\n" * 90 + "- {}\n" * MOST_FOUND)
    assert len(lines) == MOST_TOLD + 1
    assert lines[-1].endswith(": and more mistakes after this one")


def test_a_rule_has_only_so_many_steps(compiled: Compiled) -> None:
    assert compiled(HEAD + STEP * MOST_STEPS)
    what = f"rules.yaml:5:3: `do` must have at most {MOST_STEPS} entries; leave some out"
    assert told(compiled, HEAD + STEP * (MOST_STEPS + 1)) == [what]


def test_a_rule_has_only_so_many_conditions(compiled: Compiled) -> None:
    def rule(count: int) -> str:
        lines = "".join(f"      - {{raw.f{n}: x}}\n" for n in range(count))
        return (
            HEAD.replace("{source: shop}", f"\n    source: shop\n    where:\n      any:\n{lines}")
            + STEP
        )

    # The `any` is one too.
    assert compiled(rule(MOST_CONDITIONS - 1))
    (only,) = told(compiled, rule(MOST_CONDITIONS + 20))
    assert f"a rule has at most {MOST_CONDITIONS} conditions; leave some out" in only


def test_a_file_has_only_so_many_tests(compiled: Compiled) -> None:
    tests = "tests:\n" + "- {name: a}\n" * (MOST_TESTS + 1)
    assert f"`tests` must have at most {MOST_TESTS:,} entries" in told(compiled, tests)[0]


def test_the_texts_of_one_file_hold_only_so_much(world: rules.World) -> None:
    long = "{{ contact.name }}" * 500
    step = f"  - chat.post_message: {{channel: here, text: '{long}'}}\n"
    some = HEAD + step * (MOST_IN_BRACES // len(long))
    other = some.replace("A rule", "Another rule")
    assert rules.compile_files({"a.yaml": some, "b.yaml": other}, world)
    with pytest.raises(ConfigurationError) as raised:
        rules.compile_files({"a.yaml": some + step * 2}, world)
    assert "the texts of this file hold more than 150,000 characters in {{ }}" in str(raised.value)


def test_plain_words_beside_the_braces_count_nothing(world: rules.World) -> None:
    words = vocabulary(world.sources, ["shop"], ())
    with together():
        assert not any(check("x" * 9_900 + "{{ contact.name }}", words) for _ in range(100))


def test_a_text_is_compiled_when_it_is_first_filled_in() -> None:
    text = compile_text("{{ contact.name }}", None)
    assert "_template" not in vars(text)
    assert text.template is text.template


def test_what_nothing_is_wrong_with_compiles(world: rules.World) -> None:
    words, fine = vocabulary(world.sources, ["shop"], ()), 0
    for number in range(1_000):
        source = template(Random(number))
        if not check(source, words):
            assert compile_text(source, None).template
            fine += 1
    assert fine > 50


def _calls(compiled: Compiled, where: str, count: int) -> int:
    """How many calls it takes to judge an event with so many entries in each of two lists."""
    made = compiled(
        f"rules:\n- name: A rule\n  when: {{source: shop, event: order.*, where: {where}}}\n"
        "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
    )
    start = datetime(2027, 1, 1, tzinfo=UTC)
    tickets = [{"starts_on": start + timedelta(hours=at), "type": f"T{at}"} for at in range(count)]
    listed = {"days": [f"2027-06-01T00:00:{at % 60:02}Z" for at in range(count)]}
    listed["types"] = [f"U{at}" for at in range(count)]
    event = Event("shop", "order.paid", facts={"tickets": tickets}, raw=listed)
    found = 0

    def count_one(*_: Any) -> None:
        nonlocal found
        found += 1

    sys.setprofile(count_one)
    try:
        rules.judge(made, event)
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize(
    "where",
    [
        "{tickets.starts_on: {after: 1 day after raw.days}}",
        "{tickets.starts_on: {within: 1 day after raw.days}}",
        "{tickets: {where: {starts_on: {after: 1 day after raw.days}}}}",
        "{tickets: {where: {starts_on: {within: 1 day after raw.days}}}}",
        "{tickets: {where: {type: {is: {field: raw.types}}}}}",
        "{tickets: {where: {type: {is_not: {field: raw.types}}}}}",
    ],
)
def test_twice_as_many_entries_take_twice_as_long_whatever_they_are_compared_with(
    compiled: Compiled, where: str
) -> None:
    """Not four times as long: a sender decides how many entries there are in two lists."""
    _calls(compiled, where, 10)
    assert _calls(compiled, where, 400) < 3 * _calls(compiled, where, 200)
