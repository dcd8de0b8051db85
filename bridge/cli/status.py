"""`showbridge status`: how much waits, how much ended how, and what needs a person."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import click
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.accounts import Account, accounts_now, standings_by_name
from bridge.cli.accounts import as_object as account_object
from bridge.cli.book_lines import book_differences, book_object, book_text
from bridge.cli.concerns import concerns
from bridge.cli.event_lines import counted_states
from bridge.cli.existing import existing_ledger
from bridge.cli.live_state import LiveState, live_state
from bridge.cli.screen import (
    clean,
    clean_lines,
    clock_time,
    counted,
    duration,
    indented,
    screen,
    stated,
)
from bridge.config import Config, load
from bridge.ledger import offices
from bridge.ledger.alerts import Alert, clear_seen, open_alerts
from bridge.ledger.books import Books, books
from bridge.ledger.database import Database
from bridge.ledger.quarantine import Load, holdings
from bridge.ledger.rule_versions import Published
from bridge.ledger.waiting import Oldest, oldest
from bridge.settings import RetentionConfig


@dataclass(frozen=True)
class Status:
    books: Books
    alerts: Sequence[Alert]
    rules: LiveState
    resting: Sequence[Account]
    quarantine: Mapping[str, Load]
    bounds: RetentionConfig
    concerns: Sequence[str]
    waiting: Sequence[Oldest]
    late: Sequence[Oldest]
    """What waits longer than it should, told here because no clock runs that would tell of it."""

    @property
    def needs_person(self) -> bool:
        return bool(self.alerts or self.late) or not self.books.are_balanced


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--seen", is_flag=True, help="Show the alerts one last time, unless they come again.")
def command(as_json: bool, seen: bool) -> None:
    """Count what waits and what ended how; show every open alert in full.

    Ends with status 1 if something needs a person.
    """
    config = load(os.environ)
    now = time.time()
    with existing_ledger(config) as database:
        status = status_of(config, database, now)
        needs_person = status.needs_person
        if seen:
            with database.write() as connection:
                clear_seen(connection, status.alerts)
                left = replace(status, alerts=open_alerts(connection))
            needs_person = left.needs_person
    if as_json:
        json_lines.say(_object(status))
    else:
        _print(screen(), status, now)
    if needs_person:
        raise click.exceptions.Exit(1)


def status_of(config: Config, database: Database, now: float) -> Status:
    with database.snapshot() as connection:
        balance, alerts = books(connection), open_alerts(connection)
        quarantine = holdings(connection)
        rules = live_state(config, connection)
        waiting = oldest(connection, now)
        clock = offices.is_held(connection, offices.CLOCK, now)
    accounts = accounts_now(config, standings_by_name(database), now)
    return Status(
        books=balance,
        alerts=alerts,
        rules=rules,
        resting=[account for account in accounts if account.state != "ready"],
        quarantine=quarantine,
        bounds=config.retention,
        concerns=concerns(config),
        waiting=waiting,
        late=[] if clock else _late(waiting, now - config.alerts.waiting_after_seconds),
    )


def _late(waiting: Sequence[Oldest], before: float) -> list[Oldest]:
    return [each for each in waiting if each.since <= before]


def _object(status: Status) -> dict[str, object]:
    return {
        "webhooks": dict(status.books.webhooks.states),
        "deliveries": dict(status.books.deliveries.states),
        "books": book_object(status.books),
        "balanced": status.books.are_balanced,
        "quarantine": {
            source: {"webhooks": load.webhooks, "bytes": load.bytes}
            for source, load in status.quarantine.items()
        },
        "rules": _rules_object(status.rules),
        "accounts": [account_object(account) for account in status.resting],
        "security": list(status.concerns),
        "waiting": [
            {"account": each.account or None, "since": json_lines.iso(each.since)}
            for each in status.waiting
        ],
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
    for name, said in _rows(status, now):
        table.add_row(name, said)
    console.print(table)
    for difference in book_differences(status.books):
        console.print(f"\n{difference}", style="red")
    console.print()
    if status.late:
        console.print(Text(_NO_CLOCK, "red"))
    if not status.alerts:
        if not status.late:
            console.print(_calm(status.books))
        return
    console.print(Text(counted(len(status.alerts), "open alert"), style="bold"))
    for line in _alert_lines(status.alerts, now):
        console.print(line)
    console.print("\n`showbridge status --seen` closes what you have dealt with.", style="dim")


def _rows(status: Status, now: float) -> Iterator[tuple[str, Text]]:
    yield "webhooks", _counts(status.books.webhooks.states)
    yield "deliveries", _counts(status.books.deliveries.states)
    yield "books", book_text(status.books)
    held = [_held(each, load, status.bounds) for each, load in status.quarantine.items()]
    yield from _named("quarantine", held)
    yield from _named("rules", rules_lines(status.rules, now))
    yield from (("account", _resting(account)) for account in status.resting)
    waiting = [_oldest(each, now, late=each in status.late) for each in status.waiting]
    yield from _named("oldest", waiting)
    yield from (("security", Text(clean(each, 1000), "yellow")) for each in status.concerns)


def _named(name: str, lines: Iterable[Text]) -> Iterator[tuple[str, Text]]:
    """The name stands before the first of them."""
    for number, line in enumerate(lines):
        yield "" if number else name, line


_NO_CLOCK = (
    "No clock runs (`showbridge clock`, or `showbridge run`), and something waits longer than it "
    "should: nobody would tell of it, so look here, and start it."
)


def _oldest(one: Oldest, now: float, *, late: bool) -> Text:
    """What waits longest of an account, or of the webhooks; what rests or is scheduled does not."""
    what = f"a delivery by {clean(one.account)}" if one.account else "a webhook to be routed"
    age = duration(max(0.0, now - one.since))
    return Text(
        f"{what} has waited for {age}, since {clock_time(one.since, now)}", "red" if late else ""
    )


def _calm(balance: Books) -> Text:
    if balance.are_balanced:
        return Text("No open alerts: nothing needs a person.", style="green")
    return Text("No open alerts, but the books need a person.", style="red")


def _held(source: str, load: Load, bounds: RetentionConfig) -> Text:
    """With the bounds, of which the nearer one makes room when it is reached."""
    return Text(
        f"{clean(source)} {load.webhooks:,} of {bounds.quarantine_webhooks:,} webhooks, "
        f"{load.bytes / 1e6:,.1f} of {bounds.quarantine_bytes / 1e6:,.0f} MB"
    )


def _counts(counts: Mapping[str, int]) -> Text:
    return counted_states(counts) if counts else Text("none yet", style="dim")


def rules_lines(rules: LiveState, now: float) -> Iterator[Text]:
    """What is live, and what to know of the files where they hold something else."""
    if rules.live is None:
        yield Text("none live yet")
    else:
        yield _live_line(rules.live, rules.count, now)
    if rules.mistakes:
        wrong = counted(len(rules.mistakes), "mistake")
        yield Text(
            f"the files have {wrong} and are not taken over: `showbridge rules check`", "red"
        )
    elif rules.words:
        yield Text(f"version {rules.files}, in the files, {rules.words}", "yellow")


def _live_line(live: Published, count: int | None, now: float) -> Text:
    when = f"{live.how} {clock_time(live.published_at, now)} by {clean(live.author)}"
    if count is not None:
        return Text(f"version {live.version}, {counted(count, 'rule')}, {when}")
    unfit = (" does not fit bridge.yaml of now: publish rules that do", "red")
    return Text.assemble(f"version {live.version}, {when},", unfit)


def _rules_object(rules: LiveState) -> dict[str, object]:
    live = rules.live
    return {
        "live": live.version if live else None,
        "since": json_lines.iso(live.published_at if live else None),
        "how": live.how if live else None,
        "author": live.author if live else None,
        "rules": rules.count,
        "files": rules.files,
        "files_are": rules.standing,
        "mistakes": list(rules.mistakes),
    }


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
