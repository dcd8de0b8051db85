"""One contact, write by write, in the order of receipt."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.connector import Delivered, Outcome, Rejected, Retry
from connectors.hubspot_answers import existing, outcome
from connectors.hubspot_calls import Turn
from connectors.hubspot_contacts import ADDRESS, Write

THERE = "the contact was there already"


class Singles:
    """What has become of the items so far, by their places, and the calls for single contacts."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self.outcomes: dict[int, Outcome] = {}

    def settle(self, write: Write, result: Outcome) -> None:
        self.outcomes |= dict.fromkeys(write.items, result)

    def in_order(self, writes: Sequence[Write], contact: str = "") -> None:
        """Send one contact's writes; `contact` is its id, where that is known. Raises Halted."""
        left = list(writes)
        while left:
            write, *later = left
            left = self.left_after(write, self._upsert(write, contact), later)

    def left_after(self, write: Write, result: Outcome, later: Sequence[Write]) -> list[Write]:
        """What of a contact is to be sent next, now that `write` came to `result`.

        Of several items that were refused as one, each half gets its chance before
        what came later. Behind an item that is to be retried, nothing is sent.
        """
        if isinstance(result, Rejected) and len(write.items) > 1:
            return [*write.halves(), *later]
        self.settle(write, result)
        if not isinstance(result, Retry):
            return list(later)
        for each in later:
            self.settle(each, result)
        return []

    def _upsert(self, write: Write, contact: str) -> Outcome:
        """HubSpot cannot update or create by address in one call: it takes one to three."""
        if not write.properties:
            return Delivered(contact, remark=THERE) if contact else self._create(write)
        if contact:
            return self._update(write, contact)
        answer = self._turn.update(write.email, write.properties, id_property=ADDRESS)
        if answer.status == 404:
            return self._create(write)
        return outcome(answer, write.properties)

    def _create(self, write: Write) -> Outcome:
        """Where somebody created the contact in between, it is updated by its id."""
        answer = self._turn.create(write.to_create)
        contact = existing(answer)
        if not contact:
            return outcome(answer, write.properties)
        if not write.properties:
            return Delivered(contact, remark=THERE)
        return self._update(write, contact)

    def _update(self, write: Write, contact: str) -> Outcome:
        return outcome(self._turn.update(contact, write.properties), write.properties)
