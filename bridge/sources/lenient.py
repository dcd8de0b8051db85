"""Reads values whose types vary between a sender's versions; what cannot be read is None.

Nothing here raises, whatever JSON value it is given, and nothing guesses: an
amount that may mean two things is no amount. `bridge.sources.reading` tells what could
not be read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from bridge import days
from bridge.sources.bounded import MAX_TEXT

UNKNOWN_TYPE = "unknown"
"""Stands for the event type of a webhook that names none."""

MAX_ADDRESS = 254
"""Characters of an e-mail address: more cannot be delivered (RFC 5321, section 4.5.3.1)."""

_MAX_KEY = 128
_MAX_TYPE = 200
# Normalising takes longer than the text is long.
_MAX_TYPE_SENT = 2_000
_MAX_MOMENT = 40
# No amount of money has more than fifteen digits before the point.
_AMOUNT = re.compile(r"([0-9]{1,15}(\.[0-9]{0,12})?|\.[0-9]{1,12})", re.ASCII)
_SIGNED = re.compile(rf"[+-]?{_AMOUNT.pattern}", re.ASCII)
# Where a comma or a point can be the one or the other only; `1,234` may be a thousand or one.
_ENGLISH = re.compile(r"[0-9]{1,3}((,[0-9]{3}){1,4}\.[0-9]{1,12}|(,[0-9]{3}){2,4}\.?)", re.ASCII)
_GERMAN = re.compile(r"[0-9]{1,3}((\.[0-9]{3}){1,4},[0-9]{1,12}|(\.[0-9]{3}){2,4})", re.ASCII)
_INDIAN = re.compile(r"[0-9]{1,2}(,[0-9]{2}){1,5},[0-9]{3}(\.[0-9]{1,12})?", re.ASCII)
_SPACED = re.compile(r"[0-9]{1,3}([ '][0-9]{3}){1,4}([.,][0-9]{1,12})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[0-9]{1,15},([0-9]{1,2}|[0-9]{4,12})", re.ASCII)
# A currency before or behind the amount: $, CA$, CAD, EUR, €, kr.
_CURRENCY = r"(?:[A-Za-z]{0,3}[$\u20ac\u00a3\u00a5\u20b9]|[A-Z]{3}|kr\.?|Fr\.?)"
_PRICED = re.compile(
    rf"(?P<minus>[+-]?) ?(?P<before>{_CURRENCY})? ?(?P<sign>[+-]?)"
    rf"(?P<figures>[0-9.][0-9.,' ]*?) ?(?P<behind>{_CURRENCY})?"
)
# An accountant's minus.
_IN_BRACKETS = re.compile(r"\(([^()+-]{1,60})\)")
_SAME_AS = str.maketrans({"\u2212": "-", "\u2019": "'", "\u02bc": "'"})
_LARGEST_AMOUNT = Decimal(10) ** 15
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}\.0{1,12}", re.ASCII)
_MAX_AMOUNT = 60
# Nearer to the ends of the calendar there are no other zones' times.
_CALENDAR = range(2, 9999)
_YEAR_ONE = "0001"
_OF_UTC = ("Z", "+00:00")
_ELSEWHERE = timezone(timedelta(hours=1))


def text(value: Any) -> str | None:
    """A trimmed text, or an integer as one; a blank text is None."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def name(value: Any) -> str | None:
    """A text that is nothing if it is not whole: an id, a number, a telephone.

    `bridge.sources.bounded` shortens what is longer than this takes.
    """
    return None if isinstance(value, str) and len(value) > MAX_TEXT else text(value)


def address(value: Any) -> str | None:
    """An e-mail address, unchecked but for its length; one that is too long is none."""
    found = name(value)
    return found if found and len(found) <= MAX_ADDRESS else None


def lowered(value: Any) -> str | None:
    """For enumerations, whose case differs between versions."""
    found = name(value)
    return found.lower() if found else None


def flag(value: Any) -> bool | None:
    """Only a JSON true or false."""
    return value if isinstance(value, bool) else None


