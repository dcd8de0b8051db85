"""`showbridge replay`: one or many once more, after a fix."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource

from bridge.cli.event import EVENT, find, parse
from bridge.cli.event_lines import when
from bridge.cli.existing import existing_ledger
from bridge.cli.replay_many import SOON, Manner, replay_many
from bridge.cli.replaying import Replaying, may_repeat, overwrites
from bridge.cli.screen import clean, counted
from bridge.cli.selecting import filters, selection
from bridge.cli.speed import AT_ONCE, speed
from bridge.config import Config, load
from bridge.errors import OperatorError
from bridge.ledger.database import Connection, Database
from bridge.ledger.newer import overtaken
from bridge.ledger.plan import RENEWABLE
from bridge.ledger.repeats import renewable
from bridge.ledger.replay import delivery_ids, replay_deliveries, replay_webhook, scheduled_for
from bridge.ledger.selection import DELIVERY_STATES, KEPT, WEBHOOK_STATES
from bridge.ledger.stories import Story

_DELIVERY = re.compile("([1-9][0-9]{0,17})_[0-9a-f]{1,16}")


@click.command("replay")
@click.argument("which", metavar="[ID]", required=False)
@click.option(
    "--state",
    type=click.Choice([*DELIVERY_STATES, *WEBHOOK_STATES]),
    default="dead",
    show_default=True,
    metavar="STATE",
    help=f"Deliveries that are {', '.join(DELIVERY_STATES)}, or events that are "
    f"{' or '.join(WEBHOOK_STATES)}.",
)
@filters
@click.option("--reroute", is_flag=True, help="Route their events again by the rules of now.")
@click.option(
    "--even-if-newer", is_flag=True, help="Even where a later one of the person has arrived."
)
@click.option("--even-if-done", is_flag=True, help="Even what may have been done already.")
@click.option("--dry-run", is_flag=True, help="Only say what it would mean.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option(
    "--speed",
    callback=speed,
    metavar="SPEED",
    help="5/s, 100/min or max; else a tenth of what vendors allow.",
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.pass_context
def command(  # noqa: PLR0913, RUF100  # one for each option
    ctx: click.Context,
    /,
    which: str | None,
    state: str,
    reroute: bool,
    even_if_newer: bool,
    even_if_done: bool,
    dry_run: bool,
    yes: bool,
    speed: float | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Route an event again by the rules of now, or send deliveries again as they were.

    ID is an event's (`1042`), or the beginning of a delivery's (`1042_3f9a`),
    as `showbridge event` shows it. Without ID the options choose many: without
    any, all dead letters. What has arrived is never sent a second time.
    """
    config = load(os.environ)
    if which is not None:
        _refuse_options(ctx)
        with existing_ledger(config) as database:
            _replay_one(_One(config, database, even_if_newer, dry_run), which)
        return
    anyway = {"newer": even_if_newer, "done": even_if_done}
    with existing_ledger(config) as database:
        with database.read() as connection:
            replaying = Replaying.begun(
                config,
                connection,
                selection(config, connection, state, asked),
                reroute=reroute,
                anyway=frozenset(name for name, is_set in anyway.items() if is_set),
                now=time.time(),
            )
        paced = speed != AT_ONCE
        manner = Manner(dry_run, yes, as_json, speed if paced else None, paced)
        replay_many(database, replaying, manner)


