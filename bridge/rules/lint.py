"""What is no mistake in rules, but deserves a look. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import Mistake
from bridge.findings import Findings
from bridge.rules.lint_entries import warn_of_several_fields
from bridge.rules.lint_names import warn_of_no_country, warn_of_unused
from bridge.rules.lint_never import warn_of_never
from bridge.rules.lint_order import warn_of_doubled, warn_of_shadowed
from bridge.rules.lint_steps import warn_of_consent, warn_of_options, warn_of_sometimes
from bridge.rules.lint_zones import warn_of_zones
from bridge.rules.named import Named
from bridge.rules.records import RuleSet
from bridge.rules.written import Written


def lint(
    files: Sequence[tuple[Findings, Mapping[str, Any]]], rules: Sequence[Written], named: Named
) -> None:
    """Adds warnings to the findings of files that have no mistakes; `files` with their values.

    What is switched off is looked at for nothing but what it uses.
    """
    for written in (one for one in rules if one.rule.enabled):
        warn_of_never(written)
        warn_of_several_fields(written)
        warn_of_no_country(written)
        warn_of_consent(written)
        warn_of_options(written)
        warn_of_sometimes(written)
    warn_of_doubled(rules, warn_of_shadowed(rules))
    warn_of_unused(files, rules)
    warn_of_zones(files, [one for one in rules if one.rule.enabled], named)


def over(rules: RuleSet, now: float) -> list[Mistake]:
    """Rules whose last day is over at `now`, in Unix seconds."""
    return [
        Mistake(
            rule.file,
            rule.between.line,
            rule.between.column,
            "the last day of this rule is over, so it matches nothing new",
            "change the day, or remove the rule",
        )
        for rule in rules.rules
        if rule.enabled and rule.between and rule.between.end
        if rule.between.end.timestamp() <= now
    ]
