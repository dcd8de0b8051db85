"""What people write and YAML reads otherwise: each trap with what is said about it."""

from __future__ import annotations

import time

import pytest

from bridge.errors import ConfigurationError, Mistake
from bridge.yaml_text import MOST_TOLD, read


def mistakes(text: str, *, echo: bool = True) -> tuple[Mistake, ...]:
    try:
        read(text, "f", echo=echo)
    except ConfigurationError as error:
        return error.mistakes
    return ()


TRUTH = 'write {0} if that is meant, or "{1}" in quotes if it is a text'


COMMENT = (
    "everything after # is a comment and does not belong to the text; put quotes around the whole"
    " text if it does"
)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("a: no\n", f"1:4: this is the text “no”, not false; {TRUTH.format('false', 'no')}"),
        ("a: Off\n", f"1:4: this is the text “Off”, not false; {TRUTH.format('false', 'Off')}"),
        ("a: YES\n", f"1:4: this is the text “YES”, not true; {TRUTH.format('true', 'YES')}"),
        ("- on\n", f"1:3: this is the text “on”, not true; {TRUTH.format('true', 'on')}"),
        ("[n]\n", f"1:2: this is the text “n”, not false; {TRUTH.format('false', 'n')}"),
        (
            "a: 0123\n",
            "1:4: this begins with 0, so it is a text and keeps its 0; put quotes around it to",
        ),
        (
            "a: Hello #tickets\n",
            f'1:10: {COMMENT}: "Hello #tickets"',
        ),
        (
            "a: Order #{{ order.id }}\n",
            f'1:10: {COMMENT}: "Order #{{{{ order.id }}}}"',
        ),
        (
            "a: CAD\n  and more\n",
            "1:4: this text goes on to line 2, and is read as one line; put quotes around it if",
        ),
    ],
)
def test_what_may_be_meant_otherwise_is_a_warning(text: str, warning: str) -> None:
    (only,) = read(text, "f").warnings
    assert str(only).startswith(f"f:{warning}")


