"""The generated parts of the page on the rules language: from its models and tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bridge.registry import installed
from bridge.rules import schema
from bridge.rules.common_fields import COMMON_FIELDS
from bridge.rules.filter_reference import FILTER_REFERENCE
from bridge.rules.operator_reference import (
    COMBINER_REFERENCE,
    ENTRIES_REFERENCE,
    OPERATOR_REFERENCE,
    TIME_REFERENCE,
    OperatorReference,
)
from bridge.rules.relative import UNITS
from bridge.rules.where import kinds_of
from bridge.source import Field, FieldKind, Source

PAGE = "rules-reference.md"

_BLOCK = re.compile(
    r"<!-- reference: ([\w ]+): begin -->\n.*?<!-- reference: \1: end -->", re.DOTALL
)
# Below each key of a rule that is a group, its own keys.
_GROUPS: Mapping[str, type[BaseModel]] = {
    "when": schema.WhenText,
    "only_between": schema.BetweenText,
    "quiet_hours": schema.QuietText,
    "once_per": schema.OnceText,
    "unless": schema.UnlessText,
}
_TEST_GROUPS: Mapping[str, type[BaseModel]] = {"given": schema.GivenText}
_IN_WORDS: Mapping[FieldKind, str] = {
    "text": "texts",
    "number": "numbers",
    "money": "amounts",
    "date": "dates",
    "yes/no": "yes or no",
}
_PLAIN = re.compile(r"[\w*][\w.*%/ !-]*")


def with_blocks(text: str) -> str:
    """The page with its generated parts as they should be; raises KeyError for an unknown one."""
    made = BLOCKS

    def block(found: re.Match[str]) -> str:
        name = found[1]
        lines = "\n".join(made[name]())
        return f"<!-- reference: {name}: begin -->\n{lines}\n<!-- reference: {name}: end -->"

    return _BLOCK.sub(block, text)


def write(folder: Path) -> bool:
    """Whether the page changed."""
    file = folder / PAGE
    before = file.read_text("utf-8")
    after = with_blocks(before)
    if after != before:
        file.write_text(after, "utf-8")
    return after != before


def _file() -> Iterator[str]:
    return _keys(schema.RulesText)


def _rule() -> Iterator[str]:
    return _keys(schema.RuleText, _GROUPS)


def _test() -> Iterator[str]:
    return _keys(schema.TestText, _TEST_GROUPS)


def _expected() -> Iterator[str]:
    return _keys(schema.ExpectedText)


def _keys(model: type[BaseModel], groups: Mapping[str, type[BaseModel]] = {}) -> Iterator[str]:
    yield "| key | what it does | without it | such as |"
    yield "|---|---|---|---|"
    yield from _rows(model, groups, "")


def _rows(
    model: type[BaseModel], groups: Mapping[str, type[BaseModel]], prefix: str
) -> Iterator[str]:
    for name, info in model.model_fields.items():
        key = info.alias or name
        yield _row(f"`{prefix}{key}`", _cell(info.description or ""), _absent(info), _example(info))
        if key in groups:
            yield from _rows(groups[key], {}, f"{prefix}{key}.")


def _absent(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    default = info.get_default()
    if default is None or default in ({}, []):
        return ""
    return f"`{flow(default)}`"


def _example(info: FieldInfo) -> str:
    return _code(flow(info.examples[0])) if info.examples else ""


def flow(value: Any) -> str:
    """A value as it is written after `key: `, on one line; texts in quotes where they need them."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if _PLAIN.fullmatch(str(value)) else f'"{value}"'


def _operators() -> Iterator[str]:
    yield "| operator | of | holds if | such as |"
    yield "|---|---|---|---|"
    for one in OPERATOR_REFERENCE:
        yield _row(f"`{one.name}`", _of(one.name), _cell(one.about), _code(one.example))


def _of(operator: str) -> str:
    kinds = kinds_of(operator)
    if kinds.issuperset(_IN_WORDS):
        return "anything"
    return ", ".join(words for kind, words in _IN_WORDS.items() if kind in kinds)


def _combiners() -> Iterator[str]:
    yield from _named(COMBINER_REFERENCE)


def _entries() -> Iterator[str]:
    yield from _named(ENTRIES_REFERENCE)


def _named(table: Iterable[OperatorReference]) -> Iterator[str]:
    yield "| word | holds if | such as |"
    yield "|---|---|---|"
    for one in table:
        yield _row(f"`{one.name}`", _cell(one.about), _code(one.example))


def _times() -> Iterator[str]:
    yield "| written | means | with |"
    yield "|---|---|---|"
    for one in TIME_REFERENCE:
        taken = ", ".join(f"`{name}`" for name in one.taken_by)
        yield _row(_code(one.written), _cell(one.means), taken)
    yield ""
    *units, last = (f"`{name}`" for name in UNITS)
    lengths = f"Lengths of time are a number and {', '.join(units)} or {last}, with or without an s"
    yield f"{lengths}: `90 minutes`, `1.5 hours`, `1 day`."


def _filters() -> Iterator[str]:
    yield "| filter | makes of it | such as | becomes |"
    yield "|---|---|---|---|"
    for one in FILTER_REFERENCE:
        yield _row(_code(one.usage), _cell(one.about), _code(one.example), _cell(one.gives))


def _common() -> Iterator[str]:
    return _fields(COMMON_FIELDS)


def _of_sources() -> Iterator[str]:
    for kind, source in sorted(installed().sources.items(), reverse=True):
        yield f"### Fields of {source.title}"
        yield ""
        yield from _of_source(kind, source)


def _of_source(kind: str, source: type[Source]) -> Iterator[str]:
    for events in dict.fromkeys(each.events for each in source.fields):
        named = " and ".join(f"`{one}`" for one in events)
        yield f"With every event of `{kind}`:" if events == ("*",) else f"With {named}:"
        yield ""
        yield from _fields([each for each in source.fields if each.events == events])
        yield ""


def _fields(fields: Sequence[Field]) -> Iterator[str]:
    yield "| field | is | what it is | such as |"
    yield "|---|---|---|---|"
    for one in fields:
        yield _row(f"`{one.path}`", one.kind, _cell(one.about), _code(_shown(one.example)))


def _shown(example: Any) -> str:
    if isinstance(example, bool):
        return "true" if example else "false"
    if isinstance(example, Decimal):
        return f"{example:f}"
    if isinstance(example, datetime | date):
        return example.isoformat()
    return "" if isinstance(example, list | dict) else str(example)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


BLOCKS: Mapping[str, Callable[[], Iterator[str]]] = {
    "file": _file,
    "rule": _rule,
    "test": _test,
    "expected": _expected,
    "operators": _operators,
    "combiners": _combiners,
    "entries": _entries,
    "times": _times,
    "filters": _filters,
    "common fields": _common,
    "fields": _of_sources,
}
"""What makes the lines of each generated part, by its name."""


if __name__ == "__main__":
    write(Path(sys.argv[1]))
