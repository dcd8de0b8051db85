"""What people mean who ask in the words of another tool: `not_contains`, `>=`, `is empty`, `regex`.

What is given is put in the place of what was written, so it must mean the same: where
the opposite is meant it says so, and where that is not clear there is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from bridge.amounts import comparison_meant
from bridge.rules import values
from bridge.wording import flow, meant, nearest

_LONGEST = 300

# What other languages and programs call an operator.
_OPERATORS: Mapping[str, str] = {
    **dict.fromkeys((">=", "=>", "gte", "ge", "min", "minimum"), "at_least"),
    **dict.fromkeys((">", "gt", "over", "above", "greater_than", "greater"), "more_than"),
    **dict.fromkeys(("<=", "=<", "lte", "le", "max", "maximum"), "at_most"),
    **dict.fromkeys(("<", "lt", "under", "below", "fewer_than", "smaller_than"), "less_than"),
    **dict.fromkeys(("==", "=", "eq", "equals", "equal", "equal_to", "is_equal_to"), "is"),
    **dict.fromkeys(("!=", "<>", "ne", "neq", "not_equal", "not_equals", "isnt"), "is_not"),
    **dict.fromkeys(("not_equal_to", "is_not_equal_to", "unlike", "isn't"), "is_not"),
    **dict.fromkeys(("in", "is_in", "among", "is_one_of", "any_of", "is_any_of"), "one_of"),
    **dict.fromkeys(("includes", "include", "has", "containing", "contain"), "contains"),
    **dict.fromkeys(("glob", "wildcard", "match"), "matches"),
    **dict.fromkeys(("later_than", "newer_than"), "after"),
    **dict.fromkeys(("earlier_than", "older_than"), "before"),
    **dict.fromkeys(("begins_with", "begin_with", "startswith", "start_with"), "starts_with"),
    **dict.fromkeys(("endswith", "finishes_with", "end_with"), "ends_with"),
    **dict.fromkeys(("is_between", "range"), "between"),
    **dict.fromkeys(("exact", "exact_match", "is_exactly"), "exactly"),
}
_NONE_OF = ("none", "none_of", "neither", "nor", "not_any", "except", "unless")
COMBINERS: Mapping[str, str] = {
    **dict.fromkeys(("or", "any_of", "either"), "any"),
    **dict.fromkeys(("and", "all_of", "both"), "all"),
    **dict.fromkeys(_NONE_OF, "not"),
}

_THERE = ("exists", "exist", "known", "set", "filled", "present", "defined", "there", "has_value")
_ABSENT = ("empty", "blank", "missing", "null", "absent", "unknown", "unset", "undefined")
_SINCE = ("from", "since", "starting", "on_or_after", "not_before", "at_least")
_UNTIL = ("to", "until", "till", "through", "on_or_before", "not_after", "at_most")
_LACKS = ("excludes", "exclude", "excluding", "lacks", "without")
_NOT = re.compile(r"(?:(?:is|does|do|are|has)_?(?:not|n_?t)|not|never|isn't|doesn't|nt?)_(.+)")
_ANY_ALL = re.compile(r"(.+?)_(any|all)(?:_of)?")


def operator_meant(written: str, expected: Any, kind: str, known: Iterable[str]) -> str:
    """Advice for an operator that there is not, or not for a field of this kind."""
    name, known = _plain(written), tuple(known)
    for meaning in (
        _presence(name, expected),
        _day_bound(name, expected, kind),
        _pattern(name, expected),
        _negation(name, expected, known),
        _several(name, expected, known),
    ):
        if meaning:
            return f"write {meaning}"
    alias = _alias(name, kind) or COMBINERS.get(name)
    return f"did you mean `{alias}`?" if alias in known else meant(written, known)


def _plain(written: str) -> str:
    """`startsWith` and `Starts with` -> `starts_with`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", written.strip()[:_LONGEST])
    return re.sub(r"[-\s]+", "_", apart).casefold()


def _alias(name: str, kind: str) -> str | None:
    alias = _OPERATORS.get(name)
    if kind == "date":
        return {"more_than": "after", "less_than": "before"}.get(alias or name, alias)
    return alias


def _presence(name: str, expected: Any) -> str:
    """`{empty: true}` -> `{present: false}`."""
    found = _NOT.fullmatch(name)
    rest = (found[1] if found else name).removeprefix("is_")
    wanted = True if expected is None else values.truth(expected)
    if wanted is None or rest not in (*_THERE, *_ABSENT):
        return ""
    there = (rest in _THERE) is not bool(found)
    return f"{{present: {flow(wanted is there)}}}"


def _day_bound(name: str, expected: Any, kind: str) -> str:
    """`{from: 2027-07-01}` -> `{after: 2027-06-30}`, since `after` leaves the day itself out."""
    name = _OPERATORS.get(name, name)
    if kind not in ("date", "anything") or name not in (*_SINCE, *_UNTIL):
        return ""
    away, operator = (-1, "after") if name in _SINCE else (1, "before")
    try:
        day = date.fromisoformat(expected) if isinstance(expected, str) else None
        return f"{{{operator}: {day + timedelta(days=away)}}}" if day else ""
    except (ValueError, OverflowError):
        return f"{{{operator}: {flow(expected)}}}" if kind == "date" else ""


