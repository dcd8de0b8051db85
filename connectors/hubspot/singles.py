"""One contact, write by write, in the order of receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from bridge.connector import Call, Delivered, Outcome, Rejected, Retry
from connectors.hubspot.answers import Answer, Refused, existing, outcome, values_of, written
from connectors.hubspot.calls import Turn
from connectors.hubspot.contacts import ADDRESS, UpsertContact
from connectors.hubspot.fitting import READING
from connectors.hubspot.writes import Order, Write

CONTACTS = "/crm/v3/objects/contacts"
"""The path that the pinned SDK speaks; another SDK may speak another version."""

THERE = "the contact was there already"
NOTHING_NEW = "the contact had all of it already"


def calls_for(item: UpsertContact) -> list[Call]:
    """The calls for one item alone, with values as the rule writes them."""
    write = Write({0: item})
    create = Call("POST", CONTACTS, body={"properties": write.to_create()})
    if write.is_bare:
        return [create]
    if write.needs:
        path, query = reading(write)
        when = "no contact with this address yet; else what it holds is built on, by its id"
        return [READING, Call("GET", path, query), replace(create, when=when)]
    path = f"{CONTACTS}/{quote(item.email, safe='')}"
    update = Call("PATCH", path, {"idProperty": ADDRESS}, {"properties": write.to_update()})
    return [READING, update, replace(create, when="no contact with this address yet")]


class Singles:
    """What has become of the items so far, by their places, and the calls for single contacts."""

    def __init__(self, turn: Turn, order: Order = ()) -> None:
        self._turn = turn
        self.order = order
        self.outcomes: dict[int, Outcome] = {}

    def settle(self, write: Write, result: Outcome) -> None:
        told = Rejected(result.reason) if isinstance(result, Refused) else result
        self.outcomes |= dict.fromkeys(write.items, told)

    def in_order(self, writes: Sequence[Write], contact: str = "") -> None:
        """Send one contact's writes; `contact` is its id, where that is known. Raises Halted."""
        left = list(writes)
        while left:
            write, *later = left
            left = self.left_after(write, self._upsert(write, contact), later)

    def left_after(self, write: Write, result: Outcome, later: Sequence[Write]) -> list[Write]:
        """What of a contact is to be sent next, now that `write` came to `result`.

        Of several items that were refused as one, the one whose value is named is left out,
        and the others are sent as one write: so that where its answer is lost and it is
        repeated, no older value comes after a newer one. Where none is named, each half gets
        its chance before what came later. Behind an item that is to be retried, nothing is sent.
        """
        if isinstance(result, Rejected) and len(write.items) > 1:
            culprit = write.last_to_set(result.because_of if isinstance(result, Refused) else ())
            if culprit is None:
                return [*write.halves(), *later]
            self.settle(write.only(culprit), result)
            return [write.without(culprit), *later]
        self.settle(write, result)
        if not isinstance(result, Retry):
            return list(later)
        for each in later:
            self.settle(each, result)
        return []

    def _upsert(self, write: Write, contact: str) -> Outcome:
        """HubSpot cannot update or create by address in one call: it takes one to three."""
        if write.is_bare:
            return Delivered(contact, remark=THERE) if contact else self._create(write)
        if write.needs:
            return self._build_on(write, contact)
        if contact:
            return self._update(write, contact)
        properties = write.to_update(order=self.order)
        answer = self._turn.update(write.email, properties, id_property=ADDRESS)
        if answer.status == 404:
            return self._create(write)
        return written(answer, properties)

    def _build_on(self, write: Write, contact: str) -> Outcome:
        """Read what the contact holds, and write what becomes of it."""
        answer = self._read(write, contact)
        if answer.status == 404 and not contact:
            return self._create(write)
        found = outcome(answer)
        if not isinstance(found, Delivered):
            return found
        return self._update(write, found.reference, values_of(answer.body))

    def _read(self, write: Write, contact: str) -> Answer:
        path, query = reading(write, contact)
        return self._turn.request("GET", path, query=query)

    def _create(self, write: Write) -> Outcome:
        """Where somebody created the contact in between, it is updated by its id."""
        properties = write.to_create(self.order)
        answer = self._turn.create(properties)
        contact = existing(answer)
        if not contact:
            return written(answer, properties)
        if write.is_bare:
            return Delivered(contact, remark=THERE)
        return self._build_on(write, contact) if write.needs else self._update(write, contact)

    def _update(
        self, write: Write, contact: str, known: Mapping[str, str] | None = None
    ) -> Outcome:
        if refusal := not_added(write, known or {}):
            return refusal
        properties = write.to_update(known, self.order)
        if not properties:
            return Delivered(contact, remark=NOTHING_NEW)
        return written(self._turn.update(contact, properties), properties)


def reading(write: Write, contact: str = "") -> tuple[str, dict[str, str]]:
    """Path and query of the call that asks what the contact holds."""
    query = {} if contact else {"idProperty": ADDRESS}
    return (
        f"{CONTACTS}/{quote(contact or write.email, safe='')}",
        {**query, "properties": ",".join(sorted(write.needs))},
    )


def not_added(write: Write, known: Mapping[str, str]) -> Rejected | None:
    """The refusal of a write that adds to what is no number."""
    name = write.cannot_add(known)
    if not name:
        return None
    return Rejected(
        f"HubSpot's property `{name}` holds no number for this contact, "
        "so that `increment` cannot add to it"
    )
