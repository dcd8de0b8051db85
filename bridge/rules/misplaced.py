"""Keys that stand where they do not belong, and what to write where nothing right stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.rules.operators_meant import COMBINERS, conditions_meant
from bridge.rules.schema import RulesText, RuleText, WhenText
from bridge.rules.where import COMBINERS as COMBINING
from bridge.wording import flow

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
    return {
        **_OF_RULE,
        **number,
        **dict.fromkeys(of_when, "it belongs under `when:`, indented further"),
        **dict.fromkeys(of_file, "it belongs to the file: begin it where `rules:` begins"),
    }


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
