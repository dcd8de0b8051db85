"""Both files read at once, so that one's mistakes do not hide the other's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge import yaml_text
from bridge.config import FILE, RULES_FILE, Config, load, world
from bridge.errors import ConfigurationError, Mistake, OperatorError
from bridge.registry import Registry, installed
from bridge.rules import RuleSet, World, compile_rules


@dataclass(frozen=True)
class Reading:
    """What both files say, or everything that is wrong.

    `complaints` are about no line: a missing file, a variable. `unread` says
    that rules.yaml could not be read to the end for bridge.yaml's mistakes.
    """

    config: Config | None
    rules: RuleSet | None
    mistakes: tuple[Mistake, ...]
    complaints: tuple[str, ...]
    unread: bool = False

    @property
    def is_right(self) -> bool:
        return not (self.mistakes or self.complaints)


def read_both() -> Reading:
    """Of the folder that the environment names."""
    config, mistakes, complaints = _config()
    folder = config.folder if config else Path(os.environ.get("SHOWBRIDGE_CONFIG") or "config")
    known = world(config) if config else _rough_world(folder / FILE)
    try:
        rules = _rules(folder / RULES_FILE, known)
    except ConfigurationError as error:
        return Reading(config, None, (*mistakes, *error.mistakes), complaints, known is None)
    except OperatorError as error:
        return Reading(config, None, mistakes, (*complaints, str(error)))
    return Reading(config, rules, mistakes, complaints, known is None)


def _config() -> tuple[Config | None, tuple[Mistake, ...], tuple[str, ...]]:
    try:
        return load(os.environ), (), ()
    except ConfigurationError as error:
        return None, error.mistakes, ()
    except OperatorError as error:
        return None, (), tuple(str(error).split("\n"))


def _rules(file: Path, known: World | None) -> RuleSet | None:
    """Without a world only what is wrong with any world is found."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise OperatorError(f"{file} cannot be read: {why}") from error
    if known is not None:
        return compile_rules(text, str(file), known)
    yaml_text.read(text, str(file))
    return None


def _rough_world(file: Path) -> World | None:
    """What bridge.yaml names, mistakes aside; None where a name is of no known kind."""
    try:
        value = yaml_text.read(file.read_text("utf-8"), str(file)).value
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
