"""`showbridge event ID`: the whole story of one event."""

from __future__ import annotations

import os
import re

import click

from bridge.cli import json_lines
from bridge.cli.existing import existing_ledger
from bridge.cli.handled import Versions
from bridge.cli.screen import clean, counted, screen
from bridge.cli.story import print_story
from bridge.cli.story_object import story_object
from bridge.config import load
from bridge.errors import OperatorError
from bridge.ledger.database import Database
from bridge.ledger.stories import Part, Story, story, webhook_number

LISTED = 50
"""So many events and deliveries of one webhook are told, unless all are asked for."""

EVENT = re.compile(r"\d{1,18}(-([1-9]\d{0,5}))?", re.ASCII)


@click.command("event")
@click.argument("event_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON object.")
@click.option("--calls", is_flag=True, help="The requests too, each attempt, headers and key.")
@click.option("--body", is_flag=True, help="The received body too, barcodes masked.")
@click.option(
    "--all", "everything", is_flag=True, help=f"All deliveries, not the first {LISTED} alone."
)
def command(event_id: str, as_json: bool, calls: bool, body: bool, everything: bool) -> None:
    """Tell the whole story of one event: ID is as `showbridge events` shows it."""
    number, position = parse(event_id)
    config = load(os.environ)
    with existing_ledger(config) as database:
        told = find(database, number, position, None if everything else LISTED)
        with database.read() as connection:
            known = Versions(config, connection)
            versions = known.readable({each.rules_version for each in told.events})
    if as_json:
        json_lines.say(story_object(told, config, body=body, versions=versions))
    else:
        print_story(screen(), told, config, body=body, calls=calls, versions=versions)


def parse(event_id: str) -> tuple[int, int | None]:
    """The webhook's number and the position, where one is named; raises OperatorError."""
    found = EVENT.fullmatch(event_id)
    number = webhook_number(event_id) if found else None
    if found is None or number is None:
        raise OperatorError(
            f"`{clean(event_id, 40)}` is no event's id, which looks like 1042 or 1042-2; "
            "`showbridge events` lists them"
        )
    return number, int(found[2]) if found[2] else None


def find(
    database: Database,
    number: int,
    position: int | None = None,
    limit: int | None = None,
    *,
    with_contents: bool = True,
) -> Story:
    """The story with the one event that was asked for, else with all, up to `limit`.

    The arguments are those of `Part`.

    Raises OperatorError where there is no such webhook or event.
    """
    with database.read() as connection:
        found = story(connection, number, Part(position, limit, with_contents))
    if found is None:
        raise OperatorError(f"there is no event {number}; `showbridge events` lists the newest")
    if position is not None and not found.events:
        has = counted(found.events_in_all, "event")
        raise OperatorError(f"there is no event {number}-{position}: {number} has {has}")
    return found
