"""Signed ticket purchases as prepared HTTP requests, each new."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from benchmarks.servers import SECRET
from bridge.sources.showpass import Showpass


def requests(count: int, *, persons: bool = False) -> Sequence[bytes]:
    """Of one person, or each of another."""
    sample = json.loads(Showpass.samples()[0].text)
    return [_request(sample, persons) for _ in range(count)]


def _request(sample: dict[str, Any], persons: bool) -> bytes:
    transaction = str(uuid4())[6:]
    data = {**sample["data"], "transaction_id": transaction}
    if persons:
        data["customer_email"] = f"{transaction}@example.com"
    fresh = {**sample, "id": transaction, "webhook_event_uuid": str(uuid4()), "data": data}
    body = json.dumps(fresh).encode()
    signed = Showpass(Showpass.Settings(), [SECRET]).sign(body, SECRET, 0.0)
    headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **signed,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /hooks/showpass HTTP/1.1\r\n{lines}\r\n".encode() + body
