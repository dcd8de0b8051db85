"""Whether a request is one that HubSpot's own SDK could have made: its models take it."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import dataclass
from typing import Any

from bridge.testing.vendor import Request

# The SDK's package and its model of the body, by method and path; None: no body.
_BATCH = "BatchInputSimplePublicObject"
MODELS: dict[str, tuple[str, str | None]] = {
    r"POST /crm/v3/objects/deals/batch/read": ("crm.deals", "BatchReadInputSimplePublicObjectId"),
    r"POST /crm/v3/objects/deals/batch/upsert": ("crm.deals", f"{_BATCH}BatchInputUpsert"),
    r"POST /crm/v3/objects/deals/batch/update": ("crm.deals", f"{_BATCH}BatchInput"),
    r"POST /crm/v3/objects/contacts/batch/read": (
        "crm.contacts",
        "BatchReadInputSimplePublicObjectId",
    ),
    r"POST /crm/v3/objects/contacts/batch/create": (
        "crm.contacts",
        f"{_BATCH}BatchInputForCreate",
    ),
    r"POST /crm/v3/objects/contacts/batch/update": ("crm.contacts", f"{_BATCH}BatchInput"),
    r"POST /crm/v3/objects/contacts": ("crm.contacts", "SimplePublicObjectInputForCreate"),
    r"PATCH /crm/v3/objects/contacts/[^/]+": ("crm.contacts", "SimplePublicObjectInput"),
    r"GET /crm/v3/objects/contacts/[^/]+": ("crm.contacts", None),
    r"POST /crm/v4/associations/deals/contacts/batch/associate/default": (
        "crm.associations.v4",
        "BatchInputPublicDefaultAssociationMultiPost",
    ),
    r"GET /crm/v4/objects/contacts/[^/]+/associations/notes": ("crm.associations.v4", None),
    r"GET /crm/v3/properties/(deals|contacts)": ("crm.properties", None),
    r"GET /crm/v3/properties/(deals|contacts)/groups": ("crm.properties", None),
    r"POST /crm/v3/properties/deals/groups": ("crm.properties", "PropertyGroupCreate"),
    r"POST /crm/v3/properties/deals": ("crm.properties", "PropertyCreate"),
    r"GET /crm/v3/pipelines/deals": ("crm.pipelines", None),
    r"POST /crm/v3/objects/notes": ("crm.objects.notes", "SimplePublicObjectInputForCreate"),
    r"POST /crm/v3/objects/notes/batch/read": (
        "crm.objects.notes",
        "BatchReadInputSimplePublicObjectId",
    ),
    r"GET /crm/v3/lists/\d+": ("crm.lists", None),
    r"GET /crm/v3/lists/object-type-id/0-1/name/[^/]+": ("crm.lists", None),
    r"PUT /crm/v3/lists/\d+/memberships/(add|remove)": ("crm.lists", "list[str]"),
    r"POST /events/v3/send": ("events.send", "BehavioralEventHttpCompletionRequest"),
    r"GET /communication-preferences/v3/definitions": ("communication_preferences", None),
    r"GET /communication-preferences/v3/status/email/[^/]+": ("communication_preferences", None),
    r"POST /communication-preferences/v3/subscribe": (
        "communication_preferences",
        "PublicUpdateSubscriptionStatusRequest",
    ),
    # The SDK has no methods for this version.
    r"GET /communication-preferences/v4/statuses/[^/]+": ("communication_preferences", None),
}
OPTIONAL = {"objectWriteTraceId", "propertiesWithHistory"}


@dataclass
class _Response:
    data: str


def assert_valid(request: Request) -> None:
    """The models refuse what is missing, and give back without it what they do not know."""
    asked = f"{request.method} {request.path}"
    found = [model for pattern, model in MODELS.items() if re.fullmatch(pattern, asked)]
    assert found, f"the SDK makes no such request: {asked}"
    (package, model) = found[0]
    assert request.headers["authorization"].startswith("Bearer ")
    if model is None:
        assert not request.body, asked
        return
    client = importlib.import_module(f"hubspot.{package}").ApiClient()
    made = client.deserialize(_Response(json.dumps(request.body)), model)
    assert _shape(client.sanitize_for_serialization(made)) == _shape(request.body), asked


def _shape(value: Any) -> Any:
    """Without times, which the models write in another way."""
    if isinstance(value, dict):
        return {
            name: "at" if name == "occurredAt" else _shape(member)
            for name, member in value.items()
            if name not in OPTIONAL or member
        }
    return [_shape(member) for member in value] if isinstance(value, list) else value
