"""What is different between the texts of two versions, by the names of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge import yaml_text
from bridge.cli.screen import clean, indented
from bridge.errors import ConfigurationError

_NAMED = {"lists": "list", "texts": "text"}
# After so many names the rest is counted.
MOST_NAMED = 12


@dataclass(frozen=True)
class Changes:
    """Names of rules, and in `other` what else is different, in words.

    A file that cannot be read (a version may have been kept with mistakes) counts as
    one thing.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    @property
    def groups(self) -> Mapping[str, Sequence[str]]:
        return {
            "added": self.added,
            "changed": self.changed,
            "removed": self.removed,
            "other": self.other,
        }


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Changes:
    """Of two versions' texts, by the names of their files."""
    old, new = _Read(before), _Read(after)
    common = [name for name in new.rules if name in old.rules]
    return Changes(
        added=tuple(name for name in new.rules if name not in old.rules),
        changed=tuple(name for name in common if old.rules[name] != new.rules[name]),
        removed=tuple(name for name in old.rules if name not in new.rules),
        other=tuple(_others(old, new)),
    )


def rule_names(files: Mapping[str, str]) -> list[str]:
    """As far as they can be read."""
    return list(_Read(files).rules)


def print_changes(console: Console, found: Changes) -> None:
    """A line for each name, under the word for what happened to it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for word, names in found.groups.items():
        for number, name in enumerate(names[:MOST_NAMED]):
            table.add_row("" if number else _word(word), Text(clean(name)))
        if len(names) > MOST_NAMED:
            table.add_row("", f"and {len(names) - MOST_NAMED:,} more")
    if table.row_count:
        console.print(indented(table, 2))


def _word(group: str) -> str:
    return "also" if group == "other" else group


class _Read:
    """The parts of one version, as YAML reads them."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.rules: dict[str, Any] = {}
        self.parts: dict[str, Any] = {}
        for file, text in files.items():
            try:
                value = yaml_text.read(text, file).value
            except ConfigurationError:
                self.parts[file] = text
                continue
            self._read(file, value if isinstance(value, dict) else {})

    def _read(self, file: str, value: Mapping[str, Any]) -> None:
        rules = value.get("rules")
        for entry in rules if isinstance(rules, list) else []:
            name = entry.get("name") if isinstance(entry, dict) else None
            self.rules[str(name)] = entry
        for key, word in _NAMED.items():
            group = value.get(key)
            for name, one in group.items() if isinstance(group, dict) else ():
                self.parts[f"the {word} {name}"] = one
        if "time_zone" in value:
            self.parts["time_zone"] = value["time_zone"]
        if "tests" in value:
            self.parts[f"the tests in {file}"] = value["tests"]


def _others(old: _Read, new: _Read) -> Iterator[str]:
    common = [name for name in new.rules if name in old.rules]
    if common != [name for name in old.rules if name in new.rules]:
        yield "the order of the rules"
    for part in {**old.parts, **new.parts}:
        if part not in old.parts or part not in new.parts or old.parts[part] != new.parts[part]:
            yield part
