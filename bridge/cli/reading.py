"""All files read at once, so that the mistakes of one do not hide those of another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridge import regular_files, yaml_text
from bridge.cli.screen import counted
from bridge.config import FILE, MAX_BYTES, RULES_FILE, Config, load, world
from bridge.errors import ConfigurationError, Mistake, OperatorError
from bridge.registry import Registry, installed
from bridge.rule_files import FOLDER, RuleFiles, read_draft, read_files
from bridge.rules import RuleSet, World


@dataclass(frozen=True)
class Reading:
    """What all files say, or everything that is wrong.

    `complaints` are about no line: a missing file, a variable. `unread` says that the
    rules could not be read to the end for bridge.yaml's mistakes.
    """

    config: Config | None
    rules: RuleSet | None
    mistakes: tuple[Mistake, ...]
    complaints: tuple[str, ...]
    unread: bool = False
    files: RuleFiles | None = None

    @property
    def is_right(self) -> bool:
        return not (self.mistakes or self.complaints)


def read_both() -> Reading:
    """bridge.yaml and the rules, of the folder that the environment names."""
    config, mistakes, complaints = _config()
    reading = _rules(config, None)
    return replace(
        reading,
        mistakes=(*mistakes, *reading.mistakes),
        complaints=(*complaints, *reading.complaints),
    )


def read_rules(draft: Path | None = None) -> Reading:
    """The rules alone, as they are or with a draft in its place.

    What is wrong with bridge.yaml is left out, but then there is no `config`.
    """
    config, _, _ = _config()
    return _rules(config, draft)


def named_files(folder: Path, files: Iterable[str]) -> str:
    """`config/rules.yaml`, or `config/rules.yaml and 3 files of config/rules`."""
    more = sum(1 for name in files if name != RULES_FILE)
    first = str(folder / RULES_FILE)
    return f"{first} and {counted(more, 'file')} of {folder / FOLDER}" if more else first


def _config() -> tuple[Config | None, tuple[Mistake, ...], tuple[str, ...]]:
    try:
        return load(os.environ), (), ()
    except ConfigurationError as error:
        return None, error.mistakes, ()
    except OperatorError as error:
        return None, (), tuple(str(error).split("\n"))


def _rules(config: Config | None, draft: Path | None) -> Reading:
    folder = config.folder if config else Path(os.environ.get("SHOWBRIDGE_CONFIG") or "config")
    known = world(config) if config else _rough_world(folder / FILE)
    files = None
    try:
        files = read_draft(folder, draft) if draft else read_files(folder)
        if known is None:
            _only_read(files)
            return Reading(config, None, (), (), unread=True, files=files)
        rules = files.compiled(known)
    except ConfigurationError as error:
        return Reading(config, None, error.mistakes, (), known is None, files)
    except OperatorError as error:
        return Reading(config, None, (), (str(error),))
    return Reading(config, rules, (), (), files=files)


def _only_read(files: RuleFiles) -> None:
    """Without a world only what is wrong with any world is found."""
    mistakes: list[Mistake] = []
    for name, text in files.texts.items():
        try:
            yaml_text.read(text, str(files.places[name]))
        except ConfigurationError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigurationError(mistakes)


def _rough_world(file: Path) -> World | None:
    """What bridge.yaml names, mistakes aside; None where a name is of no known kind."""
    try:
        value = yaml_text.read(regular_files.read(file, MAX_BYTES).decode("utf-8"), str(file)).value
        registry = installed()
    except (OSError, UnicodeDecodeError, OperatorError):
        return None
    return _named(value, registry) if isinstance(value, dict) else None


def _named(value: Mapping[str, Any], registry: Registry) -> World | None:
    sources = _kinds(value.get("sources"), "kind", registry.sources)
    accounts = _kinds(value.get("accounts"), "connector", registry.connectors)
    if sources is None or accounts is None:
        return None
    return World(sources=sources, accounts=accounts)


def _kinds(group: Any, key: str, known: Mapping[str, Any]) -> dict[str, Any] | None:
    if not isinstance(group, dict):
        return None
    kinds = {
        name: known.get(str(entry.get(key, name)) if isinstance(entry, dict) else name)
        for name, entry in group.items()
    }
    return None if None in kinds.values() else kinds
