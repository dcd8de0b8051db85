"""What templates can do with a value: our filters, and those of Jinja that cannot do harm.

Everything else of Jinja's is absent: what is not here can neither run for
long, nor fill the memory, nor be different the next time.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from jinja2 import Environment, pass_environment
from jinja2 import filters as jinja_filters
from jinja2 import tests as jinja_tests
from jinja2.runtime import Undefined

from bridge.rules import values
from bridge.rules.date_filter import date_in
from bridge.rules.money_filter import money
from bridge.rules.name_filter import tidy_name
from bridge.rules.phone_filter import phone
from bridge.rules.work import CannotRender, cost, each, spend

_MOST_DIGITS = 12
_LONGEST_WORD = 100


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


def default(value: Any, instead: Any = "", boolean: Any = False) -> Any:
    """Something else for what is not known, and for empty texts; 0 and false are known.

    With `true` after it also for these, as in Jinja.
    """
    missing = isinstance(value, Undefined) or value is None or value == ""
    return instead if missing or (boolean and not value) else value


# Several in a row must not make a flood of a drop.
LONGEST_REPLACED = 20_000


def replace(value: Any, old: str, new: str) -> str:
    """One text for another; of both the first 100 characters count."""
    text = shown(value)[:LONGEST_REPLACED]
    if not _word(old):
        return text
    replaced = text.replace(_word(old), _word(new))
    if len(replaced) > LONGEST_REPLACED:
        raise CannotRender(f"it makes, by `replace`, more than {LONGEST_REPLACED:,} characters")
    return replaced


def _word(value: Any) -> str:
    """An argument that is a text, or reads as one."""
    return shown(value)[:_LONGEST_WORD]


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
    return _word(between).join(filter(None, map(shown, members)))


@pass_environment
def joined_and(
    environment: Environment, value: Any, word: str = "and", attribute: Any = None
) -> str:
    """As in `{{ tickets | map(attribute='type') | join_and }}`: VIP, Standing and Balcony."""
    *before, last = [*filter(None, map(shown, _picked(environment, value, attribute)))] or [""]
    return f"{', '.join(before)} {_word(word).strip()} {last}" if before else last


def plural(value: Any, one: str, many: str) -> str:
    """How many, with the word for it: 1 ticket, 2 tickets; of a list its length.

    What is no number is no text.
    """
    amount = values.number(len(value) if isinstance(value, list | tuple) else value)
    if amount is None or amount.adjusted() > _MOST_DIGITS:
        return ""
    said = f"{amount.normalize():,f}" if amount else "0"
    return f"{said} {_word(one if abs(amount) == 1 else many)}"


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


def _paid(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter; lists and long texts are paid for, and what it yields is a list."""

    @functools.wraps(wrapped)
    def paying(*args: Any, **kwargs: Any) -> Any:
        spend(1 + sum(map(cost, args)))
        made = wrapped(*args, **kwargs)
        return list(made) if isinstance(made, Iterator) else made

    return paying


def _of_text(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter; what is no text is given to it as it reads."""
    number = 1 if hasattr(wrapped, "jinja_pass_arg") else 0

    @functools.wraps(wrapped)
    def reading(*args: Any, **kwargs: Any) -> Any:
        return wrapped(*args[:number], shown(args[number]), *args[number + 1 :], **kwargs)

    return _paid(reading)


_LISTS_OF_JINJA = (
    *("count", "first", "last", "length", "list", "map", "max", "min", "reject", "rejectattr"),
    *("reverse", "select", "selectattr", "sort", "unique"),
)
_TEXTS_OF_JINJA = ("capitalize", "lower", "title", "trim", "truncate", "upper")

FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: _paid(jinja_filters.FILTERS[name]) for name in _LISTS_OF_JINJA},
    **{name: _of_text(jinja_filters.FILTERS[name]) for name in _TEXTS_OF_JINJA},
    "abs": _paid(jinja_filters.FILTERS["abs"]),
    "d": default,
    "date": _paid(date_in("UTC")),
    "default": default,
    "int": whole,
    "join": joined,
    "join_and": joined_and,
    "money": _paid(money),
    "name": _paid(tidy_name),
    "phone": _paid(phone),
    "plural": _paid(plural),
    "replace": _paid(replace),
    "round": _paid(rounded),
    "sum": total,
}


def takes(name: str, values: int, names: Sequence[str]) -> bool:
    """Whether a filter takes so many arguments, and these by their names."""
    original = inspect.unwrap(FILTERS[name])
    own = 2 if hasattr(original, "jinja_pass_arg") else 1
    try:
        inspect.signature(original).bind(*[None] * (own + values), **dict.fromkeys(names))
    except TypeError:
        return False
    return True


def filters_in(time_zone: str) -> Mapping[str, Callable[..., Any]]:
    """The filters of rules whose time zone this is; raises ValueError."""
    return {**FILTERS, "date": _paid(date_in(time_zone))}


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
