"""Slack: messages, by a bot token or by an incoming webhook.

Pages that this rests on: https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/reference/methods/conversations.history,
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/,
https://docs.slack.dev/messaging/formatting-message-text/.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, field_validator
from slack_sdk import WebClient, WebhookClient

from bridge.connector import (
    Call,
    Connector,
    ConnectorSettings,
    Delivered,
    Digest,
    Halted,
    Item,
    NonEmpty,
    NotNow,
    Outcome,
    Pacer,
    Rate,
    Retry,
    SecretStr,
    Skipped,
    Unknown,
    action,
)
from connectors.slack_answers import (
    HALTING,
    WEBHOOK_HALTING,
    CannotLookError,
    asked,
    inner_of,
    refusal,
    seen_in,
)
from connectors.slack_digest import digest_text
from connectors.slack_text import escape_mrkdwn, message_text

EVENT_TYPE = "showbridge_delivery"
_PAGES = 5
_ID = r"[CDGU][A-Z0-9]{6,}"
CLOCKS_APART = 300.0
"""Seconds that Slack's clock may be behind ours."""
_WEBHOOK = "webhook"
"""The lane of a webhook URL's calls: it has one channel, whatever the rules name."""


class SlackSettings(ConnectorSettings):
    """A bot token with `chat:write`, or a webhook URL; with both, the token is used.

    A webhook URL is whole: `base_url` does not change it, and it always posts
    to the channel that it was made for, whatever channel a rule names.
    """

    bot_token: SecretStr | None = None
    webhook_url: SecretStr | None = None

    @field_validator("webhook_url")
    @classmethod
    def _whole(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not re.fullmatch(r"https?://[^/]+/.+", url.get_secret_value()):
            raise ValueError("a webhook URL is https://hooks.slack.com/services/T.../B.../...")
        return url


def _said(text: str) -> str:
    said = text.replace("\0", "")
    if not said.strip():
        raise Skipped("the message is empty for this event")
    return said


def _one_name(channel: str) -> str:
    """`#sales` for `sales` and `#Sales` too: one channel is one lane, with one pace."""
    name = channel.strip()
    return name if re.fullmatch(_ID, name) else f"#{name.lstrip('#').lower()}"


class PostMessage(Item):
    """`text` may hold Slack's formatting; values that a template inserts are escaped."""

    escape: ClassVar[Callable[[str], str] | None] = staticmethod(escape_mrkdwn)

    channel: Annotated[NonEmpty, AfterValidator(_one_name)]
    text: Annotated[str, AfterValidator(_said)]


def _message(item: PostMessage, text: str) -> dict[str, Any]:
    message = {"channel": item.channel, **_content(text)}
    if item.sent_as:
        payload = {"delivery_id": item.sent_as}
        message["metadata"] = {"event_type": EVENT_TYPE, "event_payload": payload}
    return message


def _content(text: str) -> dict[str, Any]:
    return {"text": message_text(text), "unfurl_links": False, "unfurl_media": False}


def _digested(items: Sequence[PostMessage], seconds: float) -> str:
    return digest_text([item.text for item in items], [item.gist for item in items], seconds)


def _preview(settings: SlackSettings, item: PostMessage) -> list[Call]:
    return _calls(settings, item, item.text)


def _preview_digest(
    settings: SlackSettings, items: Sequence[PostMessage], seconds: float
) -> list[Call]:
    return _calls(settings, items[0], _digested(items, seconds))


def _calls(settings: SlackSettings, item: PostMessage, text: str) -> list[Call]:
    if settings.webhook_url and not settings.bot_token:
        return [Call("POST", "/services/***", body=_content(text))]
    return [Call("POST", "/api/chat.postMessage", body=_message(item, text))]


class Slack(Connector):
    """One Slack workspace, or one channel of it."""

    name = "slack"
    title = "Slack"
    Settings = SlackSettings
    rates = (Rate(1, 1.0, per_lane=True),)

    def __init__(self, settings: SlackSettings, pacer: Pacer | None = None) -> None:
        super().__init__(settings, pacer)
        self._channels: dict[str, str] = {}

    @action(
        PostMessage,
        preview=_preview,
        lane="channel",
        idempotent=False,
        digest=Digest("post_digest", _preview_digest),
    )
    def post_message(self, items: Sequence[PostMessage]) -> list[Outcome]:
        """Post a message to a channel."""
        return [self._post(item, item.text) for item in items]

    def post_digest(self, items: Sequence[PostMessage], seconds: float) -> Outcome:
        """One message for many of one channel, the first of which has waited `seconds`."""
        return self._post(items[0], _digested(items, seconds))

    def find(self, action: str, item: Item) -> Delivered | Retry | Unknown | None:
        """Look for the message in the channel since it was planned, 1,000 messages at most.

        Unknown where the token may not look, or there are more.

        Scopes: `channels:history` or `groups:history`, and `channels:read` for a channel's name.
        """
        if not (self.settings.bot_token and item.sent_as and isinstance(item, PostMessage)):
            return Unknown("only a bot token can look into a channel")
        try:
            channel = self._channel_id(item.channel)
            options = {"channel": channel, "include_all_metadata": True, **_since(item)}
            history = self._web.conversations_history
            for message in self._pages("conversations.history", history, "messages", **options):
                if _carries(message, item.sent_as):
                    return Delivered(str(message.get("ts", "")))
        except CannotLookError as unseen:
            return unseen.outcome
        return None

    def _post(self, item: PostMessage, text: str) -> Outcome:
        if self.settings.bot_token:
            return self._post_as_bot(item, text)
        if self.settings.webhook_url:
            return self._post_to_webhook(item, text)
        raise Halted("neither a bot token nor a webhook URL is set for this account")

    def _post_as_bot(self, item: PostMessage, text: str) -> Outcome:
        message = _message(item, text)
        response = self._asked(item.channel, lambda: self._web.chat_postMessage(**message))
        if isinstance(response, Retry | Unknown):
            return response
        data = response.data if isinstance(response.data, dict) else {}
        if response.status_code == 200 and data.get("ok") is True:
            self._channels[item.channel.lstrip("#")] = str(data.get("channel", ""))
            return Delivered(str(data.get("ts", "")))
        return refusal(response, data.get("error"), HALTING, item.channel)

    def _post_to_webhook(self, item: PostMessage, text: str) -> Outcome:
        response = self._asked(_WEBHOOK, lambda: self._webhook.send(**_content(text)))
        if isinstance(response, Retry | Unknown):
            return response
        if response.status_code == 200 and response.body == "ok":
            return Delivered()
        return refusal(response, response.body, WEBHOOK_HALTING, item.channel)

    def _asked(self, lane: str, call: Callable[[], Any]) -> Any:
        """The answer, or an outcome. Slack counts posts by channel, and reads by method."""
        try:
            with self.pacer.call(lane):
                return asked(call)
        except NotNow as busy:
            return Retry(str(busy), busy.after, limited=True)

    @cached_property
    def _web(self) -> WebClient:
        host = (self.settings.base_url or "https://slack.com").rstrip("/")
        return WebClient(
            token=self.settings.bot_token.get_secret_value(),
            base_url=f"{host}/api/",
            timeout=self.settings.timeout,
            logger=_mute(),
            retry_handlers=[],  # the SDK's own would post again after a dropped connection
        )

    @cached_property
    def _webhook(self) -> WebhookClient:
        return WebhookClient(
            url=self.settings.webhook_url.get_secret_value(),
            timeout=self.settings.timeout,
            logger=_mute(),
            retry_handlers=[],
        )

    def _channel_id(self, channel: str) -> str:
        name = channel.lstrip("#")
        if name not in self._channels and not re.fullmatch(r"[CDG][A-Z0-9]{6,}", name):
            options = {"types": "public_channel,private_channel", "limit": 1000}
            try:
                listing = self._web.conversations_list
                for seen in self._pages("conversations.list", listing, "channels", **options):
                    self._channels[str(seen.get("name"))] = str(seen.get("id", ""))
            except CannotLookError as unseen:
                if isinstance(unseen.outcome, Retry):
                    raise
        return self._channels.get(name) or channel

    def _pages(
        self, lane: str, method: Callable[..., Any], key: str, **params: Any
    ) -> Iterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            page = partial(method, cursor=cursor or None, **params)
            answer = self._asked(lane, page)
            data = seen_in(answer, key)
            yield from (one for one in data[key] if isinstance(one, dict))
            cursor = str(inner_of(data, "response_metadata").get("next_cursor") or "")
            if not cursor:
                return
        raise CannotLookError(Unknown("there is more in Slack than the bridge looks through"))


def _mute() -> logging.Logger:
    # The SDK logs texts and addresses; outside the hierarchy no configuration can turn that on.
    return logging.Logger("slack_sdk", logging.CRITICAL + 1)  # noqa: LOG001


def _since(item: Item) -> dict[str, Any]:
    """How far back to look, and how much at a time."""
    if item.planned_at is None:
        return {"limit": 200}
    return {"limit": 200, "oldest": f"{item.planned_at - CLOCKS_APART:.6f}"}


def _carries(message: Mapping[str, Any], delivery_id: str) -> bool:
    metadata = inner_of(message, "metadata")
    payload = inner_of(metadata, "event_payload")
    return metadata.get("event_type") == EVENT_TYPE and payload.get("delivery_id") == delivery_id
