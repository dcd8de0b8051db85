"""A HubSpot portal as far as its properties go, over HTTP."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.testing.vendor import Answer, Request

PROPERTIES = "/crm/v3/properties/contacts"


class Portal:
    """`scopes` None: the token is not taken."""

    def __init__(self, *properties: str, scopes: Iterable[str] | None = ()) -> None:
        self.properties = {name: _described(name) for name in ("email", *properties)}
        self.groups = ["contactinformation"]
        self.scopes = scopes

    def __call__(self, request: Request) -> Answer:
        if self.scopes is None:
            return Answer(401, {"category": "INVALID_AUTHENTICATION", "message": "expired"})
        if request.path.endswith("/get/access-token-info"):
            return Answer(200, {"hubId": 4711, "scopes": list(self.scopes)})
        if request.path == f"{PROPERTIES}/groups":
            return self._group(request)
        if request.path == PROPERTIES:
            return self._property(request)
        return Answer(404, {"category": "OBJECT_NOT_FOUND", "message": "nothing here"})

    def _group(self, request: Request) -> Answer:
        if request.method == "POST":
            self.groups.append(request.body["name"])
            return Answer(201, request.body)
        return Answer(200, {"results": [{"name": name} for name in self.groups]})

    def _property(self, request: Request) -> Answer:
        if request.method == "POST":
            if request.body["groupName"] not in self.groups:
                return Answer(400, {"category": "VALIDATION_ERROR", "message": "no such group"})
            self.properties[request.body["name"]] = request.body
            return Answer(201, request.body)
        return Answer(200, {"results": list(self.properties.values())})


def _described(name: str) -> dict[str, object]:
    return {"name": name, "label": name, "type": "string", "fieldType": "text", "options": []}
