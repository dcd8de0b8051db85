"""Regular expressions of the schema, in the dialect that Python and ECMAScript share."""

from __future__ import annotations

from bridge.rules.relative import UNITS


def any_case(word: str) -> str:
    """JSON Schema has no flag for it."""
    return "".join(f"[{one.lower()}{one.upper()}]" if one.isalpha() else one for one in word)


def one_of(*words: str) -> str:
    return f"({'|'.join(map(any_case, words))})"


def whole(pattern: str) -> str:
    """Blanks around it do not matter."""
    return rf"^\s*{pattern}\s*$"


_LENGTH = rf"[0-9]{{1,6}}(\.[0-9]{{1,3}})?\s*{one_of(*UNITS)}[sS]?"
_FIELD = r"[A-Za-z_][A-Za-z0-9_.]*"
_FROM = rf"{_LENGTH}\s+{one_of('before', 'after')}\s+{_FIELD}"
_AHEAD = rf"{any_case('in')}\s+{_LENGTH}"

TEMPLATE = r"\{\{|\{%|\{#"
GLOB = r"[*?]"
NUMBER = whole(r"[-+]?[0-9]{1,40}(\.[0-9]{0,40})?")
PERCENT = whole(r"(?!0+(\.0+)?\s*%?\s*$)(100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,4})?)\s*%?")
TRUTH = whole(one_of("true", "yes", "false", "no"))
DAY = whole("[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = r"^\s*[0-9]{4}(-|[0-9]{4})"
RELATIVE = whole(rf"({any_case('now')}|{_AHEAD}|{_LENGTH}\s+{any_case('ago')}|{_FROM})")
LENGTH = whole(_LENGTH)
NEAR = whole(rf"{_LENGTH}(\s+{one_of('of', 'before', 'after')}\s+{_FIELD})?")
DELAY = whole(rf"({_LENGTH}|{_AHEAD}|{_FROM})")
CLOCK = whole("([01]?[0-9]|2[0-3])[:.h][0-5][0-9]")
CLOCK_IN_ZONE = whole(r"([01]?[0-9]|2[0-3])[:.h][0-5][0-9](\s+.+)?")
EVENT_ID = r"^[0-9]{1,18}(-[1-9][0-9]{0,5})?$"
