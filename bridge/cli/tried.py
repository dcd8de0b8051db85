"""What rules would do with one event, at a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from bridge.cli import examined, rehearsed
from bridge.cli.chosen_event import Subject
from bridge.cli.chosen_rules import ChosenRules
from bridge.cli.json_lines import iso
from bridge.cli.pairs import pairs
from bridge.cli.screen import clean, counted, full_time, indented
from bridge.config import Config
from bridge.engine.rehearse import RehearsedDelivery, RehearsedEvent
from bridge.rules import Examination

# Of rules that do not match; whoever has more of them asks for one by its name.
MOST_SHOWN = 20


@dataclass(frozen=True)
class Tried:
    """One event by some rules. `called_off` says by the id of a delivery what would cancel it."""

    rules: ChosenRules
    subject: Subject
    event: RehearsedEvent
    called_off: Mapping[str, str]

    @property
    def stopped_by(self) -> Mapping[str, str]:
        """Of the rules that are not asked: the rule that stops them."""
        return stopped_by(self.event)

    def deliveries(self, only: str | None) -> list[RehearsedDelivery]:
        return [each for each in self.event.deliveries if _is(each.planned.rule, only)]


def stopped_by(event: RehearsedEvent) -> dict[str, str]:
    """By the name of each rule that is not asked, the one that matched and stops."""
    stops = {rule.name for rule in event.rehearsal.stage.rules.rules if rule.stop}
    found: dict[str, str] = {}
    stopping = ""
    for verdict in event.verdicts:
        if stopping:
            found[verdict.rule] = stopping
        elif verdict.matched and verdict.rule in stops:
            stopping = verdict.rule
    return found


def nearest_first(
    examinations: Sequence[Examination], stopped: Mapping[str, str]
) -> list[Examination]:
    """Those that match in the order of the file, then by how little keeps the event from them."""

    def misses(one: Examination) -> int:
        return len(one.failed) + len(one.kept_from) + (one.rule.name in stopped)

    return sorted(examinations, key=misses)


def print_tried(console: Console, tried: Tried, config: Config, only: str | None) -> None:
    _print_heading(console, tried)
    stopped = tried.stopped_by
    chosen = [one for one in tried.event.examinations if _is(one.rule.name, only)]
    shown = [one for one in nearest_first(chosen, stopped) if only or not one.elsewhere]
    matched = [one for one in shown if one.matched and one.rule.name not in stopped]
    for one in [*matched, *[one for one in shown if one not in matched][:MOST_SHOWN]]:
        console.print()
        examined.print_examination(console, one, stopped_by=stopped.get(one.rule.name, ""))
    for line in _rest(shown, matched, chosen):
        console.print()
        console.print(indented(line, 2))
    deliveries = tried.deliveries(only)
    console.print()
    said = f"{counted(len(deliveries), 'delivery')}" if deliveries else "No deliveries"
    console.print(Text.assemble((said, "bold"), (" (a try: nothing is sent)", "dim")))
    rehearsed.print_deliveries(console, deliveries, tried.event, config, tried.called_off)


def _print_heading(console: Console, tried: Tried) -> None:
    event, subject = tried.event, tried.subject
    named = subject.name_of(event)
    name = f"{named[0].upper()}{named[1:]}"
    kind, source = event.event.type, event.event.source
    what = "" if kind in name else f"  {kind} from {source}"
    console.print(Text.assemble((clean(name), "bold"), clean(what)))
    received = full_time(subject.waiting.webhook.received_at)
    lines = [f"as if it came in on {received}", f"by {tried.rules.named}"]
    for line in lines:
        console.print(indented(Text(clean(line), style="dim"), 2))
    if subject.note:
        console.print(indented(Text(clean(subject.note), style="red"), 2))
    if event.remarks:
        console.print()
        console.print(pairs([("remark", Text(clean(remark))) for remark in event.remarks]))


def _rest(
    shown: Sequence[Examination], matched: Sequence[Examination], chosen: Sequence[Examination]
) -> Iterator[Text]:
    """What is not shown in full, and how to see it."""
    hidden = len(shown) - len(matched) - MOST_SHOWN
    if hidden > 0:
        yield Text(f"and {counted(hidden, 'rule')} that fit less: --rule NAME shows one")
    away = [one.rule.name for one in chosen if one.elsewhere] if len(chosen) > 1 else []
    if away:
        yield examined.about_others(away)


def _is(name: str, only: str | None) -> bool:
    return only is None or name.casefold() == only.strip().casefold()


def as_object(tried: Tried, only: str | None) -> dict[str, Any]:
    """For `--json`; times in ISO 8601 and UTC."""
    stopped, event = tried.stopped_by, tried.event.event
    examinations = [one for one in tried.event.examinations if _is(one.rule.name, only)]
    return {
        "ok": True,
        "event": tried.subject.name_of(tried.event),
        "position": tried.event.position,
        "source": event.source,
        "type": event.type,
        "received_at": iso(tried.subject.waiting.webhook.received_at),
        "note": tried.subject.note or None,
        "remarks": list(tried.event.remarks),
        "by": tried.rules.named,
        "rules_version": tried.rules.rules.version,
        "rules": [examined.as_object(one, stopped.get(one.rule.name, "")) for one in examinations],
        "deliveries": [
            rehearsed.as_object(each, tried.event, tried.called_off)
            for each in tried.deliveries(only)
        ],
    }
