"""What follows from conditions by themselves, whatever event comes: what one says of another.

Careful on one side: where it is not certain, nothing follows and nothing clashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.rules.conditions import OF_ALL, OF_ONE, All, AnyOf, Comparison, Condition, Not, Test
from bridge.rules.conditions import same as same_value
from bridge.rules.relative import RECEIVED, Relative, Within
from bridge.rules.values import number, span, text, truth

_MOST_VALUES = 100
_SPELLED = ("contains", "starts_with", "ends_with", "matches")


def clash(one: Comparison, other: Comparison) -> bool:
    """Whether no single value can satisfy both."""
    if _is_long(one) or _is_long(other):
        return False
    return _excludes(one, other) or _excludes(other, one)


def follows(known: Sequence[Condition], wanted: Condition) -> bool:
    """Whether `wanted` holds wherever all that is known holds."""
    if any(implies(one, wanted) for one in known):
        return True
    if isinstance(wanted, All):
        return all(follows(known, part) for part in wanted.parts)
    return isinstance(wanted, AnyOf) and any(follows(known, part) for part in wanted.parts)


def implies(one: Condition, other: Condition) -> bool:
    """Whether `other` holds wherever `one` holds."""
    if isinstance(other, All):
        return all(implies(one, part) for part in other.parts)
    if isinstance(one, AnyOf):
        return all(implies(part, other) for part in one.parts)
    if isinstance(one, All):
        return any(implies(part, other) for part in one.parts)
    if isinstance(other, AnyOf):
        return any(implies(one, part) for part in other.parts)
    if isinstance(one, Not) or isinstance(other, Not):
        both = isinstance(one, Not) and isinstance(other, Not)
        return both and implies(other.part, one.part)  # type: ignore[union-attr]  # both are
    return _test_implies(one, other)


def size(condition: Condition) -> int:
    """How many single tests it is made of."""
    if isinstance(condition, All | AnyOf):
        return sum(size(part) for part in condition.parts)
    return size(condition.part) if isinstance(condition, Not) else 1


def _test_implies(one: Test, other: Test) -> bool:
    """Several operators of a test hold for the same value, so each may follow from another one."""
    return one.path == other.path and all(
        any(_entails(known, wanted) for known in one.comparisons) for wanted in other.comparisons
    )


def _excludes(one: Comparison, other: Comparison) -> bool:
    """Half of `clash`: what follows from the first about the second."""
    if one.operator == "present":
        return not one.expected and other.operator in OF_ONE and other.operator != "matches"
    if one.operator == "after" and other.operator == "before":
        return _is_over(one.expected, other.expected)
    if one.operator == "at_least" and other.operator == "at_most":
        return bool(_number(one) > _number(other))
    if one.operator == other.operator and one.operator in ("starts_with", "ends_with"):
        return not (_entails(one, other) or _entails(other, one))
    values = _values(one)
    exact = one.operator == "exactly"
    return bool(values) and not any(_may_pass(value, other, exact=exact) for value in values)


def _is_long(comparison: Comparison) -> bool:
    """So many values that comparing all with all would keep somebody waiting."""
    return comparison.operator == "one_of" and len(comparison.expected) > _MOST_VALUES


def _values(comparison: Comparison) -> tuple[Any, ...]:
    """The only values that pass, where they are named one by one."""
    if comparison.operator == "one_of":
        return tuple(comparison.expected)
    return (comparison.expected,) if comparison.operator in ("is", "exactly") else ()


def _may_pass(value: Any, other: Comparison, *, exact: bool) -> bool:
    """Whether something that is the same as `value`, as a person would say, can pass."""
    expected, operator = other.expected, other.operator
    if operator in ("at_least", "at_most"):
        return number(value) is not None and OF_ONE[operator](value, expected)
    if operator in ("before", "after"):
        return _may_be_then(value, operator, expected)
    if operator == "is_not":
        return not _is_surely(value, expected)
    if operator == "exactly" and exact and _is_plain(value) and _is_plain(expected):
        return OF_ONE[operator](value, expected)
    if operator in ("is", "exactly", "one_of"):
        return any(_may_be(value, one) for one in _values(other))
    return operator not in _SPELLED or not _is_plain(value) or OF_ONE[operator](value, expected)


def _may_be_then(value: Any, operator: str, expected: Any) -> bool:
    when = span(value)
    if isinstance(expected, Relative | Within) or when is None:
        return when is not None
    other = span(expected)
    if other is None:
        return True
    return when[0] < other[0] if operator == "before" else when[1] > other[1]


def _may_be(value: Any, other: Any) -> bool:
    """Whether one thing can be the same as both: `5` and `5.0`, a day and a time in it."""
    if same_value(value, other) or same_value(other, value):
        return True
    if _alike(number(value), number(other)) or _alike(truth(value), truth(other)):
        return True
    one, two = span(value), span(other)
    return one is not None and two is not None and one[0] <= two[1] and two[0] <= one[1]


def _alike(one: Any, other: Any) -> bool:
    return one is not None and one == other


def _is_surely(value: Any, other: Any) -> bool:
    """Whether all that is the same as the one is the same as the other."""
    if type(value) is type(other):
        return same_value(value, other)
    plain = (int, float)
    return type(value) in plain and type(other) in plain and value == other


def _is_plain(value: Any) -> bool:
    """A text that is nothing else: neither a number, nor a date, nor true or false."""
    is_other = number(value) is not None or truth(value) is not None or span(value) is not None
    return isinstance(value, str) and not is_other


def _number(comparison: Comparison) -> Any:
    return number(comparison.expected)


def _is_over(start: Any, end: Any) -> bool:
    """Whether nothing is after the one and before the other."""
    if isinstance(start, Relative) and isinstance(end, Relative):
        # A list has several times to count from, what was received has one.
        same_base = start.field == end.field == RECEIVED
        return same_base and start.seconds >= end.seconds
    one, two = span(start), span(end)
    return one is not None and two is not None and one[1] >= two[0]


def _entails(known: Comparison, wanted: Comparison) -> bool:
    """Whether every value that passes the one passes the other."""
    if known.operator == wanted.operator and known.expected is wanted.expected:
        return True
    if _is_long(known) or _is_long(wanted):
        return False
    if known.operator == wanted.operator and repr(known.expected) == repr(wanted.expected):
        return True
    if wanted.operator in OF_ALL or known.operator in OF_ALL:
        is_there = wanted.operator == "present" and wanted.expected
        return bool(is_there) and known.operator in OF_ONE and known.operator != "matches"
    values = _values(known)
    if values:
        exact = known.operator == "exactly"
        return all(_must_pass(value, wanted, exact=exact) for value in values)
    if known.operator in _SPELLED:
        return _spelled(known, wanted)
    return known.operator == wanted.operator and _is_narrower(known, wanted)


def _must_pass(value: Any, wanted: Comparison, *, exact: bool) -> bool:
    expected, operator = wanted.expected, wanted.operator
    if operator == "exactly":
        both = isinstance(value, str) and isinstance(expected, str)
        return exact and both and OF_ONE[operator](value, expected)
    if operator in ("is", "one_of"):
        return any(_is_surely(value, one) for one in _values(wanted))
    if operator in ("at_least", "at_most"):
        return number(value) is not None and OF_ONE[operator](value, expected)
    if operator in ("before", "after"):
        when, other = span(value), span(expected)
        if when is None or other is None:
            return False
        return when[1] < other[0] if operator == "before" else when[0] > other[1]
    return operator in _SPELLED and _is_plain(value) and OF_ONE[operator](value, expected)


def _spelled(known: Comparison, wanted: Comparison) -> bool:
    """`starts_with: VIP Gold` says that it starts with VIP, and that it contains Gold."""
    if "matches" in (known.operator, wanted.operator):
        return False
    one, other = text(known.expected), text(wanted.expected)
    if one is None or other is None:
        return False
    if wanted.operator == "contains":
        return other in one
    if known.operator != wanted.operator:
        return False
    return one.startswith(other) if wanted.operator == "starts_with" else one.endswith(other)


def _is_narrower(known: Comparison, wanted: Comparison) -> bool:
    """The same operator with a bound that lets less pass."""
    one, other = known.expected, wanted.expected
    if known.operator in ("at_least", "at_most"):
        low, high = number(one), number(other)
        if low is None or high is None:
            return False
        return low >= high if known.operator == "at_least" else low <= high
    if isinstance(one, Within) and isinstance(other, Within):
        alike = (one.side, one.field) == (other.side, other.field)
        return alike and one.seconds <= other.seconds
    return _is_earlier(one, other) if known.operator == "before" else _is_later(one, other)


def _is_earlier(one: Any, other: Any) -> bool:
    if isinstance(one, Relative) and isinstance(other, Relative):
        return one.field == other.field and one.seconds <= other.seconds
    first, second = span(one), span(other)
    return first is not None and second is not None and first[0] <= second[0]


def _is_later(one: Any, other: Any) -> bool:
    if isinstance(one, Relative) and isinstance(other, Relative):
        return one.field == other.field and one.seconds >= other.seconds
    first, second = span(one), span(other)
    return first is not None and second is not None and first[1] >= second[1]
