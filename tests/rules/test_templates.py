from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.event import Contact, Event
from bridge.rules.templates import LONGEST_TEXT, compile_text, render
from bridge.rules.work import CannotRender

Saying = Callable[[str], rules.Step]


def said(step: rules.Step, event: Event) -> str:
    return str(rules.fill(step, event).model_dump()["text"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ contact.first_name }} is here", "Priya is here"),
        ("{{ contact.last_name }}", ""),
        ("{{ contact.last_name or 'Someone' }}", "Someone"),
        ("{{ contact.last_name | default('Someone') }}", "Someone"),
        ("{{ contact.first_name ~ ' ' ~ contact.last_name }}.", "Priya ."),
        ("{{ order.total | money(order.currency) }}", "236.25 CAD"),
        ("{{ 1234.5 | money }}", "1,234.50"),
        ("{{ 1234 | money('JPY') }}", "1,234 JPY"),
        ("{{ contact.phone | money('CAD') }}", ""),
        ("{{ order.total * 2 }}", "472.50"),
        ("{{ order.total | round }}", "236"),
        ("{{ order.total | int + 1 }}", "237"),
        ("{{ tickets | length }}", "3"),
        ("{{ tickets[0].type }}", "VIP"),
        ("{{ tickets[7].type }}", ""),
        ("{{ (tickets | first).type }}", "VIP"),
        ("{{ tickets | map(attribute='type') | join(', ') }}", "VIP, Standing"),
        ("{{ tickets | map(attribute='type') }}", "VIP, Standing"),
        ("{{ tickets | join('/', attribute='type') }}", "VIP/Standing"),
        ("{{ tickets | sum(attribute='seats') }}", "3"),
        ("{% for t in tickets if t.type %}[{{ t.type }}]{% endfor %}", "[VIP][Standing]"),
        ("{% if order.total > 100 %}big{% else %}small{% endif %}", "big"),
        ("{{ 'gift' if order.gift else 'own' }}", "own"),
        ("{{ order.gift }}", "false"),
        ("{{ tickets[0].starts_on | date }}", "3 July 2027, 01:30 UTC"),
        ("{{ tickets[0].starts_on | date('America/Edmonton') }}", "2 July 2027, 19:30 MDT"),
        ("{{ tickets[0].starts_on | date('%d.%m.%Y', 'America/Edmonton') }}", "02.07.2027"),
        ("{{ tickets[1].starts_on | date }}", ""),
        ("{{ raw.deep.list[1].colour }} {{ raw.no.such.thing }}", "blue "),
        ("{{ raw.deep['list'][0].colour | upper }}", "RED"),
        ("{{ event.type }} from {{ event.source }}", "order.paid from shop"),
        ("{{ contact.last_name is defined }} {{ contact.email is none }}", "false false"),
    ],
)
def test_texts_are_filled_in(saying: Saying, order: Event, text: str, expected: str) -> None:
    assert said(saying(text), order) == expected


def test_inserted_values_are_escaped_and_the_words_of_the_rule_are_not(
    saying: Saying, order: Event
) -> None:
    assert said(saying("<!here> {{ contact.name }} & co"), order) == "<!here> Priya &lt;b&gt; & co"


@pytest.mark.parametrize(
    "text",
    [
        "{{ contact.name or 'Someone' }}",
        "{{ contact.name ~ '' }}",
        "{{ contact.name | default('Someone') }}",
        "{{ [contact.name] | join(', ') }}",
        "{{ contact.name + '' }}",
        "{% for letter in [contact.name] %}{{ letter }}{% endfor %}",
        "{{ contact.name | trim }}",
        "{{ contact.name if true else '' }}",
    ],
)
def test_values_are_escaped_once_however_they_get_there(
    saying: Saying, order: Event, text: str
) -> None:
    assert said(saying(text), order) == "Priya &lt;b&gt;"


