"""A Slack workspace on this machine: what it answers, and a check on all that it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from bridge.connector import Action, Connector, Earlier, NotNow, Pacer, Seen
from bridge.testing.bench import PATIENCE
from bridge.testing.connectors import ConnectorConformance
from bridge.testing.vendor import Answer, VendorServer
from connectors.slack import SlackSettings
from tests.connectors.slack_limits import UNESCAPED, flaws

TOKEN = "xoxb-secret-0001"
HOOK = "/services/T0001/B0001/hooksecret0001"
CHANNEL = "C0123456789"
TS = "1700000000.000100"
POSTED = Answer(200, {"ok": True, "channel": CHANNEL, "ts": TS})
REFERENCE = f"{CHANNEL}:{TS}"
BEFORE = Earlier("C0123456789:1600000000.000100")
DELIVERY = "0123456789abcdef"


class Workspace(VendorServer):
    """Fails its test where Slack would not take something that it was sent."""

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        if error[0] is None:
            check(self)


def check(server: VendorServer, unescaped: bool = False) -> None:
    found = {flaw for request in server.requests for flaw in flaws(request)}
    assert not found - ({UNESCAPED} if unescaped else set())


class SlackConformance(ConnectorConformance):
    """The suite, and every request of it as Slack takes it."""

    unescaped = False

    @contextmanager
    def _serving(
        self, action: Action, timeout: float = PATIENCE, pacer: Pacer | None = None
    ) -> Iterator[tuple[Connector, VendorServer]]:
        with super()._serving(action, timeout, pacer) as (connector, server):
            yield connector, server
            check(server, self.unescaped)

    def test_hostile_texts_never_raise(self) -> None:
        """The suite puts them where rules have their own words, which nobody escapes."""
        self.unescaped = True
        super().test_hostile_texts_never_raise()


def failed(code: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {"ok": False, "error": code}, headers or {})


def bot(base_url: str, timeout: float = 5.0) -> SlackSettings:
    return SlackSettings(bot_token=SecretStr(TOKEN), base_url=base_url, timeout=timeout)


def hook(base_url: str, timeout: float = 5.0) -> SlackSettings:
    return SlackSettings(webhook_url=SecretStr(base_url + HOOK), timeout=timeout)


class Paced:
    """A pacer that notes each call's lane, and keeps those of some lanes waiting."""

    def __init__(self, *busy: str) -> None:
        self.busy = busy
        self.lanes: list[str] = []

    @contextmanager
    def call(self, lane: str = "") -> Iterator[None]:
        if lane in self.busy:
            raise NotNow(9.0)
        self.lanes.append(lane)
        yield

    def learn(self, seen: Sequence[Seen]) -> None:
        """Slack's headers tell nothing."""
