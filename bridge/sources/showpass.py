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
from bridge.errors import Malformed, VerificationFailed
from bridge.event import Event, Identity, Webhook
from bridge.source import Field, Source, SourceSettings
from bridge.sources import lenient
from bridge.sources.bounded import bounded
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
    show_field: ClassVar[str | None] = "tickets.event_id"

    settings: ShowpassSettings

    def verify(self, webhook: Webhook) -> None:
        """Raises VerificationFailed before the body is read where the header alone is wrong.

        Raises Malformed for a body without an `id` that can be signed: a text
        of 1 to 128 printable ASCII characters, or an integer.
        """
        given = _given(webhook.headers)
        signed = _signed(webhook.json)
        matches = [hmac.compare_digest(given, _signature(key, signed)) for key in self.secrets]
        if not any(matches):
            raise VerificationFailed("signature-mismatch")

    def identify(self, webhook: Webhook) -> Identity:
        """The key is `webhook_event_uuid`, else a hash of id, type and data."""
        payload = _payload(webhook.json)
        key = lenient.key(payload.get("webhook_event_uuid"))
        return Identity(
            idempotency_key=key or _substitute(payload),
            event_type=lenient.event_type(payload.get("event_type")),
            fingerprint=hashlib.sha256(webhook.body).hexdigest(),
            quarantine=self._quarantine(payload),
            alerts=self._oddities(payload),
        )

    def same_content(self, first: bytes, second: bytes) -> bool:
        """Neither key order nor white space is content."""
        one, other = strict_json.loads(first), strict_json.loads(second)
        return strict_json.canonical(one) == strict_json.canonical(other)

    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        """One event of every webhook; only `invoice.*` events have facts."""
        payload = _payload(webhook.json)
        event_type = lenient.event_type(payload.get("event_type"))
        data, left_out = bounded(payload.get("data"))
        invoice = lenient.mapping(data)
        claims = claimed_matters(payload, invoice) if event_type in _CLAIMING else ()
        named = signed_matters(payload)
        if self.settings.ticket_mismatch == "accept":
            named, claims = named + claims, ()
        event = Event(
            source=webhook.source,
            type=event_type,
            contact=buyer(event_type, invoice),
            facts=facts(payload, invoice) if event_type.startswith("invoice.") else {},
            raw=without_barcodes(data if isinstance(data, dict) else {"data": data}),
            # What is signed: else whoever has one signature could answer in others' threads.
            subject=lenient.text(payload.get("id")),
            remarks=(*self._oddities(payload), *left_out, *long_addresses(invoice)),
            noun=_NOUNS.get(event_type, ""),
            amount=lenient.money(invoice.get("net_sales")),
            currency=lenient.text(invoice.get("currency")) or "",
            begins=named if event_type == "invoice.purchase" else (),
            ends=named if event_type in _ENDINGS else (),
            claims=claims,
            holds_claims=self.settings.ticket_mismatch == "quarantine",
        )
        return (event,)

    def sign(self, body: bytes, secret: str, now: float) -> Mapping[str, str]:
        """Raises Malformed where the body has no `id` that can be signed."""
        signed = _signed(strict_json.loads(body))
        return {"X-SHOWPASS-SIGNATURE": _signature(secret.encode(), signed)}

    def _quarantine(self, payload: Mapping[str, Any]) -> str | None:
        """Authentic by its signature, so kept even where it cannot be processed."""
        event_type = lenient.event_type(payload.get("event_type"))
        data = payload.get("data")
        if event_type == lenient.UNKNOWN_TYPE:
            return "event-type-missing"
        if event_type.startswith("invoice.") and not isinstance(data, dict):
            return "data-not-an-object"
        if self._of_other_organization(event_type, lenient.mapping(data)):
            return "organization-mismatch"
        strict = self.settings.transaction_mismatch == "quarantine"
        return "transaction-mismatch" if strict and _of_other_transaction(payload) else None

    def _of_other_organization(self, event_type: str, data: Mapping[str, Any]) -> bool:
        """Only an invoice must name its organization; a test event may hold anything."""
        named = lenient.text(data.get("showpass_organization_id"))
        if self.settings.organization is None or (
            named is None and not event_type.startswith("invoice.")
        ):
            return False
        return named != self.settings.organization

    def _oddities(self, payload: Mapping[str, Any]) -> tuple[str, ...]:
        accepted = self.settings.transaction_mismatch == "accept"
        found = []
        if lenient.key(payload.get("webhook_event_uuid")) is None:
            found.append(_NO_UUID)
        if accepted and _of_other_transaction(payload):
            found.append(_OTHER_TRANSACTION)
        return tuple(found)


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


def _signed(value: Any) -> bytes:
    """The `id` as it is signed. It looks like a UUID and is none, so its form is not checked."""
    given = _payload(value).get("id")
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given).encode()
    name = lenient.key(given)
    if name is None:
        raise Malformed("id-missing-or-unusable")
    return name.encode()


def _payload(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Malformed("not-an-object")
    return value


def _of_other_transaction(payload: Mapping[str, Any]) -> bool:
    event_type, data = payload.get("event_type"), payload.get("data")
    if not isinstance(data, dict) or not lenient.event_type(event_type).startswith("invoice."):
        return False
    return lenient.text(data.get("transaction_id")) != lenient.text(payload.get("id"))


def _substitute(payload: Mapping[str, Any]) -> str:
    return "sha256:" + _sha256([payload.get(name) for name in ("id", "event_type", "data")])


def _sha256(value: Any) -> str:
    return hashlib.sha256(strict_json.canonical(value)).hexdigest()
