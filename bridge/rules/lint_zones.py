"""Rules in which a time zone decides that nobody gave, or in which there are two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.findings import Findings
from bridge.rules.conditions import Test, tests
from bridge.rules.named import Named
from bridge.rules.sentences import zone_of
from bridge.rules.written import Written

_ADD = "add a line such as `time_zone: America/Edmonton` at the top of the file"


def warn_of_zones(
    files: Sequence[tuple[Findings, Mapping[str, Any]]], rules: Sequence[Written], named: Named
) -> None:
    """`rules` are those that are switched on."""
    if not named.names_zone:
        _warn_of_days(rules)
        _warn_of_several(rules, named)
    for findings, value in files:
        if isinstance(value.get("time_zone"), str):
            _warn_of_accounts(findings, rules, named)
    for written in rules:
        _warn_of_steps(written, named)


def _warn_of_days(rules: Sequence[Written]) -> None:
    """Once, at the first day that something is compared with."""
    for written in rules:
        for test in tests(written.rule.conditions):
            if _asks_for_a_day(test):
                what = "this day begins and ends in UTC, since no `time_zone` is given"
                written.warn_at(test.line, test.column, what, _ADD)
                return


def _warn_of_several(rules: Sequence[Written], named: Named) -> None:
    """What each of them sends is in its own zone then, and days are days of UTC."""
    for written in rules:
        for number, step in enumerate(written.rule.steps):
            if step.account in named.zones:
                zones = " and ".join(sorted(set(named.zones.values())))
                what = (
                    f"accounts have the time zones {zones}, and these rules give none: what an "
                    "account sends is in its own, and days are days of UTC"
                )
                path = ("do", number, f"{step.account}.{step.action}")
                written.warn(path, what, _ADD)
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
    for number, step in enumerate(written.rule.steps):
        zone = step.filling.get("time_zone")
        if named.names_zone and isinstance(zone, str) and zone != named.time_zone:
            what = f"this is at a time in {zone}, and days in these rules are in {named.time_zone}"
            path = ("do", number, f"{step.account}.{step.action}", "time_zone")
            written.warn(path, what, "take this line out, unless two zones are meant")
