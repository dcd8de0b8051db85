"""Static lists of contacts, by name: HubSpot calls them segments now.

https://developers.hubspot.com/docs/api-reference/2026-03/crm/lists/memberships/add-to-list:
only lists of the types MANUAL and SNAPSHOT take records; who is on one already
is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from bridge.connector import (
    Call,
    EmailAddress,
    Field,
    Item,
    NonEmpty,
    Rejected,
    Retry,
)
from connectors.hubspot import people
from connectors.hubspot.answers import Answer, Subject, outcome
from connectors.hubspot.calls import Line
from connectors.hubspot.deal_calls import NOT_REMEMBERED
from connectors.hubspot.deal_stages import shown
from connectors.hubspot.remembered import Remembered
from connectors.hubspot.schema import NotRead

LISTS = "/crm/v3/lists"
OF_CONTACTS = "0-1"
"""The type of object, as HubSpot numbers them."""

LIST = Subject(
    "list",
    "crm.lists.read, crm.lists.write, crm.objects.contacts.read and crm.objects.contacts.write",
)
DYNAMIC = "DYNAMIC"

Change = Literal["add", "remove"]


class AddToList(Item):
    """A list that people fill, not one that HubSpot fills by itself."""

    example: ClassVar[Mapping[str, Any]] = {
        "list": "Ticket buyers 2027",
        "email": "{{ contact.email }}",
    }

    list: Annotated[NonEmpty, Field(max_length=250)] = Field(
        description="The static list, by its name in HubSpot or its id."
    )
    email: EmailAddress = Field(description="The contact's address.")


class RemoveFromList(AddToList):
    """The same fields: the contact stays, and only leaves the list."""


@dataclass(frozen=True)
class ContactList:
    """`type` is HubSpot's `processingType`."""

    id: str
    name: str
    type: str
    holds: str


@dataclass
class Lists:
    """An account's lists, by what rules call them."""

    line: Line
    remembered: Remembered[ContactList] = field(init=False)

    def __post_init__(self) -> None:
        self.remembered = Remembered(self._look_up)

    def find(self, named: str) -> ContactList | Rejected:
        """A list that takes contacts. Raises NotRead and Halted."""
        found = self.remembered.get(named)
        if found is None:
            return Rejected(
                f"HubSpot has no list {shown(named)}; make a static one of that name there"
            )
        if found.type == DYNAMIC:
            return Rejected(
                f"HubSpot fills the list “{found.name}” by itself, so that nobody can be put on it "
                "or taken off; name a static list"
            )
        if found.holds != OF_CONTACTS:
            return Rejected(f"HubSpot's list “{found.name}” is not one of contacts")
        return found

    def _look_up(self, named: str) -> ContactList | None:
        for path in _paths(named):
            answer = self.line.request("GET", path)
            if answer.ok and isinstance(answer.body.get("list"), dict):
                return _list(answer.body["list"])
            came_to = None if answer.status == 404 else trouble_of(answer)
            if isinstance(came_to, Retry):
                raise NotRead(came_to)
        return None


def preview_add(_: Any, item: AddToList) -> list[Call]:
    """As for somebody who is not a contact yet."""
    return _calls(item, "add")


def preview_remove(_: Any, item: RemoveFromList) -> list[Call]:
    return _calls(item, "remove")


def _calls(item: AddToList, how: Change) -> list[Call]:
    when = "the contact is there" if how == "remove" else ""
    path = f"{LISTS}/***/memberships/{how}"
    return [
        Call("GET", _paths(item.list)[0], when=NOT_REMEMBERED),
        *people.preview(item.email, makes=how == "add"),
        Call("PUT", path, body=["***"], when=when),
    ]


def _paths(named: str) -> list[str]:
    """Where a list of that name is, or of that id; a name of dots alone would lead elsewhere."""
    by_id = [f"{LISTS}/{named}"] if named.isascii() and named.isdigit() else []
    name = quote(named, safe="", errors="replace").replace(".", "%2E")
    return [*by_id, f"{LISTS}/object-type-id/{OF_CONTACTS}/name/{name}"]


def _list(told: Mapping[str, Any]) -> ContactList:
    names = ("listId", "name", "processingType", "objectTypeId")
    return ContactList(*(str(told.get(each) or "") for each in names))


def trouble_of(answer: Answer) -> Retry | Rejected:
    came_to = outcome(answer, about=LIST)
    if isinstance(came_to, Retry | Rejected):
        return came_to
    return Retry("HubSpot's answer makes no sense")
