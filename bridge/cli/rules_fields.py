"""`showbridge rules fields`: what rules can ask of events and put into texts, with examples."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import click

from bridge.cli import json_lines
from bridge.cli.chosen_event import is_event, recorded
from bridge.cli.existing import existing_ledger, ledger_if_any
from bridge.cli.field_examples import (
    Examples,
    FieldExample,
    chosen_types,
    field_examples,
    newest,
)
from bridge.cli.field_lines import print_filters, print_named, print_source
from bridge.cli.outgoing import chosen_sources
from bridge.cli.reading import read_rules
from bridge.cli.screen import screen
from bridge.config import Config, load
from bridge.errors import OperatorError
from bridge.ledger.plan import Waiting
from bridge.rules import RuleSet
from bridge.rules.filter_reference import FILTER_REFERENCE


@dataclass(frozen=True)
class _Asked:
    """By source: the types of events, none for all, and what came in of them."""

    types: Mapping[str, tuple[str, ...]]
    waiting: Mapping[str, Sequence[Waiting]]

    @property
    def of_all(self) -> bool:
        return not any(self.types.values())


@click.command("fields")
@click.argument("event", required=False, metavar="[EVENT]")
@click.option("--source", help="Of this source alone.")
@click.option("--show-personal", is_flag=True, help="Names and addresses from the ledger too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on each line.")
def command(event: str | None, source: str | None, show_personal: bool, as_json: bool) -> None:
    """List the fields of events, each with an example from what came in.

    EVENT is a type such as invoice.purchase, or "invoice.*" in quotes, or the id
    of one event. Without it the fields of all events are listed, and filters,
    lists and texts too.
    """
    config = load(os.environ)
    asked = _asked(config, event, source)
    found = {name: list(_fields(config, asked, name, shown=show_personal)) for name in asked.types}
    rules = read_rules().rules if asked.of_all else None
    if as_json:
        for each in _objects(found, rules, everything=asked.of_all):
            json_lines.say(each)
        return
    console = screen()
    for name, fields in found.items():
        print_source(console, config.sources[name].source, name, asked.types[name], fields)
    if asked.of_all:
        print_filters(console)
        print_named(console, rules)


def _asked(config: Config, event: str | None, source: str | None) -> _Asked:
    if event is not None and is_event(event):
        return _of_event(config, event)
    names = [each.name for each in chosen_sources(config, source)]
    types = {name: some for name, some in chosen_types(config, event).items() if name in names}
    if not types:
        raise OperatorError(f"{source} does not publish `{event}`; leave out --source")
    return _Asked(types, _newest(config, list(types)))


def _of_event(config: Config, name: str) -> _Asked:
    with existing_ledger(config) as database:
        subject = recorded(database, name)
    source = subject.waiting.webhook.source
    if source not in config.sources:
        raise OperatorError(f"event {name} is from {source}, which is no longer configured")
    examples = Examples([subject.waiting], config.sources[source].source, shown=False)
    return _Asked({source: examples.types or ("(unknown)",)}, {source: [subject.waiting]})


def _newest(config: Config, names: Sequence[str]) -> Mapping[str, Sequence[Waiting]]:
    """Nothing where nothing was ever received."""
    with ledger_if_any(config) as database:
        if database is None:
            return {}
        with database.snapshot() as connection:
            return {name: newest(connection, name) for name in names}


def _fields(config: Config, asked: _Asked, name: str, *, shown: bool) -> Iterator[FieldExample]:
    source = config.sources[name]
    examples = Examples(asked.waiting.get(name, ()), source.source, shown=shown)
    yield from field_examples(config, source, asked.types[name], examples)


def _objects(
    found: Mapping[str, list[FieldExample]], rules: RuleSet | None, *, everything: bool
) -> Iterator[Mapping[str, object]]:
    for name, fields in found.items():
        for one in fields:
            yield {
                "source": name,
                "field": one.field.path,
                "kind": one.field.kind,
                "about": one.field.about,
                "events": list(one.field.events),
                "example": one.example,
                "from_event": one.event,
            }
    if not everything:
        return
    for each in FILTER_REFERENCE:
        yield {
            "filter": each.usage,
            "about": each.about,
            "example": each.example,
            "gives": each.gives,
        }
    if rules is not None:
        yield {"lists": {name: list(some) for name, some in rules.lists.items()}}
        yield {"texts": dict(rules.texts)}