def _refuse_options(ctx: click.Context) -> None:
    """They choose among many, or say how; one is replayed at once."""
    given = [
        name
        for name in ctx.params
        if name not in ("which", "even_if_newer", "dry_run", "yes")
        and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        option = given[0].removeprefix("as_").replace("_", "-")
        raise OperatorError(f"an ID goes without other options, such as `--{option}`")


@dataclass(frozen=True)
class _One:
    """Keeps an older value from being written over a newer one, unless that is meant."""

    config: Config
    database: Database
    even_if_newer: bool
    dry_run: bool

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A dry run does all of it, and takes it back."""
        with suppress(_TakenBackError), self.database.write() as connection:
            yield connection
            if self.dry_run:
                raise _TakenBackError

    @property
    def will(self) -> str:
        return "would" if self.dry_run else "will"

    def check(self, ids: Sequence[str]) -> None:
        """Raises OperatorError where one of these deliveries was overtaken."""
        if self.even_if_newer:
            return
        with self.database.read() as connection:
            passed = overtaken(connection, ids)
        found = {each for each in passed if overwrites(self.config, *each)}
        if found:
            names = ", ".join(sorted(f"{account}.{action}" for account, action in found))
            raise OperatorError(
                f"a later event of the same person has arrived by {names}: the older would be "
                "written over it. `--even-if-newer` sends it all the same"
            )


class _TakenBackError(Exception):
    """Ends a transaction without its changes."""


def _replay_one(guard: _One, which: str) -> None:
    if named := _DELIVERY.fullmatch(which.lower()):
        _replay_delivery(guard, _delivery(guard.database, named))
    elif EVENT.fullmatch(which):
        _replay_event(guard, which)
    else:
        raise OperatorError(
            f"`{clean(which, 40)}` is neither an event's id, like 1042, nor the beginning "
            "of a delivery's, like 1042_3f9a; `showbridge event` shows both"
        )
    click.echo("Dry run: nothing was changed." if guard.dry_run else SOON)


def _delivery(database: Database, named: re.Match[str]) -> str:
    """The one delivery whose id begins so."""
    prefix, event = named[0], named[1]
    with database.read() as connection:
        found = delivery_ids(connection, int(event), prefix)
    if not found:
        raise OperatorError(
            f"no delivery's id begins with {prefix}; `showbridge event {event}` shows them"
        )
    if len(found) > 1:
        raise OperatorError(f"several deliveries begin with {prefix}; give more of its id")
    return found[0]


def _replay_delivery(guard: _One, delivery: str) -> None:
    guard.check([delivery])
    now = time.time()
    with guard.writing() as connection:
        due_at = scheduled_for(connection, delivery)
        again = replay_deliveries(connection, [delivery], now, may_repeat(guard.config))
    if not again.sent:
        raise OperatorError(
            f"delivery {delivery} has arrived, is still under way, or was never to be sent "
            "(`showbridge event` tells which); to plan it afresh, replay its event"
        )
    if due_at is None:
        click.echo(f"Delivery {delivery} {guard.will} be sent again as it was filled in.")
    else:
        now_sent = "it would be sent now" if guard.dry_run else "it is sent now"
        click.echo(f"Delivery {delivery} was to be sent {when(due_at, now)}; {now_sent}.")
    if again.behind:
        behind = counted(again.behind, "delivery")
        click.echo(f"  what undid it {guard.will} be done once more behind it: {behind}")


def _replay_event(guard: _One, which: str) -> None:
    number, _ = parse(which)
    story = find(guard.database, number, with_contents=False)
    owed = [delivery for event in story.events for delivery in event.deliveries]
    repeated = _repeated(guard.database, [delivery.id for delivery in owed])
    renewed = [delivery.id for delivery in owed if delivery.state in RENEWABLE]
    guard.check([*renewed, *repeated])
    with guard.writing() as connection:
        begun = replay_webhook(connection, number)
    if not begun:
        raise OperatorError(
            f"event {number} cannot be routed again: its body was deleted for its age"
        )
    click.echo(
        f"Event {number} ({clean(story.type)} from {clean(story.source)}) {guard.will} be routed "
        "again by the rules of now."
    )
    for line in _consequences(story):
        click.echo(f"  {line}")
    if repeated:
        behind = counted(len(repeated), "delivery")
        click.echo(f"  {behind} done once more behind what came late: tried again")


_AFRESH = "filled in afresh, its time counted anew, or called off where no rule plans it"


def _repeated(database: Database, ids: Sequence[str]) -> list[str]:
    """What did these once more behind what came late, and did not arrive."""
    with database.read() as connection:
        return list(renewable(connection, ids))


def _consequences(story: Story) -> list[str]:
    states = Counter(delivery.state for event in story.events for delivery in event.deliveries)
    arrived, open_ = states["delivered"], states["waiting"] + states["sending"]
    later = states["scheduled"]
    renewed = sum(states[state] for state in RENEWABLE)
    doubtful = sum(
        (delivery.reason or "").startswith(KEPT)
        for event in story.events
        for delivery in event.deliveries
    )
    told = [
        (arrived, f"{counted(arrived, 'delivery')} arrived: not sent again"),
        (open_, f"{counted(open_, 'delivery')} under way: not touched"),
        (later, f"{counted(later, 'delivery')} scheduled: {_AFRESH}"),
        (renewed, f"{counted(renewed, 'delivery')} ended otherwise: filled in and tried again"),
        (doubtful, f"of these {doubtful:,} may have been done already"),
    ]
    return [line for count, line in told if count]
