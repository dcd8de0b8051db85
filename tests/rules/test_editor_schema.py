"""The schema for editors: what is right is green, and what it can see of mistakes is red."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator

from bridge import rules
from bridge.connector import Connector
from bridge.errors import ConfigurationError
from bridge.rules import schema as models
from bridge.rules.conditions import OPERATORS
from bridge.rules.editor import schema
from bridge.rules.operator_reference import ABOUT
from bridge.yaml_text import read
from tests.rules.test_mistakes import FILES

RULE = """\
rules:
  - name: A rule
    when: {source: shop, event: order.paid%(when)s}
    do:
      - %(step)s
%(more)s"""
STEP = "chat.post_message: {channel: here, text: hello}"

# What no schema can see, and the mistakes that are of that kind.
UNSEEN: Mapping[str, set[str]] = {
    "what stands within {{ }} is one text": {
        "block-end-missing-for",
        "block-end-misspelt",
        "block-not-closed",
        "block-percent-missing",
        "block-unknown",
        "braces-empty",
        "braces-one-closing",
        "braces-single",
        "braces-three",
        "blank-in-a-name",
        "calls-in-a-template",
        "comparison-with-one-equals",
        "dash-in-a-name",
        "filter-as-function",
        "filter-attribute-misspelt",
        "filter-date-pattern",
        "filter-region-unknown",
        "filter-unknown",
        "filter-with-too-many-arguments",
        "filter-without-arguments-it-needs",
        "list-in-a-template",
        "loop-within-loops",
        "once-per-variable-misspelt",
        "quote-within-template-open",
        "quotes-of-a-word-processor-within",
        "sandbox-class",
        "sandbox-globals",
        "set-in-a-template",
        "template-index-of-a-group",
        "template-member-without-for-each",
        "template-not-closed",
        "template-of-several-lines",
        "test-misspelt",
        "text-named-misspelt",
        "text-named-with-a-mistake",
        "texts-in-a-circle",
        "time-zone-unknown",
        "variable-misspelt",
        "variable-of-another-source",
        "words-side-by-side-in-a-template",
    },
    "it points to another place of the file": {
        "list-misspelt",
        "list-where-there-is-none",
        "name-twice",
        "one-of-a-text",
        "tests-rule-unknown",
    },
    "a field within a text": {
        "after-no-date",
        "after-unknown-field",
        "within-of-no-date",
        "within-of-unknown-field",
    },
    "a zone within a text": {"at-unknown-zone"},
    "two values have to be compared": {
        "between-days-the-wrong-way",
        "between-the-wrong-way",
        "only-between-reversed",
        "quiet-hours-equal",
    },
    "a field is compared with another one": {
        "field-compared-misspelt",
        "field-compared-short",
        "field-compared-with-a-list",
        "field-compared-with-another-kind",
        "field-compared-with-itself",
        "field-of-the-for-each-in-another-list",
    },
    "a text may be compared with any sign in it": {
        "template-as-a-value",
        "template-in-a-condition",
        "template-in-a-list",
        "template-in-an-entry",
        "template-in-matches",
        "template-with-words",
    },
    "a name of a country": {
        "country-code-unknown",
        "country-of-the-files-unknown",
        "country-unknown",
    },
    "a sum may have a fraction, and is read as a count is": {"entries-count-half"},
    "which fields come with which event is left to `rules check`": {"condition-not-of-this-event"},
    "which sources have shows is left to `rules check`": {"once-per-event-without-shows"},
    "a connector reads the field in its own way": {"literal-address-wrong"},
    "there is no bound on depth": {"conditions-too-deep"},
}
# What YAML and the schema take for something else, and no editor can know that it is not meant.
READ_OTHERWISE = {"merge-key", "quotes-curly"}


class EditorsLoader(yaml.SafeLoader):
    """As editors read YAML: version 1.2, where dates are texts and no key may stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [str(key.value) for key, _ in node.value]
        if len(names) != len(set(names)):
            raise yaml.constructor.ConstructorError(problem="a key stands here twice")
        return super().construct_mapping(node, deep)


