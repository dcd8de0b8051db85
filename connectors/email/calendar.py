"""The calendar entry of an order's tickets: iCalendar, https://www.rfc-editor.org/rfc/rfc5545.

The facts of a purchase name when an event starts and ends, in UTC; they do not say where it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import icalendar

from connectors.email.text import one_line

MOST = 20
"""Entries in one file; nobody goes to more at a time."""


@dataclass(frozen=True)
class Show:
    """Something to go to; `key` is the same for all who go."""

    key: str
    name: str
    starts: datetime
    ends: datetime | None


def shows(event: Mapping[str, Any]) -> list[Show]:
    """What the tickets admit to, each once, in the order of their start."""
    found = {show.key: show for show in _shows(event)}
    return sorted(found.values(), key=lambda show: show.starts)[:MOST]


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
    stamp = _moment(_inner(event, "event").get("time")) or found[0].starts
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
    if show.ends and show.ends > show.starts:
        entry.add("dtend", show.ends)
    if location:
        entry.add("location", location)
    return entry


def _shows(event: Mapping[str, Any]) -> Iterator[Show]:
    tickets = event.get("tickets")
    for ticket in tickets if isinstance(tickets, list) else []:
        if isinstance(ticket, Mapping) and (starts := _moment(ticket.get("starts_on"))):
            name = one_line(str(ticket.get("event_name") or "")) or "Event"
            key = f"{ticket.get('event_id') or name} {starts.isoformat()}"
            yield Show(key, name, starts, _moment(ticket.get("ends_on")))


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
