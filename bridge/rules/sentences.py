"""Conditions in words: what a rule asks, and why an event does not satisfy it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from bridge.rules.conditions import (
    AT_LEAST_ONE,
    All,
    AnyOf,
    Comparison,
    Condition,
    Entries,
    Not,
    Other,
    Sum,
    Test,
    Total,
    holds,
    passes,
    tally,
)
from bridge.rules.countries import Country
from bridge.rules.folding import LONGEST_SHOWN, apart, difference, eye, shown_part
from bridge.rules.relative import RECEIVED, Within
from bridge.rules.seen import Seen
from bridge.rules.values import When, is_personal, say, say_found

_SAYS: Mapping[str, str] = {
    "is": "is {}",
    "is_not": "is not {}",
    "exactly": "is exactly {}",
    "one_of": "is one of {}",
    "contains": "contains {}",
    "starts_with": "starts with {}",
    "ends_with": "ends with {}",
    "matches": "matches {}",
    "at_least": "is at least {}",
    "at_most": "is at most {}",
    "more_than": "is more than {}",
    "less_than": "is less than {}",
    "between": "is between {}",
    "before": "is before {}",
    "after": "is after {}",
    "within": "is within {}",
    "country": "is a number of {}",
}
_FAILS: Mapping[str, str] = {
    "is": "not {}",
    "is_not": "which this rule leaves out",
    "exactly": "not exactly {}",
    "one_of": "not one of {}",
    "contains": "which does not contain {}",
    "starts_with": "which does not start with {}",
    "ends_with": "which does not end with {}",
    "matches": "which does not match {}",
    "at_least": "not at least {}",
    "at_most": "not at most {}",
    "more_than": "not more than {}",
    "less_than": "not less than {}",
    "between": "not between {}",
    "before": "not before {}",
    "after": "not after {}",
    "within": "not within {}",
    "country": "not of {}",
}


def sentence(condition: Condition) -> str:
    """The condition in words: `order.total is at least 100 and tickets.type contains “VIP”`."""
    if isinstance(condition, All):
        return " and ".join(_grouped(part) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return " or ".join(_grouped(part) for part in condition.parts)
    if isinstance(condition, Not):
        return f"it is not so that {_grouped(condition.part)}"
    if isinstance(condition, Entries):
        return " and ".join(_of_entries(condition))
    said = [in_words(one) for one in condition.comparisons]
    return f"{condition.path} {' and '.join(said)}"


def _of_entries(asked: Entries) -> Iterator[str]:
    """`tickets has 2 entries ...`: how many there must be, and what they must come to."""
    if asked.count != AT_LEAST_ONE or asked.conditions or not asked.totals:
        yield count_in_words(asked)
    for total in asked.totals:
        yield f"{sum_of(asked, total)} {' and '.join(map(in_words, total.comparisons))}"


def count_in_words(asked: Entries) -> str:
    """`an entry of tickets fulfils: ...`, or what the number of those must be."""
    if asked.count == AT_LEAST_ONE:
        inner = _fulfilled(asked)
        which = "one and the same of" if len(asked.conditions) > 1 else "one of"
        return f"{which} {asked.path} has {inner}" if inner else f"{asked.path} has entries"
    return f"{number_of(asked)} {' and '.join(map(in_words, asked.count))}"


def of_several(asked: Entries) -> str:
    """What announces several conditions on one entry, each of which is said below it."""
    if asked.count == AT_LEAST_ONE:
        return f"one and the same of {asked.path} has all of these"
    counted = " and ".join(map(in_words, asked.count))
    return f"the number of {asked.path} with all of these {counted}"


def number_of(asked: Entries) -> str:
    """`the number of tickets with (tickets.type contains “VIP”)`."""
    inner = _fulfilled(asked)
    return f"the number of {asked.path}{f' with {inner}' if inner else ''}"


def sum_of(asked: Entries, total: Total) -> str:
    """`the sum of items.quantity`, and over which entries."""
    inner = _fulfilled(asked)
    return f"the sum of {total.path}{f' of those with {inner}' if inner else ''}"


def _fulfilled(asked: Entries) -> str:
    said = " and ".join(_grouped(each) for each in asked.conditions)
    return f"({said})" if said else ""


def why_not(condition: Condition, seen: Seen) -> str:
    """Why a condition that does not hold does not: all that was expected, and what was found.

    Whoever makes so all that it names makes the condition hold.
    """
    if isinstance(condition, All):
        failed = [part for part in condition.parts if not holds(part, seen)]
        return ", and ".join(why_not(part, seen) for part in failed)
    if isinstance(condition, AnyOf):
        return "none of these holds: " + "; ".join(why_not(part, seen) for part in condition.parts)
    if isinstance(condition, Not):
        return f"{sentence(condition.part)}, which this rule leaves out"
    if isinstance(condition, Entries):
        return ", and ".join(_short_of(condition, seen))
    return ", and ".join(_reasons(condition, seen))


def _short_of(asked: Entries, seen: Seen) -> Iterator[str]:
    """What the entries are not: how many there are, and what their sums come to."""
    found = tally(asked, seen)
    if found.of is None:
        yield f"{asked.path} is not known, so nothing says that {sentence(asked)}"
        return
    for one in asked.count:
        if passes([one], found.counted, seen):
            continue
        if asked.count == AT_LEAST_ONE:
            yield _none_of(asked, found.of)
        else:
            yield f"{number_of(asked)} is {found.counted[0]}, {fails(one)}"
    for total, made in zip(asked.totals, found.sums, strict=True):
        for one in total.comparisons:
            if not passes([one], made.found(one), seen):
                yield f"{sum_of(asked, total)} {_comes_to(made, one)}"


def entries_found(asked: Entries, seen: Seen) -> str:
    """Which entries fulfil it, and what their sums come to: `2 of 3, the 1st and the 3rd`."""
    found = tally(asked, seen)
    if found.of is None:
        return "nothing"
    numbers = ", ".join(map(str, found.fitting[:_MOST_SAID]))
    more = len(found.fitting) - _MOST_SAID
    which = f": number {numbers}" if asked.conditions and numbers else ""
    said = [f"{len(found.fitting)} of {found.of}{which}{f' and {more} more' if more > 0 else ''}"]
    for total, made in zip(asked.totals, found.sums, strict=True):
        unknown = f" and {made.unknown} not known" if made.unknown else ""
        said.append(f"sum of {total.path} {say(made.known)}{unknown}")
    return "; ".join(said)


def _none_of(asked: Entries, of: int) -> str:
    inner = _fulfilled(asked)
    if not of or not inner:
        return f"{asked.path} has no entries" + (f", so none has {inner}" if inner else "")
    return f"none of the {of} in {asked.path} has {inner}"


def _comes_to(made: Sum, one: Comparison) -> str:
    if not made.unknown:
        return f"is {say(made.known)}, {fails(one)}"
    verb = "is" if made.unknown == 1 else "are"
    without = f"{made.unknown} {verb} not known"
    return f"is {say(made.known)} where {without}, so nothing says that it {in_words(one)}"


def _grouped(condition: Condition) -> str:
    said = sentence(condition)
    several = isinstance(condition, All | AnyOf) and len(condition.parts) > 1
    return f"({said})" if several else said


def in_words(comparison: Comparison) -> str:
    """One comparison in words: `is at least 100`."""
    if comparison.operator == "present":
        return "is there" if comparison.expected else "is missing"
    return _SAYS[comparison.operator].format(_expected(comparison))


def _expected(comparison: Comparison) -> str:
    expected = comparison.expected
    if isinstance(expected, Other):
        return expected.path
    if comparison.operator == "between":
        return " and ".join(map(_plainly, expected))
    if comparison.named:
        return f"{comparison.named} ({_several(expected)})"
    if isinstance(expected, tuple):
        return _several(expected)
    if isinstance(expected, Within):
        base = "when it came in" if expected.field == RECEIVED else ""
        return f"{expected} of {base}" if base else str(expected)
    if comparison.operator in ("before", "after"):
        return str(expected)
    if comparison.operator == "contains" and isinstance(expected, str):
        return shown_part(expected)
    return say(expected)


def _plainly(end: Any) -> str:
    """A day without quotes."""
    return end if isinstance(end, str) else say(end)


_MOST_SAID = 6


def _several(expected: Sequence[Any]) -> str:
    said = ", ".join(say(one) for one in expected[:_MOST_SAID])
    more = len(expected) - _MOST_SAID
    return f"{said} and {more} more" if more > 0 else said


def fails(comparison: Comparison) -> str:
    """What is said of a value that does not pass: `not at least 100`; nothing of `present`."""
    words = _FAILS.get(comparison.operator, "")
    return words.format(_expected(comparison)) if words else ""


def is_told_apart(comparison: Comparison) -> bool:
    """Whether the words for what fails depend on what was found."""
    expected = comparison.expected
    is_long = isinstance(expected, str) and len(expected) > LONGEST_SHOWN
    return isinstance(expected, Other | Country) or (is_long and comparison.operator in _SPELLED)


_SPELLED = ("is", "exactly", "contains", "starts_with", "ends_with")


def _reasons(test: Test, seen: Seen) -> Iterator[str]:
    found = seen.find(test.path)
    failed = [one for one in test.comparisons if not passes([one], found, seen)]
    if not failed:
        both = " and ".join(in_words(one) for one in test.comparisons)
        yield f"no single {test.path} {both}"
    for comparison in failed:
        yield _reason(test.path, comparison, found, seen)


def _reason(path: str, comparison: Comparison, found: Sequence[Any], seen: Seen) -> str:
    if isinstance(comparison.expected, Country) and found:
        return _country_reason(path, comparison, found, seen)
    if isinstance(comparison.expected, Other):
        return _other_reason(path, comparison, found, seen)
    if comparison.operator == "present":
        return f"{path} is {'missing' if comparison.expected else 'there, and must not be'}"
    if not found:
        return f"{path} is not known, so nothing says that it {in_words(comparison)}"
    if is_told_apart(comparison):
        return _long_reason(path, comparison, found)
    return f"{path} is {say_found(path, found, zone_of([comparison]))}, {fails(comparison)}"


def zone_of(comparisons: Sequence[Comparison]) -> tzinfo | None:
    """That of the days that they ask for; None: they ask for none."""
    for one in comparisons:
        several = one.expected if isinstance(one.expected, tuple) else (one.expected,)
        for expected in several:
            if isinstance(expected, When):
                return expected.zone
    return None


def _long_reason(path: str, comparison: Comparison, found: Sequence[Any]) -> str:
    """Long texts are shown by the part in which the nearest one differs."""
    texts = [value for value in found if isinstance(value, str)]
    if not texts or is_personal(path, found):
        return f"{path} is {say_found(path, found)}, {fails(comparison)}"
    best = max(texts, key=lambda one: difference(eye(one), eye(comparison.expected)))
    one, other = apart(best, comparison.expected)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{path} is {one}{more}, {_FAILS[comparison.operator].format(other)}"


def _country_reason(path: str, one: Comparison, found: Sequence[Any], seen: Seen) -> str:
    """Where the numbers are from, which the numbers themselves need not tell."""
    countries = [one.expected.of(value, seen.countries) for value in found]
    known = sorted({country for country in countries if country})
    if known:
        return f"{path} is a number of {' and '.join(known)}, {fails(one)}"
    bare = any("+" not in str(value) for value in found) and one.expected.home is None
    why = " (it has no +, and no file says `country`)" if bare else ""
    return f"the country of {path} is not known{why}, so nothing says that it {in_words(one)}"


def _other_reason(path: str, comparison: Comparison, found: Sequence[Any], seen: Seen) -> str:
    """What the other field says is told too, unless it could tell who somebody is."""
    other = comparison.expected.path
    others = seen.find(other)
    unknown = next((name for name, values in ((path, found), (other, others)) if not values), "")
    if unknown:
        return f"{unknown} is not known, so nothing says that {path} {in_words(comparison)}"
    if comparison.operator == "is_not":
        return (
            f"{path} is {say_found(path, found)}, the same as {other}, which this rule leaves out"
        )
    said = say_found(other, others)
    return f"{path} is {say_found(path, found)}, {fails(comparison)} ({said})"
