"""`showbridge rules test`: whether the rules do what the tests beside them say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from bridge.cli import json_lines
from bridge.cli.existing import has_tables
from bridge.cli.mistakes import mistake_object, print_mistakes
from bridge.cli.reading import Reading, read_rules
from bridge.cli.rule_test_example import example
from bridge.cli.rule_test_lines import as_object, print_results
from bridge.cli.screen import clean_lines, screen
from bridge.config import Config, load
from bridge.engine.rule_tests import Result, run_tests
from bridge.ledger.database import Database
from bridge.rules import RuleSet


@click.command("test")
@click.argument("path", required=False, metavar="[RULES]", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(path: Path | None, as_json: bool) -> None:
    """Run the tests that stand beside the rules, under `tests:`; nothing is sent.

    RULES is a draft as for `rules check`. The status is 1 where a test fails.
    """
    config = load(os.environ)
    reading = read_rules(path)
    if reading.rules is None or not reading.is_right:
        _refuse(reading, as_json)
        return
    results = _results(config, reading.rules)
    if as_json:
        json_lines.say(_object(reading.rules, results))
    elif results:
        print_results(screen(), results)
    else:
        _say_how(screen(), config, reading.rules)
    if any(each.state == "failed" for each in results):
        raise click.exceptions.Exit(1)


def _refuse(reading: Reading, as_json: bool) -> None:
    if as_json:
        mistakes = [mistake_object(each) for each in reading.mistakes]
        json_lines.say({"ok": False, "mistakes": mistakes, "complaints": list(reading.complaints)})
    else:
        print_mistakes(screen(), reading.mistakes, reading.complaints)
    raise click.exceptions.Exit(1)


def _results(config: Config, rules: RuleSet) -> list[Result]:
    if not any(test.given.event for test in rules.tests):
        return run_tests(rules, config)
    with _ledger(config) as database:
        return run_tests(rules, config, database)


@contextmanager
def _ledger(config: Config) -> Iterator[Database | None]:
    """Tests that need none are run before the first start too."""
    database = Database(config.database_url)
    try:
        yield database if has_tables(database) else None
    finally:
        database.close()


def _say_how(console: Console, config: Config, rules: RuleSet) -> None:
    console.print("There are no tests yet. One says what comes in and what must be done then.")
    text = example(config, rules)
    if text is None:
        console.print("Write a rule first: `showbridge rules check` says what is missing.")
        return
    console.print("Put this below the rules, change it, and run `showbridge rules test` again:\n")
    # Left to the terminal to wrap: what is cut in two cannot be copied.
    console.print(clean_lines(text), soft_wrap=True)
    console.print("`with:` below `sample:` changes it: `with: {contact.consent: false}`.")


def _object(rules: RuleSet, results: list[Result]) -> dict[str, object]:
    return {
        "ok": all(each.state != "failed" for each in results),
        "version": rules.version,
        "tests": [as_object(each) for each in results],
    }
