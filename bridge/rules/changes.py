"""Sets facts on an event, as the `with` of a test says. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bridge.event import Event
from bridge.rules.expected import Change
from bridge.rules.relative import Relative
from bridge.rules.seen import Seen
from bridge.rules.values import view


class CannotSet(ValueError):
    """Says in plain words why a fact cannot be set on this event."""


def changed(event: Event, changes: Sequence[Change]) -> Event:
    """The event with the changes made in their order; raises CannotSet.

    Its `received_at` must be known where one counts from it.
    """
    for change in changes:
        event = _set(event, change.path, _value(event, change))
    return event


def _value(event: Event, change: Change) -> Any:
    if not isinstance(change.value, Relative):
        return change.value
    moment = next(change.value.moments(Seen(view(event))), None)
    if moment is None:
        field = change.value.field
        raise CannotSet(f"`{change.path}` counts from `{field}`, which is not known here")
    return moment


def _set(event: Event, path: str, value: Any) -> Event:
    first, _, rest = path.partition(".")
    if first == "contact":
        return replace(event, contact=replace(event.contact, **{rest: value}))
    if first == "raw":
        raw = copy.deepcopy(dict(event.raw))
        _put(raw, path, rest.split("."), value)
        return replace(event, raw=raw)
    facts = copy.deepcopy(dict(event.facts))
    _put(facts, path, path.split("."), value)
    return replace(event, facts=facts)


def _put(inside: dict[str, Any], path: str, names: Sequence[str], value: Any) -> None:
    """On every entry of each list on the way; groups that are missing are made."""
    groups = [inside]
    for name in names[:-1]:
        groups = [below for group in groups for below in _below(group, name)]
        if not groups:
            what = f"there are no {name} here, so `{path}` cannot be set"
            raise CannotSet(f"{what}; write `{name}:` with entries before it")
    for group in groups:
        group[names[-1]] = value


def _below(group: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    found = group.get(name)
    if isinstance(found, list):
        yield from (member for member in found if isinstance(member, dict))
        return
    if not isinstance(found, dict):
        found = group[name] = {}
    yield found
