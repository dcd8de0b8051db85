"""How things look at a terminal: colours by state, times, and values that cannot do harm.

Whatever came from outside (a name, a reason, a header) goes through `clean`
before it is shown. Markup is off, so that square brackets are just brackets.
"""

from __future__ import annotations

import re
import sys
import textwrap
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TextIO, cast

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

LONGEST = 500
_TRAILING = re.compile(r" +\n")

_STYLES: Mapping[str, str] = {
    "delivered": "green",
    "routed": "green",
    "live": "green",
    "ready": "green",
    "previewed": "cyan",
    "preview": "cyan",
    "scheduled": "cyan",
    "waiting": "yellow",
    "sending": "yellow",
    "started": "yellow",
    "retry": "yellow",
    "unknown": "yellow",
    "resting": "yellow",
    "suppressed": "yellow",
    "unrouted": "yellow",
    "halted": "red",
    "quarantined": "red",
    "rejected": "red",
    "dead": "red",
}
# Control characters, bidirectional overrides, what is invisible or unassigned.
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SHOWN_AS = "\N{REPLACEMENT CHARACTER}"


def screen() -> Console:
    """Standard output: colours where it is a terminal and NO_COLOR is not set, else none."""
    out = sys.stdout
    file = None if out.isatty() else cast(TextIO, _Unpadded(out))
    return Console(file=file, highlight=False, markup=False, emoji=False)


class _Unpadded:
    """Lines without the blanks with which columns are filled up: files and `diff` keep them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(_TRAILING.sub("\n", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def clean(value: object, longest: int = LONGEST) -> str:
    """One line that moves no cursor and turns no text around, whatever was sent."""
    text = str(value)
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(_shown(character) for character in cut)


def clean_lines(text: str) -> str:
    """Of a text whose line breaks are meant."""
    return "\n".join(clean(line, 10_000) for line in text.split("\n"))


def whole_words(text: str, columns: int) -> str:
    """In lines, with no path cut in two, however long: it could be neither read nor clicked."""
    return textwrap.fill(text, columns, break_long_words=False, break_on_hyphens=False)


def _shown(character: str) -> str:
    if character in "\n\r\t":
        return " "
    return _SHOWN_AS if unicodedata.category(character) in _UNSHOWN else character


def style_of(state: str) -> str:
    """The colour of a state of webhooks, deliveries, attempts or accounts; "" where it has none."""
    return _STYLES.get(state, "")


def stated(state: str, text: str | None = None) -> Text:
    """`text`, or the state itself, in the state's colour."""
    return Text(clean(text or state), style=style_of(state))


def indented(content: RenderableType, columns: int) -> Padding:
    """Moved to the right, lines that go on included."""
    return Padding(content, (0, 0, 0, columns), expand=False)


def clock_time(at: float, now: float) -> str:
    """Local: `14:03:59` today, `20 Nov 14:03` on another day, with the year in another year."""
    moment, today = _local(at), _local(now)
    if moment.date() == today.date():
        return f"{moment:%H:%M:%S}"
    return f"{moment:%d %b %H:%M}" if moment.year == today.year else f"{moment:%d %b %Y}"


def full_time(at: float) -> str:
    """Local, with its zone: `2027-03-09 14:03:59 MST`."""
    return f"{_local(at):%Y-%m-%d %H:%M:%S %Z}".strip()


def duration(seconds: float) -> str:
    """In the unit that a person would choose: `12 ms`, `3.4 s`, `5 min`, `2 h`, `3 days`."""
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    for unit, size, limit in (("min", 60, 5400), ("h", 3600, 172_800)):
        if round(seconds) < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def counted(count: int, noun: str) -> str:
    """`1 event`, `3 events`, `2 deliveries`."""
    if count == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {plural}"


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at).astimezone()
