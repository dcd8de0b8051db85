"""What rules see of one event, looked up once however many of them ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from bridge.rules.countries import Known
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

    __slots__ = (
        "_about",
        "_entries",
        "_outer",
        "countries",
        "found",
        "moments",
        "names",
        "numbers",
        "tallies",
        "texts",
        "told",
    )

    def __init__(
        self, names: Mapping[str, Any], outer: Seen | None = None, about: str = ""
    ) -> None:
        self.names = names
        self._outer = outer
        self._about = about
        self._entries: dict[str, Sequence[Seen] | None] = {}
        self.found: _Found = _Found(names, outer.found if outer else None, about)
        self.texts: _Made[Texts] = _Made(self.found, _texts, outer.texts if outer else None)
        self.numbers: _Made[Numbers] = _Made(self.found, _numbers, outer.numbers if outer else None)
        self.told: _Made[str] = _Made(self.found, _told, outer.told if outer else None)
        self.moments: dict[Any, Any] = {}
        """What `relative` made of the times in a field, so that they are put in order once."""
        self.countries: Known = outer.countries if outer else {}
        self.tallies: dict[int, Any] = {}
        """What `conditions.tally` found, so that it is asked once."""

    def find(self, path: str) -> list[Any]:
        """Every value at the dotted path, as `values.lookup` finds them."""
        return self.found[path]

    def with_member(self, name: str, member: Any) -> Seen:
        """The same event, with one member of a list under a name of its own."""
        return Seen({**self.names, name: member}, self, name)

    def home(self, path: str) -> Seen:
        """What sees the same at the path for all members: the event as a whole, if it may be."""
        if self._outer is None or is_below(path, self._about):
            return self
        return self._outer.home(path)

    def entries(self, path: str) -> Sequence[Seen] | None:
        """The event as each entry of the list at the path sees it, as if that were the only one.

        None where nobody knows whether there is such a list.
        """
        home = self.home(path)
        if path not in home._entries:
            home._entries[path] = home._each(path)
        return home._entries[path]

    def _each(self, path: str) -> Sequence[Seen] | None:
        names = path.split(".")
        if not _is_there(self.names, names):
            return None
        return [Seen(alone, self, path) for alone in _alone(self.names, names)]


def is_below(path: str, above: str) -> bool:
    """Whether a path is that one, or leads through it."""
    return path.startswith(above) and path[len(above) : len(above) + 1] in ("", ".")


def _is_there(value: Any, names: Sequence[str]) -> bool:
    """Whether something is known at the path, if only that it is empty."""
    if not names:
        return value is not None
    if isinstance(value, list | tuple):
        return any(_is_there(member, names) for member in value)
    return isinstance(value, Mapping) and _is_there(value.get(names[0]), names[1:])


def _alone(value: Any, names: Sequence[str]) -> Iterator[Any]:
    """For each entry of the list at the path: what leads to it, and nothing beside that."""
    if isinstance(value, list | tuple):
        for member in value:
            yield from _alone(member, names)
    elif not names:
        if value is not None:
            yield value
    elif isinstance(value, Mapping) and names[0] in value:
        for below in _alone(value[names[0]], names[1:]):
            yield {names[0]: below}


class _Found(dict[str, list[Any]]):
    """By path; what is not `about` this is looked up in `outer`, which may know it already."""

    __slots__ = ("_about", "_names", "_outer")

    def __init__(self, names: Mapping[str, Any], outer: _Found | None, about: str) -> None:
        self._names = names
        self._outer = outer
        self._about = about

    def is_own(self, path: str) -> bool:
        """Whether it is looked up here, and not further out."""
        return self._outer is None or is_below(path, self._about)

    def __missing__(self, path: str) -> list[Any]:
        if self._outer is None or self.is_own(path):
            found = lookup(self._names, path)
        else:
            found = self._outer[path]
        self[path] = found
        return found


class _Made(dict[str, _Value]):
    """By path, what is made of what was found there."""

    __slots__ = ("_found", "_make", "_outer")

    def __init__(
        self,
        found: _Found,
        make: Callable[[str, list[Any]], _Value],
        outer: _Made[_Value] | None = None,
    ) -> None:
        self._found = found
        self._make = make
        self._outer = outer

    def __missing__(self, path: str) -> _Value:
        if self._outer is None or self._found.is_own(path):
            made = self._make(path, self._found[path])
        else:
            made = self._outer[path]
        self[path] = made
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
