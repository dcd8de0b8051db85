"""Reads `where`: paths and operators to conditions, with everything that is wrong about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bridge.findings import Findings
from bridge.rules import values
from bridge.rules.conditions import OPERATORS, All, AnyOf, Comparison, Condition, Not, Test
from bridge.rules.relative import RECEIVED, Relative, Within, relative, within
from bridge.rules.vocabulary import Kind, Shape, Vocabulary
from bridge.wording import meant, quoted
from bridge.yaml_text import Path

COMBINERS = ("any", "all", "not")
_DEEPEST = 24

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
_KIND_WORDS: Mapping[Kind, str] = {
    "text": "a text",
    "number": "a number",
    "money": "an amount",
    "date": "a date",
    "yes/no": "true or false",
    "list": "a list",
    "group": "a group",
    "anything": "anything",
}


_Read = Callable[[Any, Path], tuple[Condition, ...]]


Lists = Mapping[str, tuple[Any, ...]]


class WhereReader:
    """Reads the conditions of one rule; `lists` are those that `one_of` may name."""

    def __init__(self, findings: Findings, vocabulary: Vocabulary, lists: Lists) -> None:
        self._findings = findings
        self._vocabulary = vocabulary
        self._lists = lists

    def read(self, where: Any, path: Path) -> tuple[Condition, ...]:
        """The conditions of a mapping of paths; what is wrong is left out and found."""
        if not isinstance(where, dict):
            self._add(path, "this must be a group of `field: condition` lines")
            return ()
        return tuple(self._conditions(where, path))

    def _conditions(self, where: dict[str, Any], path: Path) -> Iterator[Condition]:
        for name, wanted in where.items():
            place = (*path, name)
            if name in COMBINERS:
                yield from self._combined(name, wanted, place, self.read)
                continue
            shape = self._shape(name, place)
            if shape is not None:
                yield from self._of_field(name, shape, wanted, place)

    def _shape(self, field: str, path: Path) -> Shape | None:
        shape = self._vocabulary.find(field)
        if shape is None:
            what, advice = self._vocabulary.unknown(field)
            self._findings.add(path, what, advice, at_key=True)
        return shape

    def _of_field(self, field: str, shape: Shape, wanted: Any, path: Path) -> Iterator[Condition]:
        if not isinstance(wanted, dict):
            operator = "one_of" if isinstance(wanted, list) else "is"
            yield from self._test(field, shape, {operator: wanted}, path, bare=True)
            return
        if not wanted:
            self._add(path, f"`{field}` has no condition", "write for example {present: true}")
        plain = {name: value for name, value in wanted.items() if name not in COMBINERS}
        yield from self._test(field, shape, plain, path) if plain else ()

        def read(part: Any, place: Path) -> tuple[Condition, ...]:
            return tuple(self._of_field(field, shape, part, place))

        for name in COMBINERS:
            if name in wanted:
                yield from self._combined(name, wanted[name], (*path, name), read)

    def _combined(self, name: str, wanted: Any, path: Path, read: _Read) -> Iterator[Condition]:
        """`read` reads one part, of the whole event or of one field."""
        if len(path) > _DEEPEST:
            self._add(path, "conditions are nested too deeply here")
        elif name == "not":
            parts = read(wanted, path)
            yield from [Not(_together(parts))] if parts else []
        elif not isinstance(wanted, list) or not wanted:
            self._add(path, f"`{name}` must be a list of conditions", "begin each with `- `")
        else:
            several = [read(part, (*path, number)) for number, part in enumerate(wanted)]
            parts = tuple(_together(part) for part in several if part)
            yield from [AnyOf(parts) if name == "any" else All(parts)] if parts else []

    def _test(
        self, field: str, shape: Shape, wanted: dict[str, Any], path: Path, *, bare: bool = False
    ) -> Iterator[Test]:
        comparisons = []
        for operator, expected in wanted.items():
            place = path if bare else (*path, operator)
            named = self._named(operator, expected, place)
            if named is not None:
                comparisons.append(Comparison(operator, self._lists[named], named))
            elif self._fits(field, shape, operator, expected, place):
                comparisons.append(Comparison(operator, _expected(operator, expected)))
        if comparisons:
            place = self._findings.document.mistake(path, "", at_key=True)
            yield Test(field, tuple(comparisons), place.line, place.column)

    def _named(self, operator: str, expected: Any, path: Path) -> str | None:
        """The list that `one_of` names, if it does and there is one."""
        if operator != "one_of" or not isinstance(expected, str):
            return None
        if expected in self._lists:
            return expected
        return None

    def _fits(self, field: str, shape: Shape, operator: str, expected: Any, path: Path) -> bool:
        what, advice = self._objection(field, shape, operator, expected)
        if what:
            unknown = operator not in OPERATORS
            self._findings.add(path, what, advice, at_key=unknown)
        return not what

    def _objection(self, field: str, shape: Shape, operator: str, expected: Any) -> tuple[str, str]:
        if operator == "one_of" and isinstance(expected, str) and shape.kind != "group":
            what = f"there is no list {quoted(expected)} in `lists:`"
            return what, meant(expected, self._lists) if self._lists else "write [one, two]"
        objection = _objection(field, shape, operator, expected)
        return objection if objection[0] else self._wrong_base(operator, expected)

    def _wrong_base(self, operator: str, expected: Any) -> tuple[str, str]:
        """The field that a time counts from must be there, and be a date."""
        told = _expected(operator, expected)
        if not isinstance(told, Relative | Within) or told.field == RECEIVED:
            return "", ""
        shape = self._vocabulary.find(told.field)
        if shape is None:
            return self._vocabulary.unknown(told.field)
        if shape.kind not in ("date", "anything"):
            return f"`{told.field}` is {_KIND_WORDS[shape.kind]}, not a date", ""
        return "", ""

    def _add(self, path: Path, what: str, advice: str = "") -> None:
        self._findings.add(path, what, advice)


def _together(parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else All(parts)


def _expected(operator: str, expected: Any) -> Any:
    if operator == "one_of":
        return tuple(expected)
    if operator == "present":
        return values.truth(expected)
    if operator == "within":
        return within(expected)
    if operator in ("before", "after"):
        return relative(expected) or expected
    return expected


def _objection(field: str, shape: Shape, operator: str, expected: Any) -> tuple[str, str]:
    """What is wrong with one comparison, and what would be right; two empty texts if nothing."""
    if operator not in OPERATORS:
        return f"there is no operator {quoted(operator)}", meant(operator, (*OPERATORS, *COMBINERS))
    if shape.kind == "group" or (shape.kind == "list" and shape.parts and operator != "present"):
        below = ", ".join(f"`{field}.{name}`" for name in list(shape.parts)[:8])
        if operator != "present":
            return f"`{field}` is {_KIND_WORDS[shape.kind]}", f"name one of its fields: {below}"
    allowed = _BY_KIND[shape.kind]
    if operator not in allowed:
        what = f"`{field}` is {_KIND_WORDS[shape.kind]}, so `{operator}` cannot be asked of it"
        return what, f"use {', '.join(f'`{one}`' for one in allowed)}"
    return _wrong_value(field, shape, operator, expected)


def _wrong_value(field: str, shape: Shape, operator: str, expected: Any) -> tuple[str, str]:
    if operator == "one_of":
        return _wrong_list(field, shape, expected)
    if operator == "present":
        fine = values.truth(expected) is not None
        return ("", "") if fine else ("`present` must be true or false", "")
    if isinstance(expected, dict | list) or expected is None or expected == "":
        return f"`{operator}` needs one value", "use `present: false` for what is missing"
    if operator in _SPELLED:
        fine = isinstance(expected, str | int | float) and not isinstance(expected, bool)
        return ("", "") if fine else (f"`{operator}` must be a text", 'put quotes around it: "..."')
    if operator in _DATED:
        return _wrong_time(operator, expected)
    return _wrong_kind(operator, "number" if operator in _NUMERIC else shape.kind, expected)


def _wrong_time(operator: str, expected: Any) -> tuple[str, str]:
    if operator == "within":
        advice = "write 7 days, or 2 hours before tickets.starts_on"
        return ("", "") if within(expected) else ("`within` needs a length of time", advice)
    fine = relative(expected) is not None or values.moment(expected) is not None
    advice = "write 2027-07-03, 2027-07-03T19:30:00-06:00, now, in 3 days, or 2 days ago"
    return ("", "") if fine else (f"`{operator}` must be a time here", advice)


def _wrong_list(field: str, shape: Shape, expected: Any) -> tuple[str, str]:
    if not isinstance(expected, list) or not expected:
        return "`one_of` must be a list with entries", "write [one, two]"
    for member in expected:
        wrong = _wrong_value(field, shape, "is", member)
        if wrong[0]:
            return wrong[0].replace("`is`", "each entry of `one_of`"), wrong[1]
    return "", ""


def _wrong_kind(operator: str, kind: Kind, expected: Any) -> tuple[str, str]:
    """Whether the expected value is of a kind that can be compared with."""
    if kind in ("number", "money") and values.number(expected) is None:
        return f"`{operator}` must be a number here", "write 100 or 99.50, without a currency"
    if kind == "date" and values.moment(expected) is None:
        return f"`{operator}` must be a date here", "write 2027-07-03 or 2027-07-03T19:30:00-06:00"
    if kind == "yes/no" and values.truth(expected) is None:
        return f"`{operator}` must be true or false here", ""
    return "", ""
