"""`showbridge status`: how much waits, how much ended how, and what needs a person."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import click
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.accounts import Account, accounts_now, standings_by_name
from bridge.cli.accounts import as_object as account_object
from bridge.cli.book_lines import book_differences, book_object, book_text
from bridge.cli.event_lines import counted_states
from bridge.cli.existing import existing_ledger
from bridge.cli.screen import clean, clean_lines, clock_time, counted, indented, screen, stated
from bridge.config import Config, load, world
from bridge.errors import ConfigurationError
from bridge.ledger.alerts import Alert, clear_seen, open_alerts
from bridge.ledger.books import Books, books
from bridge.ledger.database import Database
from bridge.ledger.rule_versions import last_version
from bridge.rules import compile_rules


@dataclass(frozen=True)
class Rules:
    """The version that routed last, None where none was live yet; and what is wrong in the file."""

    live: str | None
    count: int
    mistakes: Sequence[str]


@dataclass(frozen=True)
class Status:
    books: Books
    alerts: Sequence[Alert]
    rules: Rules
    resting: Sequence[Account]


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--seen", is_flag=True, help="Show the alerts one last time, unless they come again.")
def command(as_json: bool, seen: bool) -> None:
    """Count what waits and what ended how; show every open alert in full."""
    config = load(os.environ)
    now = time.time()
    with existing_ledger(config) as database:
        status = status_of(config, database, now)
        if seen:
            with database.write() as connection:
                clear_seen(connection, status.alerts)
    if as_json:
        json_lines.say(_object(status))
    else:
        _print(screen(), status, now)


def status_of(config: Config, database: Database, now: float) -> Status:
    with database.snapshot() as connection:
        balance, alerts = books(connection), open_alerts(connection)
        live = last_version(connection)
    accounts = accounts_now(config, standings_by_name(database), now)
    return Status(
        books=balance,
        alerts=alerts,
        rules=_rules(config, live),
        resting=[account for account in accounts if account.state != "ready"],
    )


def _rules(config: Config, live: str | None) -> Rules:
    file = config.rules_file
    mistakes: list[str] = []
    try:
        compile_rules(file.read_text("utf-8"), str(file), world(config))
    except ConfigurationError as error:
        mistakes = [str(mistake) for mistake in error.mistakes]
    except (OSError, UnicodeDecodeError) as error:
        mistakes = [f"{file} cannot be read: {error}"]
    if live is None:
        return Rules(None, 0, mistakes)
    try:
        running = compile_rules(live, str(file), world(config))
    except ConfigurationError:
        return Rules(None, 0, mistakes)
    return Rules(running.version, len(running.rules), mistakes)


def _object(status: Status) -> dict[str, object]:
    return {
        "webhooks": dict(status.books.webhooks.states),
        "deliveries": dict(status.books.deliveries.states),
        "books": book_object(status.books),
        "balanced": status.books.are_balanced,
        "rules": {"live": status.rules.live, "mistakes": list(status.rules.mistakes)},
        "accounts": [account_object(account) for account in status.resting],
        "alerts": [
            {
                "kind": alert.kind,
                "subject": alert.subject,
                "text": alert.text,
                "first_at": json_lines.iso(alert.first_at),
                "last_at": json_lines.iso(alert.last_at),
                "count": alert.count,
            }
            for alert in status.alerts
        ],
    }


def _print(console: Console, status: Status, now: float) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("webhooks", _counts(status.books.webhooks.states))
    table.add_row("deliveries", _counts(status.books.deliveries.states))
    table.add_row("books", book_text(status.books))
    table.add_row("rules", _rules_line(status.rules))
    for account in status.resting:
        table.add_row("account", _resting(account))
    console.print(table)
    for difference in book_differences(status.books):
        console.print(f"\n{difference}", style="red")
    console.print()
    if not status.alerts:
        console.print(_calm(status.books))
        return
    console.print(Text(counted(len(status.alerts), "open alert"), style="bold"))
    for line in _alert_lines(status.alerts, now):
        console.print(line)
    console.print("\n`showbridge status --seen` closes what you have dealt with.", style="dim")


def _calm(balance: Books) -> Text:
    if balance.are_balanced:
        return Text("No open alerts: nothing needs a person.", style="green")
    return Text("No open alerts, but the books need a person.", style="red")


def _counts(counts: Mapping[str, int]) -> Text:
    return counted_states(counts) if counts else Text("none yet", style="dim")


def _rules_line(rules: Rules) -> Text:
    live = (
        f"version {rules.live}, {counted(rules.count, 'rule')}" if rules.live else "none live yet"
    )
    line = Text(live)
    if rules.mistakes:
        wrong = counted(len(rules.mistakes), "mistake")
        line.append(f"; the file has {wrong} and is not taken over: `showbridge check`", "red")
    return line


def _resting(account: Account) -> Text:
    return Text.assemble(
        f"{clean(account.name)} ", stated(account.state), f": {clean(account.reason or '')}"
    )


def _alert_lines(alerts: Sequence[Alert], now: float) -> Iterator[RenderableType]:
    for alert in alerts:
        yield Text("")
        times = clock_time(alert.last_at, now)
        if alert.count > 1:
            times = f"{alert.count:,} times, {clock_time(alert.first_at, now)} to {times}"
        yield Text.assemble((clean(alert.kind), "red"), f"  {times}")
        yield indented(Text(clean_lines(alert.text)), 2)
