"""What templates can do with a value: our filters, and those of Jinja that cannot do harm.

Everything else of Jinja's is absent: what is not here can neither run for
long, nor fill the memory, nor be different the next time.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, pass_environment
from jinja2 import filters as jinja_filters
from jinja2 import tests as jinja_tests
from jinja2.runtime import Undefined

from bridge.rules import values
from bridge.rules.work import CannotRender, each, spend

DATE_FORMAT = "%-d %B %Y, %H:%M"
_DATE_CODES = re.compile(r"(?:[^%]|%-?[aAbBdeHIjmMpSyYzZ]|%%)*")
_WITHOUT_CENTS = ("JPY", "KRW", "CLP", "ISK", "VND")
_MOST_DIGITS = 12


def shown(value: Any) -> str:
    """How an inserted value reads; lists are joined by commas. Raises CannotRender for a group."""
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple | Iterator):
        return ", ".join(filter(None, (shown(member) for member in value)))
    if isinstance(value, str | int | float):
        return str(value)
    raise CannotRender("it inserts a whole group; name one of its parts")


def money(value: Any, currency: Any = None) -> str:
    """An amount with its currency after it, like 1,234.50 CAD; no amount is no text."""
    amount = values.number(value)
    if amount is None:
        return ""
    code = str(currency or "").strip()
    places = 0 if code.upper() in _WITHOUT_CENTS else 2
    return f"{amount:,.{places}f} {code}".strip()


def date(value: Any, *wanted: str) -> str:
    """As in `{{ ... | date }}`: 3 July 2027, 01:30 UTC; with a time zone, a format, or both.

    A format holds per cent signs: `date("%d.%m.%Y")`, `date("America/Edmonton")`.
    """
    when = values.moment(value)
    if when is None:
        return ""
    formats = [one for one in wanted if "%" in one]
    zones = [one for one in wanted if "%" not in one]
    local = when.astimezone(zone(zones[0]) if zones else UTC)
    if formats:
        return local.strftime(_checked_format(formats[0]))
    return local.strftime(f"{DATE_FORMAT} %Z")


def zone(name: str) -> Any:
    """A time zone by its name; raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("there is no such time zone; write one like America/Edmonton") from None


def complaint_about_date(wanted: str) -> str:
    """What is wrong with an argument of `date`, or nothing."""
    try:
        _checked_format(wanted) if "%" in wanted else zone(wanted)
    except ValueError as error:
        return str(error)
    return ""


def _checked_format(wanted: str) -> str:
    if len(wanted) > 100 or not _DATE_CODES.fullmatch(wanted):
        raise ValueError("this date format is not known; write one like %d %B %Y")
    return wanted


def default(value: Any, instead: Any = "") -> Any:
    """Something else for what is not known, and for empty texts."""
    missing = isinstance(value, Undefined) or value is None or value == ""
    return instead if missing else value


# Several in a row must not make a flood of a drop.
LONGEST_REPLACED = 20_000


def replace(value: Any, old: str, new: str) -> str:
    """One text for another; of both the first 100 characters count."""
    if not old:
        return str(value)
    text = str(value)[:LONGEST_REPLACED]
    replaced = text.replace(str(old)[:100], str(new)[:100])
    if len(replaced) > LONGEST_REPLACED:
        raise CannotRender(f"it makes, by `replace`, more than {LONGEST_REPLACED:,} characters")
    return replaced


def rounded(value: Any, digits: int = 0) -> Any:
    """As in `{{ order.total | round(2) }}`, half up, exactly."""
    amount = values.number(value)
    if amount is None or abs(digits) > _MOST_DIGITS or amount.adjusted() > _MOST_DIGITS:
        return value
    quantum = Decimal(1).scaleb(-digits)
    return amount.quantize(quantum, rounding="ROUND_HALF_UP")


def whole(value: Any) -> int:
    """As in `{{ ... | int }}`: 0 where it is no number."""
    amount = values.number(value)
    return int(amount) if amount is not None else 0


@pass_environment
def joined(environment: Environment, value: Any, between: str = "", attribute: Any = None) -> str:
    """As in `{{ tickets | join(', ', attribute='type') }}`; what is missing leaves no gap."""
    members = _picked(environment, value, attribute)
    return str(between)[:100].join(filter(None, map(shown, members)))


@pass_environment
def total(environment: Environment, value: Any, attribute: Any = None) -> Decimal:
    """As in `{{ items | sum(attribute='quantity') }}`; what is no number counts nothing."""
    amounts = (values.number(member) for member in _picked(environment, value, attribute))
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def _picked(environment: Environment, members: Any, attribute: Any) -> Iterator[Any]:
    for member in each(members):
        picked = member
        for name in str(attribute).split(".") if attribute is not None else ():
            picked = environment.getitem(picked, name)
        yield picked


_AT_ONCE = ("count", "first", "last", "length")


def _paid(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter; lists are paid for by their length."""

    @functools.wraps(wrapped)
    def paying(*args: Any, **kwargs: Any) -> Any:
        spend(1 + sum(len(one) for one in args if isinstance(one, list | tuple)))
        return wrapped(*args, **kwargs)

    return paying


_FROM_JINJA = (
    "abs",
    "capitalize",
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
)

FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: jinja_filters.FILTERS[name] for name in _AT_ONCE},
    **{name: _paid(jinja_filters.FILTERS[name]) for name in _FROM_JINJA},
    "date": date,
    "d": default,
    "default": default,
    "int": whole,
    "join": joined,
    "money": money,
    "replace": replace,
    "round": rounded,
    "sum": total,
}

_TESTS_FROM_JINJA = (
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "boolean",
    "eq",
    "equalto",
    "even",
    "false",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "le",
    "lessthan",
    "lt",
    "mapping",
    "ne",
    "number",
    "odd",
    "string",
    "true",
)


_TESTS_OF_JINJA: Mapping[str, Any] = {name: jinja_tests.TESTS[name] for name in _TESTS_FROM_JINJA}


def _is_missing(value: Any) -> bool:
    return value is None or isinstance(value, Undefined)


TESTS: Mapping[str, Callable[..., Any]] = {
    **_TESTS_OF_JINJA,
    "defined": lambda value: not _is_missing(value),
    "none": _is_missing,
    "undefined": _is_missing,
}
