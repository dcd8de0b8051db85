"""Which rules an event matches, and why the others do not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from bridge.event import Event
from bridge.rules.conditions import glob, holds
from bridge.rules.records import Rule, RuleSet, Verdict
from bridge.rules.seen import Seen
from bridge.rules.sentences import why_not
from bridge.rules.values import view

MOST_MEMBERS = 1_000
"""Entries of a list that a rule with `for_each` goes through."""

_SHARES = 2**32


def judge(rules: RuleSet, event: Event, seen: Seen | None = None) -> tuple[Verdict, ...]:
    """One verdict for each rule about this source and type, in order; never raises.

    `seen` is what is seen of the event, where the caller has it already.
    """
    asked = about(rules, event.source, event.type)
    if not asked:
        return ()
    seen = seen or Seen(view(event))
    return tuple(_verdicts(asked, event, seen))


# Keyed by identity of the rules in use and the few source and type names that come.
@lru_cache(maxsize=512)
def about(rules: RuleSet, source: str, event_type: str) -> tuple[Rule, ...]:
    """The rules that source and type alone do not rule out, in order."""
    return tuple(rule for rule in rules.rules if elsewhere(rule, source, event_type) is None)


def elsewhere(rule: Rule, source: str, event_type: str) -> str | None:
    """Why such an event is none of the rule's; None: it is."""
    if rule.sources and not any(glob(source, pattern) for pattern in rule.sources):
        return f"the event is from {source}, not {_or(rule.sources)}"
    if rule.events and not any(glob(event_type, pattern) for pattern in rule.events):
        return f"the event is {event_type}, not {_or(rule.events)}"
    return None


def _or(names: tuple[str, ...]) -> str:
    return " or ".join(names)


def _verdicts(asked: Sequence[Rule], event: Event, seen: Seen) -> Iterator[Verdict]:
    stopped_by = ""
    for rule in asked:
        if stopped_by:
            yield Verdict(rule.name, False, f"not asked: “{stopped_by}” matched and stops")
            continue
        verdict = ask(rule, event, seen)
        if verdict.matched and rule.stop:
            stopped_by = rule.name
        yield verdict


def ask(rule: Rule, event: Event, seen: Seen) -> Verdict:
    """One rule, whatever the others say; its source and type fit."""
    kept_out = kept_from(rule, event, seen)
    if kept_out:
        return Verdict(rule.name, False, ", and ".join([*kept_out, *_failed(rule, seen)]))
    if rule.for_each is not None:
        return _for_each(rule, seen)
    for condition in rule.conditions:
        if not holds(condition, seen):
            return Verdict(rule.name, False, ", and ".join(_failed(rule, seen)))
    return Verdict(rule.name, True)


def kept_from(rule: Rule, event: Event, seen: Seen) -> list[str]:
    """What keeps the event from the rule beside its conditions."""
    found = []
    if not rule.enabled:
        found.append("it is switched off (`enabled: false`)")
    if rule.between is not None:
        times = seen.find("event.time")
        start, end = rule.between.start, rule.between.end
        if any((start and when < start) or (end and when >= end) for when in times):
            found.append(f"it holds {rule.between.said} only")
    if rule.sample is not None and not _is_sampled(rule.name, rule.sample, event):
        found.append(f"it is for a sample of {rule.sample:g}%, which this is not in")
    return found


def _failed(rule: Rule, seen: Seen) -> list[str]:
    if rule.for_each is not None:
        verdict = _for_each(rule, seen)
        return [] if verdict.matched else [verdict.why_not]
    return [why_not(each, seen) for each in rule.conditions if not holds(each, seen)]


def members(rule: Rule, seen: Seen) -> list[Any]:
    """Those that the rule goes through; one, of no importance, where it goes through none."""
    if rule.for_each is None:
        return [None]
    return seen.find(rule.for_each.path)[:MOST_MEMBERS]


def _for_each(rule: Rule, seen: Seen) -> Verdict:
    assert rule.for_each is not None  # noqa: S101  # the caller looked
    name = rule.for_each.name
    each = [seen.with_member(name, member) for member in members(rule, seen)]
    if not each:
        return Verdict(rule.name, False, f"there are no {rule.for_each.path}")
    fitting = tuple(
        number
        for number, one in enumerate(each, start=1)
        if all(holds(condition, one) for condition in rule.conditions)
    )
    if fitting:
        return Verdict(rule.name, True, members=fitting)
    number, nearest = min(enumerate(each, start=1), key=lambda pair: _misses(rule, pair[1]))
    reasons = [why_not(one, nearest) for one in rule.conditions if not holds(one, nearest)]
    which = f"{name} {number}, the nearest of {len(each)}: " if len(each) > 1 else ""
    return Verdict(rule.name, False, which + ", and ".join(reasons))


def _misses(rule: Rule, seen: Seen) -> int:
    return sum(not holds(condition, seen) for condition in rule.conditions)


def _is_sampled(rule: str, percent: float, event: Event) -> bool:
    """Always the same for the same person, else for the same event."""
    of = event.order_key or event.id
    digest = hashlib.sha256(f"{rule}\x00{of}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < percent / 100 * _SHARES
