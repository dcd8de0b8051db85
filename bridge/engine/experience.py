"""Counts, over many events, what held of each rule and what stood where it looked. Pure."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridge.errors import Mistake
from bridge.event import Event
from bridge.rules import NotFilled, Rule, RuleSet, Step, fill
from bridge.rules.conditions import Comparison, Condition, Entries, Test, first, holds, tests
from bridge.rules.folding import apart, eye, lookalike
from bridge.rules.match import about, members
from bridge.rules.seen import Seen
from bridge.rules.sentences import sentence
from bridge.rules.values import is_personal, number, say, text, view
from bridge.rules.work import noting

FEWEST = 3
"""Events of a rule's type from which on it is told that it never matched."""

_NAMING = ("is", "is_not", "exactly", "one_of")
_MOST_MEMBERS = 50
_MOST_VALUES = 1_000
_MOST_SAID = 4
_LONGEST_MEANT = 500
_ALIKE = 0.75
# Events of each rule whose texts are tried, the newest first.
_MOST_TRIED = 20


@dataclass
class _Found:
    """What stood at one path: texts with how often, and the smallest and the largest number."""

    texts: Counter[str] = field(default_factory=Counter)
    least: Decimal | None = None
    most: Decimal | None = None

    def take(self, value: Any) -> None:
        if isinstance(value, str):
            line = " ".join(value.split())
            if line in self.texts or len(self.texts) < _MOST_VALUES:
                self.texts[line] += 1
        elif (amount := number(value)) is not None:
            self.least = amount if self.least is None else min(self.least, amount)
            self.most = amount if self.most is None else max(self.most, amount)

    def said(self) -> str:
        if self.texts:
            most = self.texts.most_common(_MOST_SAID)
            more = len(self.texts) - len(most)
            listed = ", ".join(f"{say(value)} ({count:,})" for value, count in most)
            return listed + (f" and {more:,} more" if more > 0 else "")
        if self.least is None:
            return ""
        return f"{self.least:f} to {self.most:f}" if self.least != self.most else f"{self.least:f}"


_About = tuple[tuple[str, ...], tuple[str, ...], str]
"""Sources and types of a rule, and a path: rules about the same look at the same values."""


class _Watched:
    """One rule; what it looks at is shared with those about the same."""

    def __init__(self, rule: Rule, shared: dict[_About, _Found]) -> None:
        self.rule = rule
        self.asked = 0
        self.tried = 0
        self.troubles: dict[tuple[int, str], Mistake] = {}
        self.matched = not rule.conditions
        self.never = list(range(len(rule.conditions)))
        self.looked_at = {test.path: self._about(test.path) for test in tests(rule.conditions)}
        self.found = {
            path: shared.setdefault(where, _Found()) for path, where in self.looked_at.items()
        }

    def take(self, seen: Seen) -> None:
        self.asked += 1
        if self.matched:
            return
        conditions = self.rule.conditions
        for one in self._each(seen):
            if self.never:
                # As long as one of them never held, they cannot all have held.
                self.never = [at for at in self.never if not holds(conditions[at], one)]
            if not self.never:
                self.matched = all(holds(condition, one) for condition in conditions)
            if self.matched:
                return

    def try_texts(self, event: Event, name: str, seen: Seen) -> None:
        """Fill in what the rule would send for the event; of each trouble the first is kept."""
        if self.tried >= _MOST_TRIED or not _matches(self.rule, event, seen):
            return
        self.tried += 1
        for step in self.rule.steps:
            for one in self._each(seen):
                for told in _troubles(step, event, one):
                    key = (step.number, told)
                    self.troubles.setdefault(key, self._trouble(step, told, name))

    def _trouble(self, step: Step, told: str, name: str) -> Mistake:
        named = f"event {name}" if name else "an event that came in"
        what = f"for {named}, {step.account}.{step.action} cannot say all: {told}"
        advice = "write `... if ... else ...` or `| default(...)` for where it is not known"
        return Mistake(self.rule.file, self.rule.line, self.rule.column, what, advice)

    def _each(self, seen: Seen) -> Iterator[Seen]:
        each = self.rule.for_each
        if each is None:
            yield seen
            return
        for member in members(self.rule, seen)[:_MOST_MEMBERS]:
            yield seen.with_member(each.name, member)

    def _about(self, path: str) -> _About:
        """`ticket.type` of a rule for each ticket is `tickets.type` of the event."""
        each = self.rule.for_each
        if each is not None and path.partition(".")[0] == each.name:
            path = f"{each.path}{path.removeprefix(each.name)}"
        return (self.rule.sources, self.rule.events, path)


def _matches(rule: Rule, event: Event, seen: Seen) -> bool:
    """Whether the event matches the rule, but for its days, its sample and its entries."""
    if rule.for_each is None:
        return all(holds(condition, seen) for condition in rule.conditions)
    return any(
        all(
            holds(condition, seen.with_member(rule.for_each.name, one))
            for condition in rule.conditions
        )
        for one in members(rule, seen)[:1]
    )


