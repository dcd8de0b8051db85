"""Showpad, the sales enablement service: signed bodies, a short retry window, few published types.

Showpad never repeats what was answered with a 4xx and gives up within half a
minute otherwise, so whatever is authentic is kept: stale, unparsable or
delivered by GET, it waits in quarantine for a person.

https://docs.api.showpad.com/docs/webhooks/webhook-verification
https://developer.showpad.com/docs/webhooks/webhook-notifications
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import pydantic

from bridge.errors import Malformed, VerificationFailed
from bridge.event import Event, Identity, Webhook
from bridge.source import Field, Source, SourceSettings
from bridge.sources import lenient
from bridge.sources.bounded import bounded
from bridge.sources.showpad_space import FIELDS, happenings, occurred_at

SIGNATURE = "x-showpad-signature-v1"
TIMESTAMP = "x-showpad-signature-timestamp"

_MAX_SIGNATURES = 10
# int() alone would take spaces, underscores and other scripts' digits.
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
# 32 bytes in Base64; compared as text, so that each value has one spelling only.
_DIGEST = re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII)

# What digests count.
_NOUNS = {
    "shared-space-created": "shared space",
    "shared-space-user-added": "space member",
    "course-completed": "course completion",
}

_NO_ID = (
    "Showpad sent no usable id, so a redelivery is recognised by its body alone; look at the "
    "subscription's log in Showpad."
)


class ShowpadSettings(SourceSettings):
    """`tolerance` is how many seconds the signed time may be away from our clock, either way.

    What is signed but further away is quarantined: a replay, or a clock that is off.
    """

    tolerance: float = pydantic.Field(default=300.0, gt=0, allow_inf_nan=False)


class Showpad(Source):
    """HMAC-SHA256 in Base64, over the raw body, a full stop and the time.

    Type strings are written in two styles (`shared-space-created`,
    `COURSE_COMPLETED`); here all are lower case with hyphens. Most are
    unpublished, so a type that is not listed is no error.
    """

    kind: ClassVar[str] = "showpad"
    title: ClassVar[str] = "Showpad"
    Settings: ClassVar[type[SourceSettings]] = ShowpadSettings
    signature_covers: ClassVar[Literal["body", "id"]] = "body"
    signature_headers: ClassVar[tuple[str, ...]] = (SIGNATURE,)
    kept_headers: ClassVar[tuple[str, ...]] = (TIMESTAMP,)
    event_types: ClassVar[tuple[str, ...]] = (
        "shared-space-created",
        "shared-space-user-added",
        "course-completed",
    )
    types_are_open: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = FIELDS
    sample_ids: ClassVar[tuple[str, ...]] = ("data.sharedSpace.id",)
    sampled_at: ClassVar[datetime] = datetime(2027, 3, 10, 9, 10, tzinfo=UTC)

    settings: ShowpadSettings

    def verify(self, webhook: Webhook) -> None:
        """One of the first ten comma-separated signatures must match; the age is not judged here.

        The key is the text that Showpad shows once, as UTF-8.
        """
        timestamp = webhook.headers.get(TIMESTAMP, "")
        if not _SECONDS.fullmatch(timestamp):
            raise VerificationFailed("timestamp-missing-or-malformed")
        given = _given(webhook.headers)
        expected = [_signature(secret, webhook.body, timestamp) for secret in self.secrets]
        matches = [hmac.compare_digest(one, other) for one in given for other in expected]
        if not any(matches):
            raise VerificationFailed("signature-mismatch")

    def identify(self, webhook: Webhook) -> Identity:
        """The key is the envelope's `id`, else a hash of the body; never raises."""
        payload, trouble = _read(webhook)
        key = lenient.key(payload.get("id"))
        return Identity(
            idempotency_key=key or _substitute(webhook),
            event_type=_type(payload),
            fingerprint=webhook.fingerprint,
            quarantine=trouble or self._quarantine(webhook, payload),
            alerts=() if trouble or key else (_NO_ID,),
        )

    def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
        """One event; one for each person where `data` is a list of people.

        What cannot be read as an envelope holds no event.
        """
        payload, trouble = _read(webhook)
        if trouble and not payload:
            return ()
        occurred, remarks = occurred_at(payload.get("time"))
        data, left_out = bounded(payload.get("data"))
        return tuple(
            Event(
                source=webhook.source,
                type=_type(payload),
                contact=happening.contact,
                facts=happening.facts | {"occurred_at": occurred},
                raw=happening.raw,
                subject=happening.space,
                # Told once, however many people are named.
                remarks=(*(() if number else remarks), *happening.remarks),
                unread=happening.unread,
                left_out=(*(() if number else left_out), *happening.left_out),
                noun=_NOUNS.get(_type(payload), ""),
            )
            for number, happening in enumerate(happenings(data))
        )

    def sign(self, body: bytes, secret: str, now: float) -> Mapping[str, str]:
        """Signs any bytes."""
        timestamp = str(int(now))
        return {
            "Content-Type": "application/json",
            "x-showpad-signature-timestamp": timestamp,
            "x-showpad-signature-v1": _signature(secret.encode(), body, timestamp),
        }

    def _quarantine(self, webhook: Webhook, payload: Mapping[str, Any]) -> str | None:
        if _type(payload) == lenient.UNKNOWN_TYPE:
            return "event-type-missing"
        timestamp = webhook.headers.get(TIMESTAMP, "")
        signed_at = int(timestamp) if _SECONDS.fullmatch(timestamp) else 0
        stale = abs(webhook.received_at - signed_at) > self.settings.tolerance
        return "stale-timestamp" if stale else None


def _given(headers: Mapping[str, str]) -> list[str]:
    value = headers.get(SIGNATURE, "")
    if not value:
        raise VerificationFailed("signature-missing")
    entries = [entry.strip() for entry in value.split(",", _MAX_SIGNATURES)[:_MAX_SIGNATURES]]
    given = [entry for entry in entries if _DIGEST.fullmatch(entry)]
    if not given:
        raise VerificationFailed("signature-malformed")
    return given


def _signature(secret: bytes, body: bytes, timestamp: str) -> str:
    """Over `body.timestamp`, without a copy of the body."""
    digest = hmac.new(secret, body, "sha256")
    digest.update(b"." + timestamp.encode())
    return base64.b64encode(digest.digest()).decode()


def _read(webhook: Webhook) -> tuple[Mapping[str, Any], str | None]:
    """The envelope, empty where there is none, and why it cannot be processed.

    What a delivery by GET looks like is unpublished; its body is expected to be empty.
    """
    by_get = "delivered-by-get" if webhook.method == "GET" else None
    try:
        value = webhook.json
    except Malformed as malformed:
        return {}, by_get or f"unparsable: {malformed.reason}"
    if not isinstance(value, dict):
        return {}, by_get or "unparsable: not-an-object"
    return value, by_get


def _type(payload: Mapping[str, Any]) -> str:
    return lenient.event_type(payload.get("type")).replace("_", "-")


def _substitute(webhook: Webhook) -> str:
    """Of the body; empty bodies are told apart by the time that was signed with them."""
    timestamp = webhook.headers.get(TIMESTAMP, "").encode(errors="replace")
    return "sha256:" + hashlib.sha256(webhook.body or b"." + timestamp).hexdigest()
