"""What follows from conditions by themselves, whatever event comes: what one says of another.

Careful on one side: where it is not certain, nothing follows and nothing clashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.rules.conditions import (
    AT_LEAST_ONE,
    FORMS,
    OF_ALL,
    OF_ONE,
    All,
    AnyOf,
    Comparison,
    Condition,
    Entries,
    Not,
    Other,
    Test,
    comparisons,
)
from bridge.rules.conditions import same as same_value
from bridge.rules.relative import RECEIVED, Relative, Within
from bridge.rules.seen import is_below
from bridge.rules.values import number, span, truth

_MOST_VALUES = 100
_SPELLED = ("contains", "starts_with", "ends_with", "matches")
_RANGED = ("at_least", "at_most", "more_than", "less_than", "between")


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
    if isinstance(one, Entries) or isinstance(other, Entries):
        return _of_entries(one, other)
    return _test_implies(one, other)


def size(condition: Condition) -> int:
    """How many single tests it is made of."""
    if isinstance(condition, All | AnyOf):
        return sum(size(part) for part in condition.parts)
    if isinstance(condition, Entries):
        return 1 + sum(map(size, condition.conditions))
    return size(condition.part) if isinstance(condition, Not) else 1


def _test_implies(one: Test, other: Test) -> bool:
    """Several operators of a test hold for the same value, so each may follow from another one."""
    return one.path == other.path and all(
        any(_entails(known, wanted) for known in one.comparisons) for wanted in other.comparisons
    )


def _of_entries(one: Test | Entries, other: Test | Entries) -> bool:
    """Where one of the two, or each, asks something of a list's entries."""
    if isinstance(one, Entries) and isinstance(other, Entries):
        return _entries_imply(one, other)
    if isinstance(one, Entries):
        there_is = all(_is_counted(wanted, one.count) for wanted in AT_LEAST_ONE)
        return there_is and _is_of_any(other) and follows(one.conditions, other)
    assert isinstance(other, Entries)  # noqa: S101  # one of the two is
    alone = other.count == AT_LEAST_ONE and not other.totals
    inside = is_below(one.path, other.path) and one.path != other.path
    return (
        alone
        and inside
        and _is_of_any(one)
        and all(_is_of_any(each) and implies(one, each) for each in other.conditions)
    )


def _is_of_any(condition: Condition) -> bool:
    """Whether it says of a whole list that one entry is like that, and of nothing beside it."""
    return isinstance(condition, Test) and all(
        one.operator in OF_ONE and not isinstance(one.expected, Other | Relative | Within)
        for one in condition.comparisons
    )


def _entries_imply(one: Entries, other: Entries) -> bool:
    """Fewer entries fulfil more; sums are known to be alike over the same entries alone."""
    if one.path != other.path or not all(follows(one.conditions, x) for x in other.conditions):
        return False
    alike = repr(_asked(one)) == repr(_asked(other))
    return all(
        (alike or wanted.operator in ("at_least", "more_than")) and _is_counted(wanted, one.count)
        for wanted in other.count
    ) and all(
        alike
        and any(
            known.path == total.path and _is_counted(wanted, known.comparisons)
            for known in one.totals
        )
        for total in other.totals
        for wanted in total.comparisons
    )


def _asked(entries: Entries) -> list[tuple[str, Comparison]]:
    return [each for one in entries.conditions for each in comparisons(one)]


def _is_counted(wanted: Comparison, known: Sequence[Comparison]) -> bool:
    return any(_entails(one, wanted) for one in known)


