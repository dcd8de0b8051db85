"""A connector on the bench: its author's items, and a vendor on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

from bridge.connector import Action, Connector, ConnectorSettings, Earlier, Item, Outcome, Pacer
from bridge.testing.probes import run
from bridge.testing.vendor import Reply, Request, VendorServer

PATIENCE = 5.0
HURRY = 0.25
"""The timeouts in seconds that the connector is given: where the vendor answers, where not."""


class ConnectorBench:
    """What the author of a connector fills in, and what the suite's checks work with.

    `vendor_server` speaks HTTP; a connector that speaks something else brings its own.
    """

    connector: ClassVar[type[Connector]]
    vendor_server: ClassVar[type[VendorServer]] = VendorServer

    def settings(self, base_url: str, timeout: float) -> ConnectorSettings:
        """Settings with their secrets set, for a vendor at this address."""
        raise NotImplementedError

    def item(self, action: str) -> Mapping[str, Any]:
        """The fields of an item that the vendor has not seen before and takes."""
        raise NotImplementedError

    def refused_item(self, action: str) -> Mapping[str, Any]:
        """The fields of an item that the vendor refuses for good."""
        raise NotImplementedError

    def earlier(self, action: str) -> Earlier | None:
        """What the items answer, for an action with `threads` that does nothing without."""
        return None

    def vendor(self, action: str, request: Request) -> Reply:
        """The vendor: takes `item`, also with other addresses in it; refuses `refused_item`."""
        raise NotImplementedError

    def _actions(self) -> list[Action]:
        return list(self.connector.actions().values())

    def _item(self, action: Action, delivery_id: str = "") -> Item:
        item = action.item.model_validate(self.item(action.name))
        return item.for_delivery(delivery_id, earlier=self.earlier(action.name))

    def _refused(self, action: Action) -> Item:
        item = action.item.model_validate(self.refused_item(action.name))
        return item.for_delivery("", earlier=self.earlier(action.name))

    @contextmanager
    def _serving(
        self, action: Action, timeout: float = PATIENCE, pacer: Pacer | None = None
    ) -> Iterator[tuple[Connector, VendorServer]]:
        handler = partial(self.vendor, action.name)
        with self.vendor_server(handler=handler) as server:
            yield self.connector(self.settings(server.url, timeout), pacer), server

    def _against(
        self, action: Action, reply: Reply, timeout: float = PATIENCE
    ) -> tuple[Outcome, int]:
        with self._serving(action, timeout) as (connector, server):
            server.script(reply)
            outcome = run(connector, action, self._item(action))
            return outcome, len(server.requests)
