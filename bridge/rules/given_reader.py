"""Reads `given` of a test: which sample or recorded event comes in, and what is different in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from bridge import days
from bridge.amounts import number_meant
from bridge.findings import Findings
from bridge.rules import values
from bridge.rules.expected import Change, Given
from bridge.rules.records import World
from bridge.rules.relative import Relative, relative
from bridge.rules.schema import GivenText
from bridge.rules.vocabulary import FREE, Kind, Shape, Vocabulary, vocabulary
from bridge.source import Sample, Source
from bridge.wording import meant, quoted
from bridge.yaml_text import Path

_EVENT = re.compile(r"\d{1,18}(-([1-9]\d{0,5}))?", re.ASCII)
_TIME_ADVICE = "write it like 2027-07-01T10:00, or 2027-07-01T10:00:00-06:00"
# What no test can change: most of it is what the receiver says of an event.
_FIXED = {
    "event.time": "write `received:` beside `with` instead",
    "event.type": "choose another sample",
    "event.source": "write `source:` beside `sample` instead",
    "event.id": "leave it out",
    "raw": "name one of its fields: `raw.name`",
}
_WANTED: Mapping[Kind, tuple[str, str]] = {
    "text": ("a text", 'put quotes around it: "..."'),
    "number": ("a number", "write 3, without quotes"),
    "money": ("an amount", "write 100 or 99.50, without a currency"),
    "date": ("a date", "write 2027-07-03T19:30:00-06:00, or in 3 days"),
    "yes/no": ("true or false", "write true or false"),
}
# Nearer to the ends of the calendar there are no other zones' times.
_YEARS = range(1900, 3000)
_WRONG = object()


class GivenReader:
    """Reads what comes in; what is wrong is found, and left out.

    `zone` is where times are that do not say it.
    """

    def __init__(self, findings: Findings, world: World, zone: str) -> None:
        self._findings = findings
        self._sources = world.sources
        self._zone = ZoneInfo(zone)
        self._words: dict[tuple[str, str], Vocabulary] = {}

    def read(self, text: GivenText, path: Path) -> Given | None:
        """None where nobody can tell what comes in."""
        received = self._received(text.received, (*path, "received"))
        if (text.sample is None) == (text.event is None):
            what = "`given` needs a `sample` or an `event`, one of the two"
            self._add(path, what, self._some_samples(), at_key=True)
            return None
        if text.event is not None:
            event = self._event(str(text.event), text.source, path)
            words = self._vocabulary("", "")
            changes = self._changes(text.changes, words, (*path, "with"))
            return Given(event=event, changes=changes, received=received) if event else None
        found = self._sample(text.sample or "", text.source, path)
        if found is None:
            return None
        source, sample = found
        words = self._vocabulary(source, sample.event_type)
        changes = self._changes(text.changes, words, (*path, "with"))
        return Given(source, sample.name, changes=changes, received=received)

    def _vocabulary(self, source: str, event: str) -> Vocabulary:
        """Of all events of all sources, where none is named; made once for all tests."""
        about = (source, event)
        if about not in self._words:
            sources, events = ([source], (event,)) if source else (self._sources, ())
            self._words[about] = vocabulary(self._sources, sources, events)
        return self._words[about]

    @cached_property
    def _samples(self) -> list[tuple[str, Sample]]:
        """Those of all sources, each with its source's name."""
        return [
            (name, sample) for name, kind in self._sources.items() for sample in samples_of(kind)
        ]

    def _event(self, event: str, source: str | None, path: Path) -> str:
        if source is not None:
            self._add((*path, "source"), "an `event` has a source of its own", "leave `source` out")
        if _EVENT.fullmatch(event):
            return event
        what = f"{quoted(event)} is no event's number"
        known = any(sample.name == event for _, sample in self._samples)
        advice = "write one like 1042, as `showbridge events` lists them"
        place = (*path, "event")
        self._add(place, what, f"write `sample: {event}`" if known else advice)
        return ""

    def _sample(self, name: str, source: str | None, path: Path) -> tuple[str, Sample] | None:
        if source is not None and source not in self._sources:
            what = f"there is no source {quoted(source)}"
            self._add((*path, "source"), what, meant(source, self._sources))
            return None
        known = [pair for pair in self._samples if source in (None, pair[0])]
        found = [(each, sample) for each, sample in known if sample.name == name]
        if one := self._of_one_kind(found):
            return one
        if found:
            what = f"several sources have a sample {quoted(name)}"
            advice = f"add a line `source: {found[0][0]}`"
        else:
            what = f"{source} has no sample" if source else "there is no sample"
            what, advice = f"{what} {quoted(name)}", meant(name, {one.name for _, one in known})
        self._add((*path, "sample"), what, advice)
        return None

    def _of_one_kind(self, found: Sequence[tuple[str, Sample]]) -> tuple[str, Sample] | None:
        """The source that is called like its kind, or the first: they have the same samples."""
        kinds = {self._sources[name] for name, _ in found}
        if len(kinds) != 1:
            return None
        [kind] = kinds
        return next((one for one in found if one[0] == kind.kind), found[0])

    def _some_samples(self) -> str:
        first = next((sample.name for _, sample in self._samples), "")
        return f"write `sample: {first}`" if first else "write `event: 1042`"

    def _received(self, text: str | None, path: Path) -> datetime | None:
        received = None if text is None else moment_in(text, self._zone)
        if text is not None and received is None:
            self._add(path, f"{quoted(text)} is no time", _TIME_ADVICE)
        return received

    def _changes(self, changes: Any, words: Vocabulary, path: Path) -> tuple[Change, ...]:
        return tuple(
            change
            for name, value in changes.items()
            for change in self._change(name, value, words, (*path, name))
        )

    def _change(self, name: str, value: Any, words: Vocabulary, path: Path) -> Iterator[Change]:
        shape = words.find(name)
        if name in _FIXED:
            self._add(path, f"{quoted(name)} cannot be set", _FIXED[name], at_key=True)
        elif shape is None:
            self._add(path, *words.unknown(name), at_key=True)
        elif shape.kind == "group":
            below = ", ".join(f"`{name}.{part}`" for part in list(shape.parts)[:8])
            self._add(path, f"`{name}` is a group", f"name one of its fields: {below}", at_key=True)
        else:
            made = self._made(name, shape, value, path)
            if made is not _WRONG:
                yield Change(name, made)

    def _made(self, name: str, shape: Shape, value: Any, path: Path) -> Any:
        """The value as an event has it; None is what is not known."""
        if value is None:
            return None
        if shape.kind == "list" and shape.parts:
            return self._members(name, shape, value, path)
        made = _of_kind(shape.kind, value, self._zone)
        if shape.kind == "yes/no":
            self._findings.taken(path)
        if made is _WRONG:
            words, advice = _WANTED.get(shape.kind, ("a list", "write [one, two]"))
            amount = number_meant(value) if shape.kind in ("number", "money") else ""
            advice = f"write {amount}" if amount else advice
            self._add(path, f"`{name}` must be {words}", advice)
        return made

    def _members(self, name: str, shape: Shape, value: Any, path: Path) -> Any:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            first = next(iter(shape.parts))
            advice = f"write [{{{first}: ...}}, {{{first}: ...}}]"
            self._add(path, f"`{name}` must be a list of groups", advice)
            return _WRONG
        return [
            {**dict.fromkeys(shape.parts), **self._member(name, shape, one, (*path, number))}
            for number, one in enumerate(value)
        ]

    def _member(
        self, name: str, shape: Shape, member: Mapping[str, Any], path: Path
    ) -> dict[str, Any]:
        made = {}
        for key, value in member.items():
            part = shape.parts.get(key)
            if part is None:
                what = f"an entry of `{name}` has no field {quoted(key)}"
                self._add((*path, key), what, meant(key, shape.parts), at_key=True)
                continue
            one = self._made(f"{name}.{key}", part, value, (*path, key))
            made[key] = None if one is _WRONG else one
        return made

    def _add(self, path: Path, what: str, advice: str = "", *, at_key: bool = False) -> None:
        self._findings.add(path, what, advice, at_key=at_key)