@dataclass(frozen=True)
class _Range:
    """The numbers that pass a comparison; None is no end, `open` ends are not in it."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_is_open: bool = False
    high_is_open: bool = False

    def misses(self, other: _Range) -> bool:
        """Whether all of it is below all of the other."""
        if self.high is None or other.low is None:
            return False
        is_open = self.high_is_open or other.low_is_open
        return self.high < other.low or (self.high == other.low and is_open)

    def is_in(self, other: _Range) -> bool:
        """Whether the other has all that is in it."""
        return self._begins_in(other) and self._ends_in(other)

    def _begins_in(self, other: _Range) -> bool:
        if other.low is None or self.low is None:
            return other.low is None
        same_end = self.low == other.low and (self.low_is_open or not other.low_is_open)
        return self.low > other.low or same_end

    def _ends_in(self, other: _Range) -> bool:
        if other.high is None or self.high is None:
            return other.high is None
        same_end = self.high == other.high and (self.high_is_open or not other.high_is_open)
        return self.high < other.high or same_end


def _range(one: Comparison) -> _Range | None:
    """None where it is not about numbers, or about those of another field."""
    if isinstance(one.expected, Other):
        return None
    ends = one.expected if one.operator == "between" else (one.expected, one.expected)
    low, high = map(number, ends) if one.operator in _RANGED else (None, None)
    if low is None or high is None:
        return None
    if one.operator == "between":
        return _Range(low, high)
    is_open = one.operator in ("more_than", "less_than")
    if one.operator in ("at_least", "more_than"):
        return _Range(low=low, low_is_open=is_open)
    return _Range(high=high, high_is_open=is_open)


def _excludes(one: Comparison, other: Comparison) -> bool:
    """Half of `clash`: what follows from the first about the second."""
    if one.operator == "present":
        return not one.expected and other.operator in OF_ONE and other.operator != "matches"
    if isinstance(one.expected, Other) or isinstance(other.expected, Other):
        return False
    if one.operator == "after" and other.operator == "before":
        return _is_over(one.expected, other.expected)
    first, second = _range(one), _range(other)
    if first and second:
        return first.misses(second)
    if one.operator == "between" and other.operator in ("between", "before", "after"):
        return not _may_be_between(one.expected, other)
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
    if _range(other):
        return number(value) is not None and OF_ONE[operator](value, expected)
    if operator == "between":
        day = span(value)
        return day is not None and _may_be_between(day, other)
    if operator in ("before", "after"):
        return _may_be_then(value, operator, expected)
    if operator == "is_not":
        return not _is_surely(value, expected)
    if operator == "exactly" and exact and _is_plain(value) and _is_plain(expected):
        return OF_ONE[operator](value, expected)
    if operator in ("is", "exactly", "one_of"):
        return any(_may_be(value, one) for one in _values(other))
    return operator not in _SPELLED or not _is_plain(value) or OF_ONE[operator](value, expected)


def _may_be_between(ends: Sequence[Any], other: Comparison) -> bool:
    """Whether a time that is between the ends, of days the whole of each, can pass."""
    one = _days(ends)
    if one is None or isinstance(other.expected, Relative | Within):
        return True
    if other.operator == "between":
        two = _days(other.expected)
        return two is None or (one[0] <= two[1] and two[0] <= one[1])
    bound = span(other.expected)
    if bound is None:
        return True
    return bool(one[0] < bound[0] if other.operator == "before" else one[1] > bound[1])


def _days(ends: Sequence[Any]) -> tuple[Any, Any] | None:
    """The first and the last moment between two days or times."""
    first, last = span(ends[0]), span(ends[1])
    return (first[0], last[1]) if first and last else None


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
    if _is_alike(known, wanted):
        return True
    if _is_long(known) or _is_long(wanted):
        return False
    if wanted.operator in OF_ALL or known.operator in OF_ALL:
        is_there = wanted.operator == "present" and wanted.expected
        return bool(is_there) and known.operator in OF_ONE and known.operator != "matches"
    if isinstance(known.expected, Other) or isinstance(wanted.expected, Other):
        return False
    first, second = _range(known), _range(wanted)
    return first.is_in(second) if first and second else _is_stricter(known, wanted)


def _is_alike(known: Comparison, wanted: Comparison) -> bool:
    if known.operator != wanted.operator:
        return False
    if known.expected is wanted.expected:
        return True
    short = not (_is_long(known) or _is_long(wanted))
    return short and repr(known.expected) == repr(wanted.expected)


def _is_stricter(known: Comparison, wanted: Comparison) -> bool:
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
    if _range(wanted):
        return number(value) is not None and OF_ONE[operator](value, expected)
    if operator == "between":
        inner, outer = span(value), _days(expected)
        return bool(inner and outer and outer[0] <= inner[0] and inner[1] <= outer[1])
    if operator in ("before", "after"):
        when, other = span(value), span(expected)
        if when is None or other is None:
            return False
        return when[1] < other[0] if operator == "before" else when[0] > other[1]
    return operator in _SPELLED and _is_plain(value) and OF_ONE[operator](value, expected)


def _spelled(known: Comparison, wanted: Comparison) -> bool:
    """`starts_with: VIP Gold` says that it starts with VIP, and that it contains Gold."""
    if "matches" in (known.operator, wanted.operator) or wanted.operator not in FORMS:
        return False
    one, other = (FORMS[each.operator](each.expected) for each in (known, wanted))
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
    if known.operator == "between":
        first, second = _days(one), _days(other)
        return bool(first and second and second[0] <= first[0] and first[1] <= second[1])
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
