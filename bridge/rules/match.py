"""Which rules an event matches, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from bridge.event import Event
from bridge.rules.conditions import glob, holds, why_not
from bridge.rules.records import Rule, RuleSet, Verdict
from bridge.rules.values import view


def judge(rules: RuleSet, event: Event) -> tuple[Verdict, ...]:
    """One verdict for each rule, in the order of the file; never raises."""
    seen = view(event)
    return tuple(
        settled or _asked(rule, seen) for rule, settled in _settled(rules, event.source, event.type)
    )


# Keyed by identity of the rules in use and the few source and type names that come.
@lru_cache(maxsize=256)
def _settled(
    rules: RuleSet, source: str, event_type: str
) -> tuple[tuple[Rule, Verdict | None], ...]:
    return tuple((rule, _elsewhere(rule, source, event_type)) for rule in rules.rules)


def _elsewhere(rule: Rule, source: str, event_type: str) -> Verdict | None:
    """The verdict where source and type alone decide it."""
    if rule.sources and not any(glob(source, pattern) for pattern in rule.sources):
        return Verdict(rule.name, False, f"the event is from {source}, not {_or(rule.sources)}")
    if rule.events and not any(glob(event_type, pattern) for pattern in rule.events):
        return Verdict(rule.name, False, f"the event is {event_type}, not {_or(rule.events)}")
    return None if rule.conditions else Verdict(rule.name, True)


def _or(names: tuple[str, ...]) -> str:
    return " or ".join(names)


def _asked(rule: Rule, seen: Mapping[str, Any]) -> Verdict:
    for condition in rule.conditions:
        if not holds(condition, seen):
            return Verdict(rule.name, False, why_not(condition, seen))
    return Verdict(rule.name, True)
