"""What a template can do with a value. Money and dates read as they do in rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import filters as jinja_filters
from jinja2.runtime import Undefined
from markupsafe import Markup, escape

from bridge.connector import in_figures

_DAY_FORMAT = "%-d %B %Y"
_DAY = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*", re.ASCII)
_DATE_CODES = re.compile(r"(?:[^%]|%-?[aAbBdeHIjmMpSyYzZ]|%%){1,100}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(\.[0-9]{0,40})?", re.ASCII)
_MOST_DIGITS = 40
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}", re.ASCII)
_FROM_JINJA = (
    "abs",
    "capitalize",
    "count",
    "e",
    "escape",
    "first",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "sort",
    "title",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
)


def filters(zone: str) -> dict[str, Callable[..., Any]]:
    """All that templates know; times are shown in the zone."""
    return {
        **{name: jinja_filters.FILTERS[name] for name in _FROM_JINJA},
        "color": color,
        "d": default,
        "date": partial(date, zone),
        "default": default,
        "lines": lines,
        "link": link,
        "money": money,
        "number": number,
    }


def shown(value: Any) -> Any:
    """How an inserted value reads. Raises ValueError for a group."""
    if isinstance(value, Markup):
        return value
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list | tuple | Iterator):
        return ", ".join(filter(None, map(str, map(shown, value))))
    if isinstance(value, Mapping):
        raise ValueError("a whole group")  # noqa: TRY004  # one kind of failure for all
    return str(value)


def number(value: Any) -> Decimal | None:
    """The exact number, also from a text that is one; None where it is none."""
    text = "" if isinstance(value, bool) else str(value).strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def money(value: Any, currency: Any = None) -> str:
    """An amount with its currency after it, like 1,234.50 CAD; no amount is no text."""
    amount = number(value)
    if amount is None or amount.adjusted() > _MOST_DIGITS:
        return ""
    text = currency.strip() if isinstance(currency, str) else ""
    code = text.upper() if len(text) == 3 else text
    return f"{in_figures(amount, code)} {code}".strip()


def date(zone: str, value: Any, *wanted: str) -> str:
    """As `{{ ... | date }}`: 2 July 2027, 19:30 MDT; with another zone, a format, or both.

    A day without a time is the same day in every zone.
    """
    try:
        when = datetime.fromisoformat(str(value).strip()[:40])
    except (ValueError, OverflowError):
        return ""
    formats = [one for one in wanted if "%" in one]
    zones = [one for one in wanted if "%" not in one]
    there = ZoneInfo(zones[0] if zones else zone)
    is_day = _DAY.fullmatch(str(value)) is not None
    aware = when.replace(tzinfo=UTC) if when.utcoffset() is None else when
    local = when.replace(tzinfo=there) if is_day else _local(aware, there)
    if not formats:
        return local.strftime(_DAY_FORMAT if is_day else f"{_DAY_FORMAT}, %H:%M %Z")
    if not _DATE_CODES.fullmatch(formats[0]):
        raise ValueError("no date format")
    return local.strftime(formats[0])


def _local(when: datetime, zone: ZoneInfo) -> datetime:
    """As it is, where no clock there could show it: in the years 1 and 9999."""
    try:
        return when.astimezone(zone)
    except OverflowError:
        return when


def default(value: Any, instead: Any = "") -> Any:
    """Something else for what is not known, and for empty texts."""
    return instead if isinstance(value, Undefined) or value in (None, "") else value


def link(value: Any) -> str:
    """The address of a page or of a mailbox; anything else, such as `javascript:`, is nothing."""
    text = "" if isinstance(value, Undefined) else str(value or "").strip()
    try:
        scheme = urlsplit(text).scheme.lower()
    except ValueError:
        return ""
    plain = re.fullmatch(r"[^\s<>\"'`\\]{1,2000}", text)
    return text if plain and scheme in ("https", "http", "mailto") else ""


def color(value: Any, instead: str = "#333333") -> str:
    """A color like `#1a2b3c`; anything else is the other one."""
    return str(value) if _COLOR.fullmatch(str(value)) else instead


def lines(value: Any) -> Markup:
    """A text of several lines, as HTML."""
    return Markup("<br>\n").join(escape(line) for line in str(shown(value)).split("\n"))
