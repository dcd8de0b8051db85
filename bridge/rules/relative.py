"""Times that are told by another time: `2 days ago`, `7 days before tickets.starts_on`.

They count from `event.time`, when the event was received, and never from the
clock on the wall: a replay, a try and a comparison of last month say the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as field_of
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

from bridge.rules.seen import Seen
from bridge.rules.values import span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RECEIVED = "event.time"
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
LONGEST_SECONDS = 10 * 366 * 86400.0

_DURATION = r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*([a-z]+?)s?"
_FIELD = r"([a-z_][\w.]*)"
_LENGTH = re.compile(_DURATION, re.ASCII | re.IGNORECASE)
_AGO = re.compile(rf"{_DURATION}\s+ago", re.ASCII | re.IGNORECASE)
_AHEAD = re.compile(rf"in\s+{_DURATION}", re.ASCII | re.IGNORECASE)
_FROM = re.compile(rf"{_DURATION}\s+(before|after)\s+{_FIELD}", re.ASCII | re.IGNORECASE)
_NEAR = re.compile(rf"{_DURATION}(?:\s+(of|before|after)\s+{_FIELD})?", re.ASCII | re.IGNORECASE)

Side = Literal["of", "before", "after"]


@dataclass(frozen=True)
class Relative:
    """A moment `seconds` away from a field's; negative is before it. `said` is as written.

    A day without a time begins when it does in `zone`.
    """

    seconds: float
    field: str
    said: str
    zone: tzinfo = field_of(default=UTC, compare=False)

    def moments(self, seen: Seen) -> Iterator[datetime]:
        """One for each known value of the field; those out of any calendar are left out."""
        for base, _ in spans(seen.find(self.field), self.zone):
            try:
                yield base + timedelta(seconds=self.seconds)
            except OverflowError:
                continue

    def holds(self, operator: str, found: Any, seen: Seen) -> bool:
        """Whether it is before or after one of the moments: the last, or the first."""
        when = span(found, self.zone)
        ends = _kept(seen, self.field, self, self._ends) if when else None
        if when is None or ends is None:
            return False
        return bool(when[1] < ends[1] if operator == "before" else when[0] > ends[0])

    def _ends(self, seen: Seen) -> tuple[datetime, datetime] | None:
        """The first and the last of the moments."""
        moments = list(self.moments(seen))
        return (min(moments), max(moments)) if moments else None

    def __str__(self) -> str:
        return self.said


@dataclass(frozen=True)
class Within:
    """At most `seconds` away from a field's time, on one side of it or on either."""

    seconds: float
    side: Side
    field: str
    said: str
    zone: tzinfo = field_of(default=UTC, compare=False)

    def holds(self, found: Any, seen: Seen) -> bool:
        """A day without a time is near if some time of it is."""
        when = span(found, self.zone)
        if when is None:
            return False
        bases, length = _kept(seen, self.field, self, self._bases), round(self.seconds * 1e6)
        first = _ticks(when[0]) - (0 if self.side == "before" else length)
        last = _ticks(when[1]) + (0 if self.side == "after" else length)
        at = bisect_left(bases, first)
        return at < len(bases) and bool(bases[at] <= last)

    def _bases(self, seen: Seen) -> list[int]:
        return sorted(_ticks(base) for base, _ in spans(seen.find(self.field), self.zone))

    def __str__(self) -> str:
        return self.said


def _kept(seen: Seen, field: str, asked: Any, make: Callable[[Seen], Any]) -> Any:
    """What is made of all times in a field, once for an event however many are compared."""
    home = seen.home(field)
    key = (type(asked), asked, asked.zone)
    if key not in home.moments:
        home.moments[key] = make(home)
    return home.moments[key]


def _ticks(when: datetime) -> int:
    """Microseconds: exact, and never out of a calendar."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def duration(text: Any) -> float | None:
    """`2 days`, `90 minutes`, `1.5 hours` in seconds; None where it is none."""
    found = _LENGTH.fullmatch(text.strip()) if isinstance(text, str) else None
    return _seconds(found[1], found[2]) if found else None


def relative(text: Any, zone: tzinfo = UTC) -> Relative | None:
    """`now`, `in 3 days`, `2 days ago`, `1 day before tickets.starts_on`; None: it is none."""
    if not isinstance(text, str):
        return None
    said = " ".join(text.split())
    if said.lower() == "now":
        return Relative(0.0, RECEIVED, said, zone)
    for pattern, sign in ((_AGO, -1), (_AHEAD, 1)):
        if found := pattern.fullmatch(said):
            return _relative(said, sign, (found[1], found[2]), RECEIVED, zone)
    if found := _FROM.fullmatch(said):
        sign = -1 if found[3].lower() == "before" else 1
        return _relative(said, sign, (found[1], found[2]), found[4], zone)
    return None


def within(text: Any, zone: tzinfo = UTC) -> Within | None:
    """`7 days`, `7 days of tickets.starts_on`, `1 hour before tickets.starts_on`."""
    said = " ".join(text.split()) if isinstance(text, str) else ""
    found = _NEAR.fullmatch(said)
    seconds = _seconds(found[1], found[2]) if found else None
    if found is None or seconds is None:
        return None
    named = (found[3] or "of").lower()
    side: Side = "before" if named == "before" else "after" if named == "after" else "of"
    return Within(seconds, side, found[4] or RECEIVED, said, zone)


def _relative(
    said: str, sign: int, length: tuple[str, str], field: str, zone: tzinfo
) -> Relative | None:
    seconds = _seconds(*length)
    return None if seconds is None else Relative(sign * seconds, field, said, zone)


def _seconds(count: str, unit: str) -> float | None:
    length = UNITS.get(unit.lower())
    seconds = float(count) * length if length else None
    return seconds if seconds is not None and seconds <= LONGEST_SECONDS else None


def spans(found: Sequence[Any], zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """The first and the last moment of each value that is a time or a day."""
    return (when for value in found if (when := span(value, zone)) is not None)