def samples_of(kind: type[Source]) -> tuple[Sample, ...]:
    """None where the source ships none."""
    try:
        return kind.samples()
    except (OSError, ImportError):
        return ()


def moment_in(text: str, zone: tzinfo) -> datetime | None:
    """The time that a text says, in the zone where it names none; None: no test can be then."""
    try:
        found = datetime.fromisoformat(text.strip()[:40])
    except ValueError:
        return None
    if found.year not in _YEARS:
        return None
    return found.replace(tzinfo=zone) if found.utcoffset() is None else found


def _of_kind(kind: Kind, value: Any, zone: tzinfo) -> Any:
    if kind == FREE.kind:
        return value
    if kind == "list":
        return value if isinstance(value, list) else _WRONG
    if isinstance(value, dict | list):
        return _WRONG
    made: Any = None
    if kind == "text":
        made = value if isinstance(value, str) else None if isinstance(value, bool) else str(value)
    elif kind in ("number", "money"):
        made = _number(kind, value)
    elif kind == "date":
        made = _date(value, zone)
    elif kind == "yes/no":
        made = values.truth(value)
    return _WRONG if made is None else made


def _number(kind: Kind, value: Any) -> int | Decimal | None:
    number = values.number(value)
    whole = kind == "number" and number is not None and number == number.to_integral_value()
    return int(number) if whole and number is not None else number


def _date(value: Any, zone: tzinfo) -> date | Relative | None:
    """A Relative counts from when the event comes in, or from another field."""
    if not isinstance(value, str):
        return None
    told, found = relative(value, zone), moment_in(value, zone)
    return told or (days.bare_day(value) if found else None) or found
