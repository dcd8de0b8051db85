"""YAML as people mean it, with the place of every key and value.

Read from the parser's events, so that nothing is ever constructed but texts,
numbers, true and false, lists and mappings with text keys. What differs from
YAML 1.1, on purpose: `yes`, `no`, `on`, `off`, `12:30`, `007`, `+14032661234` and
dates are the texts that they look like; only `true` and `false` are truth values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from bridge.errors import ConfigurationError, Mistake
from bridge.yaml_document import Document, Path, Place
from bridge.yaml_slips import Slip, syntax_slip, unquoted_template
from bridge.yaml_traps import (
    Plain,
    exclamation,
    is_harmless,
    lone,
    slips_of_key,
    slips_of_value,
)

__all__ = ["Document", "Path", "read"]

MAX_CHARACTERS = 1_000_000
MAX_VALUES = 30_000
MAX_DEPTH = 40
MOST_TOLD = 100
"""So many mistakes of one file are told, and so many warnings."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What has seven digits after a + is a telephone number, and no number to calculate with.
_INTEGER = re.compile(r"(?!\+[0-9]{7})[-+]?(0|[1-9][0-9]{0,17})", re.ASCII)
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}", re.ASCII)
_CONSTANTS: Mapping[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_TWICE = "keep one of the two; a new entry of a list begins with `- `"
_GROUP_TWICE = "move what stands below it to the end of the first, and remove this line"
_FIELD_TWICE = "for either of two values write one line, with both in [ ]; else keep one of the two"
_TAG = "nothing can begin with ! without quotes"
_STRING_TAGS = ("!", "tag:yaml.org,2002:str")
_LONGEST_REST = 1_000
# What YAML allows in a file; lone surrogates are outside.
_UNREADABLE = re.compile(
    "[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|(?<!^)\ufeff"
)


def read(text: str, file: str, *, echo: bool = True) -> Document:
    """The only document in `text`; raises ConfigurationError with all that is wrong with it.

    `file` is the name that mistakes carry. Without `echo` they repeat no text
    of the file: somebody may have written a secret into it.
    """
    document, mistakes = understood(text, file, echo=echo)
    if mistakes or document is None:
        raise ConfigurationError(mistakes)
    return document


def understood(text: str, file: str, *, echo: bool = True) -> tuple[Document | None, list[Mistake]]:
    """As `read`; beside what is wrong, what can be understood all the same, if anything can.

    Where a slip left no value there is None, which is no second mistake.
    """
    if len(text) > MAX_CHARACTERS:
        return None, [Mistake(file, 1, 1, "the file is far too long")]
    unreadable = _UNREADABLE.search(text)
    if unreadable:
        return None, [_unreadable(file, text, unreadable)]
    reader = _Reader(text)
    value, is_whole = None, True
    try:
        value = reader.value()
    except yaml.YAMLError as error:
        # A missing blank or a bullet makes nonsense of what follows: it is told alone.
        if all(one.only_warns or one.of_value for one in reader.slips):
            reader.slips.append(syntax_slip(error, reader.lines))
        is_whole = False
    except _Unreadable:
        is_whole = False
    slips = [one for one in reader.slips if not one.only_warns]
    told = [one.told(file, echo=echo) for one in slips[:MOST_TOLD]]
    if not (is_whole and all(one.of_value for one in slips)):
        return None, told
    warned = [one for one in reader.slips if one.only_warns][:MOST_TOLD]
    warnings = tuple(one.told(file, echo=echo) for one in warned)
    document = Document(file, value, reader.values, reader.keys, reader.written, warnings)
    return document, told


class _Unreadable(Exception):
    """The rest of the file makes no sense any more."""


def _unreadable(file: str, text: str, found: re.Match[str]) -> Mistake:
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    code = f"U+{ord(found[0]):04X}"
    return Mistake(file, line, column, f"an invisible character ({code})", "delete it")


class _Reader:
    """Builds the value while the events go by; collects slips where it can go on."""

    def __init__(self, text: str) -> None:
        self.lines = text.removeprefix("\ufeff").splitlines()
        self.slips: list[Slip] = []
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.written: dict[Path, str] = {}
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchored: dict[str, tuple[Any, int]] = {}
        self._count = 0

    def value(self) -> Any:
        value = None
        next(self._events)  # the stream's start
        first = next(self._events)
        if isinstance(first, yaml.DocumentStartEvent):
            value = self._value(next(self._events), (), 1)
            next(self._events)  # the document's end
            second = next(self._events)
            if isinstance(second, yaml.DocumentStartEvent):
                self._complain(second, "a second document begins here", "remove the line `---`")
        return value

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        self.values[path] = _place(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._count
        self._spend(event, 1, depth)
        value = self._built(event, path, depth)
        if event.anchor:
            self._anchored[event.anchor] = (value, self._count - before)
        return value

    def _built(self, event: Any, path: Path, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if event.tag:
            self._complain(event, _TAG, "remove it, or put quotes around it")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path, depth)
        return self._mapping(event, path, depth)

    def _list(self, path: Path, depth: int) -> list[Any]:
        members: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            members.append(self._value(event, (*path, len(members)), depth + 1))
        return members

    def _mapping(self, start: Any, path: Path, depth: int) -> Any:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._odd_key(start, event, path, depth)
                continue
            key = event.value
            below = (*path, key)
            twice = self.keys.get(below) if key in mapping else None
            self._check_key(event, twice, begins=not (mapping or start.flow_style))
            self.keys[below] = _place(event)
            value = next(self._events)
            if start.flow_style and self._is_lone(event, value):
                self._spend(event, 1, depth)
                spot = _spot(event)
                before = self._line(spot[0])[: spot[1]][-_LONGEST_REST:]
                slip = exclamation(*spot, self._line(spot[0])) if event.tag else None
                self._slip(slip or lone(key, *spot, before))
            else:
                mapping[key] = self._value(value, below, depth + 1)
        return mapping

    def _check_key(self, event: Any, first: Place | None, *, begins: bool) -> None:
        """`begins`: it is the first one, and stands at the beginning of a line."""
        if first:
            what = f"stands here twice, first in line {first.line}"
            advice = _advice_for_twice(event.value)
            self._slip(Slip(*_spot(event), what, advice, name=event.value, of_value=True))
        if event.implicit[0] and not is_harmless(event.value):
            for slip in slips_of_key(event.value, *_spot(event), begins=begins):
                self._slip(slip)

    def _is_lone(self, key: Any, value: Any) -> bool:
        """Whether no colon stands behind this key."""
        if not isinstance(value, yaml.ScalarEvent) or value.value or not value.implicit[0]:
            return False
        return ":" not in "".join(self._from_to(key.end_mark, value.start_mark))

    def _odd_key(self, start: Any, key: Any, path: Path, depth: int) -> None:
        """Such as `{{ contact.email }}` without quotes, a mapping in a mapping to YAML."""
        before = len(self.slips)
        self._value(key, (*path, "?"), depth + 1)
        self._value(next(self._events), (*path, "?"), depth + 1)
        slip = unquoted_template(self.lines, start.start_mark.line, start.start_mark.column)
        if slip:
            self.slips[before:] = [slip]
        else:
            self._complain(key, "a name before a colon must be plain text", "put quotes around it")

    def _scalar(self, event: Any, path: Path) -> Any:
        if event.tag not in (None, *_STRING_TAGS):
            self._slip(exclamation(*_spot(event), self._line(event.start_mark.line)))
        if not event.implicit[0]:
            return event.value
        if not (is_harmless(event.value) and self._ends_its_line(event)):
            for slip in slips_of_value(self._plain(event)):
                self._slip(slip)
        value = _resolved(event.value)
        if isinstance(value, bool | int | float):
            self.written[path] = event.value
        return value

    def _ends_its_line(self, event: Any) -> bool:
        end = event.end_mark
        rest = self._line(end.line)[end.column : end.column + _LONGEST_REST]
        return event.start_mark.line == end.line and "#" not in rest

    def _plain(self, event: Any) -> Plain:
        start, end = event.start_mark, event.end_mark
        lines = self._from_to(start, end)
        after = self._line(end.line)[end.column : end.column + _LONGEST_REST]
        before = self._line(start.line)[: min(start.column, _LONGEST_REST)]
        alone = start.column <= _LONGEST_REST and not before.strip()
        return Plain(event.value, start.line, start.column, lines, after, alone)

    def _from_to(self, start: Any, end: Any) -> list[str]:
        """The text between two marks, in lines; lines may be very long, and many scalars in one."""
        if start.line == end.line:
            return [self._line(start.line)[start.column : end.column]]
        first, *between = self.lines[start.line : end.line]
        return [first[start.column :], *between, self._line(end.line)[: end.column]]

    def _line(self, number: int) -> str:
        return self.lines[number] if number < len(self.lines) else ""

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchored:
            self._complain(
                event,
                "this * refers to nothing",
                "a text that begins with * needs quotes",
            )
            return None
        value, size = self._anchored[event.anchor]
        self._spend(event, size, 1)
        return value

    def _spend(self, event: Any, size: int, depth: int) -> None:
        self._count += size
        if self._count > MAX_VALUES:
            advice = "leave something out, or write it into several files"
            self._complain(event, "the file holds far too much", advice)
            raise _Unreadable
        if depth > MAX_DEPTH:
            self._complain(event, "nested far too deeply", "close the brackets before this one")
            raise _Unreadable

    def _complain(self, event: Any, what: str, advice: str) -> None:
        self._slip(Slip(*_spot(event), what, advice))

    def _slip(self, slip: Slip) -> None:
        """Stops where there are so many that nobody reads them."""
        self.slips.append(slip)
        if not slip.only_warns and len(self.slips) > 10 * MOST_TOLD:
            raise _Unreadable


def _advice_for_twice(name: str) -> str:
    if name in ("rules", "tests", "lists", "texts", "accounts", "sources"):
        return _GROUP_TWICE
    return _FIELD_TWICE if "." in name or name in ("event", "source") else _TWICE


def _spot(event: Any) -> tuple[int, int]:
    return event.start_mark.line, event.start_mark.column


def _place(event: Any) -> Place:
    mark = event.start_mark
    block = getattr(event, "style", None) in ("|", ">")
    return Place(mark.line + 1, mark.column + 1, block)


def _resolved(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
