from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.event import Contact, Event

Compiled = Callable[[str], rules.RuleSet]

TWO = """
rules:
  - name: VIP buyers
    when:
      source: shop
      event: order.paid
      where:
        order.total: {at_least: 100}
        tickets.type: {contains: VIP}
    do:
      - crm.upsert_contact:
          email: "{{ contact.email }}"
          properties: {firstname: "{{ contact.first_name }}", stage: customer}
          score: "{{ tickets | length }}"
          tags: ["{{ tickets[0].type }}", fixed]
      - chat.post_message: {channel: "#vip", text: "{{ contact.name }}"}
  - name: Everything
    when: {event: "*"}
    do:
      - chat.post_message: {channel: all, text: something happened}
"""


def test_a_rule_says_itself_as_a_sentence(compiled: Compiled) -> None:
    assert [rules.explain(rule) for rule in compiled(TWO).rules] == [
        (
            "When shop sends order.paid and order.total is at least 100 and tickets.type contains "
            "“VIP”: crm.upsert_contact, then chat.post_message."
        ),
        "When any source sends *: chat.post_message.",
    ]


def test_a_verdict_says_itself_as_a_sentence(compiled: Compiled, order: Event) -> None:
    small = replace(order, facts={"order": {"total": 25}})
    said = [rules.explain_verdict(verdict) for verdict in rules.judge(compiled(TWO), small)]
    assert said == [
        (
            "“VIP buyers” did not match: order.total is 25, not at least 100, and tickets.type is "
            "not known, so nothing says that it contains “VIP”."
        ),
        "“Everything” matched.",
    ]


def test_steps_know_their_rule_number_account_and_action(compiled: Compiled) -> None:
    steps = compiled(TWO).rules[0].steps
    assert [(s.rule, s.number, s.account, s.action, s.declared.name) for s in steps] == [
        ("VIP buyers", 1, "crm", "upsert_contact", "upsert_contact"),
        ("VIP buyers", 2, "chat", "post_message", "post_message"),
    ]


def test_the_version_is_of_the_text(compiled: Compiled) -> None:
    assert compiled(TWO).version == compiled(TWO).version
    assert compiled(TWO).version != compiled(TWO + "# a remark\n").version
    assert len(compiled(TWO).version) == 12


def test_a_step_is_filled_in_deeply(compiled: Compiled, order: Event) -> None:
    item = rules.fill(compiled(TWO).rules[0].steps[0], order)
    assert item.model_dump() == {
        "email": "priya@example.com",
        "properties": {"firstname": "Priya", "stage": "customer"},
        "score": 3,
        "tags": ["VIP", "fixed"],
    }


def test_an_event_without_an_address_skips_the_step_and_is_no_error(
    compiled: Compiled, order: Event
) -> None:
    with pytest.raises(rules.NotFilled) as raised:
        rules.fill(compiled(TWO).rules[0].steps[0], replace(order, contact=Contact()))
    assert raised.value.skipped
    assert raised.value.reason == "the event has no e-mail address"


def test_a_value_of_the_wrong_type_is_refused_without_being_repeated(
    compiled: Compiled, order: Event
) -> None:
    text = TWO.replace("{{ tickets | length }}", "{{ contact.first_name }}")
    with pytest.raises(rules.NotFilled) as raised:
        rules.fill(compiled(text).rules[0].steps[0], order)
    assert not raised.value.skipped
    assert raised.value.reason == "`score` must be a whole number"


def test_a_bug_in_a_connectors_item_is_refused_like_any_mistake(
    compiled: Compiled, order: Event
) -> None:
    step = "{chat.break_down: {text: '{{ contact.email }}'}}"
    text = f"rules: [{{name: A, when: {{source: shop}}, do: [{step}]}}]"
    with pytest.raises(rules.NotFilled) as raised:
        rules.fill(compiled(text).rules[0].steps[0], order)
    assert raised.value.reason == "chat.break_down fails on what it is given: RuntimeError"


def test_an_unknown_type_of_an_open_source_is_a_warning_only(compiled: Compiled) -> None:
    found = compiled(
        "rules:\n- name: A\n  when: {source: academy, event: course-complete}\n"
        "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
    )
    assert [str(warning) for warning in found.warnings] == [
        (
            "rules.yaml:3:34: academy is not known to send `course-complete`; did you mean "
            "`course-completed`? It may be right all the same: not all are published"
        )
    ]


def test_verdicts_come_in_the_order_of_the_file(compiled: Compiled, order: Event) -> None:
    found = rules.judge(compiled(TWO), replace(order, facts={}))
    assert [(verdict.rule, verdict.matched) for verdict in found] == [
        ("VIP buyers", False),
        ("Everything", True),
    ]


def test_rules_about_other_sources_and_types_are_not_asked(compiled: Compiled) -> None:
    stranger = Event(source="elsewhere", type="anything")
    assert [each.rule for each in rules.judge(compiled(TWO), stranger)] == ["Everything"]


def test_no_rules_is_a_fine_file(compiled: Compiled) -> None:
    assert compiled("rules: []").rules == ()


def outcome(compiled: Compiled, text: str) -> rules.RuleSet | ConfigurationError:
    """One of the two, and nothing else."""
    try:
        return compiled(text)
    except ConfigurationError as mistakes:
        return mistakes


FRAGMENTS = st.sampled_from(
    [
        *("rules:", "- name: A", "  when:", "    source: shop", "    event: order.paid", "  do:"),
        *("    where:", "      order.total: {at_least: 5}", "      any: [x]", "      not: {}"),
        *("    - chat.post_message:", "        channel: x", "        text: y", "  - crm: 5"),
        *(
            "        text: '{{ contact.name }}'",
            "        text: '{{ (((( }}'",
            "  name:",
            "  when: 5",
        ),
        *("      tickets.type: [1, [2], {is: {}}]", "    source: [5, {a: b}]", "  do: {a: b}"),
        *("        text: '{% for x in y %}'", "      raw.a: {one_of: 5}", "    event: [*x]"),
        *("        properties: {email: [1]}", "    - crm.upsert_contact: [1]", "    - [a]"),
    ]
)


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(text=st.lists(FRAGMENTS, max_size=14).map("\n".join) | st.text(max_size=100))
def test_any_text_is_rules_or_mistakes(compiled: Compiled, order: Event, text: str) -> None:
    found = outcome(compiled, text)
    if isinstance(found, rules.RuleSet):
        assert len(rules.judge(found, order)) == len(found.rules)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "when",
                    "do",
                    "source",
                    "event",
                    "where",
                    "any",
                    "all",
                    "not",
                    "is",
                    "chat.post_message",
                    "crm.upsert_contact",
                    "channel",
                    "text",
                    "email",
                    "order.total",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(value=st.lists(plain, max_size=3))
def test_any_shape_is_rules_or_mistakes(compiled: Compiled, order: Event, value: object) -> None:
    found = outcome(compiled, "rules: " + json.dumps(value))
    if isinstance(found, rules.RuleSet):
        rules.judge(found, order)
