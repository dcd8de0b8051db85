"""What a webhook says, and what proves who says it.

CloudEvents 1.0 in structured mode: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
and .../bindings/http-protocol-binding.md; signatures:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import JsonValue, field_validator, model_validator
from standardwebhooks import Webhook

from bridge.connector import Field, Item
from connectors.webhook.settings import WebhookSettings

LONGEST = 1_000_000
"""In bytes. Zapier takes 10 MB and Make 5 MB; nobody wants that much of one event."""

KINDS = {"json": "application/json", "cloudevents": "application/cloudevents+json"}

# What the attributes of a CloudEvent must not hold.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_UNNAMED = "unnamed"


class Post(Item):
    """Texts are filled in from the event; whatever else the rule writes keeps its type."""

    example: ClassVar[Mapping[str, Any]] = {
        "body": {
            "order": "{{ order.id }}",
            "total": "{{ order.total }}",
            "currency": "{{ order.currency }}",
            "buyer": {"name": "{{ contact.name }}", "email": "{{ contact.email }}"},
            "paid": True,
        },
    }

    body: JsonValue = Field(
        default=None,
        description="What is sent, as JSON: names and values as the receiver wants them. Without "
        "it the whole event is sent, under the names that rules use.",
    )
    format: Literal["json", "cloudevents"] = Field(
        default="json",
        description="`json` sends the body as it is; `cloudevents` puts it into a CloudEvents 1.0 "
        "envelope with the event's id, source, type and time.",
    )
    subject: str = Field(
        default="", description="What the event is about, such as the order; only in a CloudEvent."
    )
    path: str = Field(
        default="",
        description="A path below the account's `url`, such as `orders/{{ order.id }}`. Each path "
        "has a lane of its own.",
    )

    @field_validator("body")
    @classmethod
    def _can_be_written(cls, body: JsonValue) -> JsonValue:
        if _written(body) is None:
            raise ValueError("a number in it is endless or no number, which JSON cannot say")
        return body

    @field_validator("path")
    @classmethod
    def _below(cls, path: str) -> str:
        if not path.strip():
            return ""
        parts = path.strip().strip("/").split("/")
        if any(part in ("", ".", "..") or part.isspace() for part in parts):
            raise ValueError("a path has no empty parts and does not lead up")
        return "/".join(parts)

    @model_validator(mode="after")
    def _subject_in_envelope(self) -> Self:
        if self.subject and self.format != "cloudevents":
            raise ValueError("`subject` is for `format: cloudevents`")
        return self


def content(item: Post) -> bytes:
    """The body as it is sent; lone surrogates, which no UTF-8 has, become question marks."""
    said: Any = item.event if item.body is None else item.body
    if item.format == "cloudevents":
        said = _envelope(item, said)
    return _written(said) or b""


def path_of(item: Post, base: str) -> str:
    """The path of the request: below `base`, with every odd character quoted."""
    if not item.path:
        return base or "/"
    return f"{base.rstrip('/')}/{quote(item.path, safe='/', errors='replace')}"


def headers_of(settings: WebhookSettings, item: Post, body: bytes, now: datetime) -> dict[str, str]:
    """All headers but those of HTTP itself. `webhook-id` is the same on every attempt."""
    name = item.sent_as or _UNNAMED
    headers = {
        "User-Agent": "showbridge",
        **settings.own_headers(),
        "Content-Type": KINDS[item.format],
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
    }
    if settings.signing_secret:
        signer = Webhook(settings.signing_secret.get_secret_value())
        headers["webhook-signature"] = signer.sign(name, now, body.decode())
    return headers


def _envelope(item: Post, data: Any) -> dict[str, Any]:
    about = item.event.get("event") or {}
    envelope = {
        "specversion": "1.0",
        "id": _attribute(about.get("id")) or item.sent_as or _UNNAMED,
        "source": f"/showbridge/{quote(_attribute(about.get('source')), safe='')}",
        "type": _attribute(about.get("type")) or "event",
        "time": _attribute(about.get("time")),
        "subject": _attribute(item.subject),
        "datacontenttype": "application/json",
        "data": data,
    }
    return {name: value for name, value in envelope.items() if value != "" or name == "data"}


def _attribute(value: Any) -> str:
    return _CONTROL.sub("", value)[:500].strip() if isinstance(value, str) else ""


def _written(value: Any) -> bytes | None:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return None
    return text.encode(errors="replace")
