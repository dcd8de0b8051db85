"""What rules would do with the newest events, at a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from bridge.cli.chosen_rules import ChosenRules
from bridge.cli.examined import place_of
from bridge.cli.json_lines import iso
from bridge.cli.screen import clean, counted, full_time, indented
from bridge.cli.tried_survey import Survey, Tally

EXAMPLES = 5
_REASONS = 3


def print_many(console: Console, found: Survey, rules: ChosenRules, only: str | None) -> None:
    _print_heading(console, found, rules)
    tallies = _chosen(found, only)
    for tally in tallies:
        if tally.asked or only:
            console.print()
            _print_tally(console, tally)
    idle = [tally.rule.name for tally in tallies if not tally.asked]
    if idle and not only:
        console.print()
        about = Text.assemble(("About none of these events: ", "dim"), clean(", ".join(idle), 2000))
        console.print(about)
    console.print()
    console.print("A try: nothing is sent. `rules try RULES EVENT` tells all of one.", style="dim")


def _chosen(found: Survey, only: str | None) -> list[Tally]:
    wanted = only.strip().casefold() if only else None
    return [each for name, each in found.tallies.items() if wanted in (None, name.casefold())]


def _print_heading(console: Console, found: Survey, rules: ChosenRules) -> None:
    title = f"The newest {counted(found.events, 'event')} by {rules.named}"
    console.print(Text(clean(title), style="bold"))
    if found.first and found.last:
        console.print(
            f"  received {full_time(found.first)} to {full_time(found.last)}", style="dim"
        )
    if found.pruned:
        text = f"  {found.pruned:,} more left out: their bodies were deleted for their age"
        console.print(text, style="yellow")
    if found.unusable:
        text = (
            f"  {counted(found.unusable, 'webhook')} left out that cannot be read or hold nothing"
        )
        console.print(text, style="yellow")


def _print_tally(console: Console, tally: Tally) -> None:
    mark, style = ("✓", "green") if tally.matched else ("✗", "yellow")
    place = Text(place_of(tally.rule), style="dim")
    name = (clean(tally.rule.name), "bold")
    console.print(Text.assemble((f"{mark} ", style), name, "  ", place))
    for line in _lines(tally):
        console.print(indented(line, 2))


def _lines(tally: Tally) -> Iterator[Text]:
    matched, asked = len(tally.matched), counted(tally.asked, "such event")
    newest = tally.matched[::-1][:EXAMPLES]
    more = " ..." if matched > EXAMPLES else ""
    yield Text(
        f"matches {matched:,} of {asked}" + (f": {', '.join(newest)}{more}" if newest else "")
    )
    for action, count in tally.sent.most_common():
        yield Text(f"{count:,} × {action} would be sent", style="cyan")
    for (action, state, why), count in tally.not_sent.most_common(_REASONS):
        yield Text(f"{count:,} × {action} would be {state}: {clean(why)}", style="yellow")
    for sentence, reason in tally.most_frequent[:_REASONS]:
        alone = f", {reason.alone:,} × for that alone" if reason.alone and reason.words else ""
        no = "not: " if reason.words else ""
        yield Text(f"{reason.count:,} × {no}{clean(sentence)}{alone}, such as {reason.example}")
        if reason.words:
            yield Text(f"    {clean(reason.words, 2000)}", style="dim")


def as_object(found: Survey, rules: ChosenRules, only: str | None) -> dict[str, Any]:
    """For `--json`; times in ISO 8601 and UTC."""
    return {
        "ok": True,
        "by": rules.named,
        "rules_version": rules.rules.version,
        "events": found.events,
        "from": iso(found.first),
        "to": iso(found.last),
        "bodies_deleted": found.pruned,
        "unusable": found.unusable,
        "rules": [_object(each) for each in _chosen(found, only)],
    }


def _object(tally: Tally) -> dict[str, Any]:
    return {
        "rule": tally.rule.name,
        "asked": tally.asked,
        "matched": len(tally.matched),
        "examples": tally.matched[::-1][:EXAMPLES],
        "would_be_sent": dict(tally.sent),
        "would_not_be_sent": [
            {"action": action, "state": state, "reason": reason, "count": count}
            for (action, state, reason), count in tally.not_sent.most_common()
        ],
        "why_not": [
            {
                "condition": sentence,
                "count": reason.count,
                "alone": reason.alone,
                "example": reason.example,
                "words": reason.words,
            }
            for sentence, reason in tally.most_frequent
        ],
    }
