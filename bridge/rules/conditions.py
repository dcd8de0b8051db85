"""Conditions: data, compared without surprises and without exceptions.

A path through a list means any member: `tickets.type: {contains: VIP}` holds
if one ticket is like that, and several operators on one path must hold for the
same member. `is_not` is the opposite of `is`: no member is. What one and the same
entry must be like, how many are, and sums over them are `Entries`. What conditions
say in words is in `bridge.rules.sentences`.
"""

from __future__ import annotations

import fnmatch
import operator as operators
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Context, Decimal
from functools import lru_cache, reduce
from typing import Any
from unicodedata import normalize

from bridge.days import bare_day
from bridge.rules.countries import Country
from bridge.rules.folding import eye
from bridge.rules.relative import Relative, Within
from bridge.rules.seen import Seen
from bridge.rules.values import When, beginning, ending, number, part, span, text, truth, when


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
class Other:
    """Another field, with which one is compared: a path of the whole event.

    Its days, and its times that name no zone, are those of `zone`.
    """

    path: str
    zone: tzinfo = UTC

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True)
class Total:
    """Comparisons of a sum, over entries of a list, of their field at the whole `path`."""

    path: str
    comparisons: tuple[Comparison, ...]


AT_LEAST_ONE = (Comparison("at_least", 1),)


@dataclass(frozen=True)
class Entries:
    """What the entries of the list at `path` must be like.

    `conditions` are asked of each entry by itself, as if it were the only one: all of
    them of the same. `count` is asked of the number of those that fulfil them, each of
    `totals` of a sum over them.
    """

    path: str
    conditions: tuple[Condition, ...]
    count: tuple[Comparison, ...] = AT_LEAST_ONE
    totals: tuple[Total, ...] = ()
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


Condition = Test | Entries | All | AnyOf | Not


def parts(condition: Condition) -> tuple[Condition, ...]:
    """Those that it is made of, if it is a combination; what is asked of entries is none."""
    if isinstance(condition, All | AnyOf):
        return condition.parts
    return (condition.part,) if isinstance(condition, Not) else ()


def tests(conditions: Iterable[Condition]) -> Iterator[Test]:
    """All that are in them, in their order, those of entries too."""
    for condition in conditions:
        if isinstance(condition, Test):
            yield condition
        elif isinstance(condition, Entries):
            yield from tests(condition.conditions)
        else:
            yield from tests(parts(condition))


def first(condition: Condition) -> Test | Entries:
    """What stands first in it, which has a place in its file."""
    while not isinstance(condition, Test | Entries):
        condition = parts(condition)[0]
    return condition


def comparisons(condition: Condition) -> Iterator[tuple[str, Comparison]]:
    """Every comparison in it, with the path of what is compared."""
    if isinstance(condition, Test):
        yield from ((condition.path, one) for one in condition.comparisons)
        return
    inner = parts(condition)
    if isinstance(condition, Entries):
        yield from ((condition.path, one) for one in condition.count)
        for total in condition.totals:
            yield from ((total.path, one) for one in total.comparisons)
        inner = condition.conditions
    for each in inner:
        yield from comparisons(each)


def paths(condition: Condition) -> Iterator[str]:
    """The fields that it looks at, those that it compares with included."""
    if isinstance(condition, Entries):
        yield condition.path
    for path, comparison in comparisons(condition):
        yield path
        if isinstance(comparison.expected, Other):
            yield comparison.expected.path


def names(condition: Condition) -> frozenset[str]:
    """The first names of all paths on which it depends."""
    found = set(paths(condition))
    for _, one in comparisons(condition):
        if isinstance(one.expected, Relative | Within):
            found.add(one.expected.field)
    return frozenset(path.partition(".")[0] for path in found)


def holds(condition: Condition, seen: Seen) -> bool:
    """Whether what is seen of an event satisfies the condition; never raises."""
    if isinstance(condition, Test):
        return passes(condition.comparisons, seen.find(condition.path), seen)
    if isinstance(condition, Entries):
        return _is_as_many(condition, seen)
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
    if of_all is None:
        return any(compare(one, value, seen) for value in found)
    if isinstance(one.expected, Other):
        return _differs(found, one.expected, seen)
    return of_all(found, one.expected)


def _differs(found: Sequence[Any], other: Other, seen: Seen) -> bool:
    """What is not known on either side is not said to differ."""
    is_known = bool(found) and bool(seen.find(other.path))
    equal = Comparison("is", other)
    return is_known and not any(compare(equal, value, seen) for value in found)


