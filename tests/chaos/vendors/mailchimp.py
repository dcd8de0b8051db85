"""Mailchimp's audiences: few calls at once, and people who have left stay away.

https://mailchimp.com/developer/marketing/api/list-members/,
https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.vendors.faults import Fate
from tests.chaos.vendors.messages import Answer, Request
from tests.chaos.vendors.record import Record

LARGEST_BULK = 500
IN_COMPLIANCE = ("unsubscribed", "cleaned")
_MEMBER = re.compile(r"/3\.0/lists/([\w-]+)/members/([0-9a-f]{32})(/tags)?")
_LIST = re.compile(r"/3\.0/lists/([\w-]+)")
_MEMBERS = re.compile(r"/3\.0/lists/([\w-]+)/members")
_FIELDS = re.compile(r"/3\.0/lists/([\w-]+)/merge-fields")

Json = Mapping[str, Any]


def problem(status: int, title: str, detail: str, **more: Any) -> Answer:
    kind = "https://mailchimp.com/developer/marketing/docs/errors/"
    instance = "14c40d88-9b23-1adf-9d0b-bb2996468021"
    body = {"type": kind, "title": title, "status": status, "detail": detail, "instance": instance}
    return Answer(status, body | more, {"Content-Language": "en"})


@dataclass
class Mailchimp:
    """`at_once` calls may be under way; the next is refused."""

    record: Record
    at_once: int = 10
    under_way: int = 0
    lists: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)

    def endpoint(self, request: Request) -> str:
        member = _MEMBER.fullmatch(request.path)
        if member:
            return f"{request.method} {'tags' if member[3] else 'member'}"
        if _MEMBERS.fullmatch(request.path):
            return f"{request.method} members"
        if _FIELDS.fullmatch(request.path):
            return f"{request.method} merge-fields"
        return f"{request.method} list" if _LIST.fullmatch(request.path) else "other"

    def admit(self, request: Request, fate: Fate) -> Answer | None:
        if not request.headers.get("authorization"):
            return problem(401, "API Key Invalid", "Your API key may be invalid.")
        self.record.peak("mailchimp calls at once", self.under_way)
        if self.under_way <= self.at_once:
            return None
        self.record.over_limit["mailchimp connections"] += 1
        return self.throttled(fate)

    def throttled(self, fate: Fate) -> Answer:
        if fate.draw < 0.3:
            return Answer(403, "<html>Forbidden</html>")
        return Answer(429, "" if fate.draw < 0.6 else "<html>Too many requests</html>")

    def broken(self, fate: Fate) -> Answer:
        return Answer((500, 502, 503, 504)[int(fate.draw * 4)], "" if fate.draw < 0.5 else "<html>")

    def take(self, request: Request, fate: Fate) -> Answer:
        member, bulk = _MEMBER.fullmatch(request.path), _LIST.fullmatch(request.path)
        if bulk and request.method == "POST":
            return self._bulk(self._list(bulk[1]), request)
        if members := _MEMBERS.fullmatch(request.path):
            return _listed(self._list(members[1]), request)
        if _FIELDS.fullmatch(request.path):
            return _fields()
        if not member:
            return problem(404, "Resource Not Found", "The requested resource could not be found.")
        people, name = self._list(member[1]), member[2]
        if member[3] and request.method == "POST":
            return self._tag(people, name, request.data)
        if request.method == "PUT":
            return self._put(people, name, request.data)
        if name not in people:
            return problem(404, "Resource Not Found", "The requested resource could not be found.")
        return (
            self._patch(people[name], request) if request.method == "PATCH" else _ok(people[name])
        )

    def add(self, audience: str, email: str, status: str) -> None:
        """Somebody who is there already, or was deleted for good."""
        if status == "forgotten":
            self.forgotten.add(email.lower())
        else:
            self._list(audience)[_hash(email)] = _member(email, status, {})

    def _list(self, audience: str) -> dict[str, dict[str, Any]]:
        return self.lists.setdefault(audience, {})

    def _put(self, people: dict[str, dict[str, Any]], name: str, said: Json) -> Answer:
        email = str(said.get("email_address", ""))
        if "status" in said:
            self.record.note("mailchimp", "violation", email.lower(), "PUT with `status`")
        if name in people:
            return self._update(people[name], said)
        if email.lower() in self.forgotten:
            return problem(400, "Forgotten Email Not Subscribed", "was permanently deleted")
        status = str(said.get("status_if_new") or said.get("status") or "")
        if "@" not in email or not status:
            return problem(400, "Invalid Resource", "Please provide a valid email address.")
        return _ok(self._create(people, email, status, said))

    def _update(self, member: dict[str, Any], said: Json) -> Answer:
        if member["status"] in IN_COMPLIANCE and said.get("status") in ("subscribed", "pending"):
            detail = "is in a compliance state due to unsubscribe, bounce, or compliance review"
            return problem(400, "Member In Compliance State", detail)
        member["merge_fields"].update(said.get("merge_fields") or {})
        member["status"] = said.get("status") or member["status"]
        self._note("update", member, said)
        return _ok(member)

    def _create(
        self, people: dict[str, dict[str, Any]], email: str, status: str, said: Json
    ) -> dict[str, Any]:
        member = _member(email, status, said.get("merge_fields") or {})
        member["tags"] = [str(tag) for tag in said.get("tags") or []]
        people[_hash(email)] = member
        self._note("subscribe", member, said)
        return member

    def _note(self, kind: str, member: Json, said: Json) -> None:
        value = {"status": member["status"], "merge_fields": said.get("merge_fields") or {}}
        self.record.note("mailchimp", kind, member["email_address"].lower(), value)

    def _patch(self, member: dict[str, Any], request: Request) -> Answer:
        status = request.data.get("status")
        if status == "unsubscribed":
            member["status"] = status
            self._note("unsubscribe", member, {})
            return _ok(member)
        if status:
            who = member["email_address"].lower()
            self.record.note("mailchimp", "violation", who, f"PATCH with `status: {status}`")
        return self._update(member, request.data)

    def _tag(self, people: dict[str, dict[str, Any]], name: str, said: Json) -> Answer:
        if name not in people:
            return problem(404, "Resource Not Found", "The requested resource could not be found.")
        tags = [each["name"] for each in said.get("tags") or [] if each["status"] == "active"]
        member = people[name]
        member["tags"] = list(dict.fromkeys([*member["tags"], *tags]))
        if tags:
            self.record.note("mailchimp", "tag", member["email_address"].lower(), tags)
        return Answer(204)

    def _bulk(self, people: dict[str, dict[str, Any]], request: Request) -> Answer:
        members = request.data.get("members") or []
        if len(members) > LARGEST_BULK:
            return problem(400, "Invalid Resource", f"At most {LARGEST_BULK} members.")
        made: list[Any] = []
        changed: list[Any] = []
        errors: list[Any] = []
        for said in members:
            self._one_of_bulk(people, said, request.data, (made, changed, errors))
        counts = {"total_created": len(made), "total_updated": len(changed)}
        body = {"new_members": made, "updated_members": changed, "errors": errors}
        return Answer(200, {**body, **counts, "error_count": len(errors)})

    def _one_of_bulk(
        self,
        people: dict[str, dict[str, Any]],
        said: Json,
        whole: Json,
        lists: tuple[list[Any], list[Any], list[Any]],
    ) -> None:
        email, (made, changed, errors) = str(said.get("email_address", "")), lists
        known = people.get(_hash(email))
        if known is not None and known["status"] == "archived":
            self.record.note("mailchimp", "violation", email.lower(), "bulk that brings back")
        if known is not None:
            if whole.get("update_existing"):
                who = email.lower()
                self.record.note("mailchimp", "violation", who, "bulk that changes who is there")
                changed.append(self._update(people[_hash(email)], said).body)
            else:
                errors.append(_error(email, "ERROR_CONTACT_EXISTS", "is already a list member"))
        elif email.lower() in self.forgotten:
            errors.append(_error(email, "ERROR_GENERIC", "was permanently deleted"))
        elif "@" not in email or not said.get("status"):
            errors.append(_error(email, "ERROR_GENERIC", "Please provide a valid email address."))
        else:
            made.append(self._create(people, email, str(said["status"]), said))


def _hash(email: str) -> str:
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def _member(email: str, status: str, merge_fields: Json) -> dict[str, Any]:
    name = _hash(email)
    return {
        "id": name,
        "email_address": email,
        "unique_email_id": name[:10],
        "contact_id": name,
        "web_id": int(name[:7], 16),
        "status": status,
        "merge_fields": dict(merge_fields),
        "tags": [],
    }


def _listed(people: Mapping[str, Json], request: Request) -> Answer:
    """https://mailchimp.com/developer/marketing/api/list-members/list-members-info/"""
    wanted = request.query.get("status")
    found = [each for each in people.values() if wanted in (None, each["status"])]
    count = int(request.query.get("count", 10))
    return Answer(200, {"members": found[:count], "total_items": len(found)})


def _fields() -> Answer:
    """https://mailchimp.com/developer/marketing/api/list-merges/"""
    texts = [{"tag": tag, "name": tag, "type": "text"} for tag in ("LAST", "ORDER")]
    return Answer(200, {"merge_fields": texts, "total_items": len(texts)})


def _ok(member: Json) -> Answer:
    tags = [{"id": number, "name": name} for number, name in enumerate(member["tags"])]
    return Answer(200, {**member, "tags": tags})


def _error(email: str, code: str, text: str) -> dict[str, str]:
    return {"email_address": email, "error": f"{email} {text}", "error_code": code}
