from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.rules.named_texts import CannotInsert, with_texts
from bridge.rules.templates import LONGEST_TEMPLATE

TEXTS = {
    "thanks": "Thank you, {{ contact.first_name }}!",
    "sign": "{{ texts.thanks }} Yours, {{texts.team}}",
    "team": "the box office",
    "deep": "({{ texts.sign }})",
    "deeper": "({{ texts.deep }})",
    "me": "{{ texts.me }}",
    "one": "{{ texts.other }}",
    "other": "{{ texts.one }}",
    "long": "x" * 3_000,
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ texts.team }}", "the box office"),
        ("{{texts.team}} and {{\n texts . team }}.", "the box office and the box office."),
        ("{{ texts.sign }}", "Thank you, {{ contact.first_name }}! Yours, the box office"),
        ("{{ texts.deep }}", "(Thank you, {{ contact.first_name }}! Yours, the box office)"),
        ("{{ texts.team | upper }}", "{{ texts.team | upper }}"),
        ("{{ texts['team'] }}", "{{ texts['team'] }}"),
        ("{{ texts.nobody }}", "{{ texts.nobody }}"),
        ("{{ texts.teams }}", "{{ texts.teams }}"),
        ("{{ context.team }}", "{{ context.team }}"),
        ("see texts.thanks", "see texts.thanks"),
    ],
)
def test_a_text_is_inserted_by_its_name_alone(source: str, expected: str) -> None:
    assert with_texts(source, TEXTS) == expected


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ texts.me }}", "the texts insert each other without end: me > me"),
        ("{{ texts.one }}", "the texts insert each other without end: one > other > one"),
        ("{{ texts.deeper }}", "texts insert each other more than 3 deep: deeper"),
        ("{{ texts.long }}" * 4, f"with its texts it is longer than {LONGEST_TEMPLATE:,}"),
        ("{{ texts.thanks | upper }}", "the text `thanks` holds {{ }} itself, so it can only be"),
        ("{{ texts['thanks'] }}", "the text `thanks` holds {{ }} itself"),
        ("{% if texts.thanks %}x{% endif %}", "the text `thanks` holds {{ }} itself"),
        ("{{- texts.thanks -}}", "the text `thanks` holds {{ }} itself"),
    ],
)
def test_what_cannot_be_inserted_is_said(source: str, why: str) -> None:
    with pytest.raises(CannotInsert) as raised:
        with_texts(source, TEXTS)
    assert str(raised.value).startswith(why)


def test_texts_that_double_and_double_are_refused_at_once() -> None:
    texts = {f"t{n}": f"{{{{ texts.t{n + 1} }}}}" * 600 for n in range(9)}
    started = time.process_time()
    with pytest.raises(CannotInsert):
        with_texts("{{ texts.t0 }}" * 600, texts)
    assert time.process_time() - started < 5


@given(st.text("{}% .textsab|'\n", max_size=80), st.text("{}% .textsab|", max_size=30))
def test_any_source_is_made_or_refused_and_bounded(source: str, text: str) -> None:
    try:
        made = with_texts(source, {"a": text, "b": "{{ texts.a }}"})
    except CannotInsert:
        return
    assert len(made) <= len(source) + LONGEST_TEMPLATE


def test_what_never_closes_is_looked_through_once() -> None:
    started = time.process_time()
    for _ in range(20):
        with_texts("{{ texts.x " + "{{" * 4_900, TEXTS)
    assert time.process_time() - started < 5
