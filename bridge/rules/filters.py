"""What templates can do with a value: our filters, and those of Jinja that cannot do harm.

Everything else of Jinja's is absent: what is not here can neither run for
long, nor fill the memory, nor be different the next time.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, tzinfo
from decimal import Decimal
from typing import Any

from jinja2 import Environment, pass_environment
from jinja2 import filters as jinja_filters
from jinja2 import tests as jinja_tests
from jinja2.runtime import Undefined

from bridge.rules import values
from bridge.rules.comparing import alike, is_in, is_ranked, is_unknown, precedes, rank, same
from bridge.rules.date_filter import date_in
from bridge.rules.money_filter import money
from bridge.rules.name_filter import tidy_name
from bridge.rules.phone_filter import phone
from bridge.rules.work import CALL, NOTHING, CannotRender, cost, each, note, spend, weigh

_MOST_DIGITS = 12
# Steps for showing, or adding up, one member of a list.
_SHOWN = 2
# So many characters of words are capitalised, or of a name looked through, in one step.
_CAPITALISED = 2
_OF_NAMES = 20
_LONGEST_WORD = 100


def shown(value: Any) -> str:
    """How an inserted value reads; lists are joined by commas, and a group is nothing."""
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
    note("it inserts a whole group; name one of its parts")
    return ""


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
        note(f"it makes, by `replace`, more than {LONGEST_REPLACED:,} characters, and is cut")
    return replaced[:LONGEST_REPLACED]


def _word(value: Any) -> str:
    """An argument that is a text, or reads as one."""
    return shown(value)[:_LONGEST_WORD]


def rounded(value: Any, digits: int = 0) -> Any:
    """As in `{{ order.total | round(2) }}`, half up, exactly."""
    amount = values.number(value)
    if not isinstance(digits, int) or abs(digits) > _MOST_DIGITS:
        digits = 0
    if amount is None or amount.adjusted() > _MOST_DIGITS:
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
    return shown(attribute)[:_LONGEST_WORD].split(".")


@pass_environment
def ordered(
    environment: Environment,
    value: Any,
    reverse: bool = False,
    case_sensitive: bool = False,
    attribute: Any = None,
) -> list[Any]:
    """As in `{{ tickets | sort(attribute='starts_on') }}`; what is unknown comes last."""
    ranked = _ranked(environment, value, attribute, folded=not case_sensitive)
    known = [pair for pair in ranked if any(map(is_ranked, pair[0]))]
    known.sort(key=lambda pair: pair[0], reverse=bool(reverse))
    unknown = [pair for pair in ranked if not any(map(is_ranked, pair[0]))]
    return [member for _, member in [*known, *unknown]]


@pass_environment
def least(
    environment: Environment, value: Any, case_sensitive: bool = False, attribute: Any = None
) -> Any:
    """The smallest, the earliest, or the first by the alphabet, of those that are known."""
    return _first(environment, value, attribute, reverse=False, folded=not case_sensitive)


@pass_environment
def largest(
    environment: Environment, value: Any, case_sensitive: bool = False, attribute: Any = None
) -> Any:
    """The largest, the latest, or the last by the alphabet, of those that are known."""
    return _first(environment, value, attribute, reverse=True, folded=not case_sensitive)


def _first(
    environment: Environment, value: Any, attribute: Any, *, reverse: bool, folded: bool
) -> Any:
    ranked = _ranked(environment, value, attribute, folded=folded)
    known = [pair for pair in ranked if any(map(is_ranked, pair[0]))]
    if not known:
        return NOTHING
    best = max if reverse else min
    return best(known, key=lambda pair: pair[0])[1]


@pass_environment
def unique(
    environment: Environment, value: Any, case_sensitive: bool = False, attribute: Any = None
) -> list[Any]:
    """Each once, in their order; what is unknown is left as it is."""
    seen: set[Any] = set()
    kept = []
    for ranked, member in _ranked(environment, value, attribute, folded=not case_sensitive):
        if not any(map(is_ranked, ranked)) or ranked not in seen:
            kept.append(member)
        seen.add(ranked)
    return kept


def _ranked(
    environment: Environment, value: Any, attribute: Any, *, folded: bool
) -> list[tuple[tuple[Any, ...], Any]]:
    """The members, each with what it is put in order by: several attributes by commas."""
    members = each(value)
    asked = attribute.split(",") if isinstance(attribute, str) else [attribute]
    zone = clocks_of(environment)
    columns = [
        [rank(key, zone, folded=folded) for key in _picked(environment, members, one)]
        for one in asked
    ]
    return list(zip(zip(*columns, strict=True), members, strict=True)) if columns else []


def clocks_of(environment: Environment) -> tzinfo:
    """Those of the rules' zone."""
    clocks: tzinfo = getattr(environment, "clocks", UTC)
    return clocks


