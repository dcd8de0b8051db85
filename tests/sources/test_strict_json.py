import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import strict_json
from bridge.errors import Malformed

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**60), 10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "invalid-json"),
        (b" ", "invalid-json"),
        (b'{"a": 1', "invalid-json"),
        (b"{'a': 1}", "invalid-json"),
        (b'{"a": 1} {"a": 2}', "invalid-json"),
        (b'{"a": 1}\x00', "invalid-json"),
        (b'{"a": "\n"}', "invalid-json"),
        (b'{"a": 1, "a": 1}', "duplicate-key"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate-key"),
        (b'[{"b": {"a": 1, "a": 1}}]', "duplicate-key"),
        (b"NaN", "not-a-number"),
        (b"[Infinity]", "not-a-number"),
        (b"[-Infinity]", "not-a-number"),
        (b"1e400", "number-too-large"),
        (b"9" * 5000, "number-too-long"),
        (b"0." + b"1" * 5000, "number-too-long"),
        (b"[" * 65 + b"]" * 65, "nested-too-deeply"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested-too-deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "nested-too-deeply"),
        (b'"\\ud800"', "lone-surrogate"),
        (b'"\\udfff\\ud800"', "lone-surrogate"),
        (b'{"\\uD800": 1}', "lone-surrogate"),
        (b'"\xff"', "not-utf-8"),
        (b'"\xed\xa0\x80"', "not-utf-8"),
        ('{"a": 1}'.encode("utf-16"), "not-utf-8"),
    ],
)
def test_what_parsers_read_in_different_ways_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as refused:
        strict_json.loads(body)
    assert refused.value.reason == reason


def test_utf_16_without_a_mark_is_refused() -> None:
    with pytest.raises(Malformed):
        strict_json.loads('{"a": 1}'.encode("utf-16-le"))


def test_a_byte_order_mark_is_accepted() -> None:
    assert strict_json.loads(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_nesting_of_64_is_accepted() -> None:
    assert strict_json.loads(b"[" * 64 + b"]" * 64)


def test_numbers_of_64_digits_are_accepted() -> None:
    assert strict_json.loads(b"9" * 64) == int("9" * 64)


def test_brackets_inside_texts_are_no_nesting() -> None:
    assert strict_json.loads(b'"' + b"[" * 1000 + b'"') == "[" * 1000


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert strict_json.loads(b'"\\ud83c\\udfab"') == "\U0001f3ab"


def test_an_escaped_backslash_before_u_is_no_surrogate() -> None:
    assert strict_json.loads(b'"\\\\ud800"') == "\\ud800"


def test_the_canonical_form_knows_neither_key_order_nor_white_space() -> None:
    one, other = b'{"a": 1, "b": [true, "\\u00e9"]}', '{"b":[true,"é"],"a":1}'.encode()
    assert strict_json.canonical(strict_json.loads(one)) == strict_json.canonical(
        strict_json.loads(other)
    )


def test_the_canonical_form_tells_a_text_from_a_number() -> None:
    assert strict_json.canonical("1") != strict_json.canonical(1)


@given(json_values)
@settings(deadline=None)
def test_whatever_python_writes_is_read_back(value: object) -> None:
    assert strict_json.loads(json.dumps(value).encode()) == value


@given(st.binary() | st.text(alphabet='{}[]",:0e-\\u d8').map(str.encode))
@settings(deadline=None, max_examples=300)
def test_no_bytes_raise_anything_but_malformed(body: bytes) -> None:
    with suppress(Malformed):
        strict_json.loads(body)
