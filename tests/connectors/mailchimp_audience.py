"""A Mailchimp with one audience and its store, as far as the connector asks, with a memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from bridge.testing.vendor import Answer, Reply, Request
from tests.connectors.mailchimp_api.shop import STORES, Shop

LIST = "a36b032126"
REFUSED_FIELD = "BAD"
"""A merge field whose every value is refused."""

_PATH = re.compile(
    rf"/3\.0/lists/{LIST}(/members)?(?:/([0-9a-f]{{32}}))?(/tags|/events)?",
)
_COMPLIANCE = ("unsubscribed", "cleaned")

GROUPS = {"Interests": {"id": "c1", "Concerts": "9143cf3bd1", "Theatre": "3a2a927344"}}
PERMISSIONS = {"Email": "2a4819ebc7", "Direct mail": "4256fc7dc5"}
LISTS = [{"id": LIST, "name": "Newsletter"}, {"id": "b17c943aa0", "name": "Press & friends"}]


def a_field(tag: str, kind: str = "text", name: str = "", **options: Any) -> dict[str, Any]:
    return {"tag": tag, "name": name or tag.title(), "type": kind, "options": options}


FIELDS = [
    a_field("FNAME", name="First Name", size=25),
    a_field("LNAME", name="Last Name", size=25),
    a_field("CITY"),
    a_field("LTV", "number"),
    a_field(REFUSED_FIELD),
]


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
FORGOTTEN = problem(400, "Forgotten Email Not Subscribed", "was permanently deleted")
COMPLIANCE = problem(400, "Member In Compliance State", "is in a compliance state due to ...")


@dataclass
class Audience:
    """Members by the hash of their address.

    `page` is how many it lists at once; `tags_in_bulk`: whether a bulk creation
    takes tags, which Mailchimp's release notes say and its reference does not.
    What Mailchimp allows and nobody should do is done: an archived member comes
    back by any status that is written, by a bulk creation, and by an order.
    """

    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    fields: list[dict[str, Any]] = field(default_factory=lambda: list(FIELDS))
    page: int = 1000
    tags_in_bulk: bool = True
    lock: RLock = field(default_factory=RLock)
    shop: Shop = field(init=False)

    def __post_init__(self) -> None:
        self.shop = Shop(self.buy)

    def add(self, address: str, status: str) -> None:
        if status == "forgotten":
            self.forgotten.add(address.lower())
        elif status != "absent":
            self.members[member_name(address)] = {
                "email_address": address,
                "status": status,
                "merge_fields": {},
                "interests": {},
                "permissions": set(),
                "tags": [],
                "events": [],
            }

    def status(self, address: str) -> str:
        return str(self.members.get(member_name(address), {}).get("status", "absent"))

    def one(self, address: str) -> dict[str, Any]:
        return self.members[member_name(address)]

    def answer(self, request: Request) -> Reply:
        with self.lock:
            if request.path.startswith(STORES):
                return self.shop.answer(request)
            return self._described(request) or self._answer(request)

    def buy(self, address: str, opted_in: bool) -> Answer | None:
        """Why an order cannot be taken of somebody; None: it is, and they are customers."""
        if address.lower() in self.forgotten:
            return FORGOTTEN
        if self.status(address) in ("absent", "archived") or opted_in:
            self.add(address, "subscribed" if opted_in else "transactional")
        return None

    def _described(self, request: Request) -> Answer | None:
        path = request.path.removeprefix(f"/3.0/lists/{LIST}")
        if path == "/3.0/ping":
            return Answer(200, {"health_status": "Everything's Chimpy!"})
        if path == "/3.0/lists":
            return Answer(200, {"lists": LISTS})
        if path == "/merge-fields":
            return Answer(200, {"merge_fields": self.fields})
        if path == "/interest-categories":
            told = [{"id": groups["id"], "title": title} for title, groups in GROUPS.items()]
            return Answer(200, {"categories": told})
        if path == "/interest-categories/c1/interests":
            groups = [(key, name) for name, key in GROUPS["Interests"].items() if name != "id"]
            return Answer(200, {"interests": [{"id": key, "name": name} for key, name in groups]})
        if path == "/members" and "status" not in request.query:
            told_of_each: list[dict[str, Any]] = [
                {"marketing_permission_id": key, "text": text, "enabled": False}
                for text, key in PERMISSIONS.items()
            ]
            somebody = [{"marketing_permissions": told_of_each}] if self.members else []
            return Answer(200, {"members": somebody})
        return None

    def _answer(self, request: Request) -> Reply:
        found = _PATH.fullmatch(request.path)
        if found is None:
            return ABSENT
        if found[2]:
            return self._member(found[2], found[3] or "", request)
        return self._bulk(request.body) if request.method == "POST" else self._listed(request)

    def _listed(self, request: Request) -> Answer:
        wanted = request.query["status"]
        names = [name for name, one in self.members.items() if one["status"] == wanted]
        listed = [{"id": name} for name in names[: min(self.page, int(request.query["count"]))]]
        return Answer(200, {"members": listed, "total_items": len(names)})

    def _member(self, name: str, part: str, request: Request) -> Answer:
        if request.method == "PUT":
            return self._put(name, request.body)
        if name not in self.members:
            return ABSENT
        one = self.members[name]
        if part == "/events":
            return self._event(one, request)
        if part == "/tags":
            self._tag(one, {tag["name"]: tag["status"] == "active" for tag in request.body["tags"]})
            return Answer(204)
        if request.method == "PATCH":
            return self._patch(name, request.body)
        if request.method == "DELETE":
            return self._archive(one)
        return self._shown(name)

    def _event(self, one: dict[str, Any], request: Request) -> Answer:
        if request.method == "POST":
            one["events"].append(request.body)
            return Answer(204)
        return Answer(200, {"events": list(reversed(one["events"]))})

    def _archive(self, one: dict[str, Any]) -> Answer:
        if one["status"] in ("pending", "cleaned", "archived"):
            said = "Can not archive a contact that is bounced, pending or archived"
            return problem(405, "Method Not Allowed", said)
        one["status"] = "archived"
        return Answer(204)

    def _patch(self, name: str, told: Mapping[str, Any]) -> Answer:
        returns = told.get("status") in ("subscribed", "pending")
        if returns and self.members[name]["status"] in _COMPLIANCE:
            return COMPLIANCE
        return self._wrong(told) or self._written(name, told)

    def _put(self, name: str, told: Mapping[str, Any]) -> Answer:
        if told["email_address"].lower() in self.forgotten:
            return FORGOTTEN
        wrong = self._wrong(told)
        if wrong:
            return wrong
        if name not in self.members:
            self.add(told["email_address"], told["status_if_new"])
        return self._written(name, told)

    def _wrong(self, told: Mapping[str, Any]) -> Answer | None:
        if REFUSED_FIELD not in told.get("merge_fields", {}):
            return None
        errors = [{"field": REFUSED_FIELD, "message": "Please enter a number"}]
        return problem(400, "Invalid Resource", "Your merge fields were invalid", errors=errors)

    def _written(self, name: str, told: Mapping[str, Any]) -> Answer:
        self._write(name, told)
        return self._shown(name)

    def _write(self, name: str, told: Mapping[str, Any]) -> None:
        one = self.members[name]
        one["email_address"] = told.get("email_address", one["email_address"])
        one["merge_fields"].update(told.get("merge_fields", {}))
        one["interests"].update(told.get("interests", {}))
        one["language"] = told.get("language", one.get("language", ""))
        given = told.get("marketing_permissions", [])
        one["permissions"] |= {each["marketing_permission_id"] for each in given}
        one["status"] = told.get("status", one["status"])

    def _tag(self, one: dict[str, Any], tags: Mapping[str, bool]) -> None:
        for tag, there in tags.items():
            same = [other for other in one["tags"] if other.casefold() == tag.casefold()]
            one["tags"] = [other for other in one["tags"] if other not in same]
            one["tags"] = sorted([*one["tags"], (same or [tag])[0]] if there else one["tags"])

    def _shown(self, name: str) -> Answer:
        one = self.members[name]
        shown = {key: one[key] for key in ("email_address", "status", "merge_fields")}
        tags = [{"id": number, "name": tag} for number, tag in enumerate(one["tags"])]
        return Answer(200, {**shown, "tags": tags, "id": name, "contact_id": name, "web_id": 7})

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
        tags = one.get("tags", []) if self.tags_in_bulk else []
        self._tag(self.members[name], dict.fromkeys(tags, True))
        return self._shown(name).body
