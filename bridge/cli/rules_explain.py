"""`showbridge rules explain`: what the rules do, in plain sentences."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.chosen_rules import ChosenRules, chosen_rules, is_rules
from bridge.cli.examined import place_of
from bridge.cli.screen import clean, counted, indented, screen
from bridge.config import load
from bridge.rules import Rule, explain, explanation
from bridge.rules.explain import Clause, Deed

_LONGEST = 10_000
_COMPARED = (
    "Capitals do not matter where texts are compared (but with `exactly`), and of a list one "
    "entry that fits is enough (of `is not`: none may)."
)


@click.command("explain")
@click.argument("names", nargs=-1, metavar="[RULES] [RULE]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each rule.")
def command(names: Sequence[str], as_json: bool) -> None:
    """Say in plain sentences what the rules do; RULE is the name of one of them.

    RULES is a draft, a file or a folder, `live`, or a version; left out, it is
    the files as they are saved.
    """
    if len(names) > 2:
        raise click.UsageError("give the rules and the name of one rule, at most")
    named, rule = _read(names)
    rules = chosen_rules(load(os.environ), named, as_json=as_json)
    chosen = [rules.one(rule)] if rule else list(rules.rules.rules)
    if as_json:
        for each in chosen:
            json_lines.say(_object(each))
        return
    _print(screen(), rules, chosen, whole=rule is None)


def _read(names: Sequence[str]) -> tuple[str | None, str | None]:
    """The rules, and the name of one of them; a single name may be either."""
    if len(names) == 2:
        return names[0], names[1]
    one = names[0] if names else None
    return (one, None) if one is not None and is_rules(one) else (None, one)


def _print(console: Console, rules: ChosenRules, chosen: Sequence[Rule], *, whole: bool) -> None:
    if whole:
        count = counted(len(chosen), "rule")
        console.print(Text(clean(f"{count} in {rules.named}, asked in this order")))
    for number, each in enumerate(chosen):
        console.print() if number or whole else None
        _print_rule(console, each)
    if any(each.conditions for each in chosen):
        console.print()
        console.print(_COMPARED, style="dim")


def _print_rule(console: Console, rule: Rule) -> None:
    told = explanation(rule)
    name = (clean(rule.name), "bold cyan")
    console.print(Text.assemble(name, "  ", (place_of(rule), "dim")))
    begun = told.begun
    if rule.for_each:
        begun += f", for each {rule.for_each.name} (of {rule.for_each.path})"
        begun += " that fits" if told.clauses else ""
    begun += ", and all of these hold:" if len(told.clauses) > 1 else ""
    begun += ", and this holds:" if len(told.clauses) == 1 else ""
    console.print(indented(Text(clean(begun, _LONGEST) + ("" if told.clauses else ":")), 2))
    for depth, line in _clauses(told.clauses, 0):
        console.print(indented(line, 4 + 2 * depth))
    if told.clauses:
        console.print(indented(Text("then:"), 2))
    for number, deed in enumerate(told.deeds, start=1):
        for indent, line in _deed(number, deed):
            console.print(indented(line, indent))
    for option in told.options:
        console.print(indented(Text(clean(option, _LONGEST)), 2))


def _clauses(clauses: Sequence[Clause], depth: int) -> Iterator[tuple[int, Text]]:
    for clause in clauses:
        yield depth, Text(f"- {clean(clause.words, _LONGEST)}{':' if clause.parts else ''}")
        yield from _clauses(clause.parts, depth + 1)


def _deed(number: int, deed: Deed) -> Iterator[tuple[int, Text]]:
    yield 4, Text.assemble(f"{number}. ", (clean(deed.action), "bold"))
    yield 7, Text(clean(deed.about), style="dim italic")
    for indent, name, value in _fields(deed.fields, 7):
        said = Text.assemble((f"{clean(name)}:", "dim"))
        said.append(f" {clean(value, _LONGEST)}" if value else "")
        yield indent, said


def _fields(value: Mapping[str, Any], indent: int) -> Iterator[tuple[int, str, str]]:
    """Names and values, those of groups further in."""
    for name, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield indent, name, ""
            yield from _fields(inner, indent + 2)
        elif isinstance(inner, list) and any(isinstance(one, Mapping) for one in inner):
            yield indent, name, ""
            for number, one in enumerate(inner, start=1):
                yield from _fields({str(number): one}, indent + 2)
        else:
            yield indent, name, _written(inner)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_written(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value in (None, "", {}) else " ".join(str(value).split())


def _object(rule: Rule) -> dict[str, Any]:
    told = explanation(rule)
    return {
        "rule": rule.name,
        "file": rule.file,
        "line": rule.line,
        "enabled": rule.enabled,
        "sentence": explain(rule),
        "when": told.begun,
        "for_each": rule.for_each.path if rule.for_each else None,
        "conditions": [_clause_object(each) for each in told.clauses],
        "do": [vars(each) for each in told.deeds],
        "options": list(told.options),
    }


def _clause_object(clause: Clause) -> dict[str, Any]:
    return {"words": clause.words, "parts": [_clause_object(each) for each in clause.parts]}