EditorsLoader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.fixture(scope="module")
def made(world: rules.World) -> dict[str, Any]:
    return schema(world)


@pytest.fixture(scope="module")
def validator(made: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(made)


def is_green(validator: Draft202012Validator, text: str) -> bool:
    return validator.is_valid(read(text, "rules.yaml").value)


def rule(when: str = "", step: str = STEP, more: str = "") -> str:
    below = "".join(f"    {line}\n" for line in more.splitlines())
    return RULE % {"when": f", {when}" if when else "", "step": step, "more": below}


def test_it_is_a_schema_of_2020_12_and_means_the_same_in_draft_7(made: dict[str, Any]) -> None:
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["$id"] == "urn:showbridge:rules"
    Draft202012Validator.check_schema(made)
    Draft7Validator.check_schema(made)
    assert not {"prefixItems", "unevaluatedProperties", "dependentSchemas"} & set(_keywords(made))


def _keywords(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(word for one in value.values() for word in _keywords(one))]
    return [word for one in value for word in _keywords(one)] if isinstance(value, list) else []


def test_every_reference_leads_somewhere(made: dict[str, Any]) -> None:
    named = set(re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(made)))
    assert named <= set(made["$defs"])
    assert set(made["$defs"]) <= named | {"where"}


def test_it_is_made_in_a_moment(world: rules.World) -> None:
    began = time.process_time()
    schema(world)
    # A tenth of a second on an idle machine.
    assert time.process_time() - began < 5


def test_every_key_has_words_to_hover_over(made: dict[str, Any]) -> None:
    for model, place in (
        (models.RulesText, made),
        (models.RuleText, made["$defs"]["rule"]),
        (models.TestText, made["$defs"]["test"]),
    ):
        for name, info in model.model_fields.items():
            assert place["properties"][info.alias or name]["description"] == info.description


def test_fields_say_whose_they_are_and_operators_what_they_do(made: dict[str, Any]) -> None:
    fields = made["$defs"]["where"]["properties"]
    assert fields["order.total"]["description"] == "shop: the total, such as 100 (order.*)"
    assert fields["course.name"]["description"] == "academy: the course's name, such as First aid"
    assert "With `for_each: tickets` alone." in fields["ticket.type"]["description"]
    asked = made["$defs"]["condition_anything"]["anyOf"][2]["properties"]
    assert set(asked) == {*OPERATORS, "any", "all", "not", "where", "count", "sum"}
    assert all(asked[name]["description"] == ABOUT[name] for name in asked)


def test_steps_are_those_of_the_accounts(made: dict[str, Any]) -> None:
    steps = made["$defs"]["step"]["properties"]
    assert list(steps) == ["crm.upsert_contact", "chat.break_down", "chat.post_message"]
    item = made["$defs"][steps["chat.post_message"]["$ref"].rpartition("/")[2]]
    assert item["description"] == "Post."
    assert item["required"] == ["channel", "text"]


