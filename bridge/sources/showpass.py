"""Showpass, the ticketing service: its signature, its identity, its events.

The signature covers only the top-level `id`, which is the transaction's, so
every event of one transaction carries the same signature, and whoever holds
one such pair can write any body under it until the secret is changed. A
signature is therefore a credential, and what the body says deserves the checks
that are settings here.

https://dev.showpass.com/webhooks/03-webhooks-security
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from bridge import strict_json
from bridge.errors import VerificationFailed
from bridge.event import Contact, Event, Identity, Webhook
from bridge.source import Field, Source, SourceSettings
from bridge.sources import lenient
from bridge.sources.bounded import bounded
from bridge.sources.reading import Reading
from bridge.sources.showpass_envelope import (
    TEST,
    Envelope,
    envelope,
    require_same_id,
    signed_id,
)
from bridge.sources.showpass_invoice import (
    FIELDS,
    buyer,
    claimed_matters,
    facts,
    long_addresses,
    signed_matters,
    without_barcodes,
)

HEADER = "x-showpass-signature"

# What digests count; the two sides of a transfer are told apart, since both may be told of.
_NOUNS = {
    "invoice.purchase": "purchase",
    "invoice.refund": "refund",
    "invoice.void": "void",
    "invoice.transfer": "transfer",
    "invoice.transferred": "outgoing transfer",
    "webhook.test": "test",
}
_ENDINGS = ("invoice.refund", "invoice.void")
_MAX_KEY = 128
_CLAIMING = ("invoice.purchase", *_ENDINGS)

_SIGNATURE = re.compile(r'("?)([0-9a-fA-F]{40})\1', re.ASCII)

_NO_UUID = (
    "Showpass sent no usable webhook_event_uuid, so a redelivery is recognised by its id, type "
    "and data alone; check that nothing between Showpass and the bridge rewrites bodies."
)
_OTHER_TRANSACTION = (
    "Showpass sent data that does not name the transaction which its signature covers. Compare "
    "it with the Showpass dashboard; `transaction_mismatch: quarantine` keeps such webhooks aside."
)


class ShowpassSettings(SourceSettings):
    """`organization` is the showpass_organization_id that every invoice must name.

    A webhook of another organization is quarantined: it is signed with a
    secret of ours but tells of somebody else's sales.

    `transaction_mismatch` says what becomes of an invoice whose
    `data.transaction_id` is not the `id` that the signature covers. `accept`
    processes it and raises an alert, since samples that Showpass published
    differ there too. `quarantine` keeps it for a person: then somebody who has
    got hold of one signature cannot write events of other transactions with
    it. Made-up data of the same transaction passes either way.

    `ticket_mismatch` says what becomes of a refund or void that names tickets
    of a purchase, but was signed for another transaction. `alert` processes it
    by itself: it cancels nothing that waits for the purchase, and a person is
    told. `accept` takes the tickets' word for it. `quarantine` keeps it for a
    person, whose replay accepts it.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    organization: str | None = None
    transaction_mismatch: Literal["accept", "quarantine"] = "accept"
    ticket_mismatch: Literal["alert", "accept", "quarantine"] = "alert"


