"""Why something is not done: which rules would do it, and what keeps the event from them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.engine.rehearse import RehearsedEvent
from bridge.rules import Examination, Rule

_MOST_RULES = 3


@dataclass(frozen=True)
class Why:
    """One rule that would do it, of a `file`, and the `reasons` for which it does not.

    Both are empty where no rule would.
    """

    rule: str
    file: str
    reasons: tuple[str, ...]


def why_missing(step: str, only: str, events: Sequence[RehearsedEvent]) -> tuple[Why, ...]:
    """The nearest rules first; `step` is `account.action`, `only` the one rule to look at."""
    asked = [
        (event, examined)
        for event in events
        for examined in event.examinations
        if only in ("", examined.rule.name) and _does(examined.rule, step)
    ]
    if not asked:
        nobody = f"“{only}” has no such step" if only else "no rule has such a step"
        return (Why("", "", (nobody,)),)
    about = [each for each in asked if each[1].elsewhere is None] or asked
    about.sort(key=lambda each: len(each[1].failed))
    return tuple(
        Why(examined.rule.name, examined.rule.file, tuple(_reasons(step, event, examined)))
        for event, examined in about[:_MOST_RULES]
    )


def _does(rule: Rule, step: str) -> bool:
    return any(f"{one.account}.{one.action}" == step for one in rule.steps)


def _reasons(step: str, event: RehearsedEvent, examined: Examination) -> Iterator[str]:
    if examined.elsewhere is not None:
        yield examined.elsewhere
        return
    yield from examined.kept_from
    for each in examined.failed:
        yield f"{each.why_not} (line {each.line})" if each.line else each.why_not
    if examined.matched:
        yield from _although_matched(step, event, examined.rule.name)


def _although_matched(step: str, event: RehearsedEvent, rule: str) -> Iterator[str]:
    """It is stopped by another rule, or its delivery is not sent, or another entry has it."""
    yield from (each.why_not for each in event.verdicts if each.rule == rule and not each.matched)
    for each in event.deliveries:
        planned = each.planned
        if planned.rule == rule and f"{planned.account}.{planned.action}" == step:
            kept = "it is done, and another entry of `expect` is about that"
            yield kept if each.is_sent else f"it is {planned.state}: {planned.reason}"
