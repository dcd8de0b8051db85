"""Texts from outside, made harmless for a message: for its body, and for a line of its head."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST_VALUE = 20_000
LONGEST_LINE = 200

_ELLIPSIS = "…"
# Control characters, what turns the direction of writing around, and halves of characters.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# Python's `email` decodes these in a head, line breaks and all, and writes them out:
# https://github.com/python/cpython/issues/121650.
_ENCODED = "=?"


def block(text: str, longest: int = LONGEST_VALUE) -> str:
    """Lines and tabs stay, what cannot be seen goes."""
    plain = text[: 2 * longest].replace("\r\n", "\n").replace("\r", "\n")
    return _cut(_UNSEEN.sub("", plain), longest)


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """For a head: no line break, nothing that a reader could decode into one."""
    line = " ".join(_UNSEEN.sub(" ", text[: 8 * longest]).split())
    while _ENCODED in line:
        line = line.replace(_ENCODED, "= ?")
    return _cut(line, longest)


def harmless(value: Any) -> Any:
    """The same in plain JSON data, each text made harmless for a body."""
    if isinstance(value, str):
        return block(value)
    if isinstance(value, Mapping):
        return {block(str(name), 200): harmless(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [harmless(one) for one in value]
    return value


def _cut(text: str, longest: int) -> str:
    """After a word, where there is one."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    whole = kept.rpartition(" ")[0]
    return (whole if len(whole) > longest // 2 else kept).rstrip() + _ELLIPSIS
