"""HubSpot's contacts: one by one and in batches of 100, within a rolling window.

https://developers.hubspot.com/docs/api-reference/error-handling: a batch tells
of each item by itself only where every input has an objectWriteTraceId of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.vendors.faults import Fate
from tests.chaos.vendors.limits import Window
from tests.chaos.vendors.messages import Answer, Request
from tests.chaos.vendors.record import Record

CONTACTS = "/crm/v3/objects/contacts"
PROPERTIES = "/crm/v3/properties/"
LARGEST_BATCH = 100
POISON = "poison"
"""A property of this name is never valid."""
DAILY = 250_000
CORRELATION = "aeb5f871-7f07-4993-9211-075dc63e7cbf"
_AT = "2026-01-01T00:00:00.000Z"

Properties = Mapping[str, str]


def refusal(status: int, category: str, message: str, **more: Any) -> Answer:
    body = {
        "status": "error",
        "message": message,
        "correlationId": CORRELATION,
        "category": category,
    }
    return Answer(status, body | more)


@dataclass(frozen=True)
class Problem:
    """Why one input of a batch, or a single call, is refused."""

    status: int
    category: str
    message: str

    def answer(self) -> Answer:
        return refusal(self.status, self.category, self.message)


@dataclass
class HubSpot:
    record: Record
    window: Window
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    by_email: dict[str, str] = field(default_factory=dict)
    daily: int = 0

    def endpoint(self, request: Request) -> str:
        kind = request.path.removeprefix(CONTACTS).strip("/")
        return kind if kind.startswith("batch/") else f"{request.method} contact"

    def properties(self) -> Answer:
        """What they are is no token's to know here: so all names and values are tried."""
        return refusal(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes.")

    def admit(self, request: Request, fate: Fate) -> Answer | None:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return refusal(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        if self.window.take():
            self.daily += 1
            self.record.peak("hubspot calls per window", len(self.window.taken))
            return None
        self.record.over_limit["hubspot window"] += 1
        return self.throttled(fate)

    def throttled(self, fate: Fate) -> Answer:
        """As seen in the wild, mostly without Retry-After."""
        message = "You have reached your ten_secondly_rolling limit."
        answer = refusal(429, "RATE_LIMITS", message, policyName="TEN_SECONDLY_ROLLING")
        headers = {"Retry-After": "10"} if fate.draw < 0.25 else {}
        return Answer(answer.status, answer.body, headers)

    def broken(self, fate: Fate) -> Answer:
        page = "<html><body>Service unavailable</body></html>"
        return Answer(500 + int(fate.draw * 4), page)

    def take(self, request: Request, fate: Fate) -> Answer:
        answer = self._take(request, fate)
        headers = {
            "X-HubSpot-RateLimit-Max": str(self.window.calls),
            "X-HubSpot-RateLimit-Remaining": str(self.window.left),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self.window.seconds * 1000)),
            "X-HubSpot-RateLimit-Daily": str(DAILY),
            "X-HubSpot-RateLimit-Daily-Remaining": str(DAILY - self.daily),
        }
        return Answer(answer.status, answer.body, headers | dict(answer.headers))

    def add(self, email: str, properties: Properties) -> str:
        """A contact that is there already; its id."""
        contact = str(1000 + len(self.contacts))
        self.contacts[contact] = {"email": email, **properties, "hs_object_id": contact}
        self.by_email[email.lower()] = contact
        return contact

    def _take(self, request: Request, fate: Fate) -> Answer:
        name = request.path.removeprefix(CONTACTS).strip("/")
        if name.startswith("batch/") and request.method == "POST":
            return self._batch(name.removeprefix("batch/"), request.data, fate)
        if request.method == "POST" and not name:
            return self._create(request.data.get("properties", {}))
        contact = self._known(name, request.query.get("idProperty"))
        if contact is None:
            return refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        if request.method == "PATCH":
            return self._update(contact, request.data.get("properties", {}))
        return Answer(200, self._shown(contact))

    def _known(self, name: str, by: str | None) -> str | None:
        if by == "email":
            return self.by_email.get(name.lower())
        return name if name in self.contacts else None

    def _create(self, properties: Properties) -> Answer:
        problem = self._problem_of_new(properties)
        return problem.answer() if problem else Answer(201, self._made(properties))

    def _update(self, contact: str, properties: Properties) -> Answer:
        problem = _invalid(properties)
        return problem.answer() if problem else Answer(200, self._changed(contact, properties))

    def _made(self, properties: Properties) -> dict[str, Any]:
        rest = {name: value for name, value in properties.items() if name != "email"}
        contact = self.add(properties["email"], rest)
        self.record.note("hubspot", "create", properties["email"].lower(), dict(properties))
        return self._shown(contact)

    def _changed(self, contact: str, properties: Properties) -> dict[str, Any]:
        self.contacts[contact].update(properties)
        email = self.contacts[contact]["email"].lower()
        self.record.note("hubspot", "update", email, dict(properties))
        return self._shown(contact)

    def _shown(self, contact: str) -> dict[str, Any]:
        properties = self.contacts[contact]
        times = {"createdAt": _AT, "updatedAt": _AT, "archived": False}
        return {"id": contact, "properties": properties, **times}

    def _problem_of_new(self, properties: Properties) -> Problem | None:
        email = str(properties.get("email", ""))
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            return _not_valid("INVALID_EMAIL", "email")
        known = self.by_email.get(email.lower())
        if known:
            return Problem(409, "CONFLICT", f"Contact already exists. Existing ID: {known}")
        return _invalid(properties)

    def _problem_of_known(self, contact: str, properties: Properties) -> Problem | None:
        if contact not in self.contacts:
            return Problem(404, "OBJECT_NOT_FOUND", "Could not find some objects")
        return _invalid(properties)

    def _batch(self, kind: str, data: Mapping[str, Any], fate: Fate) -> Answer:
        inputs = data.get("inputs") or []
        if len(inputs) > LARGEST_BATCH:
            message = f"Maximum batch size is {LARGEST_BATCH}, {len(inputs)} given"
            return refusal(400, "VALIDATION_ERROR", message)
        if kind == "read":
            return self._read(inputs, str(data.get("idProperty") or "id"))
        if _has_twins(inputs):
            return refusal(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input")
        return self._write(kind, inputs, fate)

    def _read(self, inputs: Sequence[Mapping[str, Any]], by: str) -> Answer:
        wanted = list(dict.fromkeys(str(each["id"]) for each in inputs))
        known = {name: self._known(name, by) for name in wanted}
        found = [self._shown(contact) for contact in known.values() if contact]
        missing = [name for name, contact in known.items() if not contact]
        message = "Could not get some CONTACT objects, they may be deleted or not exist."
        problem = _problem_object("OBJECT_NOT_FOUND", message, {"ids": missing})
        return _complete(200, found, [problem] if missing else [])

    def _write(self, kind: str, inputs: Sequence[Mapping[str, Any]], fate: Fate) -> Answer:
        problems = [self._problem(kind, each) for each in inputs]
        traces = {str(each.get("objectWriteTraceId") or "") for each in inputs} - {""}
        apart = len(traces) == len(inputs) and not fate.whole_batch
        first = next((problem for problem in problems if problem), None)
        if first and not apart:
            return first.answer()
        told = [
            _problem_object(bad.category, bad.message, {"objectWriteTraceId": [_trace(each)]})
            for each, bad in zip(inputs, problems, strict=True)
            if bad
        ]
        good = [each for each, bad in zip(inputs, problems, strict=True) if not bad]
        done = [self._done(kind, each) for each in good]
        return _complete(201 if kind == "create" else 200, done, told)

    def _problem(self, kind: str, each: Mapping[str, Any]) -> Problem | None:
        properties = each.get("properties", {})
        if kind == "create":
            return self._problem_of_new(properties)
        return self._problem_of_known(str(each.get("id")), properties)

    def _done(self, kind: str, each: Mapping[str, Any]) -> dict[str, Any]:
        properties = each.get("properties", {})
        if kind == "create":
            shown = self._made(properties)
        else:
            shown = self._changed(str(each["id"]), properties)
        trace = _trace(each)
        return shown | {"objectWriteTraceId": trace} if trace else shown


def _invalid(properties: Properties) -> Problem | None:
    return _not_valid("INVALID_OPTION", POISON) if POISON in properties else None


def _not_valid(code: str, name: str) -> Problem:
    told = f'[{{"isValid":false,"message":"not valid","error":"{code}","name":"{name}"}}]'
    return Problem(400, "VALIDATION_ERROR", f"Property values were not valid: {told}")


def _has_twins(inputs: Sequence[Mapping[str, Any]]) -> bool:
    names = list(_names(inputs))
    return len(set(names)) < len(names)


def _names(inputs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in inputs:
        email = each.get("properties", {}).get("email")
        yield str(each["id"]) if "id" in each else str(email).lower()


def _trace(each: Mapping[str, Any]) -> str:
    return str(each.get("objectWriteTraceId") or "")


def _problem_object(category: str, message: str, context: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": "error", "category": category, "message": message, "context": dict(context)}


def _complete(
    status: int, results: Sequence[Mapping[str, Any]], problems: Sequence[Mapping[str, Any]]
) -> Answer:
    body = {"status": "COMPLETE", "results": results, "startedAt": _AT, "completedAt": _AT}
    if problems:
        return Answer(207, body | {"numErrors": len(problems), "errors": problems})
    return Answer(status, body)
