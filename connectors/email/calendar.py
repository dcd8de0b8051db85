"""The calendar entry of an order's tickets: iCalendar, https://www.rfc-editor.org/rfc/rfc5545.

The facts of a purchase name when an event starts and ends, in UTC; they do not say where it is.
A start without a time is a day, the same one in every zone: the entry is for the whole day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import icalendar

from connectors.email.text import one_line

MOST = 20
"""Entries in one file; nobody goes to more at a time."""


@dataclass(frozen=True)
class Show:
    """Something to go to, at a time in UTC or on a day; `key` is the same for all who go."""

    key: str
    name: str
    starts: date
    ends: date | None


def shows(event: Mapping[str, Any]) -> list[Show]:
    """What the tickets admit to, each once, in the order of their start."""
    found = {show.key: show for show in _shows(event)}
    return sorted(found.values(), key=lambda show: _first_moment(show.starts))[:MOST]


def calendar(event: Mapping[str, Any], location: str, domain: str) -> str:
    """The file's text, empty where no ticket has a start; `domain` makes the entries' names ours.

    The same show has the same name in every file, so that a second ticket is no second entry.
    """
    found = shows(event)
    if not found:
        return ""
    file = icalendar.Calendar()
    file.add("prodid", "-//Showbridge//EN")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    stamp = _moment(_inner(event, "event").get("time")) or _first_moment(found[0].starts)
    for show in found:
        file.add_component(_entry(show, stamp, one_line(location), domain))
    return str(file.to_ical(), "utf-8")


def _entry(show: Show, stamp: datetime, location: str, domain: str) -> icalendar.Event:
    entry = icalendar.Event()
    name = hashlib.sha256(show.key.encode(errors="replace")).hexdigest()[:24]
    entry.add("uid", f"{name}@{domain}")
    entry.add("dtstamp", stamp)
    entry.add("summary", show.name)
    entry.add("dtstart", show.starts)
    ends = _end(show)
    if ends:
        entry.add("dtend", ends)
    if location:
        entry.add("location", location)
    return entry


def _end(show: Show) -> date | None:
    """Of the same type as the start; for whole days it is the day after the last one.

    None: it is not known, or the show ends on the day on which it starts. See
    https://www.rfc-editor.org/rfc/rfc5545#section-3.6.1
    """
    if show.ends is None or type(show.ends) is not type(show.starts) or show.ends <= show.starts:
        return None
    return show.ends if isinstance(show.ends, datetime) else _day_after(show.ends)


def _day_after(day: date) -> date | None:
    return day + timedelta(days=1) if day < date.max else None


def _shows(event: Mapping[str, Any]) -> Iterator[Show]:
    tickets = event.get("tickets")
    for ticket in tickets if isinstance(tickets, list) else []:
        if isinstance(ticket, Mapping) and (starts := _when(ticket.get("starts_on"))):
            name = one_line(str(ticket.get("event_name") or "")) or "Event"
            key = f"{ticket.get('event_id') or name} {_first_moment(starts).isoformat()}"
            yield Show(key, name, starts, _when(ticket.get("ends_on")))


def _when(value: Any) -> date | None:
    """A day if no time is named, else as `_moment`."""
    try:
        return date.fromisoformat(str(value)[:40].strip())
    except ValueError:
        return _moment(value)


def _first_moment(when: date) -> datetime:
    return when if isinstance(when, datetime) else datetime.combine(when, time(), UTC)


def _moment(value: Any) -> datetime | None:
    """In UTC and whole seconds."""
    try:
        when = datetime.fromisoformat(str(value)[:40])
        aware = when.replace(tzinfo=UTC) if when.utcoffset() is None else when
        return aware.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def _inner(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = event.get(name)
    return inner if isinstance(inner, Mapping) else {}
