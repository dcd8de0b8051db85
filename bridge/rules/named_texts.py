"""Texts that stand once in the rules, under `texts:`, and are inserted into others by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bridge.rules.templates import LONGEST_TEMPLATE, expressions, is_template
from bridge.wording import quoted

DEEPEST = 3

_INSERTED = re.compile(r"\{\{\s*texts\s*\.\s*([A-Za-z_]\w{0,99})\s*\}\}")
_NAMED = re.compile(r"\btexts\s*(?:\.\s*([A-Za-z_]\w{0,99})|\[\s*['\"](\w{1,100})['\"]\s*\])")


class CannotInsert(ValueError):
    """Says in plain words why texts cannot be inserted by their names."""


def with_texts(source: str, texts: Mapping[str, str]) -> str:
    """The source, with `{{ texts.name }}` replaced by that text, which may hold others in turn.

    What is unknown stays, and so do what is more than a name, like
    `{{ texts.name | upper }}`, and a source that is too long to be a template.
    Raises CannotInsert for texts that insert each other without end or more
    than three deep, for what would become too long, and where a text with
    {{ }} is named otherwise, which would show it unfilled.
    """
    if "texts" not in source or len(source) > LONGEST_TEMPLATE:
        return source
    made = _Inserting(texts).into(source, ())
    _refuse_unfilled(made, texts)
    return made


class _Inserting:
    """Makes each text once, however often it is named."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._made: dict[str, str] = {}

    def into(self, source: str, inside: tuple[str, ...]) -> str:
        parts: list[str] = []
        length = done = 0
        for found in _INSERTED.finditer(source):
            if found[1] not in self._texts:
                continue
            parts += source[done : found.start()], self._text(found[1], inside)
            done = found.end()
            length += len(parts[-2]) + len(parts[-1])
            if length > LONGEST_TEMPLATE:
                raise CannotInsert(
                    f"with its texts it is longer than {LONGEST_TEMPLATE:,} characters"
                )
        return "".join((*parts, source[done:]))

    def _text(self, name: str, inside: tuple[str, ...]) -> str:
        if name in inside:
            circle = " > ".join((*inside[inside.index(name) :], name))
            raise CannotInsert(f"the texts insert each other without end: {circle}")
        if len(inside) >= DEEPEST:
            raise CannotInsert(f"texts insert each other more than {DEEPEST} deep: {inside[0]}")
        if name not in self._made:
            self._made[name] = self.into(self._texts[name], (*inside, name))
        return self._made[name]


def _refuse_unfilled(source: str, texts: Mapping[str, str]) -> None:
    for expression in expressions(source):
        for found in _NAMED.finditer(expression):
            name = found[1] or found[2]
            if is_template(texts.get(name, "")):
                what = f"the text {quoted(name)} holds {{{{ }}}} itself"
                raise CannotInsert(f"{what}, so it can only be inserted as {{{{ texts.{name} }}}}")
