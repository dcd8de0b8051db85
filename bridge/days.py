"""What a day is: a day of one zone's calendar, by the clocks there. Nothing here raises.

A day without a time (`2027-07-02`) is that day in every zone. A time that is out of the
calendar of a zone (senders write the years 1 and 9999 where they mean none) stays as it is.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

_LONGEST = 40
# `2027-07-02` and `2027-W26-5`.
_LONGEST_DAY = 10
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def bare_day(value: object) -> date | None:
    """The day that a value names without a time; None: it is a time, or nothing of the kind."""
    if isinstance(value, datetime):
        return None
    if isinstance(value, date):
        return value
    text = value.strip() if isinstance(value, str) else ""
    try:
        return date.fromisoformat(text) if 0 < len(text) <= _LONGEST_DAY else None
    except ValueError:
        return None


def moment(value: object, zone: tzinfo = UTC) -> datetime | None:
    """An aware time from a time or an ISO 8601 text; what names no zone is of this one.

    A day without a time is its first moment.
    """
    day = bare_day(value)
    if day is not None:
        return midnight(day, zone)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip()[:_LONGEST])
        except (ValueError, OverflowError):
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=zone) if value.utcoffset() is None else value


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first moment of the day in the zone, as a time in UTC."""
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return _FIRST if day.year == 1 else _LAST


def span_of_day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first and the last moment of the day: 23 or 25 hours where the clocks change."""
    try:
        end = midnight(day + timedelta(days=1), zone) - timedelta(microseconds=1)
    except OverflowError:
        end = _LAST
    return midnight(day, zone), end


def local(when: datetime, zone: tzinfo) -> datetime:
    """The time as the clocks of the zone show it."""
    try:
        return when.astimezone(zone)
    except OverflowError:
        return when


def day_in(value: object, zone: tzinfo) -> date | None:
    """The day of a time or of a text in the zone; what names no zone is of UTC.

    None: it is neither.
    """
    day = bare_day(value)
    when = moment(value) if day is None else None
    return day if when is None else local(when, zone).date()
