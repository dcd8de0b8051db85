"""`showbridge dead`: what was given up, by what went wrong, and what to type next."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.existing import existing_ledger
from bridge.cli.screen import clean, clock_time, counted, indented, screen, stated
from bridge.cli.selecting import filters, selection
from bridge.config import load
from bridge.ledger.database import Connection
from bridge.ledger.dead import Group, Letter, constant_part, count, groups, letters
from bridge.ledger.delivery_ids import shortened
from bridge.ledger.selection import Selection

_LONGEST_REASON = 160


@click.command("dead")
@click.option("--rejected", is_flag=True, help="What vendors or rules rejected, instead.")
@click.option("--list", "single", is_flag=True, help="One by one, the newest first.")
@click.option("--limit", default=20, type=click.IntRange(1), show_default=True)
@filters
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
def command(rejected: bool, single: bool, limit: int, as_json: bool, **asked: Any) -> None:
    """Show dead letters, together by what went wrong, and what to type next."""
    config = load(os.environ)
    with existing_ledger(config) as database, database.read() as connection:
        chosen = selection(config, connection, "rejected" if rejected else "dead", asked)
        if single:
            _list(connection, chosen, limit, as_json)
        else:
            _group(connection, chosen, limit, as_json, asked)


def _list(connection: Connection, chosen: Selection, limit: int, as_json: bool) -> None:
    found = letters(connection, chosen, limit)
    if as_json:
        for letter in found:
            json_lines.say(_letter_object(letter))
        return
    console, every = screen(), count(connection, chosen)
    if found:
        console.print(_table(found, time.time()))
        console.print()
    more = f"; the newest {limit:,} are shown (--limit)" if every > limit else ""
    console.print(f"{_counted(every, chosen)}{more}.")
    if found:
        hint = "`showbridge event ID` tells the whole story, `showbridge replay ID` sends it again."
        console.print(hint, style="dim")


def _group(
    connection: Connection, chosen: Selection, limit: int, as_json: bool, asked: dict[str, Any]
) -> None:
    found = groups(connection, chosen)
    if as_json:
        for group in found[:limit]:
            json_lines.say(_group_object(group))
        return
    console, now = screen(), time.time()
    for group in found[:limit]:
        _print(console, group, now)
    every = sum(group.count for group in found)
    more = f"; the largest {limit:,} groups are shown (--limit)" if len(found) > limit else ""
    console.print(f"{_counted(every, chosen)}{more}.")
    for hint in _hints(connection, chosen, every, asked):
        console.print(hint, style="dim")


def _counted(number: int, chosen: Selection) -> str:
    noun = "dead letter" if chosen.state == "dead" else "rejected delivery"
    return counted(number, noun) if number else f"No {noun} matches"


def _hints(
    connection: Connection, chosen: Selection, every: int, asked: dict[str, Any]
) -> Iterator[str]:
    if every:
        yield "`--list` shows single ones; without `--dry-run` a replay asks before it begins."
    if chosen.state == "dead":
        rejected = count(connection, Selection(state="rejected", **asked))
        if rejected:
            yield f"{counted(rejected, 'rejected delivery')}: `showbridge dead --rejected`."


def _print(console: Console, group: Group, now: float) -> None:
    """Four lines: what and how many, why, when, and what next."""
    head = Text.assemble(
        stated(group.state, f"{group.count:,}"),
        ("  " + clean(f"{group.account}.{group.action}"), "bold"),
    )
    console.print(head)
    console.print(indented(Text(clean(group.reason, _LONGEST_REASON) or "no reason told"), 4))
    first, when = clock_time(group.first_at, now), clock_time(group.last_at, now)
    if first != when:
        when = f"{first} to {when}"
    console.print(indented(Text(f"{when}; for example event {group.event}", style="dim"), 4))
    for line in next_lines(group):
        # Left to the terminal to wrap: what is cut in two cannot be copied.
        console.print(Text(f"    {line}", style="cyan"), soft_wrap=True)
    console.print()


def next_lines(group: Group) -> Sequence[str]:
    """What to type next."""
    one = f"showbridge replay {shortened(group.delivery)}"
    if group.may_be_done and group.count == 1:
        return ["look there first; if it is not there:", one]
    if group.may_be_done:
        return [
            "look there first; for each that is not there, by its id from --list:",
            one,
            _narrowed("showbridge dead --list", group),
        ]
    if group.unfilled:
        return ["correct the rule, then:", _narrowed(_replay(group, "--reroute"), group)]
    return [_narrowed(_replay(group), group)]


def _replay(group: Group, *more: str) -> str:
    state = [] if group.state == "dead" else ["--state", group.state]
    return " ".join(["showbridge replay", *state, *more, "--dry-run"])


def _narrowed(command: str, group: Group) -> str:
    """To the group's account and reason."""
    words = ["--account", group.account]
    reason = constant_part(group.reason)
    if reason:
        words += ["--reason", clean(reason)]
    return f"{command} {shlex.join(words)}"


def _table(found: Sequence[Letter], now: float) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for name in ("id", "event", "ended", "account.action"):
        table.add_column(name, no_wrap=name != "account.action", overflow="fold")
    table.add_column("reason", overflow="fold", ratio=1)
    for letter in found:
        table.add_row(
            stated(letter.state, shortened(letter.delivery)),
            Text(letter.event, style="bold"),
            Text(clock_time(letter.ended_at, now), style="dim"),
            Text(clean(f"{letter.account}.{letter.action}")),
            Text(clean(letter.reason, _LONGEST_REASON)),
        )
    return table


def _group_object(group: Group) -> dict[str, object]:
    return {
        "state": group.state,
        "account": group.account,
        "action": group.action,
        "reason": group.reason,
        "count": group.count,
        "first_at": json_lines.iso(group.first_at),
        "last_at": json_lines.iso(group.last_at),
        "event": group.event,
        "delivery": group.delivery,
        "may_be_done": group.may_be_done,
        "unfilled": group.unfilled,
        "next": list(next_lines(group)),
    }


def _letter_object(letter: Letter) -> dict[str, object]:
    return {
        "delivery": letter.delivery,
        "event": letter.event,
        "state": letter.state,
        "account": letter.account,
        "action": letter.action,
        "rule": letter.rule,
        "reason": letter.reason,
        "ended_at": json_lines.iso(letter.ended_at),
    }
