"""When what a rule does is due. Pure: from what an event says and when it was received."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bridge.rules.relative import RECEIVED, Relative
from bridge.rules.seen import Seen

DAY_SECONDS = 86400
# The year after it begins earlier in some zones, and no clock there could show it.
LAST_YEAR = 9998
_NO_CALENDAR = "its time is out of any calendar"


class TooLate(Exception):
    """The event came when its time was over, or does not say its time; the text says which."""


@dataclass(frozen=True)
class TimeOfDay:
    """`at`: a time of day in a zone."""

    clock: time
    zone: tzinfo

    def on(self, day: date) -> datetime:
        return datetime.combine(day, self.clock, self.zone)

    def next(self, moment: datetime) -> datetime:
        """The first time that it is so at `moment` or after it."""
        day = moment.astimezone(self.zone).date()
        today = self.on(day)
        return today if today >= moment else self.on(day + timedelta(days=1))


@dataclass(frozen=True)
class QuietHours:
    """From one time of day to another, perhaps over midnight, nothing is sent."""

    start: time
    end: time
    zone: tzinfo

    @classmethod
    def of(cls, plain: Mapping[str, str]) -> QuietHours:
        """Of what `as_plain` made of it."""
        start, end = (time.fromisoformat(plain[name]) for name in ("from", "to"))
        return cls(start, end, ZoneInfo(plain["time_zone"]))

    def as_plain(self) -> Mapping[str, str]:
        zone = str(self.zone)
        return {"from": f"{self.start:%H:%M}", "to": f"{self.end:%H:%M}", "time_zone": zone}

    def over(self, moment: datetime) -> datetime:
        """`moment`, or the end of the quiet hours that it is in."""
        local = moment.astimezone(self.zone)
        now, day = local.timetz().replace(tzinfo=None), local.date()
        if self.start <= self.end:
            quiet = self.start <= now < self.end
        else:
            quiet = now >= self.start or now < self.end
            day = day + timedelta(days=1) if now >= self.start else day
        return self._end(day, moment) if quiet else moment

    def _end(self, day: date, moment: datetime) -> datetime:
        """The second one of that day, where the clocks are put back and the first is over."""
        end = datetime.combine(day, self.end, self.zone)
        return end if end.timestamp() >= moment.timestamp() else end.replace(fold=1)


@dataclass(frozen=True)
class Timing:
    """`after`, `at` and `quiet_hours` of one rule; `said` are the words for the first two."""

    delay: Relative | None = None
    at: TimeOfDay | None = None
    quiet: QuietHours | None = None
    said: str = ""

    def due(self, seen: Seen, received_at: float, now: float) -> float:
        """In Unix seconds; 0 where nothing has to be waited for. Raises TooLate."""
        try:
            due = max(self._due(seen, _moment(received_at)), _moment(now))
            due = self.quiet.over(due) if self.quiet else due
        except OverflowError:
            raise TooLate(_NO_CALENDAR) from None
        if due.year > LAST_YEAR:
            raise TooLate(_NO_CALENDAR)
        return due.timestamp() if due.timestamp() > now else 0.0

    def _due(self, seen: Seen, received: datetime) -> datetime:
        if self.delay is None:
            return self.at.next(received) if self.at else received
        due = self._delayed(self.delay, seen)
        if self.delay.field != RECEIVED and due <= received:
            raise TooLate(f"its time, {_said(due)}, was over when the event came in")
        return due

    def _delayed(self, delay: Relative, seen: Seen) -> datetime:
        """A delay of whole days and a time of day mean that day of the calendar."""
        zone = self.at.zone if self.at else delay.zone
        bases = list(Relative(0.0, delay.field, delay.said, zone).moments(seen))
        if not bases:
            raise TooLate(f"{delay.field} is not known, so nothing says when")
        # Before the first show of an order, after its last one.
        base = min(bases) if delay.seconds < 0 else max(bases)
        if self.at is None:
            return base + timedelta(seconds=delay.seconds)
        if delay.seconds % DAY_SECONDS:
            return self.at.next(base + timedelta(seconds=delay.seconds))
        day = base.astimezone(self.at.zone).date()
        return self.at.on(day + timedelta(days=delay.seconds // DAY_SECONDS))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _said(moment: datetime) -> str:
    return moment.strftime("%-d %B %Y, %H:%M %Z").strip()


def sentences(timing: Timing) -> Iterator[str]:
    """What comes at the end of a rule's sentence."""
    if timing.said:
        yield timing.said
    if timing.quiet:
        start, end = timing.quiet.start, timing.quiet.end
        yield f"not between {start:%H:%M} and {end:%H:%M} in {timing.quiet.zone}"
