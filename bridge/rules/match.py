"""Which rules an event matches, and why the others do not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bridge.event import Event
from bridge.rules.asking import Answers, Question, questions
from bridge.rules.conditions import glob
from bridge.rules.families import Family, families
from bridge.rules.records import ForEach, Rule, RuleSet, Verdict
from bridge.rules.seen import Seen
from bridge.rules.values import view

MOST_MEMBERS = 1_000
"""Entries of a list that a rule with `for_each` goes through."""

_SHARES = 2**32


def judge(rules: RuleSet, event: Event, seen: Seen | None = None) -> tuple[Verdict, ...]:
    """One verdict for each rule about this source and type, in order; never raises.

    `seen` is what is seen of the event, where the caller has it already.
    """
    asked, together = _asked(rules, event.source, event.type)
    if not asked:
        return ()
    answers = Answers(seen or Seen(view(event)))
    for answer in together:
        answer(answers)
    return tuple(_verdicts(asked, event, answers))


# Keyed by identity of the rules in use and the few source and type names that come.
@lru_cache(maxsize=512)
def about(rules: RuleSet, source: str, event_type: str) -> tuple[Rule, ...]:
    """The rules that source and type alone do not rule out, in order."""
    return tuple(rule for rule in rules.rules if elsewhere(rule, source, event_type) is None)


@dataclass(frozen=True)
class _Asked:
    """A rule with its conditions made ready. `is_plain`: nothing but they decides."""

    name: str
    rule: Rule
    questions: tuple[Question, ...]
    is_plain: bool
    matched: Verdict


@lru_cache(maxsize=512)
def _asked(
    rules: RuleSet, source: str, event_type: str
) -> tuple[tuple[_Asked, ...], tuple[Family, ...]]:
    ready = _ready(rules)
    asked = tuple(ready[rule.name] for rule in about(rules, source, event_type))
    return asked, families(each for one in asked for each in one.questions)


@lru_cache(maxsize=16)
def _ready(rules: RuleSet) -> Mapping[str, _Asked]:
    return {rule.name: _made_ready(rule) for rule in rules.rules}


def _made_ready(rule: Rule) -> _Asked:
    limited = rule.for_each or rule.between or rule.sample is not None or not rule.enabled
    return _Asked(rule.name, rule, questions(rule), not limited, Verdict(rule.name, True))


def elsewhere(rule: Rule, source: str, event_type: str) -> str | None:
    """Why such an event is none of the rule's; None: it is."""
    if rule.sources and not any(glob(source, pattern) for pattern in rule.sources):
        return f"the event is from {source}, not {_or(rule.sources)}"
    if rule.events and not any(glob(event_type, pattern) for pattern in rule.events):
        return f"the event is {event_type}, not {_or(rule.events)}"
    return None


def _or(names: tuple[str, ...]) -> str:
    return " or ".join(names)


def _verdicts(asked: Sequence[_Asked], event: Event, answers: Answers) -> Iterator[Verdict]:
    stopped_by = ""
    for one in asked:
        if stopped_by:
            yield Verdict(one.name, False, f"not asked: “{stopped_by}” matched and stops")
        elif one.is_plain and (why_not := answers.failures(one.questions)):
            yield Verdict(one.name, False, why_not)
        else:
            verdict = one.matched if one.is_plain else _limited(one, event, answers)
            stopped_by = one.name if verdict.matched and one.rule.stop else ""
            yield verdict


def _limited(one: _Asked, event: Event, answers: Answers) -> Verdict:
    """Also by what else keeps events from the rule."""
    rule, seen = one.rule, answers.seen
    if rule.for_each:
        verdict = _for_each(one, rule.for_each, answers)
    else:
        why_not = answers.failures(one.questions)
        verdict = Verdict(one.name, False, why_not) if why_not else one.matched
    kept_out = kept_from(rule, event, seen)
    if not kept_out:
        return verdict
    failed = [] if verdict.matched else [verdict.why_not]
    return Verdict(one.name, False, ", and ".join([*kept_out, *failed]))


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


def members(rule: Rule, seen: Seen) -> list[Any]:
    """Those that the rule goes through; one, of no importance, where it goes through none."""
    if rule.for_each is None:
        return [None]
    return seen.find(rule.for_each.path)[:MOST_MEMBERS]


def _for_each(one: _Asked, through: ForEach, whole: Answers) -> Verdict:
    name, rule, seen = through.name, one.rule, whole.seen
    each = [Answers(seen.with_member(name, member), whole, name) for member in members(rule, seen)]
    if not each:
        return Verdict(rule.name, False, f"there are no {through.path}")
    fitting = tuple(
        number
        for number, answers in enumerate(each, start=1)
        if not answers.failures(one.questions)
    )
    if fitting:
        return Verdict(rule.name, True, members=fitting)
    number, nearest = min(enumerate(each, start=1), key=lambda pair: _misses(one, pair[1]))
    which = f"{name} {number}, the nearest of {len(each)}: " if len(each) > 1 else ""
    return Verdict(rule.name, False, which + nearest.failures(one.questions))


def _misses(one: _Asked, answers: Answers) -> int:
    return sum(answers[question] != "" for question in one.questions)


def _is_sampled(rule: str, percent: float, event: Event) -> bool:
    """Always the same for the same person, else for the same event."""
    of = event.order_key or event.id
    digest = hashlib.sha256(f"{rule}\x00{of}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < percent / 100 * _SHARES
