"""`showbridge rules rollback`: an earlier version is live again."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import click
from rich.console import Console
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.existing import existing_ledger
from bridge.cli.live_state import SAME, LiveState, live_state, shown_folder
from bridge.cli.mistakes import mistake_object, print_mistakes
from bridge.cli.reading import named_files
from bridge.cli.rule_changes import Changes, changes, print_changes
from bridge.cli.screen import counted, screen, whole_words
from bridge.cli.versions import author_named, live_now, version_named
from bridge.config import Config, load, world
from bridge.errors import ConfigurationError, Mistake, OperatorError
from bridge.ledger import rule_versions
from bridge.ledger.database import Connection, Database
from bridge.ledger.rule_versions import ROLLED_BACK, Published
from bridge.rule_files import read_files
from bridge.rules import compile_files


@dataclass(frozen=True)
class Plan:
    """What is to be live, and what is."""

    version: str
    files: Mapping[str, str]
    live: Published
    live_files: Mapping[str, str]

    @property
    def is_new(self) -> bool:
        return self.version != self.live.version

    @property
    def found(self) -> Changes:
        return changes(self.live_files, self.files)


@click.command("rollback")
@click.argument("version", required=False)
@click.option("--to", "number", type=int, help="The number that `rules history` shows.")
@click.option("--author", help="Who rolls back; without it, whoever is logged in.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(version: str | None, number: int | None, author: str | None, as_json: bool) -> None:
    """Make an earlier version live again: the one before, if none is named.

    The files stay as they are. Once more goes one further back.
    """
    if version and number is not None:
        raise click.UsageError("give a version or --to, not both")
    config = load(os.environ)
    with existing_ledger(config) as database:
        with database.snapshot() as connection:
            plan = _plan(connection, version, number)
        try:
            if plan.is_new:
                compile_files(plan.files, world(config), shown_folder(plan.version))
        except ConfigurationError as error:
            _refuse(plan, error.mistakes, as_json)
        _roll_back(database, plan, author_named(author))
        with database.snapshot() as connection:
            state = live_state(config, connection)
    if as_json:
        json_lines.say(_object(plan, state))
    else:
        _print(screen(), config, plan, state)


def _plan(connection: Connection, version: str | None, number: int | None) -> Plan:
    """Raises OperatorError where there is nothing to go back to."""
    live = live_now(connection)
    wanted = version_named(connection, version) if version else _published(connection, number)
    return Plan(
        version=wanted,
        files=rule_versions.files_of(connection, wanted) or {},
        live=live,
        live_files=rule_versions.files_of(connection, live.version) or {},
    )


def _published(connection: Connection, number: int | None) -> str:
    if number is None:
        found = rule_versions.before(connection)
        lacking = "there is no version before the one that is live"
    else:
        found = rule_versions.one(connection, number)
        lacking = f"the history has no {number}; `showbridge rules history` shows it"
    if found is None:
        raise OperatorError(lacking)
    return found.version


def _roll_back(database: Database, plan: Plan, author: str) -> None:
    if not plan.is_new:
        return
    with database.write() as connection:
        rule_versions.take_turns(connection)
        if rule_versions.live(connection) != plan.live:
            raise OperatorError(
                "other rules went live just now, and nothing was rolled back; "
                "`showbridge rules history` shows them"
            )
        rule_versions.publish(
            connection, plan.version, plan.files, author=author, how=ROLLED_BACK, now=time.time()
        )


def _refuse(plan: Plan, mistakes: Sequence[Mistake], as_json: bool) -> NoReturn:
    if as_json:
        listed = [mistake_object(each) for each in mistakes]
        json_lines.say({"ok": False, "version": plan.version, "mistakes": listed})
    else:
        folder = shown_folder(plan.version)
        texts = {f"{folder}/{name}": text for name, text in plan.files.items()}
        print_mistakes(screen(), mistakes, texts=texts)
        screen().print(f"Version {plan.version} does not fit bridge.yaml of now.")
        screen().print("Nothing was changed.")
    raise click.exceptions.Exit(1)


def _object(plan: Plan, state: LiveState) -> dict[str, object]:
    return {
        "ok": True,
        "version": plan.version,
        "was": plan.live.version,
        **{word: list(names) for word, names in plan.found.groups.items()},
        "files": state.files,
        "files_are": state.standing,
    }


def _print(console: Console, config: Config, plan: Plan, state: LiveState) -> None:
    if not plan.is_new:
        console.print(f"Version {plan.version} is live already: nothing to do.")
        return
    said = f"Version {plan.version} is live again: what comes in from now on is handled by it."
    console.print(Text(said, "green"))
    print_changes(console, plan.found)
    if state.mistakes:
        where = "The files have" if len(state.mistakes) > 1 else "A file has"
        count = counted(len(state.mistakes), "mistake")
        first = state.mistakes[0].partition(": ")[0]
        _say(console, f"{where} {count}, the first in {first}:")
        console.print("`showbridge rules check` shows them.")
    elif state.standing != SAME:
        _say_where_it_is(console, config, state)


def _say_where_it_is(console: Console, config: Config, state: LiveState) -> None:
    """The version that was live, in all the files that make it up."""
    names = list(read_files(config.folder).texts)
    holds, it, goes = ("holds", "it", "it goes") if len(names) == 1 else ("hold", "them", "they go")
    change = f"change {'it' if it == 'it' else 'one of them'} or "
    _say(
        console,
        f"{named_files(config.folder, names)} still {holds} version {state.files}; {goes} live "
        f"again when you {change if config.publishing.when_saved else ''}publish {it}.",
    )


def _say(console: Console, text: str) -> None:
    console.print(whole_words(text, console.width), soft_wrap=True)
