"""Notes on the timelines of contacts and deals: what rules hand over, and the note's text. Pure.

https://developers.hubspot.com/docs/api-reference/latest/crm/activities/notes/guide
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from bridge.connector import Call, EmailAddress, Field, Item, NonEmpty
from connectors.hubspot import people
from connectors.hubspot.answers import Subject
from connectors.hubspot.deal_calls import NOT_REMEMBERED, READ, to_read
from connectors.hubspot.deals import OBJECT
from connectors.hubspot.moments import moment

NOTES = "/crm/v3/objects/notes"
NOTE = Subject("note", "crm.objects.contacts.read and crm.objects.contacts.write")

LONGEST = 65_536
"""Characters of a note, tags and all, as HubSpot counts them: in UTF-16."""

# https://developers.hubspot.com/docs/api-reference/latest/crm/associations/association-details
TO_CONTACT, TO_DEAL = 202, 214

# Control characters but for line breaks and tabs; what turns the direction of writing; halves of
# characters.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FOOT = "<br><br><em>Showbridge {}</em>"


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""


Text = Annotated[str, BeforeValidator(_text)]


class AddNote(Item):
    """On the contact's timeline, and on the deal's where one is named."""

    example: ClassVar[Mapping[str, Any]] = {
        "email": "{{ contact.email }}",
        "text": "Bought {{ tickets | length }} tickets, order {{ order.id }}",
        "deal_id_property": "showpass_order",
        "deal_id": "{{ order.id }}",
    }

    email: EmailAddress = Field(
        description="The contact's address; where there is no such contact, "
        "one with nothing but the address is made."
    )
    text: NonEmpty = Field(
        description="What the note says: plain text, in which line breaks are kept."
    )
    deal_id_property: Text = Field(
        default="",
        description="HubSpot's internal name of the deal property that holds `deal_id`; "
        "its values must be unique.",
    )
    deal_id: Text = Field(
        default="",
        description="What the deal is known by that the note is put on as well; "
        "without it the note is on the contact alone.",
    )
    time: Text = Field(
        default="",
        description="When it happened; without it, or where it is no time, "
        "when the event was received.",
    )

    @model_validator(mode="after")
    def _deal_by_property(self) -> Self:
        if self.deal_id and not self.deal_id_property:
            raise ValueError("`deal_id` needs `deal_id_property` beside it")
        return self

    @property
    def names_deal(self) -> bool:
        return bool(self.deal_id and self.deal_id_property)


def body(item: AddNote) -> str:
    """The note in HTML; at its foot stands the delivery, by which it is found again."""
    foot = _FOOT.format(item.sent_as) if item.sent_as else ""
    return cut(_UNWANTED.sub("", item.text), LONGEST - len(foot)) + foot


def carries(found: str, item: AddNote) -> bool:
    """Whether a note is this item's."""
    return bool(item.sent_as) and item.sent_as in found


def cut(text: str, room: int) -> str:
    """Escaped, and no longer than `room`; what is cut ends in an ellipsis."""
    parts = [_escaped(character) for character in text[: room + 1]]
    lengths = [_length(part) for part in parts]
    if sum(lengths) <= room and len(text) <= room:
        return "".join(parts)
    while sum(lengths) > room - 1:
        over = sum(lengths) - (room - 1)
        several = max(1, over // max(lengths))
        del lengths[-several:], parts[-several:]
    return "".join(parts) + "…"


def timestamp(item: AddNote) -> str:
    """Where the note stands on the timeline: in UTC."""
    planned = datetime.fromtimestamp(item.planned_at or 0, UTC).isoformat(timespec="milliseconds")
    return moment(item, item.time) or planned.replace("+00:00", "Z")


def to_create(item: AddNote, contact: str, deal: str) -> dict[str, Any]:
    """The request's body; `deal` is empty where there is none."""
    links = [_link(contact, TO_CONTACT), *([_link(deal, TO_DEAL)] if deal else [])]
    properties = {"hs_timestamp": timestamp(item), "hs_note_body": body(item)}
    return {"properties": properties, "associations": links}


def preview(_: Any, item: AddNote) -> list[Call]:
    """As for somebody who is not there, on a deal that is."""
    new = Call("POST", NOTES, body=to_create(item, "***", "***" if item.names_deal else ""))
    person = people.preview(item.email)
    if not item.names_deal:
        return [*person, new]
    types = Call("GET", f"/crm/v3/properties/{OBJECT}", when=NOT_REMEMBERED)
    asked = to_read(item.deal_id_property, [item.deal_id])
    return [types, *person, Call("POST", READ, body=asked), new]


def _link(to: str, kind: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
    return {"to": {"id": to}, "types": types}


def _escaped(character: str) -> str:
    return "<br>" if character == "\n" else html.escape(character)


def _length(part: str) -> int:
    return len(part) + (len(part) == 1 and ord(part) > 0xFFFF)
