"""`showbridge event ID`: the whole story of one event."""

from __future__ import annotations

import os
import re
from dataclasses import replace

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
from bridge.ledger.stories import Story, story, webhook_number

EVENT = re.compile(r"\d{1,18}(-([1-9]\d{0,5}))?", re.ASCII)


@click.command("event")
@click.argument("event_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
@click.option("--body", is_flag=True, help="The received body too, barcodes masked.")
def command(event_id: str, as_json: bool, body: bool) -> None:
    """Tell the whole story of one event: ID is as `showbridge events` shows it."""
    number, position = parse(event_id)
    config = load(os.environ)
    with existing_ledger(config) as database:
        told = only(find(database, number), position)
        with database.read() as connection:
            known = Versions(config, connection)
            versions = known.readable({each.rules_version for each in told.events})
    if as_json:
        json_lines.say(story_object(told, config, body=body, versions=versions))
    else:
        print_story(screen(), told, config, body=body, versions=versions)


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


def find(database: Database, number: int) -> Story:
    """Raises OperatorError where there is no such webhook."""
    with database.read() as connection:
        found = story(connection, number)
    if found is None:
        raise OperatorError(f"there is no event {number}; `showbridge events` lists the newest")
    return found


def only(told: Story, position: int | None) -> Story:
    """The story with the one event that was asked for; with all of them if none was."""
    if position is None:
        return told
    chosen = [event for event in told.events if event.position == position]
    if not chosen:
        has = counted(len(told.events), "event")
        raise OperatorError(f"there is no event {told.number}-{position}: {told.number} has {has}")
    return replace(told, events=chosen)
