"""Conditions in words: what a rule asks, and why an event does not satisfy it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from bridge.rules.conditions import All, AnyOf, Comparison, Condition, Not, Test, holds, passes
from bridge.rules.relative import RECEIVED, Within
from bridge.rules.seen import Seen
from bridge.rules.values import When, say, say_found

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
    "before": "is before {}",
    "after": "is after {}",
    "within": "is within {}",
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
    "before": "not before {}",
    "after": "not after {}",
    "within": "not within {}",
}


def sentence(condition: Condition) -> str:
    """The condition in words: `order.total is at least 100 and tickets.type contains “VIP”`."""
    if isinstance(condition, All):
        return " and ".join(_grouped(part) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return " or ".join(_grouped(part) for part in condition.parts)
    if isinstance(condition, Not):
        return f"it is not so that {_grouped(condition.part)}"
    said = [in_words(one) for one in condition.comparisons]
    return f"{condition.path} {' and '.join(said)}"


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
    return ", and ".join(_reasons(condition, seen))


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
    if comparison.named:
        return f"{comparison.named} ({_several(expected)})"
    if isinstance(expected, tuple):
        return _several(expected)
    if isinstance(expected, Within):
        base = "when it came in" if expected.field == RECEIVED else ""
        return f"{expected} of {base}" if base else str(expected)
    if comparison.operator in ("before", "after"):
        return str(expected)
    return say(expected)


_MOST_SAID = 6


def _several(expected: Sequence[Any]) -> str:
    said = ", ".join(say(one) for one in expected[:_MOST_SAID])
    more = len(expected) - _MOST_SAID
    return f"{said} and {more} more" if more > 0 else said


def fails(comparison: Comparison) -> str:
    """What is said of a value that does not pass: `not at least 100`; nothing of `present`."""
    words = _FAILS.get(comparison.operator, "")
    return words.format(_expected(comparison)) if words else ""


def _reasons(test: Test, seen: Seen) -> Iterator[str]:
    found = seen.find(test.path)
    failed = [one for one in test.comparisons if not passes([one], found, seen)]
    if not failed:
        both = " and ".join(in_words(one) for one in test.comparisons)
        yield f"no single {test.path} {both}"
    for comparison in failed:
        yield _reason(test.path, comparison, found)


def _reason(path: str, comparison: Comparison, found: Sequence[Any]) -> str:
    if comparison.operator == "present":
        return f"{path} is {'missing' if comparison.expected else 'there, and must not be'}"
    if not found:
        return f"{path} is not known, so nothing says that it {in_words(comparison)}"
    return f"{path} is {say_found(path, found, zone_of([comparison]))}, {fails(comparison)}"


def zone_of(comparisons: Sequence[Comparison]) -> tzinfo | None:
    """That of the days that they ask for; None: they ask for none."""
    for one in comparisons:
        several = one.expected if isinstance(one.expected, tuple) else (one.expected,)
        for expected in several:
            if isinstance(expected, When):
                return expected.zone
    return None