def positive(value: Any) -> Any:
    """As in `{{ order.total | abs }}`; what is no number is nothing."""
    amount = values.number(value)
    return NOTHING if amount is None else abs(amount)


def length(value: Any) -> int:
    """The length of a list or a text; what is neither has none."""
    return len(value) if isinstance(value, list | tuple | str | Mapping) else 0


def _paid(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter; lists and long texts are paid for, and what it yields is a list."""

    @functools.wraps(wrapped)
    def paying(*args: Any, **kwargs: Any) -> Any:
        spend(CALL + sum(map(cost, (*args, *kwargs.values()))))
        try:
            made = wrapped(*args, **kwargs)
            return list(made) if isinstance(made, Iterator) else made
        except (CannotRender, RecursionError, MemoryError):
            raise
        except Exception as error:
            # Filters fail in ways of their own; what is the rule's mistake is no event's.
            if _MISCALLED.search(str(error)):
                raise
            note(f"`{wrapped.__name__.removeprefix('do_')}` can do nothing with what it is given")
            return NOTHING

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


_MISCALLED = re.compile(r"(positional|keyword) argument|no (test|filter) named", re.IGNORECASE)
_LISTS_OF_JINJA = (
    *("first", "last", "list", "map", "reject", "rejectattr", "reverse", "select", "selectattr"),
)
_ORDERS: Mapping[str, Callable[..., Any]] = {
    "max": largest,
    "min": least,
    "sort": ordered,
    "unique": unique,
}
_TEXTS_OF_JINJA = ("capitalize", "lower", "trim", "truncate", "upper")

FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: _paid(jinja_filters.FILTERS[name]) for name in _LISTS_OF_JINJA},
    **{name: _by_order(order) for name, order in _ORDERS.items()},
    **{name: _of_text(jinja_filters.FILTERS[name]) for name in _TEXTS_OF_JINJA},
    "title": _of_text(_slow(jinja_filters.FILTERS["title"], _CAPITALISED)),
    "abs": _paid(positive),
    "count": _paid(length),
    "d": _paid(default),
    "date": _paid(date_in("UTC")),
    "default": _paid(default),
    "int": _paid(whole),
    "join": _paid(joined),
    "length": _paid(length),
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


_TESTS_FROM_JINJA = ("boolean", "false", "mapping", "number", "string", "true")


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


@pass_environment
def _less(environment: Environment, one: Any, other: Any) -> bool:
    return precedes(one, other, clocks_of(environment))


@pass_environment
def _greater(environment: Environment, one: Any, other: Any) -> bool:
    return precedes(other, one, clocks_of(environment))


@pass_environment
def _at_most(environment: Environment, one: Any, other: Any) -> bool:
    zone = clocks_of(environment)
    return _is_ordered(one, other, zone) and not precedes(other, one, zone)


@pass_environment
def _at_least(environment: Environment, one: Any, other: Any) -> bool:
    zone = clocks_of(environment)
    return _is_ordered(one, other, zone) and not precedes(one, other, zone)


def _is_ordered(one: Any, other: Any, zone: tzinfo) -> bool:
    return precedes(one, other, zone) or precedes(other, one, zone) or alike(one, other, zone)


def _is_in(one: Any, other: Any) -> bool:
    return is_in(one, other, shown)


def _remainder(value: Any) -> Decimal | None:
    amount = values.number(value)
    is_whole = amount is not None and amount == amount.to_integral_value()
    return None if amount is None or not is_whole else abs(amount) % 2


_OUR_TESTS: Mapping[str, Callable[..., bool]] = {
    **dict.fromkeys(("==", "eq", "equalto"), same),
    **dict.fromkeys(("!=", "ne"), lambda one, other: not same(one, other)),
    **dict.fromkeys(("<", "lt", "lessthan"), _less),
    **dict.fromkeys((">", "gt", "greaterthan"), _greater),
    **dict.fromkeys(("<=", "le"), _at_most),
    **dict.fromkeys((">=", "ge"), _at_least),
    "in": _is_in,
    "even": lambda value: _remainder(value) == 0,
    "odd": lambda value: _remainder(value) == 1,
    "defined": lambda value: not is_unknown(value),
    "none": is_unknown,
    "undefined": is_unknown,
}
TESTS: Mapping[str, Callable[..., Any]] = {
    name: _weighed(test) for name, test in {**_TESTS_OF_JINJA, **_OUR_TESTS}.items()
}
