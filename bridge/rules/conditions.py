"""Conditions: data, compared without surprises and without exceptions.

A path through a list means any member: `tickets.type: {contains: VIP}` holds
if one ticket is like that, and several operators on one path must hold for the
same member. `is_not` is the opposite of `is`: no member is.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bridge.rules.values import lookup, moment, number, say, say_found, span, text, truth


@dataclass(frozen=True)
class Comparison:
    """One operator with what it expects; a tuple of values for `one_of`."""

    operator: str
    expected: Any


@dataclass(frozen=True)
class Test:
    """Comparisons of what is found at one path; all must hold, for the same value."""

    path: str
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class All:
    """Every part must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """One part must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part must not hold."""

    part: Condition


Condition = Test | All | AnyOf | Not


def holds(condition: Condition, seen: Mapping[str, Any]) -> bool:
    """Whether what is seen of an event satisfies the condition; never raises."""
    if isinstance(condition, All):
        return all(holds(part, seen) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return any(holds(part, seen) for part in condition.parts)
    if isinstance(condition, Not):
        return not holds(condition.part, seen)
    return _passes(condition.comparisons, lookup(seen, condition.path))


def _passes(comparisons: Sequence[Comparison], found: Sequence[Any]) -> bool:
    of_all = [one for one in comparisons if one.operator in OF_ALL]
    of_one = [one for one in comparisons if one.operator not in OF_ALL]
    if not all(OF_ALL[one.operator](found, one.expected) for one in of_all):
        return False
    return not of_one or any(
        all(OF_ONE[one.operator](value, one.expected) for one in of_one) for value in found
    )


def same(found: Any, expected: Any) -> bool:
    """Equal as a person would say: `100` is `100.00`, `vip` is `VIP`, `yes` is true."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return truth(found) is not None and truth(found) == truth(expected)
    if isinstance(found, str) and isinstance(expected, str):
        return text(found) == text(expected)
    day, when = span(expected), moment(found)
    if day and when:
        return day[0] <= when <= day[1]
    amount = number(found)
    return amount is not None and amount == number(expected)


def _at_least(found: Any, expected: Any) -> bool:
    one, other = number(found), number(expected)
    return one is not None and other is not None and one >= other


def _at_most(found: Any, expected: Any) -> bool:
    one, other = number(found), number(expected)
    return one is not None and other is not None and one <= other


def _before(found: Any, expected: Any) -> bool:
    one, other = moment(found), span(expected)
    return one is not None and other is not None and one < other[0]


def _after(found: Any, expected: Any) -> bool:
    one, other = moment(found), span(expected)
    return one is not None and other is not None and one > other[1]


def _textual(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def compared(found: Any, expected: Any) -> bool:
        one, other = text(found), text(expected)
        return one is not None and other is not None and compare(one, other)

    return compared


def glob(found: str, pattern: str) -> bool:
    """Whether all of `found` fits; `*` is any text, `?` any character, the case is ignored."""
    return _pattern(pattern.casefold()).fullmatch(found.casefold()) is not None


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def _is_not(found: Sequence[Any], expected: Any) -> bool:
    return not any(same(value, expected) for value in found)


def _present(found: Sequence[Any], expected: Any) -> bool:
    return any(value not in ("", {}) for value in found) is bool(expected)


OF_ONE: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": same,
    "one_of": lambda found, expected: any(same(found, one) for one in expected),
    "contains": _textual(lambda one, other: other in one),
    "starts_with": _textual(str.startswith),
    "ends_with": _textual(str.endswith),
    "matches": _textual(glob),
    "at_least": _at_least,
    "at_most": _at_most,
    "before": _before,
    "after": _after,
}
"""Operators that one value must pass."""

OF_ALL: Mapping[str, Callable[[Sequence[Any], Any], bool]] = {
    "is_not": _is_not,
    "present": _present,
}
"""Operators that are asked of everything found at the path."""

OPERATORS = (*OF_ONE, *OF_ALL)

_SAYS = {
    "is": "is {}",
    "is_not": "is not {}",
    "one_of": "is one of {}",
    "contains": "contains {}",
    "starts_with": "starts with {}",
    "ends_with": "ends with {}",
    "matches": "matches {}",
    "at_least": "is at least {}",
    "at_most": "is at most {}",
    "before": "is before {}",
    "after": "is after {}",
}
_FAILS = {
    "is": "not {}",
    "is_not": "which this rule leaves out",
    "one_of": "not one of {}",
    "contains": "which does not contain {}",
    "starts_with": "which does not start with {}",
    "ends_with": "which does not end with {}",
    "matches": "which does not match {}",
    "at_least": "not at least {}",
    "at_most": "not at most {}",
    "before": "not before {}",
    "after": "not after {}",
}


def sentence(condition: Condition) -> str:
    """The condition in words: `order.total is at least 100 and tickets.type contains “VIP”`."""
    if isinstance(condition, All):
        return " and ".join(_grouped(part) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return " or ".join(_grouped(part) for part in condition.parts)
    if isinstance(condition, Not):
        return f"it is not so that {_grouped(condition.part)}"
    said = [_said(one) for one in condition.comparisons]
    return f"{condition.path} {' and '.join(said)}"


def _grouped(condition: Condition) -> str:
    said = sentence(condition)
    several = isinstance(condition, All | AnyOf) and len(condition.parts) > 1
    return f"({said})" if several else said


def _said(comparison: Comparison) -> str:
    if comparison.operator == "present":
        return "is there" if comparison.expected else "is missing"
    return _SAYS[comparison.operator].format(_expected(comparison))


def _expected(comparison: Comparison) -> str:
    expected = comparison.expected
    if isinstance(expected, tuple):
        return ", ".join(say(one) for one in expected)
    if comparison.operator in ("before", "after"):
        return str(expected)
    return say(expected)


def why_not(condition: Condition, seen: Mapping[str, Any]) -> str:
    """Why a condition that does not hold does not: what was expected, and what was found."""
    if isinstance(condition, All):
        failed = next(part for part in condition.parts if not holds(part, seen))
        return why_not(failed, seen)
    if isinstance(condition, AnyOf):
        return "none of these holds: " + "; ".join(why_not(part, seen) for part in condition.parts)
    if isinstance(condition, Not):
        return f"{sentence(condition.part)}, which this rule leaves out"
    return _why_not(condition, lookup(seen, condition.path))


def _why_not(test: Test, found: Sequence[Any]) -> str:
    failed = [one for one in test.comparisons if not _passes([one], found)]
    if not failed:
        both = " and ".join(_said(one) for one in test.comparisons)
        return f"no single {test.path} {both}"
    comparison = failed[0]
    if comparison.operator == "present":
        return f"{test.path} is {'missing' if comparison.expected else 'there, and must not be'}"
    if not found:
        return f"{test.path} is not known, so nothing says that it {_said(comparison)}"
    words = _FAILS[comparison.operator].format(_expected(comparison))
    return f"{test.path} is {say_found(test.path, found)}, {words}"
