"""Webhooks: an event as JSON to any address that takes it: Zapier, Make, n8n, an application.

Standard Webhooks, of which every request has the headers:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import parse_qsl

from bridge.connector import (
    Call,
    Checked,
    Connector,
    Halted,
    NotNow,
    Outcome,
    Pacer,
    Rate,
    Rejected,
    Retry,
    Use,
    action,
)
from connectors.webhook.addresses import Address, Resolve, allowed, is_named, looked_up
from connectors.webhook.answers import outcome
from connectors.webhook.body import LONGEST, Post, content, headers_of, path_of
from connectors.webhook.exchange import Request, exchange
from connectors.webhook.settings import WebhookSettings

__all__ = ["Post", "Webhook", "WebhookSettings"]


def _now() -> datetime:
    return datetime.now(UTC)


def _preview(settings: WebhookSettings, item: Post) -> list[Call]:
    """The address is a secret: `***` stands for its path and the values of its query."""
    target = settings.target
    hidden = "/***" if target.path.strip("/") else ""
    query = dict.fromkeys(dict(parse_qsl(target.query, keep_blank_values=True)), "***")
    return [Call(settings.method, path_of(item, hidden), query, json.loads(content(item)))]


class Webhook(Connector):
    """One receiver of webhooks.

    Zapier takes 30 requests a second of one webhook and Make as many
    (https://docs.zapier.com/platform/build/operating-constraints); others are smaller.
    """

    name = "webhook"
    title = "Webhook"
    Settings = WebhookSettings
    rates = (Rate(10, 1.0),)
    concurrency = 5

    def __init__(
        self,
        settings: WebhookSettings,
        pacer: Pacer | None = None,
        resolve: Resolve = looked_up,
        now: Callable[[], datetime] = _now,
    ) -> None:
        super().__init__(settings, pacer)
        self._resolve = resolve
        self._now = now

    # Twice is once for whoever looks at `webhook-id`, as receivers of webhooks have to.
    @action(Post, preview=_preview, lane="path", event=True)
    def post(self, items: Sequence[Post]) -> list[Outcome]:
        """Send the event, or a body of your own, to a web address."""
        return [self._posted(item) for item in items]

    def survey(self, uses: Sequence[Use]) -> Sequence[Checked]:
        """Whether the receiver's name leads to an address that is allowed; nothing is sent."""
        if self.settings.url is None:
            return []
        what = f"the receiver's address at {self.settings.target.hostname}"
        try:
            found = self._addresses()
        except Halted as refused:
            return [Checked(what, "wrong", str(refused))]
        if isinstance(found, Retry):
            return [Checked(what, "wrong", found.reason)]
        return [Checked(what, "right")]

    def _posted(self, item: Post) -> Outcome:
        if self.settings.url is None:
            raise Halted("this account has no `url`")
        body = content(item)
        if len(body) > LONGEST:
            return Rejected(f"the message is longer than {LONGEST:,} bytes; send less of the event")
        try:
            with self.pacer.call():
                return self._sent(item, body)
        except NotNow as busy:
            return Retry(str(busy), busy.after, whole_account=True)

    def _sent(self, item: Post, body: bytes) -> Outcome:
        addresses = self._addresses()
        if isinstance(addresses, Retry):
            return addresses
        request = self._request(item, body)
        answer = exchange(request, addresses, self.settings.timeout, self._trust)
        return outcome(self.settings, answer, self._now())

    def _request(self, item: Post, body: bytes) -> Request:
        target = self.settings.target
        path = path_of(item, target.path)
        return Request(
            secure=target.scheme == "https",
            host=target.hostname or "",
            port=self._port,
            method=self.settings.method,
            path=f"{path}?{target.query}" if target.query else path,
            headers=headers_of(self.settings, item, body, self._now()),
            body=body,
        )

    def _addresses(self) -> Sequence[Address] | Retry:
        """Looked up anew for each request, and connected to as they are; raises Halted."""
        target, private = self.settings.target, self.settings.allow_private
        try:
            found = self._resolve(target.hostname or "", self._port)
        except (OSError, UnicodeError):
            return Retry("the receiver's name cannot be found; check `url`", whole_account=True)
        reached = allowed(found, private)
        if not reached:
            raise Halted(
                "the receiver's name leads into a private network, which is not allowed; if it is "
                "your own application, name its network below `allow_private`"
            )
        if target.scheme == "https":
            return reached
        own = [address for address in reached if is_named(address, private)]
        if not own:
            raise Halted(
                "`url` begins with http://, but the receiver is not in a network that "
                "`allow_private` names; write https://"
            )
        return own

    @property
    def _port(self) -> int:
        target = self.settings.target
        return target.port or (443 if target.scheme == "https" else 80)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context()
