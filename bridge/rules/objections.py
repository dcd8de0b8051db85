"""What is wrong with one operator and its value, for a field of a kind."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

from bridge.amounts import comparison_meant, number_meant
from bridge.rules import slips, values
from bridge.rules.conditions import OPERATORS
from bridge.rules.countries import complaint_about_country, country_named
from bridge.rules.operators_meant import for_several, operator_meant
from bridge.rules.relative import relative, within
from bridge.rules.vocabulary import Kind, Shape
from bridge.wording import as_written, flow, quoted
from bridge.yaml_text import Path

COMBINERS = ("any", "all", "not")

_NUMERIC = ("at_least", "at_most", "more_than", "less_than", "between")
_DATED = ("before", "after", "within", "between")
_WORDED = ("contains", "starts_with", "ends_with", "matches")
_EQUAL = ("is", "is_not", "one_of", "present")
_SPELLED = (*_WORDED, "exactly")
_TEXTUAL = (*_SPELLED, "country")
_BY_KIND: Mapping[Kind, tuple[str, ...]] = {
    "text": (*_EQUAL, *_TEXTUAL),
    "number": (*_EQUAL, *_NUMERIC),
    "money": (*_EQUAL, *_NUMERIC),
    "date": (*_EQUAL, *_DATED),
    "yes/no": _EQUAL,
    "list": (*_EQUAL, *_TEXTUAL),
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
_NONE = ("none", "empty", "null", "nothing")
_DIGITS = "write digits alone, with a dot before the cents, such as 100 or 99.50"
_TIMES = "write it like 2027-07-03, 2027-07-03T19:30:00-06:00, now, in 3 days, or 2 days ago"


def kinds_of(operator: str) -> frozenset[Kind]:
    """The kinds of fields that it can be asked of."""
    return frozenset(kind for kind, allowed in _BY_KIND.items() if operator in allowed)


def objection(field: str, shape: Shape, operator: str, expected: Any) -> tuple[str, str]:
    """What is wrong with one comparison, and what would be right; two empty texts if nothing."""
    if operator not in OPERATORS:
        known = (*_BY_KIND[shape.kind], *COMBINERS)
        advice = operator_meant(operator, expected, shape.kind, known)
        return f"there is no operator {quoted(operator)}", advice
    if operator != "present" and (shape.kind == "group" or (shape.kind == "list" and shape.parts)):
        below = ", ".join(f"`{field}.{name}`" for name in list(shape.parts)[:8])
        advice = _counted(field, operator, expected) if shape.kind == "list" else ""
        advice = advice or f"name one of its fields: {below}"
        return f"`{field}` is {KIND_WORDS[shape.kind]}", advice
    allowed = _BY_KIND[shape.kind]
    if operator not in allowed:
        what = f"`{field}` is {KIND_WORDS[shape.kind]}, so `{operator}` cannot be asked of it"
        advice = operator_meant(operator, expected, shape.kind, allowed)
        if not advice.startswith("write"):
            advice = f"use {', '.join(f'`{one}`' for one in allowed)}"
        return what, advice
    return _wrong_value(field, shape, operator, expected)


def _counted(field: str, operator: str, expected: Any) -> str:
    """What is meant by `tickets: 3`, `tickets: {at_least: 3}` and `tickets: none`."""
    if expected in ([], "") or (isinstance(expected, str) and expected.casefold() in _NONE):
        missing = f"write `{field}: {{present: false}}`"
        return missing if operator in ("is", "one_of") else ""
    is_number = isinstance(expected, int | float | str) and values.number(expected) is not None
    if not is_number or operator not in ("is", *_NUMERIC):
        return ""
    count = flow({operator: expected}) if operator != "is" else flow(expected)
    return f"for the number of entries write `{field}: {{count: {count}}}`"


def _wrong_value(field: str, shape: Shape, operator: str, expected: Any) -> tuple[str, str]:
    own = _OWN_FORM.get(operator)
    if own:
        return own(field, shape, expected)
    if expected is None or expected == "":
        is_not = operator == "is_not"
        advice = "for what must be there write {present: true}" if is_not else NO_CONDITION
        return f"`{operator}` has no value", advice
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


def _wrong_present(_field: str, _shape: Shape, expected: Any) -> tuple[str, str]:
    fine = values.truth(expected) is not None
    return ("", "") if fine else ("`present` must be true or false", "write {present: true}")


def _wrong_country(_field: str, _shape: Shape, expected: Any) -> tuple[str, str]:
    several = expected if isinstance(expected, list) else [expected]
    if isinstance(expected, dict) and expected.keys() == {"not"}:
        denied = flow({"not": {"country": expected["not"]}})
        return "`country` needs a country", f"to leave one out write {denied}"
    if not several or not all(isinstance(one, str) and one.strip() for one in several):
        return "`country` needs a country", "write CA, Canada, or several: [CA, US]"
    wrong = next((one for one in several if country_named(one) is None), None)
    return complaint_about_country(wrong) if wrong is not None else ("", "")


def _wrong_ends(_field: str, shape: Shape, expected: Any) -> tuple[str, str]:
    """`between` takes two numbers or two dates, the lower one first."""
    dated = shape.kind == "date" or (shape.kind == "anything" and _is_dated(expected))
    example = "[2027-07-01, 2027-07-31]" if dated else "[100, 500]"
    if not isinstance(expected, list) or len(expected) != 2:
        ends = _two_ends(expected)
        example = f"[{', '.join(ends)}]" if ends else f"it like {example}"
        return "`between` needs two values, the lower and the higher", f"write {example}"
    for end in expected:
        if isinstance(end, dict) and end.keys() == {"field"}:
            return "`between` cannot compare with a field", _by_two(dated, expected)
        if dated and relative(end):
            advice = "write {after: now, before: in 3 days}, which takes such times"
            return f"{as_written(end)} counts from another time", advice
        wrong = _wrong_kind("date", end) if dated else _wrong_number("between", end)
        if wrong[0]:
            return wrong
    first, last = (values.moment(end) if dated else values.number(end) for end in expected)
    if first is not None and last is not None and first > last:  # type: ignore[operator]  # alike
        what = "the two values of `between` are the wrong way round, so nothing is between them"
        return what, f"write {flow([expected[1], expected[0]])}"
    return "", ""


def _by_two(dated: bool, expected: list[Any]) -> str:
    """Two operators for what `between` cannot take."""
    operators = ("after", "before") if dated else ("at_least", "at_most")
    ends = f"write {flow(dict(zip(operators, expected, strict=True)))}"
    return f"{ends}, which has neither end in it" if dated else ends


def _two_ends(expected: Any) -> list[str]:
    """`50 and 100` -> 50 and 100."""
    found = re.findall(r": ([-\d.]+)", comparison_meant(f"between {expected}"))
    return found if len(found) == 2 else []


def _is_dated(expected: Any) -> bool:
    ends = expected if isinstance(expected, list) else []
    ends = [end for end in ends if not isinstance(end, dict)]
    return any(isinstance(end, str) and values.number(end) is None for end in ends)


COMPARES_FIELDS = tuple(
    one
    for one in OPERATORS
    if one not in ("one_of", "within", "matches", "present", "between", "country")
)
"""The operators that take `{field: ...}` instead of a value."""

_ALIKE: Mapping[Kind, Kind] = {"number": "money", "list": "text"}


def wrong_for_fields(field: str, shape: Shape, operator: str, named: Any) -> tuple[str, str]:
    """What is wrong with comparing a field with another one, whatever that is."""
    if operator not in COMPARES_FIELDS:
        allowed = ", ".join(f"`{one}`" for one in _BY_KIND[shape.kind] if one in COMPARES_FIELDS)
        return f"`{operator}` cannot compare `{field}` with a field", f"use {allowed}"
    if operator not in _BY_KIND[shape.kind]:
        return objection(field, shape, operator, "")
    if not isinstance(named, str):
        return "`field` needs the name of a field", "write {field: contact.email}"
    return "", ""


def wrong_pair(own: str, shape: Shape, operator: str, named: str, other: Shape) -> tuple[str, str]:
    """What is wrong with comparing these two fields."""
    if other.kind == "group" or (other.kind == "list" and other.parts):
        below = ", ".join(f"`{named}.{name}`" for name in list(other.parts)[:8])
        return f"`{named}` is {KIND_WORDS[other.kind]}", f"name one of its fields: {below}"
    kinds = {_ALIKE.get(one, one) for one in (shape.kind, other.kind)} - {"anything"}
    if len(kinds) > 1:
        what = f"`{own}` is {KIND_WORDS[shape.kind]}, and `{named}` is {KIND_WORDS[other.kind]}"
        return f"{what}: they cannot be compared", "name two fields of the same kind"
    return "", ""


def _one_by_one(operator: str, expected: Any) -> str:
    """How several values are written for an operator that takes one."""
    if isinstance(expected, dict) and expected and all(name in OPERATORS for name in expected):
        # The advice must mean what is written, not its opposite.
        return f"write {flow({'not': expected} if operator == 'is_not' else expected)}"
    if isinstance(expected, dict) and expected.keys() <= {"any", "all"} and len(expected) == 1:
        return _asked_of_each(operator, *next(iter(expected.items())))
    if not isinstance(expected, list) or not expected:
        return "write one text or number"
    return for_several(operator, expected)


def _asked_of_each(operator: str, combiner: str, several: Any) -> str:
    """`{contains: {any: [VIP, Gold]}}` -> `{any: [{contains: VIP}, {contains: Gold}]}`."""
    if not isinstance(several, list) or not several:
        return "write one text or number"
    denied, operator = operator == "is_not", "is" if operator == "is_not" else operator
    parts = [one if _is_asked(one) else {operator: one} for one in several]
    together = {combiner: parts}
    return f"write {flow({'not': together} if denied else together)}"


def _wrong_time(operator: str, expected: Any) -> tuple[str, str]:
    if operator == "within":
        if within(expected):
            return "", ""
        what, advice = slips.length_trouble(expected)
        what = what or f"{as_written(expected)} is no length of time"
        return what, advice or "write it like {within: 7 days}"
    if relative(expected) is not None or values.moment(expected) is not None:
        return "", ""
    return _no_date(expected, _TIMES)


def _no_date(expected: Any, advice: str) -> tuple[str, str]:
    day = slips.day_meant(expected) or slips.days_meant(expected)
    return f"{as_written(expected)} is no date", f"write {day}" if day else advice


def _wrong_list(field: str, shape: Shape, expected: Any) -> tuple[str, str]:
    if not isinstance(expected, list) or not expected:
        return "`one_of` must be a list with entries", "write [one, two]"
    if any(isinstance(member, dict | list) for member in expected):
        return "an entry of `one_of` is a text or a number", _in_parts(expected)
    wrong = (_wrong_value(field, shape, "is", member) for member in expected)
    return next((each for each in wrong if each[0]), ("", ""))


def _in_parts(expected: list[Any]) -> str:
    """`[VIP, {field: contact.name}]` -> `{any: [{is: VIP}, {is: {field: contact.name}}]}`."""
    several = [one for each in expected for one in (each if isinstance(each, list) else [each])]
    if not several or any(isinstance(one, list) for one in several):
        return "write [one, two]"
    if not any(isinstance(one, dict) for one in several):
        return f"write {flow(several)}"
    asked = [one for one in several if _is_asked(one)]
    joined = {name: value for one in asked for name, value in one.items()}
    if len(asked) == len(several) and len(joined) == sum(map(len, asked)):
        return f"write {flow(joined)}"
    parts = [one if _is_asked(one) else {"is": one} for one in several]
    if len(parts) == 1:
        return f"write {flow(parts[0])}"
    return f"write {{any: {flow(parts)}}}"


def _is_asked(one: Any) -> bool:
    """Whether it is a condition by itself: `{contains: VIP}`."""
    return isinstance(one, dict) and bool(one) and all(name in OPERATORS for name in one)


_OWN_FORM: Mapping[str, Callable[[str, Shape, Any], tuple[str, str]]] = {
    "one_of": _wrong_list,
    "present": _wrong_present,
    "country": _wrong_country,
    "between": _wrong_ends,
}
"""Operators that take something else than one value."""


def first_wrong(field: str, shape: Shape, expected: Any) -> Path:
    """The entry that is wrong, below the list."""
    members = enumerate(expected) if isinstance(expected, list) else ()
    wrong = (at for at, one in members if _wrong_value(field, shape, "is", one)[0])
    return tuple(itertools.islice(wrong, 1))


def _wrong_number(operator: str, expected: Any) -> tuple[str, str]:
    if values.number(expected) is not None:
        return "", ""
    what = f"{as_written(expected)} is no number"
    amount, compared = number_meant(expected), comparison_meant(expected)
    if operator == "is":
        amount = compared or amount
    elif compared.startswith(f"{{{operator}: ") and "," not in compared:
        # The operator stands there already.
        amount = compared.removeprefix(f"{{{operator}: ").removesuffix("}")
    return what, f"write {amount}" if amount else _DIGITS


def _wrong_kind(kind: Kind, expected: Any) -> tuple[str, str]:
    """Whether the expected value is of a kind that can be compared with."""
    said = as_written(expected)
    if kind == "date" and values.moment(expected) is None:
        return _no_date(expected, "write it like 2027-07-03 or 2027-07-03T19:30:00-06:00")
    if kind == "yes/no" and values.truth(expected) is None:
        meaning = slips.truth_meant(expected)
        return f"{said} is neither true nor false", f"write {meaning or 'true or false'}"
    if kind in ("text", "list") and isinstance(expected, bool):
        what = f"the field is a text, and never {said[1:-1]}"
        return what, f'write {{present: {said[1:-1]}}}, or "{said[1:-1]}" in quotes for that text'
    return "", ""
