"""Values fit their merge fields, or it is said what would."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connector import Rejected
from bridge.testing.probes import HOSTILE
from connectors.mailchimp.fields import MergeField, fitting, merge_field
from connectors.mailchimp.items import Subscribe

KINDS = (
    *("text", "number", "address", "phone", "date", "url", "imageurl"),
    *("radio", "dropdown", "birthday", "zip", "something new"),
)
WHOLE = {"addr1": "1 High St", "city": "Ely", "state": "ON", "zip": "K1A 0B1"}


def a_field(kind: str, **options: Any) -> MergeField:
    return merge_field({"tag": "X", "name": "The field", "type": kind, "options": options})


US = {"phone_format": "US"}
SIZES = {"choices": ["Small", "Extra Large", "None of them"]}


@pytest.mark.parametrize(
    ("kind", "options", "value", "fits"),
    [
        ("text", {"size": 25}, "y" * 300, "y" * 255),
        ("text", {}, "=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("number", {}, "12", 12),
        ("number", {}, "1,234,567.5", 1234567.5),
        ("number", {}, "-0.5", -0.5),
        ("date", {"date_format": "MM/DD/YYYY"}, "2026-05-31", "2026-05-31"),
        ("date", {"date_format": "MM/DD/YYYY"}, "2026-05-31T23:30:00-06:00", "2026-05-31"),
        ("date", {"date_format": "MM/DD/YYYY"}, "05/31/2026", "2026-05-31"),
        ("date", {"date_format": "DD/MM/YYYY"}, "1.6.2026", "2026-06-01"),
        ("birthday", {"date_format": "MM/DD"}, "2/29", "02/29"),
        ("birthday", {"date_format": "DD/MM"}, "29/2", "02/29"),
        ("birthday", {"date_format": "DD/MM"}, "1988-02-29", "02/29"),
        ("phone", {}, "+49 (0)30 123456", "+49 (0)30 123456"),
        ("phone", US, "+1 (403) 555 0142", "403-555-0142"),
        ("zip", {}, "12345-6789", "12345"),
        ("url", {}, "https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("imageurl", {}, "example.com/a.png", "https://example.com/a.png"),
        ("dropdown", SIZES, "extra large", "Extra Large"),
        ("radio", SIZES, "SMALL", "Small"),
        ("address", {}, WHOLE, WHOLE),
        ("address", {}, {**WHOLE, "country": "CA"}, {**WHOLE, "country": "CA"}),
        ("something new", {}, "as it is", "as it is"),
    ],
)
def test_a_value_fits(kind: str, options: Any, value: Any, fits: Any) -> None:
    assert fitting(a_field(kind, **options), value) == fits


@pytest.mark.parametrize(
    ("kind", "options", "value", "words"),
    [
        ("text", {}, WHOLE, "one text"),
        ("number", {}, "12 CAD", "a number"),
        ("number", {}, "1.2.3", "a number"),
        ("number", {}, "Infinity", "a number"),
        ("date", {"date_format": "DD/MM/YYYY"}, "05/31/2026", "DD/MM/YYYY"),
        ("date", {}, "tomorrow", "such as 2026-05-31"),
        ("birthday", {"date_format": "MM/DD"}, "31/12", "MM/DD"),
        ("phone", US, "+49 30 123456", "US phone numbers only"),
        ("zip", {}, "K1A 0B1", "US ZIP codes only"),
        ("url", {}, "javascript:alert(1)", "web page"),
        ("url", {}, "https://a b.example", "web page"),
        ("dropdown", SIZES, "Medium", "it has: Small, Extra Large, None of them"),
        ("radio", {}, "Medium", "it has: none"),
        ("address", {}, "1 High St, Ely", "the parts of an address"),
        ("address", {}, {"zip": "1", "addr1": "2"}, "here is no city, state"),
        ("address", {}, {**WHOLE, "street": "x"}, "the parts of an address"),
    ],
)
def test_a_value_that_does_not_fit_is_explained(
    kind: str, options: Any, value: Any, words: str
) -> None:
    outcome = fitting(a_field(kind, **options), value)
    assert isinstance(outcome, Rejected)
    assert "`X`" in outcome.reason
    assert words in outcome.reason


values = st.text() | st.sampled_from(HOSTILE) | st.dictionaries(st.text(max_size=6), st.text())


@given(kind=st.sampled_from(KINDS), us=st.booleans(), value=values)
def test_whatever_an_event_holds_becomes_a_value_or_a_reason_without_it(
    kind: str, us: bool, value: Any
) -> None:
    given_ = {"audience": "x", "email": "a@example.com", "merge_fields": {"X": value}}
    for held in Subscribe.model_validate(given_).merge_fields.values():
        fits = fitting(a_field(kind, **(US if us else {}), **SIZES), held)
        if isinstance(fits, Rejected):
            texts = [held] if isinstance(held, str) else list(held.values())
            assert not [text for text in texts if len(text) > 30 and text in fits.reason]
        else:
            told = json.dumps(fits)
            assert "\\u0000" not in told.replace("\\\\", "")
            assert all(len(text) <= 255 for text in _texts(fits))


def _texts(fits: Any) -> list[str]:
    held = list(fits.values()) if isinstance(fits, dict) else [fits]
    return [text for text in held if isinstance(text, str)]


def test_empty_values_are_left_out() -> None:
    fields = {"A": "", "B": " \0 ", "C": None, "D": {"zip": " "}, "E": 0, "F": " x "}
    item = Subscribe.model_validate(
        {"audience": "x", "email": "a@example.com", "merge_fields": fields}
    )
    assert item.merge_fields == {"E": "0", "F": "x"}
