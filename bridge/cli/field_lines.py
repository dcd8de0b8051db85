"""The fields of events, filters, lists and texts at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.cli.field_examples import FieldExample
from bridge.cli.screen import clean, indented
from bridge.rules import RuleSet
from bridge.rules.filter_reference import FILTER_REFERENCE
from bridge.rules.values import say
from bridge.rules.vocabulary import member_name
from bridge.source import Source

_LONGEST = 2000


def print_source(
    console: Console,
    source: Source,
    name: str,
    types: Sequence[str],
    fields: Sequence[FieldExample],
) -> None:
    """`types` are those that were asked for; none stands for all."""
    listed = ", ".join(types or source.event_types)
    console.print(Text.assemble((clean(name), "bold cyan"), f"  {clean(listed)}"))
    if source.types_are_open and not types:
        console.print(indented(Text("and types that are not published", style="dim"), 2))
    for group, some in groupby(fields, lambda one: one.field.path.partition(".")[0]):
        _print_group(console, group, list(some), of_all=not types)
    console.print()


def _print_group(
    console: Console, group: str, fields: Sequence[FieldExample], *, of_all: bool
) -> None:
    console.print()
    with_types = _types_of_all(fields) if of_all else ""
    if [one.field.path for one in fields] != [group]:
        about = ", ".join(_about_group(group, fields, with_types))
        console.print(indented(Text.assemble((clean(group), "bold"), f"  {about}".rstrip()), 2))
    console.print(indented(_table(fields, of_all and not with_types), 2))


def _types_of_all(fields: Sequence[FieldExample]) -> str:
    """With which events all of them come, where they come with the same but not with all."""
    several = {one.field.events for one in fields}
    return ", ".join(next(iter(several))) if len(several) == 1 and ("*",) not in several else ""


def _about_group(group: str, fields: Sequence[FieldExample], with_types: str) -> Iterator[str]:
    if with_types:
        yield f"with {with_types}"
    if any(one.field.path == group and one.field.kind == "list" for one in fields):
        yield f"a list; with `for_each: {group}` one of it is `{member_name(group)}`"


def _table(fields: Sequence[FieldExample], with_types: bool) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for one in fields:
        about = one.field.about
        if with_types and "*" not in one.field.events:
            about += f"; with {', '.join(one.field.events)}"
        table.add_row(one.field.path, one.kind, Text(clean(about)))
        if one.example:
            table.add_row("", "", _example(one))
    return table


def _example(one: FieldExample) -> Text:
    whence = f"  event {one.event}" if one.event else "  for example"
    return Text.assemble((clean(one.example), "green"), (whence, "dim"))


def print_filters(console: Console) -> None:
    console.print(Text("Filters, for texts in {{ }}", style="bold cyan"))
    console.print()
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in FILTER_REFERENCE:
        table.add_row(one.name, Text(clean(one.about)))
        shown = Text.assemble((one.example, "dim"), " → ", (one.gives, "green"))
        table.add_row("", shown)
    console.print(indented(table, 2))


def print_named(console: Console, rules: RuleSet | None) -> None:
    """Lists and texts of the rules; None where they have mistakes."""
    console.print()
    if rules is None:
        text = "Lists and texts: the rules have mistakes; `showbridge rules check` says which."
        console.print(text, style="yellow")
        return
    lists = {name: ", ".join(say(one) for one in some) for name, some in rules.lists.items()}
    texts = {name: " ".join(text.split()) for name, text in rules.texts.items()}
    _print_pairs(console, "Lists, for one_of", lists)
    _print_pairs(console, "Texts, as {{ texts.NAME }}", texts)


def _print_pairs(console: Console, title: str, pairs: Mapping[str, str]) -> None:
    if not pairs:
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, said in pairs.items():
        table.add_row(clean(name), Text(clean(said, _LONGEST)))
    console.print(Text(title, style="bold cyan"))
    console.print(indented(table, 2))
    console.print()
