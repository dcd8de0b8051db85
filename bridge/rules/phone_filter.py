"""Telephone numbers as machines want them: E.164, by the `phonenumbers` library.

https://pypi.org/project/phonenumbers/
"""

from __future__ import annotations

from typing import Any

import phonenumbers

from bridge.rules.countries import LONGEST
from bridge.rules.work import NOTHING, spend

# Understanding a number takes as long as so many usual steps.
_COST = 150


def phone(value: Any, region: Any = None) -> Any:
    """A number of the region `CA` as +14032661234; what is no valid number is nothing.

    Without a region only numbers that begin with + are known: `266-1234` is
    somebody else in each country. An extension is left out, E.164 has none.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return NOTHING
    spend(_COST)
    try:
        number = phonenumbers.parse(str(value).strip()[:LONGEST], _region(region))
    except phonenumbers.NumberParseException:
        return NOTHING
    if not phonenumbers.is_valid_number(number):
        return NOTHING
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _region(region: Any) -> str | None:
    return region.strip().upper() if isinstance(region, str) else None
