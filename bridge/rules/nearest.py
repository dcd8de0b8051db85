"""How near an event came to a condition that it does not satisfy, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from bridge import days
from bridge.rules.conditions import (
    OF_ONE,
    Comparison,
    Entries,
    Other,
    Test,
    holds,
    passes,
    tally,
)
from bridge.rules.countries import Country
from bridge.rules.folding import apart, folded, lookalike
from bridge.rules.relative import Relative, Within, spans
from bridge.rules.seen import Seen
from bridge.rules.sentences import why_not
from bridge.rules.values import When, is_personal, number, say, span, text

_ALIKE = 0.6
_TEXTUAL = ("is", "exactly", "one_of", "contains", "starts_with", "ends_with")
_MOST_ENTRIES = 200
_LONGEST_COMPARED = 200
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def nearest(condition: Test | Entries, seen: Seen) -> str:
    """By how little it fails, where that can be told: `13.75 too little`. Never raises.

    What could tell who somebody is stays unsaid.
    """
    return _of_test(condition, seen) if isinstance(condition, Test) else _of_list(condition, seen)


def _of_list(asked: Entries, seen: Seen) -> str:
    """The entry that fulfils most of what one must, and what it does not."""
    entries = seen.entries(asked.path)
    if not entries or not asked.conditions or tally(asked, seen).fitting:
        return ""
    missed = [
        [one for one in asked.conditions if not holds(one, entry)]
        for entry in entries[:_MOST_ENTRIES]
    ]
    at = min(range(len(missed)), key=lambda each: len(missed[each]))
    reasons = ", and ".join(why_not(one, entries[at]) for one in missed[at])
    return reasons if len(entries) == 1 else f"entry {at + 1} is nearest: {reasons}"


def _of_test(test: Test, seen: Seen) -> str:
    found = seen.find(test.path)
    if not found or is_personal(test.path, found):
        return ""
    failed = [one for one in test.comparisons if not passes([one], found, seen)]
    said = (_nearest(one, found, seen) for one in failed if one.operator in OF_ONE)
    return ", ".join(dict.fromkeys(words for words in said if words))


def _nearest(one: Comparison, found: Sequence[Any], seen: Seen) -> str:
    if isinstance(one.expected, Other | Country):
        return ""
    if one.operator in ("at_least", "at_most", "more_than", "less_than"):
        return _amount(one, found)
    if one.operator in ("before", "after", "within"):
        return _time(one, found, seen)
    return _text(one, found) if one.operator in _TEXTUAL else ""


def _amount(one: Comparison, found: Sequence[Any]) -> str:
    wanted = number(one.expected)
    known = [amount for amount in map(number, found) if amount is not None]
    if wanted is None or not known:
        return ""
    best = min(known, key=lambda amount: abs(amount - wanted))
    if best == wanted:
        return "exactly that" if len(set(known)) == 1 else f"{say(best)} is exactly that"
    side = "too little" if one.operator in ("at_least", "more_than") else "too much"
    return _of(best, known, f"{abs(best - wanted):f} {side}")


def _time(one: Comparison, found: Sequence[Any], seen: Seen) -> str:
    """Positive distances are too late, negative ones too early."""
    zone = one.expected.zone if isinstance(one.expected, When | Relative | Within) else UTC
    known = [days.local(first, zone) for first, _ in spans(found[:_MOST_ENTRIES], zone)]
    distances = [
        (abs(seconds), seconds, when) for when in known for seconds in _distances(one, when, seen)
    ]
    if not distances:
        return ""
    _, seconds, when = min(distances)
    return _of(when, known, f"{_length(abs(seconds))} too {'late' if seconds > 0 else 'early'}")


def _distances(one: Comparison, when: datetime, seen: Seen) -> Iterator[float]:
    expected = one.expected
    if isinstance(expected, Within):
        low = 0.0 if expected.side == "after" else -expected.seconds
        high = 0.0 if expected.side == "before" else expected.seconds
        moments = Relative(0.0, expected.field, "", expected.zone).moments(seen)
        for base in islice(moments, _MOST_ENTRIES):
            away = (when - base).total_seconds()
            yield away - high if away > high else away - low
        return
    if isinstance(expected, Relative):
        bases = list(islice(expected.moments(seen), _MOST_ENTRIES))
    else:
        day = span(expected)
        bases = [day[0 if one.operator == "before" else 1]] if day else []
    yield from ((when - base).total_seconds() for base in bases)


def _text(one: Comparison, found: Sequence[Any]) -> str:
    wanted = one.expected if isinstance(one.expected, tuple) else (one.expected,)
    pairs = [
        (value, other)
        for value in found
        for other in wanted
        if isinstance(value, str) and isinstance(other, str)
    ]
    best = max(pairs, key=lambda pair: _alike(*pair), default=None)
    if best is None or _alike(*best) < _ALIKE:
        return ""
    value, other = best
    first, second = apart(value, other)
    if text(value) == text(other):
        return f"{first} differs from {second} in capitals only"
    hidden = lookalike(value, other)
    return f"{first} is almost {second}" + (f": it has {hidden}" if hidden else "")


def _alike(value: str, other: str) -> float:
    one, two = (folded(each[:_LONGEST_COMPARED]) for each in (value, other))
    return difflib.SequenceMatcher(None, one, two, autojunk=False).ratio()


def _of(best: Any, known: Sequence[Any], words: str) -> str:
    return f"{say(best)} is nearest, {words}" if len(set(known)) > 1 else words


def _length(seconds: float) -> str:
    for unit, size in _UNITS:
        if seconds >= size:
            count = round(seconds / size)
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    return f"{max(1, round(seconds))} s"
