"""What people write for a value, and what they mean by it: `31/03/2027`, `9 pm`, `2 hrs`.

Each function gives what to write instead, or nothing where that is not clear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, time
from typing import Any

from bridge.rules.relative import UNITS
from bridge.wording import flow, nearest, quoted

_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})[./-](\d{4})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[./-]?(\d{1,2})[./-]?(\d{1,2})", re.ASCII)
_MONTH_NAMES = (
    *("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
)
_IN_WORDS = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?\.? +([a-z]{3,9})\.?"
    r"|([a-z]{3,9})\.? +(\d{1,2})(?:st|nd|rd|th)?),? +(\d{4})"
)
_MONTHS = 12
_LONGEST = 80
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*([ap])\.?m\.?|(\d{1,2})[:.h](\d{2})|(\d{1,2})")
_NUMBERS = {"a": "1", "an": "1", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
_NUMBERS |= {"six": "6", "seven": "7", "ten": "10"}
_COUNT = rf"\d+(?:\.\d+)?|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))}"
_LENGTH = re.compile(rf"({_COUNT})?\s*([a-z]+)(.*)", re.IGNORECASE)
_LENGTH_RIGHT = re.compile(r"\d+ (?:second|minute|hour|day|week)s?")
_CLOCK_TAIL = re.compile(r"\s*(?:o'clock|uhr|hrs?|(?<=:\d\d):00)$")
_SHORT_UNITS = {
    **dict.fromkeys(("s", "sec", "secs"), "seconds"),
    **dict.fromkeys(("m", "min", "mins"), "minutes"),
    **dict.fromkeys(("h", "hr", "hrs", "std"), "hours"),
    **dict.fromkeys(("d", "tag", "tage", "jours"), "days"),
    **dict.fromkeys(("w", "wk", "wks"), "weeks"),
}
_TOGETHER = re.compile(r"(\d+)\s*([a-z]+)\s*(?:and|,)?\s*(\d+)\s*([a-z]*)", re.IGNORECASE)
_HOURS_MINUTES = re.compile(r"(\d{1,3}):([0-5]\d)(?::00)?")
_WORDED_TIMES = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}


def day_meant(written: object) -> str:
    """`31/03/2027` and `31 March 2027` -> `2027-03-31`; with dots the day comes first."""
    text = _short(str(written) if isinstance(written, int) else written)
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(found[1], found[2], found[3])
    if found := _IN_WORDS.fullmatch(text.casefold()):
        month = (found[2] or found[3])[:3]
        known = month in _MONTH_NAMES
        return _day(found[5], _MONTH_NAMES.index(month) + 1, found[1] or found[4]) if known else ""
    found = _DAY_FIRST.fullmatch(text)
    if not found:
        return ""
    first, second = int(found[1]), int(found[3])
    if found[2] == "." or first > _MONTHS or first == second:
        return _day(found[4], second, first)
    return _day(found[4], first, second) if second > _MONTHS else ""


def days_meant(written: object) -> str:
    """`02/07/2027` is in July or in February, depending on who writes it: both, to choose from."""
    found = _DAY_FIRST.fullmatch(_short(written))
    days = [_day(found[4], found[3], found[1]), _day(found[4], found[1], found[3])] if found else []
    if not all(days) or not days:
        return ""
    first, second = (f"{day} for {date.fromisoformat(day):%-d %B}" for day in days)
    return f"{first}, or {second}"


def _day(year: str, month: str | int, day: str | int) -> str:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


_TRUTHS = {
    **dict.fromkeys(("y", "on", "1", "x", "agreed", "checked", "ja", "oui", "si"), "true"),
    **dict.fromkeys(("enabled", "always", "yes"), "true"),
    "no": "false",
    **dict.fromkeys(("n", "off", "0", "unchecked", "nein", "non", "disabled", "never"), "false"),
}


_SPANS = (
    re.compile(r"(?:from |between )?(.+?)\s+(?:to|until|till|and|und|bis)\s+(.+)"),
    re.compile(r"(.+?)\s*(?:\.\.+|–|—| - )\s*(.+)"),
    re.compile(r"([^-]+)-([^-]+)"),
)


def span_meant(written: object, read: Callable[[object], str]) -> str:
    """`22:00-08:00` and `[22:00, 08:00]` -> `{from: "22:00", to: "08:00"}`."""
    pairs: list[Sequence[Any]] = (
        [written] if isinstance(written, list) and len(written) == 2 else []
    )
    pairs += [found.groups() for one in _SPANS if (found := one.fullmatch(_short(written)))]
    for first, last in pairs:
        start, end = read(first), read(last)
        if start and end:
            return f"{{from: {flow(start)}, to: {flow(end)}}}"
    return ""


def truth_meant(written: object) -> str:
    """`on` -> `true`."""
    return _TRUTHS.get(str(written).strip().casefold(), "")


def clock_meant(written: object) -> str:
    """`9 pm` -> `21:00`."""
    text = str(written) if isinstance(written, int) else _short(written)
    text = _CLOCK_TAIL.sub("", text.lower())
    if text == "24:00":
        return "00:00"
    found = _CLOCK.fullmatch(text)
    if not found:
        return _WORDED_TIMES.get(text, "")
    hour, minute = int(found[1] or found[4] or found[6]), int(found[2] or found[5] or 0)
    if found[3]:
        hour = hour % 12 + (12 if found[3] == "p" else 0)
    try:
        return f"{time(hour, minute):%H:%M}"
    except ValueError:
        return ""


def length_meant(written: object) -> str:
    """`2 hrs` -> `2 hours`, `1h30` -> `90 minutes`."""
    text = _short(written)
    if found := re.fullmatch(r"(\d+),(\d+)( *[a-z]+)", text):
        text = f"{found[1]}.{found[2]}{found[3]}"
        return text if _unit(found[3].strip()) else ""
    if found := re.fullmatch(r"(.+?) (?:later|after|from now)", text):
        return length_meant(found[1]) or (found[1] if _LENGTH_RIGHT.fullmatch(found[1]) else "")
    if found := _HOURS_MINUTES.fullmatch(text):
        return f"{int(found[1]) * 60 + int(found[2])} minutes"
    if found := _TOGETHER.fullmatch(text):
        first, second = _unit(found[2]), _unit(found[4] or "minutes")
        if first and second and UNITS[first] > UNITS[second]:
            number = int(found[1]) * UNITS[first] // UNITS[second] + int(found[3])
            return f"{number} {second}s"
    found = _LENGTH.fullmatch(text)
    if not found or found[3].strip() or not found[1]:
        return ""
    unit = _SHORT_UNITS.get(found[2].lower(), "")
    count = _NUMBERS.get(found[1].lower(), found[1])
    return f"{count} {unit.removesuffix('s') if count == '1' else unit}" if unit else ""


def _unit(written: str) -> str:
    """`hrs` -> `hour`."""
    unit = _SHORT_UNITS.get(written.lower(), written.lower()).removesuffix("s")
    return unit if unit in UNITS else ""


def length_trouble(written: object) -> tuple[str, str]:
    """What is wrong with a length of time, and what would be right; empty: it cannot be told."""
    whole = length_meant(written)
    if whole:
        return f"{quoted(str(written))} is no length of time", f"write {whole}"
    found = _LENGTH.fullmatch(_short(written))
    if not found:
        return "", ""
    count, unit, rest = found[1], found[2].lower(), found[3].strip()
    count = _NUMBERS.get((count or "").lower(), count)
    singular = unit.removesuffix("s")
    if singular in ("month", "year"):
        days = (30 if singular == "month" else 365) * float(count or 1)
        return f"{singular}s are not equally long", f"write {days:g} days"
    if singular not in UNITS:
        close = nearest(unit, [f"{name}s" for name in UNITS])
        if not (count and close):
            return "", ""
        return f"there is no unit of time {quoted(unit)}", f"write {count} {close}"
    if count and count != found[1]:
        return f"{quoted(str(written))} is no number of {singular}s", f"write {count} {unit}"
    if count and re.fullmatch(r"[a-z_]\w*(?:\.\w+)+", rest):
        field = f"{count} {unit} after {rest}"
        return f"between {count} {unit} and `{rest}` a word is missing", f"write {field}, or before"
    return "", ""


def list_meant(written: object) -> str:
    """`VIP, Backstage` -> `[VIP, Backstage]`."""
    parts = [one.strip() for one in re.split(r"[,;]", _short(written)) if one.strip()]
    plain = all(re.fullmatch(r"[\w][\w .'&/-]*", one) for one in parts)
    return f"[{', '.join(parts)}]" if parts and plain else ""


def _short(written: object) -> str:
    """What is longer is no slip of these."""
    return written.strip() if isinstance(written, str) and len(written) <= _LONGEST else ""
