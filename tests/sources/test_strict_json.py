import json
import tracemalloc
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
        (b"[" + b"0," * 100_001 + b"0]", "too-many-members"),
        (b"[]" * 100_001, "too-many-members"),
        (b"[" * 65 + b'"' * 500_000, "invalid-json"),
        (b'{"a": "\\\\", "b": ' + b"[" * 64 + b"]" * 64 + b"}", "nested-too-deeply"),
        (b'"\\ud800"', "lone-surrogate"),
        (b'"\\ud83d\\\\\\udfab"', "lone-surrogate"),
        (b'"\\ud83d \\udfab"', "lone-surrogate"),
        (b'"\\ud83c\\udfab\\udfab"', "lone-surrogate"),
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


@pytest.mark.parametrize("ending", [b"x", b'\\"', b"\\\\", b'\\\\\\"', b"\\u005b"])
def test_texts_with_escapes_before_their_end_hide_no_nesting_and_make_none(ending: bytes) -> None:
    text = b'"' + b"[" * 70 + ending + b'"'
    assert strict_json.loads(b"[" + text + b"," + b"[" * 63 + b"]" * 63 + b"]")
    with pytest.raises(Malformed, match="nested-too-deeply"):
        strict_json.loads(b"[" + text + b"," + b"[" * 64 + b"]" * 64 + b"]")


def test_a_hundred_thousand_members_are_read() -> None:
    assert len(strict_json.loads(b"[" + b"0," * 99_999 + b"0]")) == 100_000


def test_what_holds_too_many_members_takes_no_memory() -> None:
    body = b"[" + b"[]," * 1_000_000 + b"0]"
    tracemalloc.start()
    with pytest.raises(Malformed):
        strict_json.loads(body)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100_000


def test_integers_of_any_size_have_a_fingerprint() -> None:
    large = strict_json.loads(b'{"a": ' + b"9" * 60 + b', "b": 1}')
    turned = strict_json.loads(b'{"b": 1, "a": ' + b"9" * 60 + b"}")
    assert strict_json.fingerprint(large) == strict_json.fingerprint(turned)
    assert strict_json.fingerprint(large) != strict_json.fingerprint({"a": 9, "b": 1})


def test_a_fingerprint_tells_json_from_bytes() -> None:
    assert strict_json.fingerprint({"a": 1}).startswith("json:")
    assert strict_json.raw_fingerprint(b"{").startswith("raw:")


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


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _is_storable(value: object) -> bool:
    """By walking over every value and asking each text."""
    if isinstance(value, dict):
        return all(_is_storable(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return all(map(_is_storable, value))
    try:
        return bool(str(value).encode() or True)
    except UnicodeEncodeError:
        return False


@given(
    st.lists(
        st.sampled_from(
            [*'[[[[]]]]{}",:', '\\\\"', "\\\\", '"a":', "\\ud83c", "\\udfab", "\\u0041"]
        ),
        max_size=12,
    ).map("".join),
    st.integers(55, 66),
)
@settings(deadline=None, max_examples=1000)
def test_the_checks_of_the_text_say_what_a_walk_over_the_values_would(
    inner: str, depth: int
) -> None:
    for text in (f'"{inner}"', inner, f'["{inner}"]'):
        body = f"{'[' * depth}{text}{']' * depth}"
        with suppress(ValueError):
            value = json.loads(body, object_pairs_hook=_no_twins)
            expected = _depth(value) <= strict_json.MAX_DEPTH and _is_storable(value)
            assert _is_taken(body.encode()) == expected


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def _is_taken(body: bytes) -> bool:
    try:
        strict_json.loads(body)
    except Malformed:
        return False
    return True
