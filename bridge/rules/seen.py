"""What rules see of one event, looked up once however many of them ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.rules.values import lookup


class Seen:
    """The names of `values.view`, and what was found at each path that was asked for."""

    __slots__ = ("_found", "_member", "_outer", "names")

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names
        self._found: dict[str, list[Any]] = {}
        self._outer: Seen | None = None
        self._member = ""

    def find(self, path: str) -> list[Any]:
        """Every value at the dotted path, as `values.lookup` finds them."""
        found = self._found.get(path)
        if found is None:
            found = self._found[path] = self._look_up(path)
        return found

    def with_member(self, name: str, member: Any) -> Seen:
        """The same event, with one member of a list under a name of its own."""
        inner = Seen({**self.names, name: member})
        inner._outer, inner._member = self, name
        return inner

    def _look_up(self, path: str) -> list[Any]:
        if self._outer is not None and path.partition(".")[0] != self._member:
            return self._outer.find(path)
        return lookup(self.names, path)
