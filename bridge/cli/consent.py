"""`showbridge consent`: who was put on a list or taken off it, and on whose word."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from typing import BinaryIO

import click
from rich.console import Console
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.existing import existing_ledger
from bridge.cli.screen import clean, counted, full_time, indented, screen, stated
from bridge.config import load
from bridge.errors import OperatorError
from bridge.ledger import consents
from bridge.ledger.consents import PORTION, Consent, after, of_person
from bridge.ledger.database import Database

EXPORT = "export"
COLUMNS = (
    *("address", "decision", "flag", "wording", "decided_at", "source", "event", "event_type"),
    *("rule", "account", "action", "outcome", "reason", "settled_at"),
)
_SAID = {True: "said yes", False: "was asked and did not say yes", None: "was not asked"}
# A spreadsheet takes what begins so for a formula:
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.command("consent")
@click.argument("who")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
@click.option(
    "--output",
    type=click.File("wb", lazy=True),
    default="-",
    help="For `export`: the file to write, instead of the terminal.",
)
@click.option("--forget", is_flag=True, help="Delete what is kept about this person.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
def command(who: str, as_json: bool, output: BinaryIO, forget: bool, yes: bool) -> None:
    """Show each decision to (un)subscribe somebody; WHO is an e-mail address.

    `showbridge consent export` writes the decisions about everybody as CSV.
    """
    with existing_ledger(load(os.environ)) as database:
        if who == EXPORT:
            _export(database, output, as_json)
        elif forget:
            _forget(database, who, yes)
        else:
            _show(database, who, as_json)


def _show(database: Database, who: str, as_json: bool) -> None:
    _require_address(who)
    with database.read() as connection:
        found = of_person(connection, who)
    if as_json:
        for each in found:
            json_lines.say(as_object(each))
        return
    console = screen()
    for each in found:
        _print(console, each)
    if found:
        console.print(f"{counted(len(found), 'decision')} about {clean(who)}.")
        hint = "`showbridge event ID` tells the whole story, while the ledger keeps it."
        console.print(hint, style="dim")
    else:
        console.print(f"Nothing was ever decided about {clean(who)}.")


def _require_address(who: str) -> None:
    if "@" not in who:
        raise click.BadParameter(f"{who!r} is no e-mail address; `{EXPORT}` writes everybody's")


def _forget(database: Database, who: str, yes: bool) -> None:
    _require_address(who)
    with database.read() as connection:
        found = of_person(connection, who)
    if found and not yes:
        proof = "they are the proof that this person agreed, where they did"
        click.confirm(f"Delete {counted(len(found), 'decision')}? {proof}.", abort=True)
    with database.write() as connection:
        count = consents.forget(connection, who, time.time())
    if count is None:
        raise OperatorError(
            f"a decision about {clean(who)} is yet to be carried out; `showbridge consent` shows "
            "it, so forget them once that is done (`showbridge replay` with the delivery's id "
            "sends at once what is scheduled)"
        )
    click.echo(f"{counted(count, 'decision')} about {clean(who)} deleted.")


def _print(console: Console, consent: Consent) -> None:
    """Three lines: what was decided and what came of it, on which word, and where from."""
    head = Text.assemble(
        (full_time(consent.decided_at), "bold"),
        f"  {consent.decision}  ",
        stated(consent.outcome),
    )
    console.print(head)
    for line in _lines(consent):
        console.print(indented(Text(clean(line)), 4))
    console.print()


def _lines(consent: Consent) -> Iterator[str]:
    yield from said(consent)
    yield (
        f"event {consent.event} ({consent.event_type} of {consent.source}), "
        f"rule “{consent.rule}”, {consent.account}.{consent.action}"
    )


def said(consent: Consent) -> Iterator[str]:
    """On whose word, and why nothing came of it."""
    wording = f", wording {consent.wording}" if consent.wording else ""
    if consent.decision != "unsubscribe":
        yield f"the person {_SAID[consent.flag]}{wording}"
    if consent.reason:
        yield consent.reason


def as_object(consent: Consent) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(consent, name) for name in COLUMNS}
    values["decided_at"] = json_lines.iso(consent.decided_at)
    values["settled_at"] = json_lines.iso(consent.settled_at)
    return values


def _export(database: Database, output: BinaryIO, as_json: bool) -> None:
    if as_json:
        for each in _all(database):
            output.write(f"{json.dumps(as_object(each))}\n".encode())
        return
    # In a BOM spreadsheets see that it is UTF-8.
    text = TextIOWrapper(output, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for each in _all(database):
        writer.writerow(cells(as_object(each)))
    text.flush()
    text.detach()


def cells(values: dict[str, object]) -> Sequence[str]:
    return [_cell(values[name]) for name in COLUMNS]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _all(database: Database) -> Iterator[Consent]:
    """A portion at a time, so that nothing is held while it is written out."""
    number = 0
    while True:
        with database.read() as connection:
            found = after(connection, number)
        yield from found
        if len(found) < PORTION:
            return
        number = found[-1].number