def _troubles(step: Step, event: Event, seen: Seen) -> Iterator[str]:
    """What is wrong with what the step would send, in words without any value."""
    with noting() as notes:
        try:
            fill(step, event, seen)
        except NotFilled as why:
            if not why.skipped:
                yield why.reason
    yield from notes.told


class Experience:
    """Takes events, and says then what deserves a look.

    `period` are the words for what it was shown.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.period = "what came in"
        self._rules = rules
        self._found: dict[_About, _Found] = {}
        self._watched = {
            rule.name: _Watched(rule, self._found) for rule in rules.rules if rule.enabled
        }

    def take(self, event: Event, name: str = "") -> None:
        """`name` is what people call the event."""
        seen = Seen(view(event))
        asked = about(self._rules, event.source, event.type)
        watched = [self._watched[rule.name] for rule in asked if rule.enabled]
        for where in {each for one in watched for each in one.looked_at.values()}:
            for value in seen.find(where[-1]):
                self._found[where].take(value)
        for one in watched:
            one.take(seen)
            one.try_texts(event, name, seen)

    def warnings(self) -> Iterator[Mistake]:
        for watched in self._watched.values():
            misspelt: set[int] = set()
            for at, condition in enumerate(watched.rule.conditions):
                for warning in self._misspelt(watched, condition):
                    misspelt.add(at)
                    yield warning
            yield from watched.troubles.values()
            if watched.asked >= FEWEST and not watched.matched:
                yield from self._never(watched, misspelt)

    def _misspelt(self, watched: _Watched, condition: Condition) -> Iterator[Mistake]:
        """Values that never came, although one came that is spelled almost like it."""
        for test in tests((condition,)):
            found = watched.found[test.path].texts
            for wanted in _named(test):
                close = _close(wanted, found)
                if close and not is_personal(test.path, [wanted, *found]):
                    yield self._at(watched, test, *self._words(test.path, wanted, close, found))

    def _words(self, path: str, wanted: str, close: str, found: Counter[str]) -> tuple[str, str]:
        one, other = apart(wanted, close)
        what = f"`{path}` was never {one} in {self.period}, but {other} was there"
        times = f"{found[close]:,} times" if found[close] > 1 else "once"
        hidden = lookalike(close, wanted)
        advice = f"did you mean “{eye(close)[:_LONGEST_MEANT]}”?"
        advice += f" It has {hidden}." if hidden else ""
        others = [each for each in found.most_common(_MOST_SAID) if each[0] != close]
        if others and not path.startswith("raw."):
            listed = ", ".join(f"{say(value)} ({count:,})" for value, count in others)
            advice += f" Others were {listed}"
        return f"{what} {times}", advice

    def _never(self, watched: _Watched, misspelt: set[int]) -> Iterator[Mistake]:
        rule = watched.rule
        count = f"{watched.asked:,} events of {self.period}"
        for at in watched.never:
            if at not in misspelt:
                condition = rule.conditions[at]
                place = first(condition)
                what = f"this condition held for none of the {count}: {sentence(condition)}"
                yield self._at(watched, place, what, _advice(watched, place))
        if not watched.never:
            what = f"this rule matched none of the {count}, though each condition held for some"
            advice = "look at one with `showbridge rules try`"
            yield Mistake(rule.file, rule.line, rule.column, what, advice)

    def _at(self, watched: _Watched, place: Test | Entries, what: str, advice: str) -> Mistake:
        return Mistake(watched.rule.file, place.line, place.column, what, advice)


def _named(test: Test) -> Iterator[str]:
    """The texts that a test wants one by one."""
    for one in test.comparisons:
        if one.operator in _NAMING:
            yield from (value for value in _values(one) if isinstance(value, str))


def _values(comparison: Comparison) -> tuple[Any, ...]:
    expected = comparison.expected
    return expected if isinstance(expected, tuple) else (expected,)


def _close(wanted: str, found: Counter[str]) -> str | None:
    """What came and is spelled almost like what is wanted, which did not come itself."""
    by_fold = {text(value) or "": value for value in found}
    folded = text(" ".join(wanted.split())) or ""
    if not folded or folded in by_fold:
        return None
    close = difflib.get_close_matches(folded, by_fold, n=1, cutoff=_ALIKE)
    return by_fold[close[0]] if close else None


def _advice(watched: _Watched, test: Test | Entries) -> str:
    if isinstance(test, Entries):
        return "change it, or leave it if you wait for the first such event"
    found = watched.found[test.path]
    said = found.said()
    if not said or is_personal(test.path, list(found.texts)) or test.path.startswith("raw."):
        return "change it, or leave it if you wait for the first such event"
    return f"found was {said}; change it, or leave it if you wait for the first such event"
