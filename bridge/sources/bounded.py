"""How much of what was sent becomes an event: enough for every real one, and told if it is less.

A few kilobytes can say hundreds of thousands of empty tickets, each of which would become
an entry of fifteen fields. A real order has up to 500 tickets and is 0.3 MB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_ENTRIES = 2_000
"""Entries that are kept of one list."""

MAX_TEXT = 5_000
"""Characters that are kept of one text; what was shortened has one more, an ellipsis."""

MAX_VALUES = 100_000
"""Values that are kept of one webhook, whatever they are in."""

MAX_SIZE = 1_000_000
"""Characters that are kept of one webhook, in names and texts together."""

_MAX_NAME = 200
_MAX_REMARKS = 10


def bounded(data: Any) -> tuple[Any, tuple[str, ...]]:
    """A copy of JSON data within the bounds, and a remark on each thing that was left out."""
    cut = _Cut()
    kept = cut.copied(data, "")
    return kept, tuple(cut.remarks())


@dataclass
class _Cut:
    """What is left of the bounds, and what had to go, by the name that it stands under."""

    values: int = MAX_VALUES
    size: int = MAX_SIZE
    lists: dict[str, int] = field(default_factory=dict)
    texts: Counter[str] = field(default_factory=Counter)
    longest: dict[str, int] = field(default_factory=dict)
    left_out: int = 0

    def copied(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return dict(self._members(value))
        if isinstance(value, list):
            return list(self._entries(value, name))
        return self._text(value, name) if isinstance(value, str) else value

    def _members(self, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, member in value.items():
            if len(name) > _MAX_NAME or not self._has_room(len(name)):
                self.left_out += 1
                continue
            yield name, self.copied(member, name)

    def _entries(self, value: list[Any], name: str) -> Iterator[Any]:
        if len(value) > MAX_ENTRIES:
            self.lists[name] = max(len(value), self.lists.get(name, 0))
        for number, member in enumerate(value[:MAX_ENTRIES]):
            if not self._has_room(0):
                self.left_out += min(len(value), MAX_ENTRIES) - number
                return
            yield self.copied(member, name)

    def _text(self, value: str, name: str) -> str | None:
        """Whole, or else so that everybody sees it is not: part of an id would be another id."""
        is_long = len(value) > MAX_TEXT
        kept = value[:MAX_TEXT] + "…" if is_long else value
        if len(kept) > self.size:
            self.left_out += 1
            return None
        self.size -= len(kept)
        if is_long:
            self.texts[name] += 1
            self.longest[name] = max(len(value), self.longest.get(name, 0))
        return kept

    def _has_room(self, size: int) -> bool:
        self.values -= 1
        self.size -= size
        return self.values >= 0 and self.size >= 0

    def remarks(self) -> Iterator[str]:
        """Names are told as far as they look like names: they are the sender's."""
        told = [
            f"of {count:,} entries of {_named(name)} only the first {MAX_ENTRIES:,} were kept: "
            "what rules count, sum up or look for there is of these alone"
            for name, count in self.lists.items()
        ]
        told += [
            f"{count:,} of the texts in {_named(name)} were cut to {MAX_TEXT:,} characters, the "
            f"longest from {self.longest[name]:,}; as ids, amounts and addresses these are none"
            for name, count in self.texts.items()
        ]
        if len(told) > _MAX_REMARKS:
            more = len(told) - _MAX_REMARKS
            told = [*told[:_MAX_REMARKS], f"{more:,} more lists and texts were cut"]
        yield from told
        if self.left_out:
            yield (
                f"{self.left_out:,} more values were left out: an event keeps {MAX_VALUES:,} "
                f"values and {MAX_SIZE:,} characters"
            )


def _named(name: str) -> str:
    plain = len(name) <= 60 and name.replace("_", "").isalnum() and name.isascii()
    return f"`{name}`" if plain else "what was sent"
