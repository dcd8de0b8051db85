"""`showbridge rules publish`: the rules of the files, or of a draft, go live all at once."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.existing import existing_ledger
from bridge.cli.expectations import failed
from bridge.cli.mistakes import mistake_object, print_mistakes, print_warnings
from bridge.cli.rule_changes import Changes, changes, print_changes
from bridge.cli.rule_writing import written_beside
from bridge.cli.rules_check import print_failures
from bridge.cli.screen import clean, screen
from bridge.cli.versions import author_named
from bridge.config import Config, load, world
from bridge.errors import ConfigurationError, OperatorError
from bridge.ledger import rule_versions
from bridge.ledger.database import Connection, Database
from bridge.ledger.rule_versions import PUBLISHED
from bridge.rule_files import RuleFiles, read_draft, read_files
from bridge.rules import RuleSet
from bridge.settings import RULES_FILE


@dataclass(frozen=True)
class Done:
    """`was` is the version that was live before; `kept` the one whose files were replaced.

    `is_new` is False where the version was live already.
    """

    version: str
    was: str | None
    is_new: bool
    found: Changes
    kept: str | None
    written: Sequence[Path]


@click.command("publish")
@click.argument("path", required=False, metavar="[RULES]", type=click.Path(path_type=Path))
@click.option("--author", help="Who publishes; without it, whoever is logged in.")
@click.option(
    "--even-if-tests-fail",
    "anyway",
    is_flag=True,
    help="Publish although expectations beside the rules do not hold.",
)
@click.option(
    "--yes", "removing", is_flag=True, help="Also where a draft leaves out rules that are live."
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(
    path: Path | None, author: str | None, anyway: bool, removing: bool, as_json: bool
) -> None:
    """Make the rules live, all at once; with mistakes, nothing is changed.

    RULES is a draft as for `rules check`: it is written over the rules' files,
    and what they held is kept as a version.
    """
    config = load(os.environ)
    files = read_draft(config.folder, path) if path else read_files(config.folder)
    try:
        rules = files.compiled(world(config))
    except ConfigurationError as error:
        _refuse_mistakes(error, as_json)
        return
    with existing_ledger(config) as database:
        failures = failed(config, rules, database)
        if failures and not anyway:
            _refuse_failures(failures, as_json)
            return
        gone = _left_out(database, files) if path else ()
        if gone and not removing:
            _refuse_removal(gone, as_json)
            return
        done = _published(config, database, files, rules, author_named(author))
    if as_json:
        json_lines.say(_object(done, rules, failures))
    else:
        _print(screen(), done, rules)


def _refuse_mistakes(error: ConfigurationError, as_json: bool) -> None:
    if as_json:
        mistakes = [mistake_object(each) for each in error.mistakes]
        json_lines.say({"ok": False, "mistakes": mistakes, "failed_tests": []})
    else:
        print_mistakes(screen(), error.mistakes)
        screen().print("Nothing was changed.")
    raise click.exceptions.Exit(1)


def _refuse_failures(failures: Sequence[str], as_json: bool) -> None:
    if as_json:
        json_lines.say({"ok": False, "mistakes": [], "failed_tests": list(failures)})
    else:
        print_failures(screen(), failures)
        screen().print("Nothing was changed; --even-if-tests-fail publishes all the same.")
    raise click.exceptions.Exit(1)


def _left_out(database: Database, files: RuleFiles) -> Sequence[str]:
    """The rules that are live and that the draft does not have."""
    with database.read() as connection:
        live = rule_versions.live(connection)
    return changes(_texts(database, live.version if live else None), files.texts).removed


def _refuse_removal(gone: Sequence[str], as_json: bool) -> None:
    """A draft with nothing but the new rule would take all others away."""
    if as_json:
        json_lines.say({"ok": False, "mistakes": [], "failed_tests": [], "left_out": list(gone)})
    else:
        screen().print("The draft leaves out rules that are live:")
        print_changes(screen(), Changes(removed=tuple(gone)))
        screen().print(
            "Nothing was changed. Add them to the draft, or say --yes to be without them. A rule "
            "that is to come beside the others is a file of its own in the folder `rules`, which "
            "lies beside rules.yaml."
        )
    raise click.exceptions.Exit(1)


def _published(
    config: Config, database: Database, files: RuleFiles, rules: RuleSet, author: str
) -> Done:
    """In the ledger first: files that cannot be replaced then are older than what is live, and
    do not go live again by themselves.
    """
    replaced = _replaced(config, files)
    with written_beside(files) as put:
        with database.write() as connection:
            rule_versions.take_turns(connection)
            if replaced is not None:
                rule_versions.keep(connection, replaced.version, replaced.texts)
            live = rule_versions.live(connection)
            _note(connection, rules, author)
        written = put()
    was = live.version if live else None
    return Done(
        version=rules.version,
        was=was,
        is_new=was != rules.version,
        found=changes(_texts(database, was), rules.files),
        kept=replaced.version if replaced else None,
        written=written,
    )


def _replaced(config: Config, files: RuleFiles) -> RuleFiles | None:
    """What the files hold now, where the draft holds something else; raises OperatorError."""
    if not (config.folder / RULES_FILE).exists():
        return None
    try:
        before = read_files(config.folder)
    except OperatorError as error:
        raise OperatorError(f"what a draft would replace cannot be kept: {error}") from error
    return before if before.version != files.version else None


def _note(connection: Connection, rules: RuleSet, author: str) -> None:
    """What was rolled back to, and is published now, is no rollback any more."""
    live, offered = rule_versions.live(connection), rule_versions.last_offered(connection)
    if {rules.version} == {each.version for each in (live, offered) if each}:
        return
    rule_versions.publish(
        connection,
        rules.version,
        rules.files,
        author=author,
        how=PUBLISHED,
        now=time.time(),
    )


def _texts(database: Database, version: str | None) -> Mapping[str, str]:
    if version is None:
        return {}
    with database.read() as connection:
        return rule_versions.files_of(connection, version) or {}


def _object(done: Done, rules: RuleSet, failures: Sequence[str]) -> dict[str, object]:
    return {
        "ok": True,
        "version": done.version,
        "was": done.was,
        "changed_what_is_live": done.is_new,
        **{word: list(names) for word, names in done.found.groups.items()},
        "written": [str(path) for path in done.written],
        "kept": done.kept,
        "warnings": [mistake_object(each) for each in rules.warnings],
        "failed_tests": list(failures),
    }


def _print(console: Console, done: Done, rules: RuleSet) -> None:
    if done.is_new:
        said = f"Version {done.version} is live: what comes in from now on is handled by it."
        console.print(Text(said, "green"))
        print_changes(console, done.found)
    else:
        console.print(f"Version {done.version} was live already: nothing is different.")
    for path in done.written:
        gone = "" if path.exists() else ", which is gone"
        console.print(Text(f"Written: {clean(path)}{gone}."), soft_wrap=True)
    if done.kept:
        console.print(f"What was there before is kept: `showbridge rules show {done.kept}`.")
    print_warnings(console, rules.warnings)
