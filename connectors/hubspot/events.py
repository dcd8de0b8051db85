"""Custom events, on the timelines of contacts and in reports, for plans that have them.

https://developers.hubspot.com/docs/api-reference/2026-03/events/send-event-data/send-event-occurrence:
of several with the same `uuid` within a year HubSpot takes the first alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid5

from pydantic import AfterValidator, BeforeValidator

from bridge.connector import Call, Delivered, EmailAddress, Field, Item, NonEmpty, Outcome, Rejected
from connectors.hubspot import people
from connectors.hubspot.answers import Answer, Subject, outcome
from connectors.hubspot.calls import Line, Turn
from connectors.hubspot.moments import moment
from connectors.hubspot.people import key_of, made_sure

SEND = "/events/v3/send"
EVENT = Subject("custom event", "analytics.behavioral_events.send")

_OURS = UUID("6d5f6c1e-6c6f-5f0e-9f0b-5b9a6d0f4c11")
"""Of these, and of the delivery, each event's own id is made."""

_NAME = re.compile(r"pe\d+_\w{1,200}", re.ASCII)


def _internal(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("must be the event's internal name, such as pe12345678_ticket_bought")
    return name


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\0", "").strip() if isinstance(value, str | int | float) else ""


def _texts(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    texts = {str(name): _text(given) for name, given in value.items()}
    return {name: text for name, text in texts.items() if text}


class LogEvent(Item):
    """The event has to be defined in HubSpot before."""

    example: ClassVar[Mapping[str, Any]] = {
        "name": "pe12345678_ticket_bought",
        "email": "{{ contact.email }}",
        "properties": {"ticket_type": "{{ tickets[0].type }}"},
    }

    name: Annotated[NonEmpty, AfterValidator(_internal)] = Field(
        description="The custom event's internal name, as HubSpot shows it beside the event."
    )
    email: EmailAddress = Field(
        description="The contact's address; where there is no such contact, "
        "one with nothing but the address is made."
    )
    properties: Annotated[dict[str, str], BeforeValidator(_texts)] = Field(
        default_factory=dict,
        description="The event's properties by their internal names, and their values.",
    )
    time: Annotated[str, BeforeValidator(_text)] = Field(
        default="",
        description="When it happened; without it, or where it is no time, "
        "when the event was received.",
    )


def log_event(line: Line, item: LogEvent) -> Outcome:
    """Raises Halted."""
    contact = made_sure(Turn(line), [item.email])[key_of(item.email)]
    if not isinstance(contact, str):
        return contact
    return _logged(line.request("POST", SEND, to_send(item, contact)), item)


def to_send(item: LogEvent, contact: str) -> dict[str, Any]:
    """The request's body."""
    body: dict[str, Any] = {"eventName": item.name, "objectId": contact}
    body["properties"] = item.properties
    if at := moment(item, item.time):
        body["occurredAt"] = at
    if item.delivery_id:
        body["uuid"] = str(uuid5(_OURS, item.delivery_id))
    return body


def preview(_: Any, item: LogEvent) -> list[Call]:
    """As for somebody who is not there."""
    return [*people.preview(item.email), Call("POST", SEND, body=to_send(item, "***"))]


def _logged(answer: Answer, item: LogEvent) -> Outcome:
    if answer.ok and not answer.text.strip():
        return Delivered()
    if answer.status == 409:
        return Delivered(remark="HubSpot had this event already")
    if answer.status in (402, 403) and answer.body:
        return Rejected(
            "HubSpot does not let this account log custom events: they need an Enterprise plan, "
            f"and the access token the scope {EVENT.scopes}"
        )
    if answer.status == 404 and answer.body:
        return Rejected(
            f"HubSpot has no custom event `{item.name}`; define it there, "
            "under Data Management, Event Management"
        )
    return outcome(answer, item.properties, EVENT)
