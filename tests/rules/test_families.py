"""Many rules about one field are answered together, and just as one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bridge import rules
from bridge.event import Event
from bridge.rules.asking import Answers, questions
from bridge.rules.families import FEWEST, families
from bridge.rules.seen import Seen
from bridge.rules.values import view
from tests.rules.test_asking import plainly

KINDS = ("VIP", "vip ", "Standing", "Stand", "Café", "1", "true", "P", "St", "x", "Backstage", "i")


def many(compiled: Callable[[str], rules.RuleSet], wanted: list[str]) -> rules.RuleSet:
    """A rule for each condition."""
    return compiled(
        "rules:\n"
        + "".join(
            f"- name: R{number}\n  when: {{source: shop, event: order.paid, where: {where}}}\n"
            "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
            for number, where in enumerate(wanted)
        )
    )


def paid(order: Event, total: Any, *types: Any) -> Event:
    tickets = [{"type": each} for each in types]
    return replace(order, facts={"order": {"total": total}, "tickets": tickets})


@pytest.mark.parametrize(
    ("total", "types"),
    [
        (Decimal(100), ["VIP"]),
        (Decimal("99.99"), ["Standing", "VIP lounge"]),
        ("100.0", ["Cafe\u0301", "x"]),
        (None, []),
        ("free", [1, True, Decimal(1), None]),
        (Decimal(-1), ["", "STAND"]),
        ([20, 300], ["vip", 1]),
    ],
    ids=repr,
)
def test_they_are_answered_as_one_by_one(
    compiled: Callable[[str], rules.RuleSet], order: Event, total: Any, types: list[Any]
) -> None:
    wanted = [f"{{order.total: {{at_least: {number}}}}}" for number in (5, 0, 100, *range(90, 110))]
    wanted += [f'{{tickets.type: "{kind}"}}' for kind in KINDS]
    wanted += [f'{{tickets.type: {{contains: "{kind}"}}}}' for kind in KINDS]
    made, event = many(compiled, wanted), paid(order, total, *types)
    assert list(rules.judge(made, event)) == [plainly(rule, event) for rule in made.rules]


@pytest.mark.parametrize("operator", ["is", "contains", "at_least"])
def test_a_family_answers_all_of_it_at_once(
    compiled: Callable[[str], rules.RuleSet], order: Event, operator: str
) -> None:
    path = "order.total" if operator == "at_least" else "tickets.type"
    quote = "" if operator == "at_least" else '"'
    values = [f"{quote}{number}{quote}" for number in range(FEWEST)]
    wanted = [f"{{{path}: {{{operator}: {value}}}}}" for value in values]
    asked = [each for rule in many(compiled, wanted).rules for each in questions(rule)]
    [family] = families(asked)
    answers = Answers(Seen(view(order)))
    family(answers)
    assert set(answers) == set(asked)
    assert families(asked[1:]) == ()


def test_what_is_asked_of_each_ticket_is_no_familys(
    compiled: Callable[[str], rules.RuleSet], order: Event
) -> None:
    made = compiled(
        "rules:\n"
        + "".join(
            f"- name: R{number}\n  when: {{source: shop, event: order.paid, where: "
            f'{{ticket.type: "{kind}"}}}}\n  for_each: tickets\n'
            "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
            for number, kind in enumerate(KINDS)
        )
    )
    verdicts = rules.judge(made, paid(order, 1, "Standing", "x"))
    assert [each.members for each in verdicts if each.matched] == [(1,), (2,)]
