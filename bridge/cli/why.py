"""`showbridge why`: everything that did and did not happen for an event or a person, and why."""

from __future__ import annotations

import os
import time

import click

from bridge.cli import json_lines
from bridge.cli.event import LISTED, find, parse
from bridge.cli.existing import existing_ledger
from bridge.cli.handled import Versions, handled
from bridge.cli.screen import screen
from bridge.cli.why_contact import as_objects as person_objects
from bridge.cli.why_contact import print_person, tell_person
from bridge.cli.why_event import as_object, print_why, require_rule
from bridge.config import Config, load
from bridge.errors import OperatorError
from bridge.ledger.database import Database


@click.command("why")
@click.argument("event_id", metavar="EVENT", required=False)
@click.option("--contact", metavar="EMAIL", help="All events of this person instead.")
@click.option("--rule", "rule", metavar="NAME", help="This rule alone.")
@click.option(
    "--limit",
    default=20,
    type=click.IntRange(1, 1000),
    metavar="N",
    show_default=True,
    help="With --contact: the newest N events.",
)
@click.option("--all", "everything", is_flag=True, help="With --contact: look at all webhooks.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
def command(
    event_id: str | None,
    contact: str | None,
    rule: str | None,
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    """Say what happened for an event and what did not, and why, condition by condition.

    EVENT is as `showbridge events` shows it. With --contact: what one person
    got and did not get, event by event.
    """
    if (event_id is None) == (contact is None):
        raise click.UsageError("give the id of an event, or --contact with an e-mail address")
    config = load(os.environ)
    with existing_ledger(config) as database:
        if contact is not None:
            _person(database, contact, rule, limit, everything, as_json)
        elif event_id is not None:
            _event(config, database, event_id, rule, as_json)


def _event(
    config: Config, database: Database, event_id: str, rule: str | None, as_json: bool
) -> None:
    number, position = parse(event_id)
    story = find(database, number, position, LISTED, with_contents=False)
    with database.snapshot() as connection:
        versions = Versions(config, connection)
        found = list(handled(config, connection, versions, story, story.events))
    for each in found:
        require_rule(each, rule)
    if as_json:
        for each in found:
            json_lines.say(as_object(each, rule, time.time()))
        return
    print_why(screen(), story, found, rule, time.time())


def _person(
    database: Database,
    contact: str,
    rule: str | None,
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    if "@" not in contact:
        raise OperatorError(f"`{contact}` is no e-mail address")
    with database.snapshot() as connection:
        told = tell_person(connection, contact.strip(), limit, everything=everything)
    if as_json:
        for each in person_objects(told, rule, time.time()):
            json_lines.say(each)
        return
    print_person(screen(), told, rule, time.time())
