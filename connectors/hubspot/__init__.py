"""HubSpot: contacts and what belongs to them: deals, notes, lists, events, subscriptions."""

from connectors.hubspot.connector import (
    CONTACTS,
    HubSpot,
    HubSpotSettings,
    UpsertContact,
)

__all__ = [
    "CONTACTS",
    "HubSpot",
    "HubSpotSettings",
    "UpsertContact",
]
