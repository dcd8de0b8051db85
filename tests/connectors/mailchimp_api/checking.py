"""Whether a request is one that Mailchimp's own API file allows, and a vendor that looks.

Stricter than the file: names that it does not know are mistakes too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft7Validator, FormatChecker

from bridge.testing.vendor import Request, VendorServer

ROOT = "/3.0"
_FORMATS = FormatChecker(())

Json = Mapping[str, Any]


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(text: object) -> bool:
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


@cache
def _paths() -> Json:
    told: Json = json.loads((Path(__file__).parent / "requests.json").read_text("utf-8"))
    paths: Json = _closed(told["paths"])
    return paths


def _closed(schema: Any) -> Any:
    """With nothing allowed beside the properties that are named."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(one) for name, one in schema.items()}
    if isinstance(closed.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def mistakes(request: Request) -> list[str]:
    """What Mailchimp's API file has against a request; empty where nothing."""
    found = list(_operations(request))
    if not found:
        return [f"{request.method} {request.path}: there is no such call"]
    template, operation = found[0]
    wrong = [*_query(request, operation["parameters"]), *_body(request, operation)]
    return [f"{request.method} {template}: {each}" for each in wrong]


def _operations(request: Request) -> Iterator[tuple[str, Json]]:
    for template, methods in _paths().items():
        pattern = ROOT + re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(template))
        if re.fullmatch(pattern, unquote(request.path)) and request.method.lower() in methods:
            yield template, methods[request.method.lower()]


def _query(request: Request, parameters: list[Json]) -> Iterator[str]:
    known = {one["name"]: one["schema"] for one in parameters if one["in"] == "query"}
    for name, text in request.query.items():
        if name not in known:
            yield f"there is no parameter {name}"
        else:
            yield from _against(known[name], _parsed(text, known[name].get("type")), name)


def _parsed(text: str, kind: str | None) -> Any:
    if kind == "array":
        return text.split(",")
    return int(text) if kind == "integer" and text.isdecimal() else text


def _body(request: Request, operation: Json) -> Iterator[str]:
    if "requestBody" not in operation:
        if request.body is not None:
            yield "there is no body"
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    yield from _against(schema, request.body, "body")


def _against(schema: Json, value: Any, name: str) -> Iterator[str]:
    for error in Draft7Validator(schema, format_checker=_FORMATS).iter_errors(value):
        yield f"{name}.{error.json_path}: {error.message}"


class MailchimpServer(VendorServer):
    """Fails, when it closes, if any request was not one of Mailchimp's."""

    def close(self) -> None:
        super().close()
        assert_valid(self)


def assert_valid(server: VendorServer) -> None:
    wrong = [each for request in server.requests for each in mistakes(request)]
    assert not wrong, wrong[:5]
