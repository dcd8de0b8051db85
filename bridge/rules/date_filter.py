"""Dates as people read them, in a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bridge import days
from bridge.rules.work import note, spend
from bridge.wording import nearest

_DAY_FORMAT = "%-d %B %Y"
_FORMAT = f"{_DAY_FORMAT}, %H:%M %Z"
_CODES = re.compile(r"(?:[^%]|%-?[aAbBdeHIjmMpSyYzZ]|%%)*")
_CITY = re.compile(r"(Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific)/.+")
# Cities that keep the time of another one.
_WITHOUT_ZONE = {
    "calgary": "America/Edmonton",
    "banff": "America/Edmonton",
    "ottawa": "America/Toronto",
    "quebec": "America/Toronto",
    "saskatoon": "America/Regina",
    "victoria": "America/Vancouver",
}
# As spreadsheets write formats.
_CODE_OF = {
    "YYYY": "%Y",
    "yyyy": "%Y",
    "YY": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "DD": "%d",
    "dd": "%d",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
}
_LETTERS = re.compile(r"(?:YYYY|yyyy|M{2,4}|DD|dd|HH|hh|mm|YY|[ ,.:/-]){2,20}")
_LETTER = re.compile(r"YYYY|yyyy|M{2,4}|DD|dd|HH|hh|mm|YY")
_LONGEST_FORMAT = 100
_LONGEST_ZONE = 60
_SHORTEST_CITY = 4
# Reading and writing a date takes as long as so many usual steps.
_COST = 5


def date_in(time_zone: str) -> Callable[..., str]:
    """The filter `date` of rules whose time zone this is; raises ValueError."""
    home = zone(time_zone)

    def date(value: Any, *wanted: str) -> str:
        """As in `{{ ... | date }}`: 3 July 2027, 01:30 UTC; with a zone, a format, or both.

        A format holds per cent signs: `date("%d.%m.%Y")`, `date("America/Edmonton")`.
        A day without a time is the same day in every zone.
        """
        spend(_COST)
        asked = [one for one in wanted if isinstance(one, str)]
        formats = [one for one in asked if "%" in one]
        there = _there([one for one in asked if "%" not in one], home)
        day = days.bare_day(value)
        if day is not None:
            return _said(datetime.combine(day, time(), there), formats, _DAY_FORMAT)
        when = days.moment(value)
        return _said(days.local(when, there), formats, _FORMAT) if when else ""

    return date


def _there(zones: list[str], home: ZoneInfo) -> ZoneInfo:
    """What a rule itself asks for is known; what an event says may be no zone."""
    try:
        return zone(zones[0]) if zones else home
    except ValueError:
        note("`date` is given a time zone that there is not")
        return home


def _said(local: datetime, formats: list[str], usual: str) -> str:
    try:
        return local.strftime(_checked(formats[0]) if formats else usual)
    except ValueError:
        note("`date` is given a format that is not known")
        return local.strftime(usual)


def zone(name: str) -> ZoneInfo:
    """A time zone by its name; raises ValueError with advice."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no such time zone; {advice_for_zone(name)}") from None


WITHOUT_SUMMER = {"EST": "America/Toronto", "MST": "America/Edmonton"}
"""Zones that are no place, and have the winter time of these places all year."""

_SHORT_NAMES = {
    **dict.fromkeys(("EST", "EDT", "ET", "EASTERN"), "America/Toronto"),
    **dict.fromkeys(("CST", "CDT", "CT", "CENTRAL"), "America/Winnipeg"),
    **dict.fromkeys(("MST", "MDT", "MT", "MOUNTAIN"), "America/Edmonton"),
    **dict.fromkeys(("PST", "PDT", "PT", "PACIFIC"), "America/Vancouver"),
    **dict.fromkeys(("AST", "ADT", "AT", "ATLANTIC"), "America/Halifax"),
    **dict.fromkeys(("NST", "NDT", "NT"), "America/St_Johns"),
    **dict.fromkeys(("BST", "UK"), "Europe/London"),
    **dict.fromkeys(("CEST", "MEZ", "MESZ"), "Europe/Paris"),
}


def advice_for_zone(name: str) -> str:
    """What would be right instead of a zone that there is not."""
    short = _SHORT_NAMES.get(name.strip().upper().removesuffix(" TIME"))
    if short:
        return f"write a place with that time, such as {short}"
    close = _nearest_zone(name[:_LONGEST_ZONE])
    return f"did you mean `{close}`?" if close else "write one like America/Edmonton"


def _nearest_zone(name: str) -> str | None:
    """By its city, of those that begin alike: to compare with all takes too long for many."""
    cities = {**_cities(), **_WITHOUT_ZONE}
    city = name.casefold().strip().replace(" ", "_").rpartition("/")[2]
    for word in (city, city.rpartition("_")[2]):
        close = nearest(word, (one for one in cities if one[:1] == word[:1]))
        if close and len(word) >= _SHORTEST_CITY:
            return cities[close]
    return None


@cache
def _cities() -> Mapping[str, str]:
    """The zones by their cities, looked up once: the whole folder is read for it."""
    zones = sorted(filter(_CITY.fullmatch, available_timezones()), key=len, reverse=True)
    return {name.rpartition("/")[2].casefold(): name for name in zones}


def complaint_about_date(wanted: str) -> str:
    """What is wrong with an argument of `date`, or nothing."""
    if _LETTERS.fullmatch(wanted):
        meant = _LETTER.sub(lambda found: _CODE_OF.get(found[0], found[0]), wanted)
        return f"a date format is written with %; write date('{meant}')"
    try:
        _checked(wanted) if "%" in wanted else zone(wanted)
    except ValueError as error:
        return str(error)
    return ""


def _checked(wanted: str) -> str:
    if len(wanted) > _LONGEST_FORMAT or not _CODES.fullmatch(wanted):
        raise ValueError("this date format is not known; write one like %d %B %Y")
    return wanted
