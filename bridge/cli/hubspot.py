"""`showbridge hubspot setup`: make at HubSpot what the rules need and what is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import click
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.reading import read_both
from bridge.cli.screen import clean, counted, indented, screen
from bridge.cli.uses import uses_of
from bridge.config import AccountConfig, Config, load
from bridge.connector import Change, Halted
from bridge.errors import OperatorError
from bridge.rules import RuleSet
from bridge.wording import meant

CONNECTOR = "hubspot"


@click.group("hubspot")
def command() -> None:
    """Prepare a HubSpot account for the rules."""


@command.command("setup")
@click.option("--account", help="Only this account of bridge.yaml.")
@click.option("--dry-run", is_flag=True, help="Only say what it would make.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
def setup(account: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Make the properties that the rules name and HubSpot does not have.

    Shows first what it will do. Nothing that is there is changed.
    """
    load(os.environ)
    reading = read_both()
    if reading.config is None or reading.rules is None or not reading.is_right:
        raise OperatorError("the files have mistakes; `showbridge check` shows them")
    if as_json and not (yes or dry_run):
        raise click.UsageError("--json goes with --yes or --dry-run: it asks nobody")
    failed = False
    for each in list(_accounts(reading.config, account)):
        failed = not _set_up(each, reading.rules, dry_run, yes, as_json) or failed
    if failed:
        raise click.exceptions.Exit(1)


def _accounts(config: Config, wanted: str | None) -> Iterator[AccountConfig]:
    known = {
        name: each for name, each in config.accounts.items() if each.connector.name == CONNECTOR
    }
    if wanted is not None and wanted not in known:
        raise OperatorError(f"there is no HubSpot account `{wanted}`; {meant(wanted, known)}")
    if not known:
        raise OperatorError("bridge.yaml has no HubSpot account")
    for name, each in known.items():
        if wanted in (None, name):
            if each.preview:
                lacks = f": set {each.lacks} first" if each.lacks else ""
                raise OperatorError(f"the account {name} is in preview{lacks}")
            yield each


def _set_up(account: AccountConfig, rules: RuleSet, dry_run: bool, yes: bool, quiet: bool) -> bool:
    """Whether all of it worked."""
    try:
        changes = account.connector(account.settings).changes(uses_of(rules, account.name))
    except Halted as refused:
        raise OperatorError(f"{account.name}: {refused}") from refused
    if not quiet:
        _announce(account.name, changes)
    if not changes:
        return True
    if not dry_run and not yes:
        click.confirm(f"Do this in the HubSpot account `{account.name}`?", abort=True)
    done = [_make(account.name, change, dry_run, quiet) for change in changes]
    return all(done)


def _announce(account: str, changes: Sequence[Change]) -> None:
    console = screen()
    if not changes:
        console.print(f"{clean(account)}: all that the rules need is there.", style="green")
        return
    console.print(f"{clean(account)}: {counted(len(changes), 'change')} to make", style="bold")
    for change in changes:
        console.print(indented(Text(clean(change.what)), 2))


def _make(account: str, change: Change, dry_run: bool, quiet: bool) -> bool:
    failure = None if dry_run else change.make()
    if quiet:
        done = not dry_run and failure is None
        told = {"account": account, "change": change.what, "done": done, "failure": failure}
        json_lines.say(told)
    elif not dry_run:
        mark = Text.assemble(("failed", "red"), f": {clean(failure)}") if failure else _DONE
        screen().print(Text.assemble(f"  {clean(change.what)}  ", mark))
    return failure is None


_DONE = Text("done", style="green")
