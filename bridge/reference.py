"""What connectors, actions and settings take, read from their models, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bridge.connector import Action, Connector, ConnectorSettings

Schema = Mapping[str, Any]

_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "",
}
_MOST_CHOICES = 12


@dataclass(frozen=True)
class FieldReference:
    """One field: `path` is dotted for a field of a group; `default` is "" where there is none."""

    path: str
    kind: str
    required: bool
    default: str
    about: str


@dataclass(frozen=True)
class ActionReference:
    """One action, by the name that rules write; `notes` say how the engine treats it.

    `needs_consent`: it is done only for people who said yes in the event.
    """

    name: str
    about: str
    fields: Sequence[FieldReference]
    example: Mapping[str, Any]
    notes: Sequence[str]
    needs_consent: bool


def fields_of(model: type[BaseModel]) -> list[FieldReference]:
    """The fields in their order, those of groups after their group."""
    schema = model.model_json_schema(by_alias=True)
    return list(_fields(schema, schema.get("$defs", {}), ""))


def settings_of(connector: type[Connector]) -> list[FieldReference]:
    """What an account of this connector may say beyond what every account has."""
    common = set(ConnectorSettings.model_fields)
    return [each for each in fields_of(connector.Settings) if each.path not in common]


def actions_of(connector: type[Connector], account: str = "") -> list[ActionReference]:
    """In the order of their names, as rules write them for an account of that name."""
    name = account or connector.name
    return [
        ActionReference(
            f"{name}.{action.name}",
            action.about,
            fields_of(action.item),
            action.item.example,
            list(_notes(action)),
            action.consent_for is not None,
        )
        for _, action in sorted(connector.actions().items())
    ]


def _notes(action: Action) -> Iterator[str]:
    if action.consent_for:
        yield f"Only with consent: the person of `{action.consent_for}` said yes in this event."
    if action.withdraws_for:
        yield f"Takes the person of `{action.withdraws_for}` off a list; needs no consent."
    if action.batch > 1:
        yield f"Up to {action.batch} at a time."
    if action.digest and action.digest.always:
        yield "All that is due comes as one message."
    elif action.digest:
        yield "Where the lane is behind, what waits comes as one message."
    if not action.idempotent:
        yield "Twice is not once: where an answer is lost, it is looked up before it is repeated."


def _fields(schema: Schema, shared: Schema, prefix: str) -> Iterator[FieldReference]:
    required = schema.get("required", ())
    for name, given in schema.get("properties", {}).items():
        inner = _resolved(given, shared)
        default = given.get("default", inner.get("default"))
        yield FieldReference(
            path=prefix + name,
            kind=_kind(inner, shared),
            required=name in required,
            default=_default(default),
            about=" ".join(str(given.get("description") or "").split()),
        )
        group = _group(inner, shared)
        if group:
            yield from _fields(group, shared, f"{prefix}{name}.")


def _resolved(schema: Schema, shared: Schema) -> Schema:
    """Without references and without the choice of leaving it out."""
    if "$ref" in schema:
        return _resolved(shared[schema["$ref"].rpartition("/")[2]], shared)
    if "allOf" in schema and len(schema["allOf"]) == 1:
        return _resolved(schema["allOf"][0], shared)
    parts = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return _resolved(parts[0], shared) if len(parts) == 1 else schema


def _group(schema: Schema, shared: Schema) -> Schema | None:
    """The model behind a field or behind each entry of its list."""
    if schema.get("type") == "array":
        return _group(_resolved(schema.get("items", {}), shared), shared)
    return schema if schema.get("properties") else None


def _kind(schema: Schema, shared: Schema) -> str:
    inner = _resolved(schema, shared)
    if "anyOf" in inner:
        kinds = dict.fromkeys(_kind(each, shared) for each in inner["anyOf"])
        return " or ".join(kind for kind in kinds if kind)
    if "enum" in inner or "const" in inner:
        choices = inner.get("enum", [inner.get("const")])
        return " or ".join(f"`{choice}`" for choice in choices[:_MOST_CHOICES])
    if inner.get("format") == "password":
        return "secret"
    if inner.get("type") == "array":
        member = _kind(inner.get("items", {}), shared)
        return f"list of {_many(member)}"
    if inner.get("type") == "object":
        return "group" if inner.get("properties") else "`name: value` lines"
    return _WORDS.get(str(inner.get("type")), "anything")


def _many(kind: str) -> str:
    return f"{kind}s" if kind in ("text", "number", "whole number", "group") else kind


def _default(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