def test_two_accounts_of_one_connector_share_its_items(world: rules.World) -> None:
    chat: type[Connector] = world.accounts["chat"]
    two = schema(rules.World(world.sources, {"one": chat, "two": chat}))
    steps = two["$defs"]["step"]["properties"]
    assert steps["one.post_message"] == steps["two.post_message"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_mistakes_are_red_where_a_schema_can_see_them(
    file: Path, validator: Draft202012Validator
) -> None:
    text = file.read_text("utf-8")
    try:
        value = read(text, file.name).value
    except ConfigurationError:
        assert _editor_sees(text, validator) is not (file.stem in READ_OTHERWISE)
        return
    unseen = any(file.stem in names for names in UNSEEN.values())
    assert validator.is_valid(value) is unseen


def _editor_sees(text: str, validator: Draft202012Validator) -> bool:
    """Of what our reader refuses: whether YAML is red, or the schema by what YAML makes of it."""
    try:
        return not validator.is_valid(yaml.load(text, EditorsLoader))
    except yaml.YAMLError:
        return True


@pytest.mark.parametrize(
    "condition",
    [
        "order.total: 100",
        'order.total: "99.50"',
        "order.total: {at_least: 100, at_most: 200}",
        "order.total: [1, 2]",
        "order.gift: yes",
        "order.gift: {is: false}",
        "order.currency: {one_of: currencies}",
        "order.currency: {not: {starts_with: C}}",
        "tickets.starts_on: 2027-07-03",
        "tickets.starts_on: {within: 7 days}",
        "tickets.starts_on: {within: 2 Hours before event.time}",
        "tickets.starts_on: {after: now, before: in 30 days}",
        "tickets.starts_on: {after: 2 days ago}",
        "tickets.starts_on: {before: 1 week after event.time}",
        "tickets: {present: true}",
        "order: {present: false}",
        "contact.email: {ends_with: '@example.com'}",
        "contact.consent: true",
        "event.time: {after: 2027-01-01T10:00:00-06:00}",
        "raw.anything.at_all: {at_least: 5}",
        "any: [{order.total: 1}, {not: {order.gift: true}}]",
        "all: [{order.total: 1}]",
        "order.total: {more_than: 100, less_than: '200'}",
        "order.total: {between: [100, 200]}",
        "tickets.starts_on: {between: [2027-07-01, 2027-07-31]}",
        "tickets: {where: {type: {contains: VIP}, seats: {at_least: 2}}}",
        "tickets: {where: {any: [{type: VIP}, {not: {seats: 1}}]}, count: {at_least: 2}}",
        "tickets: {count: 2}",
        "tickets: {sum: {seats: {at_least: 10}}, present: true}",
        "tickets: {where: {type: {is_not: {field: order.currency}}}, count: {less_than: 3}}",
        "order.currency: {field: tickets.type}",
        "order.currency: {contains: {field: tickets.type}}",
        "raw.lines: {where: {colour: red}, sum: {amount: 5}}",
        "not: {tickets: {where: {type: VIP}}}",
    ],
)
def test_conditions_that_are_right_are_green(
    condition: str, validator: Draft202012Validator, compiled: Any
) -> None:
    text = "lists: {currencies: [CAD]}\n" + rule(f"where: {{{condition}}}")
    compiled(text)
    assert is_green(validator, text)


@pytest.mark.parametrize(
    "condition",
    [
        "order.totel: 100",
        "order.total: much",
        "order.total: {at_leest: 1}",
        "order.total: {at_least: much}",
        "order.total: {contains: 1}",
        "order.total: {}",
        "order.total: []",
        "order.total: ",
        "order.gift: maybe",
        "order.currency: {one_of: []}",
        "order.currency: {at_least: 5}",
        "tickets.starts_on: soon",
        "tickets.starts_on: {within: a while}",
        "tickets.starts_on: {after: 2 fortnights ago}",
        "tickets: VIP",
        "tickets: {contains: VIP}",
        "order: 5",
        "ticket.type: VIP",
        "any: {order.total: 1}",
        "any: [{order.totel: 1}]",
        "not: [{order.total: 1}]",
        "contact.phon: x",
        "order.total: {between: 100}",
        "order.total: {between: [100]}",
        "order.total: {more_than: much}",
        "order.currency: {more_than: 5}",
        "order.total: {where: {type: VIP}}",
        "tickets: {where: {tickets.type: VIP}}",
        "tickets: {where: {colour: red}}",
        "tickets: {where: {}}",
        "tickets: {type: VIP}",
        "tickets: {count: many}",
        "tickets: {count: {contains: 2}}",
        "tickets: {count: {present: true}}",
        "tickets: {sum: 10}",
        "tickets: {sum: {type: 10}}",
        "order.total: {within: {field: order.total}}",
        "order.total: {at_least: {field: order.total, more: 1}}",
    ],
)
def test_conditions_that_are_wrong_are_red(
    condition: str, validator: Draft202012Validator, compiled: Any
) -> None:
    text = rule(f"where: {{{condition}}}")
    with pytest.raises(ConfigurationError):
        compiled(text)
    assert not is_green(validator, text)


@pytest.mark.parametrize(
    "more",
    [
        "enabled: false",
        "stop: true",
        "sample: 10%",
        "sample: 100",
        'sample: "0.5 %"',
        "once_per: contact",
        "once_per: {of: contact, within: 30 days}",
        'once_per: "{{ order.currency }}"',
        "after: 2 days",
        "after: 1 day after tickets.starts_on",
        'after: 90 Minutes\nat: "09:00"',
        "after: 1 day\nat: 09:00 America/Edmonton",
        "after: 1 day\nat: 9:00 event local",
        'quiet_hours: {from: "22:00", to: "08:00", time_zone: America/Halifax}',
        "after: 1 day\nunless: order.refunded",
        "after: 1 day\nunless: {event: [order.refunded, ORDER.PAID], same: contact}",
        "only_between: {from: 2027-01-01}",
        "for_each: tickets",
    ],
)
def test_options_that_are_right_are_green(
    more: str, validator: Draft202012Validator, compiled: Any
) -> None:
    text = rule(more=more)
    compiled(text)
    assert is_green(validator, text)


@pytest.mark.parametrize(
    "more",
    [
        "enabled: perhaps",
        "stop: 5",
        "sample: 0%",
        "sample: 150%",
        "sample: 0",
        "sample: many",
        "once_per: person",
        "once_per: {of: contact, within: long}",
        "once_per: {within: 30 days}",
        "after: later",
        "after: 2 days ago",
        "at: noon",
        'at: "25:00"',
        'quiet_hours: {from: "22:00"}',
        'quiet_hours: {from: "22:00", to: "08:00", time_zone: Calgary}',
        "after: 1 day\nunless: order.refnded",
        "after: 1 day\nunless: {event: order.refunded, same: person}",
        "only_between: {}",
        "only_between: {from: tomorrow}",
        "for_each: order",
        "untill: x",
    ],
)
def test_options_that_are_wrong_are_red(
    more: str, validator: Draft202012Validator, compiled: Any
) -> None:
    text = rule(more=more)
    with pytest.raises(ConfigurationError):
        compiled(text)
    assert not is_green(validator, text)


@pytest.mark.parametrize(
    "step",
    [
        'chat.post_message: {channel: "{{ order.currency }}", text: x}',
        'chat.post_message: {channel: here, text: x, style: "{{ order.currency }}"}',
        "chat.post_message: {channel: here, text: x, style: loud}",
        'crm.upsert_contact: {email: "{{ contact.email }}", score: "{{ order.total }}"}',
        "crm.upsert_contact: {email: a@example.com, score: 5}",
        'crm.upsert_contact: {email: a@example.com, score: "5"}',
        'crm.upsert_contact: {email: a@example.com, tags: ["{{ order.currency }}", b]}',
        "crm.upsert_contact: {email: a@example.com, score: }",
    ],
)
def test_steps_that_are_right_are_green(
    step: str, validator: Draft202012Validator, compiled: Any
) -> None:
    compiled(rule(step=step))
    assert is_green(validator, rule(step=step))


@pytest.mark.parametrize(
    "step",
    [
        "chat.post_mesage: {channel: here, text: x}",
        "chat.post_message: {channel: here}",
        "chat.post_message:",
        "chat.post_message: {channel: here, text: x, colour: red}",
        "chat.post_message: {channel: here, text: x, style: quiet}",
        "chat.post_message: {channel: here, text: 5}",
        "crm.upsert_contact: {email: a@example.com, score: high}",
        'crm.upsert_contact: {email: a@example.com, tags: "{{ order.currency }}"}',
        "crm.upsert_contact: {email: a@example.com, properties: [a]}",
        "chat.post_message: {channel: here, text: x}\n        crm.upsert_contact: {email: a@b.c}",
    ],
)
def test_steps_that_are_wrong_are_red(
    step: str, validator: Draft202012Validator, compiled: Any
) -> None:
    with pytest.raises(ConfigurationError):
        compiled(rule(step=step))
    assert not is_green(validator, rule(step=step))


TEST = "tests:\n  - name: One\n    given: {sample: order.paid%s}\n    expect: %s\n"


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("", "nothing"),
        (", source: shop, received: 2027-07-01T10:00", "[chat.post_message]"),
        (", with: {order.total: 5, tickets: [{type: VIP}], contact.name: }", "nothing"),
        (", with: {tickets.starts_on: in 3 days, raw.x: [1]}", "nothing"),
        ("", "[{chat.post_message: {text: {contains: x}}, at: 2027-07-01T10:00}]"),
        ("", "[{chat.post_message: , suppressed: no consent}, {crm.upsert_contact: {tags: [a]}}]"),
        ("", "[{chat.post_message: {}, after: 2 days}]"),
    ],
)
def test_tests_that_are_right_are_green(
    given: str, expect: str, validator: Draft202012Validator, compiled: Any
) -> None:
    text = rule() + TEST % (given, expect)
    compiled(text)
    assert is_green(validator, text)


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        (", soruce: shop", "nothing"),
        (", source: shap", "nothing"),
        (", received: yesterday", "nothing"),
        (", with: {order.totel: 5}", "nothing"),
        (", with: {order.total: much}", "nothing"),
        (", with: {event.time: 2027-01-01}", "nothing"),
        ("", "none"),
        ("", "[]"),
        ("", "[chat.post_mesage]"),
        ("", "[{chat.post_message: {txt: x}}]"),
        ("", "[{chat.post_message: {}, at: soon}]"),
        ("", "[{chat.post_message: {}, suppressed: false}]"),
    ],
)
def test_tests_that_are_wrong_are_red(
    given: str, expect: str, validator: Draft202012Validator, compiled: Any
) -> None:
    text = rule() + TEST % (given, expect)
    with pytest.raises(ConfigurationError):
        compiled(text)
    assert not is_green(validator, text)


