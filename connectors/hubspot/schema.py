"""What an account's objects can hold: their properties, and the pipelines they move through.

https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide,
https://developers.hubspot.com/docs/api-reference/legacy/crm/pipelines/guide. Read
as a whole for each type of object, and remembered for some minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bridge.connector import Retry
from connectors.hubspot.answers import Answer, outcome
from connectors.hubspot.calls import Line
from connectors.hubspot.definitions import (
    Option,
    Pipeline,
    Property,
    Stage,
    by_label,
    dicts,
    order_of,
    pipeline_of,
    property_of,
)

__all__ = ["NotRead", "Option", "Pipeline", "Property", "Schema", "Stage", "by_label"]

FRESH = 600.0
"""The seconds for which what was read is believed."""

PATIENT = 30.0
"""The seconds in which a name that was not found is not asked for again."""

PROPERTIES = "/crm/v3/properties"
PIPELINES = "/crm/v3/pipelines"

_What = TypeVar("_What")


class NotRead(Exception):
    """HubSpot could not be asked just now: the items in hand come to `retry`."""

    def __init__(self, retry: Retry) -> None:
        super().__init__(retry.reason)
        self.retry = retry


@dataclass
class _Memory(Generic[_What]):
    """What was read; None where the token may not read it."""

    found: _What | None
    at: float


@dataclass
class Schema:
    """One account's. What the token has no scope to read is unknown, and nothing is refused for it.

    Its methods raise NotRead where HubSpot cannot be asked now and nothing is
    remembered, and Halted where it refuses the token.
    """

    line: Line
    now: Callable[[], float] = time.monotonic
    _properties: dict[str, _Memory[Mapping[str, Property]]] = field(default_factory=dict)
    _pipelines: dict[str, _Memory[tuple[Pipeline, ...]]] = field(default_factory=dict)

    def properties(self, object_type: str) -> Mapping[str, Property] | None:
        """By their internal names; None: the token may not read them."""
        return self._recall(self._properties, object_type, self._read_properties, FRESH)

    def property(self, object_type: str, name: str) -> Property | None:
        """Read anew once before it is said to be missing; None also where nothing is known."""
        known = self.properties(object_type) or {}
        return known.get(name) or self.property_anew(object_type, name)

    def property_anew(self, object_type: str, name: str) -> Property | None:
        """As it is now: before something is refused for what it was minutes ago."""
        known = self._recall(self._properties, object_type, self._read_properties, PATIENT)
        return known.get(name) if known else None

    def is_known(self, object_type: str) -> bool:
        """Whether the properties can be read, so that one that is not found is missing."""
        return self.properties(object_type) is not None

    def pipelines(self, object_type: str) -> tuple[Pipeline, ...] | None:
        """In HubSpot's order; None: the token may not read them."""
        return self._recall(self._pipelines, object_type, self._read_pipelines, FRESH)

    def pipeline(self, object_type: str, named: str) -> Pipeline | None:
        """By label or id; read anew once before it is said to be missing."""
        found = by_label(self.pipelines(object_type) or (), named)
        return found or by_label(self._pipelines_anew(object_type), named)

    def stage(self, object_type: str, pipeline: str, named: str) -> Stage | None:
        """By label or id, in a pipeline by label or id; read anew once before it is missing."""
        within = self.pipeline(object_type, pipeline)
        if within is None or (found := within.stage(named)):
            return found if within else None
        anew = by_label(self._pipelines_anew(object_type), pipeline)
        return anew.stage(named) if anew else None

    def _pipelines_anew(self, object_type: str) -> tuple[Pipeline, ...]:
        return self._recall(self._pipelines, object_type, self._read_pipelines, PATIENT) or ()

    def _recall(
        self,
        memories: dict[str, _Memory[_What]],
        object_type: str,
        read: Callable[[str], _What | None],
        fresh: float,
    ) -> _What | None:
        """What is older than `fresh` seconds is read anew, and still believed where that fails."""
        known = memories.get(object_type)
        if known and self.now() - known.at < fresh:
            return known.found
        try:
            memories[object_type] = _Memory(read(object_type), self.now())
        except NotRead:
            if known is None:
                raise
        return memories[object_type].found

    def _read_properties(self, object_type: str) -> Mapping[str, Property] | None:
        told = self._results(f"{PROPERTIES}/{object_type}")
        return None if told is None else {each.name: each for each in map(property_of, told)}

    def _read_pipelines(self, object_type: str) -> tuple[Pipeline, ...] | None:
        told = self._results(f"{PIPELINES}/{object_type}")
        return None if told is None else tuple(sorted(map(pipeline_of, told), key=order_of))

    def _results(self, path: str) -> list[Mapping[str, Any]] | None:
        answer = self.line.request("GET", path)
        if answer.ok and isinstance(answer.body.get("results"), list):
            return dicts(answer.body["results"])
        if _may_not_be_read(answer):
            return None
        raise NotRead(_later(answer))


def _may_not_be_read(answer: Answer) -> bool:
    """For want of a scope, or since objects of this type have none."""
    return (answer.status == 403 and bool(answer.body)) or answer.status in (400, 404)


def _later(answer: Answer) -> Retry:
    came_to = None if answer.ok else outcome(answer)
    if isinstance(came_to, Retry):
        return came_to
    return Retry("HubSpot's answer about its properties makes no sense")
