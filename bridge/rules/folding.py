"""Texts as people see them: what looks the same is the same, and what does not is told apart.

White space of every kind is a blank, several are one, and those at the ends are none. What
nobody sees (zero-width characters, marks of direction, variation selectors) is left out.
Compatible characters are one (NFKC: full-width letters, ligatures), and so are the hyphens
and quotation marks that word processors put for one another.
https://www.unicode.org/reports/tr15/ and https://www.unicode.org/reports/tr44/ (default
ignorable code points).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

LONGEST_SHOWN = 60
_BEFORE_DIFFERENCE = 20

_UNSEEN = (
    *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
)
_ALIKE = {
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212, 0xFE63), "-"),
    **dict.fromkeys((0x2018, 0x2019, 0x201B, 0x02BC, 0x2032), "'"),
    **dict.fromkeys((0x201C, 0x201D, 0x201E, 0x201F), '"'),
    # A braille cell without dots.
    0x2800: " ",
}
_SEEN = {**dict.fromkeys(_UNSEEN), **_ALIKE}
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")


def eye(text: str) -> str:
    """The text as it looks, capitals included."""
    return " ".join(_plain(text).split())


def folded(text: str) -> str:
    """The text as it is compared: as it looks, without regard to capitals."""
    seen = eye(text).casefold()
    return seen if seen.isascii() else unicodedata.normalize("NFKC", seen)


def folded_part(text: str) -> str:
    """What is looked for in a text: a blank at its ends counts, since a word may end there."""
    if not text or text.isspace():
        return " " if text else ""
    before, after = (" " if end.isspace() else "" for end in (text[0], text[-1]))
    return f"{before}{folded(text)}{after}"


def _plain(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_SEEN)).translate(_SEEN)


def shown(text: str) -> str:
    """A text on one line, cut where it is long, with what cannot be seen by its name."""
    return _said(eye(text))


def shown_part(text: str) -> str:
    """The same of what is looked for in a text, with the blanks that count at its ends."""
    before, after = (" " if end.isspace() else "" for end in (text[:1], text[-1:]))
    said = shown(text)
    return said if not text.strip() else f"{said[0]}{before}{said[1:-1]}{after}{said[-1]}"


def apart(one: str, other: str) -> tuple[str, str]:
    """Both as they are shown, so that one sees where they differ."""
    first, second = eye(one), eye(other)
    at = difference(first, second)
    if max(len(first), len(second)) > LONGEST_SHOWN and at > _BEFORE_DIFFERENCE:
        begin = at - _BEFORE_DIFFERENCE
        first, second = (f"…{text[begin:]}" for text in (first, second))
    return _said(first), _said(second)


def lookalike(one: str, other: str) -> str:
    """Which letters differ where that is hard to see: those of two alphabets; else nothing."""
    first, second = eye(one), eye(other)
    at = difference(first, second)
    letters = (first[at : at + 1], second[at : at + 1])
    scripts = [_script(letter) for letter in letters]
    if not all(scripts) or scripts[0] == scripts[1]:
        return ""
    return " where the other has ".join(f"“{each}”, {_name(each)}," for each in letters).rstrip(",")


def difference(one: str, other: str) -> int:
    """Where they differ first; capitals count if nothing else differs."""
    pairs = list(zip(one, other, strict=False))
    for is_same in (_is_same_letter, str.__eq__):
        at = next((at for at, pair in enumerate(pairs) if not is_same(*pair)), None)
        if at is not None:
            return at
    return len(pairs)


def _is_same_letter(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_SHOWN else f"{line[: LONGEST_SHOWN - 1]}…"


def _said(line: str) -> str:
    """In quotes, cut; letters of another alphabet in a word are named, and what is no letter."""
    line = _cut(line)
    if line.isascii() and line.isprintable():
        return f"“{line}”"
    mixed = _mixed(line)
    return f"“{''.join(_odd(line))}”{f' (“{mixed}” is {_name(mixed)})' if mixed else ''}"


def _odd(line: str) -> Iterator[str]:
    for each in line:
        is_seen = each.isprintable() or unicodedata.category(each) == "Zs"
        yield each if is_seen else f"‹{_name(each)}›"


def _mixed(line: str) -> str:
    """The first letter in a word whose other letters are mostly of another alphabet."""
    for word in line.split():
        scripts = [(each, script) for each in word if (script := _script(each))]
        names = [script for _, script in scripts]
        if len(set(names)) > 1:
            most = max(sorted(set(names)), key=names.count)
            return next(each for each, script in scripts if script != most)
    return ""


def _script(letter: str) -> str:
    if letter.isascii():
        return "LATIN" if letter.isalpha() else ""
    first = unicodedata.name(letter, "").partition(" ")[0] if letter.isalpha() else ""
    return first if first in _SCRIPTS else ""


def _name(letter: str) -> str:
    return unicodedata.name(letter, f"U+{ord(letter):04X}")
