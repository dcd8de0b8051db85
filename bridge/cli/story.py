"""The story of one webhook, for a person: received, judged, delivered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.cli.bodies import shown_body
from bridge.cli.calls import attempt_seconds, pretty, print_requests, requests_of
from bridge.cli.event_lines import counted_states, when
from bridge.cli.examined import members_said
from bridge.cli.pairs import pairs
from bridge.cli.screen import (
    clean,
    clean_lines,
    clock_time,
    counted,
    duration,
    full_time,
    indented,
    stated,
)
from bridge.config import Config
from bridge.ledger.stories import AttemptRecord, DeliveryRecord, EventRecord, Story
from bridge.rules import RuleSet

INDENT = 2
MAX_FIELD = 140
SHOWN_ATTEMPTS = 3
MAX_BODY = 100_000
"""Characters that are shown of a body that is no JSON."""


Versions = Mapping[str, RuleSet]
NO_VERSIONS: Versions = {}


def print_story(
    console: Console,
    story: Story,
    config: Config,
    *,
    body: bool = False,
    calls: bool = False,
    versions: Versions = NO_VERSIONS,
) -> None:
    """From top to bottom in the order in which it happened.

    `calls`: with all that went over the network, and how it was told to be genuine.
    `versions` are the rules of those that handled it, as far as they can still be read.
    """
    now = time.time()
    telling = _Telling(console, story, config, now, versions, calls)
    _print_heading(console, story)
    console.print(pairs(list(_receipt(story, config, now, calls))))
    if body:
        _print_body(console, story)
    for event in story.events:
        telling.event(event)
    if not story.events:
        print_without_events(console, story)
    unsaid = story.events_in_all - len(story.events)
    if unsaid > 0 and len(story.events) > 1:
        print_more(console, unsaid, "event", story.number)


def _print_heading(console: Console, story: Story) -> None:
    words = Text.assemble(
        (f"Event {story.number}", "bold"), "  ", clean(story.type), " from ", clean(story.source)
    )
    console.print(Text.assemble(words, "  ", _became(story)))


def _became(story: Story) -> Text:
    states: Counter[str] = Counter()
    for event in story.events:
        states.update(event.states)
    if story.state != "routed":
        return stated(story.state)
    return counted_states(states)


def _receipt(story: Story, config: Config, now: float, calls: bool) -> Iterator[tuple[str, Text]]:
    ago = duration(max(now - story.received_at, 0))
    yield "received", Text(f"{full_time(story.received_at)} ({ago} ago)")
    if calls:
        yield "verified", Text(clean(verified(story, config)))
        yield "key", Text(clean(story.idempotency_key))
    if story.reason:
        yield "reason", stated(story.state, story.reason)
    for name, value in story.headers.items() if calls else ():
        yield "headers", Text(f"{clean(name, 60)}: {clean(value)}")


def verified(story: Story, config: Config) -> str:
    """By which kind of signature: whatever is in the ledger was verified when it came in."""
    source = config.sources.get(story.source)
    if source is None:
        return f"when it came in; {story.source} is no longer configured"
    kind = source.source
    covers = {"body": "the whole body", "id": "only the body's id"}[kind.signature_covers]
    return f"{kind.title} signature in {', '.join(kind.signature_headers)}, covers {covers}"


def _print_body(console: Console, story: Story) -> None:
    value = shown_body(story.body)
    console.print()
    console.print(Text("Body", style="bold"))
    text = Text(clean_lines(value[:MAX_BODY])) if isinstance(value, str) else pretty(value)
    console.print(indented(text, INDENT))


def print_without_events(console: Console, story: Story) -> None:
    said = {
        "waiting": "It waits to be routed; if this stays so, is `showbridge run` running?",
        "quarantined": f"It is kept for a person. After a fix: `showbridge replay {story.number}`.",
    }
    console.print()
    console.print(Text(said.get(story.state, "It holds no event.")))


@dataclass(frozen=True)
class _Telling:
    """Tells the events of one webhook."""

    console: Console
    story: Story
    config: Config
    now: float
    versions: Versions
    calls: bool

    def event(self, event: EventRecord) -> None:
        say = self.console.print
        say()
        if len(self.story.events) > 1 or event.position > 1:
            say(Text.assemble((f"Event {event.id}", "bold"), "  ", clean(event.type)))
        if event.who or event.remarks:
            about = [("who", Text(clean(event.who)))] if event.who else []
            remarks = [("remark", Text(clean(remark))) for remark in event.remarks]
            say(pairs([*about, *remarks]))
            say()
        _print_verdicts(self.console, event, self.now, self.versions.get(event.rules_version))
        for number, delivery in enumerate(event.deliveries, start=1):
            say()
            self._delivery(number, delivery)
        if event.more:
            print_more(self.console, event.more, "delivery", event.id)
        elif not event.deliveries:
            say(_nothing_owed(event))
        elif not self.calls:
            hint = f"`showbridge event {event.id} --calls` shows the requests."
            say(Padding(Text(hint, style="dim"), (1, 0, 0, 0), expand=False))

    def _delivery(self, number: int, delivery: DeliveryRecord) -> None:
        action = clean(f"{delivery.account}.{delivery.action}")
        self.console.print(
            Text.assemble((f"{number}. {action}", "bold"), "  ", stated(delivery.state))
        )
        told = list(_facts(delivery, self.now, self.calls))
        filled_in = () if self.calls else _filled_in(delivery)
        self.console.print(pairs([*told, *filled_in]))
        requests = requests_of(delivery, self.config)
        if requests is not None and (self.calls or requests.trouble):
            print_requests(self.console, requests, INDENT)


def _filled_in(delivery: DeliveryRecord) -> Iterator[tuple[str, Text]]:
    """What the rule says, with the event's values: the beginning of each field."""
    for name, value in delivery.item.items():
        if value not in (None, "", [], {}, False):
            yield clean(name, 40), Text(clean(_said(value), MAX_FIELD))


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_said(one)}" for name, one in value.items() if one is not None)
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def print_more(console: Console, count: int, noun: str, name: str | int) -> None:
    """That there is more than is told, and how to see it."""
    many = counted(count, noun) if noun != "delivery" or count == 1 else f"{count:,} deliveries"
    text = f"and {many} more: `showbridge event {name} --all`"
    console.print(Padding(Text(text, style="dim"), (1, 0, 0, 0), expand=False))


