"""Subscribing people to marketing e-mail, and never anybody who has opted out.

The version 3 of this interface is used since HubSpot itself keeps to that there:
it "will not allow you to resubscribe contacts who have opted out", as version 4
does (https://developers.hubspot.com/docs/api-reference/legacy/communication-preferences/v3/guide).
Its answers do not tell who has opted out from who was never asked, so that is
asked of version 4, of which the SDK has no methods
(https://developers.hubspot.com/docs/api-reference/legacy/communication-preferences/status/get-subscription).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import BeforeValidator

from bridge.connector import Call, EmailAddress, Field, Item, NonEmpty
from connectors.hubspot.answers import Subject
from connectors.hubspot.deal_calls import NOT_REMEMBERED

PREFERENCES = "/communication-preferences/v3"
STATUSES = "/communication-preferences/v4/statuses"
SUBSCRIPTION = Subject("subscription", "communication_preferences.read_write")

Basis = Literal[
    "CONSENT_WITH_NOTICE",
    "LEGITIMATE_INTEREST_CLIENT",
    "LEGITIMATE_INTEREST_PQL",
    "LEGITIMATE_INTEREST_OTHER",
    "PERFORMANCE_OF_CONTRACT",
    "PROCESS_AND_STORE",
    "NON_GDPR",
]

LONGEST = 1_000
"""Characters of the explanation: HubSpot tells no limit."""


def _text(value: Any) -> str:
    return value.replace("\0", "").strip()[:LONGEST] if isinstance(value, str) else ""


class Subscribe(Item):
    """Only the person who agreed to marketing in this very event."""

    example: ClassVar[Mapping[str, Any]] = {
        "email": "{{ contact.email }}",
        "subscription": "Newsletter",
    }

    email: EmailAddress = Field(description="The address of the person who agreed to marketing.")
    subscription: Annotated[NonEmpty, Field(max_length=250)] = Field(
        description="The subscription type, by its name in HubSpot or its id."
    )
    legal_basis: Basis = Field(
        default="CONSENT_WITH_NOTICE",
        description="HubSpot's name of the legal basis; without it, consent that was freely given.",
    )
    explanation: Annotated[str, BeforeValidator(_text)] = Field(
        default="",
        description="What HubSpot keeps as the explanation of the legal basis; "
        "without it, in which event the person agreed.",
    )


def explained(item: Subscribe) -> str:
    """Names the event, and nobody."""
    told = item.event.get("event", {})
    at = f" ({told['type']} of {told['source']}, received {told['time']})" if told else ""
    return item.explanation or f"Agreed to marketing in the event that Showbridge received{at}"


def to_subscribe(item: Subscribe, subscription: str) -> dict[str, Any]:
    """The request's body; `subscription` is an id."""
    return {
        "emailAddress": item.email,
        "subscriptionId": subscription,
        "legalBasis": item.legal_basis,
        "legalBasisExplanation": explained(item),
    }


def status_path(item: Subscribe) -> str:
    return f"{PREFERENCES}/status/email/{quote(item.email, safe='')}"


def opted_out_path(item: Subscribe) -> str:
    return f"{STATUSES}/{quote(item.email, safe='')}"


def preview(_: Any, item: Subscribe) -> list[Call]:
    """As for somebody who was never asked."""
    named = not is_id(item.subscription)
    types = [Call("GET", f"{PREFERENCES}/definitions", when=NOT_REMEMBERED)] if named else []
    unless = "unless this person is subscribed, or has opted out"
    body = to_subscribe(item, "***" if named else item.subscription)
    return [
        *types,
        Call("GET", status_path(item)),
        Call("GET", opted_out_path(item), {"channel": "EMAIL"}, when=unless),
        Call("POST", f"{PREFERENCES}/subscribe", body=body, when=unless),
    ]


def is_id(subscription: str) -> bool:
    return subscription.isascii() and subscription.isdigit()


def named_types(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names[:12]) or "none"
