"""Reads what was sent, and remembers what of it could not be read: that is unknown, and told.

    reading = Reading(payload.get("data"))
    total = reading.money("total")
    ...
    Event(..., remarks=reading.remarks, unread=reading.unread)

How values are read is in `bridge.sources.lenient`. Nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from bridge.sources import lenient
from bridge.sources.bounded import MAX_TEXT

_Value = TypeVar("_Value")

MAX_REMARKS = 20
"""Remarks on one webhook; how many more there are is told."""

# What may be repeated in a remark: an amount or a time, and nothing that could be a person's.
_QUOTABLE = re.compile(r"[-+0-9TZ:.,' $]{1,40}", re.ASCII)


@dataclass
class _Unread:
    """How often something could not be read, by where it stands and what was expected."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    quotes: dict[tuple[str, str], str] = field(default_factory=dict)
    zoneless: dict[str, int] = field(default_factory=dict)

    def note(self, place: str, wanted: str, value: Any) -> None:
        key = (place, wanted)
        self.counts[key] = self.counts.get(key, 0) + 1
        text = str(value) if isinstance(value, str | int | float) else ""
        if wanted in (_AMOUNT, _DATE, _COUNT) and _QUOTABLE.fullmatch(text):
            self.quotes.setdefault(key, text)


_AMOUNT, _COUNT, _DATE = "an amount", "a whole number", "a date"
_TEXT, _FLAG, _GROUP, _LIST = "a text", "true or false", "a group", "a list"


@dataclass
class Reading:
    """One JSON object; anything else is as good as an empty one, and told.

    `place` is where it stands in what was sent, for remarks. Values are None where nothing
    was sent, and where it could not be read.
    """

    data: Any
    place: str = ""
    _noted: _Unread = field(default_factory=_Unread)

    def __post_init__(self) -> None:
        if not isinstance(self.data, dict) and not _is_nothing(self.data):
            self._noted.note(self.place or "the data", _GROUP, self.data)
        self._members = lenient.mapping(self.data)

    def text(self, name: str) -> str | None:
        return self._read(name, lenient.text, _TEXT)

    def name(self, name: str) -> str | None:
        """A text that is nothing if it is not whole: an id, a number, a telephone."""
        return self._read(name, lenient.name, _TEXT)

    def address(self, name: str) -> str | None:
        return self._read(name, lenient.address, _TEXT)

    def lowered(self, name: str) -> str | None:
        return self._read(name, lenient.lowered, _TEXT)

    def flag(self, name: str) -> bool | None:
        return self._read(name, lenient.flag, _FLAG)

    def count(self, name: str) -> int | None:
        return self._read(name, lenient.count, _COUNT)

    def money(self, name: str) -> Decimal | None:
        return self._read(name, lenient.money, _AMOUNT)

    def moment(self, name: str) -> date | datetime | None:
        """An aware time in UTC, or a day where no time was sent."""
        found = self._read(name, lenient.moment, _DATE)
        if isinstance(found, datetime) and lenient.is_zoneless(self._members.get(name)):
            place = self._at(name)
            self._noted.zoneless[place] = self._noted.zoneless.get(place, 0) + 1
        return found

    def group(self, name: str) -> Reading:
        return Reading(self._members.get(name), self._at(name), self._noted)

    def groups(self, name: str) -> list[Reading]:
        """The objects in a list; what else is in it is left out, and told."""
        listed, place = self._members.get(name), self._at(name)
        if not isinstance(listed, list):
            if not _is_nothing(listed):
                self._noted.note(place, _LIST, listed)
            return []
        for member in listed:
            if not isinstance(member, dict):
                self._noted.note(place, _GROUP, member)
        return [
            Reading(member, place, self._noted) for member in listed if isinstance(member, dict)
        ]

    @property
    def unread(self) -> tuple[str, ...]:
        """Where something stands that could not be read, for the alerts of `Event.unread`."""
        return tuple(dict.fromkeys(place for place, _ in self._noted.counts))

    @property
    def remarks(self) -> tuple[str, ...]:
        """On all that could not be read, or only by assuming something."""
        said = [self._said(place, wanted) for place, wanted in self._noted.counts]
        said += [
            f"`{place}` names no time zone{_times(count)}, and is taken as a time of UTC"
            for place, count in self._noted.zoneless.items()
        ]
        more = len(said) - MAX_REMARKS
        return (*said[:MAX_REMARKS], *([f"{more:,} more could not be read"] if more > 0 else []))

    def _said(self, place: str, wanted: str) -> str:
        count = self._noted.counts[place, wanted]
        quote = self._noted.quotes.get((place, wanted), "")
        if wanted == _DATE and lenient.is_no_date(quote):
            return f"`{place}` is {quote}, which stands for no date{_times(count)}: it is unknown"
        told = f" (“{quote}”)" if quote else ""
        return f"`{place}` cannot be read as {wanted}{told}{_times(count)}: it is unknown"

    def _read(self, name: str, read: Callable[[Any], _Value | None], wanted: str) -> _Value | None:
        value = self._members.get(name)
        found = None if value is None else read(value)
        if found is None and not _is_nothing(value):
            # A text that is too long has a remark already, by `bounded` or `long_addresses`.
            is_text = wanted is _TEXT and isinstance(value, str)
            if not is_text and not _is_too_long(value):
                self._noted.note(self._at(name), wanted, value)
        return found

    def _at(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name


def _is_nothing(value: Any) -> bool:
    """Whether it says that there is nothing: some senders write an empty list for no group."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def _is_too_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > MAX_TEXT


def _times(count: int) -> str:
    return f", in {count:,} places" if count > 1 else ""
