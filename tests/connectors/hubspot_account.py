"""A HubSpot account in memory, by HubSpot's rules, for a `VendorServer` to answer with.

At most 100 inputs for a batch and no contact twice, addresses unique over all
contacts and kept in lower case, lifecycle stages forward only, partial success
only where each input has its own `objectWriteTraceId`, results in another order,
options appended by a semicolon in front of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from bridge.testing.vendor import Answer, Request

CONTACTS = "/crm/v3/objects/contacts"
PROPERTIES = "/crm/v3/properties/contacts"
CORRELATION = "de61843f-b3ab-4bc1-8c54-358e37eb0621"
STAGES = ["subscriber", "lead", "opportunity", "customer"]

Properties = Mapping[str, str]


def definition(name: str, kind: str = "string", options: list[str] | None = None) -> dict[str, Any]:
    """A property as HubSpot tells it; options make it one of checkboxes, but for the stage."""
    field_type = "text" if kind == "string" else kind
    if options:
        kind, field_type = "enumeration", "radio" if name == "lifecyclestage" else "checkbox"
    told = [
        {"label": value.title(), "value": value, "displayOrder": place, "hidden": False}
        for place, value in enumerate(options or [])
    ]
    changes = {"readOnlyValue": False, "readOnlyDefinition": False, "archivable": True}
    return {
        "name": name,
        "label": name.replace("_", " "),
        "type": kind,
        "fieldType": field_type,
        "options": told,
        "modificationMetadata": changes,
        "hasUniqueValue": False,
    }


DEFINITIONS = [
    definition("lifecyclestage", options=STAGES),
    *map(definition, ["firstname", "city", "closedate", "step", "showbridge_counted"]),
    definition("visits", "number"),
    definition("spent", "number"),
    definition("interests", options=["jazz", "opera", "rock"]),
]


@dataclass(eq=False)
class Refusal(Exception):
    """As HubSpot says no, to a call or to one input of a batch."""

    status: int
    category: str
    message: str
    context: Mapping[str, list[str]] = field(default_factory=dict)

    def told(self, **context: list[str]) -> dict[str, Any]:
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": {**self.context, **context},
        }


@dataclass
class Account:
    """`names_culprits`: whether a batch of which a part is refused says which.

    `names_values`: whether a refusal says which property's value is wrong.

    `definitions` are the properties; None: the token may not read them, and all exist.
    """

    names_culprits: bool = True
    names_values: bool = True
    definitions: list[dict[str, Any]] | None = None
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    last: int = 100

    def answer(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except Refusal as refusal:
            body = {**refusal.told(), "correlationId": CORRELATION}
            return Answer(refusal.status, body)

    def add(self, email: str, **properties: str) -> str:
        return self._create({"email": email, **properties})

    def give(self, contact: str, address: str) -> None:
        """A second address for a contact."""
        self.addresses[address] = contact
        others = self.contacts[contact].get("hs_additional_emails", "")
        self.contacts[contact]["hs_additional_emails"] = f"{others};{address}".strip(";")

    def drop(self, contact: str) -> None:
        """As if it had been deleted."""
        del self.contacts[contact]
        self.addresses = {key: known for key, known in self.addresses.items() if known != contact}

    def people(self) -> dict[str, dict[str, str]]:
        """What is known, by address."""
        return {contact["email"]: contact for contact in self.contacts.values()}

    def _answer(self, request: Request) -> Answer:
        if request.path == PROPERTIES:
            return self._defined()
        name = unquote(request.path.removeprefix(CONTACTS).strip("/"))
        by_address = request.query.get("idProperty") == "email"
        contact = self.addresses.get(name.lower(), "") if by_address else name
        if request.method == "GET":
            return self._one(contact, request.query["properties"].split(","))
        if request.method == "PATCH":
            return Answer(200, self._shown(self._update(contact, request.body["properties"])))
        if not name:
            return Answer(201, self._shown(self._create(request.body["properties"])))
        return self._batch(name.removeprefix("batch/"), request.body)

    def _defined(self) -> Answer:
        if self.definitions is None:
            raise Refusal(403, "MISSING_SCOPES", "This app hasn't been granted all scopes.")
        return Answer(200, {"results": self.definitions})

    def _one(self, contact: str, names: list[str]) -> Answer:
        if contact not in self.contacts:
            raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        return Answer(200, self._shown(contact, names))

    def _batch(self, name: str, body: Mapping[str, Any]) -> Answer:
        inputs = body["inputs"]
        ids = [each["id"] for each in inputs if "id" in each]
        if not 0 < len(inputs) <= 100:
            raise Refusal(400, "VALIDATION_ERROR", "The maximum number of inputs is 100.")
        if twice := {each for each in ids if ids.count(each) > 1}:
            message = f"Duplicate IDs found in batch input: {sorted(twice)}. IDs must be unique"
            raise Refusal(400, "VALIDATION_ERROR", message, {"ids": sorted(twice)})
        return self._read(body) if name == "read" else self._write(name, inputs)

    def _read(self, body: Mapping[str, Any]) -> Answer:
        assert body["idProperty"] == "email"
        asked = [each["id"].lower() for each in body["inputs"]]
        found = {self.addresses[address] for address in asked if address in self.addresses}
        absent = [address for address in asked if address not in self.addresses]
        refusal = Refusal(404, "OBJECT_NOT_FOUND", "Could not get some CONTACT objects.")
        errors = [refusal.told(ids=absent)] if absent else []
        return _told([self._shown(each, body["properties"]) for each in sorted(found)], errors)

    def _write(self, name: str, inputs: list[dict[str, Any]]) -> Answer:
        traces = [each.get("objectWriteTraceId") for each in inputs]
        before = json.dumps([self.contacts, self.addresses])
        results, errors = [], []
        for one in inputs:
            try:
                written = (
                    self._create(one["properties"])
                    if name == "create"
                    else self._update(one["id"], one["properties"])
                )
                results.append(self._shown(written))
            except Refusal as refusal:
                if not self.names_culprits or None in traces or len({*traces}) < len(traces):
                    self.contacts, self.addresses = json.loads(before)
                    raise
                errors.append(refusal.told(objectWriteTraceId=[one["objectWriteTraceId"]]))
        return _told(results[::-1], errors[::-1], 201 if name == "create" else 200)

    def _check(self, properties: Properties) -> None:
        if not properties.get("closedate", "0").isdigit():
            problem = {"isValid": False, "error": "INVALID_LONG", "name": "closedate"}
            told = json.dumps([problem]) if self.names_values else "[]"
            raise Refusal(400, "VALIDATION_ERROR", f"Property values were not valid: {told}")

    def _create(self, properties: Properties) -> str:
        address = properties["email"].lower()
        self._check(properties)
        if known := self.addresses.get(address):
            message = f"Contact already exists. Existing ID: {known}"
            raise Refusal(409, "CONFLICT", message, {"existingId": [known]})
        self.last += 1
        contact = str(self.last)
        self.addresses[address] = contact
        self.contacts[contact] = {**properties, "email": address}
        return contact

    def _update(self, contact: str, properties: Properties) -> str:
        if contact not in self.contacts:
            raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found", {"ids": [contact]})
        self._check(properties)
        reached = self.contacts[contact].get("lifecyclestage")
        self.contacts[contact] |= {
            name: self._appended(contact, name, value) for name, value in properties.items()
        }
        if reached and _stage(properties) < STAGES.index(reached):
            self.contacts[contact]["lifecyclestage"] = reached
        return contact

    def _appended(self, contact: str, name: str, value: str) -> str:
        if not value.startswith(";"):
            return value
        ticked = [*self.contacts[contact].get(name, "").split(";"), *value.split(";")]
        return ";".join(dict.fromkeys(filter(None, ticked)))

    def _shown(self, contact: str, names: list[str] | None = None) -> dict[str, Any]:
        known = self.contacts[contact]
        properties = known if names is None else {name: known.get(name) for name in names}
        return {"id": contact, "properties": dict(properties), "archived": False}


def _stage(properties: Properties) -> int:
    return STAGES.index(properties["lifecyclestage"]) if "lifecyclestage" in properties else 99


def _told(results: list[Any], errors: list[Any], status: int = 200) -> Answer:
    body: dict[str, Any] = {"status": "COMPLETE", "results": results}
    if errors:
        body |= {"errors": errors, "numErrors": len(errors)}
    return Answer(207 if errors else status, body)
