"""Names of people, fit to be said to them."""

from __future__ import annotations

import re
from typing import Any

from bridge.rules.work import NOTHING

_NOBODY = ("no name",)
_LETTERS = re.compile(r"[^\W\d_]+")
_NUMERALS = ("ii", "iii", "iv")
# What is longer is nobody's name, and stays as it is.
_LONGEST = 200


def tidy_name(value: Any, instead: Any = NOTHING) -> Any:
    """The filter `name`: tidied, or something else for nobody.

    Blanks at the ends and double ones go. "No Name" (that is what Showpass
    writes for who gave none), and what has no letter in it, is nobody: `instead`,
    else nothing, so that `or` works. Capitals stay as their owner wrote them
    (McDonald, van Gogh, DiCaprio), unless all are capitals or none is: PRIYA
    RAMAN and priya raman are Priya Raman. So MCDONALD becomes McDonald; which
    of MACDONALD and MACHADO has a second capital, nobody can tell: none has.
    Two capitals alone are initials, and stay: JD.
    """
    tidy = " ".join(value.split()) if isinstance(value, str) else ""
    if tidy.casefold() in _NOBODY or not any(map(str.isalpha, tidy)):
        return instead
    is_initials = tidy.isupper() and len(tidy) <= 2
    if len(tidy) <= _LONGEST and (tidy.isupper() or tidy.islower()) and not is_initials:
        return _LETTERS.sub(lambda found: _capitalised(found, tidy), tidy)
    return tidy


def _capitalised(found: re.Match[str], whole: str) -> str:
    part = found[0].lower()
    if part in _NUMERALS:
        return part.upper()
    if len(part) == 1 and found.start() and whole[found.start() - 1] in "'’":
        return part
    if part.startswith("mc") and len(part) > 3:
        return f"Mc{part[2:].capitalize()}"
    return part.capitalize()
