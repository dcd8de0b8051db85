"""One webhook, from request to answer: verify, record, answer.

Every answer is a short machine-readable reason. A 2xx is given only after the
ledger has the webhook on disk; what might be the bridge's own fault is a 503,
which senders repeat, and never a 4xx, which Showpad takes for final.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.config import SourceConfig
from bridge.errors import LedgerUnavailable, SenderError, VerificationFailed
from bridge.event import Identity, Webhook
from bridge.ledger.accept import Acceptance, Acceptor, Arrival
from bridge.source import Source
from bridge.strict_json import raw_fingerprint
from bridge.web.answers import (
    ACCEPTED,
    CONFLICT,
    DUPLICATE,
    NO_SECRET,
    NOT_ALLOWED,
    NOT_DURABLE,
    PROBE,
    UNKNOWN,
    Answer,
)
from bridge.web.body import read_body
from bridge.web.client import Network, client_address, within
from bridge.web.pressure import RETRY_SECONDS, Pressure
from bridge.web.refusals import ADDRESS, CONTENT, PATH, SIGNATURE, RefusedSources

# Enough to look into a strange webhook later; longer values say nothing more.
KEPT_CHARACTERS = 300
_KEPT_HEADERS = ("content-type", "user-agent")

_DELIVERS_BY_GET = (
    "{} delivers by GET, without a body: set the method of its subscription to POST "
    "and send the missing webhooks again."
)


@dataclass(frozen=True)
class Receiver:
    """Receives for all configured sources; `rung` is called when something new waits."""

    sources: Mapping[str, SourceConfig]
    trusted_proxies: Sequence[Network]
    acceptor: Acceptor
    now: Callable[[], float]
    rung: Callable[[], None]
    pressure: Pressure
    refused: RefusedSources

    def receive(self, name: str, path_secret: str | None, environ: Mapping[str, Any]) -> Answer:
        """Never raises for anything that a sender can do."""
        found = self._examine(name, path_secret, environ)
        if isinstance(found, Answer):
            return found
        return self._answer(found, self.acceptor.answer(found))

    def receive_later(
        self,
        name: str,
        path_secret: str | None,
        environ: Mapping[str, Any],
        done: Callable[[Callable[[], Answer]], None],
    ) -> None:
        """The same without waiting for the ledger.

        `done` is called with what makes the answer, maybe at once, maybe later
        from another thread.
        """
        found = self._examine(name, path_secret, environ)
        if isinstance(found, Answer):
            done(lambda: found)
        else:
            self.acceptor.submit(found, lambda kept: done(lambda: self._answer(found, kept)))

    def _examine(
        self, name: str, path_secret: str | None, environ: Mapping[str, Any]
    ) -> Answer | Arrival:
        """What is to be recorded, or the answer where nothing is."""
        config = self.sources.get(name)
        if config is None:
            return UNKNOWN
        if not _right_path(config.path_secret, path_secret):
            self.refused.refused(name, PATH, str(UNKNOWN.reason))
            return UNKNOWN
        if refusal := self._refusal(config, environ):
            return refusal
        try:
            if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
                return self._examine_get(config, environ)
            arrival = self._examine_post(config, environ)
        except VerificationFailed as failed:
            self.refused.refused(name, SIGNATURE, failed.reason)
            return Answer(config.bad_signature_status, "refused", failed.reason)
        except SenderError as refused:
            if refused.status >= 500:
                return Answer(refused.status, "unavailable", refused.reason)
            self.refused.refused(name, CONTENT, refused.reason)
            return Answer(refused.status, "refused", refused.reason)
        self.refused.taken(name)
        return arrival

    def _refusal(self, config: SourceConfig, environ: Mapping[str, Any]) -> Answer | None:
        """Whatever the request holds, which is not read then."""
        if not self._is_allowed(config, environ):
            # An empty list refuses everybody on purpose.
            if config.allow_from:
                self.refused.refused(config.name, ADDRESS, str(NOT_ALLOWED.reason))
            return NOT_ALLOWED
        if not config.secrets:
            return NO_SECRET
        if reason := self.pressure.reason:
            return Answer(503, "unavailable", reason, retry_after=RETRY_SECONDS)
        return None

    def _is_allowed(self, config: SourceConfig, environ: Mapping[str, Any]) -> bool:
        if config.allow_from is None:
            return True
        address = client_address(environ, self.trusted_proxies)
        return address is not None and within(address, config.allow_from)

    def _examine_post(self, config: SourceConfig, environ: Mapping[str, Any]) -> Arrival:
        body = read_body(environ, config.max_body, accepts_gzip=config.accept_gzip)
        webhook = self._webhook(config, environ, body)
        config.source.verify(webhook)
        return _arrival(config, webhook, config.source.identify(webhook))

    def _examine_get(self, config: SourceConfig, environ: Mapping[str, Any]) -> Answer | Arrival:
        """A probe, or the work of a subscription that delivers by GET, which is kept."""
        headers = _headers(environ)
        if not any(name in headers for name in config.source.signature_headers):
            return PROBE
        webhook = self._webhook(config, environ, b"")
        try:
            config.source.verify(webhook)
        except SenderError:
            return PROBE
        query = str(environ.get("QUERY_STRING", "")).encode("latin-1", "replace")
        told = "\n".join(headers.get(name, "") for name in config.source.signature_headers)
        identity = Identity(
            idempotency_key=f"get:{hashlib.sha256(told.encode() + query).hexdigest()}",
            event_type="(delivered by GET)",
            fingerprint=raw_fingerprint(query),
            quarantine="delivered-by-get",
            alerts=(_DELIVERS_BY_GET.format(config.name),),
        )
        kept = Webhook(config.name, query, webhook.headers, webhook.received_at, method="GET")
        return _arrival(config, kept, identity)

    def _webhook(self, config: SourceConfig, environ: Mapping[str, Any], body: bytes) -> Webhook:
        return Webhook(
            source=config.name, body=body, headers=_headers(environ), received_at=self.now()
        )

    def _answer(self, arrival: Arrival, kept: Acceptance | LedgerUnavailable) -> Answer:
        if isinstance(kept, LedgerUnavailable):
            return NOT_DURABLE
        if kept is Acceptance.DUPLICATE:
            return DUPLICATE
        if kept is Acceptance.CONFLICT:
            return CONFLICT
        if reason := arrival.identity.quarantine:
            return Answer(202 if arrival.webhook.method == "POST" else 200, "quarantined", reason)
        self.rung()
        return ACCEPTED


def _arrival(config: SourceConfig, webhook: Webhook, identity: Identity) -> Arrival:
    kept = Webhook(
        source=webhook.source,
        body=webhook.body,
        headers=_kept(webhook.headers, config.source),
        received_at=webhook.received_at,
        method=webhook.method,
    )
    return Arrival(kept, identity)


def _right_path(expected: str | None, given: str | None) -> bool:
    """An unguessable path keeps guesses of signatures away; so it is compared like one."""
    if expected is None:
        return given is None
    return hmac.compare_digest(expected.encode(), (given or "").encode())


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    return headers


def _kept(headers: Mapping[str, str], source: Source) -> dict[str, str]:
    """What is known to be worth keeping; anything else may be a credential."""
    named = sorted({*_KEPT_HEADERS, *source.kept_headers} - {*source.signature_headers})
    return {
        name: headers[name][:KEPT_CHARACTERS].replace("\x00", "")
        for name in named
        if name in headers
    }
