"""What one person got and did not get, event by event, at a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from bridge.cli.consent import as_object as consent_object
from bridge.cli.consent import said as consent_said
from bridge.cli.delivery_words import as_object as delivery_object
from bridge.cli.delivery_words import became
from bridge.cli.event import LISTED
from bridge.cli.json_lines import iso
from bridge.cli.screen import clean, counted, full_time, indented, style_of
from bridge.cli.story import print_more
from bridge.ledger import persons
from bridge.ledger.consents import Consent, of_person
from bridge.ledger.database import Connection
from bridge.ledger.look_up import SEARCHED
from bridge.ledger.stories import EventRecord, Part, Story, story

_LONGEST = 300


@dataclass(frozen=True)
class PersonTold:
    """A person's events in order, each with its webhook's story, and all decisions about them.

    `bounded`: there may be more events.
    """

    address: str
    events: Sequence[tuple[Story, EventRecord]]
    consents: Sequence[Consent]
    bounded: bool
    everything: bool

    def is_about(self, event: EventRecord) -> bool:
        """Or else only what was sent for it names the person."""
        return (event.who or "").casefold() == self.address.casefold()


def tell_person(
    connection: Connection, address: str, limit: int, *, everything: bool
) -> PersonTold:
    found = persons.events_of(connection, address, limit, None if everything else SEARCHED)
    stories: dict[tuple[int, int], Story] = {}
    told = []
    for number, position in found.places:
        whole = stories.get((number, position)) or story(
            connection, number, Part(position, LISTED, with_contents=False)
        )
        if whole is not None:
            stories[number, position] = whole
            told += [(whole, each) for each in whole.events if each.position == position]
    decided = of_person(connection, address)
    return PersonTold(address, told, decided, found.bounded, everything)


def print_person(console: Console, told: PersonTold, only: str | None, now: float) -> None:
    title = f"{counted(len(told.events), 'event')} of {clean(told.address)}"
    console.print(Text(title, style="bold"))
    if told.bounded:
        looked = "all" if told.everything else f"the newest {SEARCHED:,}"
        text = f"The newest ones, of {looked} webhooks; `--limit` and `--all` show more."
        console.print(text, style="dim")
    for whole, event in told.events:
        console.print()
        _print_event(console, told, whole, event, only, now)
    console.print()
    _print_consents(console, told)
    if told.events:
        text = "`showbridge why ID` tells all of one event, condition by condition."
        console.print(text, style="dim")


def _print_event(
    console: Console,
    told: PersonTold,
    whole: Story,
    event: EventRecord,
    only: str | None,
    now: float,
) -> None:
    kind = f"{clean(event.type)} from {clean(whole.source)}"
    when = (full_time(whole.received_at), "dim")
    console.print(Text.assemble((event.id, "bold"), "  ", kind, "  ", when))
    if not told.is_about(event):
        text = f"about {clean(event.who or 'somebody else')}; the address is in what was sent"
        console.print(indented(Text(text, style="dim"), 2))
    deliveries = [each for each in event.deliveries if _is(each.rule, only)]
    for delivery in deliveries:
        action = clean(f"{delivery.account}.{delivery.action}")
        said = Text.assemble(("✓ " if _is_done(delivery.state) else "· ", ""), (action, "bold"))
        said.append(f" {clean(became(delivery, now), _LONGEST)}", style=style_of(delivery.state))
        said.append(f"  by “{clean(delivery.rule)}”", style="dim")
        console.print(indented(said, 2))
    if event.more:
        print_more(console, event.more, "delivery", event.id)
    matched = {delivery.rule for delivery in deliveries}
    for rule, why in _unmatched(event, only, matched):
        not_done = Text.assemble(("✗ ", "yellow"), clean(rule))
        not_done.append(f": {clean(why, _LONGEST)}", style="dim")
        console.print(indented(not_done, 2))
    asked = any(_is(str(each.get("rule", "")), only) for each in event.verdicts)
    if only is not None and not (deliveries or asked):
        text = "nothing by this rule, which is not about such events"
        console.print(indented(Text(text, style="dim"), 2))
    elif not deliveries and not event.verdicts:
        console.print(indented(Text("no rule is about such events", style="dim"), 2))


def _is_done(state: str) -> bool:
    return state in ("delivered", "previewed")


def _unmatched(
    event: EventRecord, only: str | None, matched: set[str]
) -> Iterator[tuple[str, str]]:
    """The rules that did nothing, each with the reason."""
    for verdict in event.verdicts:
        rule = str(verdict.get("rule", ""))
        if _is(rule, only) and rule not in matched:
            why = "matched, and nothing was to be done" if verdict.get("matched") else ""
            yield rule, why or str(verdict.get("why_not", ""))


def _print_consents(console: Console, told: PersonTold) -> None:
    if not told.consents:
        console.print("No decision to subscribe or unsubscribe this person was ever made.")
        return
    console.print(Text("Consent", style="bold"))
    for each in told.consents:
        head = f"{full_time(each.decided_at)}  event {each.event}: {each.decision}, "
        line = Text.assemble(head, (each.outcome, style_of(each.outcome)))
        console.print(indented(line, 2))
        for words in consent_said(each):
            console.print(indented(Text(clean(words, _LONGEST), style="dim"), 4))


def _is(name: str, only: str | None) -> bool:
    return only is None or name.casefold() == only.strip().casefold()


def as_objects(told: PersonTold, only: str | None, now: float) -> Iterator[dict[str, Any]]:
    """For `--json`: each event, then what was decided; times in ISO 8601 and UTC."""
    for whole, event in told.events:
        yield {
            "event": event.id,
            "source": whole.source,
            "type": event.type,
            "who": event.who,
            "is_about_the_person": told.is_about(event),
            "received_at": iso(whole.received_at),
            "rules_version": event.rules_version,
            "deliveries": [
                delivery_object(one, now) for one in event.deliveries if _is(one.rule, only)
            ],
            "verdicts": [
                dict(one) for one in event.verdicts if _is(str(one.get("rule", "")), only)
            ],
        }
    yield {
        "contact": told.address,
        "consents": [consent_object(each) for each in told.consents],
        "may_have_more": told.bounded,
    }
