"""What rules see of one event, looked up once however many of them ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from bridge.rules.values import lookup, number, say_found, text

_Value = TypeVar("_Value")


class Texts(NamedTuple):
    """What was found at a path: the texts, as they are compared, and all that is no text."""

    folded: frozenset[str]
    others: tuple[Any, ...]


class Numbers(NamedTuple):
    """The numbers that were found at a path, the least and the largest; None: there are none."""

    all: frozenset[Decimal]
    least: Decimal | None
    largest: Decimal | None


class Seen:
    """The names of `values.view`, and what was found at each path that was asked for.

    `found` are the values as `values.lookup` finds them; `texts` and `numbers` what
    they are when compared; `told` the words for them, such as `order.total is 20`,
    empty where nothing was found. All are mappings, made entry by entry as they are
    asked for.
    """

    __slots__ = ("found", "names", "numbers", "texts", "told")

    def __init__(self, names: Mapping[str, Any], found: _Found | None = None) -> None:
        self.names = names
        self.found = _Found(names) if found is None else found
        self.texts = _Made(self.found, _texts)
        self.numbers = _Made(self.found, _numbers)
        self.told = _Made(self.found, _told)

    def find(self, path: str) -> list[Any]:
        """Every value at the dotted path, as `values.lookup` finds them."""
        return self.found[path]

    def with_member(self, name: str, member: Any) -> Seen:
        """The same event, with one member of a list under a name of its own."""
        names = {**self.names, name: member}
        return Seen(names, _Found(names, self.found, name))


class _Found(dict[str, list[Any]]):
    """By path; what is not about `member` is looked up in `outer`, which may know it already."""

    __slots__ = ("_member", "_names", "_outer")

    def __init__(
        self, names: Mapping[str, Any], outer: _Found | None = None, member: str = ""
    ) -> None:
        self._names = names
        self._outer = outer
        self._member = member

    def __missing__(self, path: str) -> list[Any]:
        if self._outer is None or path.partition(".")[0] == self._member:
            found = lookup(self._names, path)
        else:
            found = self._outer[path]
        self[path] = found
        return found


class _Made(dict[str, _Value]):
    """By path, what is made of what was found there."""

    __slots__ = ("_found", "_make")

    def __init__(self, found: _Found, make: Callable[[str, list[Any]], _Value]) -> None:
        self._found = found
        self._make = make

    def __missing__(self, path: str) -> _Value:
        made = self[path] = self._make(path, self._found[path])
        return made


def _texts(_path: str, found: list[Any]) -> Texts:
    texts = [text(value) for value in found if isinstance(value, str)]
    folded = frozenset(each for each in texts if each is not None)
    return Texts(folded, tuple(value for value in found if not isinstance(value, str)))


def _numbers(_path: str, found: list[Any]) -> Numbers:
    known = [each for each in map(number, found) if each is not None]
    return Numbers(frozenset(known), min(known, default=None), max(known, default=None))


def _told(path: str, found: list[Any]) -> str:
    return f"{path} is {say_found(path, found)}" if found else ""
