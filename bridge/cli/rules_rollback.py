"""`showbridge rules rollback`: an earlier version is live again."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import click
from rich.console import Console
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.existing import existing_ledger
from bridge.cli.live_state import SAME, LiveState, compiled_version, live_state, shown_folder
from bridge.cli.mistakes import mistake_object, print_mistakes
from bridge.cli.rule_changes import Changes, changes, print_changes
from bridge.cli.screen import screen
from bridge.cli.versions import author_named, live_now, version_named
from bridge.config import Config, load
from bridge.errors import ConfigurationError, OperatorError
from bridge.ledger import rule_versions
from bridge.ledger.database import Connection
from bridge.ledger.rule_versions import ROLLED_BACK
from bridge.settings import RULES_FILE


@dataclass(frozen=True)
class Done:
    """`was` is live no more; both are the same where nothing was to be done."""

    version: str
    was: str
    found: Changes
    state: LiveState


class _Unfit(Exception):
    """A version has mistakes by the bridge.yaml of now."""

    def __init__(self, version: str, files: dict[str, str], error: ConfigurationError) -> None:
        self.version = version
        self.mistakes = error.mistakes
        self.texts = {f"{shown_folder(version)}/{name}": text for name, text in files.items()}


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
        try:
            with database.write() as connection:
                rule_versions.take_turns(connection)
                wanted = _wanted(connection, version, number)
                done = _rolled_back(config, connection, wanted, author_named(author))
        except _Unfit as unfit:
            _refuse(unfit, as_json)
            return
    if as_json:
        json_lines.say(_object(done))
    else:
        _print(screen(), config, done)


def _wanted(connection: Connection, version: str | None, number: int | None) -> str:
    live_now(connection)
    if version:
        return version_named(connection, version)
    found = rule_versions.before(connection) if number is None else None
    if number is not None:
        found = rule_versions.one(connection, number)
        if found is None:
            raise OperatorError(
                f"there is no {number} in the history; `showbridge rules history` lists it"
            )
    if found is None:
        raise OperatorError("there is no version before the one that is live")
    return found.version


def _rolled_back(config: Config, connection: Connection, version: str, author: str) -> Done:
    was = live_now(connection).version
    files = dict(rule_versions.files_of(connection, version) or {})
    found = changes(rule_versions.files_of(connection, was) or {}, files)
    if version != was:
        try:
            compiled_version(config, connection, version)
        except ConfigurationError as error:
            raise _Unfit(version, files, error) from error
        rule_versions.publish(
            connection, version, files, author=author, how=ROLLED_BACK, now=time.time()
        )
    return Done(version, was, found, live_state(config, connection))


def _refuse(unfit: _Unfit, as_json: bool) -> None:
    if as_json:
        mistakes = [mistake_object(each) for each in unfit.mistakes]
        json_lines.say({"ok": False, "version": unfit.version, "mistakes": mistakes})
    else:
        print_mistakes(screen(), unfit.mistakes, texts=unfit.texts)
        screen().print(f"Version {unfit.version} does not fit bridge.yaml of now.")
        screen().print("Nothing was changed.")
    raise click.exceptions.Exit(1)


def _object(done: Done) -> dict[str, object]:
    return {
        "ok": True,
        "version": done.version,
        "was": done.was,
        **{word: list(names) for word, names in done.found.groups.items()},
        "files": done.state.files,
        "files_are": done.state.standing,
    }


def _print(console: Console, config: Config, done: Done) -> None:
    if done.version == done.was:
        console.print(f"Version {done.version} is live already: nothing to do.")
        return
    said = f"Version {done.version} is live again: what comes in from now on is handled by it."
    console.print(Text(said, "green"))
    print_changes(console, done.found)
    file = config.folder / RULES_FILE
    if done.state.mistakes:
        console.print(f"{file} has mistakes: `showbridge rules check`.")
    elif done.state.standing != SAME:
        console.print(
            f"{file} still holds version {done.state.files}; it goes live again when "
            f"you {'change it or ' if config.publishing.when_saved else ''}publish it."
        )
