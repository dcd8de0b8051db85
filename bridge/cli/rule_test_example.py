"""A test to begin with: what the first rule does with a sample, ready to be pasted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.cli.reference_pages import as_yaml
from bridge.config import Config
from bridge.engine.rehearse import Rehearsal, Stage
from bridge.engine.rule_tests import rehearsed, sampled
from bridge.rules import Rule, RuleSet
from bridge.rules.expected import Given
from bridge.rules.given_reader import samples_of
from bridge.rules.schema import LONGEST_NAME

_MOST_FIELDS = 2
_LONGEST = 60


def example(config: Config, rules: RuleSet) -> str | None:
    """The YAML of a test that holds; None where there is no rule, or no sample."""
    stage = Stage.of(config, rules)
    for rule in rules.rules:
        for given, rehearsal in _rehearsals(stage):
            if any(each.rule == rule.name and each.matched for each in _verdicts(rehearsal)):
                return as_yaml({"tests": [_test(stage, rule, given, rehearsal)]})
    for given, rehearsal in _rehearsals(stage):
        for rule in rules.rules[:1]:
            return as_yaml({"tests": [_test(stage, rule, given, rehearsal)]})
    return None


def _rehearsals(stage: Stage) -> Iterator[tuple[Given, Rehearsal]]:
    for name, source in stage.router.sources.items():
        for sample in samples_of(type(source)):
            given = Given(name, sample.name)
            yield given, rehearsed(stage, given, sampled(name, source, given))


def _verdicts(rehearsal: Rehearsal) -> Iterator[Any]:
    for event in rehearsal.events:
        yield from event.verdicts


def _test(stage: Stage, rule: Rule, given: Given, rehearsal: Rehearsal) -> dict[str, Any]:
    """Of this rule alone, so that it holds whatever the others do."""
    told = {"sample": given.sample}
    if _is_of_several(stage, given):
        told["source"] = given.source
    expect = [
        _entry(rule, each.planned.step, each.planned.account, each.planned.action)
        for event in rehearsal.events
        for each in event.deliveries
        if each.planned.rule == rule.name and each.is_sent
    ]
    room = LONGEST_NAME - len(f" given {given.sample}")
    name = f"{rule.name[:room]} given {given.sample}"
    return {"name": name, "given": told, "only": rule.name, "expect": expect or "nothing"}


def _is_of_several(stage: Stage, given: Given) -> bool:
    named = [
        sample
        for source in stage.router.sources.values()
        for sample in samples_of(type(source))
        if sample.name == given.sample
    ]
    return len(named) > 1


def _entry(rule: Rule, number: int, account: str, action: str) -> Any:
    """With what the rule says word for word."""
    step = next(each for each in rule.steps if each.number == number)
    fields = dict(list(_plain(step.filling).items())[:_MOST_FIELDS])
    return {f"{account}.{action}": fields} if fields else f"{account}.{action}"


def _plain(filling: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in filling.items()
        if isinstance(value, str | int | float) and len(str(value)) <= _LONGEST
    }
