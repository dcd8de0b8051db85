"""Dates as people read them, in a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bridge.rules import values
from bridge.wording import meant

_DAY_FORMAT = "%-d %B %Y"
_FORMAT = f"{_DAY_FORMAT}, %H:%M %Z"
_CODES = re.compile(r"(?:[^%]|%-?[aAbBdeHIjmMpSyYzZ]|%%)*")
_LONGEST_FORMAT = 100
_DAY = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*", re.ASCII)


def date_in(time_zone: str) -> Callable[..., str]:
    """The filter `date` of rules whose time zone this is; raises ValueError."""
    home = zone(time_zone)

    def date(value: Any, *wanted: str) -> str:
        """As in `{{ ... | date }}`: 3 July 2027, 01:30 UTC; with a zone, a format, or both.

        A format holds per cent signs: `date("%d.%m.%Y")`, `date("America/Edmonton")`.
        A day without a time is the same day in every zone.
        """
        when = values.moment(value)
        if when is None:
            return ""
        formats = [one for one in wanted if "%" in one]
        zones = [one for one in wanted if "%" not in one]
        there = zone(zones[0]) if zones else home
        if isinstance(value, str) and _DAY.fullmatch(value):
            return _said(when.replace(tzinfo=there), formats, _DAY_FORMAT)
        return _said(when.astimezone(there), formats, _FORMAT)

    return date


def _said(local: datetime, formats: list[str], usual: str) -> str:
    return local.strftime(_checked(formats[0]) if formats else usual)


def zone(name: str) -> ZoneInfo:
    """A time zone by its name; raises ValueError with advice."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        advice = meant(name, available_timezones()) if "/" in name else ""
        told = advice if advice.startswith("did") else "write one like America/Edmonton"
        raise ValueError(f"there is no such time zone; {told}") from None


def complaint_about_date(wanted: str) -> str:
    """What is wrong with an argument of `date`, or nothing."""
    try:
        _checked(wanted) if "%" in wanted else zone(wanted)
    except ValueError as error:
        return str(error)
    return ""


def _checked(wanted: str) -> str:
    if len(wanted) > _LONGEST_FORMAT or not _CODES.fullmatch(wanted):
        raise ValueError("this date format is not known; write one like %d %B %Y")
    return wanted
