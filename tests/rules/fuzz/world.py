"""Compiles a file with everything that is installed, and does with its rules what a worker does."""

from __future__ import annotations

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.event import Contact, Event
from bridge.registry import installed


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
    """Asks the rules of a file about an event, and fills in the texts of those that match."""
    try:
        made = rules.compile_rules(text, "rules.yaml", known)
    except ConfigurationError:
        return
    for rule in made.rules:
        rules.explain(rule)
    matching = {verdict.rule for verdict in rules.judge(made, event) if verdict.matched}
    for step in (step for rule in made.rules if rule.name in matching for step in rule.steps):
        try:
            rules.fill(step, event)
        except rules.NotFilled:
            continue


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
