"""Replaying many: says what it means, asks, and feeds them slowly enough for live traffic."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bridge.cli import json_lines
from bridge.cli.accounts import Account, accounts_now, standings_by_name
from bridge.cli.replay_plan import Plan, as_object, plan_of
from bridge.cli.replay_text import print_plan
from bridge.cli.replaying import FIRST, Replaying
from bridge.cli.screen import counted, screen
from bridge.cli.signals import Signals, listening
from bridge.errors import LedgerUnavailable, OperatorError
from bridge.ledger.database import Database
from bridge.ledger.selection import Place

SOON = "It is taken up within seconds wherever `showbridge run` (or a clock) runs."
# A transaction of so many keeps other writers waiting for milliseconds.
LARGEST_PORTION = 100
_INTERRUPTED = 130


@dataclass(frozen=True)
class Manner:
    """How it is done. `speed` None: by the limits of the accounts, or at once if not `paced`."""

    dry_run: bool
    yes: bool
    as_json: bool
    speed: float | None
    paced: bool


def replay_many(database: Database, replaying: Replaying, manner: Manner) -> None:
    """Raises OperatorError where nobody confirmed it."""
    with database.read() as connection:
        plan = plan_of(replaying, connection, manner.speed, paced=manner.paced)
    console = screen()
    if not manner.as_json:
        print_plan(console, plan, replaying, _resting(database, replaying, plan))
    if manner.dry_run:
        _say_dry(console, plan, manner)
    elif plan.count:
        _confirm(plan, replaying, manner)
        _feed(Feed(database, replaying, plan, time.time), console, manner)
    elif manner.as_json:
        json_lines.say(
            _result(Feed(database, replaying, plan, time.time), complete=True, seconds=0.0)
        )


def _resting(database: Database, replaying: Replaying, plan: Plan) -> list[Account]:
    concerned = {line.account for line in plan.lines}
    accounts = accounts_now(replaying.config, standings_by_name(database), time.time())
    return [each for each in accounts if each.name in concerned and each.state != "ready"]


def _say_dry(console: Console, plan: Plan, manner: Manner) -> None:
    if manner.as_json:
        json_lines.say({"dry_run": True, **as_object(plan)})
    elif plan.count:
        console.print("\nDry run: nothing was changed.", style="dim")


def _confirm(plan: Plan, replaying: Replaying, manner: Manner) -> None:
    if manner.yes:
        return
    if manner.as_json or not sys.stdin.isatty():
        raise OperatorError("nothing was changed: say --yes to do it, or --dry-run to look only")
    click.confirm(f"Replay {counted(plan.count, noun(replaying))}?", abort=True)


def noun(replaying: Replaying) -> str:
    return "event" if replaying.by_event else "delivery"


@dataclass
class Feed:
    """Replays what a plan counted, in portions, each one transaction."""

    database: Database
    replaying: Replaying
    plan: Plan
    now: Callable[[], float]
    done: int = 0
    after: Place = FIRST

    def run(self, signals: Signals, told: Callable[[int], None]) -> bool:
        """Until all is done, or the signal; whether all is done. `told` gets what is done."""
        while self.after < self.plan.last and not signals.stop:
            began = time.monotonic()
            replayed = self._portion()
            self.done += replayed
            told(self.done)
            if self.plan.speed and self.after < self.plan.last:
                _wait(signals, began + replayed / self.plan.speed)
        return self.after >= self.plan.last

    def _portion(self) -> int:
        """How many were replayed."""
        size = max(1, min(LARGEST_PORTION, int(self.plan.speed or LARGEST_PORTION)))
        with self.database.read() as connection:
            units = self.replaying.next(connection, self.after, size)
        units = [unit for unit in units if unit.place <= self.plan.last]
        if not units:
            self.after = self.plan.last
            return 0
        with self.database.write() as connection:
            replayed = self.replaying.replay(connection, units, self.now())
        self.after = units[-1].place
        return replayed


def _wait(signals: Signals, until: float) -> None:
    while not signals.stop and (left := until - time.monotonic()) > 0:
        signals.wait(left)


def _feed(feed: Feed, console: Console, manner: Manner) -> None:
    began = time.monotonic()
    with listening() as signals, _progress(manner) as progress:
        task = progress.add_task("", total=feed.plan.count)
        try:
            complete = feed.run(signals, lambda done: progress.update(task, completed=done))
        except LedgerUnavailable as failure:
            raise OperatorError(
                f"the ledger cannot be reached: {failure}. {_how_far(feed)}"
            ) from failure
    if manner.as_json:
        json_lines.say(_result(feed, complete=complete, seconds=time.monotonic() - began))
    elif complete:
        console.print(f"{_done(feed)} {SOON}", soft_wrap=True)
    else:
        console.print(f"Stopped. {_how_far(feed)}", soft_wrap=True)
    if not complete:
        raise click.exceptions.Exit(_INTERRUPTED)


def _done(feed: Feed) -> str:
    done, count = counted(feed.done, noun(feed.replaying)), feed.plan.count
    if feed.done == count:
        return f"{done} replayed."
    return f"{done} replayed, of {count:,}: the others have changed meanwhile."


def _how_far(feed: Feed) -> str:
    return (
        f"{feed.done:,} of {counted(feed.plan.count, noun(feed.replaying))} replayed; "
        "the same command goes on with the rest."
    )


def _progress(manner: Manner) -> Progress:
    """On standard error, where that is a terminal."""
    console = Console(stderr=True, highlight=False)
    return Progress(
        TextColumn("replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=manner.as_json or not console.is_terminal,
        transient=True,
    )


def _result(feed: Feed, *, complete: bool, seconds: float) -> dict[str, object]:
    return {
        "dry_run": False,
        **as_object(feed.plan),
        "replayed": feed.done,
        "not_replayed": feed.plan.count - feed.done,
        "complete": complete,
        "took": round(seconds, 1),
    }
