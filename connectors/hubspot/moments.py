"""When something happened, as HubSpot's timelines take it. Pure."""

from __future__ import annotations

from bridge.connector import Item
from connectors.hubspot.definitions import Property
from connectors.hubspot.values import fitting

_MOMENT = Property("moment", type="datetime")


def moment(item: Item, told: str) -> str:
    """In UTC: what was told, where it is a time, or else when the event was received.

    Empty where nobody knows. A sender's clock may be wrong in any way, and no
    note or event should be lost for it.
    """
    received = str(item.event.get("event", {}).get("time", ""))
    for text in (told, received):
        found = fitting(_MOMENT, text) if text else None
        if isinstance(found, str):
            return found
    return ""
