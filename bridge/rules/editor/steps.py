"""The schema of `do`: every action of every account, with the fields that its item declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import BeforeValidatorFunctionSchema

from bridge.connector import Action, Connector
from bridge.rules.editor import patterns

Schema = dict[str, Any]

_FILLED_IN: Schema = {"type": "string", "pattern": patterns.TEMPLATE}
_PARTS = ("anyOf", "oneOf", "allOf")
_OWN = "read in its own way"
# As pydantic reads texts where a number or a truth value is wanted.
_WRITTEN: Mapping[str, Schema] = {
    "integer": {"type": "string", "pattern": patterns.NUMBER},
    "number": {"type": "string", "pattern": patterns.NUMBER},
    "boolean": {
        "type": "string",
        "pattern": patterns.whole(patterns.one_of("true", "false", "yes", "no", "on", "off")),
    },
}


class _Generator(GenerateJsonSchema):
    """Marks what a connector reads before pydantic does: it may take more than its type says."""

    def function_before_schema(self, schema: BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        return {**super().function_before_schema(schema), _OWN: True}


def definitions(accounts: Mapping[str, type[Connector]]) -> dict[str, Schema]:
    """One step, and the items of all connectors that are in use."""
    made: dict[str, Schema] = {
        "step": {
            "description": "One action of an account, with its fields indented below it.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {
                f"{account}.{name}": {"$ref": f"#/$defs/{_named(connector, action)}"}
                for account, connector in accounts.items()
                for name, action in sorted(connector.actions().items())
            },
            "additionalProperties": False,
        }
    }
    for connector in accounts.values():
        for action in connector.actions().values():
            made |= _item(_named(connector, action), action)
    return made


def _named(connector: type[Connector], action: Action) -> str:
    """The same for all accounts of a connector; no two modules' names clash."""
    return f"{connector.__module__.replace('.', '_')}_{connector.name}_{action.name}"


def _item(name: str, action: Action) -> dict[str, Schema]:
    """The item, and the groups in it, under names of their own."""
    schema = action.item.model_json_schema(by_alias=True, schema_generator=_Generator)
    groups = schema.pop("$defs", {})
    item = _fillable(schema, name)
    item |= {"description": action.about, "markdownDescription": _hover(action)}
    if not item.get("required"):
        # Nothing below an action is no field, and YAML calls that null.
        item["type"] = ["object", "null"]
    return {name: item, **{f"{name}_{one}": _fillable(of, name) for one, of in groups.items()}}


def _hover(action: Action) -> str:
    if not action.item.example:
        return action.about
    fields = ", ".join(f"`{name}`" for name in action.item.example)
    return f"{action.about}\n\nOften written with {fields}."


def _fillable(schema: Any, name: str) -> Any:
    """The same, where each text, number or choice may also be one that is filled in."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        group = schema["$ref"].rpartition("/")[2]
        return {**_told(schema), "$ref": f"#/$defs/{name}_{group}"}
    if _OWN in schema:
        return {**_told(schema), **_loose(schema.get("type"))}
    made = {
        key: _below(key, value, name)
        for key, value in schema.items()
        if key not in ("title", "default")
    }
    return _or_filled_in(made) if _is_plain(made) else made


def _loose(kind: Any) -> Schema:
    """Whether it is a group can be told, and no more."""
    if kind == "object":
        return {"type": "object"}
    return {
        "type": ["string", "number", "boolean", "null", *(["array"] if kind == "array" else [])]
    }


def _below(key: str, value: Any, name: str) -> Any:
    """What stands under one keyword of a schema."""
    if key in ("properties", "patternProperties"):
        return {one: _fillable(below, name) for one, below in value.items()}
    if key in ("items", "additionalProperties"):
        return _fillable(value, name)
    return [_fillable(part, name) for part in value] if key in _PARTS else value


def _is_plain(schema: Schema) -> bool:
    """What is one value, and more particular than any text."""
    kind = schema.get("type")
    if kind in _WRITTEN or "enum" in schema or "const" in schema:
        return True
    return kind == "string" and any(
        key in schema for key in ("pattern", "format", "minLength", "maxLength")
    )


def _or_filled_in(schema: Schema) -> Schema:
    alone = {key: value for key, value in schema.items() if key not in ("description", "examples")}
    written = [_WRITTEN[alone["type"]]] if alone.get("type") in _WRITTEN else []
    return {**_told(schema), "anyOf": [alone, *written, _FILLED_IN]}


def _told(schema: Schema) -> Schema:
    return {key: schema[key] for key in ("description", "examples") if key in schema}