def test_a_test_needs_a_sample_or_an_event(validator: Draft202012Validator) -> None:
    text = rule() + TEST % ("", "nothing")
    assert is_green(validator, text.replace("sample: order.paid", "event: 1042"))
    assert is_green(validator, text.replace("sample: order.paid", "event: 1042-2"))
    assert not is_green(validator, text.replace("sample: order.paid", ""))
    assert not is_green(validator, text.replace("order.paid}", "order.payed}"))


@pytest.mark.parametrize(
    "event", ["order.paid", "[order.paid, order.*]", "ORDER.PAID", "order.?aid"]
)
def test_events_may_be_globs_in_any_case(event: str, validator: Draft202012Validator) -> None:
    text = rule().replace("event: order.paid", f"event: {event}")
    assert is_green(validator, text)
    assert not is_green(validator, text.replace(event, "order.payed"))


def test_any_event_may_be_named_of_a_source_that_sends_more_than_it_tells(
    validator: Draft202012Validator,
) -> None:
    text = rule().replace("source: shop, event: order.paid", "source: academy, event: anything")
    assert is_green(validator, text)
    assert not is_green(validator, text.replace("academy", "academi"))


@pytest.mark.parametrize(
    ("text", "green"),
    [
        ("time_zone: America/Edmonton", True),
        ("time_zone: Calgary", False),
        ("lists: {a: [1, b]}", True),
        ("lists: {a: []}", False),
        ("lists: {a: b}", False),
        ("texts: {a: Hello}", True),
        ("texts: {a: 5}", False),
        ("rule: []", False),
    ],
)
def test_what_stands_at_the_top(text: str, green: bool, validator: Draft202012Validator) -> None:
    assert is_green(validator, f"{text}\n{rule()}") is green
