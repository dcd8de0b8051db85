"""Facts against the fields that a source declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bridge.source import FieldKind

RESERVED = frozenset({"contact", "event", "raw", "source"})
"""What rules may ask of every event; no source may call a fact so."""


def paths(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each fact with its dotted path; members of a list are named by the list."""
    for name, value in facts.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from paths(value, f"{path}.")
            continue
        yield path, value
        for member in value if isinstance(value, list) else []:
            if isinstance(member, Mapping):
                yield from paths(member, f"{path}.")


def fits(kind: FieldKind, value: Any) -> bool:
    """Whether a fact or an example is of a field's kind."""
    return _KINDS[kind](value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_date(value: Any) -> bool:
    """A day that has no time is a `date`: it is the same day in every zone."""
    if isinstance(value, datetime):
        return value.utcoffset() is not None
    return isinstance(value, date)


def _is_money(value: Any) -> bool:
    return isinstance(value, Decimal) and value.is_finite()


_KINDS: dict[FieldKind, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": _is_number,
    "money": _is_money,
    "date": _is_date,
    "yes/no": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "anything": lambda value: True,
}
