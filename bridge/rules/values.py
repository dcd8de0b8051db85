"""Values as rules see them: found by path, compared whatever their type, said in words.

Nothing here raises, whatever an event holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from bridge import days
from bridge.event import Event
from bridge.rules.folding import LONGEST_SHOWN, folded, folded_part, shown

_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(\.[0-9]{0,40})?", re.ASCII)
_PERSONAL = re.compile(
    r"^contact\.(?!consent)|email|phone|holder|customer_|_on_ticket|(first|last|full)_?name",
    re.IGNORECASE,
)
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
_MOST_SAID = 5

UNSAID = "another one"
"""What is said instead of a value that could tell who somebody is."""


def view(event: Event) -> dict[str, Any]:
    """What conditions and templates can name: facts, and `contact`, `event` and `raw`."""
    return {
        **event.facts,
        "contact": vars(event.contact),
        "event": {
            "id": event.id or None,
            "type": event.type,
            "source": event.source,
            "time": _received(event),
        },
        "raw": event.raw,
    }


def _received(event: Event) -> datetime | None:
    return None if event.received_at is None else datetime.fromtimestamp(event.received_at, UTC)


def lookup(seen: Mapping[str, Any], path: str) -> list[Any]:
    """Every value at a dotted path; a list on the way stands for each of its members."""
    values: list[Any] = [seen]
    for name in path.split("."):
        values = [
            member[name]
            for value in values
            for member in _members(value)
            if isinstance(member, Mapping) and name in member
        ]
    found = [member for value in values for member in _members(value)]
    return [value for value in found if value is not None]


def _members(value: Any) -> list[Any]:
    """Lists in lists are rare, flat in the end, and never deep: strict JSON bounds them."""
    if not isinstance(value, list | tuple):
        return [value]
    return [member for inner in value for member in _members(inner)]


def number(value: Any) -> Decimal | None:
    """The exact number, also from a text that is one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    text = value.strip() if isinstance(value, str) else ""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def truth(value: Any) -> bool | None:
    """True or false, also as the words true, yes, false and no."""
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(value.strip().casefold()) if isinstance(value, str) else None


def moment(value: Any) -> datetime | None:
    """An aware time from a time, a day or an ISO 8601 text; without an offset it is of UTC."""
    return days.moment(value)


def span(value: Any, zone: tzinfo = UTC) -> tuple[datetime, datetime] | None:
    """The first and the last moment meant by a time, or by a day in the zone; None: it is neither.

    Of a `When` the zone is its own.
    """
    if isinstance(value, When):
        return value.start, value.end
    day = days.bare_day(value)
    if day is not None:
        return days.span_of_day(day, zone)
    when = days.moment(value)
    return None if when is None else (when, when)


@dataclass(frozen=True)
class When:
    """A day or a time as a rule writes it: of the calendar and the clocks of a zone.

    `is_told`: the zone decides what is meant, so that people should be told which it is.
    """

    said: str
    zone: tzinfo
    start: datetime
    end: datetime
    is_told: bool

    def meets(self, found: Any) -> bool:
        """Whether what was found is that time, or in that day."""
        inner = span(found, self.zone)
        return inner is not None and self.start <= inner[0] and inner[1] <= self.end

    def __str__(self) -> str:
        return f"{self.said} in {self.zone}" if self.is_told else self.said


def when(value: Any, zone: tzinfo) -> When | None:
    """What a rule means by a text such as `2027-07-02`; None: no day and no time."""
    bare = isinstance(value, date) and not isinstance(value, datetime)
    said = value.isoformat() if bare else value.strip() if isinstance(value, str) else ""
    day, start = days.bare_day(said), days.moment(said, zone)
    if day is not None:
        return When(said, zone, *days.span_of_day(day, zone), is_told=True)
    named = days.moment(said)
    return None if start is None else When(said, zone, start, start, is_told=start != named)


def text(value: Any) -> str | None:
    """For comparing: as people see it, without regard to capitals."""
    if isinstance(value, str):
        return folded(value)
    if isinstance(value, bool) or value is None or isinstance(value, Mapping | Sequence):
        return _word(value)
    return say(value).casefold()


def part(value: Any) -> str | None:
    """The same of what is looked for in a text: a blank at its end is the end of a word."""
    return folded_part(value) if isinstance(value, str) else text(value)


def beginning(value: Any) -> str | None:
    """The same at the beginning of a text, where no text has a blank."""
    found = part(value)
    return found.lstrip() if found else found


def ending(value: Any) -> str | None:
    """The same at the end of a text."""
    found = part(value)
    return found.rstrip() if found else found


def _word(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None


def say(value: Any) -> str:
    """A value in a sentence; texts are cut, groups only named."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M %Z").strip()
    if isinstance(value, When):
        return str(value)
    if isinstance(value, str):
        return shown(value)
    return "a group" if isinstance(value, Mapping) else str(value)[:LONGEST_SHOWN]


def say_found(path: str, values: Sequence[Any], zone: tzinfo | None = None) -> str:
    """What was found, for a verdict; what could tell who somebody is stays unsaid.

    Times are said by the clocks of the zone, if one is given.
    """
    if is_personal(path, values):
        return UNSAID
    said = list(dict.fromkeys(say(_by_clocks_of(zone, value)) for value in values))
    more = len(said) - _MOST_SAID
    return ", ".join(said[:_MOST_SAID]) + (f" and {more} more" if more > 0 else "")


def _by_clocks_of(zone: tzinfo | None, value: Any) -> Any:
    return days.local(value, zone) if zone and isinstance(value, datetime) else value


def is_personal(path: str, values: Sequence[Any]) -> bool:
    """Whether what was found could tell who somebody is."""
    told = any(isinstance(value, str) and "@" in value for value in values)
    return told or _PERSONAL.search(path) is not None
