"""Texts as Slack takes them: what is escaped stays whole, wherever a text is cut.

https://docs.slack.dev/messaging/formatting-message-text: `&`, `<` and `>` are
Slack's only control characters in mrkdwn. `plain_text` knows none
(https://docs.slack.dev/reference/block-kit/composition-objects/text-object).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote

from connectors.slack.limits import LONGEST_TEXT, URL

ELLIPSIS = "…"
_LONGEST_LINK = 120
_LINK = re.compile(r"<([^<>|]*)\|?([^<>]*)>")
# A link or mention, an escaped character, an emoji by its name.
_MARKED = re.compile(r"<[^<>]*>|&(?:amp|lt|gt);|:[\w+'-]{1,60}:")
_JOINER = "\u200d"
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x85\v\f]")
# Controls, and what turns the direction of all that follows: nobody's name needs them.
_UNBEARABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Without a name before the host, which could pass for the host.
_URL = re.compile(r"(https?://[\w.-]+(?::\d{1,5})?)(?=[/?#]|$)(.*)", re.IGNORECASE | re.DOTALL)
_SAFE_IN_URL = "!#$%&'()*+,-./:;=?@[]_~"


def escape_mrkdwn(text: str) -> str:
    """Text that Slack shows as it is: no mention, no link, no channel can come out of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """For where Slack reads no mrkdwn, so that nothing need be escaped."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def bearable(text: str) -> str:
    """Without characters that no message needs and that hide, reverse or break others."""
    lined = _LINE_ENDS.sub("\n", text)
    return _SURROGATE.sub("\ufffd", _UNBEARABLE.sub("", lined))


def message_text(text: str) -> str:
    """As long as Slack takes it."""
    return cut(text, LONGEST_TEXT)


def lines(text: str) -> str:
    """Without blank lines and without blanks at the ends of lines."""
    return "\n".join(filter(None, (line.strip() for line in text.splitlines())))


def one_line(text: str, longest: int) -> str:
    """The text in a line of at most `longest` characters, cut after a word where there is one."""
    # Three backticks open a block that would swallow the lines after this one.
    line = _LINK.sub(_bearable_link, " ".join(text.replace("```", " ").split()))
    return cut(line, longest)


def _bearable_link(link: re.Match[str]) -> str:
    """A link as it is, or its label where it alone would fill the line."""
    return link[0] if len(link[0]) <= _LONGEST_LINK else link[2]


def plain_line(text: str, longest: int) -> str:
    """A line for `plain_text`, from a text with escaped values."""
    return cut(" ".join(unescaped(text).split()), longest, marked=False)


def url(text: str) -> str:
    """A web address from a text with escaped values; empty where it is none that Slack takes."""
    found = _URL.fullmatch(unescaped(bearable(text)).strip())
    address = found[1] + quote(found[2], safe=_SAFE_IN_URL) if found else ""
    return address if length(address) <= URL else ""


def length(text: str) -> int:
    """In UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, longest: int, *, marked: bool = True) -> str:
    """At most `longest` characters, of which the last says that there was more.

    Cut after a word, if that leaves at least half, and never within what belongs
    together: an emoji, a letter with its accents and, where it is `marked`, an
    escaped character or a link.
    """
    if length(text) <= longest:
        return text
    kept: list[str] = []
    room = longest - len(ELLIPSIS)
    word_end, size_at_word_end = 0, 0
    size = 0
    for piece in _pieces(text, marked):
        if piece.isspace() and kept and not kept[-1].isspace():
            word_end, size_at_word_end = len(kept), size
        size += length(piece)
        if size > room:
            break
        kept.append(piece)
    if size_at_word_end * 2 >= room:
        kept = kept[:word_end]
    return "".join(kept).rstrip() + ELLIPSIS if room >= 0 else ""


def _pieces(text: str, marked: bool) -> Iterator[str]:
    """What must not be cut apart, one by one."""
    at = 0
    while at < len(text):
        found = _MARKED.match(text, at) if marked and text[at] in "<&:" else None
        end = found.end() if found else _cluster_end(text, at)
        yield text[at:end]
        at = end


def _cluster_end(text: str, at: int) -> int:
    """Where the character that begins here ends, as a reader sees it.

    Close to https://www.unicode.org/reports/tr29/: accents, joined emoji, skin tones, flags.
    """
    end = at + 1
    if _is_flag_half(text[at]) and end < len(text) and _is_flag_half(text[end]):
        end += 1
    while end < len(text) and (_clings(text[end]) or text[end - 1] == _JOINER):
        end += 1
    return end


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _clings(character: str) -> bool:
    """Whether it belongs to the character before it."""
    if character < "\u0300":
        return False
    return (
        character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or unicodedata.category(character).startswith("M")
    )
