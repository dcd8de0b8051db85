"""One rule and one event at a terminal and for programs: condition by condition, why or why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from bridge.cli.screen import clean, counted, indented
from bridge.rules import Examination, Rule
from bridge.rules.examine import Asked
from bridge.rules.values import UNSAID

NOTHING = "nothing"
_LONGEST = 2000
_MOST_NAMED = 20


def print_examination(
    console: Console, one: Examination, *, stopped_by: str = "", indent: int = 2
) -> None:
    """The rule, whether it matches, and each of its conditions."""
    mark, style = ("✓", "green") if one.matched and not stopped_by else ("✗", "yellow")
    place = Text(place_of(one.rule), style="dim")
    head = Text.assemble((f"{mark} ", style), (clean(one.rule.name), "bold"), "  ", place)
    console.print(indented(head, indent))
    for words in outcome(one, stopped_by):
        console.print(indented(Text(clean(words, _LONGEST), style=style), indent + 2))
    for depth, line in _conditions(one.asked, 0):
        console.print(indented(line, indent + 2 + 2 * depth))


def outcome(one: Examination, stopped_by: str = "") -> Iterator[str]:
    """Whether it matches, in words; else everything that keeps the event from it."""
    if one.elsewhere:
        yield one.elsewhere
    yield from one.kept_from
    if stopped_by:
        yield f"not asked: “{stopped_by}” matched and stops"
    if one.matched and not stopped_by:
        yield f"matches{members_said(one.rule, one.fitting)}"
    elif one.failed:
        yield failed_said(one)


def failed_said(one: Examination) -> str:
    """`1 of 3 conditions does not hold`, and of which entry where the rule goes through some."""
    failed, count = len(one.failed), len(one.asked)
    verb = "does" if failed == 1 else "do"
    which = ""
    if one.rule.for_each and one.member:
        which = f" for {one.rule.for_each.name} {one.member}, the nearest"
    return f"{failed} of {counted(count, 'condition')} {verb} not hold{which}"


def members_said(rule: Rule, numbers: Sequence[int]) -> str:
    """` for ticket 1`, ` for tickets 1, 3`; nothing where it goes through none."""
    if rule.for_each is None or not numbers:
        return ""
    path = rule.for_each.path.rpartition(".")[2]
    name = rule.for_each.name if len(numbers) == 1 else path
    return f" for {name} {', '.join(map(str, numbers))}"


def about_others(names: Sequence[str]) -> Text:
    """`6 rules about other events: “Refunds”, “Transfers” ...`"""
    listed = ", ".join(f"“{clean(name)}”" for name in names[:_MOST_NAMED])
    more = " ..." if len(names) > _MOST_NAMED else ""
    return Text.assemble(
        (f"{counted(len(names), 'rule')} about other events: ", "dim"), f"{listed}{more}"
    )


def place_of(rule: Rule) -> str:
    return clean(f"{rule.file}:{rule.line}")


def _conditions(asked: Sequence[Asked], depth: int) -> Iterator[tuple[int, Text]]:
    for one in asked:
        mark, style = ("✓", "green") if one.holds else ("✗", "yellow")
        said = clean(one.heading or one.sentence, _LONGEST)
        line = Text.assemble((f"{mark} ", style), f"{said}{':' if one.heading else ''}")
        line.append(_remark(one), style="dim")
        yield depth, line
        if not (one.heading or one.holds):
            near = f"; {one.nearest}" if one.nearest else ""
            yield depth + 1, Text(clean(one.why_not + near, _LONGEST), style="yellow")
        if one.heading:
            yield from _parts(one, depth + 1)


def _parts(one: Asked, depth: int) -> Iterator[tuple[int, Text]]:
    """Of what must not be so only whether it is so is told."""
    inner, negated = one, False
    while len(inner.parts) == 1:
        negated ^= inner.parts[0].holds is not inner.holds
        inner = inner.parts[0]
    if not negated:
        yield from _conditions(inner.parts, depth)
        return
    for part in inner.parts:
        is_so = "is so" if part.holds else "is not so"
        said = clean(part.sentence, _LONGEST)
        yield depth, Text.assemble(f"· {said}", (f"  ({is_so})", "dim"))


def _remark(one: Asked) -> str:
    """What was found where it holds; the line where it does not."""
    if not one.holds:
        return f"  (line {one.line})" if one.line else ""
    shown = one.found and one.found not in (NOTHING, UNSAID) and not one.heading
    return f"  ({clean(one.found)})" if shown else ""


def as_object(one: Examination, stopped_by: str = "") -> dict[str, Any]:
    """For `--json`."""
    return {
        "rule": one.rule.name,
        "file": one.rule.file,
        "line": one.rule.line,
        "matched": one.matched and not stopped_by,
        "elsewhere": one.elsewhere,
        "kept_from": list(one.kept_from),
        "stopped_by": stopped_by or None,
        "member": one.member,
        "members": list(one.fitting),
        "conditions": [_object(each) for each in one.asked],
    }


def _object(asked: Asked) -> dict[str, Any]:
    return {
        "condition": asked.sentence,
        "holds": asked.holds,
        "found": asked.found,
        "why_not": asked.why_not,
        "nearest": asked.nearest,
        "line": asked.line,
        "fields": list(asked.paths),
        "parts": [_object(each) for each in asked.parts],
    }
