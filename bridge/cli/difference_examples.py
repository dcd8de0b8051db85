"""Some events for which other rules would have done something else, with what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from bridge.cli.compared import Compared
from bridge.cli.screen import clean, duration, full_time, indented
from bridge.engine.course import Owed
from bridge.engine.differences import Difference, FieldChange, changed_fields
from bridge.engine.rule_pairs import Pair
from bridge.engine.tally import Example, RuleCounts

_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
_LONGEST = 200


def print_examples(
    console: Console, found: Compared, rules: Sequence[tuple[Pair, RuleCounts]]
) -> None:
    """Of each rule the first of each kind."""
    for pair, counts in rules:
        if not counts.examples:
            continue
        console.print(Text.assemble("Examples of ", (clean(pair.name, 100), "cyan")), style="bold")
        for example in sorted(counts.examples, key=lambda each: each.difference.kind):
            for line in _lines(example, found):
                console.print(line)


def _lines(example: Example, found: Compared) -> Iterator[Any]:
    difference, about = example.difference, example.about
    sign, style = _SIGNS[difference.kind]
    done = difference.done
    name = found.looked.names.get(about.id, f"event {about.id}")
    yield indented(
        Text.assemble(
            (f"{sign} {'.'.join(done.name)}", style),
            f"  {clean(name)}, {clean(about.who or 'nobody known', 60)}",
        ),
        2,
    )
    if difference.kind != "changed":
        yield indented(Text(_brief(done), "dim"), 4)
        if example.why_not:
            word = "before" if difference.kind == "added" else "now"
            yield indented(Text(f"not {word}: {clean(example.why_not)}"), 4)
        return
    for change in changes(difference):
        yield indented(Text(clean(change.name), "bold"), 4)
        yield indented(Text(f"- {_said(change.before)}", "red"), 6)
        yield indented(Text(f"+ {_said(change.after)}", "green"), 6)


def changes(difference: Difference) -> Iterator[FieldChange]:
    """The fields of a changed delivery, and `when` where that is another time."""
    before, after = difference.before, difference.after
    assert before is not None and after is not None  # noqa: S101, PT018  # it is changed
    yield from changed_fields(before, after)
    if before.due_at != after.due_at:
        yield FieldChange("when", when(before), when(after))


def when(owed: Owed) -> str:
    """`at once`, or after how long and when that is."""
    if not owed.due_at:
        return "at once"
    return f"{duration(owed.due_at - owed.at)} later, {full_time(owed.due_at)}"


def _brief(owed: Owed) -> str:
    """What is filled in, on one or two lines."""
    item = owed.planned.item
    fields = [f"{name}: {_said(value)}" for name, value in item.items() if value]
    said = ", ".join(fields)
    return clean(f"{when(owed)}; {said}" if owed.due_at else said, _LONGEST)


def _said(value: Any) -> str:
    if value is None:
        return "(nothing)"
    if isinstance(value, Mapping | list):
        return clean(json.dumps(value, ensure_ascii=False, default=str), _LONGEST)
    return clean(value, _LONGEST)
