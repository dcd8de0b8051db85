"""How much work one text may make, so that no rule and no event can keep a worker busy.

One step is about a microsecond. What goes through values pays before it does: a list by
its members, a text by its length, a comparison by all that it may have to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from jinja2 import ChainableUndefined
from jinja2.runtime import Undefined

NOTHING = ChainableUndefined()
"""What filters give where there is nothing to give: no text, false, and replaced by `default`."""

MOST_WORK = 200_000
"""Steps in one text for one event."""

MAX_TOGETHER = 2_000_000
"""Steps in all texts for one webhook, however many deliveries its rules make of it."""

CALL = 6
"""Steps for calling a filter or a test once, whatever it is given."""

CHARACTERS = 50
"""So many are copied, compared or searched in the time of one step."""

TOO_MUCH = (
    "it takes too much work for one text; go through fewer entries, such as tickets[:100], "
    "and compare single values instead of whole lists"
)


TOO_MUCH_TOGETHER = (
    "the texts for this webhook take too much work together; let rules go through fewer entries"
)


_MAX_TOLD = 10


class CannotRender(Exception):
    """Says in plain words why a text cannot be filled in, without any value."""


@dataclass
class Meter:
    """What may still be spent, and what was."""

    most: int = MOST_WORK
    spent: int = 0

    @property
    def is_empty(self) -> bool:
        return self.spent > self.most


@dataclass
class Notes:
    """What texts had to do without: `blanks` counts what they inserted and nobody knows.

    `told` are sentences without any value, for who wrote the text.
    """

    blanks: int = 0
    told: dict[str, None] = field(default_factory=dict)


_meter: ContextVar[Meter] = ContextVar("_meter")
_notes: ContextVar[Notes] = ContextVar("_notes")
_whole: ContextVar[Meter] = ContextVar("_whole")


@contextmanager
def limited() -> Iterator[Meter]:
    """What happens inside may spend MOST_WORK; beyond that `spend` raises CannotRender."""
    meter, whole = Meter(), _whole.get(None)
    if whole is not None and whole.is_empty:
        raise CannotRender(TOO_MUCH_TOGETHER)
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)
        if whole is not None:
            whole.spent += meter.spent


@contextmanager
def together() -> Iterator[Meter]:
    """All texts inside may spend MAX_TOGETHER; then each of them raises CannotRender."""
    meter = Meter(MAX_TOGETHER)
    token = _whole.set(meter)
    try:
        yield meter
    finally:
        _whole.reset(token)


@contextmanager
def noting() -> Iterator[Notes]:
    """Notes on all texts that are filled in inside."""
    notes = Notes()
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def note(told: str) -> None:
    """Tell, if somebody wants to know, that something in the event is not as the text needs it."""
    notes = _notes.get(None)
    if notes is not None and len(notes.told) < _MAX_TOLD:
        notes.told[told] = None


def note_blank() -> None:
    """Count that something was inserted which nobody knows."""
    notes = _notes.get(None)
    if notes is not None:
        notes.blanks += 1


def spend(amount: int = 1) -> None:
    """Account for work about to be done; free of charge where nothing limits it."""
    meter = _meter.get(None)
    if meter is None:
        return
    meter.spent += amount
    if meter.is_empty:
        raise CannotRender(TOO_MUCH)


def cost(value: Any) -> int:
    """What going through a value costs: a list by its members, a text by its length."""
    # Not any mapping: Jinja passes its context off as one.
    if isinstance(value, list | tuple | dict):
        return len(value)
    return len(value) // CHARACTERS if isinstance(value, str) else 0


def each(value: Any, steps: int = 1) -> Any:
    """The same members, paid for: what a loop goes through, letter by letter if it is a text.

    `steps` are what is done with each of them.
    """
    members = list(value) if isinstance(value, Iterator) else value
    if not isinstance(members, list | tuple | str | Mapping | Undefined):
        note("it goes through something that is no list in this event")
        members = []
    spend(1 + steps * len(members))
    return members


def weigh(value: Any) -> None:
    """Pay for a value and all that is in it."""
    spend(1 + cost(value))
    if isinstance(value, dict):
        for name in value:
            spend(cost(name))
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for member in value:
        if isinstance(member, str):
            spend(cost(member))
        elif isinstance(member, list | tuple | dict):
            weigh(member)
