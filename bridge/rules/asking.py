"""Conditions made ready to be asked of many events: each a function, made once.

The function says what `conditions.holds` says, only sooner: what a rule expects is
brought into the form in which it is compared when the rule is read, what an event
holds when the first rule asks. What has no such form is asked as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from bridge.rules.conditions import (
    FITS,
    FORMS,
    OF_ONE,
    AnyOf,
    Comparison,
    Condition,
    Entries,
    Not,
    Other,
    Test,
    holds,
    names,
    same,
)
from bridge.rules.records import Rule
from bridge.rules.seen import Seen
from bridge.rules.sentences import fails, is_told_apart, why_not, zone_of
from bridge.rules.values import number, text

Check = Callable[[Seen], bool]
Maker = Callable[[str, Any], Check | None]
"""From a path and what is expected there; None where nothing is known that is quicker."""


class Question:
    """One condition as a function, the same for all rules that ask the same.

    `asks` is the path and the comparison, where it is just one; `about` are the first names
    of all paths on which it depends.
    """

    __slots__ = ("__weakref__", "_holds", "_why_not", "about", "asks")

    def __init__(self, condition: Condition) -> None:
        self.about = names(condition)
        self.asks = _single(condition)
        self._holds = check_of(condition)
        self._why_not = _why_not(condition)

    def answer(self, seen: Seen) -> str:
        """Why the condition does not hold; empty if it does."""
        return "" if self._holds(seen) else self._why_not(seen)


class Answers(dict[Question, str]):
    """The answers of one event, each asked for when it is first wanted, and once for all rules.

    With `outer` they are those of one `member` of a list, and what is not about it is answered
    by the outer ones, once for all members.
    """

    __slots__ = ("_member", "_outer", "seen")

    def __init__(self, seen: Seen, outer: Answers | None = None, member: str = "") -> None:
        self.seen = seen
        self._outer = outer
        self._member = member

    def __missing__(self, question: Question) -> str:
        if self._outer is None or self._member in question.about:
            answer = question.answer(self.seen)
        else:
            answer = self._outer[question]
        self[question] = answer
        return answer

    def failures(self, asked: Iterable[Question]) -> str:
        """All that keeps the event from a rule that asks these; empty: nothing does."""
        failed = []
        for question in asked:
            why_not = self[question]
            if why_not:
                failed.append(why_not)
        return ", and ".join(failed)


def questions(rule: Rule) -> tuple[Question, ...]:
    """The rule's conditions in their order."""
    return tuple(map(_question, rule.conditions))


_known: WeakValueDictionary[Hashable, Question] = WeakValueDictionary()


def _question(condition: Condition) -> Question:
    sign = sign_of(condition)
    question = _known.get(sign)
    if question is None:
        question = _known[sign] = Question(condition)
    return question


def sign_of(condition: Condition) -> Hashable:
    """The same for conditions that ask the same in the same words, wherever they stand."""
    if isinstance(condition, Test):
        # As text: 1 is not true.
        asked = [(one.operator, repr(one.expected), one.named) for one in condition.comparisons]
        return (condition.path, tuple(asked))
    if isinstance(condition, Entries):
        inner = tuple(map(sign_of, condition.conditions))
        return ("entries", condition.path, inner, repr((condition.count, condition.totals)))
    if isinstance(condition, Not):
        return ("not", sign_of(condition.part))
    return (type(condition).__name__, tuple(map(sign_of, condition.parts)))


def check_of(condition: Condition) -> Check:
    """Never raises, as `holds`."""
    if isinstance(condition, Test):
        return _of_test(condition) or (lambda seen: holds(condition, seen))
    if isinstance(condition, Entries):
        return lambda seen: holds(condition, seen)
    if isinstance(condition, Not):
        check = check_of(condition.part)
        return lambda seen: not check(seen)
    checks = tuple(map(check_of, condition.parts))
    if isinstance(condition, AnyOf):
        return lambda seen: any(check(seen) for check in checks)
    return lambda seen: all(check(seen) for check in checks)


def _single(condition: Condition) -> tuple[str, Comparison] | None:
    """None also where several must hold for the same value."""
    if isinstance(condition, Test) and len(condition.comparisons) == 1:
        return condition.path, condition.comparisons[0]
    return None


def _of_test(test: Test) -> Check | None:
    single = _single(test)
    make = _MAKERS.get(single[1].operator) if single else None
    if single and isinstance(single[1].expected, Other):
        return None
    return make(test.path, test.comparisons[0].expected) if make else None


def _is(path: str, expected: Any) -> Check | None:
    if isinstance(expected, str):
        return _is_text(path, expected)
    amount = number(expected)
    if amount is None:
        return None

    def check(seen: Seen) -> bool:
        return amount in seen.numbers[path].all

    return check


def _is_text(path: str, expected: str) -> Check:
    folded = text(expected)

    def check(seen: Seen) -> bool:
        texts, others = seen.texts[path]
        if folded in texts:
            return True
        return bool(others) and any(same(value, expected) for value in others)

    return check


def _is_not(path: str, expected: Any) -> Check | None:
    check = _is(path, expected)
    return (lambda seen: not check(seen)) if check else None


def _one_of(path: str, expected: tuple[Any, ...]) -> Check | None:
    if not all(isinstance(one, str) for one in expected):
        return None
    folded = frozenset(map(text, expected))

    def check(seen: Seen) -> bool:
        texts, others = seen.texts[path]
        if not folded.isdisjoint(texts):
            return True
        return any(same(value, one) for value in others for one in expected)

    return check


def _at_least(path: str, expected: Any) -> Check | None:
    least = number(expected)
    if least is None:
        return None

    def check(seen: Seen) -> bool:
        largest = seen.numbers[path].largest
        return largest is not None and largest >= least

    return check


def _at_most(path: str, expected: Any) -> Check | None:
    most = number(expected)
    if most is None:
        return None

    def check(seen: Seen) -> bool:
        least = seen.numbers[path].least
        return least is not None and least <= most

    return check


def _textual(fits: Callable[[str, str], bool], operator: str) -> Maker:
    def make(path: str, expected: Any) -> Check | None:
        folded = FORMS[operator](expected)
        if folded is None:
            return None
        plain = OF_ONE[operator]
        fitting = fits if folded == folded.strip() else FITS[operator]

        def check(seen: Seen) -> bool:
            texts, others = seen.texts[path]
            for one in texts:
                if fitting(one, folded):
                    return True
            return bool(others) and any(plain(value, expected) for value in others)

        return check

    return make


_MAKERS: Mapping[str, Maker] = {
    "is": _is,
    "is_not": _is_not,
    "one_of": _one_of,
    "at_least": _at_least,
    "at_most": _at_most,
    "contains": _textual(str.__contains__, "contains"),
    "starts_with": _textual(str.startswith, "starts_with"),
    "ends_with": _textual(str.endswith, "ends_with"),
}


def _why_not(condition: Condition) -> Callable[[Seen], str]:
    """What `sentences.why_not` says."""
    single = _single(condition)
    failure = fails(single[1]) if single and not is_told_apart(single[1]) else ""

    def plain(seen: Seen) -> str:
        return why_not(condition, seen)

    if single is None or not failure or zone_of([single[1]]):
        return plain
    path, said = single[0], f", {failure}"

    def reason(seen: Seen) -> str:
        told = seen.told[path]
        return told + said if told else plain(seen)

    return reason
