"""Reads when a rule does what it does: `after`, `at` and `quiet_hours`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from bridge.findings import Findings
from bridge.rules import date_filter
from bridge.rules.misplaced import tell_of_ends
from bridge.rules.relative import RECEIVED, Relative, duration, relative
from bridge.rules.schema import CLOCK, QuietText
from bridge.rules.slips import clock_meant, length_trouble
from bridge.rules.timing import QuietHours, TimeOfDay, Timing
from bridge.rules.vocabulary import Vocabulary
from bridge.wording import meant, quoted
from bridge.yaml_text import Path

_AT = re.compile(rf"{CLOCK.pattern}(?:\s+(.+))?", re.ASCII)
_CLOCK_AND_REST = re.compile(r"(\d\S*(?:\s*[ap]\.?m\.?)?)(.*)", re.IGNORECASE)
_EVENT_LOCAL = "event local"


class TimingReader:
    """Reads the times of one rule; what is wrong is found, and left out. `zone` is the files'."""

    def __init__(self, findings: Findings, zone: str) -> None:
        self._findings = findings
        self._zone = zone

    def read(self, rule: Mapping[str, Any], words: Vocabulary, path: Path) -> Timing | None:
        """None where it does everything at once; `words` are the fields that it may name."""
        delay = self._delay(rule.get("after"), words, (*path, "after"))
        at = self._time_of_day(rule.get("at"), (*path, "at"))
        quiet = self._quiet(rule.get("quiet_hours"), (*path, "quiet_hours"))
        if not (delay or at or quiet):
            return None
        said = []
        if delay:
            said.append(delay.said if delay.field != RECEIVED else f"{delay.said} later")
        if at:
            said.append(f"at {at.clock:%H:%M} in {at.zone}")
        return Timing(delay, at, quiet, " ".join(said))

    def _delay(self, wanted: Any, words: Vocabulary, path: Path) -> Relative | None:
        if not isinstance(wanted, str):
            return None
        seconds = duration(wanted)
        if seconds is not None:
            return Relative(seconds, RECEIVED, " ".join(wanted.split()), ZoneInfo(self._zone))
        told = relative(wanted, ZoneInfo(self._zone))
        if told is None or told.said.lower() == "now" or told.said.lower().endswith(" ago"):
            self._add(path, *_no_delay(wanted, words))
            return None
        shape = words.find(told.field)
        if shape is None:
            self._add(path, *words.unknown(told.field))
        elif shape.kind not in ("date", "anything"):
            self._add(path, f"`{told.field}` is no date", meant(told.field, words.dates()))
        return told

    def _time_of_day(self, wanted: Any, path: Path) -> TimeOfDay | None:
        if not isinstance(wanted, str):
            return None
        found = _AT.fullmatch(wanted.strip())
        if found is None:
            rest = _CLOCK_AND_REST.fullmatch(wanted.strip())
            meaning = clock_meant(wanted)
            if rest and not meaning:
                meaning = clock_meant(rest[1]) + rest[2].rstrip()
            advice = f'write "{meaning}"' if meaning[:1].isdigit() else _AT_ADVICE
            self._add(path, f"{quoted(wanted)} is no time of day from 00:00 to 23:59", advice)
            return None
        named = _zone_named(found)
        if re.fullmatch(r"[ap]\.?m\.?", named, re.IGNORECASE):
            what = f"{quoted(wanted)} is no time of day from 00:00 to 23:59"
            self._add(path, what, f'write "{clock_meant(wanted)}"')
            return None
        local = _is_local(named)
        zone = self.zone(self._zone if local else named, path)
        if not local:
            warn_of_zone(self._findings, named, path)
        return TimeOfDay(time(int(found[1]), int(found[2])), zone) if zone else None

    def _quiet(self, wanted: Any, path: Path) -> QuietHours | None:
        if not isinstance(wanted, dict):
            return None
        if tell_of_ends(self._findings, wanted, path):
            return None
        clocks = {name: f'write "{at}"' for name, one in wanted.items() if (at := clock_meant(one))}
        valid = self._findings.validated(QuietText, wanted, path, advice=clocks, no_empty=True)
        if valid is None:
            return None
        zone = self.zone(valid.time_zone or self._zone, (*path, "time_zone"))
        if valid.time_zone:
            warn_of_zone(self._findings, valid.time_zone, (*path, "time_zone"))
        if valid.start == valid.end:
            what = "`quiet_hours` begin and end at the same time"
            self._add(path, what, 'write two times, such as {from: "22:00", to: "08:00"}')
            return None
        return QuietHours(_time(valid.start), _time(valid.end), zone) if zone else None

    def zone(self, name: str, path: Path) -> ZoneInfo | None:
        """A time zone by its name."""
        try:
            return date_filter.zone(name)
        except ValueError:
            self._add(
                path, f"there is no time zone {quoted(name)}", date_filter.advice_for_zone(name)
            )
            return None

    def _add(self, path: Path, what: str, advice: str = "") -> None:
        self._findings.add(path, what, advice)


def names_zone(wanted: str) -> bool:
    """Whether an `at` says in which zone it is."""
    found = _AT.fullmatch(wanted.strip())
    return found is not None and not _is_local(_zone_named(found))


def _zone_named(found: re.Match[str]) -> str:
    return (found[3] or "").strip()


def _is_local(named: str) -> bool:
    return not named or " ".join(named.lower().split()) == _EVENT_LOCAL


def warn_of_zone(findings: Findings, name: str, path: Path) -> None:
    """`EST` is a zone, but one in which there is never summer time."""
    place = date_filter.WITHOUT_SUMMER.get(name)
    if place:
        what = f"{quoted(name)} never has summer time, so half of the year this is an hour off"
        findings.warn(path, what, f"write {place} if that is meant")


_AT_ADVICE = 'write "09:00", or "09:00 America/Halifax"'


def _time(text: str) -> time:
    found = CLOCK.fullmatch(text)
    assert found is not None  # noqa: S101  # the model has looked
    return time(int(found[1]), int(found[2]))


def _no_delay(wanted: str, words: Vocabulary) -> tuple[str, str]:
    what, advice = length_trouble(wanted)
    if what:
        return what, advice
    if relative(wanted):
        return f"nothing can be put off until {quoted(wanted)}", "write 2 days, or leave it out"
    dates = [name for name in words.dates() if name != RECEIVED]
    from_date = f", or 1 day after {dates[0]}" if dates else ""
    return f"{quoted(wanted)} is no time to wait", f"write it like 2 days{from_date}"
