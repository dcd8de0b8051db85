"""The page on the rules language says what the program knows: its tables are made from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import BaseModel

from bridge.cli.rule_pages import BLOCKS, PAGE, flow, with_blocks
from bridge.engine.rule_tests import sampled
from bridge.event import Event
from bridge.registry import installed
from bridge.rules import World, compile_rules, judge, schema
from bridge.rules.common_fields import COMMON_FIELDS
from bridge.rules.conditions import OPERATORS
from bridge.rules.entries_reader import ASKED_OF_ENTRIES
from bridge.rules.expected import Given
from bridge.rules.operator_reference import (
    COMBINER_REFERENCE,
    ENTRIES_REFERENCE,
    OPERATOR_REFERENCE,
    TIME_REFERENCE,
    OperatorReference,
    TimeReference,
)
from bridge.rules.vocabulary import vocabulary
from bridge.rules.where import COMBINERS
from tests.test_documents import ROOT

TEXT = (ROOT / "docs" / PAGE).read_text("utf-8")
WORLD = World(sources=installed().sources, accounts=installed().connectors)
MODELS = [
    each
    for each in vars(schema).values()
    if isinstance(each, type) and issubclass(each, BaseModel) and each.__name__.endswith("Text")
]
OPTIONS = [
    (name, example)
    for name, field in schema.RuleText.model_fields.items()
    for example in field.examples or ()
    if name not in ("name", "when", "do")
]


def test_the_page_is_as_the_program_says() -> None:
    assert with_blocks(TEXT) == TEXT, "run `make reference`"


def test_the_page_has_a_place_for_every_part() -> None:
    assert [name for name in BLOCKS if f"<!-- reference: {name}: begin -->" not in TEXT] == []


def test_the_tables_know_every_operator_once() -> None:
    assert sorted(one.name for one in OPERATOR_REFERENCE) == sorted(OPERATORS)
    assert sorted(one.name for one in COMBINER_REFERENCE) == sorted(COMBINERS)
    assert sorted(one.name for one in ENTRIES_REFERENCE) == sorted(ASKED_OF_ENTRIES)


@pytest.mark.parametrize("model", MODELS, ids=lambda one: one.__name__)
def test_every_key_is_described(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def purchase() -> Event:
    """Showpass's sample, as it comes in."""
    kind = installed().sources["showpass"]
    source = kind(kind.Settings(), [])
    waiting = sampled("showpass", source, Given("showpass", "invoice.purchase"))
    [event] = source.normalise(waiting.webhook)
    return replace(event, id="e" * 24, received_at=waiting.webhook.received_at)


def rule(where: str = "contact.email: {present: true}", option: str = "") -> str:
    return f"""\
rules:
  - name: Example
    when:
      source: showpass
      event: invoice.purchase
      where:
        {where}
    {option}
    do:
      - slack.post_message: {{channel: "#tickets", text: Sold}}
"""


@pytest.mark.parametrize(
    "one",
    [*OPERATOR_REFERENCE, *COMBINER_REFERENCE, *ENTRIES_REFERENCE],
    ids=lambda one: one.name,
)
def test_every_operators_example_holds_for_the_sample(one: OperatorReference) -> None:
    assert f"{one.name}: " in one.example
    compiled = compile_rules(rule(one.example), "example", WORLD)
    [verdict] = judge(compiled, purchase())
    assert verdict.matched, verdict.why_not


@pytest.mark.parametrize("one", TIME_REFERENCE, ids=lambda one: one.written)
def test_every_way_to_write_a_time_is_understood_where_it_says(one: TimeReference) -> None:
    for operator in one.taken_by:
        where = f"tickets.starts_on: {{{operator}: {one.written}}}"
        assert compile_rules(rule(where), "example", WORLD).rules


@pytest.mark.parametrize(("name", "example"), OPTIONS, ids=[name for name, _ in OPTIONS])
def test_every_keys_example_can_be_written_so(name: str, example: object) -> None:
    text = rule(option=f"{name}: {flow(example)}")
    [made] = compile_rules(text, "example", WORLD).rules
    assert made != compile_rules(rule(), "example", WORLD).rules[0]


def test_the_fields_of_every_event_are_those_that_rules_may_name() -> None:
    words = vocabulary(WORLD.sources, ["showpass"], ("webhook.test",))
    shapes = {one.path: words.find(one.path) for one in COMMON_FIELDS}
    assert sorted(shapes) == sorted(words.paths())
    assert {path: shape.kind if shape else None for path, shape in shapes.items()} == {
        one.path: one.kind for one in COMMON_FIELDS
    }
