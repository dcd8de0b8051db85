"""The country of a telephone number, by the `phonenumbers` library, and how countries are named.

https://pypi.org/project/phonenumbers/
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import phonenumbers

from bridge.wording import nearest, quoted

# A number is 15 digits at most; the rest is punctuation and an extension.
LONGEST = 60
_SHORTEST_NAME = 4
_LONGEST_NAME = 60
_ALIKE = 0.8
_LINK = re.compile(r"\s*[,;/&]\s*|\s+(?:or|and)\s+", re.IGNORECASE)
_DENIED = re.compile(r"(?:not|!=|except) *(.+)", re.IGNORECASE)
_NORTH_AMERICA = 1
_SHARED = (phonenumbers.PhoneNumberType.TOLL_FREE, phonenumbers.PhoneNumberType.PREMIUM_RATE)
_LANGUAGES = ("en", "fr", "de", "es")
_SAID_OTHERWISE = {
    "australia": "AU",
    "britain": "GB",
    "canada": "CA",
    "czechia": "CZ",
    "england": "GB",
    "en": "GB",
    "france": "FR",
    "germany": "DE",
    "great britain": "GB",
    "holland": "NL",
    "india": "IN",
    "ireland": "IE",
    "mexico": "MX",
    "new zealand": "NZ",
    "northern ireland": "GB",
    "scotland": "GB",
    "uk": "GB",
    "united kingdom": "GB",
    "united states": "US",
    "usa": "US",
    "wales": "GB",
}

_TELEPHONE = re.compile(
    r"phone|mobile|cell|msisdn|whatsapp|handy|(^|[._])(tel|sms|fax)", re.IGNORECASE
)

Known = MutableMapping[tuple[Any, str | None], str | None]
"""The countries of numbers that were asked for before."""


@dataclass(frozen=True)
class Country:
    """Numbers of one of these countries. Those without + are taken for numbers of `home`."""

    codes: tuple[str, ...]
    home: str | None = None

    def holds(self, value: Any, known: Known) -> bool:
        """To understand a number takes long, so it is done once: `known` keeps it."""
        return self.of(value, known) in self.codes

    def of(self, value: Any, known: Known) -> str | None:
        """The country of a number; None where nobody can tell."""
        if not isinstance(value, str | int):
            return None
        about = (value, self.home)
        if about not in known:
            known[about] = country_of(value, self.home)
        return known[about]

    def __str__(self) -> str:
        return " or ".join(self.codes)


def country_of(value: Any, home: str | None = None) -> str | None:
    """The two letters of the country that a number is from; None: nobody can tell.

    Numbers with +1 are told apart by their area code. Those of all countries of +1
    together, such as +1 800, are from none. A number without + is one of `home`.
    """
    if isinstance(value, bool):
        return None
    try:
        number = phonenumbers.parse(str(value).strip()[:LONGEST], home)
    except phonenumbers.NumberParseException:
        return None
    if number.country_code == _NORTH_AMERICA and phonenumbers.number_type(number) in _SHARED:
        return None
    found = phonenumbers.region_code_for_number(number)
    return found if found in phonenumbers.SUPPORTED_REGIONS else None


def is_telephone(path: str) -> bool:
    """Whether a field is one of telephone numbers, by its name."""
    return _TELEPHONE.search(path) is not None


def country_named(written: Any) -> str | None:
    """`CA` for CA and for Canada; None: there is no such country."""
    if not isinstance(written, str):
        return None
    told = written.strip()
    if told.upper() in phonenumbers.SUPPORTED_REGIONS:
        return told.upper()
    return _SAID_OTHERWISE.get(told.casefold()) or _names().get(told.casefold())


def complaint_about_country(written: str) -> tuple[str, str]:
    """What to say of what is no country."""
    what = f"there is no country {quoted(written)}"
    several = [country_named(one) for one in _LINK.split(written[:_LONGEST_NAME])]
    if len(several) > 1 and all(several):
        return what, f"write [{', '.join(one for one in several if one)}]"
    denied = _DENIED.fullmatch(written.strip()[:_LONGEST_NAME])
    if denied and (code := country_named(denied[1])):
        return what, f"to leave one out write {{not: {{country: {code}}}}}"
    code = _almost(written)
    return (
        what,
        f"did you mean `{code}`?"
        if code
        else "write the two letters of a country, such as CA, US or GB",
    )


def _almost(written: str) -> str | None:
    """The country whose name it is but for a slip: names that sound alike are many."""
    name = written.strip().casefold()[:_LONGEST_NAME]
    names = {**_names(), **_SAID_OTHERWISE}
    found = difflib.get_close_matches(name, names, n=1, cutoff=_ALIKE)
    return names[found[0]] if found and len(name) >= _SHORTEST_NAME else None


def complaint_about_region(region: str) -> tuple[str, str]:
    """What is wrong with two letters for a country, and what would be right; "" if nothing."""
    if region.strip().upper() in phonenumbers.SUPPORTED_REGIONS:
        return "", ""
    known = _SAID_OTHERWISE.get(region.strip().casefold())
    close = known or nearest(region[:20], phonenumbers.SUPPORTED_REGIONS)
    advice = (
        f"did you mean `{close}`?"
        if close
        else "write the two letters of a country, such as CA, US or GB"
    )
    return "there is no such country", advice


@cache
def _names() -> Mapping[str, str]:
    """Each country's names in some languages."""
    # Its import takes four tenths of a second.
    from phonenumbers.geodata.locale import LOCALE_DATA

    found: dict[str, str] = {}
    for code in sorted(phonenumbers.SUPPORTED_REGIONS):
        names = LOCALE_DATA.get(code, {})
        for language in _LANGUAGES:
            name = names.get(language, "")
            # `*en`: as in English.
            name = names.get(name[1:], "") if name.startswith("*") else name
            found.setdefault(name.casefold(), code)
    found.pop("", None)
    return found
