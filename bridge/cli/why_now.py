"""What the rules that are live now would do otherwise with an event that others handled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from bridge.cli.handled import Handled
from bridge.cli.screen import clean, indented
from bridge.engine.course import Fate, Owed
from bridge.engine.differences import Difference, changed_fields, differences
from bridge.engine.rehearse import RehearsedEvent

_MARKS = {"added": ("+", "green"), "removed": ("−", "red"), "changed": ("~", "yellow")}
_LONGEST = 200


def now_lines(each: Handled, only: str | None) -> Iterator[RenderableType]:
    """Nothing where the live rules are those that handled it."""
    if each.then is None or each.now is None:
        return
    found = _differences(each.then, each.now, only)
    yield Text()
    if not found:
        yield Text(f"The live rules, version {each.live}, would do the same.", style="dim")
        return
    yield Text(f"The live rules, version {each.live}, would do otherwise", style="bold")
    for one in found:
        mark, style = _MARKS[one.kind]
        owed = one.done.planned
        action = f"{owed.account}.{owed.action}"
        said = Text.assemble((f"{mark} ", style), (clean(action), "bold"))
        said.append(f"  rule “{clean(owed.rule)}”", style="dim")
        yield indented(said, 2)
        for line in _changes(one):
            yield indented(Text(line), 4)
    yield Text(f"`showbridge rules try live {each.record.id}` tells all of it.", style="dim")


def _changes(one: Difference) -> Iterator[str]:
    if one.kind == "changed" and one.before and one.after:
        for field in changed_fields(one.before, one.after):
            yield f"{clean(field.name)}: {_said(field.before)} → {_said(field.after)}"
        if one.before.due_at != one.after.due_at:
            yield "at another time"
        return
    other = one.after if one.kind == "removed" else one.before
    if other and other.reason and other.planned.rule == one.done.planned.rule:
        yield clean(other.reason, _LONGEST)


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    return clean(json.dumps(value, ensure_ascii=False, default=str), _LONGEST)


def _differences(then: RehearsedEvent, now: RehearsedEvent, only: str | None) -> list[Difference]:
    return list(differences(_owed(then, only), _owed(now, only), lambda name: name))


def _owed(event: RehearsedEvent, only: str | None) -> list[Owed]:
    wanted = only.strip().casefold() if only else None
    return [
        Owed(
            planned=each.planned,
            place=(event.rehearsal.waiting.number, event.position),
            at=event.rehearsal.now,
            fate=_fate(each.planned.state),
            reason=each.planned.reason or "",
        )
        for each in event.deliveries
        if wanted in (None, each.planned.rule.casefold())
    ]


def _fate(state: str) -> Fate:
    fates: dict[str, Fate] = {"waiting": "now", "scheduled": "later", "rejected": "rejected"}
    return fates.get(state, "idle")


def now_object(each: Handled, only: str | None) -> dict[str, Any] | None:
    """For `--json`; None where the live rules are those that handled it, or cannot be asked."""
    if each.then is None or each.now is None:
        return None
    return {
        "rules_version": each.live,
        "differences": [
            {
                "kind": one.kind,
                "rule": one.done.planned.rule,
                "account": one.done.planned.account,
                "action": one.done.planned.action,
                "changes": list(_changes(one)),
            }
            for one in _differences(each.then, each.now, only)
        ],
    }
