"""How mistakes are worded: nearest known words, and pydantic's complaints in plain English."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

_MOST_LISTED = 12
_LONGEST_COMPARED = 100
_MOST_COMPARED = 5
_ALIKE = 0.6
_SHORTEST_BEGUN = 3

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "decimal_type": "must be a number",
    "decimal_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a group of `name: value` lines",
    "model_type": "must be a group of `name: value` lines",
    "model_attributes_type": "must be a group of `name: value` lines",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
_ADVICE = {
    "string_type": 'put quotes around it: "..."',
    "list_type": "put each entry on a line of its own after `- `, or write [one, two]",
    "dict_type": "write each `name: value` on a line of its own, indented further than this name",
    "int_type": "write digits alone, such as 5",
    "int_parsing": "write digits alone, such as 5",
    "float_parsing": "write digits alone, such as 5 or 2.5",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "string_too_long": "make it shorter",
}
_PLAIN = re.compile(r"[\w.%]([\w .%*&/+-]*[\w.%*&/+-])?")
# What YAML takes for no text.
_OTHERWISE = ("null", "true", "false", "yes", "no", "on", "off")


def moment_in_words(at: float) -> str:
    """A Unix time for a message that is read somewhere else."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one known word that is spelled almost like this one, whatever the case.

    Of names with dots the last part counts by itself: `contact.orders` is not almost
    `contact.phone`, however much they share. `slack.post` is `slack.post_message`, begun.
    """
    by_fold = {candidate.casefold(): candidate for candidate in known}
    compared = word[:_LONGEST_COMPARED].casefold()
    found = difflib.get_close_matches(compared, by_fold, n=_MOST_COMPARED, cutoff=_ALIKE)
    close = (each for each in found if _ends_alike(compared, each))
    return by_fold[first] if (first := next(close, None)) else None


def _ends_alike(word: str, other: str) -> bool:
    one, two = word.rpartition(".")[2], other.rpartition(".")[2]
    begun = min(len(one), len(two)) >= _SHORTEST_BEGUN and (
        one.startswith(two) or two.startswith(one)
    )
    return begun or difflib.SequenceMatcher(None, one, two, autojunk=False).ratio() >= _ALIKE


def meant(word: str, known: Iterable[str]) -> str:
    """Advice for an unknown word: the nearest one, else what there is."""
    words = sorted(set(known))
    close = nearest(word, words)
    if close:
        return f"did you mean `{close}`?"
    if not words:
        return "there is none"
    listed = ", ".join(f"`{candidate}`" for candidate in words[:_MOST_LISTED])
    return f"there is {listed}{' ...' if len(words) > _MOST_LISTED else ''}"


def quoted(text: str, longest: int = 60) -> str:
    """A word from a file, in backticks, on one line, cut where it is long."""
    line = " ".join(text.split())
    return f"`{line if len(line) <= longest else line[: longest - 1] + '…'}`"


def as_written(value: Any, longest: int = 60) -> str:
    """A value of a file, in backticks: a text as it is, anything else as YAML writes it."""
    return quoted(value if isinstance(value, str) else flow(value), longest)


def flow(value: Any) -> str:
    """A value as one line of YAML: `[one, two]`, `{from: "22:00"}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.casefold() not in _OTHERWISE
        return value if plain else json.dumps(value, ensure_ascii=False)
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def complaint(details: Mapping[str, Any]) -> tuple[str, str]:
    """What one pydantic error says of its field ("must be text"), and advice or nothing.

    Never holds the value. A ValueError of a validator is worded by its author.
    """
    kind = details["type"]
    context = details.get("ctx") or {}
    if kind in ("value_error", "assertion_error"):
        said = str(context.get("error", "see its description"))
        return said if said.startswith("must") else f"is not right: {said}", ""
    if kind in ("literal_error", "enum"):
        return f"must be {context['expected']}", ""
    if kind == "too_long":
        return f"must have at most {context['max_length']:,} entries", "leave some out"
    words = _WORDS.get(kind)
    if words is None:
        words = re.sub(r"^(Input|Value|String) should", "must", str(details["msg"]))
    return words, _ADVICE.get(kind, "")
