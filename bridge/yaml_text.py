"""YAML as people mean it, with the place of every key and value.

Read from the parser's events, so that nothing is ever constructed but texts,
numbers, true and false, lists and mappings with text keys. What differs from
YAML 1.1, on purpose: `yes`, `no`, `on`, `off`, `12:30`, `007` and dates are the
texts that they look like; only `true` and `false` are truth values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bridge.errors import ConfigurationError, Mistake
from bridge.wording import quoted
from bridge.yaml_slips import hushed, swallowed_by_comment, syntax_mistake, unquoted_template

MAX_CHARACTERS = 1_000_000
MAX_VALUES = 50_000
MAX_DEPTH = 40

Path = tuple[str | int, ...]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})", re.ASCII)
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
_STRING_TAGS = ("!", "tag:yaml.org,2002:str")
# What YAML allows in a file; lone surrogates are outside.
_UNREADABLE = re.compile(
    "[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|(?<!^)\ufeff"
)


@dataclass(frozen=True)
class Place:
    """Line and column start at 1; `block` marks a text that begins on the next line."""

    line: int
    column: int
    block: bool = False


@dataclass(frozen=True)
class Document:
    """One file's value, and where each part of it stands.

    `value` is made of str, int, float, bool, None, list and dict with str keys.
    """

    file: str
    value: Any
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]
    warnings: tuple[Mistake, ...] = ()

    def mistake(
        self, path: Path, what: str, advice: str = "", *, at_key: bool = False, line: int = 1
    ) -> Mistake:
        """A mistake at the value at `path`, or its key; what is missing stands with its parent.

        `line` is the line within a text of several lines.
        """
        place = self._place(path, at_key)
        if place.block:
            return Mistake(self.file, place.line + line, 1, what, advice)
        return Mistake(self.file, place.line, place.column, what, advice)

    def _place(self, path: Path, at_key: bool) -> Place:
        while path:
            first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
            place = first.get(path) or second.get(path)
            if place:
                return place
            path, at_key = path[:-1], True
        return self.values.get((), Place(1, 1))


def read(text: str, file: str, *, echo: bool = True) -> Document:
    """The only document in `text`; raises ConfigurationError with all that is wrong with it.

    `file` is the name that mistakes carry. Without `echo` they repeat no text
    of the file: somebody may have written a secret into it.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigurationError([Mistake(file, 1, 1, "the file is far too long")])
    unreadable = _UNREADABLE.search(text)
    if unreadable:
        raise ConfigurationError([_unreadable(file, text, unreadable)])
    reader = _Reader(text, file)
    document = None
    try:
        document = reader.document()
    except yaml.YAMLError as error:
        reader.mistakes.append(syntax_mistake(error, reader.lines, file))
    except _Unreadable:
        pass
    if reader.mistakes or document is None:
        raise ConfigurationError(reader.mistakes if echo else list(map(hushed, reader.mistakes)))
    return document


class _Unreadable(Exception):
    """The rest of the file makes no sense any more."""


def _unreadable(file: str, text: str, found: re.Match[str]) -> Mistake:
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    code = f"U+{ord(found[0]):04X}"
    return Mistake(file, line, column, f"an invisible character ({code})", "delete it")


class _Reader:
    """Builds the value while the events go by; collects mistakes where it can go on."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.lines = text.splitlines()
        self.mistakes: list[Mistake] = []
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._values: dict[Path, Place] = {}
        self._keys: dict[Path, Place] = {}
        self._anchored: dict[str, tuple[Any, int]] = {}
        self._count = 0

    def document(self) -> Document:
        value = None
        next(self._events)  # the stream's start
        first = next(self._events)
        if isinstance(first, yaml.DocumentStartEvent):
            value = self._value(next(self._events), (), 1)
            next(self._events)  # the document's end
            second = next(self._events)
            if isinstance(second, yaml.DocumentStartEvent):
                self._complain(second, "a second document begins here", "remove the line `---`")
        return Document(self.file, value, self._values, self._keys)

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        self._values[path] = _place(event)
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
            return self._scalar(event)
        if event.tag:
            self._complain(event, "a tag (!) stands here", "remove it, or put quotes around it")
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
            if key in mapping:
                self._complain(event, f"{quoted(key)} stands here twice", "keep one of the two")
            self._keys[(*path, key)] = _place(event)
            mapping[key] = self._value(next(self._events), (*path, key), depth + 1)
        return mapping

    def _odd_key(self, start: Any, key: Any, path: Path, depth: int) -> None:
        """Such as `{{ contact.email }}` without quotes, a mapping in a mapping to YAML."""
        self._value(key, (*path, "?"), depth + 1)
        self._value(next(self._events), (*path, "?"), depth + 1)
        mark = start.start_mark
        slip = unquoted_template(self.lines, mark.line, mark.column, self.file)
        if slip:
            self.mistakes.append(slip)
        else:
            self._complain(key, "a name before a colon must be plain text", "put quotes around it")

    def _scalar(self, event: Any) -> Any:
        if event.tag not in (None, *_STRING_TAGS):
            self._complain(event, "a tag (!) stands here", "remove it, or put quotes around it")
        mark = event.start_mark
        if not event.value and event.implicit[0]:
            slip = swallowed_by_comment(self.lines, mark.line, mark.column, self.file)
            self.mistakes.extend([slip] if slip else [])
        return _resolved(event.value) if event.implicit[0] else event.value

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
            self._complain(event, "the file holds far too much", "use fewer aliases and entries")
            raise _Unreadable
        if depth > MAX_DEPTH:
            self._complain(event, "nested far too deeply", "close the brackets before this one")
            raise _Unreadable

    def _complain(self, event: Any, what: str, advice: str) -> None:
        mark = event.start_mark
        self.mistakes.append(Mistake(self.file, mark.line + 1, mark.column + 1, what, advice))


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
