"""What stands around a Showpass webhook's data, read twice: before and after its proof.

The signature covers the top-level `id` alone. To find it, nothing else is built: a
stranger's body costs about as much as hashing it. What is signed is then read strictly,
once, and its `id` must be the very one whose signature was checked.

https://dev.showpass.com/webhooks/03-webhooks-security
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from bridge import strict_json
from bridge.errors import Malformed
from bridge.event import Webhook
from bridge.sources import lenient
from bridge.strict_json import FEW_BYTES, TOO_MANY

TEST = "webhook.test"
_INVOICE = "invoice."

_BOM = b"\xef\xbb\xbf"
# An `id` has 128 characters, of which each may be escaped: \u0041.
_MAX_PIECE = 1_000

# Skipping a value takes time, however short it is. Showpass's bodies have a value for every 24
# bytes or more; made-up ones have one for every two. What is much denser than real ones is
# refused before it is looked at.
MIN_BYTES_OF_MEMBER = 12
FREE_MEMBERS = FEW_BYTES

_NOT_SIGNABLE = "id-missing-or-unusable"


class _Signed(msgspec.Struct):
    """All other members are skipped. `Raw` is a part of the body, whatever that is."""

    id: msgspec.Raw = msgspec.Raw(b"null")


class _Named(_Signed):
    webhook_event_uuid: msgspec.Raw = msgspec.Raw(b"null")
    event_type: msgspec.Raw = msgspec.Raw(b"null")


_signed = msgspec.json.Decoder(_Signed)
_named = msgspec.json.Decoder(_Named)


@dataclass(frozen=True)
class Envelope:
    """`id` is as it is signed, `uuid` None if it cannot be part of a key.

    `event_type` is in one spelling; `id_as_sent`, `sent_type` and `data` are as sent. `is_whole`
    False: the body holds too many members to be read, so nothing else is known of it.
    """

    id: str
    uuid: str | None
    event_type: str
    id_as_sent: Any = None
    sent_type: Any = None
    data: Any = None
    is_whole: bool = True

    @property
    def is_invoice(self) -> bool:
        return self.event_type.startswith(_INVOICE)

    @property
    def transaction(self) -> str | None:
        return lenient.text(lenient.mapping(self.data).get("transaction_id"))

    @property
    def organization(self) -> str | None:
        return lenient.text(lenient.mapping(self.data).get("showpass_organization_id"))


def signed_id(body: bytes, members: int) -> bytes:
    """What the signature covers; raises Malformed if the body has no `id` that can be signed.

    Takes no more memory than the body, and time by its length alone.
    """
    if members > max(FREE_MEMBERS, len(body) // MIN_BYTES_OF_MEMBER):
        raise Malformed(TOO_MANY)
    return _text(_read(_signed, body).id).encode()


def require_same_id(payload: Any, signed: bytes) -> None:
    """Raises Malformed if strict JSON reads another `id` than the one that was verified."""
    if not isinstance(payload, dict):
        raise Malformed("not-an-object")
    if _as_signed(payload.get("id")).encode() != signed:
        raise Malformed("id-read-in-two-ways")


def envelope(webhook: Webhook) -> Envelope:
    """Raises Malformed for a body that is no JSON object, or without a usable `id`."""
    if webhook.members > strict_json.MAX_MEMBERS:
        return _part_of(webhook.body)
    payload = webhook.json
    if not isinstance(payload, dict):
        raise Malformed("not-an-object")
    sent_type = payload.get("event_type")
    return Envelope(
        id=_as_signed(payload.get("id")),
        uuid=lenient.key(payload.get("webhook_event_uuid")),
        event_type=lenient.event_type(sent_type),
        id_as_sent=payload.get("id"),
        sent_type=sent_type,
        data=payload.get("data"),
    )


def _part_of(body: bytes) -> Envelope:
    named = _read(_named, body)
    return Envelope(
        id=_text(named.id),
        uuid=lenient.key(_short_or_none(named.webhook_event_uuid)),
        event_type=lenient.event_type(_short_or_none(named.event_type)),
        is_whole=False,
    )


def _read(decoder: Any, body: bytes) -> Any:
    content = memoryview(body)[len(_BOM) :] if body.startswith(_BOM) else body
    try:
        return decoder.decode(content)
    except msgspec.ValidationError:
        raise Malformed("not-an-object") from None
    except msgspec.DecodeError:
        raise Malformed("invalid-json") from None
    except RecursionError:
        raise Malformed("nested-too-deeply") from None


def _text(piece: msgspec.Raw) -> str:
    return _as_signed(_short(piece))


def _short(piece: msgspec.Raw) -> Any:
    """The value, by the same rules as of the whole body; None if it is too long to matter."""
    written = bytes(memoryview(piece)[: _MAX_PIECE + 1])
    return strict_json.loads(written) if len(written) <= _MAX_PIECE else None


def _short_or_none(piece: msgspec.Raw) -> Any:
    try:
        return _short(piece)
    except Malformed:
        return None


def _as_signed(value: Any) -> str:
    """It looks like a UUID and is none, so its form is not checked."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    name = lenient.key(value)
    if name is None:
        raise Malformed(_NOT_SIGNABLE)
    return name
