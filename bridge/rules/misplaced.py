"""Keys that stand where they do not belong, and what to write where nothing right stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.findings import Findings
from bridge.rules import values
from bridge.rules.operators_meant import COMBINERS, conditions_meant
from bridge.rules.schema import RulesText, RuleText, WhenText
from bridge.rules.slips import clock_meant, day_meant, span_meant, truth_meant
from bridge.rules.where import COMBINERS as COMBINING
from bridge.wording import flow, quoted
from bridge.yaml_text import Path

_OF_FILE = {
    "rules": "begin each rule below `rules:` with `- name: ...`",
    "tests": "begin each test below `tests:` with `- name: ...`",
}
_OF_RULE = {
    "when": "below it write `source: ...` and `event: ...` on lines of their own, without `- `",
    "do": "below it write the steps, each beginning with `- `, such as `- slack.post_message:`",
}
_EVENT = "write it like `event: invoice.purchase`"
_WHERE = "write each condition on a line of its own below it, as `field: value`, without `- `"


def advice_for_file(value: Mapping[str, Any]) -> Mapping[str, str]:
    """By the file's keys; some of them belong to a rule."""
    of_rule = set(value) & set(RuleText.model_fields)
    return {**_OF_FILE, **dict.fromkeys(of_rule, "it belongs to a rule, below its `- name: ...`")}


def advice_for_rule(entry: Mapping[str, Any]) -> Mapping[str, str]:
    """By the rule's keys; some of them belong under `when`, or to the file."""
    of_when = set(entry) & set(WhenText.model_fields)
    of_file = set(entry) & set(RulesText.model_fields)
    name = entry.get("name")
    number = (
        {"name": f'put quotes around it: "{flow(name)}"'} if isinstance(name, int | float) else {}
    )
    other = {name: _named(_OTHERWISE[name], entry[name]) for name in entry if name in _OTHERWISE}
    when = entry.get("when")
    if isinstance(when, str) and re.fullmatch(r"\w+[.-][\w.-]+", when):
        other["when"] = f"write {{event: {when}}}"
    return {
        **_OF_RULE,
        **other,
        **_spans(entry),
        **_truths(entry),
        **number,
        **dict.fromkeys(of_when, "it belongs under `when:`, indented further"),
        **dict.fromkeys(of_file, "it belongs to the file: begin it where `rules:` begins"),
    }


# What other tools call a part of a rule.
_OTHERWISE = {
    **dict.fromkeys(("wait", "delay", "wait_for", "in", "later"), "after"),
    **dict.fromkeys(("active", "enable", "is_enabled", "on"), "enabled"),
    **dict.fromkeys(("disabled", "inactive", "paused", "off", "disable"), "not enabled"),
    **dict.fromkeys(("do_not_disturb", "dnd", "quiet", "night", "not_between"), "quiet_hours"),
    **dict.fromkeys(("actions", "action", "steps", "then", "send"), "do"),
    **dict.fromkeys(("trigger", "if", "triggers"), "when"),
    **dict.fromkeys(("title", "rule", "label"), "name"),
    **dict.fromkeys(("once", "dedupe", "only_once", "limit"), "once_per"),
    **dict.fromkeys(("foreach", "each", "loop", "repeat"), "for_each"),
    **dict.fromkeys(("between", "dates", "valid", "only"), "only_between"),
    **dict.fromkeys(("cancel_if", "except", "cancel"), "unless"),
    **dict.fromkeys(("time", "send_at", "hour"), "at"),
    **dict.fromkeys(("share", "percent", "percentage", "split"), "sample"),
}


def _named(known: str, value: Any) -> str:
    """`disabled: true` is `enabled: false`."""
    if known != "not enabled":
        return f"did you mean `{known}`?"
    return f"write `enabled: {'true' if values.truth(value) is False else 'false'}`"


def _spans(entry: Mapping[str, Any]) -> Mapping[str, str]:
    """`quiet_hours: 22:00-08:00`."""
    read = {"only_between": day_meant, "quiet_hours": clock_meant}
    spans = {name: span_meant(entry.get(name), read[name]) for name in read}
    return {name: f"write {span}" for name, span in spans.items() if span}


def _truths(entry: Mapping[str, Any]) -> Mapping[str, str]:
    """`enabled: disabled`; an example of the other value would turn it round."""
    meaning = {name: truth_meant(entry.get(name)) for name in ("enabled", "stop")}
    return {name: f"write `{name}: {truth}`" for name, truth in meaning.items() if truth}


_FROM = ("start", "starts", "begin", "begins", "since", "first", "starting", "after")
_TO = ("end", "ends", "until", "till", "last", "stop", "ending", "before")


def tell_of_ends(findings: Findings, wanted: Mapping[str, Any], path: Path) -> bool:
    """Whether `from` and `to` are called otherwise, which is told."""
    other = {**dict.fromkeys(_FROM, "from"), **dict.fromkeys(_TO, "to")}
    found = [name for name in wanted if name in other and other[name] not in wanted]
    for name in found:
        what = f"{quoted(name)} is not known here"
        findings.add((*path, name), what, f"did you mean `{other[name]}`?", at_key=True)
    return bool(found)


_OF_TEST = {
    **dict.fromkeys(("rule", "rules", "only_rule"), "did you mean `only`?"),
    **dict.fromkeys(("when", "input", "if"), "did you mean `given`?"),
    **dict.fromkeys(("then", "expected", "output", "result"), "did you mean `expect`?"),
    **dict.fromkeys(("changes", "set", "values"), "did you mean `with`?"),
}


def advice_for_test(entry: Mapping[str, Any]) -> Mapping[str, str]:
    """By the test's keys; some of them belong under `given`."""
    of_given = {"sample", "with", "received", "event", "source"} & set(entry)
    return {**_OF_TEST, **dict.fromkeys(of_given, "it belongs under `given:`, indented further")}


def advice_for_when(when: Mapping[str, Any]) -> Mapping[str, str]:
    """By the keys under `when`; some of them are conditions, or belong to the rule."""
    of_rule = set(when) & set(RuleText.model_fields)
    conditions = [name for name in when if _is_condition(name)]
    return {
        "where": _where_meant(when.get("where")),
        "event": _EVENT,
        **dict.fromkeys(of_rule, "it belongs to the rule: begin it where `when:` begins"),
        **dict.fromkeys(conditions, "a condition belongs under `where:`, indented further"),
    }


def _where_meant(where: Any) -> str:
    """The conditions of a sentence such as `order.total >= 100`, if it is one."""
    meaning = conditions_meant(where)
    return f"write {meaning}" if meaning else _WHERE


def _is_condition(name: str) -> bool:
    return "." in name or name in COMBINING or name in COMBINERS
