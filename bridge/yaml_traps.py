"""What YAML can read, and otherwise than the person who wrote it: each with what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.amounts import before_comma, number_meant
from bridge.yaml_slips import (
    CURLY,
    ODD_BLANKS,
    Slip,
    in_quotes,
    no_blank_after_dash,
    no_list_dash,
    odd_blank,
)

_ODD = re.compile(f"[{ODD_BLANKS}\u00ad]")
_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufeff]")
_IN_CURLY = re.compile(f"[{CURLY}][^{CURLY}]*[{CURLY}]")
_TRUTHS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_THOUSAND = re.compile(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{3}", re.ASCII)
_PATH = re.compile(r"[a-z_]\w*(?:\.\w+)+")
DECIMALS = "this number has three decimals, since a dot does not separate thousands"
_NO_CENTS = ("-", "–", "—", "--")
_WORD_AND_VALUE = re.compile(r"([a-z_][\w.]*)(?: *= *| +)(\S+)", re.ASCII)
_ONE_OF = re.compile(r"\bone_of: +([^\s\[\]{}:\"',][^\[\]{}:\"']*),\s*$")
_FIELD = re.compile(r"\b\w+\.[\w.]+: *$")
_NOT_VALUE = re.compile(r"!=?:? *([^\s=!,}\]][^,}\]#\n]*)")
_ZEROS = re.compile(r"[-+]?0[0-9]+", re.ASCII)
_COMMENT = re.compile(r"\s*(#[^\s#]\S*)")
_LATE_COMMENT = re.compile(r"\s+(#[\w{“\"'@&][^\n]*)")
_ODD_AFTER_COLON = re.compile(f"[\\w.]+:([{ODD_BLANKS}])")
_NO_BLANK = re.compile(r"([\w.]+:)(?!//)([^\s:].*)", re.DOTALL)
_BULLET = re.compile(r"(?:[•·▪‣◦●–—]|\d{1,3}[.)]) +\w")
_BRACE_IN_NAME = re.compile(r"([\w.]+):([\[{])[^\n]*")
_DASH = re.compile(r"-[^\W\d]")
# Most names and values are of these letters, and have no trap in them.
_HARMLESS = re.compile(r"[a-z][a-z0-9_.]*|[1-9][0-9]{0,8}", re.ASCII | re.IGNORECASE)
_MOST_LINES = 1_000
_LONGEST = 10_000


@dataclass(frozen=True)
class Plain:
    """A text without quotes, and from where to where it stands; lines and columns start at 0.

    `after` is what stands behind it in its last line, `alone` whether nothing
    stands before it in its first; `lines` are all its lines, as they stand.
    """

    text: str
    line: int
    column: int
    lines: Sequence[str]
    after: str
    alone: bool


def is_harmless(text: str) -> bool:
    """Whether a name or value on one line is so plain that nothing can be wrong with it."""
    return _HARMLESS.fullmatch(text) is not None and text.casefold() not in _TRUTHS


def slips_of_value(plain: Plain) -> Iterator[Slip]:
    """What is wrong with, or strange about, a value without quotes."""
    if not plain.text:
        yield from _nothing_left(plain)
        return
    text = plain.text[:_LONGEST]
    yield from _strange_characters(text, plain.line, plain.column)
    yield from _unseparated(plain, text)
    yield from _half_a_text(plain)
    if len(plain.lines) == 1:
        yield from _looks_like_something_else(plain, text)


def slips_of_key(text: str, line: int, column: int, *, begins: bool) -> Iterator[Slip]:
    """What is wrong with a name without quotes before a colon.

    Beside others, or within { }, a name may begin with a dash: there no list can begin.
    """
    if _BULLET.match(text):
        yield no_list_dash(line, column, f"{text}:")
        return
    joined = _BRACE_IN_NAME.fullmatch(text)
    if joined:
        advice = f"type a blank between : and {joined[2]}"
        yield Slip(line, column, "a blank is missing after the colon", advice)
    if text == "<<":
        advice = "write the lines out"
        yield Slip(line, column, "nothing is taken over by <<", advice)
    elif not text:
        yield Slip(line, column, "a name is missing before the colon")
    elif begins and text[0] == "-" and text[1:2].strip():
        yield no_blank_after_dash(line, column, f"{text}:")
    odd = _ODD_AFTER_COLON.match(text)
    if odd:
        yield odd_blank(line, column + odd.start(1), odd[1])
    yield from _strange_characters(text, line, column)


def lone(text: str, line: int, column: int, before: str = "") -> Slip:
    """`friend` in `{text: Hello, friend}`: a comma begins something new there.

    `before` is what stands before it in its line.
    """
    found = _NO_BLANK.match(text)
    if found:
        what, example = "a blank is missing after the colon", f"{found[1]} {found[2][:60]}"
        return Slip(line, column, what, "write", example=example)
    number = before_comma(before.removesuffix(","))
    if number and before.endswith(",") and (text[:1].isdecimal() or text in _NO_CENTS):
        return _torn_number(line, column - len(number) - 1, f"{number},{text}")
    if _PATH.fullmatch(text) and before.rstrip().endswith("{"):
        what = "what is inserted stands between two braces, and the text in quotes"
        return Slip(line, before.rindex("{"), what, "write", example=f'"{{{{ {text} }}}}"')
    torn = _torn_list(line, text, before)
    if torn:
        return torn
    found = _WORD_AND_VALUE.fullmatch(text)
    if found and before.rstrip().endswith("{"):
        what, example = f"a colon is missing after {found[1]}", f"{found[1]}: {found[2]}"
        return Slip(line, column, what, "write", example=example)
    what = "stands alone within { }, where a comma begins something new"
    return Slip(line, column, what, "put quotes around a text that holds a comma", name=text)


def _torn_list(line: int, text: str, before: str) -> Slip | None:
    """`{one_of: VIP, Backstage}`."""
    found = _ONE_OF.search(before)
    if not found:
        return None
    what = "several values stand in [ ], which are missing here"
    column = len(before) - len(found[1]) - 1
    return Slip(line, column, what, "write", example=f"[{found[1]}, {text}]")


def exclamation(line: int, column: int, whole: str) -> Slip:
    """`!= VIP` and `!VIP`, which are tags to YAML; without the ! they would mean the opposite."""
    found = _NOT_VALUE.match(whole[column:])
    what = "nothing can begin with ! without quotes"
    before = whole[:column].rstrip()[-1:]
    of_field = _FIELD.search(whole[:column]) or whole[column : column + 2] == "!="
    if not found or not of_field:
        return Slip(line, column, what, "remove it, or put quotes around it")
    meaning = f"is_not: {found[1].strip()}"
    example = f"{{{meaning}}}" if before == ":" else meaning
    return Slip(line, column, what, "for everything but this write", example=example)


def _torn_number(line: int, column: int, written: str) -> Slip:
    """`99,50` and `1,000`, of which YAML makes two things."""
    meaning = number_meant(written)
    if not meaning:
        advice = "write numbers without a comma, and with a dot before the cents"
        return Slip(line, column, "a comma within { } ends a number", advice)
    what = "a comma within { } ends the number before it"
    return Slip(line, column, what, "write numbers without a comma", example=meaning)


def _nothing_left(plain: Plain) -> Iterator[Slip]:
    found = _COMMENT.match(plain.after)
    if found:
        what = "nothing is left here, because everything after # is a comment"
        column = plain.column + found.start(1)
        example = f'"{found[1][:60]}"'
        advice = "put quotes around it"
        yield Slip(plain.line, column, what, advice, example=example, of_value=True)


def _strange_characters(text: str, line: int, column: int) -> Iterator[Slip]:
    unseen = _ODD.match(text) or _UNSEEN.search(text) or _ODD.match(text[-1:])
    if unseen:
        yield odd_blank(line, column, unseen[0])
    elif _IN_CURLY.fullmatch(text):
        what = f"{text[0]} and {text[-1]} are quotes of a word processor, and part of the text here"
        example = in_quotes(text[1:-1].strip())
        yield Slip(line, column, what, "write", example=example, of_value=True)


def _unseparated(plain: Plain, text: str) -> Iterator[Slip]:
    """A blank that is missing after a dash or a colon makes one text of what should be more."""
    for number, line in enumerate(plain.lines[:_MOST_LINES]):
        text_of_line = line.lstrip(" ")
        if (number or plain.alone) and _BULLET.match(text_of_line):
            column = len(line) - len(text_of_line) if number else plain.column
            yield no_list_dash(plain.line + number, column, text_of_line)
            return
        if (number or plain.alone) and _DASH.match(text_of_line):
            column = len(line) - len(text_of_line) if number else plain.column
            yield no_blank_after_dash(plain.line + number, column, text_of_line)
            return
    odd = _ODD_AFTER_COLON.match(text) if plain.alone else None
    if odd:
        yield odd_blank(plain.line, plain.column + odd.start(1), odd[1])
    found = _NO_BLANK.fullmatch(plain.lines[0][:_LONGEST]) if plain.alone else None
    if found and not text[0].isdecimal():
        what, example = "a blank is missing after the colon", f"{found[1]} {found[2][:60]}"
        yield Slip(plain.line, plain.column, what, "write", example=example)


def _half_a_text(plain: Plain) -> Iterator[Slip]:
    found = _LATE_COMMENT.match(plain.after)
    last = plain.line + len(plain.lines) - 1
    if found:
        what = "everything after # is a comment and does not belong to the text"
        advice = "put quotes around the whole text if it does"
        example = in_quotes(f"{plain.text}{found[0].rstrip()}")
        column = len(plain.lines[-1]) + (plain.column if len(plain.lines) == 1 else 0)
        column += found.start(1)
        yield Slip(last, column, what, advice, example=example, only_warns=True)
    if len(plain.lines) > 1:
        what = f"this text goes on to line {last + 1}, and is read as one line"
        advice = "put quotes around it if that is meant; else check how far that line is indented"
        yield Slip(plain.line, plain.column, what, advice, only_warns=True)


def _looks_like_something_else(plain: Plain, text: str) -> Iterator[Slip]:
    if "\\n" in text:
        what = "\\n begins a new line only within double quotes"
        advice = "put double quotes around the whole text"
        yield Slip(plain.line, plain.column, what, advice, only_warns=True)
    truth = _TRUTHS.get(text.casefold())
    if truth:
        what = f"this is the text “{text}”, not {truth}"
        advice = f'write {truth} if that is meant, or "{text}" in quotes if it is a text'
        yield Slip(plain.line, plain.column, what, advice, only_warns=True)
    if _THOUSAND.fullmatch(text):
        meaning = number_meant(text)
        example = f"{meaning}, or {text.rstrip('0').rstrip('.')}"
        advice = "write it without a dot, or with fewer decimals"
        yield Slip(plain.line, plain.column, DECIMALS, advice, example=example, only_warns=True)
    if _ZEROS.fullmatch(text):
        what = "this begins with 0, so it is a text and keeps its 0"
        advice = "put quotes around it to say so, or leave the 0 out if it is a number"
        yield Slip(plain.line, plain.column, what, advice, only_warns=True)
