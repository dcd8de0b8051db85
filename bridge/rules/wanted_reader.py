"""Reads what a test wants of a delivery's fields: values, or conditions such as {contains: VIP}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from functools import cache
from typing import Any

from bridge.connector import Item
from bridge.findings import Findings
from bridge.rules.conditions import OPERATORS
from bridge.rules.expected import Wanted
from bridge.rules.objections import COMBINERS
from bridge.rules.schema import ExpectedText
from bridge.rules.templates import is_template
from bridge.rules.vocabulary import FREE, Shape, Vocabulary
from bridge.rules.where import Lists, WhereReader
from bridge.wording import meant, quoted
from bridge.yaml_text import Path

BESIDE = tuple(ExpectedText.model_fields)
"""What may stand beside the action, and is no field of it."""


class WantedReader:
    """Reads the fields of one entry after the other; `lists` are those that `one_of` may name.

    Days are days in `zone`.
    """

    def __init__(self, findings: Findings, lists: Lists, zone: tzinfo) -> None:
        self._zone = zone
        self._findings = findings
        self._lists = lists

    def read(
        self, step: str, item: type[Item], fields: Mapping[str, Any], path: Path
    ) -> Iterator[Wanted]:
        """What can be understood; what is wrong is found. `step` is `account.action`."""
        names = {info.alias or name: name for name, info in item.model_fields.items()}
        groups = _groups(item)
        for key, value in fields.items():
            place = (*path, key)
            if key not in names:
                self._unknown(step, key, names, place)
            elif isinstance(value, dict) and key not in groups:
                yield from self._condition((names[key],), key, value, place)
            else:
                yield from self._of_field((names[key],), key, value, place)

    def _unknown(self, step: str, key: str, names: Mapping[str, str], path: Path) -> None:
        advice = meant(key, names)
        if key in BESIDE:
            advice = f"write `{key}` exactly below `{step}`, not further to the right"
        what = f"{step} has no field {quoted(key)}"
        self._findings.add(path, what, advice, at_key=True)

    def _of_field(
        self, inside: tuple[str, ...], key: str, value: Any, path: Path
    ) -> Iterator[Wanted]:
        if isinstance(value, dict) and not _asks(value):
            for name, part in value.items():
                yield from self._of_field((*inside, name), name, part, (*path, name))
        elif isinstance(value, dict):
            yield from self._condition(inside, key, value, path)
        elif self._is_plain(value, path):
            yield Wanted(inside, key, value)

    def _condition(
        self, inside: tuple[str, ...], key: str, value: dict[str, Any], path: Path
    ) -> Iterator[Wanted]:
        if self._is_plain(value, path):
            # A dot would lead into a group.
            name = key.replace(".", " ")
            words = Vocabulary(Shape("group", {name: FREE}), "what is sent", {})
            reader = WhereReader(self._findings, words, self._lists, self._zone, is_sent=True)
            yield Wanted(inside, name, conditions=reader.read({name: value}, path[:-1]))

    def _is_plain(self, value: Any, path: Path) -> bool:
        if not _holds_template(value):
            return True
        what = "a test compares with what comes out, not with {{ }}"
        advice = "compare with what the text becomes then, or with a part of it: {contains: ...}"
        self._findings.add(path, what, advice)
        return False


@cache
def _groups(item: type[Item]) -> frozenset[str]:
    """The fields that may hold names and values, as rules write them."""
    schema = item.model_json_schema(by_alias=True)
    return frozenset(name for name, field in schema["properties"].items() if _may_be_group(field))


def _may_be_group(field: Mapping[str, Any]) -> bool:
    kinds = [part.get("type") for part in field.get("anyOf", [field])]
    return any(kind in (None, "object") for kind in kinds)


def _asks(value: Mapping[str, Any]) -> bool:
    """Whether it is a condition, such as `{contains: VIP}`, and no group of fields."""
    return any(name in (*OPERATORS, *COMBINERS) for name in value)


def _holds_template(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_template, value.values()))
    if isinstance(value, list):
        return any(map(_holds_template, value))
    return isinstance(value, str) and is_template(value)
