"""`showbridge verify`: whether everything in the ledger is as it must be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress as Bar
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.book_lines import book_differences, book_object, book_text
from bridge.cli.existing import existing_ledger
from bridge.cli.screen import clean, counted, indented, screen
from bridge.config import load
from bridge.ledger.verify import Finding, Progress, Verdict, verify

# Of the machines that share a PostgreSQL: less than what one person's deliveries are apart.
CLOCKS_DIFFER = 1.0


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check the whole ledger: nothing lost, doubled or out of order; status 1 if something is.

    It reads everything, which takes minutes for a million events, and
    may be done while the bridge runs.
    """
    config = load(os.environ)
    with existing_ledger(config) as database, database.snapshot() as connection:
        differ = 0.0 if database.is_sqlite else CLOCKS_DIFFER
        with _progress() as progress:
            verdict = verify(connection, progress, differ)
    if as_json:
        json_lines.say(_object(verdict))
    else:
        _print(screen(), verdict)
    context.exit(0 if verdict.is_right else 1)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("checking", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _object(verdict: Verdict) -> dict[str, object]:
    return {
        "right": verdict.is_right,
        "checked": dict(verdict.checked),
        "findings": [
            {
                "what": finding.what,
                "means": finding.means,
                "count": finding.count,
                "example": {"event": finding.webhook, "delivery": finding.delivery},
            }
            for finding in verdict.findings
        ],
        "books": book_object(verdict.books),
        "balanced": verdict.books.are_balanced,
    }


def _print(console: Console, verdict: Verdict) -> None:
    nouns = {"webhooks": "webhook", "events": "event", "deliveries": "delivery"}
    told = [counted(verdict.checked[name], noun) for name, noun in nouns.items()]
    console.print(f"Checked {', '.join(told)}.", style="dim")
    console.print(Text("The books are ").append_text(book_text(verdict.books)))
    for difference in book_differences(verdict.books):
        console.print(f"\n{difference}", style="red")
    for finding in verdict.findings:
        console.print(Text(f"\n{finding.count:,} {finding.what}", style="bold red"))
        console.print(indented(Text(finding.means), 2))
        console.print(indented(Text(_example(finding), style="dim"), 2))
    if verdict.is_right:
        console.print("\nNothing is lost, doubled or out of order.", style="green")


def _example(finding: Finding) -> str:
    delivery = f"delivery {clean(finding.delivery)}" if finding.delivery else ""
    if finding.webhook is None:
        return f"For example {delivery}."
    event = f"`showbridge event {finding.webhook}`"
    return f"For example {delivery}: {event}." if delivery else f"For example {event}."
