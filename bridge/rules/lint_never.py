"""Rules that no event can satisfy, because their conditions contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from bridge.rules.conditions import (
    OF_ALL,
    All,
    AnyOf,
    Comparison,
    Condition,
    Entries,
    Not,
    Other,
    Test,
    passes,
)
from bridge.rules.entail import clash, implies, size
from bridge.rules.seen import Seen
from bridge.rules.sentences import in_words
from bridge.rules.written import Written

_MOST_KNOWN = 60
_LARGEST_NEGATED = 40


@dataclass(frozen=True)
class Clash:
    """Two conditions that cannot both hold; `at` is the one to point at.

    Without `other` it is denied by a `not`. `in_any`: it is the first of an `any`
    none of whose parts can hold. `in_entry`: no entry of a list can satisfy both. `subject`
    is what both are about, if it is no field.
    """

    at: Test | Entries
    one: Comparison | None = None
    other: Comparison | None = None
    before: Test | None = None
    in_any: bool = False
    in_entry: bool = False
    subject: str = ""


def warn_of_never(written: Written) -> None:
    """At most one for each rule: who mends it sees whether there is more."""
    search = _Search(written.single, written.single_in_entry)
    found = search.among(written.rule.conditions, tuple(_from_when(written)))
    if found is None:
        return
    what, advice = _words(found)
    written.warn_at(found.at.line, found.at.column, what, advice)


class _Search:
    """Looks for two conditions that clash; what is known further out holds further in."""

    def __init__(self, single: frozenset[str], in_entry: frozenset[str]) -> None:
        self._single = single | {"event.source", "event.type"}
        self._in_entry = in_entry

    def among(self, conditions: Sequence[Condition], known: tuple[Test, ...]) -> Clash | None:
        """What keeps these conditions from all holding together; None: nothing is seen."""
        parts = list(_flat(conditions))
        for test in (part for part in parts if isinstance(part, Test)):
            found = self._within(test) or self._with_one_of(test, known)
            if found:
                return found
            known = (*known, test)[-_MOST_KNOWN:]
        for part in parts:
            found = (
                self._denied(part, known)
                or self._in_no_part(part, known)
                or self._in_no_entry(part)
            )
            if found:
                return found
        return None

    def _within(self, test: Test) -> Clash | None:
        """Several operators on one path are asked of the same value."""
        for number, one in enumerate(test.comparisons):
            for other in test.comparisons[number + 1 :]:
                if clash(one, other):
                    return Clash(test, one, other)
        return None

    def _with_one_of(self, test: Test, known: Sequence[Test]) -> Clash | None:
        for earlier in known:
            found = self._between(earlier, test)
            if found:
                return found
        return None

    def _between(self, earlier: Test, test: Test) -> Clash | None:
        """A list may have an entry for each of two tests, but not for what is asked of all."""
        if earlier.path != test.path:
            return _missing_above(earlier, test) or _missing_above(test, earlier)
        single = test.path in self._single
        for one in earlier.comparisons:
            for other in test.comparisons:
                of_all = one.operator in OF_ALL or other.operator in OF_ALL
                if (single or of_all) and clash(one, other):
                    return Clash(test, one, other, earlier)
        return None

    def _denied(self, part: Condition, known: Sequence[Test]) -> Clash | None:
        if not isinstance(part, Not) or size(part) > _LARGEST_NEGATED:
            return None
        test = next((one for one in known if implies(one, part.part)), None)
        return Clash(test) if test else None

    def _in_no_entry(self, part: Condition) -> Clash | None:
        """What one entry cannot be, or how many cannot be, unless none at all will do."""
        if not isinstance(part, Entries):
            return None
        counted = [(f"number of {part.path}", part.count)]
        counted += [(f"sum of {total.path}", total.comparisons) for total in part.totals]
        for subject, asked in counted:
            pair = next((pair for pair in combinations(asked, 2) if clash(*pair)), None)
            if pair:
                return Clash(part, *pair, subject=subject)
        if _may_be_none(part):
            return None
        found = _Search(self._in_entry, self._in_entry).among(part.conditions, ())
        return replace(found, in_entry=True) if found else None

    def _in_no_part(self, part: Condition, known: tuple[Test, ...]) -> Clash | None:
        """Where no part of an `any` can hold, the first of them is told."""
        if not isinstance(part, AnyOf):
            return None
        first: Clash | None = None
        for one in part.parts:
            found = self.among((one,), known)
            if found is None:
                return None
            first = first or found
        return replace(first, in_any=True) if first else None


def _may_be_none(asked: Entries) -> bool:
    """Whether it is enough that no entry fulfils the conditions."""
    compared = any(isinstance(one.expected, Other) for one in asked.count)
    return compared or passes(asked.count, [0], Seen({}))


def _flat(conditions: Sequence[Condition]) -> Iterator[Condition]:
    for condition in conditions:
        if isinstance(condition, All):
            yield from _flat(condition.parts)
        else:
            yield condition


def _missing_above(one: Test, other: Test) -> Clash | None:
    """`tickets: {present: false}` leaves no `tickets.type`."""
    if not other.path.startswith(f"{one.path}."):
        return None
    gone = next((each for each in one.comparisons if _is_missing(each)), None)
    if gone is None:
        return None
    asked = next((each for each in other.comparisons if clash(each, gone)), None)
    return Clash(other, asked, gone, one) if asked else None


def _is_missing(comparison: Comparison) -> bool:
    return comparison.operator == "present" and not comparison.expected


def _from_when(written: Written) -> Iterator[Test]:
    """`source` and `event` of the rule as conditions, where they are no patterns."""
    rule = written.rule
    for path, names in (("event.source", rule.sources), ("event.type", rule.events)):
        if names and not any(set("*?") & set(name) for name in names):
            yield Test(path, (Comparison("one_of", names),), rule.line, rule.column)


def _words(found: Clash) -> tuple[str, str]:
    never = "this rule can never match"
    if found.in_any:
        never += ", since no part of `any` can hold"
    one, other, before = found.one, found.other, found.before
    if one is None or other is None:
        what = f"{never}: `not` leaves out whatever satisfies this condition"
        return what, "remove one of the two conditions"
    path = found.at.path
    if found.subject:
        both = f"{in_words(one)} and {in_words(other).removeprefix('is ')}"
        return f"{never}: no {found.subject} {both} at the same time", _advice(path, one, other)
    if before is not None and path in _FROM_WHEN:
        names = ", ".join(before.comparisons[0].expected)
        return f"{never}: it is about {names} alone", "change this condition, or `when`"
    if before is not None and before.path != path:
        return f"{never}: `{before.path}` must be missing, and this is a part of it", _REMOVE
    where = f" (line {before.line})" if before and before.line != found.at.line else ""
    both = f"{in_words(one)}{where} and {in_words(other).removeprefix('is ')}"
    one_entry = " of one entry" if found.in_entry else ""
    name = path.rpartition(".")[2] if found.in_entry else path
    return f"{never}: no `{path}`{one_entry} {both} at the same time", _advice(name, one, other)


_REMOVE = "change or remove one of the two conditions"
_LOWEST, _HIGHEST = ("at_least", "more_than", "after"), ("at_most", "less_than", "before")
_FROM_WHEN = ("event.source", "event.type")


def _advice(path: str, one: Comparison, other: Comparison) -> str:
    several = (one.operator, other.operator)
    if any(each in _LOWEST for each in several) and any(each in _HIGHEST for each in several):
        return "exchange the two values, or remove one of them"
    if one.operator == other.operator == "is":
        return f"if either will do, write {path}: [{one.expected}, {other.expected}]"
    return _REMOVE
