"""Values as HubSpot's properties take them. Pure.

What each type takes: https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide.
A value with blanks around it is refused, except for text:
https://developers.hubspot.com/changelog/breaking-change-enhanced-validations-for-non-string-properties-in-hubspots-crmobject-apis.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from bridge.connector import Rejected
from connectors.hubspot.definitions import Option, Property

LONGEST = 65_536
"""Characters of a text."""

_YES = frozenset({"true", "yes", "y", "on", "1"})
_NO = frozenset({"false", "no", "n", "off", "0"})
_MOST_LISTED = 10

# Where a comma or a point can only be the one or the other.
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?")
_ENGLISH = re.compile(r"[+-]?\d{1,3}((,\d{3})+\.\d+|(,\d{3}){2,})")
_SPACED = re.compile(r"[+-]?\d{1,3}([ '\u2019\u00a0\u202f]\d{3})+(\.\d+)?")
_GERMAN = re.compile(r"[+-]?\d{1,3}((\.\d{3})+,\d+|(\.\d{3}){2,})")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})")

# Seconds would have ten digits: taken for what they are not, they would say 1970.
_MILLISECONDS = re.compile(r"\d{12,14}")


def fitting(about: Property, text: str) -> str | Rejected:
    """The text as this property takes it, or what is wrong with it."""
    if about.read_only:
        return Rejected(
            f"HubSpot sets the property `{about.name}` by itself; take it out of the rule"
        )
    given = text.strip()
    match about.type:
        case "number":
            return _number(about, given)
        case "bool":
            return _yes_or_no(about, given)
        case "date":
            return _date(about, given)
        case "datetime":
            return _datetime(about, given)
        case "enumeration" if about.options:
            return _options(about, given)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def number(text: str) -> Decimal | None:
    """A number in figures, also with separators where they can mean one thing only.

    `1,234` may be a thousand or one and a bit: it is none.
    """
    given = text.strip()
    if _PLAIN.fullmatch(given):
        return Decimal(given)
    if _ENGLISH.fullmatch(given):
        return Decimal(given.replace(",", ""))
    if _GERMAN.fullmatch(given):
        return Decimal(given.replace(".", "").replace(",", "."))
    if _SPACED.fullmatch(given):
        return Decimal(re.sub(r"[ '\u2019\u00a0\u202f]", "", given))
    if _DECIMAL_COMMA.fullmatch(given):
        return Decimal(given.replace(",", "."))
    return None


def figures(value: Decimal) -> str:
    """As HubSpot keeps numbers: no exponent, no trailing zeros."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _number(about: Property, given: str) -> str | Rejected:
    found = number(given)
    if found is None:
        return Rejected(f"HubSpot's property `{about.name}` takes a number, such as 1234.50")
    return figures(found)


def _yes_or_no(about: Property, given: str) -> str | Rejected:
    if given.casefold() in _YES:
        return "true"
    if given.casefold() in _NO:
        return "false"
    return Rejected(f"HubSpot's property `{about.name}` takes yes or no, true or false")


def _date(about: Property, given: str) -> str | Rejected:
    """The day as it is written, wherever that was: HubSpot keeps it as midnight UTC."""
    moment = _moment(given)
    if moment is None:
        return Rejected(f"HubSpot's property `{about.name}` takes a date, such as 2026-03-31")
    return moment.date().isoformat()


def _datetime(about: Property, given: str) -> str | Rejected:
    """In UTC; what names no zone is UTC already."""
    moment = _moment(given)
    if moment is None:
        return Rejected(
            f"HubSpot's property `{about.name}` takes a date and time, "
            "such as 2026-03-31T20:00:00+02:00"
        )
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return Rejected(f"HubSpot's property `{about.name}` takes no date so far away")


def _moment(given: str) -> datetime | None:
    """ISO 8601, or milliseconds since 1970 in UTC."""
    try:
        if _MILLISECONDS.fullmatch(given):
            return datetime.fromtimestamp(int(given) / 1000, UTC)
        if re.fullmatch(r"[0-9-]{8,10}", given):
            return datetime.combine(date.fromisoformat(given), datetime.min.time())
        return datetime.fromisoformat(given) if re.match(r"\d{4}-?\d\d", given) else None
    except (ValueError, OverflowError, OSError):
        return None


def _options(about: Property, given: str) -> str | Rejected:
    if about.takes_many:
        parts = [part for part in map(str.strip, given.split(";")) if part]
    else:
        parts = [given]
    found = []
    for part in parts:
        option = _option(about, part)
        if option is None:
            return Rejected(
                f"HubSpot's property `{about.name}` has no option {_shown(part)}; "
                f"it has {_listed(about)}"
            )
        found.append(option.value)
    return ";".join(dict.fromkeys(found))


def _option(about: Property, given: str) -> Option | None:
    """By its value, else by value or label in any case, else as a yes or no."""
    exact = [each for each in about.options if each.value == given]
    folded = given.casefold()
    alike = [
        each
        for each in about.options
        if folded in (each.value.casefold(), each.label.strip().casefold())
    ]
    values = {each.value for each in about.options}
    if not exact and not alike and values == {"true", "false"}:
        said = "true" if folded in _YES else "false" if folded in _NO else ""
        alike = [each for each in about.options if each.value == said]
    return next(iter(exact or alike), None)


def _shown(given: str) -> str:
    """What the rule or the event says, unless it could be about a person."""
    is_a_word = len(given) <= 40 and re.fullmatch(r"[^\W\d_][\w .,&'()/+-]*", given)
    return f"“{given}”" if is_a_word else "like the one given"


def _listed(about: Property) -> str:
    labels = [each.label or each.value for each in about.options]
    more = len(labels) - _MOST_LISTED
    return ", ".join(labels[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
