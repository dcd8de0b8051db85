"""How HubSpot tells of properties and pipelines, as records of ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

_Labelled = TypeVar("_Labelled", "Stage", "Pipeline")


@dataclass(frozen=True)
class Option:
    """One choice of a property. People see the label; HubSpot takes the value."""

    label: str
    value: str


@dataclass(frozen=True)
class Property:
    """`type` is how a value is kept: string, number, date, datetime, bool, enumeration.

    `field_type` is how people fill it in: text, checkbox, select and the like.
    """

    name: str
    label: str = ""
    type: str = "string"
    field_type: str = "text"
    options: tuple[Option, ...] = ()
    read_only: bool = False
    unique: bool = False

    @property
    def takes_many(self) -> bool:
        """Several options at once, with semicolons between them."""
        return self.type == "enumeration" and self.field_type == "checkbox"


@dataclass(frozen=True)
class Stage:
    """`order` is where HubSpot shows it: from the first to the last. `closed`: won or lost."""

    id: str
    label: str
    order: int = 0
    closed: bool = False
    probability: float | None = None


@dataclass(frozen=True)
class Pipeline:
    id: str
    label: str
    order: int = 0
    stages: tuple[Stage, ...] = ()

    def stage(self, named: str) -> Stage | None:
        """By its label in any case, or by its id."""
        return by_label(self.stages, named)


def by_label(among: Sequence[_Labelled], named: str) -> _Labelled | None:
    """By the label in any case, or by the id."""
    wanted = named.strip().casefold()
    labelled = [each for each in among if each.label.strip().casefold() == wanted]
    return next(iter(labelled or [each for each in among if each.id == named.strip()]), None)


def property_of(told: Mapping[str, Any]) -> Property:
    metadata = told.get("modificationMetadata")
    changes = metadata if isinstance(metadata, Mapping) else {}
    return Property(
        name=_text(told, "name"),
        label=_text(told, "label"),
        type=_text(told, "type") or "string",
        field_type=_text(told, "fieldType") or "text",
        options=tuple(map(_option, sorted(dicts(told.get("options")), key=_place))),
        read_only=changes.get("readOnlyValue") is True or told.get("calculated") is True,
        unique=told.get("hasUniqueValue") is True,
    )


def _option(told: Mapping[str, Any]) -> Option:
    return Option(_text(told, "label"), _text(told, "value"))


def pipeline_of(told: Mapping[str, Any]) -> Pipeline:
    stages = map(_stage, dicts(told.get("stages")))
    return Pipeline(
        _text(told, "id"), _text(told, "label"), _place(told), tuple(sorted(stages, key=order_of))
    )


def _stage(told: Mapping[str, Any]) -> Stage:
    metadata = told.get("metadata")
    said = metadata if isinstance(metadata, Mapping) else {}
    return Stage(
        id=_text(told, "id"),
        label=_text(told, "label"),
        order=_place(told),
        closed=str(said.get("isClosed")).lower() == "true",
        probability=_number(said.get("probability")),
    )


def order_of(each: Stage | Pipeline) -> tuple[int, str]:
    return each.order, each.label


def _place(told: Mapping[str, Any]) -> int:
    place = told.get("displayOrder")
    return place if isinstance(place, int) else 0


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return str(value) if isinstance(value, str | int) else ""


def dicts(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
