"""Groups of the schema from the models by which files are read: the same keys, the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]


def group(model: type[BaseModel], values: Mapping[str, Schema], **more: Any) -> Schema:
    """A group with the model's keys and descriptions; `values` says what each key may hold.

    Raises KeyError for a key of the model that `values` lacks.
    """
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    return {
        "type": "object",
        "properties": {
            key: {**_told(info.description, info.examples), **values[key]}
            for key, info in fields.items()
        },
        "required": [key for key, info in fields.items() if info.is_required()],
        "additionalProperties": False,
        **more,
    }


def _told(description: str | None, examples: list[Any] | None) -> Schema:
    told: Schema = {"description": description} if description else {}
    return {**told, "examples": examples} if examples else told