@given(st.text(max_size=50))
def test_no_value_gets_an_angle_bracket_past_the_escape(name: str) -> None:
    text = compile_text("{{ contact.name }}{{ contact.name ~ raw }}", lambda t: t.replace("<", "["))
    assert "<" not in render(text, {"contact": {"name": name}, "raw": "<"})


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ self.__init__.__globals__ }}",
    "{{ namespace() }}",
    "{{ joiner }}",
    "{{ dict(a=1) }}",
    "{{ range(10) }}",
    "{{ contact | attr('email') }}",
    "{{ contact.email.format(x=1) }}",
    "{{ '{0.__class__}' | format(contact) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ '%s' % contact }}",
    "{{ raw.__class__ }}",
    "{{ raw['__class__'].x }}",
    "{{ [].append(1) }}",
    "{{ [1] | map('attr', '__class__') | list }}",
    "{{ ['x'] | map(attribute='__class__') | first }}",
    "{{ tickets | map(**{'attribute': 'type'}) | list }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{% macro m() %}{% endmacro %}",
    "{% set x = 1 %}",
    "{% call x() %}{% endcall %}",
    "{% block b %}{% endblock %}",
    "{% filter upper %}x{% endfilter %}",
    "{% for x in tickets recursive %}{{ loop(x) }}{% endfor %}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 'x' | center(1000000000) }}",
    "{{ tickets | tojson }}",
    "{{ tickets | random }}",
    "{{ _ }}",
    "{{ undefined_thing }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "9" * 5000 + " }}",
    "{{ " + "not " * 2000 + "1 }}",
    "x" * 10_001 + "{{ contact.name }}",
    "{{ tickets[0].starts_on | date('%1000000000d') }}",
    "{% for a in tickets %}" * 3 + "{% endfor %}" * 3,
]


@pytest.mark.parametrize("text", ESCAPES, ids=range(len(ESCAPES)))
def test_no_way_out_of_a_template_compiles(saying: Saying, order: Event, text: str) -> None:
    """Or it comes out empty, where only values tell that there is nothing."""
    try:
        step = saying(text)
    except ConfigurationError:
        return
    assert said(step, order) == ""


@pytest.mark.parametrize("text", ESCAPES, ids=range(len(ESCAPES)))
def test_without_the_check_the_environment_itself_gives_nothing_away(
    order: Event, text: str
) -> None:
    seen: dict[str, Any] = {"contact": vars(order.contact), "raw": order.raw, **order.facts}
    try:
        made = render(compile_text(text[:5000], None), seen)
    except (TemplateError, CannotRender, ValueError, RecursionError, MemoryError, SyntaxError):
        return
    assert "class" not in made
    assert "built-in" not in made
    assert len(made) <= LONGEST_TEXT


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in raw.many %}{{ raw.long }}{% endfor %}",
        "{% for a in raw.many %}{% for b in raw.many %}{{ b }}{% endfor %}{% endfor %}",
        (
            "{% for a in raw.many %}{% for b in raw.many %}{% if raw.x %}{% endif %}"
            "{% endfor %}{% endfor %}"
        ),
        "{% for a in raw.many %}{% for b in raw.many %}{% endfor %}{% endfor %}",
        "{% for a in raw.long %}{% for b in raw.long %}{% endfor %}{% endfor %}",
        "{% for a in raw.many %}{% if 'x' in raw.many %}{% endif %}{% endfor %}",
        "{% for a in raw.many %}{{ raw.many | sort | length }}{% endfor %}",
        "{% for a in raw.many %}{{ raw.many | join }}{% endfor %}",
        "{% for a in raw.many %}{% for b in raw.many | map('upper') %}{% endfor %}{% endfor %}",
        "{{ raw.many | join(raw.long) }}",
    ],
)
def test_what_runs_away_is_not_filled(saying: Saying, order: Event, text: str) -> None:
    event = replace(order, raw={"long": "x" * 50_000, "many": ["y"] * 3_000, "deep": {"a": 1}})
    with pytest.raises(rules.NotFilled) as raised:
        rules.fill(saying(text), event)
    assert not raised.value.skipped
    assert raised.value.reason.startswith("`text` cannot be filled in: it ")


def test_one_text_running_away_does_not_spend_the_work_of_the_next(
    saying: Saying, order: Event
) -> None:
    event = replace(order, raw={"many": ["y"] * 3_000})
    loops = "{% for a in raw.many %}{% for b in raw.many %}{% if raw.x %}{% endif %}"
    with pytest.raises(rules.NotFilled):
        rules.fill(saying(loops + "{% endfor %}{% endfor %}"), event)
    assert said(saying("{{ contact.first_name }}"), event) == "Priya"


def test_whatever_a_contact_holds_a_text_is_made_or_refused_in_words(saying: Saying) -> None:
    step = saying("{{ contact.name }} {{ order.total | money }}")
    empty = Event(source="shop", type="order.paid", contact=Contact())
    assert said(step, empty) == " "
