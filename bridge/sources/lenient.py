"""Reads values whose types vary between a sender's versions; what cannot be read is None.

Nothing here raises, whatever JSON value it is given, and nothing guesses: an
amount that is no number is no amount.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bridge.sources.bounded import MAX_TEXT

UNKNOWN_TYPE = "unknown"
"""Stands for the event type of a webhook that names none."""

MAX_ADDRESS = 254
"""Characters of an e-mail address: more cannot be delivered (RFC 5321, section 4.5.3.1)."""

_MAX_KEY = 128
_MAX_TYPE = 200
# Normalising takes longer than the text is long.
_MAX_TYPE_SENT = 2_000
_MAX_MOMENT = 40
# No amount of money has more than fifteen digits before the point.
_AMOUNT = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,12})?", re.ASCII)
_LARGEST_AMOUNT = Decimal(10) ** 15
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)


def text(value: Any) -> str | None:
    """A trimmed text, or an integer as one; a blank text is None."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def name(value: Any) -> str | None:
    """A text that is nothing if it is not whole: an id, a number, a telephone.

    `bridge.sources.bounded` shortens what is longer than this takes.
    """
    return None if isinstance(value, str) and len(value) > MAX_TEXT else text(value)


def address(value: Any) -> str | None:
    """An e-mail address, unchecked but for its length; one that is too long is none."""
    found = name(value)
    return found if found and len(found) <= MAX_ADDRESS else None


def lowered(value: Any) -> str | None:
    """For enumerations, whose case differs between versions."""
    found = name(value)
    return found.lower() if found else None


def flag(value: Any) -> bool | None:
    """Only a JSON true or false."""
    return value if isinstance(value, bool) else None


def count(value: Any) -> int | None:
    """A whole number from 0 to 999,999,999, also as a text."""
    digits = name(value) or ""
    return int(digits) if _COUNT.fullmatch(digits) else None


def money(value: Any) -> Decimal | None:
    """An amount from a text, an integer or a float, with the digits that were sent."""
    if isinstance(value, float):
        amount = Decimal(str(value))
        return amount if abs(amount) < _LARGEST_AMOUNT else None
    digits = name(value) or ""
    return Decimal(digits) if _AMOUNT.fullmatch(digits) else None


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time in UTC; without an offset it is taken as UTC."""
    written = (name(value) or "") if isinstance(value, str) else ""
    if len(written) > _MAX_MOMENT:
        return None
    try:
        found = datetime.fromisoformat(written)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a JSON list; anything else is left out."""
    members = value if isinstance(value, list) else []
    return [member for member in members if isinstance(member, dict)]


def event_type(value: Any) -> str:
    """A name in one spelling, which guards and rules alike take for the same or for another.

    In compatibility form, without regard to case, trimmed, of at most 200 characters. What
    is not plain after that is a type that nobody knows.
    """
    if not isinstance(value, str):
        return UNKNOWN_TYPE
    # PostgreSQL's texts hold no U+0000, nor may one part what is one name without it.
    name = value.replace("\0", "")[:_MAX_TYPE_SENT]
    # Each form can make what the other one changes. Rules fold the case last, so it ends so.
    return _plainly(_plainly(name)).strip()[:_MAX_TYPE].strip() or UNKNOWN_TYPE


def _plainly(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def key(value: Any) -> str | None:
    """A text that can be an idempotency key: 1 to 128 printable ASCII characters."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_KEY:
        return None
    return value if value.isascii() and value.isprintable() else None
