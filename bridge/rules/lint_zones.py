"""Rules in which a time zone decides that nobody gave, or in which there are two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.findings import Findings
from bridge.rules.conditions import Test, tests
from bridge.rules.named import Named
from bridge.rules.records import Step
from bridge.rules.sentences import zone_of
from bridge.rules.timing_reader import names_zone
from bridge.rules.written import Written
from bridge.yaml_text import Path

_ADD = "add a line such as `time_zone: America/Edmonton` at the top of the file"


def warn_of_zones(
    files: Sequence[tuple[Findings, Mapping[str, Any]]], rules: Sequence[Written], named: Named
) -> None:
    """`rules` are those that are switched on."""
    if not named.names_zone:
        told = _warn_of_days(rules)
        _warn_of_clocks([each for each in rules if each is not told])
        _warn_of_several(rules, named)
    for findings, value in files:
        if isinstance(value.get("time_zone"), str):
            _warn_of_accounts(findings, rules, named)
    for written in rules:
        _warn_of_steps(written, named)


def _warn_of_days(rules: Sequence[Written]) -> Written | None:
    """Once, at the first day that something is compared with; the rule that it is in."""
    for written in rules:
        for test in tests(written.rule.conditions):
            if _asks_for_a_day(test):
                what = "this day begins and ends in UTC, since no `time_zone` is given"
                written.warn_at(test.line, test.column, what, _ADD)
                return written
    return None


def _warn_of_clocks(rules: Sequence[Written]) -> None:
    """Once in each rule that goes by a clock or a calendar, and does not say which."""
    for written in rules:
        found: list[tuple[str, Path]] = [
            (name, (name,)) for name in _OPTIONS if _is_zoneless(written.entry, name)
        ]
        found += [(_name(step), _place(step)) for step in written.rule.steps if _keeps_time(step)]
        if found:
            names = list(dict.fromkeys(f"`{name}`" for name, _ in found))
            listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
            verb = "go" if len(names) > 1 else "goes"
            what = f"{listed} {verb} by the clocks of UTC, since no `time_zone` is given"
            written.warn(found[0][1], what, _ADD)


_OPTIONS = ("only_between", "at", "quiet_hours")


def _is_zoneless(entry: Mapping[str, Any], name: str) -> bool:
    wanted = entry.get(name)
    if isinstance(wanted, str):
        return not names_zone(wanted)
    return isinstance(wanted, Mapping) and not wanted.get("time_zone")


def _keeps_time(step: Step) -> bool:
    """Whether it is done at a time of day, and nothing says of which zone."""
    asks = "time_zone" in step.declared.item.model_fields
    return asks and "at" in step.filling and "time_zone" not in step.filling


def _name(step: Step) -> str:
    return f"{step.account}.{step.action}"


def _place(step: Step) -> Path:
    return ("do", step.number - 1, _name(step))


def _warn_of_several(rules: Sequence[Written], named: Named) -> None:
    """What each of them sends is in its own zone then, and days are days of UTC."""
    for written in rules:
        for step in written.rule.steps:
            if step.account in named.zones:
                zones = " and ".join(sorted(set(named.zones.values())))
                what = (
                    f"accounts have the time zones {zones}, and these rules give none: what an "
                    "account sends is in its own, and days are days of UTC"
                )
                written.warn(_place(step), what, _ADD)
                return


def _asks_for_a_day(test: Test) -> bool:
    return zone_of(test.comparisons) is not None


def _warn_of_accounts(findings: Findings, rules: Sequence[Written], named: Named) -> None:
    used = {step.account for written in rules for step in written.rule.steps}
    for account, zone in named.zones.items():
        if account in used and zone != named.time_zone:
            what = f"the account `{account}` has the time zone {zone}, and these rules another one"
            advice = f"messages of rules use {named.time_zone}; give both the same"
            findings.warn(("time_zone",), what, advice, at_key=True)


def _warn_of_steps(written: Written, named: Named) -> None:
    """What is sent at a time of another zone than the rest of the rules."""
    for step in written.rule.steps:
        zone = step.filling.get("time_zone")
        if named.names_zone and isinstance(zone, str) and zone != named.time_zone:
            what = f"this is at a time in {zone}, and days in these rules are in {named.time_zone}"
            written.warn(
                (*_place(step), "time_zone"), what, "take this line out, unless two zones are meant"
            )
