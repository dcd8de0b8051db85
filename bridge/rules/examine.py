"""One rule and one event, condition by condition: what was asked, what was found, what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.event import Event
from bridge.rules.conditions import Condition, Entries, Test, first, holds, names, parts, paths
from bridge.rules.explain import heading
from bridge.rules.match import elsewhere, kept_from, members
from bridge.rules.nearest import nearest
from bridge.rules.records import Rule
from bridge.rules.seen import Seen
from bridge.rules.sentences import entries_found, sentence, why_not, zone_of
from bridge.rules.values import say_found, view


@dataclass(frozen=True)
class Asked:
    """One condition: in words, whether it holds, and what was found where it looked.

    `why_not` is empty where it holds; `nearest` then says how near it came, if that can be
    told. `paths` are the fields that it looked at; `line` is where it stands, from 1;
    0: nowhere. `parts` are those of a combination, of which `heading` says how many must
    hold.
    """

    sentence: str
    holds: bool
    found: str
    why_not: str
    paths: tuple[str, ...]
    line: int
    parts: tuple[Asked, ...] = ()
    nearest: str = ""
    heading: str = ""


@dataclass(frozen=True)
class Examination:
    """What one rule makes of one event, asked whatever else keeps the event from it.

    `elsewhere`: why source or type are none of the rule's. `kept_from`: switched
    off, outside its days or its sample. `member` is the number of the entry of
    `for_each` that `asked` is about: one that fits, else the nearest miss; `fitting`
    are all that fit.
    """

    rule: Rule
    elsewhere: str | None
    kept_from: tuple[str, ...]
    asked: tuple[Asked, ...]
    member: int | None = None
    fitting: tuple[int, ...] = ()

    @property
    def matched(self) -> bool:
        if self.elsewhere or self.kept_from:
            return False
        return bool(self.fitting) if self.rule.for_each else all(one.holds for one in self.asked)

    @property
    def failed(self) -> tuple[Asked, ...]:
        """The conditions that keep the event from the rule: were all of them so, it would match."""
        return tuple(one for one in self.asked if not one.holds)


def examine(rule: Rule, event: Event, seen: Seen | None = None) -> Examination:
    """Never raises."""
    seen = seen or Seen(view(event))
    away = elsewhere(rule, event.source, event.type)
    kept = tuple(kept_from(rule, event, seen))
    if rule.for_each is None:
        return Examination(rule, away, kept, _all(rule, seen, {}))
    name = rule.for_each.name
    # What is not about the entry is asked once, not once for each.
    whole = {
        number: _asked(condition, seen)
        for number, condition in enumerate(rule.conditions)
        if name not in names(condition)
    }
    each = [_all(rule, seen.with_member(name, one), whole) for one in members(rule, seen)]
    if not each:
        nothing = f"there are no {rule.for_each.path}"
        words = f"{rule.for_each.path} has entries"
        missing = Asked(words, False, "", nothing, (rule.for_each.path,), rule.line)
        return Examination(rule, away, kept, (missing,))
    fitting = tuple(at for at, one in enumerate(each, start=1) if all(x.holds for x in one))
    member = fitting[0] if fitting else _nearest(each)
    return Examination(rule, away, kept, each[member - 1], member, fitting)


def _nearest(each: list[tuple[Asked, ...]]) -> int:
    """The number of the first with the fewest failures."""
    return min(range(len(each)), key=lambda at: sum(not one.holds for one in each[at])) + 1


def _all(rule: Rule, seen: Seen, known: Mapping[int, Asked]) -> tuple[Asked, ...]:
    return tuple(
        known.get(number) or _asked(condition, seen)
        for number, condition in enumerate(rule.conditions)
    )


def _asked(condition: Condition, seen: Seen) -> Asked:
    is_so = holds(condition, seen)
    found = near = ""
    if isinstance(condition, Test):
        values = seen.find(condition.path)
        found = (
            say_found(condition.path, values, zone_of(condition.comparisons))
            if values
            else "nothing"
        )
    if isinstance(condition, Entries):
        found = entries_found(condition, seen)
    if isinstance(condition, Test | Entries):
        near = "" if is_so else nearest(condition, seen)
    return Asked(
        sentence=sentence(condition),
        holds=is_so,
        found=found,
        why_not="" if is_so else why_not(condition, seen),
        paths=tuple(dict.fromkeys(paths(condition))),
        line=first(condition).line,
        parts=tuple(_asked(part, seen) for part in parts(condition)),
        nearest=near,
        heading=heading(condition),
    )
