"""How much work one text may make, so that no rule and no event can keep a worker busy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2 import ChainableUndefined
from jinja2.runtime import Undefined

NOTHING = ChainableUndefined()
"""What filters give where there is nothing to give: no text, false, and replaced by `default`."""

MOST_WORK = 200_000
"""Values reached for, members gone through, and calculations, in one text for one event."""

_CHARACTERS = 100
"""So many are copied or searched in the time of one step."""

_left: ContextVar[list[int]] = ContextVar("_left")


class CannotRender(Exception):
    """Says in plain words why a text cannot be filled in, without any value."""


@contextmanager
def limited() -> Iterator[None]:
    """What happens inside may spend MOST_WORK; beyond that `spend` raises CannotRender."""
    token = _left.set([MOST_WORK])
    try:
        yield
    finally:
        _left.reset(token)


def spend(amount: int = 1) -> None:
    """Account for work about to be done; free of charge where nothing limits it."""
    left = _left.get(None)
    if left is None:
        return
    left[0] -= amount
    if left[0] < 0:
        raise CannotRender("it takes too much work")


def cost(value: Any) -> int:
    """What going through a value costs: a list by its members, a text by its length."""
    if isinstance(value, list | tuple):
        return len(value)
    return len(value) // _CHARACTERS if isinstance(value, str) else 0


def each(value: Any) -> Any:
    """The same members, paid for: what a loop goes through, letter by letter if it is a text."""
    members = list(value) if isinstance(value, Iterator) else value
    if not isinstance(members, list | tuple | str | Mapping | Undefined):
        raise CannotRender("it goes through something that is no list")
    spend(1 + len(members))
    return members


def within(value: Any) -> Any:
    """The same value, paid for: what `in` searches."""
    members = list(value) if isinstance(value, Iterator) else value
    spend(1 + cost(members))
    return members
