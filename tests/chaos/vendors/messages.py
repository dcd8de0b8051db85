"""What goes over the wire: one request, one answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

REASONS = {200: "OK", 201: "Created", 204: "No Content", 207: "Multi-Status"}


@dataclass(frozen=True)
class Request:
    """`target` and `body` as they came; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @cached_property
    def data(self) -> dict[str, Any]:
        """The JSON object or the form that was sent; empty where it is neither."""
        if "form-urlencoded" in self.headers.get("content-type", ""):
            return dict(parse_qsl(self.body.decode()))
        try:
            data = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}


@dataclass(frozen=True)
class Answer:
    """`body` is JSON data, or text that goes out as it is."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_bytes(self) -> bytes:
        plain = isinstance(self.body, str)
        text = self.body if plain else json.dumps(self.body)
        payload = b"" if self.body is None else text.encode()
        kind = "text/html" if plain else "application/json"
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Refused')}"]
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(payload)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + payload
