"""What a YAML file says, and where in the file each part of it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Mistake

Path = tuple[str | int, ...]
"""The names and numbers that lead to a part: `("rules", 0, "name")`."""


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
    `written` is how its numbers and truth values stand in the file, such as 1.10.
    `warnings` are about what YAML may read otherwise than it was meant.
    """

    file: str
    value: Any
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]
    written: Mapping[Path, str] = field(default_factory=dict)
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
