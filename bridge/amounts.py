"""What people mean by a number that they write in the way of their country: `1.000,50`, `$1k`.

Each function gives what to write instead, or nothing where that is not clear: a wrong guess
would become a wrong rule.
"""

from __future__ import annotations

import re
from decimal import Decimal

_LONGEST = 80
_GAPS = "\u00a0\u2007\u2009\u202f"
_CURRENCY = (
    r"(?:(?:CA|US|AU|NZ|C|A)?\$|€|£|¥|CAD|USD|EUR|GBP|AUD|NZD|CHF|[Dd]ollars?|[Ee]uros?|[Bb]ucks)"
)
_WRITTEN = re.compile(rf"(?:{_CURRENCY}\s*)?([+-]?\d[\d.,' ’]*?)\s*(k|K)?\s*{_CURRENCY}?")
_UNITS_ONLY = re.compile(r"(.+?)[.,][-–—]{1,2}")
"""`100,-`, as prices stand in shops."""
_NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_LETTERS = str.maketrans("OolI", "0011")
"""Letters that are taken for digits."""
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([., '’])\d{3})(?:\1\d{3})*")
_DECIMALS = re.compile(r"(.*\d)([.,])(\d+)")
_AT_END = re.compile(rf"(?:{_CURRENCY}\s*)?[+-]?\d[\d.' ’]*$")


def number_meant(written: object) -> str:
    """`$1,000` -> `1000`, `1.000,50` -> `1000.50`, `2k` -> `2000`."""
    text = _short(written)
    if text.casefold() in _NUMBER_WORDS:
        return str(_NUMBER_WORDS.index(text.casefold()))
    if text[:1] == "." and text[1:].isdecimal():
        return f"0{text}"
    if re.fullmatch(r"[\dOolI]*\d[\dOolI]*", text):
        text = text.translate(_LETTERS)
    shop = _UNITS_ONLY.fullmatch(text)
    found = _WRITTEN.fullmatch(shop[1] if shop else text)
    amount = _digits(found[1].strip()) if found else ""
    if found and found[2] and amount:
        return f"{(Decimal(amount) * 1000).normalize():f}"
    return amount


def before_comma(line: str) -> str:
    """The beginning of a number at the end of `line`, which a comma follows."""
    found = _AT_END.search(line[-_LONGEST:])
    return found[0] if found else ""


def _digits(text: str) -> str:
    """Without separators of thousands, and with a dot before the decimals."""
    if _PLAIN.fullmatch(text) and not _GROUPED.fullmatch(text):
        return text
    grouped = _GROUPED.fullmatch(text)
    if grouped:
        return text.replace(grouped[1], "")
    found = _DECIMALS.fullmatch(text)
    if not found:
        return ""
    whole, mark, decimals = found.groups()
    grouped = _GROUPED.fullmatch(whole)
    if grouped and grouped[1] != mark:
        return f"{whole.replace(grouped[1], '')}.{decimals}"
    return f"{whole}.{decimals}" if _PLAIN.fullmatch(whole) and "." not in whole else ""


# In the order in which they are looked for: longer ones first.
_WORDS = {
    "at_least": "at_least|at least|minimum|min|from|≥|>=|=>",
    "at_most": "at_most|at most|up to|maximum|max|≤|<=|=<",
    "more_than": "more_than|more than|greater than|bigger than|over|above|>",
    "less_than": "less_than|less than|fewer than|smaller than|under|below|<",
    "is_not": "is_not|is not|not|!=|<>|≠",
    "is": "is|equals|equal to|==|=",
}
_COMPARED = [
    (name, re.compile(rf"(?:{words})\s*:?\s*([^\sa-zA-Z<>=].*)", re.IGNORECASE))
    for name, words in _WORDS.items()
]
_BY_SIGN = (("at_least", ">=|=>|≥"), ("at_most", "<=|=<|≤"), ("more_than", ">"), ("less_than", "<"))
_WITH_FIELD = [
    (name, re.compile(rf"(?:{signs})\s*([a-z]\w*(?:\.\w+)+)")) for name, signs in _BY_SIGN
]
_OR_MORE = re.compile(r"(.+?)\s*(?:\+|or more|and more|and up|or above)")
_OR_LESS = re.compile(r"(.+?)\s*(?:or less|and less|or below)")
_RANGE = re.compile(r"(?:between )?(.+?)\s*(?:-|–|—|\.\.|\bto\b|\band\b)\s*(.+)", re.IGNORECASE)


def comparison_meant(written: object) -> str:
    """`>= 100` -> `{at_least: 100}`, `50 to 100` -> `{at_least: 50, at_most: 100}`,
    `> order.fees` -> `{more_than: {field: order.fees}}`.
    """
    text = _short(written).strip("()[]{} ")
    for name, pattern in _WITH_FIELD:
        if found := pattern.fullmatch(text):
            return f"{{{name}: {{field: {found[1]}}}}}"
    for name, pattern in _COMPARED:
        found = pattern.fullmatch(text)
        if found:
            amount = number_meant(found[1])
            return f"{{{name}: {amount}}}" if amount else ""
    for name, pattern in (("at_least", _OR_MORE), ("at_most", _OR_LESS)):
        found = pattern.fullmatch(text)
        if found and (amount := number_meant(found[1])):
            return f"{{{name}: {amount}}}"
    return _range_meant(text)


def _range_meant(text: str) -> str:
    found = _RANGE.fullmatch(text)
    low, high = (number_meant(found[1]), number_meant(found[2])) if found else ("", "")
    if not (low and high and Decimal(low) < Decimal(high)):
        return ""
    return f"{{at_least: {low}, at_most: {high}}}"


def _short(written: object) -> str:
    """What is longer is no slip of these; the blanks of word processors are blanks."""
    if not isinstance(written, str) or len(written) > _LONGEST:
        return ""
    return written.translate(dict.fromkeys(map(ord, _GAPS), " ")).strip()
