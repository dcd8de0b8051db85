"""Conditions made ready say just what the conditions say, in the same words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import combinations, product
from random import Random
from typing import Any

import pytest

from bridge import rules
from bridge.event import Event
from bridge.rules.asking import Answers, check_of, questions, sign_of
from bridge.rules.conditions import All, AnyOf, Comparison, Condition, Not, holds
from bridge.rules.conditions import Test as OneTest
from bridge.rules.countries import Country
from bridge.rules.match import elsewhere
from bridge.rules.relative import relative, within
from bridge.rules.seen import Seen
from bridge.rules.sentences import why_not
from bridge.rules.values import view

FOUND: list[Any] = [
    *("VIP", "vip", "Caf\u0065\u0301 VIP", "100", "100.0", "true", "no", "", "2027-07-03"),
    *(100, 0, 99.5, Decimal("100.00"), Decimal("NaN"), float("inf"), True, False),
    *({}, {"a": 1}, datetime(2027, 7, 3, 12, tzinfo=UTC)),
]
VALUES: list[Any] = [
    *("VIP", "Café", "100", "100.00", "yes", "false", "2027-07-03", "v*"),
    *(100, 1, 0, 99.5, True, False),
]
NUMBERS: list[Any] = [100, "99.5", 0.0, Decimal(100), 10**30]
ALL: dict[str, list[Any]] = {
    **dict.fromkeys(("is", "is_not", "exactly"), VALUES),
    **dict.fromkeys(("contains", "starts_with", "ends_with", "matches"), VALUES),
    **dict.fromkeys(("at_least", "at_most", "more_than", "less_than"), NUMBERS),
    "between": [(0, 100), (99, "99.9"), ("2027-07-03", "2027-07-03")],
    "one_of": [("vip", "x"), ("100", "true"), (100, "vip"), (True,), ("2027-07-03",)],
    "present": [True, False],
    "country": [Country(("CA", "US")), Country(("CA",), "CA")],
    "before": ["2027-07-04", relative("now"), "2027-07-03T11:00:00Z"],
    "after": ["2027-07-02", relative("2 days ago"), "2027-07-03T11:00:00Z"],
    "within": [within("7 days"), within("7 days before event.time")],
}


def seen(*found: Any) -> Seen:
    time = datetime(2027, 7, 3, 13, tzinfo=UTC)
    return Seen({"tickets": [{"type": each} for each in found], "event": {"time": time}})


@pytest.mark.parametrize("operator", ALL)
def test_each_operator_answers_as_it_is_defined(operator: str) -> None:
    several = [(), *((each,) for each in FOUND), *combinations(FOUND, 2)]
    for expected, found in product(ALL[operator], several):
        test = OneTest("tickets.type", (Comparison(operator, expected),))
        assert check_of(test)(seen(*found)) is holds(test, seen(*found)), (expected, found)


def test_several_comparisons_are_asked_of_the_same_value() -> None:
    between = OneTest("tickets.type", (Comparison("at_least", 10), Comparison("at_most", 20)))
    assert not check_of(between)(seen(5, 30))
    assert check_of(between)(seen(5, 15))


def test_combinations_combine() -> None:
    yes, no = (OneTest("tickets.type", (Comparison("is", each),)) for each in ("a", "b"))
    told: list[tuple[Condition, bool]] = [
        (All((yes, yes)), True),
        (All((yes, no)), False),
        (AnyOf((no, yes)), True),
        (AnyOf((no, no)), False),
        (Not(no), True),
        (Not(yes), False),
    ]
    for condition, expected in told:
        assert check_of(condition)(seen("a")) is expected, condition


def test_only_what_asks_the_same_is_asked_once() -> None:
    def signed(*expected: Any, operator: str = "is") -> list[Any]:
        return [sign_of(OneTest("a", (Comparison(operator, each),))) for each in expected]

    one, true, text, same = signed(1, True, "1", 1)
    assert one == same
    assert len({one, true, text}) == 3
    yes = OneTest("a", (Comparison("present", True),), line=3)
    assert sign_of(yes) == sign_of(OneTest("a", (Comparison("present", True),), line=9))
    assert len({sign_of(each) for each in (Not(yes), All((yes,)), AnyOf((yes,)), yes)}) == 4
    named = OneTest("a", (Comparison("one_of", ("x",), "good"),))
    assert sign_of(named) != sign_of(OneTest("a", (Comparison("one_of", ("x",)),)))


def test_an_answer_is_found_once_for_all_rules(
    compiled: Callable[[str], rules.RuleSet], order: Event
) -> None:
    step = "do: [{chat.post_message: {channel: here, text: hello}}]"
    when = "when: {source: shop, event: order.paid, where: {order.total: {at_least: 1000}}}"
    text = "rules:\n" + "".join(f"- name: R{n}\n  {when}\n  {step}\n" for n in range(3))
    one, other, _ = (questions(rule)[0] for rule in compiled(text).rules)
    assert one is other
    answers = Answers(Seen(view(order)))
    for rule in compiled(text).rules:
        assert answers.failures(questions(rule)) == "order.total is 236.25, not at least 1000"
    assert len(answers) == 1


def test_members_are_asked_apart(compiled: Callable[[str], rules.RuleSet], order: Event) -> None:
    text = (
        "rules:\n- name: Each\n  when: {source: shop, event: order.paid, where: "
        "{ticket.type: VIP, order.total: {at_least: 1}}}\n  for_each: tickets\n"
        "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
    )
    [verdict] = rules.judge(compiled(text), order)
    assert (verdict.matched, verdict.members) == (True, (1,))


def test_random_rules_are_judged_as_they_are_written(
    compiled: Callable[[str], rules.RuleSet], order: Event
) -> None:
    random = Random(1)
    wanted = [
        "{at_least: 100}",
        "{at_most: 300}",
        "100",
        "{present: true}",
        "{one_of: [1, 236.25]}",
    ]
    kinds = ["VIP", "{contains: st}", "{is_not: VIP}", "[vip, x]", "{starts_with: S}", "{not: VIP}"]
    text = "rules:\n"
    for number in range(200):
        where = f"{{order.total: {random.choice(wanted)}, tickets.type: {random.choice(kinds)}}}"
        text += (
            f"- name: R{number}\n  when: {{source: shop, event: order.paid, where: {where}}}\n"
            "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
        )
    made = compiled(text)
    assert list(rules.judge(made, order)) == [plainly(rule, order) for rule in made.rules]


def plainly(rule: rules.Rule, event: Event) -> rules.Verdict:
    assert elsewhere(rule, event.source, event.type) is None
    own = Seen(view(event))
    failed = [why_not(each, own) for each in rule.conditions if not holds(each, own)]
    return rules.Verdict(rule.name, not failed, ", and ".join(failed))
