"""A Mailchimp with one audience, as far as the connector asks it, with a memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from bridge.testing.vendor import Answer, Reply, Request

LIST = "a36b032126"
REFUSED_FIELD = "BAD"
"""A merge field whose every value is refused."""

_PATH = re.compile(rf"/3\.0/lists/{LIST}(/members)?(?:/([0-9a-f]{{32}}))?(/tags)?")


def member_name(address: str) -> str:
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


def problem(status: int, title: str, detail: str = "", **more: Any) -> Answer:
    body = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": "14c40d88-9b23-1adf-9d0b-bb2996468021",
        **more,
    }
    return Answer(status, body, {"Content-Type": "application/problem+json; charset=utf-8"})


ABSENT = problem(404, "Resource Not Found", "The requested resource could not be found.")


@dataclass
class Audience:
    """Members by the hash of their address.

    `page` is how many it lists at once; `tags_in_bulk`: whether a bulk creation
    takes tags, which Mailchimp's release notes say and its reference does not.
    """

    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    page: int = 1000
    tags_in_bulk: bool = True
    lock: RLock = field(default_factory=RLock)

    def add(self, address: str, status: str) -> None:
        if status == "forgotten":
            self.forgotten.add(address.lower())
        elif status != "absent":
            self.members[member_name(address)] = {
                "email_address": address,
                "status": status,
                "merge_fields": {},
                "tags": [],
            }

    def status(self, address: str) -> str:
        return str(self.members.get(member_name(address), {}).get("status", "absent"))

    def answer(self, request: Request) -> Reply:
        found = _PATH.fullmatch(request.path)
        if found is None:
            return ABSENT
        with self.lock:
            if found[2]:
                return self._member(found[2], bool(found[3]), request)
            return self._bulk(request.body) if request.method == "POST" else self._listed(request)

    def _listed(self, request: Request) -> Answer:
        wanted = request.query["status"]
        names = [name for name, one in self.members.items() if one["status"] == wanted]
        listed = [{"id": name} for name in names[: min(self.page, int(request.query["count"]))]]
        return Answer(200, {"members": listed, "total_items": len(names)})

    def _member(self, name: str, is_tags: bool, request: Request) -> Answer:
        if request.method == "PUT":
            return self._put(name, request.body)
        if name not in self.members:
            return ABSENT
        if is_tags:
            self._tag(name, [tag["name"] for tag in request.body["tags"]])
            return Answer(204)
        if request.method == "PATCH":
            self.members[name]["status"] = request.body["status"]
        return self._shown(name)

    def _put(self, name: str, told: Mapping[str, Any]) -> Answer:
        if told["email_address"].lower() in self.forgotten:
            return problem(400, "Forgotten Email Not Subscribed", "was permanently deleted")
        if REFUSED_FIELD in told.get("merge_fields", {}):
            errors = [{"field": REFUSED_FIELD, "message": "Please enter a number"}]
            return problem(400, "Invalid Resource", "Your merge fields were invalid", errors=errors)
        if name not in self.members:
            self.add(told["email_address"], told["status_if_new"])
        self._write(name, told)
        return self._shown(name)

    def _write(self, name: str, told: Mapping[str, Any]) -> None:
        one = self.members[name]
        one["email_address"] = told["email_address"]
        one["merge_fields"].update(told.get("merge_fields", {}))
        one["status"] = told.get("status", one["status"])

    def _tag(self, name: str, tags: list[str]) -> None:
        one = self.members[name]
        one["tags"] = list(dict.fromkeys([*one["tags"], *tags]))

    def _shown(self, name: str) -> Answer:
        one = self.members[name]
        tags = [{"id": number, "name": tag} for number, tag in enumerate(one["tags"])]
        return Answer(200, {**one, "tags": tags, "id": name, "contact_id": name, "web_id": 7})

    def _bulk(self, told: Mapping[str, Any]) -> Answer:
        assert told["update_existing"] is False
        created, errors = [], []
        for one in told["members"]:
            error = self._error(one)
            if error:
                errors.append({"email_address": one["email_address"], **error})
            else:
                created.append(self._created(one))
        body = {"new_members": created, "updated_members": [], "errors": errors}
        return Answer(200, {**body, "total_created": len(created), "error_count": len(errors)})

    def _error(self, one: Mapping[str, Any]) -> dict[str, str]:
        address = one["email_address"]
        # As Mailchimp does it: an archived member is no obstacle, and comes back.
        if self.status(address) not in ("absent", "archived"):
            said = f"{address} is already a list member, do you want to update? please provide "
            return {
                "error": f"{said}update_existing:true in the request body",
                "error_code": "ERROR_CONTACT_EXISTS",
            }
        generic = {"error_code": "ERROR_GENERIC"}
        if address.lower() in self.forgotten:
            return {**generic, "error": f"{address} was permanently deleted and cannot be ..."}
        if REFUSED_FIELD in one.get("merge_fields", {}):
            said = "Your merge fields were invalid."
            return {**generic, "error": said, "field": REFUSED_FIELD, "field_message": "a number"}
        return {}

    def _created(self, one: Mapping[str, Any]) -> Any:
        name = member_name(one["email_address"])
        self.members.pop(name, None)
        self.add(one["email_address"], one["status"])
        self._write(name, one)
        self._tag(name, list(one.get("tags", [])) if self.tags_in_bulk else [])
        return self._shown(name).body
