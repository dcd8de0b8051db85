"""What is wrong with a template, before any event comes: syntax, names, forbidden things."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from jinja2 import TemplateSyntaxError

from bridge.rules.template_syntax import syntax_trouble
from bridge.rules.template_walk import Enough, Problem, Walker
from bridge.rules.templates import LONGEST_TEMPLATE, environment, expressions
from bridge.rules.vocabulary import Vocabulary
from bridge.wording import quoted

_NAME = r"([A-Za-z_]\w*(?:\.\w+)*)"
# As other tools write what is to be filled in, each with one name in it.
_OTHERWISE = re.compile(
    "|".join(
        (
            rf"(?<!\{{)[$#]?\{{\s*\{{?{_NAME}\}}?\s*\}}(?!\}})",
            rf"\[\[?\s*{_NAME}\s*\]\]?(?!\()",
            rf"<%=?\s*{_NAME}\s*%>",
            rf"%{_NAME}%",
            rf"<{_NAME}>",
            rf"\*\|{_NAME}\|\*",
            rf"(?<![{{\w.]){_NAME}\s*\}}\}}",
        )
    )
)
_LABEL = re.compile(r"\[\s*\w+\s*\]|<\w+>|\{\s*\w+\s*\}")
_LONGEST_LOOKED_AT = 2_000

_TEMPLATES = re.compile(r"\{\{(?!\{).*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_TWO_WORDS = re.compile(r"(?<![\w.])([A-Za-z_]\w{0,40}(?:\.\w{1,40}){1,4})[ -](\w{1,40})")


MOST_IN_BRACES = 150_000
"""So much may stand in {{ }} and {% %}, in all the texts that are checked together."""

_BRACES = 4
_room: ContextVar[list[int]] = ContextVar("_room")


@contextmanager
def together() -> Iterator[None]:
    """The texts that are checked inside may hold MOST_IN_BRACES; more is a problem of each.

    To understand a text takes its time, and no file may keep the bridge busy.
    """
    token = _room.set([MOST_IN_BRACES])
    try:
        yield
    finally:
        _room.reset(token)


def check(source: str, vocabulary: Vocabulary) -> list[Problem]:
    """What is wrong with a template, of very much the first; none: it compiles."""
    if len(source) > LONGEST_TEMPLATE:
        return [Problem(1, f"this text is longer than {LONGEST_TEMPLATE:,} characters")]
    if not _has_room(source):
        what = f"the texts of this file hold more than {MOST_IN_BRACES:,} characters in {{{{ }}}}"
        return [Problem(1, what, "write fewer rules into one file")]
    joined = list(_in_two_words(source, vocabulary))
    if joined:
        return joined
    try:
        tree = environment(None).parse(source)
    except TemplateSyntaxError as error:
        return [Problem(error.lineno, *syntax_trouble(str(error.message), source))]
    except (RecursionError, MemoryError, ValueError, OverflowError):
        return [Problem(1, "this text is too complicated", "make it shorter")]
    walker = Walker(vocabulary)
    with suppress(Enough):
        walker.visit(tree, {})
    return list(dict.fromkeys(walker.problems))


def _has_room(source: str) -> bool:
    left = _room.get(None)
    if left is not None:
        left[0] -= sum(len(one) + _BRACES for one in expressions(source))
    return left is None or left[0] >= 0


def slips(
    text: str, vocabulary: Vocabulary, kept: Container[str] = frozenset()
) -> Iterator[Problem]:
    """`{contact.name}`, `[contact.name]` and the like, which would be inserted as they stand.

    `kept` are those that are meant so. A word in brackets that everybody uses, such as
    `[email]`, may be a label or a tag: of that people are only warned.
    """
    outside = _TEMPLATES.sub(lambda found: " " * len(found[0]), text[:_LONGEST_LOOKED_AT])
    for found in _OTHERWISE.finditer(outside):
        if found[0] in kept or _is_markup(found, outside):
            continue
        written = next(name for name in found.groups() if name)
        name = _field_meant(written, vocabulary, sure=found[0].startswith("*|"))
        if name:
            line = text.count("\n", 0, found.start()) + 1
            advice, doubtful = f"write {{{{ {name} }}}}", _LABEL.fullmatch(found[0]) is not None
            advice += " if the field is meant" if doubtful else ""
            yield Problem(line, f"{quoted(found[0])} is plain text", advice, only_warns=doubtful)


def _is_markup(found: re.Match[str], text: str) -> bool:
    """`<name>` that `</name>` closes."""
    return found[0][0] == "<" and f"</{found[0][1:]}" in text[found.end() :]


def _field_meant(written: str, vocabulary: Vocabulary, *, sure: bool) -> str | None:
    """The field that a name between brackets is most likely meant to be."""
    if "." not in written:
        called = vocabulary.called(written)
        shape = vocabulary.find(called) if called else None
        if shape and shape.kind in ("list", "group"):
            return None
        return called or (written.lower() if sure else None)
    group = written.partition(".")[0]
    if vocabulary.find(written):
        return written
    return written if group in vocabulary.root.parts and group != "raw" else None


def _in_two_words(source: str, vocabulary: Vocabulary) -> Iterator[Problem]:
    """`contact.first name` and `contact.first-name` for `contact.first_name`."""
    for found in _TWO_WORDS.finditer(source):
        whole = f"{found[1]}_{found[2]}"
        if vocabulary.find(found[1]) is None and vocabulary.find(whole):
            line = source.count("\n", 0, found.start()) + 1
            what = f"there is no field {quoted(found[0])}"
            yield Problem(line, what, f"did you mean `{whole}`?")