def _nothing_owed(event: EventRecord) -> Padding:
    if any(verdict.get("matched") for verdict in event.verdicts):
        text = "A rule matched, but nothing is owed for it."
    else:
        text = f"No rule matched. After a change of the rules: `showbridge replay {event.id}`."
    return Padding(Text(text, style="yellow"), (1, 0, 0, 0), expand=False)


def _print_verdicts(
    console: Console, event: EventRecord, now: float, rules: RuleSet | None
) -> None:
    version = f"version {clean(event.rules_version, 12)}, {clock_time(event.routed_at, now)}"
    console.print(Text.assemble((_asked(event, rules), "bold"), (f"  {version}", "dim")))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=2)
    table.add_column(overflow="fold", ratio=3)
    for verdict in event.verdicts:
        matched = bool(verdict.get("matched"))
        mark = Text("✓", style="green") if matched else Text("·", style="dim")
        why = Text(clean(verdict.get("why_not", "")))
        if matched:
            why = Text(f"matched{_members(verdict, rules)}", style="green")
        table.add_row(mark, Text(clean(verdict.get("rule", ""))), why)
    console.print(indented(table, INDENT))


def _asked(event: EventRecord, rules: RuleSet | None) -> str:
    """Verdicts are kept of the rules alone that are about the event's source and type."""
    count = len(event.verdicts)
    if rules is None:
        return f"{counted(count, 'rule')} asked"
    verb = "is" if count == 1 else "are"
    return f"{count} of {counted(len(rules.rules), 'rule')} {verb} about such events"


def _members(verdict: Mapping[str, Any], rules: RuleSet | None) -> str:
    """` for tickets 1, 3`, where the rule is for each of a list."""
    numbers = verdict.get("members") or ()
    of_rule = [rule for rule in (rules.rules if rules else ()) if rule.name == verdict.get("rule")]
    said = members_said(of_rule[0], numbers) if of_rule else ""
    if said or not numbers:
        return said
    return f" for {'entry' if len(numbers) == 1 else 'entries'} {', '.join(map(str, numbers))}"


def _facts(delivery: DeliveryRecord, now: float, calls: bool) -> Iterator[tuple[str, Text]]:
    yield "rule", Text(f"{clean(delivery.rule)}, step {delivery.step}")
    yield "delivery", Text(delivery.id)
    if delivery.reason:
        yield "reason", stated(delivery.state, delivery.reason)
    if delivery.reference:
        yield "reference", Text(clean(delivery.reference))
    if delivery.link:
        yield "link", Text(clean(delivery.link))
    for attempt in delivery.attempts if calls else _worth_telling(delivery):
        yield "attempts", _attempt(attempt, now)
    if delivery.state == "scheduled":
        yield "due", stated("scheduled", when(delivery.due_at, now))
    if delivery.state == "waiting" and delivery.due_at > now:
        yield "next", Text(f"in {duration(delivery.due_at - now)}")


def _worth_telling(delivery: DeliveryRecord) -> Sequence[AttemptRecord]:
    """Not the one that did it at once, without a remark."""
    tried = delivery.attempts
    at_once = [each.outcome for each in tried] == [delivery.state] and not tried[0].reason
    return () if at_once else delivery.attempts[-SHOWN_ATTEMPTS:]


def _attempt(attempt: AttemptRecord, now: float) -> Text:
    seconds = attempt_seconds(attempt)
    took = "under way" if seconds is None else duration(seconds)
    reason = f": {clean(attempt.reason)}" if attempt.reason else ""
    return Text.assemble(
        f"{attempt.number}. {clock_time(attempt.started_at, now)}  ",
        (took, "dim"),
        "  ",
        stated(attempt.outcome),
        reason,
    )
