"""The fields that every event has, whatever its source, as documents describe them."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.source import Field

COMMON_FIELDS: tuple[Field, ...] = (
    Field("contact.email", "text", "the person's address", "priya@example.com"),
    Field("contact.name", "text", "the whole name; Showpad sends none", "Priya Raman"),
    Field("contact.first_name", "text", "the first word of the name", "Priya"),
    Field("contact.last_name", "text", "the rest of the name", "Raman"),
    Field("contact.phone", "text", "the telephone number, as it was typed", "+1 403 555 0142"),
    Field(
        "contact.consent",
        "yes/no",
        "yes only where the person agreed to marketing in this very event; not known where"
        " nobody asked",
        True,
    ),
    Field("event.type", "text", "the event's type", "invoice.purchase"),
    Field("event.source", "text", "the source's name in bridge.yaml", "showpass"),
    Field(
        "event.time",
        "date",
        "when it was received, by the bridge's clock; the same on every replay",
        datetime(2027, 3, 9, 17, 2, 11, tzinfo=UTC),
    ),
    Field(
        "event.id",
        "text",
        "the event's own name; the same on every replay",
        "9f2c41d07a6b8e35c1d4a7f0",
    ),
    Field(
        "raw",
        "anything",
        "the sender's own data, as it was sent, without barcodes: `raw.partner_slug`",
        {},
    ),
)
"""In the order of the documents; sources declare their own beside them."""
