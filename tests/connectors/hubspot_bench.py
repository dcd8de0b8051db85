"""One HubSpot action before a HubSpot in memory: what the tests of the actions share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from pydantic import SecretStr

from bridge.connector import Action, Item, Outcome
from bridge.testing.connectors import ConnectorConformance
from bridge.testing.vendor import Answer, Reply, Request, VendorServer
from connectors.hubspot import HubSpot, HubSpotSettings
from tests.connectors.hubspot_account import CORRELATION
from tests.connectors.hubspot_crm import Crm

TOKEN = "pat-na1-secret-0001"
LIMITED = {
    "status": "error",
    "message": "You have reached your secondly limit.",
    "correlationId": CORRELATION,
    "category": "RATE_LIMITS",
}
BARRED = Answer(
    403, {"status": "error", "category": "MISSING_SCOPES", "correlationId": CORRELATION}
)


def settings(base_url: str, timeout: float = 5.0) -> HubSpotSettings:
    return HubSpotSettings(access_token=SecretStr(TOKEN), base_url=base_url, timeout=timeout)


class HubSpotConformance(ConnectorConformance):
    """Inherit with `action`, and fill in the items."""

    connector = HubSpot
    throttled: ClassVar[Answer] = Answer(429, LIMITED)
    action: ClassVar[str]

    def _actions(self) -> list[Action]:
        return [self.connector.actions()[self.action]]

    def settings(self, base_url: str, timeout: float) -> HubSpotSettings:
        return settings(base_url, timeout)

    def setup_method(self) -> None:
        self.crm = Crm()
        self.prepare(self.crm)

    def teardown_method(self) -> None:
        assert not self.crm.broken

    def prepare(self, crm: Crm) -> None:
        """What is there before."""

    def vendor(self, action: str, request: Request) -> Reply:
        return self.crm.answer(request)


class Hub:
    """A connector at a HubSpot in memory; `requests` are all that came."""

    def __init__(self, crm: Crm, server: VendorServer) -> None:
        self.crm = crm
        self.server = server
        self.hubspot = HubSpot(settings(server.url))

    @property
    def requests(self) -> list[Request]:
        return self.server.requests

    def calls(self) -> list[str]:
        """Since the last time it was asked; without what is remembered."""
        told = [
            f"{each.method} {each.path}"
            for each in self.requests
            if "/properties/" not in each.path and "/pipelines/" not in each.path
        ]
        self.requests.clear()
        return told

    def do(self, action: str, *items: Item) -> Sequence[Outcome]:
        outcomes: list[Outcome] = getattr(self.hubspot, action)(items)
        assert len(outcomes) == len(items)
        return outcomes

    def one(self, action: str, item: Item) -> Outcome:
        (outcome,) = self.do(action, item)
        return outcome

    def instead(self, path: str, *replies: Reply) -> None:
        """The next requests whose path ends so get these; all others HubSpot's own."""
        waiting = list(replies)

        def answer(request: Request) -> Reply:
            if request.path.endswith(path) and waiting:
                return waiting.pop(0)
            return self.crm.answer(request)

        self.server.handler = answer


@contextmanager
def hub(crm: Crm) -> Iterator[Hub]:
    with VendorServer(handler=crm.answer) as server:
        yield Hub(crm, server)
    assert not crm.broken
