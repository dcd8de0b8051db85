"""Reads what is asked of a list: what one entry must be like, how many are, and sums over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from bridge.findings import Findings
from bridge.rules.conditions import (
    AT_LEAST_ONE,
    OPERATORS,
    Comparison,
    Condition,
    Entries,
    Total,
)
from bridge.rules.objections import KIND_WORDS
from bridge.rules.values import number
from bridge.rules.vocabulary import Shape
from bridge.wording import flow, meant, quoted
from bridge.yaml_text import Path

if TYPE_CHECKING:
    from bridge.rules.where import WhereReader

ASKED_OF_ENTRIES = ("where", "count", "sum")
"""What may be asked of a list beside whether there is one."""

_NUMBER = Shape("number")


class _Compares(Protocol):
    """Reads operators and what they expect of a field."""

    def __call__(
        self, field: str, shape: Shape, wanted: dict[str, Any], path: Path, *, bare: bool = False
    ) -> tuple[Comparison, ...]: ...


class EntriesReader:
    """`of_entry` gives the reader of one entry's conditions, `compares` reads comparisons."""

    def __init__(
        self,
        findings: Findings,
        of_entry: Callable[[str], WhereReader],
        compares: _Compares,
    ) -> None:
        self._findings = findings
        self._of_entry = of_entry
        self._compares = compares

    def read(
        self, field: str, shape: Shape, wanted: Mapping[str, Any], path: Path
    ) -> Iterator[Entries]:
        """`field` is the list's whole path; what is wrong is found, and nothing made of it."""
        before = len(self._findings.mistakes)
        conditions = self._where(field, shape, wanted, path)
        count = self._count(wanted, path)
        totals = tuple(self._sums(field, shape, wanted, path))
        if len(self._findings.mistakes) == before:
            stands = self._findings.document.mistake(path, "", at_key=True)
            yield Entries(field, conditions, count, totals, stands.line, stands.column)

    def _where(
        self, field: str, shape: Shape, wanted: Mapping[str, Any], path: Path
    ) -> tuple[Condition, ...]:
        if "where" not in wanted:
            return ()
        if shape.kind == "list" and not shape.parts:
            what = f"the entries of `{field}` have no fields"
            self._findings.add((*path, "where"), what, f"write `{field}: ...` with a value")
            return ()
        where = wanted["where"]
        if not isinstance(where, dict) or not where:
            first = next(iter(shape.parts), "type")
            what = "`where` needs conditions on the fields of one entry"
            self._findings.add((*path, "where"), what, f"write {{where: {{{first}: ...}}}}")
            return ()
        return self._of_entry(field).read(where, (*path, "where"))

    def _count(self, wanted: Mapping[str, Any], path: Path) -> tuple[Comparison, ...]:
        if "count" not in wanted:
            return AT_LEAST_ONE
        place = (*path, "count")
        found = self._numbers("count", _NUMBER, wanted["count"], place)
        for one in found:
            for value in one.expected if isinstance(one.expected, tuple) else (one.expected,):
                amount = number(value)
                if amount is not None and (amount < 0 or amount % 1):
                    what = f"`count` cannot be compared with {quoted(flow(value))}"
                    self._findings.add(place, what, "write a whole number, such as {at_least: 2}")
        return found

    def _sums(
        self, field: str, shape: Shape, wanted: Mapping[str, Any], path: Path
    ) -> Iterator[Total]:
        if "sum" not in wanted:
            return
        sums, place = wanted["sum"], (*path, "sum")
        numeric = [name for name, part in shape.parts.items() if part.kind in ("number", "money")]
        example = f"{{sum: {{{next(iter(numeric), 'quantity')}: {{at_least: 10}}}}}}"
        if shape.parts and not numeric:
            what = f"the entries of `{field}` have no amount and no number, so there is no sum"
            advice = "write `count: {at_least: 2}` for their number, or leave `sum` out"
            self._findings.add(place, what, advice, at_key=True)
            return
        if not isinstance(sums, dict) or not sums or set(sums) & set(OPERATORS):
            what = "`sum` needs a field of the entries, and what their sum must be"
            self._findings.add(place, what, f"write {example}")
            return
        for name, asked in sums.items():
            part = shape.member.parts.get(name) if shape.parts else Shape("anything")
            if part is None:
                what = f"an entry of `{field}` has no field {quoted(name)}"
                self._findings.add((*place, name), what, meant(name, numeric), at_key=True)
            elif part.kind not in ("number", "money", "anything"):
                what = f"`{field}.{name}` is {KIND_WORDS[part.kind]}, and has no sum"
                self._findings.add((*place, name), what, f"write {example}", at_key=True)
            else:
                found = self._numbers(name, _NUMBER, asked, (*place, name))
                yield Total(f"{field}.{name}", found)

    def _numbers(self, name: str, shape: Shape, asked: Any, path: Path) -> tuple[Comparison, ...]:
        """`count: 2` is short for `count: {is: 2}`."""
        if not isinstance(asked, dict) or asked.keys() == {"field"}:
            operator = "one_of" if isinstance(asked, list) else "is"
            return self._compares(name, shape, {operator: asked}, path, bare=True)
        combined = [one for one in ("any", "all", "not", "present") if one in asked]
        if combined or not asked:
            what = f"`{name}` needs a number" if not asked else f"`{combined[0]}` cannot stand here"
            self._findings.add(path, what, f"write `{name}: {{at_least: 2}}`")
            return ()
        return self._compares(name, shape, asked, path)