@pytest.mark.parametrize(
    "text",
    [
        "a: 'no'\n",
        "no: x\n",
        "a: none\n",
        "a: 0\n",
        "a: 0.5\n",
        "a: '007'\n",
        "a: 12:30\n",
        "a: 2027-07-03\n",
        "a: 99.50\n",
        "a: +14032661234\n",
        "a: Hello # a remark\n",
        "a: Hello #\n",
        "a: Hello #----\n",
        'a: "Hello" #tickets\n',
        "a: b#c\n",
        "a: 5 # of them\n",
        "a: >-\n  Hello\n  #tickets\n",
        'a: "Hello\n  you"\n',
        "a: -5\n",
        "a: -VIP\n",
        "a:\n  - -5\n",
        "a: https://example.com/x#y\n",
        "a:\n  https://example.com\n",
        "a: “VIP” has come\n",
        "a: “VIP” and “Gold”\n",
        "a: {b: , c: null}\n",
        "a: {-b: c}\n",
        "a:\n  b: 1\n  -c: 2\n",
        "? a\n: b\n",
        "a: {b: 'x, y'}\n",
        "a: [b, c]\n",
        "a: &x [1]\nb: *x\n",
        "a: 1\r\nb: 2\r\n",
        "\ufeffa: 1\n",
    ],
)
def test_what_can_be_meant_is_left_alone(text: str) -> None:
    assert read(text, "f").warnings == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a:\n\tb: 1\n", "2:1: a tab in the indentation; type spaces instead"),
        ("-\ta\n", "1:2: a tab in the indentation; type spaces instead"),
        (
            "a: 1\nb: 2\na: 3\n",
            "3:1: `a` stands here twice, first in line 1; keep one of the two; a new entry",
        ),
        (
            "a: {b: 1, b: 2}\n",
            "1:11: `b` stands here twice, first in line 1; keep one of the two; a new entry",
        ),
        ("a: {% if b %}\n", 'cannot begin with { without quotes; put quotes around it: "{% if b'),
        ("a: {# b #}\n", "1:4: a text cannot begin with { without quotes; put quotes around it"),
        ("{a: Hi {{ b }}, c: d}\n", 'put quotes around the whole text: "Hi {{ b }}"'),
        ("a: Hi: {{ b }}\n", "1:4: a second colon in this line, which YAML takes for another name"),
        ("[#a, #b]\n", "1:2: everything after # is a comment, also the closing bracket; put"),
        ("{a: #b}\n", "1:5: everything after # is a comment, also the closing bracket; put"),
        ("a: Note: b\n", 'put quotes around a text that holds a colon: "Note: b"'),
        ("a: :tada: hi\n", 'put quotes around a text that holds a colon: ":tada: hi"'),
        ("{a: Note: b}\n", "1:5: a second colon within { } without a comma before it; put a comma"),
        ("{a: b c: d}\n", "1:7: a second colon within { } without a comma before it; put a comma"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "3:3: nothing is taken over by <<; write the lines out"),
        (
            "a: !important\n",
            "1:4: nothing can begin with ! without quotes; remove it, or put quotes around it",
        ),
        ("a:\n  -b:\n      c: d\n", "2:3: a blank is missing after the - that begins an entry"),
        (
            "a:\n  -b\n  -c\n",
            "2:3: a blank is missing after the - that begins an entry; write: - b",
        ),
        ("a:\n  - b\n  -c\n", "3:3: a blank is missing after the - that begins an entry"),
        ("a:\n  - b\n   -c\n", "3:4: a blank is missing after the - that begins an entry"),
        ("a:b\n", "1:1: a blank is missing after the colon; write: a: b"),
        ("- a:b\n  c: d\n", "1:3: a blank is missing after the colon; write: a: b"),
        ("a:\n  b.c:100\n", "2:3: a blank is missing after the colon; write: b.c: 100"),
        ("{a:b, c: d}\n", "1:2: a blank is missing after the colon; write: a: b"),
        (
            "{a: Hi, you}\n",
            "1:9: `you` stands alone within { }, where a comma begins something new",
        ),
        (
            "{a: 1,000}\n",
            "1:5: a comma within { } ends the number before it; write numbers without a comma: ",
        ),
        ("a: “#vip”\n", "1:4: “ and ” are quotes of a word processor, and part of the text here;"),
        (
            "[‘b’]\n",
            '1:2: ‘ and ’ are quotes of a word processor, and part of the text here; write: "b"',
        ),
        (
            "“a”: b\n",
            '1:1: “ and ” are quotes of a word processor, and part of the text here; write: "a"',
        ),
        ("a: “Hi: you”\n", 'put quotes around a text that holds a colon: "Hi: you"'),
        (
            "a:\n\u00a0 b: 1\n",
            "2:1: an invisible character (U+00A0) that is no blank to YAML; type",
        ),
        ("a:\n  b: 1\n\u00a0 c: 2\n", "3:1: an invisible character (U+00A0) that is no blank to"),
        ("a:\u00a0b\n", "1:3: an invisible character (U+00A0) that is no blank to YAML; type"),
        ("a: \u00a0b\n", "1:4: an invisible character (U+00A0) that is no blank to YAML; type"),
        ("a\u200b: b\n", "1:1: an invisible character (U+200B) that is no blank to YAML; delete"),
        ("a: b\u200b\n", "1:4: an invisible character (U+200B) that is no blank to YAML; delete"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins here; remove the line `---`"),
        (
            "a: 'It's here'\n",
            '''1:4: the text ends at the second ', and more stands behind it; put "''',
        ),
        ('a: "b" c\n', """1:4: the text ends at the second ", and more stands behind it; put ' """),
        ('a: "50\\% off"\n', "a backslash in double quotes begins a special character; use single"),
        (
            "a: [b] c\n",
            '1:4: a text cannot begin with [ without quotes; put quotes around it: "[b] c',
        ),
        ("a: >b\n", '1:4: a text cannot begin with > without quotes; put quotes around it: ">b"'),
        (": b\n", "1:1: a name is missing before the colon"),
        ("? \n: b\n", "1:2: a name is missing before the colon"),
        ("? [a, b]\n: c\n", "1:3: a name before a colon must be plain text; put quotes around it"),
        ("- a\n-\u00a0b\n", "2:2: an invisible character (U+00A0) that is no blank to YAML; type"),
        ("a: 1\nb:\u00a0c: 2\n", "2:3: an invisible character (U+00A0) that is no blank to YAML"),
        ("a:\n  b: 1\n \u00a0c: 2\n", "3:2: an invisible character (U+00A0) that is no blank to"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(text: str, told: str) -> None:
    (only,) = mistakes(text)
    assert told.strip() in str(only)


@pytest.mark.parametrize(
    "text",
    [
        "a: no hunter2\n  and\n",
        "a: x #hunter2\n",
        "a: #hunter2\n",
        "a: {b: x, hunter2}\n",
        "a: {hunter2:x}\n",
        "hunter2: 1\nhunter2: 2\n",
        "a: “hunter2”\n",
        "a:\n  -hunter2\n",
        "a:\n  b:hunter2\n",
        "a: b: hunter2\n",
        "a: {{ hunter2 }}\n",
        "{a: x {{ hunter2 }}}\n",
        "[#hunter2]\n",
        "a: 'x' hunter2\n",
        "a: [x] hunter2\n",
        "a: @hunter2\n",
    ],
)
def test_where_secrets_may_stand_nothing_of_the_file_is_repeated(text: str) -> None:
    told = mistakes(text, echo=False) or read(text, "f", echo=False).warnings
    assert told
    assert "hunter2" not in " ".join(str(one) for one in told)


def test_how_a_number_was_written_is_kept() -> None:
    document = read("a: 1.10\nb: [7, 'x', true]\n", "f")
    assert document.written == {("a",): "1.10", ("b", 0): "7", ("b", 2): "true"}


def test_not_more_is_told_than_somebody_reads() -> None:
    twice = "".join(f"a{n}: 1\na{n}: 2\n" for n in range(2_000))
    assert len(mistakes(twice)) == MOST_TOLD
    assert len(read("a:\n" + "- no\n" * 2_000, "f").warnings) == MOST_TOLD


@pytest.mark.parametrize(
    "text",
    [
        "[" + "a, " * 40_000 + "]",
        "{" + "a: b, " * 20_000 + "}",
        "a: " + "b #c" * 200_000,
        "a: " + "{{" * 400_000,
        "a: " + ": " * 400_000,
        "a: '" + "''" * 400_000,
        "a: 'b" + "' '" * 300_000,
        "a: “" + "b" * 900_000 + "”",
        "a" * 900_000 + ":b",
        "-" * 900_000,
        "a: b\n" + "  -c\n" * 200_000,
        "a: b\n" + "  c\n" * 200_000,
        "\u00a0" * 900_000 + ": a",
    ],
    ids=range(13),
)
def test_a_file_of_a_megabyte_is_read_or_refused_in_a_moment(text: str) -> None:
    started = time.process_time()
    mistakes(text)
    # A second on an idle machine. What looks at each character again and again takes minutes.
    assert time.process_time() - started < 20
