"""Reads what rules share: `lists` and `texts` by name, `time_zone` and `country` of all files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.connector import ConnectorSettings
from bridge.findings import Findings
from bridge.rules import date_filter
from bridge.rules.countries import complaint_about_country, country_named
from bridge.rules.slips import list_meant
from bridge.rules.timing_reader import warn_of_zone
from bridge.wording import quoted
from bridge.yaml_text import Path

UTC = "UTC"

_LIST_ADVICE = "write texts or numbers, such as [VIP, Backstage]"


@dataclass(frozen=True)
class Named:
    """What is shared. `zones` are those of the accounts that give one.

    `names_zone`: the files give one, or all accounts that do give the same.
    """

    lists: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = UTC
    country: str | None = None
    names_zone: bool = False
    zones: Mapping[str, str] = field(default_factory=dict)

    def zone_of(self, account: str) -> str:
        """The one of the texts that the account sends: its own, if no single one holds for all."""
        return self.time_zone if self.names_zone else self.zones.get(account, self.time_zone)


class NamedReader:
    """Reads one file after the other."""

    def __init__(self) -> None:
        self._lists: dict[str, tuple[Any, ...]] = {}
        self._texts: dict[str, str] = {}
        self._zones: dict[str, str] = {}
        self._countries: dict[str, str] = {}
        self._where: dict[tuple[str, str], tuple[str, int]] = {}

    def named(self, settings: Mapping[str, ConnectorSettings]) -> Named:
        """`settings` are those of the accounts: where the files give no zone, theirs counts."""
        zones = {
            name: str(getattr(one, "time_zone", UTC))
            for name, one in settings.items()
            if "time_zone" in one.model_fields_set
        }
        given = list(self._zones) or (list(zones.values()) if len(set(zones.values())) == 1 else [])
        return Named(
            self._lists,
            self._texts,
            time_zone=next(iter(given), UTC),
            country=next(iter(self._countries), None),
            names_zone=bool(given),
            zones=zones,
        )

    def read(self, findings: Findings, value: Mapping[str, Any]) -> None:
        for name, entries in _group(value, "lists").items():
            self._list(findings, name, entries, ("lists", name))
        for name, text in _group(value, "texts").items():
            self._text(findings, name, text, ("texts", name))
        zone = value.get("time_zone")
        if isinstance(zone, str):
            self._zone(findings, zone.strip())
        country = value.get("country")
        if isinstance(country, str):
            self._country(findings, country)

    def _list(self, findings: Findings, name: str, entries: Any, path: Path) -> None:
        if isinstance(entries, list):
            for number, one in enumerate(entries):
                if not isinstance(one, str | int | float):
                    what = f"an entry of the list {quoted(name)} is neither text nor number"
                    findings.add((*path, number), what, _LIST_ADVICE)
        if not isinstance(entries, list) or not entries:
            what = f"the list {quoted(name)} has no entries"
            meaning = list_meant(entries)
            findings.add(path, what, f"write {meaning}" if meaning else _LIST_ADVICE)
            entries = []
        if self._is_new(findings, "list", name, path):
            self._lists[name] = tuple(one for one in entries if isinstance(one, str | int | float))

    def _text(self, findings: Findings, name: str, text: Any, path: Path) -> None:
        if isinstance(text, int | float):
            what = f"the text {quoted(name)} must be text"
            findings.add(path, what, f'put quotes around it: "{str(text).lower()}"')
        elif not isinstance(text, str):
            what = f"the text {quoted(name)} must be one text"
            findings.add(path, what, 'write it behind the colon, in quotes: "..."')
        if self._is_new(findings, "text", name, path):
            # What is wrong with it is told once, and not again where it is used.
            self._texts[name] = text if isinstance(text, str) else ""

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
        except ValueError:
            advice = date_filter.advice_for_zone(zone)
            findings.add(("time_zone",), f"there is no time zone {quoted(zone)}", advice)
            return
        warn_of_zone(findings, zone, ("time_zone",))
        _one_for_all(findings, "time_zone", zone, self._zones)

    def _country(self, findings: Findings, written: str) -> None:
        country = country_named(written)
        if country is None:
            findings.add(("country",), *complaint_about_country(written))
        else:
            findings.taken(("country",))
            _one_for_all(findings, "country", country, self._countries)


def _one_for_all(findings: Findings, key: str, value: str, known: dict[str, str]) -> None:
    """`known` is the value with the file that says it, once one does."""
    first = next(iter(known), value)
    if first != value:
        what = f"{known[first]} says {first}, and there is one `{key}` for all files"
        findings.add((key,), what, "leave one of the two out")
        return
    known[value] = findings.document.file


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = value.get(name)
    return group if isinstance(group, dict) else {}


def _at(first: tuple[str, int], file: str) -> str:
    return f"line {first[1]}" if first[0] == file else f"{first[0]}, line {first[1]}"
