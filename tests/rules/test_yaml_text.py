from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ConfigurationError, Mistake
from bridge.yaml_text import read


def test_words_for_truth_values_and_times_are_the_texts_that_they_look_like() -> None:
    written = (
        "a: yes\nb: No\nc: on\nd: off\ne: 12:30\nf: 007\ng: 2027-07-03\nh: 1e5\ni: 0x1f\nj: 1_0\n"
    )
    value = read(written, "f.yaml").value
    assert list(value.values()) == [
        "yes",
        "No",
        "on",
        "off",
        "12:30",
        "007",
        "2027-07-03",
        "1e5",
        "0x1f",
        "1_0",
    ]


def test_numbers_true_false_and_nothing_are_read_as_such() -> None:
    value = read("[5, -5, 1.50, true, False, null, ~, '5', \"true\"]", "f.yaml").value
    assert value == [5, -5, 1.5, True, False, None, None, "5", "true"]


def test_keys_are_texts_whatever_they_look_like() -> None:
    assert read("5: a\ntrue: b\nno: c\n", "f.yaml").value == {"5": "a", "true": "b", "no": "c"}


def test_every_key_and_value_has_its_place() -> None:
    document = read("rules:\n  - name: A rule\n    do: [x, y]\n", "f.yaml")
    spots = {
        ("rules",): (2, 3),
        ("rules", 0, "name"): (2, 11),
        ("rules", 0, "do", 1): (3, 13),
    }
    for path, spot in spots.items():
        mistake = document.mistake(path, "wrong")
        assert (mistake.line, mistake.column) == spot
    assert document.mistake(("rules", 0, "name"), "wrong", at_key=True).column == 5


def test_what_is_missing_stands_with_its_parent() -> None:
    document = read("rules:\n  - name: A rule\n", "f.yaml")
    assert str(document.mistake(("rules", 0, "when"), "missing")) == "f.yaml:2:5: missing"


def test_a_line_within_a_text_of_several_lines_is_counted() -> None:
    document = read("a:\n  b: |\n    one\n    two\n", "f.yaml")
    assert document.mistake(("a", "b"), "wrong", line=2).line == 4


def test_an_alias_stands_for_what_was_anchored() -> None:
    assert read("a: &x [1, 2]\nb: *x\n", "f.yaml").value == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 100_000,
        "{a: " * 10_000,
        "a: &a [*a]",
        "- " * 10_000,
        "x" * 1_000_001,
        "a: &x [1]\n" + "".join(f"k{n}: &x [*x, *x]\n" for n in range(60)),
        "[" + "x," * 60_000 + "]",
    ],
    ids=["brackets", "braces", "itself", "dashes", "long", "doubling", "many"],
)
def test_a_bomb_is_a_mistake_at_once(bomb: str) -> None:
    with pytest.raises(ConfigurationError):
        read(bomb, "f.yaml")


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system [ls]", "!x {a: 1}", "!!int '5'"])
def test_tags_construct_nothing(text: str) -> None:
    with pytest.raises(ConfigurationError, match="begin with !"):
        read(text, "f.yaml")


def test_a_lone_surrogate_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="U\\+D800"):
        read("a: \ud800", "f.yaml")


@pytest.mark.parametrize("text", ["\ufeffa: 1\n", "a: 1\r\n", "---\na: 1\n...\n"])
def test_what_editors_add_does_not_matter(text: str) -> None:
    assert read(text, "f.yaml").value == {"a": 1}


@pytest.mark.parametrize("text", ["a: @hunter2", "a: #hunter2", "a: *hunter2", "a: !hunter2 x"])
def test_a_file_that_may_hold_secrets_is_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(text, "f.yaml", echo=False)
    assert "hunter2" not in str(raised.value)


def test_a_remark_after_an_empty_value_is_fine() -> None:
    assert read("a: # about a\n  b: 1\nc:\n  #d: 2\n", "f.yaml").value == {"a": {"b": 1}, "c": None}


@given(st.text(max_size=200) | st.text("{}[]:-#&*!|>'\"%@` \n\tab,?<", max_size=60))
def test_any_text_is_a_value_or_a_mistake(text: str) -> None:
    assert all(mistake.line > 0 and mistake.column > 0 for mistake in mistakes(text))


def mistakes(text: str) -> tuple[Mistake, ...]:
    try:
        read(text, "f.yaml")
    except ConfigurationError as error:
        return error.mistakes
    return ()
