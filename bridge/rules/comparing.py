"""How texts compare: in order, and whether one thing is in another; whatever an event holds.

What is unknown, and what cannot be compared, is in no order: each comparison with it is false,
as in conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any

from jinja2.runtime import Undefined

from bridge.rules import values

_LAST = 9


def is_unknown(value: Any) -> bool:
    """Whether it is not known; 0, false and empty lists are."""
    return value is None or isinstance(value, Undefined)


def precedes(one: Any, other: Any, zone: tzinfo) -> bool:
    """Whether one comes before the other: as numbers, as times, else as texts."""
    pair = _numbers(one, other) or _times(one, other, zone) or _texts(one, other)
    return pair is not None and bool(pair[0] < pair[1])


def _numbers(one: Any, other: Any) -> tuple[Any, Any] | None:
    first, second = values.number(one), values.number(other)
    return None if first is None or second is None else (first, second)


def _times(one: Any, other: Any, zone: tzinfo) -> tuple[Any, Any] | None:
    """The end of the one and the start of the other: a day is not before a time in it."""
    if not (isinstance(one, date) or isinstance(other, date)):
        return None
    first, second = values.span(one, zone), values.span(other, zone)
    return None if first is None or second is None else (first[1], second[0])


def _texts(one: Any, other: Any) -> tuple[Any, Any] | None:
    both = isinstance(one, str) and isinstance(other, str)
    alike = isinstance(one, bool) and isinstance(other, bool)
    return (one, other) if both or alike else None


def alike(one: Any, other: Any, zone: tzinfo) -> bool:
    """Whether they can be compared, and neither comes before the other."""
    pair = _numbers(one, other) or _times(one, other, zone) or _texts(one, other)
    return pair is not None and not precedes(one, other, zone) and not precedes(other, one, zone)


def same(one: Any, other: Any) -> bool:
    """As they are: `5` is `5.0`, but no text; what is unknown is the same as `none`."""
    if is_unknown(one) or is_unknown(other):
        return is_unknown(one) and is_unknown(other)
    return bool(one == other)


def is_in(one: Any, other: Any, said: Callable[[Any], str]) -> bool:
    """Whether a list has it as an entry, or a text as a part; `said` is how a value reads."""
    if is_unknown(one):
        return False
    if isinstance(other, str):
        return not isinstance(one, list | tuple | Mapping) and said(one) in other
    if isinstance(other, list | tuple):
        return any(same(one, member) for member in other)
    return isinstance(other, Mapping) and isinstance(one, str) and one in other


def rank(value: Any, zone: tzinfo, *, folded: bool) -> tuple[int, Any]:
    """By what values of any kinds are put in order: what is unknown comes last."""
    if isinstance(value, bool):
        return 0, value
    if isinstance(value, int | float | Decimal):
        amount = values.number(value)
        return (_LAST, 0) if amount is None else (1, amount)
    if isinstance(value, date):
        span = values.span(value, zone)
        return (_LAST, 0) if span is None else (2, span[0])
    if isinstance(value, str):
        return 3, value.casefold() if folded else value
    return _LAST, 0


def is_ranked(ranked: tuple[int, Any]) -> bool:
    """Whether there is a value to put in order."""
    return ranked[0] != _LAST
