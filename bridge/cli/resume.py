"""`showbridge resume ACCOUNT`: let a resting account send again."""

from __future__ import annotations

import os

import click

from bridge.cli.accounts import standings_by_name
from bridge.cli.existing import existing_ledger
from bridge.cli.screen import clean
from bridge.config import Config, load
from bridge.errors import OperatorError
from bridge.ledger.accounts import Standing, resume
from bridge.ledger.alerts import clear_alert
from bridge.ledger.database import Database
from bridge.wording import meant


@click.command("resume")
@click.argument("account")
def command(account: str) -> None:
    """Let a resting ACCOUNT send again, for example after its rights were corrected."""
    config = load(os.environ)
    with existing_ledger(config) as database:
        standing = _standing(config, database, account)
        if standing is None:
            click.echo(f"{account} was not resting; nothing to do.")
            return
        with database.write() as connection:
            resume(connection, account)
            clear_alert(connection, kind="halted", subject=account)
    click.echo(f"{clean(account)} may send again; what waits for it goes out within seconds.")
    click.echo(f"It rested because: {clean(standing.reason)}.")


def _standing(config: Config, database: Database, account: str) -> Standing | None:
    resting = standings_by_name(database)
    known = config.accounts.keys() | resting.keys()
    if account not in known:
        raise OperatorError(f"there is no account `{clean(account, 40)}`; {meant(account, known)}")
    return resting.get(account)
