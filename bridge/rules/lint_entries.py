"""Conditions on two fields of one list, of which nobody can see whether they mean one entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.rules.conditions import OF_ONE
from bridge.rules.written import Written
from bridge.wording import flow
from bridge.yaml_text import Path


@dataclass(frozen=True)
class _Asked:
    """One condition as it stands in the file, at `path` below the rule."""

    field: str
    wanted: Any
    path: Path


def warn_of_several_fields(written: Written) -> None:
    """Once for each list in each group of conditions that must all hold."""
    where = written.entry["when"].get("where") or {}
    for group in _groups([(where, ("when", "where"))]):
        names = {one.field for one in group}
        for path in written.lists:
            about = [one for one in group if _is_of(one, path, written.lists)]
            first = {one.field: one for one in reversed(about)}
            if len(first) > 1:
                _tell(written, path, list(reversed(first.values())), taken=path in names)


def _groups(where: Sequence[tuple[Mapping[str, Any], Path]]) -> Iterator[list[_Asked]]:
    """The conditions that must hold together, and below `any` and `not` those that do there."""
    group: list[_Asked] = []
    apart: list[tuple[Mapping[str, Any], Path]] = []
    waiting = list(where)
    while waiting:
        conditions, path = waiting.pop(0)
        for name, wanted in conditions.items():
            place = (*path, name)
            if name == "all":
                waiting += [(one, (*place, at)) for at, one in enumerate(wanted)]
            elif name == "any":
                apart += [(one, (*place, at)) for at, one in enumerate(wanted)]
            elif name == "not":
                apart.append((wanted, place))
            else:
                group.append(_Asked(name, wanted, place))
    yield group
    for one in apart:
        yield from _groups([one])


def _is_of(one: _Asked, path: str, lists: frozenset[str]) -> bool:
    """Whether it asks a field of the list's entries for one that is so; of none is clear."""
    inside = one.field.startswith(f"{path}.") and one.field not in lists
    nearest = max((each for each in lists if one.field.startswith(f"{each}.")), default="", key=len)
    return inside and nearest == path and _wants_one(one.wanted)


def _wants_one(wanted: Any) -> bool:
    if not isinstance(wanted, dict) or "field" in wanted:
        return True
    parts = [*(wanted.get("any") or ()), *(wanted.get("all") or ())]
    return any(name in OF_ONE for name in wanted) or any(map(_wants_one, parts))


def _tell(written: Written, path: str, asked: list[_Asked], *, taken: bool) -> None:
    own = {one.field.removeprefix(f"{path}."): one.wanted for one in asked}
    *others, last = (f"`{one.field}`" for one in asked)
    together: dict[str, Any] = {path: {"where": own}}
    apart = {"all": [{path: {"where": {name: wanted}}} for name, wanted in own.items()]}
    # A name stands once in a group.
    one_entry = {"all": [together]} if taken else together
    written.warn(
        asked[1].path,
        f"{', '.join(others)} and {last} may be so of different entries of `{path}`",
        f"if one and the same is meant, write `{_line(one_entry)}` instead; if not, write "
        f"`{_line(apart)}`",
    )


def _line(condition: Mapping[str, Any]) -> str:
    return flow(condition)[1:-1]
