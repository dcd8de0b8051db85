"""`showbridge rules history`: what was live, since when, by whom, and what it changed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.existing import existing_ledger
from bridge.cli.rule_changes import MOST_NAMED, Changes, changes, rule_names
from bridge.cli.screen import clean, clock_time, counted, screen
from bridge.config import load
from bridge.ledger import rule_versions
from bridge.ledger.database import Connection
from bridge.ledger.rule_versions import Published

Entry = tuple[Published, Changes | None, int]
"""One publication, what it changed (None: it is the first) and its number of rules."""


@click.command("history")
@click.option(
    "-n", "--limit", default=20, type=click.IntRange(1), help="How many; 20 if not given."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
def command(limit: int, as_json: bool) -> None:
    """List what was live, the newest first, and what each changed."""
    config = load(os.environ)
    with existing_ledger(config) as database, database.snapshot() as connection:
        listed = rule_versions.history(connection, limit + 1)
        entries = list(_entries(connection, listed, limit))
    if as_json:
        for number, entry in enumerate(entries):
            json_lines.say(_object(entry, is_live=number == 0))
    else:
        _print(screen(), entries, more=len(listed) > limit)


def _entries(connection: Connection, listed: Sequence[Published], limit: int) -> list[Entry]:
    texts: dict[str, Mapping[str, str]] = {}
    for each in listed:
        if each.version not in texts:
            texts[each.version] = rule_versions.files_of(connection, each.version) or {}
    entries: list[Entry] = []
    for number, each in enumerate(listed[:limit]):
        now = texts[each.version]
        found = None
        if number + 1 < len(listed):
            found = changes(texts[listed[number + 1].version], now)
        entries.append((each, found, len(rule_names(now))))
    return entries


def _object(entry: Entry, *, is_live: bool) -> dict[str, object]:
    published, found, count = entry
    return {
        "number": published.number,
        "version": published.version,
        "live": is_live,
        "at": json_lines.iso(published.published_at),
        "how": published.how,
        "author": published.author,
        "rules": count,
        **{word: list(names) for word, names in (found or Changes()).groups.items()},
    }


def _print(console: Console, entries: Sequence[Entry], *, more: bool) -> None:
    if not entries:
        console.print("No rules were live yet.")
        return
    now = time.time()
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for number, (published, found, count) in enumerate(entries):
        live = Text("  live", "green") if number == 0 else Text()
        version = Text.assemble((published.version, "bold"), live)
        table.add_row(str(published.number), version, _said(published, now))
        table.add_row("", "", Text(_summary(found, count), "dim"))
    console.print(table)
    if more:
        console.print("\nOlder ones: -n with a greater number.", style="dim")
    console.print("\n`showbridge rules show VERSION` prints one of them.", style="dim")


def _said(published: Published, now: float) -> str:
    when = clock_time(published.published_at, now)
    return f"{published.how} {when} by {clean(published.author)}"


def _summary(found: Changes | None, count: int) -> str:
    if found is None:
        return f"the first: {counted(count, 'rule')}"
    parts = [
        f"{'also' if word == 'other' else word} {_named(names)}"
        for word, names in found.groups.items()
        if names
    ]
    return "; ".join(parts) or "nothing is different"


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    said = ", ".join(clean(name) for name in names[:MOST_NAMED])
    return f"{said} and {more:,} more" if more > 0 else said
