"""HubSpot's lists, custom events and subscriptions, in memory, by HubSpot's rules.

Only lists that people fill take members, of events with one uuid the first counts,
and nobody who has opted out is subscribed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from bridge.testing.vendor import Answer, Request
from tests.connectors.hubspot_account import Account, Refusal


@dataclass
class Marketing:
    """`account` has the contacts."""

    account: Account = field(default_factory=Account)
    lists: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    event_names: tuple[str, ...] = ("pe123_ticket_bought",)
    statuses: dict[tuple[str, str], str] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)
    last: int = 9000

    def list_of(self, name: str, kind: str = "MANUAL", holds: str = "0-1") -> str:
        about = {"name": name, "processingType": kind, "objectTypeId": holds}
        key = self._new(self.lists, about)
        self.lists[key]["listId"] = key
        self.members[key] = set()
        return key

    def _new(self, held: dict[str, Any], value: Mapping[str, Any]) -> str:
        self.last += 1
        held[str(self.last)] = dict(value)
        return str(self.last)

    # Lists

    def _lists(self, request: Request) -> Answer:
        if request.method == "PUT":
            return self._change(request)
        named = unquote(request.path.rpartition("/")[2])
        by_name = "/name/" in request.path
        found = [
            told
            for key, told in self.lists.items()
            if (
                told["name"] == named and told["objectTypeId"] == "0-1" if by_name else key == named
            )
        ]
        if not found:
            raise Refusal(404, "OBJECT_NOT_FOUND", "List does not exist")
        return Answer(200, {"list": found[0]})

    def _change(self, request: Request) -> Answer:
        found = re.fullmatch(r"/crm/v3/lists/(\d+)/memberships/(add|remove)", request.path)
        assert found
        key, how = found.groups()
        if self.lists[key]["processingType"] == "DYNAMIC":
            raise Refusal(400, "VALIDATION_ERROR", "the list is dynamic")
        asked = set(request.body)
        missing = sorted(asked - self.account.contacts.keys())
        before = set(self.members[key])
        there = asked - set(missing)
        self.members[key] = before | there if how == "add" else before - there
        changed = sorted(self.members[key] ^ before)
        name = "recordsIdsAdded" if how == "add" else "recordIdsRemoved"
        return Answer(200, {name: changed, "recordIdsMissing": missing})

    # Events

    def _event(self, request: Request) -> Answer:
        body = request.body
        if body["eventName"] not in self.event_names:
            raise Refusal(404, "OBJECT_NOT_FOUND", "no such event")
        assert body["objectId"] in self.account.contacts
        if "poison" in body["properties"].values():
            raise Refusal(400, "VALIDATION_ERROR", invalid("INVALID_STRING", "ticket_type"))
        self.events.setdefault(body.get("uuid") or str(len(self.events)), body)
        return Answer(204)

    # Subscriptions

    def _types(self, _: Request) -> Answer:
        types = [{"id": "501", "name": "Newsletter"}, {"id": "502", "name": "One to One"}]
        return Answer(200, {"subscriptionDefinitions": types})

    def _status(self, request: Request) -> Answer:
        """As version 3 does: who opted out looks like who was never asked."""
        email = unquote(request.path.rpartition("/")[2]).lower()
        wide = email in self.opted_out
        told = [
            {
                "id": key,
                "name": key,
                "status": "SUBSCRIBED"
                if self.statuses.get((email, key)) == "SUBSCRIBED" and not wide
                else "NOT_SUBSCRIBED",
                "sourceOfStatus": "PORTAL_WIDE_STATUS" if wide else "SUBSCRIPTION_STATUS",
            }
            for key in ("501", "502")
        ]
        return Answer(200, {"recipient": email, "subscriptionStatuses": told})

    def _precise_status(self, request: Request) -> Answer:
        assert request.query == {"channel": "EMAIL"}
        email = unquote(request.path.rpartition("/")[2]).lower()
        statuses = [
            {
                "subscriptionId": int(key),
                "channel": "EMAIL",
                "status": self.statuses.get((email, key), "NOT_SPECIFIED"),
            }
            for key in ("501", "502")
        ]
        return Answer(200, told(statuses, []))

    def _subscribe(self, request: Request) -> Answer:
        body = request.body
        key = (body["emailAddress"].lower(), body["subscriptionId"])
        if key[1] not in ("501", "502"):
            raise Refusal(400, "VALIDATION_ERROR", "no such subscription")
        if self.statuses.get(key) == "UNSUBSCRIBED" or key[0] in self.opted_out:
            raise Refusal(400, "VALIDATION_ERROR", "cannot subscribe an unsubscribed address")
        if not (body.get("legalBasis") and body.get("legalBasisExplanation")):
            raise Refusal(400, "VALIDATION_ERROR", "the legal basis is required")
        self.statuses[key] = "SUBSCRIBED"
        return Answer(200, {"id": key[1], "status": "SUBSCRIBED", "name": "Newsletter"})


def told(results: list[Any], errors: list[Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"status": "COMPLETE", "results": results}
    return body | ({"errors": errors, "numErrors": len(errors)} if errors else {})


def invalid(error: str, name: str) -> str:
    told = f'[{{"isValid":false,"error":"{error}","name":"{name}"}}]'
    return f"Property values were not valid: {told}"
