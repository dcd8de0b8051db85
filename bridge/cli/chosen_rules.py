"""Which rules a command is about: those of the files, a draft, those that are live, a version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from bridge.cli import json_lines
from bridge.cli.existing import existing_ledger
from bridge.cli.live_state import compiled_version
from bridge.cli.mistakes import mistake_object, print_mistakes
from bridge.cli.reading import Reading, named_files, read_rules
from bridge.cli.screen import clean, screen
from bridge.cli.versions import live_now, version_named
from bridge.config import Config
from bridge.errors import ConfigurationError, Mistake, OperatorError
from bridge.ledger.database import Database
from bridge.rules import Rule, RuleSet
from bridge.wording import meant

LIVE = "live"
_FILES = (None, ".")
_VERSION = re.compile(r"[0-9a-fA-F]{3,12}", re.ASCII)


@dataclass(frozen=True)
class ChosenRules:
    """`named` says which they are. The rules carry the files in which they really stand."""

    rules: RuleSet
    named: str

    def one(self, name: str) -> Rule:
        """The rule of that name, whatever its case; raises OperatorError."""
        for rule in self.rules.rules:
            if rule.name.casefold() == name.strip().casefold():
                return rule
        advice = meant(name, [rule.name for rule in self.rules.rules])
        raise OperatorError(f"there is no rule `{clean(name, 100)}`; {advice}")


def is_rules(name: str) -> bool:
    """Whether it can only be meant for rules: a file, a folder, or `live`."""
    return name in (LIVE, ".") or Path(name).exists()


def chosen_rules(config: Config, name: str | None, *, as_json: bool) -> ChosenRules:
    """The rules that a command names.

    Ends the command with status 1 where they have mistakes, which it tells as
    `rules check` does. Raises OperatorError where there are no such rules.
    """
    try:
        if name in _FILES:
            return _of_files(config, None)
        if name == LIVE or (name and _VERSION.fullmatch(name) and not Path(name).exists()):
            return of_ledger(config, name)
        return _of_files(config, Path(str(name)))
    except ConfigurationError as error:
        _tell(error.mistakes, as_json)
        raise click.exceptions.Exit(1) from error


def of_ledger(config: Config, name: str) -> ChosenRules:
    """What is live, or a version that is kept; raises OperatorError, and ConfigurationError
    where it does not fit bridge.yaml.
    """
    with ExitStack() as stack:
        database = _ledger(stack, config, name)
        connection = stack.enter_context(database.read())
        version = live_now(connection).version if name == LIVE else version_named(connection, name)
        rules = compiled_version(config, connection, version)
    said = f"the live version {version}" if name == LIVE else f"version {version}"
    return ChosenRules(rules, said)


def _ledger(stack: ExitStack, config: Config, name: str) -> Database:
    try:
        return stack.enter_context(existing_ledger(config))
    except OperatorError:
        if name == LIVE:
            raise
        raise OperatorError(f"there is no file or folder {clean(name)}") from None


def _of_files(config: Config, draft: Path | None) -> ChosenRules:
    reading = read_rules(draft)
    _require(reading)
    assert reading.rules is not None  # noqa: S101
    named = str(draft) if draft else named_files(config.folder, reading.rules.files)
    return ChosenRules(reading.rules, named)


def _require(reading: Reading) -> None:
    if reading.mistakes:
        raise ConfigurationError(reading.mistakes)
    if reading.complaints:
        raise OperatorError("\n".join(reading.complaints))


def _tell(mistakes: Sequence[Mistake], as_json: bool) -> None:
    if as_json:
        json_lines.say({"ok": False, "mistakes": [mistake_object(each) for each in mistakes]})
    else:
        print_mistakes(screen(), mistakes)