def _pattern(name: str, expected: Any) -> str:
    """`{regex: ^VIP}` and `{like: VIP%}` -> `{starts_with: VIP}`."""
    text = expected.strip() if isinstance(expected, str) else ""
    if name in ("regex", "regexp", "pattern", "matches_regex"):
        starts, ends = text.startswith("^"), text.endswith("$")
        text = re.sub(r"^\^|\$$|^\.\*|\.\*$", "", text)
    elif name in ("like", "ilike"):
        starts, ends = not text.startswith("%"), not text.endswith("%")
        text = text.strip("%")
    else:
        return ""
    if not re.fullmatch(r"[\w '-]+", text):
        return "{matches: ...}, where * stands for any text and ? for one character"
    operator = {(True, True): "is", (True, False): "starts_with", (False, True): "ends_with"}
    return f"{{{operator.get((starts, ends), 'contains')}: {flow(text)}}}"


def _negation(name: str, expected: Any, known: tuple[str, ...]) -> str:
    """`{not_contains: VIP}` -> `{not: {contains: VIP}}`."""
    if name in _OPERATORS:
        return ""
    found = _NOT.fullmatch(name)
    rest = "contains" if name in _LACKS else found[1] if found else "in" if name == "nin" else ""
    operator = _OPERATORS.get(rest) or (nearest(rest, known) if rest else None)
    if operator is None or expected is None:
        return ""
    return f"{{not: {{{operator}: {flow(expected)}}}}}"


def _several(name: str, expected: Any, known: tuple[str, ...]) -> str:
    """`{contains_any: [VIP, Backstage]}` -> `{any: [{contains: VIP}, {contains: Backstage}]}`."""
    found = _ANY_ALL.fullmatch(name)
    operator = (_OPERATORS.get(found[1]) or nearest(found[1], known)) if found else None
    if not (found and operator and isinstance(expected, list) and expected):
        return ""
    return f"{{{found[2]}: {flow([{operator: one} for one in expected])}}}"


def for_several(operator: str, expected: list[Any]) -> str:
    """How several values are written for an operator that takes one."""
    if operator == "is":
        return f"write {{one_of: {flow(expected)}}}"
    if operator == "is_not":
        return f"to leave out all of them write {{not: {{one_of: {flow(expected)}}}}}"
    return f"for any of them write {{any: {flow([{operator: one} for one in expected])}}}"


def combiner_meant(field: str) -> str:
    """Advice for `or:`, `none_of:` and `not tickets.type:` where a field should stand."""
    if field.casefold().startswith("not "):
        return f"write `not: {{{field[4:].strip()}: ...}}`"
    if field.casefold() in _NONE_OF:
        return (
            "to leave out all of them write `not:`, below it `any:`, and below that the conditions"
        )
    alias = COMBINERS.get(field.casefold())
    return f"did you mean `{alias}`?" if alias else ""


# Sentences

_CONDITION = re.compile(r"([a-z]\w*(?:\.\w+)+)\s*:?\s*(.+)")
_LINKS = (
    (r"\s+(?:or|OR|\|\|)\s+", "any: [{", "}, {", "}]"),
    (r"\s+(?:and|AND|&&?)\s+", "", ", ", ""),
)
_WORDED_AS = {
    **dict.fromkeys(("does not contain", "doesn't contain"), "not"),
    **dict.fromkeys(("contains", "includes", "has"), "contains"),
    **dict.fromkeys(("starts with", "starts_with", "begins with"), "starts_with"),
    **dict.fromkeys(("ends with", "ends_with"), "ends_with"),
    **dict.fromkeys(("is not ", "is_not ", "isn't ", "not ", "!=", "<>"), "is_not"),
    **dict.fromkeys(("is ", "==", "=", "equals"), "is"),
}
_WORDED = re.compile(
    rf"({'|'.join(sorted(map(re.escape, _WORDED_AS), key=len, reverse=True))})\s*(\S.*)",
    re.IGNORECASE,
)
_MISSING_WORDS = ("empty", "blank", "missing", "not present", "not set", "is empty", "not known")
_PRESENT_WORDS = ("present", "exists", "not empty", "is not empty", "filled", "known", "is set")


def conditions_meant(written: object) -> str:
    """`order.total >= 100 and tickets.type contains VIP` as conditions within { }."""
    text = written.strip() if isinstance(written, str) and len(written) <= _LONGEST else ""
    for link, opening, between, closing in _LINKS:
        parts = re.split(link, text)
        if len(parts) > 1 or not opening:
            meant_by = [_condition_meant(part) for part in parts]
            return f"{{{opening}{between.join(meant_by)}{closing}}}" if all(meant_by) else ""
    return ""


def _condition_meant(written: str) -> str:
    found = _CONDITION.fullmatch(written.strip())
    asked = _asked(found[2]) if found else ""
    return f"{found[1]}: {asked}" if found and asked else ""


def _asked(written: str) -> str:
    compared = comparison_meant(written)
    if compared.startswith("{is: "):
        return compared[5:-1]
    return compared or value_meant(written)


def value_meant(written: object) -> str:
    """`contains VIP`, which is a text to compare with, -> `{contains: VIP}`."""
    text = written.strip() if isinstance(written, str) and len(written) <= _LONGEST else ""
    if text.casefold() in _MISSING_WORDS:
        return "{present: false}"
    if text.casefold() in _PRESENT_WORDS:
        return "{present: true}"
    found = _WORDED.fullmatch(text)
    if not found:
        return ""
    operator, value = _WORDED_AS[found[1].lower()], flow(found[2].strip("'\""))
    if operator == "not":
        return f"{{not: {{contains: {value}}}}}"
    return value if operator == "is" else f"{{{operator}: {value}}}"
