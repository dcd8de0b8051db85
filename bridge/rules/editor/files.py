"""The schema of a whole rules file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from bridge.rules.editor import conditions, patterns, steps, tests
from bridge.rules.editor.described import group
from bridge.rules.records import World
from bridge.rules.schema import (
    LONGEST_NAME,
    MOST_RULES,
    BetweenText,
    OnceText,
    QuietText,
    RulesText,
    RuleText,
    UnlessText,
    WhenText,
)
from bridge.source import Source

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:showbridge:rules"

_ONCE = ("contact", "transaction", "event")
_ZONE: Schema = {"$ref": "#/$defs/time_zone"}
_TRUTH: Schema = {
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "string",
            "pattern": patterns.whole(patterns.one_of("true", "false", "yes", "no", "on", "off")),
        },
    ]
}
_LENGTH: Schema = {"type": "string", "pattern": patterns.LENGTH}
_CLOCK: Schema = {"type": "string", "pattern": patterns.CLOCK}
_DAY: Schema = {"type": "string", "pattern": patterns.DAY}


def schema(world: World) -> Schema:
    """For files that are about this world; plain JSON."""
    return {
        "$schema": DIALECT,
        "$id": ID,
        "title": "Rules of Showbridge",
        **_file(),
        "$defs": {
            "rule": _rule(world.sources),
            "when": _when(world.sources),
            "event": _types(world.sources),
            "time_zone": {"enum": sorted(available_timezones())},
            **conditions.definitions(world.sources),
            **steps.definitions(world.accounts),
            **tests.definitions(world),
        },
    }


def _file() -> Schema:
    entries = {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}}
    return group(
        RulesText,
        {
            "rules": {"type": "array", "maxItems": MOST_RULES, "items": {"$ref": "#/$defs/rule"}},
            "lists": {"type": "object", "additionalProperties": entries},
            "texts": {"type": "object", "additionalProperties": {"type": "string"}},
            "tests": {"type": "array", "items": {"$ref": "#/$defs/test"}},
            "time_zone": _ZONE,
            "country": {"type": "string", "minLength": 2},
        },
    )


def _rule(sources: Mapping[str, type[Source]]) -> Schema:
    values: dict[str, Schema] = {
        "name": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
        "enabled": _TRUTH,
        "when": {"$ref": "#/$defs/when"},
        "for_each": {"enum": conditions.lists_of(sources)},
        "only_between": group(BetweenText, {"from": _DAY, "to": _DAY}, minProperties=1),
        "sample": _share(),
        "once_per": _once(),
        "after": {"type": "string", "pattern": patterns.DELAY},
        "at": {"type": "string", "pattern": patterns.CLOCK_IN_ZONE},
        "quiet_hours": group(QuietText, {"from": _CLOCK, "to": _CLOCK, "time_zone": _ZONE}),
        "unless": _unless({"$ref": "#/$defs/event"}),
        "stop": _TRUTH,
        "do": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}},
    }
    told = [_if(name, source) for name, source in sources.items() if not source.types_are_open]
    told += [_without_entries(names)] if (names := conditions.member_names(sources)) else []
    return {**group(RuleText, values), **({"allOf": told} if told else {})}


def _without_entries(names: list[str]) -> Schema:
    """What conditions cannot name where a rule goes through no list."""
    pattern = rf"^({'|'.join(names)})(\.|$)"
    where = {"propertyNames": {"not": {"pattern": pattern}}}
    when = {"properties": {"where": where}}
    return {"if": {"not": {"required": ["for_each"]}}, "then": {"properties": {"when": when}}}


def _share() -> Schema:
    number = {"type": "number", "exclusiveMinimum": 0, "maximum": 100}
    return {"anyOf": [number, {"type": "string", "pattern": patterns.PERCENT}]}


def _once() -> Schema:
    of: Schema = {"anyOf": [{"enum": list(_ONCE)}, {"type": "string", "pattern": r"\{\{|\{%"}]}
    return {"anyOf": [*of["anyOf"], group(OnceText, {"of": of, "within": _LENGTH})]}


def _unless(event: Schema) -> Schema:
    same = {"enum": ["transaction", "contact"]}
    return {"anyOf": [event, group(UnlessText, {"event": event, "same": same})]}


def _when(sources: Mapping[str, type[Source]]) -> Schema:
    return group(
        WhenText,
        {
            "source": _one_or_more(list(sources), is_open=False),
            "event": {"$ref": "#/$defs/event"},
            "where": {"$ref": "#/$defs/where"},
        },
        minProperties=1,
    )


def _if(name: str, source: type[Source]) -> Schema:
    """What a source sends, where a rule is about that source alone."""
    event = _one_or_more(list(source.event_types), is_open=False)
    when = {"properties": {"source": {"const": name}}, "required": ["source"]}
    then = {"when": {"properties": {"event": event}}, "unless": _unless(event)}
    return {
        "if": {"properties": {"when": when}, "required": ["when"]},
        "then": {"properties": then},
    }


def _types(sources: Mapping[str, type[Source]]) -> Schema:
    types = dict.fromkeys(one for source in sources.values() for one in source.event_types)
    return _one_or_more(list(types), is_open=any(one.types_are_open for one in sources.values()))


def _one_or_more(names: list[str], *, is_open: bool) -> Schema:
    """Names are offered; others pass where more may come than is known, and so do globs."""
    known = f"^{patterns.one_of(*(one.replace('.', '[.]') for one in names))}$"
    other: Schema = {"minLength": 1} if is_open else {"pattern": f"{patterns.GLOB}|{known}"}
    one: Schema = {"anyOf": [{"enum": names}, {"type": "string", **other}]}
    return {"anyOf": [*one["anyOf"], {"type": "array", "minItems": 1, "items": one}]}
