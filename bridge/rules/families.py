"""Questions of many rules about one field, answered all together: by an index, not one by one.

Only where it pays, and where what was found has the form that nearly always comes;
else nothing is answered here, and each question is asked by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from bridge.rules.asking import Answers, Question
from bridge.rules.conditions import Comparison
from bridge.rules.sentences import fails, is_told_apart
from bridge.rules.values import number, text

FEWEST = 8
"""Of so many questions a family is made."""

Family = Callable[[Answers], None]
"""Adds the answers of all its questions."""

_BETWEEN = "\x00"


def families(questions: Iterable[Question]) -> tuple[Family, ...]:
    """Of those that ask the same kind of thing about the same field."""
    alike: dict[tuple[str, str], dict[Question, Comparison]] = defaultdict(dict)
    for question in questions:
        if question.asks:
            path, comparison = question.asks
            alike[path, comparison.operator][question] = comparison
    made = []
    for (path, operator), some in alike.items():
        make = _MAKERS.get(operator)
        fitting = {one: each for one, each in some.items() if make and _fits(operator, each)}
        if make and len(fitting) >= FEWEST:
            made.append(make(path, fitting))
    return tuple(made)


def _fits(operator: str, comparison: Comparison) -> bool:
    if operator == "at_least":
        return number(comparison.expected) is not None
    expected = comparison.expected
    if is_told_apart(comparison) or not isinstance(expected, str):
        return False
    return _BETWEEN not in expected and expected == expected.strip()


def _is_text(path: str, asked: Mapping[Question, Comparison]) -> Family:
    """Each text leads to the questions that it answers."""
    by_text: dict[str | None, list[Question]] = defaultdict(list)
    for question, comparison in asked.items():
        by_text[text(comparison.expected)].append(question)
    failures = _failures(asked.values())

    def answer(answers: Answers) -> None:
        seen = answers.seen
        told, (texts, others) = seen.told[path], seen.texts[path]
        if told and not others:
            answers.update(zip(asked, [told + failure for failure in failures], strict=True))
            for found in texts:
                for question in by_text.get(found, ()):
                    answers[question] = ""

    return answer


def _contains(path: str, asked: Mapping[Question, Comparison]) -> Family:
    """All texts are searched at once."""
    wanted = [
        (str(text(each.expected)), failure)
        for each, failure in zip(asked.values(), _failures(asked.values()), strict=True)
    ]

    def answer(answers: Answers) -> None:
        seen = answers.seen
        told, (texts, others) = seen.told[path], seen.texts[path]
        if told and not others:
            found = _BETWEEN.join(texts)
            said = ["" if part in found else told + failure for part, failure in wanted]
            answers.update(zip(asked, said, strict=True))

    return answer


def _at_least(path: str, asked: Mapping[Question, Comparison]) -> Family:
    """In the order of what they expect: the first hold, the others do not."""
    ordered = sorted(asked.items(), key=lambda one: _amount(one[1]))
    least = [_amount(comparison) for _, comparison in ordered]
    questions = [question for question, _ in ordered]
    failures = _failures(comparison for _, comparison in ordered)

    def answer(answers: Answers) -> None:
        seen = answers.seen
        told, largest = seen.told[path], seen.numbers[path].largest
        if largest is not None:
            holding = bisect_right(least, largest)
            said = [""] * holding + [told + failure for failure in failures[holding:]]
            answers.update(zip(questions, said, strict=True))

    return answer


def _amount(comparison: Comparison) -> Decimal:
    amount = number(comparison.expected)
    assert amount is not None  # noqa: S101  # it fits
    return amount


def _failures(comparisons: Iterable[Comparison]) -> Sequence[str]:
    return [f", {fails(each)}" for each in comparisons]


_MAKERS: Mapping[str, Callable[[str, Mapping[Question, Comparison]], Family]] = {
    "is": _is_text,
    "contains": _contains,
    "at_least": _at_least,
}