def compare(comparison: Comparison, value: Any, seen: Seen) -> bool:
    """Whether one value satisfies one comparison that is asked of single values."""
    expected = comparison.expected
    if isinstance(expected, Other):
        return _compare_fields(comparison.operator, value, expected, seen)
    if isinstance(expected, Country):
        return expected.holds(value, seen.countries)
    if isinstance(expected, Within):
        return expected.holds(value, seen)
    if isinstance(expected, Relative):
        return expected.holds(comparison.operator, value, seen)
    return OF_ONE[comparison.operator](value, expected)


MAX_OTHERS = 20
"""Values of a field with which another one is compared; of texts that must be equal all."""


def _compare_fields(operator: str, value: Any, other: Other, seen: Seen) -> bool:
    if operator == "is" and isinstance(value, str) and text(value) in seen.texts[other.path].folded:
        return True
    ask, others = OF_ONE[operator], seen.find(other.path)[:MAX_OTHERS]
    if operator in ("is", "before", "after"):
        others = [_dated(one, other.zone) for one in others]
    # A day and a time in it are the same, whichever of the two fields is asked.
    day = _dated(value, other.zone) if operator == "is" and bare_day(value) else None
    return any(ask(value, one) or (isinstance(day, When) and day.meets(one)) for one in others)


def _dated(value: Any, zone: tzinfo) -> Any:
    """Digits alone are a number, though ISO 8601 has days such as 20270701."""
    return value if number(value) is not None else when(value, zone) or value


@dataclass(frozen=True)
class Sum:
    """What is known of a sum: of so many entries the amount is `unknown`."""

    known: Decimal
    unknown: int = 0
    is_rising: bool = True
    """No amount that is known is below zero, so none that is unknown is thought to be."""

    def found(self, comparison: Comparison) -> list[Decimal]:
        """The sum as far as it decides the comparison; nothing where it does not."""
        reached = self.is_rising and comparison.operator in ("at_least", "more_than")
        return [self.known] if reached or not self.unknown else []


@dataclass(frozen=True)
class Tally:
    """What the entries of a list come to; `of` is how many there are, None: nobody knows.

    `fitting` are the numbers, from 1, of those that fulfil what is asked of each.
    """

    of: int | None = None
    fitting: tuple[int, ...] = ()
    sums: tuple[Sum, ...] = ()

    @property
    def counted(self) -> list[int]:
        """How many fulfil it, as if it stood in a field of its own."""
        return [] if self.of is None else [len(self.fitting)]


def _is_as_many(asked: Entries, seen: Seen) -> bool:
    found = tally(asked, seen)
    return passes(asked.count, found.counted, seen) and all(
        passes([one], made.found(one), seen)
        for total, made in zip(asked.totals, found.sums, strict=True)
        for one in total.comparisons
    )


def tally(asked: Entries, seen: Seen) -> Tally:
    """Asked once of an event, whatever member of a list is looked at; never raises."""
    home = seen.home(asked.path)
    known = home.tallies.get(id(asked))
    # The name of an object is another one's when the object is gone.
    if known is None or known[0] is not asked:
        known = home.tallies[id(asked)] = (asked, _tally(asked, home))
    found: Tally = known[1]
    return found


def _tally(asked: Entries, seen: Seen) -> Tally:
    entries = seen.entries(asked.path)
    if entries is None:
        return Tally(sums=(Sum(Decimal(), 1, is_rising=False),) * len(asked.totals))
    fitting = [
        (number, entry)
        for number, entry in enumerate(entries, start=1)
        if all(holds(condition, entry) for condition in asked.conditions)
    ]
    sums = [_sum(total.path, [entry for _, entry in fitting]) for total in asked.totals]
    return Tally(len(entries), tuple(number for number, _ in fitting), tuple(sums))


def _sum(path: str, entries: Sequence[Seen]) -> Sum:
    amounts = [_amount(entry.find(path)) for entry in entries]
    known = [amount for amount in amounts if amount is not None]
    rising = all(amount >= 0 for amount in known)
    return Sum(_added(known), len(amounts) - len(known), rising)


def _amount(found: Sequence[Any]) -> Decimal | None:
    """The sum of all that one entry has there; None if one of them is no number."""
    amounts = [number(value) for value in found]
    known = [amount for amount in amounts if amount is not None]
    return _added(known) if known and len(known) == len(amounts) else None


