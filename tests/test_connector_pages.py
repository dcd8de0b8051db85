"""Each connector's page tells all there is: actions, fields, settings, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from bridge.cli.reference_pages import BEGIN, example_rule, page, with_reference
from bridge.connector import Action, Connector, Item
from bridge.engine.owing import described
from bridge.event import Event, Webhook
from bridge.reference import actions_of, fields_of
from bridge.registry import installed
from bridge.rules import NotFilled, World, compile_rules, fill, judge
from bridge.rules.records import Step
from bridge.source import Source
from tests.connector_messages import messages, plain

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "connectors"
CONNECTORS = [one for _, one in sorted(installed().connectors.items())]
ACTIONS = [
    pytest.param(connector, action, id=f"{connector.name}.{name}")
    for connector in CONNECTORS
    for name, action in sorted(connector.actions().items())
]
MODULES = sorted((ROOT / "connectors").rglob("*.py"))
EACH = pytest.mark.parametrize("connector", CONNECTORS, ids=lambda one: one.name)


def text_of(connector: type[Connector]) -> str:
    return (PAGES / f"{connector.name}.md").read_text("utf-8")


def undescribed(model: type[BaseModel]) -> list[str]:
    return [each.path for each in fields_of(model) if not each.about]


@EACH
def test_every_connector_has_a_page_with_its_reference_as_it_is(
    connector: type[Connector],
) -> None:
    text = text_of(connector)
    assert BEGIN in text
    assert text == with_reference(text, connector), "run `make reference`"
    for action in connector.actions():
        assert f"### {connector.name}.{action}" in page(connector)


@EACH
def test_every_setting_is_described(connector: type[Connector]) -> None:
    assert undescribed(connector.Settings) == []


@pytest.mark.parametrize(("connector", "action"), ACTIONS)
def test_every_field_is_described(connector: type[Connector], action: Action) -> None:
    assert undescribed(action.item) == []
    assert action.about


def filled(connector: type[Connector], action: Action, text: str) -> list[Item]:
    """The example's items for all shipped samples that feed it."""
    sources = installed().sources
    world = World(sources=sources, accounts={connector.name: connector})
    rules = compile_rules(text, "example", world)
    assert not rules.warnings
    (step,) = rules.rules[0].steps
    return [
        item
        for name, source in sources.items()
        for event in events_of(name, source)
        for verdict in judge(rules, event)
        if verdict.matched
        for item in _filled(step, event)
    ]


def _filled(step: Step, event: Event) -> Iterator[Item]:
    try:
        item = fill(step, event)
    except NotFilled as why:
        if not why.skipped:
            raise
        return
    event = replace(event, id="e" * 24, received_at=1.0)
    yield item.for_delivery("0" * 24, event=described(event))


def events_of(name: str, source: type[Source]) -> list[Event]:
    made = source(source.Settings(), [])
    bodies = [sample.text.replace("{{ uuid }}", "0" * 8) for sample in source.samples()]
    webhooks = [Webhook(name, body.encode(), {}, 1_780_000_000.0) for body in bodies]
    return [replace(event, source=name) for one in webhooks for event in made.normalise(one)]


@pytest.mark.parametrize(("connector", "action"), ACTIONS)
def test_every_example_is_a_rule_that_makes_a_call(
    connector: type[Connector], action: Action
) -> None:
    assert action.item.example
    reference = next(
        each for each in actions_of(connector) if each.name == f"{connector.name}.{action.name}"
    )
    assert filled(connector, action, example_rule(reference))


@pytest.mark.parametrize("file", MODULES, ids=lambda file: f"{file.parent.name}.{file.stem}")
def test_every_message_stands_in_the_page(file: Path) -> None:
    """Word for word, with … for what varies."""
    connector = installed().connectors.get(file.parent.name)
    if connector is None:
        return
    told = plain(text_of(connector))
    found = list(messages(file))
    unread = [str(each) for each in found if each.text is None]
    assert not unread, "write the text where the outcome is made"
    missing = [f"{each}: {each.text}" for each in found if plain(each.text or "") not in told]
    assert not missing
