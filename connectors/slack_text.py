"""Texts as Slack takes them: what is escaped stays whole, wherever a text is cut."""

from __future__ import annotations

import re

LONGEST_TEXT = 40_000
"""After escaping; Slack itself cuts what is longer."""

_ELLIPSIS = "…"
_LONGEST_LINK = 120
_LINK = re.compile(r"<([^<>|]*)\|?([^<>]*)>")
# A word may hold a link, whose label may hold blanks.
_WORD = re.compile(r"\s*(?:<[^<>]*>|\S)+?(?=\s|$)")
_WHOLE = re.compile(r"<[^<>]*>|&(?:amp|lt|gt);|.", re.DOTALL)


def escape_mrkdwn(text: str) -> str:
    """Text that Slack shows as it is: no mention, no link, no channel can come out of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def message_text(text: str) -> str:
    """As long as Slack takes it."""
    return cut(text, LONGEST_TEXT)


def one_line(text: str, longest: int) -> str:
    """The text in a line of at most `longest` characters, cut after a word where there is one."""
    # Three backticks open a block that would swallow the lines after this one.
    line = _LINK.sub(_bearable, " ".join(text.replace("```", " ").split()))
    if len(line) <= longest:
        return line
    kept = ""
    for word in _WORD.findall(line):
        if len(kept) + len(word) >= longest:
            break
        kept += word
    return kept + _ELLIPSIS if kept else cut(line, longest)


def _bearable(link: re.Match[str]) -> str:
    """A link as it is, or its label where it alone would fill the line."""
    return link[0] if len(link[0]) <= _LONGEST_LINK else link[2]


def cut(text: str, longest: int) -> str:
    """At most `longest` characters, of which the last says that there was more."""
    if len(text) <= longest:
        return text
    kept = ""
    for piece in _WHOLE.findall(text):
        if len(kept) + len(piece) >= longest:
            break
        kept += piece
    return kept + _ELLIPSIS
