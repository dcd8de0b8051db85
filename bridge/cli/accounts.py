"""`showbridge accounts`: which accounts are live, in preview, or resting, and why."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import click
from rich.table import Table
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.existing import has_tables
from bridge.cli.screen import clean, full_time, screen, stated
from bridge.config import Config, load
from bridge.ledger.accounts import Standing, standings
from bridge.ledger.database import Database


@dataclass(frozen=True)
class Account:
    """An account as it is now. `connector` is "" where bridge.yaml no longer has it.

    `until` is None where it rests until a person acts.
    """

    name: str
    connector: str
    mode: Literal["live", "preview", "not configured"]
    state: Literal["ready", "resting", "halted"] = "ready"
    reason: str | None = None
    since: float | None = None
    until: float | None = None


@click.command("accounts")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
def command(as_json: bool) -> None:
    """List the accounts: live, in preview, resting."""
    config = load(os.environ)
    accounts = accounts_now(config, _standings(config), time.time())
    if as_json:
        for account in accounts:
            json_lines.say(as_object(account))
    else:
        _print(accounts, config)


def accounts_now(config: Config, resting: Mapping[str, Standing], now: float) -> list[Account]:
    """The configured accounts in their order, then those that only the ledger knows."""
    known = [
        _account(account.name, account.connector.name, account.preview, resting, now, config)
        for account in config.accounts.values()
    ]
    gone = sorted(resting.keys() - config.accounts.keys())
    return [*known, *(_account(name, "", None, resting, now, config) for name in gone)]


def standings_by_name(database: Database) -> dict[str, Standing]:
    with database.read() as connection:
        return {standing.name: standing for standing in standings(connection, time.time())}


def as_object(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "connector": account.connector or None,
        "mode": account.mode,
        "state": account.state,
        "reason": account.reason,
        "since": json_lines.iso(account.since),
        "until": json_lines.iso(account.until),
    }


def _standings(config: Config) -> dict[str, Standing]:
    database = Database(config.database_url)
    try:
        return standings_by_name(database) if has_tables(database) else {}
    finally:
        database.close()


def _account(
    name: str,
    connector: str,
    preview: bool | None,
    resting: Mapping[str, Standing],
    now: float,
    config: Config,
) -> Account:
    modes: dict[bool | None, Literal["live", "preview", "not configured"]] = {
        True: "preview",
        False: "live",
        None: "not configured",
    }
    standing = resting.get(name)
    if standing is None or _is_over(standing, config, now):
        return Account(name, connector, modes[preview])
    state: Literal["halted", "resting"] = "halted" if standing.halted else "resting"
    until = None if standing.halted else standing.rest_until
    return Account(name, connector, modes[preview], state, standing.reason, standing.since, until)


def _is_over(standing: Standing, config: Config, now: float) -> bool:
    """A rest ends by its time, a halt by other credentials."""
    if not standing.halted:
        return standing.rest_until <= now
    account = config.accounts.get(standing.name)
    return account is not None and account.fingerprint != standing.fingerprint


def _print(accounts: list[Account], config: Config) -> None:
    console = screen()
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("account", "connector", "mode", "state"):
        table.add_column(name, overflow="fold")
    for account in accounts:
        table.add_row(
            Text(clean(account.name), style="bold"),
            Text(clean(account.connector)),
            stated(account.mode),
            _state(account),
        )
    console.print(table)
    if any(account.mode == "preview" for account in accounts):
        console.print()
        console.print(
            "In preview calls are recorded and nothing leaves; `showbridge check` says which "
            "variable makes an account live.",
            style="dim",
        )


def _state(account: Account) -> Text:
    if account.state == "ready":
        return stated("ready")
    if account.until is not None:
        return stated("resting", f"resting until {full_time(account.until)}: {account.reason}")
    since = full_time(account.since or 0)
    text = stated("halted", f"halted since {since}: {account.reason}")
    return text.append(f"; then `showbridge resume {clean(account.name)}`")
