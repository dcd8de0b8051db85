"""Where a deal is to go: pipelines and stages by label, and never backwards by itself. Pure.

HubSpot keeps the ids of stages and shows the labels; the order is the one in
which people see the stages (`displayOrder`):
https://developers.hubspot.com/docs/api-reference/legacy/crm/pipelines/guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.connector import Rejected
from connectors.hubspot.definitions import Pipeline, Stage, by_label

DEFAULT = "default"
"""The id of the pipeline that every account begins with."""

MOST_NAMED = 12


@dataclass(frozen=True)
class Place:
    """A stage of a pipeline."""

    pipeline: Pipeline
    stage: Stage


@dataclass(frozen=True)
class Wanted:
    """What a rule names, each by label or id; without a pipeline it is the deal's own."""

    stage: str
    pipeline: str = ""
    backwards: bool = False


@dataclass(frozen=True)
class Standing:
    """Where HubSpot has the deal: ids, and empty where it told none."""

    deal: str
    pipeline: str = ""
    stage: str = ""


@dataclass(frozen=True)
class Move:
    """What is to be written of stage and pipeline, and what to tell where that is nothing."""

    properties: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""


def destination(
    pipelines: Sequence[Pipeline], wanted: Wanted, now: Standing | None
) -> Place | Rejected:
    """The stage that is meant; Rejected where there is none of that name."""
    pipeline = _pipeline(pipelines, wanted, now)
    if pipeline is None:
        return Rejected(
            f"HubSpot has no deal pipeline {shown(wanted.pipeline)}; it has {_named(pipelines)}"
        )
    stage = pipeline.stage(wanted.stage)
    if stage:
        return Place(pipeline, stage)
    elsewhere = _by_id(pipelines, wanted.stage) if not wanted.pipeline else None
    return elsewhere or Rejected(
        f"HubSpot's pipeline “{pipeline.label}” has no stage {shown(wanted.stage)}; "
        f"it has {_named(pipeline.stages)}"
    )


def move(pipelines: Sequence[Pipeline], now: Standing | None, to: Place, backwards: bool) -> Move:
    """How the deal gets there; it stays where it is rather than go back or to another pipeline."""
    there = Move({"pipeline": to.pipeline.id, "dealstage": to.stage.id})
    if now is None or not now.stage:
        return there
    if (now.pipeline, now.stage) == (to.pipeline.id, to.stage.id):
        return Move()
    here = _by_id(pipelines, now.stage)
    if backwards or here is None:
        return there
    if here.pipeline.id != to.pipeline.id:
        return Move(remark=f"the deal stays in the pipeline “{here.pipeline.label}”")
    if _rank(to) < _rank(here):
        return Move(remark=f"the deal stays at “{here.stage.label}”, which comes later")
    return there


def _pipeline(
    pipelines: Sequence[Pipeline], wanted: Wanted, now: Standing | None
) -> Pipeline | None:
    if wanted.pipeline:
        return by_label(pipelines, wanted.pipeline)
    ids = {each.id: each for each in pipelines}
    own = ids.get(now.pipeline) if now else None
    return own or ids.get(DEFAULT) or next(iter(pipelines), None)


def _by_id(pipelines: Sequence[Pipeline], stage: str) -> Place | None:
    places = (Place(one, each) for one in pipelines for each in one.stages)
    return next((place for place in places if place.stage.id == stage.strip()), None)


def _rank(place: Place) -> int:
    return place.pipeline.stages.index(place.stage)


def shown(named: str) -> str:
    """What the rule says, unless it is an event's and could be about a person."""
    is_a_name = len(named) <= 60 and named.isprintable() and "@" not in named
    return f"“{named.strip()}”" if is_a_name else "like the one given"


def _named(each: Iterable[Pipeline | Stage]) -> str:
    labels = [f"“{one.label}”" for one in each]
    more = ["..."] if len(labels) > MOST_NAMED else []
    return ", ".join([*labels[:MOST_NAMED], *more]) or "none"
