"""Members of audiences: who is meant, and what Mailchimp is told of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.connector import Outcome
from connectors.mailchimp.settings import MailchimpSettings


def member_hash(address: str) -> str:
    """Mailchimp's name for the member with this address."""
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Wanted:
    """What is to be written of one person, in Mailchimp's own ids and types.

    `tags` says of each whether it is to be there; `permissions` are ids.
    """

    email: str
    merge_fields: Mapping[str, Any] = field(default_factory=dict)
    interests: Sequence[str] = ()
    permissions: Sequence[str] = ()
    language: str = ""
    tags: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """What one item wants of one member; `refused` says why that is not even tried."""

    audience: str
    email: str
    list_id: str = ""
    wanted: Any = None
    refused: Outcome | None = None

    @property
    def address(self) -> str:
        return self.email.lower()


@dataclass(frozen=True, eq=False)
class Person:
    """One member of one audience, and all that a batch wants of them, in order.

    `places` are where the wishes stand in the batch.
    """

    list_id: str
    places: Sequence[int]
    wishes: Sequence[Wish]

    @property
    def address(self) -> str:
        return self.wishes[0].address

    @property
    def audience(self) -> str:
        return self.wishes[0].audience

    @property
    def who(self) -> tuple[str, str]:
        """As the paths of Mailchimp's API name them."""
        return self.list_id, member_hash(self.address)


def people_of(wishes: Mapping[int, Wish]) -> list[Person]:
    """Each person once, in the order in which they first appear; wishes by their places."""
    places: dict[tuple[str, str], list[int]] = {}
    for place, wish in wishes.items():
        places.setdefault((wish.list_id, wish.address), []).append(place)
    return [
        Person(list_id, of_one, [wishes[place] for place in of_one])
        for (list_id, _), of_one in places.items()
    ]


def merged(wants: Sequence[Wanted]) -> Wanted:
    """What they come to one after the other: later fields and tags win, groups gather.

    Permissions are for somebody new, and after the first nobody is.
    """
    tags: dict[str, tuple[str, bool]] = {}
    for one in wants:
        for tag, there in one.tags.items():
            name, was_there = tags.pop(tag.casefold(), (tag, False))
            tags[tag.casefold()] = (name if was_there else tag, there)
    return replace(
        wants[-1],
        merge_fields={name: value for one in wants for name, value in one.merge_fields.items()},
        interests=list(dict.fromkeys(group for one in wants for group in one.interests)),
        permissions=wants[0].permissions,
        language=next((one.language for one in reversed(wants) if one.language), ""),
        tags=dict(tags.values()),
    )


def told_of(wanted: Wanted) -> dict[str, Any]:
    """What a PUT, a PATCH and a bulk creation have in common."""
    told: dict[str, Any] = {"email_address": wanted.email}
    if wanted.merge_fields:
        told["merge_fields"] = dict(wanted.merge_fields)
    if wanted.interests:
        told["interests"] = dict.fromkeys(wanted.interests, True)
    if wanted.language:
        told["language"] = wanted.language
    return told


def newcomer(settings: MailchimpSettings, wanted: Wanted) -> dict[str, Any]:
    """For a PUT of somebody who is not there."""
    return {**present(settings, wanted), **_permitted(wanted)}


def present(settings: MailchimpSettings, wanted: Wanted) -> dict[str, Any]:
    """For a PUT. Never with `status`: it would bring back those who left."""
    return {**told_of(wanted), "status_if_new": settings.status_if_new}


def customer(settings: MailchimpSettings, wanted: Wanted) -> dict[str, Any]:
    """For a PATCH of somebody who is there as a customer only, and now agrees."""
    return {**told_of(wanted), **_permitted(wanted), "status": settings.status_if_new}


def _permitted(wanted: Wanted) -> dict[str, Any]:
    given = [{"marketing_permission_id": each, "enabled": True} for each in wanted.permissions]
    return {"marketing_permissions": given} if given else {}


def newcomers(settings: MailchimpSettings, wants: Sequence[Wanted]) -> dict[str, Any]:
    """For a bulk creation, which leaves those alone who are there."""
    return {"members": [_in_bulk(settings, one) for one in wants], "update_existing": False}


def _in_bulk(settings: MailchimpSettings, wanted: Wanted) -> dict[str, Any]:
    told = {**told_of(wanted), "status": settings.status_if_new}
    tags = [tag for tag, there in wanted.tags.items() if there]
    return told | {"tags": tags} if tags else told


def tagging(tags: Mapping[str, bool]) -> dict[str, Any]:
    """Without the wrapper Mailchimp says 204 and does nothing."""
    return {
        "tags": [
            {"name": tag, "status": "active" if there else "inactive"}
            for tag, there in tags.items()
        ]
    }
