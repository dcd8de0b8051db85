"""HubSpot: contacts and what belongs to them: deals, notes, lists, events, subscriptions.

Pages that this rests on: updating by address
https://developers.hubspot.com/docs/api-reference/2026-03/crm/objects/contacts/update-contact,
limits https://developers.hubspot.com/changelog/increasing-our-api-limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.connector import (
    Call,
    Change,
    Checked,
    Connector,
    ConnectorSettings,
    Delivered,
    Field,
    Item,
    OptIn,
    Outcome,
    Pacer,
    Rate,
    Retry,
    SecretStr,
    Unknown,
    Use,
    action,
)
from connectors.hubspot import (
    deal_calls,
    events,
    list_changes,
    lists,
    note_calls,
    notes,
    subscribing,
    subscriptions,
)
from connectors.hubspot.batches import upsert
from connectors.hubspot.calls import Line, Turn
from connectors.hubspot.contacts import UpsertContact
from connectors.hubspot.deal_writes import write_deals
from connectors.hubspot.deals import MoveDeal, UpsertDeal
from connectors.hubspot.events import LogEvent
from connectors.hubspot.lists import AddToList, Lists, RemoveFromList
from connectors.hubspot.notes import AddNote
from connectors.hubspot.schema import Schema
from connectors.hubspot.setup import changes
from connectors.hubspot.singles import CONTACTS, calls_for
from connectors.hubspot.subscribing import Subscriptions
from connectors.hubspot.subscriptions import Subscribe
from connectors.hubspot.survey import survey

__all__ = ["CONTACTS", "HubSpot", "HubSpotSettings", "UpsertContact"]

CRM = "crm"
"""What is done for one person is done in the order of the rules: in one lane."""

SHARDS = 4


class HubSpotSettings(ConnectorSettings):
    """What an account of HubSpot needs."""

    access_token: SecretStr | None = Field(
        default=None,
        description="Of a Service Key, or of a private app that still has one.",
    )
    opt_in: OptIn | None = Field(
        default=None,
        description="The wording beside the box that people tick, for the record of consent.",
    )


def _preview(settings: HubSpotSettings, item: UpsertContact) -> list[Call]:
    return calls_for(item)


class HubSpot(Connector):
    """One HubSpot account.

    The declared limits are the smallest that HubSpot sells; its answers tell
    the account's own.
    """

    name = "hubspot"
    title = "HubSpot"
    Settings = HubSpotSettings
    rates = (Rate(100, 10.0), Rate(250_000, 86_400.0))

    def __init__(self, settings: Any, pacer: Pacer | None = None) -> None:
        super().__init__(settings, pacer)
        self._line = Line(self.settings, self.pacer)
        self._schema = Schema(self._line)
        self._lists = Lists(self._line)
        self._subscriptions = Subscriptions(self._line)

    @action(UpsertContact, preview=_preview, batch=100, merges=True, together=CRM, shards=SHARDS)
    def upsert_contact(self, items: Sequence[UpsertContact]) -> list[Outcome]:
        """Create the contact with this e-mail address, or update the one that is there.

        Items of one contact are merged in their order. What an item would have
        set and a later one sets anew is never sent, so HubSpot cannot refuse it.
        Values that do not fit their property are refused before any call.
        """
        return upsert(Turn(self._line), self._schema, items)

    @action(
        UpsertDeal,
        preview=deal_calls.preview_upsert,
        batch=100,
        together=CRM,
        shards=SHARDS,
    )
    def upsert_deal(self, items: Sequence[UpsertDeal]) -> list[Outcome]:
        """Create the deal that has this id, or update it, and link it to the contact.

        It is never moved back in its pipeline unless the rule says so.
        """
        return write_deals(self._line, self._schema, items)

    @action(MoveDeal, preview=deal_calls.preview_move, batch=100, together=CRM, shards=SHARDS)
    def move_deal(self, items: Sequence[MoveDeal]) -> list[Outcome]:
        """Move the deal that has this id to another stage; none is created."""
        return write_deals(self._line, self._schema, items)

    @action(
        AddNote,
        preview=notes.preview,
        together=CRM,
        shards=SHARDS,
        idempotent=False,
        event=True,
    )
    def add_note(self, items: Sequence[AddNote]) -> list[Outcome]:
        """Put a note on the timeline of the contact, and of the deal."""
        return [note_calls.add(self._line, self._schema, item) for item in items]

    @action(AddToList, preview=lists.preview_add, batch=100, together=CRM, shards=SHARDS)
    def add_to_list(self, items: Sequence[AddToList]) -> list[Outcome]:
        """Put the contact on a static list."""
        return list_changes.change(self._line, self._lists, items, "add")

    @action(
        RemoveFromList,
        preview=lists.preview_remove,
        batch=100,
        together=CRM,
        shards=SHARDS,
    )
    def remove_from_list(self, items: Sequence[RemoveFromList]) -> list[Outcome]:
        """Take the contact off a static list."""
        return list_changes.change(self._line, self._lists, items, "remove")

    @action(LogEvent, preview=events.preview, together=CRM, shards=SHARDS, event=True)
    def log_event(self, items: Sequence[LogEvent]) -> list[Outcome]:
        """Log a custom event of the contact, in accounts with an Enterprise plan."""
        return [events.log_event(self._line, item) for item in items]

    @action(
        Subscribe,
        preview=subscriptions.preview,
        together=CRM,
        shards=SHARDS,
        consent_for="email",
        event=True,
    )
    def subscribe(self, items: Sequence[Subscribe]) -> list[Outcome]:
        """Subscribe a person who has agreed to it to a type of marketing e-mail."""
        types = self._subscriptions
        return [subscribing.subscribe(self._line, types, item) for item in items]

    def find(self, action: str, item: Item) -> Delivered | Retry | Unknown | None:
        """Only notes are looked for; what else is done twice is done once."""
        if not (isinstance(item, AddNote) and item.sent_as):
            return Unknown("nothing tells this from others")
        return note_calls.find(self._line, item)

    def survey(self, uses: Sequence[Use]) -> list[Checked]:
        return survey(self._line, self._schema, uses)

    def changes(self, uses: Sequence[Use]) -> list[Change]:
        return changes(self._line, self._schema, uses)
