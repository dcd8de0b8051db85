"""HubSpot: contacts, kept up to date by their e-mail address.

Pages that this rests on: updating by address
https://developers.hubspot.com/docs/api-reference/2026-03/crm/objects/contacts/update-contact,
limits https://developers.hubspot.com/changelog/increasing-our-api-limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from bridge.connector import (
    Call,
    Connector,
    ConnectorSettings,
    Outcome,
    Pacer,
    Rate,
    SecretStr,
    action,
)
from connectors.hubspot_batches import upsert
from connectors.hubspot_calls import Line, Turn
from connectors.hubspot_contacts import ADDRESS, UpsertContact

__all__ = ["CONTACTS", "HubSpot", "HubSpotSettings", "UpsertContact"]

CONTACTS = "/crm/v3/objects/contacts"
"""The path that the pinned SDK speaks; another SDK may speak another version."""


class HubSpotSettings(ConnectorSettings):
    """`access_token`: of a Service Key, or of a private app that still has one."""

    access_token: SecretStr | None = None


def _preview(settings: HubSpotSettings, item: UpsertContact) -> list[Call]:
    create = {"properties": {ADDRESS: item.email, **item.properties}}
    if not item.properties:
        return [Call("POST", CONTACTS, body=create)]
    path = f"{CONTACTS}/{quote(item.email, safe='')}"
    return [
        Call("PATCH", path, {"idProperty": ADDRESS}, {"properties": item.properties}),
        Call("POST", CONTACTS, body=create, when="no contact with this address yet"),
    ]


class HubSpot(Connector):
    """One HubSpot account.

    The declared limits are the smallest that HubSpot sells; its answers tell
    the account's own.
    """

    name = "hubspot"
    title = "HubSpot"
    Settings = HubSpotSettings
    rates = (Rate(100, 10.0), Rate(250_000, 86_400.0))

    def __init__(self, settings: Any, pacer: Pacer | None = None) -> None:
        super().__init__(settings, pacer)
        self._line = Line(self.settings, self.pacer)

    @action(UpsertContact, preview=_preview, batch=100, merges=True, shards=4)
    def upsert_contact(self, items: Sequence[UpsertContact]) -> list[Outcome]:
        """Create the contact with this e-mail address, or update the one that is there.

        Items of one contact are merged in their order. What an item would have
        set and a later one sets anew is never sent, so HubSpot cannot refuse it.
        """
        return upsert(Turn(self._line), items)
