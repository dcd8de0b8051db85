"""Reads what rules share by name: `lists`, `texts`, and the `time_zone` of all files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.findings import Findings
from bridge.rules import date_filter
from bridge.wording import quoted
from bridge.yaml_text import Path

UTC = "UTC"


@dataclass(frozen=True)
class Named:
    """What is shared."""

    lists: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = UTC


class NamedReader:
    """Reads one file after the other."""

    def __init__(self) -> None:
        self._lists: dict[str, tuple[Any, ...]] = {}
        self._texts: dict[str, str] = {}
        self._zones: dict[str, str] = {}
        self._where: dict[tuple[str, str], tuple[str, int]] = {}

    def named(self) -> Named:
        return Named(self._lists, self._texts, next(iter(self._zones), UTC))

    def read(self, findings: Findings, value: Mapping[str, Any]) -> None:
        for name, entries in _group(value, "lists").items():
            self._list(findings, name, entries, ("lists", name))
        for name, text in _group(value, "texts").items():
            self._text(findings, name, text, ("texts", name))
        zone = value.get("time_zone")
        if isinstance(zone, str):
            self._zone(findings, zone.strip())

    def _list(self, findings: Findings, name: str, entries: Any, path: Path) -> None:
        plain = isinstance(entries, list) and all(
            isinstance(one, str | int | float) for one in entries
        )
        if not plain or not entries:
            what = f"the list {quoted(name)} must have entries, each a text or a number"
            findings.add(path, what, "write [one, two]")
        elif self._is_new(findings, "list", name, path):
            self._lists[name] = tuple(entries)

    def _text(self, findings: Findings, name: str, text: Any, path: Path) -> None:
        if not isinstance(text, str):
            findings.add(
                path, f"the text {quoted(name)} must be text", 'put quotes around it: "..."'
            )
        elif self._is_new(findings, "text", name, path):
            self._texts[name] = text

    def _is_new(self, findings: Findings, kind: str, name: str, path: Path) -> bool:
        here = findings.document.mistake(path, "", at_key=True)
        first = self._where.setdefault((kind, name), (here.file, here.line))
        if first == (here.file, here.line):
            return True
        other = _at(first, here.file)
        what = f"two {kind}s are called {quoted(name)}: this one and the one in {other}"
        findings.add(path, what, "give each a name of its own", at_key=True)
        return False

    def _zone(self, findings: Findings, zone: str) -> None:
        try:
            date_filter.zone(zone)
        except ValueError as error:
            findings.add(("time_zone",), f"`time_zone` is {quoted(zone)}, but {error}")
            return
        first = next(iter(self._zones), zone)
        if first != zone:
            what = f"{self._zones[first]} says {first}, and there is one `time_zone` for all files"
            findings.add(("time_zone",), what, "leave one of the two out")
            return
        self._zones[zone] = findings.document.file


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = value.get(name)
    return group if isinstance(group, dict) else {}


def _at(first: tuple[str, int], file: str) -> str:
    return f"line {first[1]}" if first[0] == file else f"{first[0]}, line {first[1]}"
