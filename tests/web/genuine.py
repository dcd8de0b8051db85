"""Genuine webhooks of both sources, signed by the sources' own `sign`, each with its own id."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from uuid import UUID

from bridge.source import Source
from bridge.sources.showpad import Showpad
from bridge.sources.showpass import Showpass
from tests.web.conftest import joined, purchase
from tests.web.wire import request

SECRETS = {"showpass": "the-secret-of-showpass", "showpad": "the-secret-of-showpad"}
SOURCES: Mapping[str, Source] = {
    "showpass": Showpass(Showpass.Settings(), [SECRETS["showpass"]]),
    "showpad": Showpad(Showpad.Settings(), [SECRETS["showpad"]]),
}
NAMES = tuple(SOURCES)


@dataclass(frozen=True)
class Genuine:
    """What a vendor sends: a body, and the headers that sign it."""

    source: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return f"/hooks/{self.source}"

    @property
    def raw(self) -> bytes:
        return request(self.path, self.body, self.headers)


def genuine(random: Random, source: str, now: Callable[[], float]) -> Genuine:
    """A new one: its id is from `random`, its time is now."""
    body = new_body(random, source)
    return Genuine(source, body, sign(source, body, now()))


def new_body(random: Random, source: str) -> bytes:
    number = str(UUID(int=random.getrandbits(128)))
    return _BODIES[source].replace(_NUMBER, number.encode())


_NUMBER = b"{number}"
_BODIES = {
    "showpass": purchase(
        id="{number}",
        webhook_event_uuid="{number}",
        data={"transaction_id": "{number}", "customer_email": "{number}@example.com"},
    ),
    "showpad": joined(id="{number}"),
}


def sign(source: str, body: bytes, now: float, secret: str | None = None) -> Mapping[str, str]:
    return SOURCES[source].sign(body, secret or SECRETS[source], now)


def forged_headers(source: str, now: float) -> Mapping[str, str]:
    """Of the right form, and signed with no secret of ours: what a stranger can make."""
    return sign(source, json.dumps({"id": "a-stranger"}).encode(), now, "a-guess")