def count(value: Any) -> int | None:
    """A whole number from 0 to 999,999,999, also as a text, or with a point and zeros."""
    digits = repr(value) if isinstance(value, float) else name(value) or ""
    digits = digits.partition(".")[0] if _WHOLE.fullmatch(digits) else digits
    return int(digits) if _COUNT.fullmatch(digits) else None


def money(value: Any) -> Decimal | None:
    """An amount from a text, an integer or a float, with the digits that were sent.

    Also as people write it, where that can mean one amount only: `1,234.50`, `1.234,50`,
    `1 234,50`, `1'234.50`, `20,00`, `$20.00`, `CAD 20.00`, `(20.00)` for less than nothing.
    `1,234` is none: it may be a thousand or one.
    """
    if isinstance(value, float):
        amount = Decimal(str(value))
        return amount if abs(amount) < _LARGEST_AMOUNT else None
    written = name(value) or ""
    return _amount(written) if len(written) <= _MAX_AMOUNT else None


def _amount(written: str) -> Decimal | None:
    if _SIGNED.fullmatch(written):
        return Decimal(written)
    text = unicodedata.normalize("NFKC", written).translate(_SAME_AS).strip()
    bracketed = _IN_BRACKETS.fullmatch(text)
    found = _PRICED.fullmatch(bracketed[1].strip() if bracketed else text)
    figures = _plain(found["figures"]) if found else None
    if found is None or figures is None:
        return None
    if (found["minus"] and found["sign"]) or (found["before"] and found["behind"]):
        return None
    is_less = bool(bracketed) or "-" in (found["minus"], found["sign"])
    return -Decimal(figures) if is_less else Decimal(figures)


def _plain(figures: str) -> str | None:
    """The digits with a point before the decimals; None where they may mean another amount."""
    if _AMOUNT.fullmatch(figures):
        return figures
    if _ENGLISH.fullmatch(figures) or _INDIAN.fullmatch(figures):
        return figures.replace(",", "")
    if _GERMAN.fullmatch(figures):
        return figures.replace(".", "").replace(",", ".")
    if _SPACED.fullmatch(figures):
        return figures.replace(" ", "").replace("'", "").replace(",", ".")
    return figures.replace(",", ".") if _DECIMAL_COMMA.fullmatch(figures) else None


def moment(value: Any) -> date | datetime | None:
    """An ISO 8601 time in UTC, or a day where it has no time: that is the same day everywhere.

    Without an offset a time is taken as UTC. The year 1 is what senders write for no date.
    """
    written = (name(value) or "") if isinstance(value, str) else ""
    if len(written) > _MAX_MOMENT or is_no_date(written):
        return None
    day = days.bare_day(written)
    found = None if day else days.moment(written)
    return found.astimezone(UTC) if found and found.year in _CALENDAR else day or found


def is_no_date(written: str) -> bool:
    """Whether a text is a date by its form, but of the year that stands for none."""
    return written.startswith(_YEAR_ONE) and days.moment(written) is not None


def is_zoneless(value: Any) -> bool:
    """Whether a time does not say where its clock is."""
    if not isinstance(value, str) or value.endswith(_OF_UTC):
        return False
    return days.moment(value) != days.moment(value, _ELSEWHERE)


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a JSON list; anything else is left out."""
    members = value if isinstance(value, list) else []
    return [member for member in members if isinstance(member, dict)]


def event_type(value: Any) -> str:
    """A name in one spelling, which guards and rules alike take for the same or for another.

    In compatibility form, without regard to case, trimmed, of at most 200 characters. What
    is not plain after that is a type that nobody knows.
    """
    if not isinstance(value, str):
        return UNKNOWN_TYPE
    # PostgreSQL's texts hold no U+0000, nor may one part what is one name without it.
    name = value.replace("\0", "")[:_MAX_TYPE_SENT]
    # Each form can make what the other one changes. Rules fold the case last, so it ends so.
    return _plainly(_plainly(name)).strip()[:_MAX_TYPE].strip() or UNKNOWN_TYPE


def _plainly(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def key(value: Any) -> str | None:
    """A text that can be an idempotency key: 1 to 128 printable ASCII characters."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_KEY:
        return None
    return value if value.isascii() and value.isprintable() else None
