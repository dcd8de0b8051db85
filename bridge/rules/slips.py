"""What people write for a value, and what they mean by it: `31/03/2027`, `9 pm`, `2 hrs`.

Each function gives what to write instead, or nothing where that is not clear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, time

from bridge.amounts import comparison_meant
from bridge.rules.relative import UNITS
from bridge.wording import flow, meant, nearest, quoted

_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})[./-](\d{4})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})", re.ASCII)
_MONTHS = 12
_LONGEST = 80
_LONGEST_SENTENCE = 300
_CONDITION = re.compile(r"([a-z]\w*(?:\.\w+)+)\s*:?\s*(.+)")
_LINKS = (
    (r"\s+(?:or|OR|\|\|)\s+", "any: [{", "}, {", "}]"),
    (r"\s+(?:and|AND|&&?)\s+", "", ", ", ""),
)
_WORDED_AS = {
    **dict.fromkeys(("contains", "includes", "has", "like"), "contains"),
    **dict.fromkeys(("starts with", "starts_with", "begins with"), "starts_with"),
    **dict.fromkeys(("ends with", "ends_with"), "ends_with"),
    **dict.fromkeys(("is not", "is_not", "!=", "<>", "not"), "is_not"),
    **dict.fromkeys(("is", "=", "==", "equals"), "is"),
}
_WORDED = re.compile(
    rf"({'|'.join(sorted(map(re.escape, _WORDED_AS), key=len, reverse=True))})\s*(\S.*)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*([ap])\.?m\.?|(\d{1,2})[.h](\d{2})|(\d{1,2})")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?|an?|one|two|three)?\s*([a-z]+)(.*)", re.IGNORECASE)
_NUMBERS = {"a": "1", "an": "1", "one": "1", "two": "2", "three": "3"}
_WORDED_TIMES = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}

# What other languages and programs call an operator.
OPERATORS: Mapping[str, str] = {
    **dict.fromkeys((">=", "gte", "min", "minimum"), "at_least"),
    **dict.fromkeys((">", "gt", "over", "above", "greater_than"), "more_than"),
    **dict.fromkeys(("<=", "lte", "max", "maximum"), "at_most"),
    **dict.fromkeys(("<", "lt", "under", "below", "fewer_than", "smaller_than"), "less_than"),
    **dict.fromkeys(("==", "=", "eq", "equals", "equal", "equal_to"), "is"),
    **dict.fromkeys(("!=", "<>", "ne", "not_equal", "isnt", "is not", "unlike"), "is_not"),
    **dict.fromkeys(("in", "is_in", "among", "is_one_of", "one of"), "one_of"),
    **dict.fromkeys(("includes", "include", "has", "containing"), "contains"),
    **dict.fromkeys(("like", "glob", "regex", "pattern"), "matches"),
    **dict.fromkeys(("exists", "exist", "known", "is_set", "empty", "missing"), "present"),
    **dict.fromkeys(("since", "later_than", "from"), "after"),
    **dict.fromkeys(("until", "earlier_than", "till"), "before"),
    **dict.fromkeys(("begins_with", "begin_with", "startswith"), "starts_with"),
    **dict.fromkeys(("endswith", "finishes_with"), "ends_with"),
}
COMBINERS: Mapping[str, str] = {
    **dict.fromkeys(("or", "any_of", "either"), "any"),
    **dict.fromkeys(("and", "all_of", "both"), "all"),
    **dict.fromkeys(("none", "none_of", "neither", "not_any", "nor", "except"), "not"),
}


def conditions_meant(written: object) -> str:
    """`order.total >= 100 and tickets.type contains VIP` as conditions within { }."""
    text = written.strip() if isinstance(written, str) and len(written) <= _LONGEST_SENTENCE else ""
    for link, opening, between, closing in _LINKS:
        parts = re.split(link, text)
        if len(parts) > 1 or not opening:
            meant_by = [_condition_meant(part) for part in parts]
            return f"{{{opening}{between.join(meant_by)}{closing}}}" if all(meant_by) else ""
    return ""


def _condition_meant(written: str) -> str:
    found = _CONDITION.fullmatch(written.strip())
    if not found:
        return ""
    field, asked = found[1], found[2]
    compared = comparison_meant(asked)
    if compared:
        return (
            f"{field}: {compared.removeprefix('{is: ').removesuffix('}')}"
            if compared.startswith("{is:")
            else f"{field}: {compared}"
        )
    worded = _WORDED.fullmatch(asked)
    if not worded:
        return ""
    name = _WORDED_AS[worded[1].lower()]
    value = flow(worded[2].strip("'\""))
    return f"{field}: {value}" if name == "is" else f"{field}: {{{name}: {value}}}"


def day_meant(written: object) -> str:
    """`31/03/2027` -> `2027-03-31`; with dots the day comes first."""
    text = _short(written)
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(found[1], found[2], found[3])
    found = _DAY_FIRST.fullmatch(text)
    if not found:
        return ""
    first, second = int(found[1]), int(found[3])
    if found[2] == "." or first > _MONTHS:
        return _day(found[4], second, first)
    return _day(found[4], first, second) if second > _MONTHS else ""


def _day(year: str, month: str | int, day: str | int) -> str:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def clock_meant(written: object) -> str:
    """`9 pm` -> `21:00`."""
    text = _short(written).lower()
    found = _CLOCK.fullmatch(text)
    if not found:
        return _WORDED_TIMES.get(text, "")
    hour, minute = int(found[1] or found[4] or found[6]), int(found[2] or found[5] or 0)
    if found[3]:
        hour = hour % 12 + (12 if found[3] == "p" else 0)
    try:
        return f"{time(hour, minute):%H:%M}"
    except ValueError:
        return ""


def length_trouble(written: object) -> tuple[str, str]:
    """What is wrong with a length of time, and what would be right; empty: it cannot be told."""
    found = _LENGTH.fullmatch(_short(written))
    if not found:
        return "", ""
    count, unit, rest = found[1], found[2].lower(), found[3].strip()
    count = _NUMBERS.get((count or "").lower(), count)
    singular = unit.removesuffix("s")
    if singular in ("month", "year"):
        days = (30 if singular == "month" else 365) * float(count or 1)
        return f"{singular}s are not equally long", f"write {days:g} days"
    if singular not in UNITS:
        close = nearest(unit, [f"{name}s" for name in UNITS])
        if not (count and close):
            return "", ""
        return f"there is no unit of time {quoted(unit)}", f"write {count} {close}"
    if count and count != found[1]:
        return f"{quoted(str(written))} is no number of {singular}s", f"write {count} {unit}"
    if count and re.fullmatch(r"[a-z_]\w*(?:\.\w+)+", rest):
        field = f"{count} {unit} after {rest}"
        return f"between {count} {unit} and `{rest}` a word is missing", f"write {field}, or before"
    return "", ""


def list_meant(written: object) -> str:
    """`VIP, Backstage` -> `[VIP, Backstage]`."""
    parts = [one.strip() for one in re.split(r"[,;]", _short(written)) if one.strip()]
    plain = all(re.fullmatch(r"[\w][\w .'&/-]*", one) for one in parts)
    return f"[{', '.join(parts)}]" if parts and plain else ""


def operator_meant(written: str, known: Iterable[str]) -> str:
    """Advice for an operator that there is not."""
    name = written.strip().casefold()
    alias = OPERATORS.get(name) or COMBINERS.get(name)
    return f"did you mean `{alias}`?" if alias else meant(written, known)


def _short(written: object) -> str:
    """What is longer is no slip of these."""
    return written.strip() if isinstance(written, str) and len(written) <= _LONGEST else ""
