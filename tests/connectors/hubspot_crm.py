"""A HubSpot account with deals and notes, in memory, by HubSpot's rules, for a `VendorServer`.

Deals are known by properties of unique values, and notes hang on contacts and deals.
Every request has to be one that the SDK could make.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.testing.vendor import Answer, Request
from tests.connectors.hubspot_account import CORRELATION, Refusal
from tests.connectors.hubspot_marketing import Marketing, invalid, told
from tests.connectors.hubspot_models import assert_valid

DEALS = "/crm/v3/objects/deals"
LONGEST_NOTE = 65_536


def prop(name: str, kind: str = "string", field_type: str = "text", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.replace("_", " "),
        "type": kind,
        "fieldType": field_type,
        "groupName": "dealinformation",
        "options": [],
        "hasUniqueValue": False,
        **more,
    }


def options(*values: str) -> list[dict[str, Any]]:
    return [{"label": each, "value": each, "displayOrder": n} for n, each in enumerate(values)]


def pipeline(key: str, label: str, order: int, **stages: str) -> dict[str, Any]:
    """`stages` are labels by id, in their order; HubSpot tells them in another."""
    told = [
        {"id": each, "label": name, "displayOrder": n, "metadata": {"isClosed": "false"}}
        for n, (each, name) in enumerate(stages.items())
    ]
    return {"id": key, "label": label, "displayOrder": order, "stages": told[::-1]}


def _properties() -> list[dict[str, Any]]:
    return [
        prop("dealname"),
        prop("dealstage", "enumeration", "radio"),
        prop("pipeline", "enumeration", "select"),
        prop("amount", "number", "number"),
        prop("closedate", "datetime", "date"),
        prop("seats", "number", "number"),
        prop("venue", "enumeration", "select", options=options("Main hall", "Garden")),
        prop("order_number", hasUniqueValue=True),
        prop("remark"),
    ]


def _pipelines() -> list[dict[str, Any]]:
    return [
        pipeline("7001", "Group bookings", 1, g1="Asked", g2="Offered", g3="Booked"),
        pipeline(
            "default",
            "Sales Pipeline",
            0,
            appointmentscheduled="Appointment scheduled",
            contractsent="Contract sent",
            closedwon="Closed won",
            closedlost="Closed lost",
        ),
    ]


@dataclass
class Crm(Marketing):
    """One account; `broken` are the requests that HubSpot would not know what to make of."""

    properties: list[dict[str, Any]] = field(default_factory=_properties)
    pipelines: list[dict[str, Any]] = field(default_factory=_pipelines)
    deals: dict[str, dict[str, str]] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    traces: bool = True
    broken: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        try:
            assert_valid(request)
            return self._route(request)
        except AssertionError as error:
            self.broken.append(f"{request.method} {request.path}: {error}")
            raise
        except Refusal as refusal:
            return Answer(refusal.status, {**refusal.told(), "correlationId": CORRELATION})

    def deal(self, known_by: str, **properties: str) -> str:
        """A deal that is there, by its order's number."""
        return self._new(self.deals, {"order_number": known_by, **properties})

    def known(self, order: str) -> dict[str, str]:
        """The one deal of that number."""
        (found,) = [deal for deal in self.deals.values() if deal.get("order_number") == order]
        return found

    def linked(self, order: str) -> list[str]:
        """The addresses of a deal's contacts."""
        ids = [key for key, deal in self.deals.items() if deal.get("order_number") == order]
        people = self.account.contacts
        return sorted(people[contact]["email"] for deal, contact in self.links if deal in ids)

    def notes_of(self, email: str) -> list[dict[str, Any]]:
        contact = self.account.addresses[email]
        return [note for note in self.notes.values() if contact in note["contacts"]]

    def _route(self, request: Request) -> Answer:
        routes: dict[str, Callable[[Request], Answer]] = {
            "/crm/v3/objects/contacts": self.account.answer,
            "/crm/v3/properties/contacts": self.account.answer,
            "/crm/v3/properties/deals/groups": lambda asked: Answer(200, {"results": []}),
            "/crm/v3/properties/deals": self._properties,
            "/crm/v3/pipelines/deals": lambda _: Answer(200, {"results": self.pipelines}),
            f"{DEALS}/batch/read": self._read_deals,
            f"{DEALS}/batch/upsert": lambda asked: self._batch(asked, self._upsert),
            f"{DEALS}/batch/update": lambda asked: self._batch(asked, self._update),
            "/crm/v4/associations/deals/contacts/": self._associate,
            "/crm/v4/objects/contacts/": self._notes_of,
            "/crm/v3/objects/notes/batch/read": self._read_notes,
            "/crm/v3/objects/notes": self._note,
            "/crm/v3/lists/": self._lists,
            "/events/v3/send": self._event,
            "/communication-preferences/v3/definitions": self._types,
            "/communication-preferences/v3/status/email/": self._status,
            "/communication-preferences/v4/statuses/": self._precise_status,
            "/communication-preferences/v3/subscribe": self._subscribe,
        }
        return next(ask for start, ask in routes.items() if request.path.startswith(start))(request)

    def _properties(self, request: Request) -> Answer:
        if request.method == "POST":
            self.properties.append(request.body)
            return Answer(201, request.body)
        return Answer(200, {"results": self.properties})

    # Deals

    def _read_deals(self, request: Request) -> Answer:
        known_by = request.body["idProperty"]
        self._must_be_unique(known_by)
        asked = [each["id"] for each in request.body["inputs"]]
        assert len(asked) == len(set(asked)) <= 100
        found = {
            deal.get(known_by): (key, deal)
            for key, deal in self.deals.items()
            if deal.get(known_by) in asked
        }
        results = [
            {
                "id": key,
                "properties": {name: deal.get(name) for name in request.body["properties"]},
            }
            for key, deal in found.values()
        ]
        absent = [each for each in asked if each not in found]
        refusal = Refusal(404, "OBJECT_NOT_FOUND", "Could not get some DEAL objects.")
        errors = [refusal.told(ids=absent)] if absent else []
        return Answer(207 if errors else 200, told(results, errors))

    def _batch(
        self, request: Request, write: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> Answer:
        inputs = request.body["inputs"]
        ids = [each["id"] for each in inputs]
        assert len(ids) == len(set(ids)) <= 100, "HubSpot takes nothing twice"
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for each in inputs:
            trace = each["objectWriteTraceId"]
            try:
                written = write(each)
                results.insert(0, written | ({"objectWriteTraceId": trace} if self.traces else {}))
            except Refusal as refusal:
                errors.append(refusal.told(objectWriteTraceId=[trace]))
        if errors and not results:
            first = errors[0]
            raise Refusal(400, first["category"], first["message"], first["context"])
        return Answer(207 if errors else 200, told(results, errors))

    def _upsert(self, each: Mapping[str, Any]) -> dict[str, Any]:
        self._must_be_unique(each["idProperty"])
        self._check(each["properties"])
        found = [key for key, deal in self.deals.items() if deal[each["idProperty"]] == each["id"]]
        if found:
            self.deals[found[0]] |= each["properties"]
        elif not {"dealname", "dealstage", "pipeline"} <= set(each["properties"]):
            raise Refusal(400, "VALIDATION_ERROR", "a new deal needs its name, stage, pipeline")
        key = found[0] if found else self._new(self.deals, each["properties"])
        return {"id": key, "properties": self.deals[key], "new": not found}

    def _update(self, each: Mapping[str, Any]) -> dict[str, Any]:
        if each["id"] not in self.deals:
            raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        self._check(each["properties"])
        self.deals[each["id"]] |= each["properties"]
        return {"id": each["id"], "properties": self.deals[each["id"]]}

    def _must_be_unique(self, name: str) -> None:
        told = [each for each in self.properties if each["name"] == name]
        if not told or not told[0]["hasUniqueValue"]:
            raise Refusal(400, "VALIDATION_ERROR", f"{name} is not unique")

    def _check(self, properties: Mapping[str, str]) -> None:
        known = {each["name"] for each in self.properties}
        for name in properties:
            if name not in known:
                raise Refusal(400, "VALIDATION_ERROR", invalid("PROPERTY_DOESNT_EXIST", name))
        stages = {one["id"]: {stage["id"] for stage in one["stages"]} for one in self.pipelines}
        place = properties.get("pipeline"), properties.get("dealstage")
        if place != (None, None) and place[1] not in stages.get(str(place[0]), ()):
            raise Refusal(400, "VALIDATION_ERROR", invalid("INVALID_OPTION", "dealstage"))
        if properties.get("remark") == "poison":
            raise Refusal(400, "VALIDATION_ERROR", invalid("INVALID_STRING", "remark"))

    def _associate(self, request: Request) -> Answer:
        pairs = {(each["from"]["id"], each["to"]["id"]) for each in request.body["inputs"]}
        for deal, contact in pairs:
            assert deal in self.deals
            assert contact in self.account.contacts
        self.links |= pairs
        results = [{"from": {"id": one}, "to": {"id": other}} for one, other in pairs]
        return Answer(200, told(results, []))

    # Notes

    def _note(self, request: Request) -> Answer:
        properties = request.body["properties"]
        body = properties["hs_note_body"]
        assert len(body.encode("utf-16-le")) // 2 <= LONGEST_NOTE
        assert properties["hs_timestamp"]
        to: dict[int, list[str]] = {202: [], 214: []}
        for each in request.body["associations"]:
            (kind,) = each["types"]
            assert kind["associationCategory"] == "HUBSPOT_DEFINED"
            to[kind["associationTypeId"]].append(each["to"]["id"])
        assert set(to[202]) <= self.account.contacts.keys()
        assert set(to[214]) <= self.deals.keys()
        if "poison" in body:
            raise Refusal(400, "VALIDATION_ERROR", invalid("INVALID_STRING", "hs_note_body"))
        told = {**properties, "contacts": to[202], "deals": to[214]}
        return Answer(201, {"id": self._new(self.notes, told), "properties": properties})

    def _notes_of(self, request: Request) -> Answer:
        contact = request.path.split("/")[5]
        ids = [key for key, note in self.notes.items() if contact in note["contacts"]]
        after, limit = int(request.query.get("after", "0")), int(request.query["limit"])
        page = [{"toObjectId": int(key)} for key in ids[after : after + limit]]
        body: dict[str, Any] = {"results": page}
        if ids[after + limit :]:
            body["paging"] = {"next": {"after": str(after + limit)}}
        return Answer(200, body)

    def _read_notes(self, request: Request) -> Answer:
        ids = [each["id"] for each in request.body["inputs"]]
        assert len(ids) <= 100
        results = [{"id": key, "properties": self.notes[key]} for key in ids if key in self.notes]
        return Answer(200, told(results, []))
