"""Texts in conditions that other programs would understand: templates, patterns, several in one.

A condition compares with a text as it stands, so that each of these looks right and never holds,
or always. A template is a mistake; what may be meant as it stands gets a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bridge.rules.objections import COMPARES_FIELDS
from bridge.rules.vocabulary import Shape
from bridge.wording import flow, quoted

_TEMPLATE = re.compile(r"\{\{|\{%")
_ONE_FIELD = re.compile(r"\{\{-?\s*([A-Za-z_][\w.]*)\s*(?:\|\s*(?:lower|upper|trim)\s*)*-?\}\}")
_TEXTUAL = ("is", "is_not", "one_of", "contains", "starts_with", "ends_with", "matches")
_SEPARATED = re.compile(r"\s*[,;]\s*|\s+(?:or|and)\s+", re.IGNORECASE)
_EITHER = re.compile(r"[,;]|\sor\s", re.IGNORECASE)
_WORD = re.compile(r"[\w][\w .'&/+-]{0,30}|[^\s@]{1,64}@[\w.-]{1,80}")
_DOMAIN = re.compile(r"@[\w-]+(?:\.[\w-]+)+")
_LONGEST = 200

# Signs of a regular expression: nobody calls a ticket so.
_REGEX = re.compile(
    r"^\^|(?<!\d)\$$|\.[*+]|\\[dwsbDWSB.]|\[[a-z0-9]-[a-z0-9]|\(\?|^/.+/i?$|(?<=\S)\|(?=\S)",
    re.IGNORECASE,
)
_ANY_TEXT = re.compile(r"\.[*+]\??")
_LEFT = re.compile(r"[\\^$()\[\]{}|+]")


def template(operator: str, expected: Any) -> tuple[str, str]:
    """What is wrong with `{{ ... }}` in a condition, and what to write; "" if there is none."""
    several = expected if isinstance(expected, list) else [expected]
    told = next((one for one in several if isinstance(one, str) and _TEMPLATE.search(one)), None)
    if told is None:
        return "", ""
    what = f"{quoted(told)} is compared as it stands here: conditions fill nothing in"
    named = _ONE_FIELD.fullmatch(told.strip())
    if named is None:
        return what, "compare with a text, or with a field: {is: {field: contact.email}}"
    operator = "is" if operator not in COMPARES_FIELDS else operator
    other = flow({operator: {"field": named[1]}})
    if len(several) == 1:
        return what, f"write {other}"
    left = [one for one in several if one is not told]
    return what, f"write {{any: [{other}, {flow({'one_of': left})}]}}"


def warnings(
    shape: Shape, operator: str, expected: Any, is_field: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """What deserves a look; `is_field` says whether there is a field of a name."""
    if operator not in _TEXTUAL or shape.kind not in ("text", "list", "anything"):
        return
    several = list(expected) if isinstance(expected, list | tuple) else [expected]
    for one in several:
        if isinstance(one, str) and 0 < len(one) <= _LONGEST:
            found = _warning(operator, one, is_field)
            if found:
                rest = [other for other in several if other is not one]
                yield found.what, _advice(operator, found, rest)
                return


@dataclass(frozen=True)
class _Found:
    """What is odd, and the condition that may be meant, if that can be told."""

    what: str
    meant: str = ""
    if_so: str = ""


def _warning(operator: str, text: str, is_field: Callable[[str], bool]) -> _Found | None:
    said = quoted(text)
    if "." in text and is_field(text):
        what = f"{said} is compared as a text here, not as the field of that name"
        return _Found(what, flow({_compared(operator): {"field": text}}), "if the field is meant")
    if _REGEX.search(text):
        what = f"{said} is compared as it stands here, not as a regular expression"
        return _Found(what, _regex_meant(text))
    if text.startswith("%") or re.search(r"(?<![\d\s])%$", text):
        meant = _wildcard_meant(operator, text.replace("%", "*"))
        return _Found(f"`%` is nothing but itself in {said}", meant)
    if "*" in text and operator != "matches":
        what = f"`*` is nothing but itself in {said}, as it is everywhere but in `matches`"
        return _Found(what, _wildcard_meant(operator, text))
    if operator in ("is", "is_not", "one_of") and _DOMAIN.fullmatch(text):
        return _Found(f"no e-mail address is {said} as a whole", flow({"ends_with": text}))
    parts = [part for part in _SEPARATED.split(text) if part]
    if operator in ("is", "is_not", "one_of") and _are_entries(text, parts):
        return _Found(f"{said} is one text here", flow({"one_of": parts}), "if several are meant")
    return None


def _compared(operator: str) -> str:
    return operator if operator in COMPARES_FIELDS else "is"


def _advice(operator: str, found: _Found, rest: list[Any]) -> str:
    if not found.meant:
        return "write {matches: ...}, with `*` for any text and `?` for any one character"
    meant = f"{{any: [{found.meant}, {flow({'one_of': rest})}]}}" if rest else found.meant
    # Of what is not known only `is_not` itself says that nothing differs.
    denied = operator == "is_not" and not meant.startswith("{is_not: ")
    meant = f"{{not: {meant}}}" if denied else meant
    if found.if_so:
        return f"{found.if_so}, write {meant}"
    return f"write {meant}; if it is meant as it stands, leave it"


def _are_entries(text: str, parts: list[str]) -> bool:
    """`VIP, Backstage`; not a sentence, nor a name such as `Calgary and Edmonton`."""
    separated = len(parts) > 1 and _EITHER.search(text) is not None
    return separated and all(_WORD.fullmatch(part) for part in parts)


def _wildcard_meant(operator: str, text: str) -> str:
    """`VIP*` -> `{starts_with: VIP}`."""
    begin, end = not text.startswith("*"), not text.endswith("*")
    if operator in ("contains", "ends_with"):
        begin = False
    if operator in ("contains", "starts_with"):
        end = False
    return flow(_condition(text.strip("*"), begin=begin, end=end)) if text.strip("*") else ""


def _regex_meant(text: str) -> str:
    """`^VIP.*$` -> `{starts_with: VIP}`, `VIP|Gold` -> one of two; "" where it is not clear."""
    inner = re.sub(r"^/(.+)/i?$", r"\1", text)
    inner = re.sub(r"^\(\?[a-z]+\)", "", inner)
    begin, end = inner.startswith("^"), inner.endswith("$")
    inner = inner.removeprefix("^").removesuffix("$")
    inner = re.sub(r"^\(([^()]*)\)$", r"\1", inner)
    made = [_of_regex(part, begin=begin, end=end) for part in inner.split("|")]
    if not all(made):
        return ""
    return flow(made[0]) if len(made) == 1 else flow({"any": made})


def _of_regex(text: str, *, begin: bool, end: bool) -> dict[str, str] | None:
    plain = _ANY_TEXT.sub("*", text).replace(r"\.", ".").replace(r"\s", " ")
    open_ends = (plain.startswith("*"), plain.endswith("*"))
    core = plain.strip("*")
    if not core or _LEFT.search(core):
        return None
    return _condition(core, begin=begin and not open_ends[0], end=end and not open_ends[1])


def _condition(core: str, *, begin: bool, end: bool) -> dict[str, str]:
    """`begin`: the text begins with it, and `end`: it ends with it."""
    if "*" in core or "?" in core:
        return {"matches": f"{'' if begin else '*'}{core}{'' if end else '*'}"}
    if begin and end:
        return {"is": core}
    return {"starts_with" if begin else "ends_with" if end else "contains": core}
