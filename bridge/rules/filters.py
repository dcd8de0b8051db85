"""What templates can do with a value: our filters, and those of Jinja that cannot do harm.

Everything else of Jinja's is absent: what is not here can neither run for
long, nor fill the memory, nor be different the next time.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
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
from bridge.rules.work import CALL, CannotRender, cost, each, spend, weigh

_MOST_DIGITS = 12
# Steps for showing, or adding up, one member of a list.
_SHOWN = 2
# So many characters of words are capitalised, or of a name looked through, in one step.
_CAPITALISED = 2
_OF_NAMES = 20
_LONGEST_WORD = 100


def shown(value: Any) -> str:
    """How an inserted value reads; lists are joined by commas. Raises CannotRender for a group."""
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | Iterator):
        return ", ".join(filter(None, (shown(member) for member in each(value, _SHOWN))))
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
    names = _path(attribute)
    for member in each(members, _SHOWN):
        picked = member
        for name in names:
            picked = environment.getitem(picked, name)
        yield picked


def _path(attribute: Any) -> list[str]:
    """The names in `type` or `show.name`; none where no attribute is asked for."""
    if attribute is None:
        return []
    if not isinstance(attribute, str | int) or len(str(attribute)) > _LONGEST_WORD:
        raise CannotRender("it asks for an attribute by what is no name")
    return str(attribute).split(".")


def _paid(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter; lists and long texts are paid for, and what it yields is a list."""

    @functools.wraps(wrapped)
    def paying(*args: Any, **kwargs: Any) -> Any:
        spend(CALL + sum(map(cost, (*args, *kwargs.values()))))
        made = wrapped(*args, **kwargs)
        return list(made) if isinstance(made, Iterator) else made

    return paying


def _slow(wrapped: Callable[..., Any], characters: int) -> Callable[..., Any]:
    """The same filter, which takes a step for so few characters of a text."""

    @functools.wraps(wrapped)
    def paying(value: Any, *args: Any, **kwargs: Any) -> Any:
        spend(len(value) // characters if isinstance(value, str) else 0)
        return wrapped(value, *args, **kwargs)

    return paying


def _by_order(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter, which compares members or what they have by `attribute`: paid for."""
    named = inspect.signature(wrapped)

    @functools.wraps(wrapped)
    def paying(environment: Environment, value: Any, *args: Any, **kwargs: Any) -> Any:
        given = named.bind(environment, value, *args, **kwargs).arguments
        members = each(value)
        rounds = 1 + len(members).bit_length() // 4 if len(members) else 1
        asked = given.get("attribute")
        for attribute in asked.split(",") if isinstance(asked, str) else [asked]:
            for key in _picked(environment, members, attribute):
                for _ in range(rounds):
                    weigh(key)
        return wrapped(environment, members, *args, **kwargs)

    return _paid(paying)


def _of_text(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter; what is no text is given to it as it reads."""
    number = 1 if hasattr(wrapped, "jinja_pass_arg") else 0

    @functools.wraps(wrapped)
    def reading(*args: Any, **kwargs: Any) -> Any:
        return wrapped(*args[:number], shown(args[number]), *args[number + 1 :], **kwargs)

    return _paid(reading)


_LISTS_OF_JINJA = (
    *("count", "first", "last", "length", "list", "map", "reject", "rejectattr"),
    *("reverse", "select", "selectattr"),
)
_ORDERS_OF_JINJA = ("max", "min", "sort", "unique")
_TEXTS_OF_JINJA = ("capitalize", "lower", "trim", "truncate", "upper")

FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: _paid(jinja_filters.FILTERS[name]) for name in _LISTS_OF_JINJA},
    **{name: _by_order(jinja_filters.FILTERS[name]) for name in _ORDERS_OF_JINJA},
    **{name: _of_text(jinja_filters.FILTERS[name]) for name in _TEXTS_OF_JINJA},
    "title": _of_text(_slow(jinja_filters.FILTERS["title"], _CAPITALISED)),
    "abs": _paid(jinja_filters.FILTERS["abs"]),
    "d": _paid(default),
    "date": _paid(date_in("UTC")),
    "default": _paid(default),
    "int": _paid(whole),
    "join": _paid(joined),
    "join_and": _paid(joined_and),
    "money": _paid(money),
    "name": _paid(_slow(tidy_name, _OF_NAMES)),
    "phone": _paid(phone),
    "plural": _paid(plural),
    "replace": _paid(replace),
    "round": _paid(rounded),
    "sum": _paid(total),
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


def _weighed(wrapped: Callable[..., bool]) -> Callable[..., bool]:
    """The same test; all that it may have to compare is paid for."""

    @functools.wraps(wrapped)
    def paying(*args: Any, **kwargs: Any) -> bool:
        spend(CALL)
        for argument in (*args, *kwargs.values()):
            weigh(argument)
        return wrapped(*args, **kwargs)

    return paying


_TESTS_OF_JINJA: Mapping[str, Any] = {name: jinja_tests.TESTS[name] for name in _TESTS_FROM_JINJA}


def _is_missing(value: Any) -> bool:
    return value is None or isinstance(value, Undefined)


_OUR_TESTS: Mapping[str, Callable[..., bool]] = {
    "defined": lambda value: not _is_missing(value),
    "none": _is_missing,
    "undefined": _is_missing,
}
TESTS: Mapping[str, Callable[..., Any]] = {
    name: _weighed(test) for name, test in {**_TESTS_OF_JINJA, **_OUR_TESTS}.items()
}
