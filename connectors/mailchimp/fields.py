"""An audience's merge fields, and values in the shape that each type of field takes. Pure.

https://mailchimp.com/developer/marketing/docs/merge-fields/. The `size` that a text
field has there is the width of its box in sign-up forms, no limit: every audience
begins with 25 for the first name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from bridge.connector import Rejected
from connectors.mailchimp.answers import is_plain

LONGEST_TEXT = 255
ADDRESS_PARTS = ("addr1", "addr2", "city", "state", "zip", "country")
NEEDED_PARTS = ("addr1", "city", "state", "zip")
_MOST_CHOICES = 8

Value = str | Mapping[str, str]


@dataclass(frozen=True)
class MergeField:
    """`tag` is what the API calls it, `name` what marketers read; `kind` is its type."""

    tag: str
    name: str
    kind: str
    choices: Sequence[str] = ()
    day_first: bool = False
    us_phone: bool = False


def merge_field(told: Mapping[str, Any]) -> MergeField:
    """From Mailchimp's answer, of which any part may be missing."""
    options = told.get("options")
    options = options if isinstance(options, Mapping) else {}
    choices = options.get("choices")
    return MergeField(
        tag=str(told.get("tag") or ""),
        name=str(told.get("name") or ""),
        kind=str(told.get("type") or "text"),
        choices=[str(one) for one in choices] if isinstance(choices, list) else (),
        day_first=str(options.get("date_format")).upper().startswith("DD"),
        us_phone=str(options.get("phone_format")).upper() == "US",
    )


def fitting(field: MergeField, value: Value) -> Any:
    """The value as the field takes it, or `Rejected` with what would be right."""
    if field.kind == "address":
        return _address(field, value)
    if not isinstance(value, str):
        return Rejected(
            f"the merge field `{field.tag}` takes one text, not the parts of an address"
        )
    return _FITTINGS.get(field.kind, _text)(field, value)


def _text(field: MergeField, value: str) -> str:
    return value[:LONGEST_TEXT].strip()


def _number(field: MergeField, value: str) -> Any:
    text = value.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", value) else value
    try:
        number = Decimal(text) if re.fullmatch(r"[-+]?[\d.]{1,30}", text) else None
    except InvalidOperation:
        number = None
    if number is None:
        return Rejected(f"the merge field `{field.tag}` takes a number")
    return int(number) if number == number.to_integral_value() else float(number)


def _date(field: MergeField, value: str) -> Any:
    found = _day(field, value)
    return found.isoformat() if found else _no_date(field)


def _day(field: MergeField, value: str) -> date | None:
    """From `2026-05-31`, with a time or without, or in the field's own order."""
    year_first = re.match(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", value)
    year_last = re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", value)
    if year_first:
        year, month, day = year_first.groups()
    elif year_last:
        first, second, year = year_last.groups()
        day, month = (first, second) if field.day_first else (second, first)
    else:
        return None
    return _valid(int(year), int(month), int(day))


def _birthday(field: MergeField, value: str) -> Any:
    short = re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})", value)
    if short:
        first, second = int(short[1]), int(short[2])
        day, month = (first, second) if field.day_first else (second, first)
        found = _valid(2000, month, day)  # a leap year
    else:
        found = _day(field, value)
    return f"{found:%m/%d}" if found else _no_date(field)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _no_date(field: MergeField) -> Rejected:
    order = "DD/MM" if field.day_first else "MM/DD"
    return Rejected(
        f"the merge field `{field.tag}` takes a date, such as 2026-05-31, or {order}/YYYY"
    )


def _phone(field: MergeField, value: str) -> Any:
    if not field.us_phone:
        return _text(field, value)
    digits = re.sub(r"\D", "", value)
    digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    if len(digits) != 10 or re.match(r"\+\s*[02-9]", value):
        return Rejected(
            f"the merge field `{field.tag}` takes US phone numbers only; "
            "choose the international format for it in Mailchimp"
        )
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"


def _zip(field: MergeField, value: str) -> Any:
    found = re.fullmatch(r"(\d{5})(?:-?\d{4})?", value)
    if not found:
        return Rejected(
            f"the merge field `{field.tag}` takes US ZIP codes only; use a text field for others"
        )
    return found[1]


def _url(field: MergeField, value: str) -> Any:
    text = value if "://" in value else f"https://{value}"
    if not re.fullmatch(r"https?://[^\s/.]+\.[^\s]+", text, re.I) or len(text) > LONGEST_TEXT:
        return Rejected(f"the merge field `{field.tag}` takes the address of a web page")
    return text


def _choice(field: MergeField, value: str) -> Any:
    """The choice in Mailchimp's own spelling."""
    for choice in field.choices:
        if choice.strip().casefold() == value.casefold():
            return choice
    known = ", ".join(each for each in field.choices[:_MOST_CHOICES] if is_plain(each))
    return Rejected(f"the merge field `{field.tag}` has no such choice; it has: {known or 'none'}")


_FITTINGS: Mapping[str, Callable[[MergeField, str], Any]] = {
    "number": _number,
    "date": _date,
    "birthday": _birthday,
    "phone": _phone,
    "zip": _zip,
    "url": _url,
    "imageurl": _url,
    "dropdown": _choice,
    "radio": _choice,
}


def _address(field: MergeField, value: Value) -> Any:
    if not isinstance(value, Mapping) or not set(value) <= set(ADDRESS_PARTS):
        return Rejected(
            f"the merge field `{field.tag}` takes the parts of an address: "
            "`addr1`, `addr2`, `city`, `state`, `zip` and `country`"
        )
    lacking = ", ".join(part for part in NEEDED_PARTS if part not in value)
    if lacking:
        return Rejected(
            f"the merge field `{field.tag}` takes a whole address; here is no {lacking}"
        )
    return {part: value[part][:LONGEST_TEXT].strip() for part in ADDRESS_PARTS if part in value}
