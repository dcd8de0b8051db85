"""`showbridge connectors`: what there is to do, and what each action takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.reference_pages import as_yaml, page
from bridge.cli.screen import clean, indented, screen
from bridge.connector import Connector
from bridge.reference import ActionReference, FieldReference, actions_of, settings_of
from bridge.registry import installed
from bridge.wording import meant


@click.command("connectors")
@click.argument("which", metavar="[CONNECTOR or CONNECTOR.ACTION]", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
@click.option("--markdown", is_flag=True, help="The reference of one connector, for a document.")
def command(which: str | None, as_json: bool, markdown: bool) -> None:
    """List the connectors and their actions, or what one of them takes."""
    known = installed().connectors
    if markdown:
        click.echo(page(_one(which or "", known)), nl=False)
    elif as_json:
        for action in _actions(which, known):
            json_lines.say(as_object(action))
    elif which is None:
        _print_all(screen(), known)
    elif "." in which:
        _print_action(screen(), _actions(which, known)[0])
    else:
        _print_connector(screen(), _one(which, known))


def _one(name: str, known: Mapping[str, type[Connector]]) -> type[Connector]:
    if name not in known:
        raise click.BadParameter(f"there is no connector `{name}`; {meant(name, known)}")
    return known[name]


def _actions(which: str | None, known: Mapping[str, type[Connector]]) -> list[ActionReference]:
    if which is None:
        return [each for _, connector in sorted(known.items()) for each in actions_of(connector)]
    found = actions_of(_one(which.partition(".")[0], known))
    if "." not in which:
        return found
    chosen = [each for each in found if each.name == which]
    if not chosen:
        advice = meant(which, [each.name for each in found])
        raise click.BadParameter(f"there is no action `{which}`; {advice}")
    return chosen


def _print_all(console: Console, known: Mapping[str, type[Connector]]) -> None:
    for _, connector in sorted(known.items()):
        console.print(connector.title, style="bold")
        _print_names(console, actions_of(connector))
        console.print()
    console.print("`showbridge connectors hubspot.upsert_contact` says what it takes.", style="dim")


def _print_connector(console: Console, connector: type[Connector]) -> None:
    console.print(connector.title, style="bold")
    _print_names(console, actions_of(connector))
    console.print()
    console.print("An account in bridge.yaml", style="bold")
    _print_fields(console, settings_of(connector))


def _print_names(console: Console, actions: Sequence[ActionReference]) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for action in actions:
        table.add_row(Text(clean(action.name), style="cyan"), clean(action.about))
    console.print(indented(table, 2))


def _print_action(console: Console, action: ActionReference) -> None:
    console.print(Text(clean(action.name), style="bold cyan"))
    console.print(clean(action.about))
    for note in action.notes:
        console.print(clean(note), style="dim")
    console.print()
    _print_fields(console, action.fields)
    console.print()
    console.print("For example", style="bold")
    for line in as_yaml([{action.name: dict(action.example)}]).splitlines():
        # Left to the terminal to wrap: what is cut in two cannot be copied.
        console.print(Text(f"  {line}"), soft_wrap=True)


def _print_fields(console: Console, fields: Sequence[FieldReference]) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for field in fields:
        kind = ", ".join(filter(None, [field.kind, _presence(field)])).replace("`", "")
        table.add_row(Text(clean(field.path), style="cyan"), Text(kind, style="dim"))
        if field.about:
            table.add_row("", clean(field.about))
    console.print(indented(table, 2))


def _presence(field: FieldReference) -> str:
    if field.required:
        return "required"
    return f"{field.default} without it" if field.default else ""


def as_object(action: ActionReference) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(vars(action), default=vars))
    return told
