"""Conditions: data, compared without surprises and without exceptions.

A path through a list means any member: `tickets.type: {contains: VIP}` holds
if one ticket is like that, and several operators on one path must hold for the
same member. `is_not` is the opposite of `is`: no member is. What they say in
words is in `bridge.rules.sentences`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Any
from unicodedata import normalize

from bridge.rules.relative import Relative, Within
from bridge.rules.seen import Seen
from bridge.rules.values import When, number, span, text, truth


@dataclass(frozen=True)
class Comparison:
    """One operator with what it expects: a tuple of values for `one_of`, else one value.

    `named` is the list of the file that the values are from.
    """

    operator: str
    expected: Any
    named: str = ""


@dataclass(frozen=True)
class Test:
    """Comparisons of what is found at one path; all must hold, for the same value.

    `line` and `column` are where it stands in its file, from 1.
    """

    path: str
    comparisons: tuple[Comparison, ...]
    line: int = field(default=0, compare=False)
    column: int = field(default=1, compare=False)


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


def tests(conditions: Iterable[Condition]) -> Iterator[Test]:
    """All that are in them, in their order."""
    for condition in conditions:
        if isinstance(condition, Test):
            yield condition
        else:
            yield from tests((condition.part,) if isinstance(condition, Not) else condition.parts)


def holds(condition: Condition, seen: Seen) -> bool:
    """Whether what is seen of an event satisfies the condition; never raises."""
    if isinstance(condition, Test):
        return passes(condition.comparisons, seen.find(condition.path), seen)
    if isinstance(condition, All):
        return all(holds(part, seen) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return any(holds(part, seen) for part in condition.parts)
    return not holds(condition.part, seen)


def passes(comparisons: Sequence[Comparison], found: Sequence[Any], seen: Seen) -> bool:
    """Whether the values found at one path satisfy all comparisons."""
    if len(comparisons) == 1:
        return _passes_one(comparisons[0], found, seen)
    of_all = [one for one in comparisons if one.operator in OF_ALL]
    of_one = [one for one in comparisons if one.operator not in OF_ALL]
    if not all(_passes_one(one, found, seen) for one in of_all):
        return False
    return not of_one or any(all(compare(one, value, seen) for one in of_one) for value in found)


def _passes_one(one: Comparison, found: Sequence[Any], seen: Seen) -> bool:
    of_all = OF_ALL.get(one.operator)
    if of_all is not None:
        return of_all(found, one.expected)
    return any(compare(one, value, seen) for value in found)


def compare(comparison: Comparison, value: Any, seen: Seen) -> bool:
    """Whether one value satisfies one comparison that is asked of single values."""
    expected = comparison.expected
    if isinstance(expected, Within):
        return expected.holds(value, seen)
    if isinstance(expected, Relative):
        when = span(value, expected.zone)
        earlier = comparison.operator == "before"
        return when is not None and any(
            when[1] < base if earlier else when[0] > base for base in expected.moments(seen)
        )
    return OF_ONE[comparison.operator](value, expected)


def same(found: Any, expected: Any) -> bool:
    """Equal as a person would say: `100` is `100.00`, `vip` is `VIP`, `yes` is true."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return truth(found) is not None and truth(found) == truth(expected)
    if isinstance(found, str) and isinstance(expected, str):
        return text(found) == text(expected)
    if isinstance(expected, When):
        return expected.meets(found)
    day, when = span(expected), span(found)
    if day and when:
        return day[0] <= when[0] and when[1] <= day[1]
    amount = number(found)
    return amount is not None and amount == number(expected)


def _at_least(found: Any, expected: Any) -> bool:
    one, other = number(found), number(expected)
    return one is not None and other is not None and one >= other


def _at_most(found: Any, expected: Any) -> bool:
    one, other = number(found), number(expected)
    return one is not None and other is not None and one <= other


def _before(found: Any, expected: Any) -> bool:
    one, other = span(found, _zone_of(expected)), span(expected)
    return one is not None and other is not None and one[1] < other[0]


def _after(found: Any, expected: Any) -> bool:
    one, other = span(found, _zone_of(expected)), span(expected)
    return one is not None and other is not None and one[0] > other[1]


def _zone_of(expected: Any) -> tzinfo:
    """In which a day that was found without a time is looked at."""
    return expected.zone if isinstance(expected, When) else UTC


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


def _exactly(found: Any, expected: Any) -> bool:
    """With regard to capitals; numbers and truth values as in `same`."""
    if isinstance(found, str) and isinstance(expected, str):
        return normalize("NFC", found) == normalize("NFC", expected)
    return same(found, expected)


def _never(found: Any, expected: Any) -> bool:
    """What `compare` has to be asked instead."""
    return False


def _is_not(found: Sequence[Any], expected: Any) -> bool:
    return not any(same(value, expected) for value in found)


def _present(found: Sequence[Any], expected: Any) -> bool:
    return any(value not in ("", {}) for value in found) is bool(expected)


OF_ONE: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": same,
    "exactly": _exactly,
    "one_of": lambda found, expected: any(same(found, one) for one in expected),
    "contains": _textual(lambda one, other: other in one),
    "starts_with": _textual(str.startswith),
    "ends_with": _textual(str.endswith),
    "matches": _textual(glob),
    "at_least": _at_least,
    "at_most": _at_most,
    "before": _before,
    "after": _after,
    "within": _never,
}
"""Operators that one value must pass."""

OF_ALL: Mapping[str, Callable[[Sequence[Any], Any], bool]] = {
    "is_not": _is_not,
    "present": _present,
}
"""Operators that are asked of everything found at the path."""

OPERATORS = (*OF_ONE, *OF_ALL)
