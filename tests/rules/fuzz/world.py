"""Compiles a file with everything that is installed, and does with its rules what a worker does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.event import Contact, Event
from bridge.registry import installed
from bridge.rules.templates import Filling, Text


def world() -> rules.World:
    """An account for each connector, and a source of each kind."""
    known = installed()
    return rules.World(sources=known.sources, accounts=known.connectors)


def compiled(text: str, known: rules.World) -> str:
    """How many mistakes or rules there are; raises whatever should not be raised."""
    try:
        made = rules.compile_rules(text, "rules.yaml", known)
    except ConfigurationError as error:
        str(error)
        return f"{len(error.mistakes)} mistakes"
    return f"{len(made.rules)} rules"


def used(text: str, known: rules.World, event: Event) -> None:
    """Compiles all texts of a file, asks its rules about an event, and fills in what matches."""
    try:
        made = rules.compile_rules(text, "rules.yaml", known)
    except ConfigurationError:
        return
    for rule in made.rules:
        rules.explain(rule)
        for step in rule.steps:
            assert all(text.template for text in texts_of(step.filling))
    matching = {verdict.rule for verdict in rules.judge(made, event) if verdict.matched}
    for step in (step for rule in made.rules if rule.name in matching for step in rule.steps):
        try:
            rules.fill(step, event)
        except rules.NotFilled:
            continue


def texts_of(filling: Filling | Mapping[str, Filling]) -> Iterator[Text]:
    """What is to be filled in, however deep it stands."""
    if isinstance(filling, Text):
        yield filling
    elif isinstance(filling, Mapping):
        for one in filling.values():
            yield from texts_of(one)
    elif isinstance(filling, list):
        for one in filling:
            yield from texts_of(one)


def event() -> Event:
    return Event(
        source="showpass",
        type="invoice.purchase",
        contact=Contact(email="priya@example.com", name="Priya Raman", first_name="Priya"),
        facts={
            "order": {"total": 250, "currency": "CAD"},
            "tickets": [{"type": "VIP", "event_name": "Winter Gala"}],
        },
        raw={"a": {"b": 1}},
    )
