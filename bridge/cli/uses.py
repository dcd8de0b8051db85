"""Which steps of the rules use which account, as the rules write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.connector import Use
from bridge.rules import RuleSet
from bridge.rules.templates import Filling, Text


def uses_of(rules: RuleSet, account: str) -> list[Use]:
    """In the order of the rules."""
    return [
        Use(rule.name, step.action, {name: _written(one) for name, one in step.filling.items()})
        for rule in rules.rules
        for step in rule.steps
        if step.account == account
    ]


def _written(filling: Filling) -> Any:
    if isinstance(filling, Text):
        return filling.source
    if isinstance(filling, Mapping):
        return {name: _written(one) for name, one in filling.items()}
    if isinstance(filling, list | tuple):
        return [_written(one) for one in filling]
    return filling