class Showpass(Source):
    """HMAC-SHA1 in hexadecimal, over the text of the body's `id`.

    There is no time in a Showpass webhook, signed or not: events are in the
    order of receipt. https://dev.showpass.com/webhooks/04-webhooks-event-types
    """

    kind: ClassVar[str] = "showpass"
    title: ClassVar[str] = "Showpass"
    Settings: ClassVar[type[SourceSettings]] = ShowpassSettings
    signature_covers: ClassVar[Literal["body", "id"]] = "id"
    signature_headers: ClassVar[tuple[str, ...]] = (HEADER,)
    event_types: ClassVar[tuple[str, ...]] = (
        "invoice.purchase",
        "invoice.refund",
        "invoice.void",
        "invoice.transfer",
        "invoice.transferred",
        "webhook.test",
    )
    fields: ClassVar[tuple[Field, ...]] = FIELDS
    sample_ids: ClassVar[tuple[str, ...]] = (
        "id",
        "data.transaction_id",
        "data.ticket_items.id",
        "data.ticket_items.barcode_string",
        "data.invoice_items.id",
    )
    show_field: ClassVar[str | None] = "tickets.event_id"

    settings: ShowpassSettings

    def verify(self, webhook: Webhook) -> None:
        """Raises VerificationFailed before the body is looked at where the header alone is wrong.

        Raises Malformed for a body without an `id` that can be signed (a text of 1 to 128
        printable ASCII characters, or an integer), and for what is signed and no strict JSON.
        What holds too many members is verified and left for `identify` to put aside.
        """
        given = _given(webhook.headers)
        signed = signed_id(webhook.body, webhook.members)
        matches = [hmac.compare_digest(given, _signature(key, signed)) for key in self.secrets]
        if not any(matches):
            raise VerificationFailed("signature-mismatch")
        if webhook.members <= strict_json.MAX_MEMBERS:
            require_same_id(webhook.json, signed)

    def identify(self, webhook: Webhook) -> Identity:
        """The key is the signed id with `webhook_event_uuid`, else a hash of id, type and data."""
        found = envelope(webhook)
        return Identity(
            idempotency_key=_key(webhook, found),
            event_type=found.event_type,
            fingerprint=webhook.fingerprint,
            quarantine=self._quarantine(found),
            alerts=self._oddities(found),
            former_key=found.uuid,
            signed_part=found.id,
        )

    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        """One event of every webhook; only `invoice.*` events have facts.

        Raises Malformed for what `identify` put aside because it holds too many members.
        """
        payload, found = webhook.json, envelope(webhook)
        event_type = found.event_type
        data, left_out = bounded(found.data)
        invoice = lenient.mapping(data)
        reading = Reading(data if found.is_invoice else invoice)
        claims = claimed_matters(payload, invoice) if event_type in _CLAIMING else ()
        named = signed_matters(payload)
        if self.settings.ticket_mismatch == "accept":
            named, claims = named + claims, ()
        # No guard looks at a test event, so nobody is written to on its word.
        contact = Contact() if event_type == TEST else buyer(event_type, reading)
        known = facts(payload, reading) if found.is_invoice else {}
        event = Event(
            source=webhook.source,
            type=event_type,
            contact=contact,
            facts=known,
            raw=without_barcodes(data if isinstance(data, dict) else {"data": data}),
            # What is signed: else whoever has one signature could answer in others' threads.
            subject=lenient.text(payload.get("id")),
            remarks=(*self._oddities(found), *reading.remarks),
            unread=reading.unread,
            left_out=(*left_out, *long_addresses(invoice)),
            noun=_NOUNS.get(event_type, ""),
            amount=lenient.money(invoice.get("net_sales")),
            currency=lenient.name(invoice.get("currency")) or "",
            begins=named if event_type == "invoice.purchase" else (),
            ends=named if event_type in _ENDINGS else (),
            proven=signed_matters(payload) if event_type in _CLAIMING else (),
            claims=claims,
            holds_claims=self.settings.ticket_mismatch == "quarantine",
        )
        return (event,)

    def sign(self, body: bytes, secret: str, now: float) -> Mapping[str, str]:
        """Raises Malformed where the body has no `id` that can be signed."""
        return {
            "X-SHOWPASS-SIGNATURE": _signature(
                secret.encode(), signed_id(body, strict_json.count_members(body))
            )
        }

    def _quarantine(self, found: Envelope) -> str | None:
        """Authentic by its signature, so kept even where it cannot be processed."""
        if not found.is_whole:
            return strict_json.TOO_MANY
        if found.event_type == lenient.UNKNOWN_TYPE:
            return "event-type-missing"
        if found.is_invoice and not isinstance(found.data, dict):
            return "data-not-an-object"
        if self._of_other_organization(found):
            return "organization-mismatch"
        strict = self.settings.transaction_mismatch == "quarantine"
        return "transaction-mismatch" if strict and _of_other_transaction(found) else None

    def _of_other_organization(self, found: Envelope) -> bool:
        """Every type that rules may be asked about names it; a test event may hold anything."""
        ours = lenient.text(self.settings.organization)
        if ours is None or (found.event_type == TEST and found.organization is None):
            return False
        return found.organization != ours

    def _oddities(self, found: Envelope) -> tuple[str, ...]:
        accepted = self.settings.transaction_mismatch == "accept"
        oddities = []
        if found.uuid is None:
            oddities.append(_NO_UUID)
        if accepted and _of_other_transaction(found):
            oddities.append(_OTHER_TRANSACTION)
        return tuple(oddities)


def _given(headers: Mapping[str, str]) -> str:
    """The header's value in lower case; one pair of double quotes may stand around it."""
    value = headers.get(HEADER)
    if not value:
        raise VerificationFailed("signature-missing")
    match = _SIGNATURE.fullmatch(value)
    if match is None:
        raise VerificationFailed("signature-malformed")
    return match[2].lower()


def _signature(secret: bytes, signed: bytes) -> str:
    return hmac.digest(secret, signed, "sha1").hex()


def _of_other_transaction(found: Envelope) -> bool:
    """Invoices name theirs; a test event may hold anything, and other types need not name one."""
    if found.event_type == TEST or not found.is_whole:
        return False
    if found.is_invoice:
        return isinstance(found.data, dict) and found.transaction != lenient.text(found.id)
    return found.transaction not in (None, lenient.text(found.id))


def _key(webhook: Webhook, found: Envelope) -> str:
    """Bound to the signed id: whoever holds another id's signature cannot take its place.

    The separator stands in it once, so that no other two texts make the same key.
    """
    if found.uuid is None:
        return _substitute(webhook, found)
    key = f"{found.id}/{found.uuid}"
    if len(key) <= _MAX_KEY and key.count("/") == 1:
        return key
    return "sha256:" + _sha256([found.id, found.uuid])


def _substitute(webhook: Webhook, found: Envelope) -> str:
    if not found.is_whole:
        return "sha256:" + hashlib.sha256(webhook.body).hexdigest()
    return "sha256:" + _sha256([found.id_as_sent, found.sent_type, found.data])


def _sha256(value: Any) -> str:
    return hashlib.sha256(strict_json.canonical(value)).hexdigest()
