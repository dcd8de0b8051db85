"""Telephone numbers as machines want them: E.164, by the `phonenumbers` library.

https://pypi.org/project/phonenumbers/
"""

from __future__ import annotations

from typing import Any

import phonenumbers

from bridge.rules.work import NOTHING, spend
from bridge.wording import nearest

# A number is 15 digits at most; the rest is punctuation and an extension.
_LONGEST = 60
# Understanding a number takes as long as so many usual steps.
_COST = 150
_SAID_OTHERWISE = {
    "australia": "AU",
    "britain": "GB",
    "canada": "CA",
    "england": "GB",
    "en": "GB",
    "france": "FR",
    "germany": "DE",
    "great britain": "GB",
    "india": "IN",
    "ireland": "IE",
    "mexico": "MX",
    "new zealand": "NZ",
    "scotland": "GB",
    "uk": "GB",
    "united kingdom": "GB",
    "united states": "US",
    "usa": "US",
    "wales": "GB",
}


def phone(value: Any, region: Any = None) -> Any:
    """A number of the region `CA` as +14032661234; what is no valid number is nothing.

    Without a region only numbers that begin with + are known: `266-1234` is
    somebody else in each country. An extension is left out, E.164 has none.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return NOTHING
    spend(_COST)
    try:
        number = phonenumbers.parse(str(value).strip()[:_LONGEST], _region(region))
    except phonenumbers.NumberParseException:
        return NOTHING
    if not phonenumbers.is_valid_number(number):
        return NOTHING
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def complaint_about_region(region: str) -> tuple[str, str]:
    """What is wrong with a region, and what would be right; two empty texts if nothing."""
    if region.strip().upper() in phonenumbers.SUPPORTED_REGIONS:
        return "", ""
    known = _SAID_OTHERWISE.get(region.strip().casefold())
    close = known or nearest(region[:20], phonenumbers.SUPPORTED_REGIONS)
    advice = f"did you mean `{close}`?" if close else "write two letters, such as CA, US or GB"
    return "there is no such country", advice


def _region(region: Any) -> str | None:
    return region.strip().upper() if isinstance(region, str) else None
