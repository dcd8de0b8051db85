"""What Showpad's `data` says, in our shape: who was invited, by whom, to which Shared Space.

Only the data of `shared-space-user-added` is published: `inviter`, `invitee`
and `sharedSpace`. `user`, `participant` and `course` are how data of other
types is expected to look, unverified; where they are missing the facts are
None and everything that was sent is in `raw`.

https://developer.showpad.com/docs/webhooks/webhook-notifications
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from bridge.event import Contact
from bridge.source import Field
from bridge.sources import lenient
from bridge.sources.reading import Reading

Json = Mapping[str, Any]

# What may be repeated in a remark: a time, and nothing that could be a person's.
_LIKE_A_TIME = re.compile(r"[0-9TZ:.+ -]{1,40}", re.ASCII)

_TOO_LONG = f"an e-mail address of more than {lenient.MAX_ADDRESS} characters counts as none"


@dataclass(frozen=True)
class Happening:
    """One event's share of the data; `space` is the Shared Space's id."""

    contact: Contact
    facts: dict[str, Any]
    raw: Json
    space: str | None
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def happenings(data: Any) -> tuple[Happening, ...]:
    """At least one: the data as a whole, or each member of a list of people."""
    members = lenient.mappings(data)
    if members and len(members) == len(data) and all(_address(member) for member in members):
        return tuple(_happening(member) for member in members)
    if isinstance(data, dict):
        return (_happening(data),)
    # Most types are unpublished: what else their data is, is told in the story alone.
    return (replace(_happening({"data": data}), remarks=Reading(data).remarks),)


def occurred_at(value: Any) -> tuple[date | None, tuple[str, ...]]:
    """The envelope's time, and a remark where it cannot be read, also if it is blank.

    Showpad's own example names a fifteenth month, so a bad time is no error, and no alert.
    """
    occurred = lenient.moment(value)
    if occurred is not None or value is None:
        return occurred, ()
    quotable = isinstance(value, str) and _LIKE_A_TIME.fullmatch(value)
    return None, (f'the time "{value}" cannot be read' if quotable else "the time cannot be read",)


def _happening(data: Json) -> Happening:
    reading = Reading(data)
    facts = {
        "space": _named(reading.group("sharedSpace")),
        "inviter": _person(reading.group("inviter")),
        "invitee": _person(reading.group("invitee")),
        "course": _named(reading.group("course")),
    }
    for elsewhere in (reading.group("participant"), reading.group("user"), reading):
        elsewhere.address("email")
    given = _address(data)
    contact = Contact(email=lenient.address(given))
    told = (_TOO_LONG,) if given and contact.email is None else ()
    space = facts["space"]["id"]
    return Happening(contact, facts, data, space, told, reading.remarks, reading.unread)


def _address(data: Json) -> str | None:
    """Of whom the event is about; Showpad sends neither names nor consent."""
    people = [data.get(role) for role in ("invitee", "participant", "user")]
    addresses = [lenient.mapping(person).get("email") for person in people]
    return next(filter(None, map(lenient.text, [*addresses, data.get("email")])), None)


def _person(person: Reading) -> dict[str, Any]:
    return {
        "email": person.address("email"),
        "user_id": person.name("userId"),
        "actor_id": person.name("shareActorId"),
    }


def _named(thing: Reading) -> dict[str, Any]:
    return {"id": thing.name("id"), "name": thing.text("name")}


FIELDS = (
    Field("space.id", "text", "the Shared Space's id", "5d1f0a2b6c7e4f3a9b8c7d6e5f4a3b2c"),
    Field("space.name", "text", "the Shared Space's name", "Spring season partners"),
    Field("inviter.email", "text", "who invited", "marc@example.org"),
    Field("inviter.user_id", "text", "the inviter's user id", "0a9b8c7d6e5f40312233445566778899"),
    Field("inviter.actor_id", "text", "the inviter's id in the Shared Space", "11aa22bb33cc44dd"),
    Field("invitee.email", "text", "who was invited", "priya@example.com"),
    Field(
        "invitee.user_id", "text", "the invitee's user id, if a colleague", "99887766554433221100"
    ),
    Field("invitee.actor_id", "text", "the invitee's id in the Shared Space", "55ee66ff77aa88bb"),
    Field("course.id", "text", "the course's id (unverified)", "c0a1b2c3d4e5f60718293a4b5c6d7e8f"),
    Field("course.name", "text", "the course's name (unverified)", "Selling group packages"),
    Field(
        "occurred_at",
        "date",
        "when it happened, by Showpad's clock; unknown where Showpad writes no real date",
        datetime(2027, 3, 9, 16, 45, 0, 250000, UTC),
    ),
)
