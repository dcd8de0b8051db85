"""Points in time as people type them: `2 hours`, `yesterday`, `monday`, `2027-03-09 14:30`."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from datetime import time as time_type

import click

_AGO = re.compile(r"(\d+(?:\.\d+)?|an?(?=\s))\s*([a-z]+)(?:\s+ago)?", re.ASCII | re.IGNORECASE)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = re.compile(
    r"(today|yesterday|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?)"
    r"(?:\s+(?:at\s+)?([0-2]\d:[0-5]\d))?",
    re.ASCII | re.IGNORECASE,
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_UNITS = {
    **dict(zip(_SECONDS, _SECONDS, strict=True)),
    "sec": "s",
    "second": "s",
    "min": "m",
    "minute": "m",
    "hr": "h",
    "hour": "h",
    "day": "d",
    "week": "w",
}


def moment(_ctx: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """For an option's callback: a time ago, or an ISO date or time, as Unix seconds.

    A time that names no zone is local.
    """
    if value is None:
        return None
    try:
        return parse(value, time.time())
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no time; write for example `2 hours`, `yesterday`, `yesterday 14:30`, "
            "`monday`, `2027-03-09` or `2027-03-09T14:30`"
        ) from None


def parse(text: str, now: float) -> float:
    """Unix seconds; raises ValueError."""
    ago = _AGO.fullmatch(text.strip())
    if text.strip().lower() == "now":
        return now
    if day := _DAY.fullmatch(text.strip()):
        return _of_day(day[1].lower(), day[2] or "00:00", now)
    if ago:
        number = 1.0 if ago[1].lower() in ("a", "an") else float(ago[1])
        return now - number * _SECONDS[_unit(ago[2].lower())]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except OverflowError as error:
        raise ValueError(text) from error


def _of_day(word: str, time_of_day: str, now: float) -> float:
    """The last day of that name, local, at that time."""
    today = datetime.fromtimestamp(now).astimezone().date()
    back = {"today": 0, "yesterday": 1}.get(word)
    if back is None:
        back = (today.weekday() - _WEEKDAYS.index(word[:3])) % 7 or 7
    at = time_type.fromisoformat(time_of_day)
    return datetime.combine(today - timedelta(days=back), at).timestamp()


def _unit(word: str) -> str:
    unit = _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))
    if unit is None:
        raise ValueError(word)
    return unit
