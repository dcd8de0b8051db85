"""What is wrong with one operator and its value, for a field of a kind."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from bridge.amounts import comparison_meant, number_meant
from bridge.rules import slips, values
from bridge.rules.conditions import OPERATORS
from bridge.rules.relative import relative, within
from bridge.rules.vocabulary import Kind, Shape
from bridge.wording import flow, quoted
from bridge.yaml_text import Path

COMBINERS = ("any", "all", "not")

_NUMERIC = ("at_least", "at_most")
_DATED = ("before", "after", "within")
_WORDED = ("contains", "starts_with", "ends_with", "matches")
_EQUAL = ("is", "is_not", "one_of", "present")
_SPELLED = (*_WORDED, "exactly")
_BY_KIND: Mapping[Kind, tuple[str, ...]] = {
    "text": (*_EQUAL, *_SPELLED),
    "number": (*_EQUAL, *_NUMERIC),
    "money": (*_EQUAL, *_NUMERIC),
    "date": (*_EQUAL, *_DATED),
    "yes/no": _EQUAL,
    "list": (*_EQUAL, *_SPELLED),
    "anything": OPERATORS,
    "group": ("present",),
}
KIND_WORDS: Mapping[Kind, str] = {
    "text": "a text",
    "number": "a number",
    "money": "an amount",
    "date": "a date",
    "yes/no": "true or false",
    "list": "a list",
    "group": "a group",
    "anything": "anything",
}

NO_CONDITION = "write it behind the colon; for what must be missing write {present: false}"
_DIGITS = "write digits alone, with a dot before the cents, such as 100 or 99.50"
_TIMES = "write 2027-07-03, 2027-07-03T19:30:00-06:00, now, in 3 days, or 2 days ago"


def kinds_of(operator: str) -> frozenset[Kind]:
    """The kinds of fields that it can be asked of."""
    return frozenset(kind for kind, allowed in _BY_KIND.items() if operator in allowed)


def objection(field: str, shape: Shape, operator: str, expected: Any) -> tuple[str, str]:
    """What is wrong with one comparison, and what would be right; two empty texts if nothing."""
    if operator not in OPERATORS:
        known = (*_BY_KIND[shape.kind], *COMBINERS)
        return f"there is no operator {quoted(operator)}", slips.operator_meant(operator, known)
    if shape.kind == "group" or (shape.kind == "list" and shape.parts and operator != "present"):
        below = ", ".join(f"`{field}.{name}`" for name in list(shape.parts)[:8])
        if operator != "present":
            return f"`{field}` is {KIND_WORDS[shape.kind]}", f"name one of its fields: {below}"
    allowed = _BY_KIND[shape.kind]
    if operator not in allowed:
        what = f"`{field}` is {KIND_WORDS[shape.kind]}, so `{operator}` cannot be asked of it"
        return what, f"use {', '.join(f'`{one}`' for one in allowed)}"
    return _wrong_value(field, shape, operator, expected)


def _wrong_value(field: str, shape: Shape, operator: str, expected: Any) -> tuple[str, str]:
    if operator == "one_of":
        return _wrong_list(field, shape, expected)
    if operator == "present":
        fine = values.truth(expected) is not None
        return ("", "") if fine else ("`present` must be true or false", "write {present: true}")
    if expected is None or expected == "":
        return f"`{operator}` has no value", NO_CONDITION
    if isinstance(expected, dict | list):
        return f"`{operator}` needs one value", _one_by_one(operator, expected)
    if operator in _SPELLED:
        fine = isinstance(expected, str | int | float) and not isinstance(expected, bool)
        advice = f'put quotes around it: "{str(expected).lower()}"'
        return ("", "") if fine else (f"`{operator}` must be a text", advice)
    if operator in _DATED:
        return _wrong_time(operator, expected)
    if operator in _NUMERIC or shape.kind in ("number", "money"):
        return _wrong_number(operator, expected)
    return _wrong_kind(shape.kind, expected)


def _one_by_one(operator: str, expected: Any) -> str:
    """How several values are written for an operator that takes one."""
    if isinstance(expected, dict) and expected and all(name in OPERATORS for name in expected):
        return f"write {flow(expected)}"
    if not isinstance(expected, list) or not expected:
        return "write one text or number"
    if operator == "is":
        return f"write {{one_of: {flow(expected)}}}"
    return f"for any of them write {{any: {flow([{operator: one} for one in expected])}}}"


def _wrong_time(operator: str, expected: Any) -> tuple[str, str]:
    if operator == "within":
        if within(expected):
            return "", ""
        what, advice = slips.length_trouble(expected)
        what = what or f"{quoted(str(expected))} is no length of time"
        return what, advice or "write it like {within: 7 days}"
    if relative(expected) is not None or values.moment(expected) is not None:
        return "", ""
    return _no_date(expected, _TIMES)


def _no_date(expected: Any, advice: str) -> tuple[str, str]:
    day = slips.day_meant(expected)
    return f"{quoted(str(expected))} is no date", f"write {day}" if day else advice


def _wrong_list(field: str, shape: Shape, expected: Any) -> tuple[str, str]:
    if not isinstance(expected, list) or not expected:
        return "`one_of` must be a list with entries", "write [one, two]"
    wrong = (_wrong_value(field, shape, "is", member) for member in expected)
    return next((each for each in wrong if each[0]), ("", ""))


def first_wrong(field: str, shape: Shape, expected: Any) -> Path:
    """The entry that is wrong, below the list."""
    members = enumerate(expected) if isinstance(expected, list) else ()
    wrong = (at for at, one in members if _wrong_value(field, shape, "is", one)[0])
    return tuple(itertools.islice(wrong, 1))


def _wrong_number(operator: str, expected: Any) -> tuple[str, str]:
    if values.number(expected) is not None:
        return "", ""
    what = f"{quoted(expected if isinstance(expected, str) else flow(expected))} is no number"
    amount, compared = number_meant(expected), comparison_meant(expected)
    if compared and operator != "is":
        # The operator stands there already.
        amount = compared.removeprefix(f"{{{operator}: ").removesuffix("}")
        compared = ""
    meaning = compared or amount
    known = not meaning.startswith("{") or meaning[1:].partition(":")[0] in OPERATORS
    return what, f"write {meaning}" if meaning and known else _DIGITS


def _wrong_kind(kind: Kind, expected: Any) -> tuple[str, str]:
    """Whether the expected value is of a kind that can be compared with."""
    said = quoted(expected if isinstance(expected, str) else flow(expected))
    if kind == "date" and values.moment(expected) is None:
        return _no_date(expected, "write 2027-07-03 or 2027-07-03T19:30:00-06:00")
    if kind == "yes/no" and values.truth(expected) is None:
        return f"{said} is neither true nor false", "write true or false"
    return "", ""
