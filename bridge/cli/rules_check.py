"""`showbridge rules check`: every mistake in the rules, or in a draft of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from bridge.cli import json_lines
from bridge.cli.expectations import failed
from bridge.cli.mistakes import mistake_object, print_mistakes, print_warnings
from bridge.cli.reading import Reading, named_files, read_rules
from bridge.cli.rule_warnings import warnings_of
from bridge.cli.screen import clean, clean_lines, counted, indented, screen
from bridge.errors import Mistake
from bridge.rules import RuleSet


@click.command("check")
@click.argument("path", required=False, metavar="[RULES]", type=click.Path(path_type=Path))
@click.option("--no-history", is_flag=True, help="Do not compare with what came in.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(path: Path | None, no_history: bool, as_json: bool) -> None:
    """Say every mistake in the rules, with its line and what would be right.

    RULES is a draft: a file is taken in the place of rules.yaml, or of the file
    in the folder rules that is called like it; a folder in that of the folder
    rules, and of rules.yaml too where it has one. The status is 1 where
    something is wrong.

    What deserves a look is told too: also values that never came in the last
    30 days although similar ones did, and rules that never matched.
    """
    reading = read_rules(path)
    failures = _failed(reading)
    warnings = warnings_of(reading, history=not no_history)
    if as_json:
        json_lines.say(_object(reading, failures, warnings))
    else:
        _print(screen(), reading, failures, warnings, path)
    if failures or not reading.is_right:
        raise click.exceptions.Exit(1)


def print_failures(console: Console, failures: Sequence[str]) -> None:
    """Of expectations; each may have several lines."""
    for failure in failures:
        console.print(indented(Text(clean_lines(failure), "red"), 2))
    console.print(f"{counted(len(failures), 'test')} failed", style="bold")


def _failed(reading: Reading) -> Sequence[str]:
    if reading.config is None or reading.rules is None:
        return ()
    return failed(reading.config, reading.rules, None)


def _print(
    console: Console,
    reading: Reading,
    failures: Sequence[str],
    warnings: Sequence[Mistake],
    path: Path | None,
) -> None:
    if reading.config is None:
        less = ", and the rules are not read to the end" if reading.unread else ""
        said = f"bridge.yaml has mistakes{less}: `showbridge check` shows them.\n"
        console.print(said, style="yellow")
    if not reading.is_right:
        print_mistakes(console, reading.mistakes, reading.complaints)
        return
    if reading.rules is not None:
        _print_right(console, reading, reading.rules, path)
        print_warnings(console, warnings)
    if failures:
        console.print()
        print_failures(console, failures)


def _print_right(console: Console, reading: Reading, rules: RuleSet, path: Path | None) -> None:
    assert reading.files is not None  # noqa: S101  # they were read
    named = str(path) if path else named_files(reading.files.folder, rules.files)
    count = counted(len(rules.rules), "rule")
    said = f"{clean(named)}: no mistakes in {count} (version {rules.version})."
    console.print(Text(said, "green"), soft_wrap=True)


def _object(
    reading: Reading, failures: Sequence[str], warnings: Sequence[Mistake]
) -> dict[str, object]:
    rules = reading.rules
    return {
        "ok": reading.is_right and not failures,
        "version": rules.version if rules else None,
        "rules": [rule.name for rule in rules.rules] if rules else None,
        "read_to_the_end": not reading.unread,
        "mistakes": [mistake_object(each) for each in reading.mistakes],
        "complaints": list(reading.complaints),
        "warnings": [mistake_object(each) for each in warnings],
        "failed_tests": list(failures),
    }
