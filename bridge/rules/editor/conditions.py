"""The schema of `where`: every field of every source, and what can be asked of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.rules.common_fields import COMMON_FIELDS
from bridge.rules.conditions import OPERATORS
from bridge.rules.editor import patterns
from bridge.rules.objections import COMPARES_FIELDS, kinds_of
from bridge.rules.operator_reference import ABOUT
from bridge.rules.vocabulary import Kind, member_name
from bridge.source import Field, Source

Schema = dict[str, Any]

_TEXT: Schema = {"type": ["string", "number", "boolean"], "minLength": 1}
_NUMBER: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": patterns.NUMBER}]}
_WORD: Schema = {"type": ["string", "number"], "minLength": 1}
_DATE: Schema = {"type": "string", "pattern": patterns.MOMENT, "examples": ["2027-07-03"]}
_TRUTH: Schema = {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": patterns.TRUTH}]}
VALUES: Mapping[Kind, Schema] = {
    "text": _TEXT,
    "number": _NUMBER,
    "money": _NUMBER,
    "date": _DATE,
    "yes/no": _TRUTH,
    "list": _TEXT,
    "anything": _TEXT,
}
_TIME: Schema = {
    "anyOf": [_DATE, {"type": "string", "pattern": patterns.RELATIVE}],
    "examples": ["2027-07-03", "now", "in 3 days", "2 hours before tickets.starts_on"],
}
_NEAR: Schema = {
    "type": "string",
    "pattern": patterns.NEAR,
    "examples": ["7 days", "7 days before tickets.starts_on"],
}
_COUNTRY: Schema = {"type": "string", "minLength": 2}
_WHATEVER_THE_KIND: Mapping[str, Schema] = {
    "country": {"anyOf": [_COUNTRY, {"type": "array", "minItems": 1, "items": _COUNTRY}]},
    "present": _TRUTH,
    "at_least": _NUMBER,
    "at_most": _NUMBER,
    "more_than": _NUMBER,
    "less_than": _NUMBER,
    "before": _TIME,
    "after": _TIME,
    "within": _NEAR,
    **dict.fromkeys(("contains", "starts_with", "ends_with", "matches", "exactly"), _WORD),
}
_GROUP: Schema = {"type": "object", "minProperties": 1, "additionalProperties": False}
_OTHER: Schema = {"$ref": "#/$defs/other_field"}
# A list whose entries have fields of their own.
_LISTED = "list of groups"


@dataclass(frozen=True)
class Known:
    """One field, as all the sources that have it declare it."""

    path: str
    kind: str
    about: str


def known_fields(sources: Mapping[str, type[Source]]) -> list[Known]:
    """Those of every event, and those that a source sends with any of its events."""
    declared: dict[str, list[tuple[str, Field]]] = {one.path: [("", one)] for one in COMMON_FIELDS}
    for name, source in sources.items():
        for one in source.fields:
            declared.setdefault(one.path, []).append((name, one))
    lists = {path for path in declared if any(other.startswith(f"{path}.") for other in declared)}
    return [
        Known(path, _kind(path in lists, fields), "\n\n".join(_about(*one) for one in fields))
        for path, fields in declared.items()
    ]


def lists_of(sources: Mapping[str, type[Source]]) -> list[str]:
    """What `for_each` can name."""
    return [one.path for one in known_fields(sources) if one.kind == _LISTED]


def member_names(sources: Mapping[str, type[Source]]) -> list[str]:
    """What entries are called, where that is no field of its own: known with `for_each` alone."""
    fields = known_fields(sources)
    declared = {one.path.partition(".")[0] for one in fields}
    names = (member_name(one.path) for one in fields if one.kind == _LISTED)
    return [name for name in names if name not in declared]


def definitions(sources: Mapping[str, type[Source]]) -> dict[str, Schema]:
    """`where`, and the conditions of each kind of field, and of each list."""
    kinds: list[Kind] = ["text", "number", "money", "date", "yes/no", "list", "anything", "group"]
    fields = known_fields(sources)
    lists = {
        name: made for one in _listed(fields) for name, made in _list(one.path, fields).items()
    }
    return {
        "where": _where(sources),
        **{_name(kind): _condition(kind) for kind in kinds},
        **lists,
        "other_field": _other_field(fields),
        "condition_count": _numeric("condition_count"),
    }


def _listed(fields: list[Known]) -> list[Known]:
    return [one for one in fields if one.kind == _LISTED]


def _other_field(fields: list[Known]) -> Schema:
    """`{field: contact.email}`: all that may be below is not known."""
    names = [one.path for one in fields if one.kind not in (_LISTED, "anything")]
    name = {"anyOf": [{"enum": names}, {"type": "string", "minLength": 1}]}
    return {
        "description": "Another field, with which this one is compared.",
        "type": "object",
        "properties": {"field": name},
        "required": ["field"],
        "additionalProperties": False,
    }


def _numeric(name: str) -> Schema:
    """What a number of entries, or a sum over them, must be."""
    allowed = [one for one in OPERATORS if "number" in kinds_of(one) and one != "present"]
    several = {"type": "array", "minItems": 1, "items": _NUMBER}
    asked = _asked(name, allowed, _NUMBER)
    asked["properties"] = {one: asked["properties"][one] for one in allowed}
    return {"anyOf": [_NUMBER, several, _OTHER, asked]}


def _list(path: str, fields: list[Known]) -> dict[str, Schema]:
    """A list of groups: whether there is one, and what is asked of its entries."""
    own = {
        one.path.removeprefix(f"{path}."): one for one in fields if one.path.startswith(f"{path}.")
    }
    name, entry = _name(_LISTED, path), f"entry_of_{path}"
    of_entry = {key: _field(one.kind, one.about, one.path) for key, one in own.items()}
    summed = {
        key: {"description": one.about, "$ref": "#/$defs/condition_count"}
        for key, one in own.items()
        if one.kind in ("number", "money", "anything")
    }
    made = _asked(name, ["present"], _TRUTH)
    made["properties"] |= _of_entries({"$ref": f"#/$defs/{entry}"}, {"properties": summed})
    return {name: made, entry: {**_GROUP, "properties": {**of_entry, **_combiners(entry)}}}


def _of_entries(where: Schema, sums: Schema) -> dict[str, Schema]:
    """`where`, `count` and `sum` of a list."""
    return {
        "where": {"description": ABOUT["where"], **where},
        "count": {"description": ABOUT["count"], "$ref": "#/$defs/condition_count"},
        "sum": {"description": ABOUT["sum"], **_GROUP, **sums},
    }


def _where(sources: Mapping[str, type[Source]]) -> Schema:
    fields = known_fields(sources)
    asked = {one.path: _field(one.kind, one.about, one.path) for one in fields}
    for group in dict.fromkeys(one.path.rpartition(".")[0] for one in fields):
        if group and group not in asked:
            asked[group] = _field("group", "Whether there is anything of it.")
    free = [one.path for one in fields if one.kind == "anything"]
    below = {f"^{path.replace('.', '[.]')}[.]": _field("anything", "") for path in free}
    asked |= {path: schema for path, schema in _members(fields) if path not in asked}
    return {
        "description": "Conditions, which must all hold.",
        "type": "object",
        "properties": {**asked, **_combiners("where")},
        "patternProperties": below,
        "additionalProperties": False,
    }


def _members(fields: list[Known]) -> Iterator[tuple[str, Schema]]:
    """What `for_each` lets conditions name."""
    for each in fields:
        if each.kind != _LISTED:
            continue
        name, said = member_name(each.path), f"With `for_each: {each.path}` alone."
        yield name, _field("group", said)
        for one in fields:
            if one.path.startswith(f"{each.path}."):
                path = f"{name}{one.path.removeprefix(each.path)}"
                yield path, _field(one.kind, f"{said} {one.about}", one.path)


def _field(kind: str, about: str, path: str = "") -> Schema:
    reference: Schema = {"$ref": f"#/$defs/{_name(kind, path)}"}
    return {"description": about, **reference} if about else reference


def _name(kind: str, path: str = "") -> str:
    """Each list has conditions of its own."""
    of_list = f"_{path}" if kind == _LISTED else ""
    return f"condition_{kind}{of_list}".replace("/", "_").replace(" ", "_")


def _condition(kind: Kind) -> Schema:
    """A value, several of which one is to be, or operators."""
    name = _name(kind)
    allowed = [one for one in OPERATORS if kind in kinds_of(one)]
    if kind == "group":
        return _asked(name, allowed, _TRUTH)
    value = VALUES[kind]
    several = {"type": "array", "minItems": 1, "items": value}
    asked = _asked(name, allowed, value)
    if kind == "anything":
        free = {**_GROUP, "additionalProperties": {"$ref": f"#/$defs/{name}"}}
        counted = {"additionalProperties": {"$ref": "#/$defs/condition_count"}}
        asked["properties"] |= _of_entries(free, counted)
    return {"anyOf": [value, several, asked, _OTHER]}


def _asked(name: str, operators: list[str], value: Schema) -> Schema:
    return {
        "type": "object",
        "minProperties": 1,
        "properties": {
            **{one: _operator(one, value) for one in operators},
            **_combiners(name),
        },
        "additionalProperties": False,
    }


def _operator(operator: str, value: Schema) -> Schema:
    told = {"description": ABOUT[operator]}
    if operator == "one_of":
        named = {"type": "string", "minLength": 1, "description": "The name of one of `lists`."}
        return told | {"anyOf": [{"type": "array", "minItems": 1, "items": value}, named]}
    if operator == "between":
        ends = [value] if value in (_NUMBER, _DATE) else [_NUMBER, _DATE]
        each = [{"type": "array", "minItems": 2, "maxItems": 2, "items": one} for one in ends]
        return told | {"anyOf": each}
    wanted = _WHATEVER_THE_KIND.get(operator, value)
    return told | ({"anyOf": [wanted, _OTHER]} if operator in COMPARES_FIELDS else wanted)


def _combiners(name: str) -> dict[str, Schema]:
    part = {"$ref": f"#/$defs/{name}"}
    several = {"type": "array", "minItems": 1, "items": part}
    return {
        "any": {"description": ABOUT["any"], **several},
        "all": {"description": ABOUT["all"], **several},
        "not": {"description": ABOUT["not"], **part},
    }


def _kind(is_group: bool, fields: list[tuple[str, Field]]) -> str:
    """Of what sources send in different ways nothing is known."""
    kinds = {one.kind for _, one in fields}
    if is_group and kinds == {"list"}:
        return _LISTED
    return kinds.pop() if len(kinds) == 1 else "anything"


def _about(source: str, one: Field) -> str:
    events = "" if "*" in one.events else f" ({', '.join(one.events)})"
    whose = f"{source}: " if source else ""
    example = f", such as {_said(one.example)}" if one.example not in ([], {}, None) else ""
    return f"{whose}{one.about}{example}{events}"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
