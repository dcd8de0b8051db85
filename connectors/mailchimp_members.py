"""Whom rules want subscribed or unsubscribed, and what Mailchimp is told of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BeforeValidator, field_validator

from bridge.connector import ConnectorSettings, EmailAddress, Field, Item, NonEmpty, SecretStr

LONGEST_TAG = 100


class MailchimpSettings(ConnectorSettings):
    """`audiences` gives names to audience ids: `newsletter: a1b2c3d4e5`.

    `express_opt_in` says that the box in the checkout is an express opt-in by
    the law that counts. Without it, new people get Mailchimp's confirmation mail.
    """

    api_key: SecretStr | None = None
    audiences: dict[str, str] = Field(default_factory=dict)
    express_opt_in: bool = False

    @field_validator("api_key")
    @classmethod
    def _with_its_centre(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not re.fullmatch(r".+-[a-z]{2,4}\d{1,4}", key.get_secret_value()):
            raise ValueError(
                "a Mailchimp API key ends with a hyphen and its data centre, like `-us6`; "
                "copy the whole key"
            )
        return key

    @property
    def centre(self) -> str:
        """The data centre that the key names; empty without a key."""
        key = self.api_key.get_secret_value() if self.api_key else ""
        return key.rpartition("-")[2]

    @property
    def status_if_new(self) -> str:
        return "subscribed" if self.express_opt_in else "pending"

    def list_id(self, audience: str) -> str:
        """Empty where the text can be no id: dots and slashes would lead to another address."""
        named = self.audiences.get(audience, audience)
        return named if re.fullmatch(r"[0-9A-Za-z_-]{1,64}", named) else ""


def _texts(value: Any) -> Any:
    """Merge fields without the empty ones: those would blank what Mailchimp has."""
    if not isinstance(value, Mapping):
        return value
    texts = {str(name): _text(given) for name, given in value.items()}
    return {name: text for name, text in texts.items() if text.strip()}


def _text(value: Any) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).replace("\0", "")
    if value is None:
        return ""
    raise ValueError("a merge field is one text or number")


def _tags(tags: list[str]) -> list[str]:
    cut = (tag.replace("\0", "").strip()[:LONGEST_TAG].strip() for tag in tags)
    return list(dict.fromkeys(tag for tag in cut if tag))


class Member(Item):
    """`audience` is a name from the account's `audiences`, or an audience id."""

    audience: NonEmpty
    email: EmailAddress


class Unsubscribe(Member):
    """Whom to unsubscribe."""


class Subscribe(Member):
    """Whom to subscribe, and what to write of them."""

    merge_fields: Annotated[dict[str, str], BeforeValidator(_texts)] = Field(default_factory=dict)
    tags: Annotated[list[str], AfterValidator(_tags)] = Field(default_factory=list)


Wanted = TypeVar("Wanted", bound=Member)


def member_hash(address: str) -> str:
    """Mailchimp's name for the member with this address."""
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, eq=False)
class Person(Generic[Wanted]):
    """One member of one audience, and all that a batch wants of them, in order.

    `places` are where the items stand in the batch; `list_id` is empty where
    there can be no such audience.
    """

    list_id: str
    places: Sequence[int]
    items: Sequence[Wanted]

    @property
    def address(self) -> str:
        return self.items[0].email.lower()

    @property
    def audience(self) -> str:
        return self.items[0].audience

    @property
    def hash(self) -> str:
        return member_hash(self.address)


def people_of(settings: MailchimpSettings, items: Sequence[Wanted]) -> list[Person[Wanted]]:
    """Each person once, in the order in which they first appear."""
    places: dict[tuple[str, str], list[int]] = {}
    for place, item in enumerate(items):
        who = (settings.list_id(item.audience), member_hash(item.email))
        places.setdefault(who, []).append(place)
    return [
        Person(list_id, of_one, [items[place] for place in of_one])
        for (list_id, _), of_one in places.items()
    ]


def merged(items: Sequence[Subscribe]) -> Subscribe:
    """What the items come to one after the other: later merge fields win, tags gather."""
    fields = {name: text for item in items for name, text in item.merge_fields.items()}
    tags = list(dict.fromkeys(tag for item in items for tag in item.tags))
    return items[-1].model_copy(update={"merge_fields": fields, "tags": tags})


def member(settings: MailchimpSettings, item: Subscribe, *, new: bool = True) -> dict[str, Any]:
    """For a PUT. Never with `status`: it would bring back those who left."""
    told: dict[str, Any] = {"email_address": item.email}
    if new:
        told["status_if_new"] = settings.status_if_new
    if item.merge_fields:
        told["merge_fields"] = item.merge_fields
    return told


def newcomers(settings: MailchimpSettings, items: Sequence[Subscribe]) -> dict[str, Any]:
    """For a bulk creation, which leaves those alone who are there."""
    return {"members": [_newcomer(settings, item) for item in items], "update_existing": False}


def _newcomer(settings: MailchimpSettings, item: Subscribe) -> dict[str, Any]:
    told = {**member(settings, item, new=False), "status": settings.status_if_new}
    return told | {"tags": item.tags} if item.tags else told


def tagging(item: Subscribe) -> dict[str, Any]:
    return {"tags": [{"name": tag, "status": "active"} for tag in item.tags]}
