"""`showbridge replay ID`: once more, after a fix."""

from __future__ import annotations

import os
import time
from collections import Counter

import click

from bridge.cli.event import EVENT, find, parse
from bridge.cli.existing import existing_ledger
from bridge.cli.screen import clean, counted
from bridge.config import load
from bridge.errors import OperatorError
from bridge.ledger.database import Database
from bridge.ledger.look_up import Story
from bridge.ledger.plan import RENEWABLE
from bridge.ledger.replay import delivery_ids, replay_delivery, replay_webhook

SHORTEST_PREFIX = 6
_SOON = "It is taken up within seconds wherever `showbridge run` (or a clock) runs."


@click.command("replay")
@click.argument("which", metavar="ID")
def command(which: str) -> None:
    """Route an event again by the rules of now, or send one delivery again as it was.

    ID is an event's (`1042`), or the first six characters or more of a
    delivery's, as `showbridge event` shows it. What has arrived is never sent
    a second time.
    """
    with existing_ledger(load(os.environ)) as database:
        delivery = None if _is_event(database, which) else _delivery(database, which)
        if delivery is not None:
            _replay_delivery(database, delivery)
        elif EVENT.fullmatch(which):
            _replay_event(database, which)
        else:
            raise OperatorError(
                f"`{clean(which, 40)}` is neither an event's id, like 1042, nor the first six or "
                "more characters of a delivery's; `showbridge event` shows both"
            )
    click.echo(_SOON)


def _is_event(database: Database, which: str) -> bool:
    try:
        find(database, parse(which)[0])
    except OperatorError:
        return False
    return True


def _delivery(database: Database, which: str) -> str | None:
    """The one delivery whose id begins so, if there is one."""
    if len(which) < SHORTEST_PREFIX:
        return None
    with database.read() as connection:
        found = delivery_ids(connection, which.lower())
    if len(found) > 1:
        raise OperatorError(f"several deliveries begin with {clean(which)}; give more of its id")
    return found[0] if found else None


def _replay_delivery(database: Database, delivery: str) -> None:
    with database.write() as connection:
        begun = replay_delivery(connection, delivery, time.time())
    if not begun:
        raise OperatorError(
            f"delivery {delivery} has arrived, is still under way, or was never to be sent "
            "(`showbridge event` tells which); to plan it afresh, replay its event"
        )
    click.echo(f"Delivery {delivery} will be sent again as it was filled in.")


def _replay_event(database: Database, which: str) -> None:
    number, _ = parse(which)
    story = find(database, number)
    with database.write() as connection:
        replay_webhook(connection, number)
    click.echo(
        f"Event {number} ({clean(story.type)} from {clean(story.source)}) will be routed again "
        "by the rules of now."
    )
    for line in _consequences(story):
        click.echo(f"  {line}")


def _consequences(story: Story) -> list[str]:
    states = Counter(delivery.state for event in story.events for delivery in event.deliveries)
    arrived, open_ = states["delivered"], states["waiting"] + states["sending"]
    renewed = sum(states[state] for state in RENEWABLE)
    told = [
        (arrived, f"{counted(arrived, 'delivery')} arrived: not sent again"),
        (open_, f"{counted(open_, 'delivery')} under way: not touched"),
        (renewed, f"{counted(renewed, 'delivery')} ended otherwise: filled in and tried again"),
    ]
    return [line for count, line in told if count]
