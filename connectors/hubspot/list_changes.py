"""Putting contacts on lists and taking them off, many in a few calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bridge.connector import Delivered, Outcome, Rejected, Retry
from connectors.hubspot.answers import Answer
from connectors.hubspot.bulk import is_refused
from connectors.hubspot.calls import Line, Turn
from connectors.hubspot.lists import (
    LIST,
    LISTS,
    AddToList,
    Change,
    ContactList,
    Lists,
    trouble_of,
)
from connectors.hubspot.people import Person, key_of, known, made_sure
from connectors.hubspot.schema import NotRead


def change(line: Line, lists: Lists, items: Sequence[AddToList], how: Change) -> list[Outcome]:
    """One outcome for each. Raises Halted."""
    changes = _Changes(line, how)
    for named, places in _by_list(items).items():
        try:
            found: ContactList | Retry | Rejected = lists.find(named)
        except NotRead as later:
            found = later.retry
        if isinstance(found, Retry | Rejected):
            changes.outcomes |= dict.fromkeys(places, found)
        else:
            changes.make(found, {place: key_of(items[place].email) for place in places})
    return [changes.outcomes[place] for place in range(len(items))]


class _Changes:
    def __init__(self, line: Line, how: Change) -> None:
        self._turn = Turn(line, LIST)
        self._how = how
        self.outcomes: dict[int, Outcome] = {}

    def make(self, on: ContactList, addresses: Mapping[int, str]) -> None:
        """Addresses by place."""
        people = self._people(addresses.values())
        contacts = {}
        for place, address in addresses.items():
            person = people.get(address)
            if isinstance(person, str):
                contacts[place] = person
            else:
                self.outcomes[place] = person or Delivered(remark="there is no such contact")
        self._put(on, contacts)

    def _people(self, addresses: Iterable[str]) -> Mapping[str, Person]:
        """Nobody is made in order to be taken off a list."""
        ask = made_sure if self._how == "add" else known
        return ask(self._turn, addresses)

    def _put(self, on: ContactList, contacts: Mapping[int, str]) -> None:
        if not contacts:
            return
        ids = list(dict.fromkeys(contacts.values()))
        answer = self._turn.request("PUT", f"{LISTS}/{on.id}/memberships/{self._how}", ids)
        if len(contacts) > 1 and not answer.ok and is_refused(answer, LIST):
            for place, contact in contacts.items():
                self._put(on, {place: contact})
            return
        for place, contact in contacts.items():
            self.outcomes[place] = _changed(answer, contact)


def _by_list(items: Sequence[AddToList]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        found.setdefault(item.list, []).append(place)
    return found


def _changed(answer: Answer, contact: str) -> Outcome:
    """Whoever is in neither list of the answer was on the list before, or was not."""
    if not answer.ok:
        return trouble_of(answer)
    done = _told(answer, "recordsIdsAdded", "recordIdsAdded", "recordIdsRemoved")
    if done is None:
        return Retry("HubSpot's answer makes no sense")
    if contact in (_told(answer, "recordIdsMissing") or ()):
        return Retry("HubSpot did not find the contact any more")
    return Delivered(contact, remark="" if contact in done else "nothing had to be changed")


def _told(answer: Answer, *names: str) -> set[str] | None:
    found = [answer.body[name] for name in names if isinstance(answer.body.get(name), list)]
    return {str(each) for told in found for each in told} if found else None