# Exact for whatever is an amount; what is beyond all numbers raises nothing.
_EXACT = Context(prec=100, traps=[])


def _added(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(_EXACT.add, amounts, Decimal())


def same(found: Any, expected: Any) -> bool:
    """Equal as a person would say: `100` is `100.00`, `vip` is `VIP`, `yes` is true."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return truth(found) is not None and truth(found) == truth(expected)
    if isinstance(found, str) and isinstance(expected, str):
        return text(found) == text(expected)
    if isinstance(expected, When):
        return expected.meets(found)
    day, inner = span(expected), span(found)
    if day and inner:
        return day[0] <= inner[0] and inner[1] <= day[1]
    amount = number(found)
    return amount is not None and amount == number(expected)


def _ordered(fits: Callable[[Decimal, Decimal], bool]) -> Callable[[Any, Any], bool]:
    def compared(found: Any, expected: Any) -> bool:
        one, other = number(found), number(expected)
        return one is not None and other is not None and fits(one, other)

    return compared


_at_least, _at_most = _ordered(operators.ge), _ordered(operators.le)


def _between(found: Any, expected: Any) -> bool:
    """Both ends are in it, of days the whole of each."""
    low, high = expected
    if number(low) is not None or number(high) is not None:
        return _at_least(found, low) and _at_most(found, high)
    inner, first, last = span(found, _zone_of(low)), span(low), span(high)
    if inner is None or first is None or last is None:
        return False
    return first[0] <= inner[0] and inner[1] <= last[1]


def _before(found: Any, expected: Any) -> bool:
    one, other = span(found, _zone_of(expected)), span(expected)
    return one is not None and other is not None and one[1] < other[0]


def _after(found: Any, expected: Any) -> bool:
    one, other = span(found, _zone_of(expected)), span(expected)
    return one is not None and other is not None and one[0] > other[1]


def _zone_of(expected: Any) -> tzinfo:
    """In which a day that was found without a time is looked at."""
    return expected.zone if isinstance(expected, When) else UTC


def _contains(found: str, looked_for: str) -> bool:
    word = looked_for.strip()
    return looked_for in (f" {found} " if word and word != looked_for else found)


def _starts_with(found: str, looked_for: str) -> bool:
    return (f"{found} " if looked_for.endswith(" ") else found).startswith(looked_for)


def _ends_with(found: str, looked_for: str) -> bool:
    return (f" {found}" if looked_for.startswith(" ") else found).endswith(looked_for)


def glob(found: str, pattern: str) -> bool:
    """Whether all of `found` fits; `*` is any text, `?` any character, the case is ignored."""
    return _pattern(pattern.casefold()).fullmatch(found.casefold()) is not None


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def _exactly(found: Any, expected: Any) -> bool:
    """With regard to capitals; numbers and truth values as in `same`."""
    if isinstance(found, str) and isinstance(expected, str):
        return eye(found) == eye(expected)
    return same(found, expected)


def identical(found: Any, expected: Any) -> bool:
    """To the letter and the blank: what is sent is not what somebody typed."""
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


FORMS: Mapping[str, Callable[[Any], str | None]] = {
    "contains": part,
    "starts_with": beginning,
    "ends_with": ending,
    "matches": text,
}
"""The form in which what is expected is looked for in the form of a text that is found."""

FITS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": _contains,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "matches": glob,
}
"""Whether a text is as it is looked for. A blank at an end is the end of a word, or of all."""


def _textual(operator: str) -> Callable[[Any, Any], bool]:
    form, fits = FORMS[operator], FITS[operator]

    def compared(found: Any, expected: Any) -> bool:
        one, other = text(found), form(expected)
        return one is not None and other is not None and fits(one, other)

    return compared


OF_ONE: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": same,
    "exactly": _exactly,
    "one_of": lambda found, expected: any(same(found, one) for one in expected),
    **{operator: _textual(operator) for operator in FITS},
    "at_least": _at_least,
    "at_most": _at_most,
    "more_than": _ordered(operators.gt),
    "less_than": _ordered(operators.lt),
    "between": _between,
    "before": _before,
    "after": _after,
    "within": _never,
    "country": _never,
}
"""Operators that one value must pass."""

OF_ALL: Mapping[str, Callable[[Sequence[Any], Any], bool]] = {
    "is_not": _is_not,
    "present": _present,
}
"""Operators that are asked of everything found at the path."""

OPERATORS = (*OF_ONE, *OF_ALL)
