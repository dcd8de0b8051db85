"""The schema of `tests`: what comes in, and what must be done then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.connector import Connector
from bridge.rules.editor import patterns
from bridge.rules.editor.conditions import VALUES, known_fields
from bridge.rules.editor.described import group
from bridge.rules.expectations import NOTHING
from bridge.rules.given_reader import samples_of
from bridge.rules.records import World
from bridge.rules.schema import ExpectedText, GivenText, TestText
from bridge.source import Source

Schema = dict[str, Any]

_NAME: Schema = {"type": "string", "minLength": 1}
_MOMENT: Schema = {"type": "string", "pattern": patterns.MOMENT}


def definitions(world: World) -> dict[str, Schema]:
    """One test."""
    entry: Schema = {"anyOf": [{"enum": _steps(world.accounts)}, _entry(world.accounts)]}
    test = group(
        TestText,
        {
            "name": _NAME,
            "given": _given(world.sources),
            "expect": {
                "anyOf": [{"const": NOTHING}, {"type": "array", "minItems": 1, "items": entry}]
            },
            "only": _NAME,
        },
    )
    return {"test": test}


def _steps(accounts: Mapping[str, type[Connector]]) -> list[str]:
    return [
        f"{account}.{action}"
        for account, connector in accounts.items()
        for action in sorted(connector.actions())
    ]


def _entry(accounts: Mapping[str, type[Connector]]) -> Schema:
    beside = group(
        ExpectedText,
        {
            "at": _MOMENT,
            "after": {"type": "string", "pattern": patterns.LENGTH},
            "suppressed": {"anyOf": [{"const": True}, {"type": "string", "minLength": 1}]},
        },
    )
    steps = {
        f"{account}.{action}": _fields(declared.item.model_json_schema(by_alias=True))
        for account, connector in accounts.items()
        for action, declared in sorted(connector.actions().items())
    }
    return {**beside, "minProperties": 1, "properties": {**steps, **beside["properties"]}}


def _fields(item: Mapping[str, Any]) -> Schema:
    """What is named is compared, as a value or by operators; what comes out has no {{ }}."""
    named = {
        name: {"description": field["description"]} if "description" in field else {}
        for name, field in item.get("properties", {}).items()
    }
    return {"type": ["object", "null"], "properties": named, "additionalProperties": False}


def _given(sources: Mapping[str, type[Source]]) -> Schema:
    names = {sample.name for source in sources.values() for sample in samples_of(source)}
    sample: Schema = {"enum": sorted(names)} if names else _NAME
    given = group(
        GivenText,
        {
            "sample": sample,
            "source": {"enum": list(sources)},
            "event": {
                "anyOf": [
                    {"type": "integer", "minimum": 0},
                    {"type": "string", "pattern": patterns.EVENT_ID},
                ]
            },
            "with": _changes(sources),
            "received": _MOMENT,
        },
    )
    return {**given, "anyOf": [{"required": ["sample"]}, {"required": ["event"]}]}


def _changes(sources: Mapping[str, type[Source]]) -> Schema:
    fields = known_fields(sources)
    named = {
        one.path: {"description": one.about, **_value(one.kind)}
        for one in fields
        if not one.path.startswith("event.")
    }
    free = [one.path for one in fields if one.kind == "anything"]
    return {
        "type": "object",
        "properties": named,
        "patternProperties": {f"^{path.replace('.', '[.]')}[.]": {} for path in free},
        "additionalProperties": False,
    }


def _value(kind: str) -> Schema:
    if kind in ("list", "anything"):
        return {"type": ["array", "null"]} if kind == "list" else {}
    if kind == "date":
        relative = {"type": "string", "pattern": patterns.RELATIVE}
        return {"anyOf": [VALUES["date"], relative, {"type": "null"}]}
    if kind in ("number", "money", "yes/no"):
        return {"anyOf": [VALUES[kind], {"type": "null"}]}  # type: ignore[index]  # one of them
    if kind == "text":
        return {"type": ["string", "number", "null"]}
    return {"type": ["array", "null"], "items": {"type": "object"}}
