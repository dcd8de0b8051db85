"""The calls of one account: by its bot token or its webhook URL, each at its own pace.

https://docs.slack.dev/apis/web-api/rate-limits: about one message a second in each
channel, and for every other method so many calls a minute by its tier.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any

from slack_sdk import WebClient, WebhookClient

from bridge.connector import NotNow, Pacer, Rate, Retry, Unknown
from connectors.slack.answers import CannotLookError, asked, inner_of, seen_in
from connectors.slack.settings import SlackSettings

WEBHOOK = "webhook"
"""The lane of a webhook URL's calls: it has one channel, whatever the rules name."""

_TIER_2 = ("conversations.list",)
_TIER_3 = (
    "chat.update",
    "conversations.history",
    "conversations.info",
    "conversations.open",
    "conversations.replies",
    "reactions.add",
    "users.lookupByEmail",
)
RATES = (
    Rate(1, 1.0, per_lane=True),
    *(Rate(20, 60.0, lane=method) for method in _TIER_2),
    *(Rate(50, 60.0, lane=method) for method in _TIER_3),
)
_PAGES = 5


class Line:
    """Calls methods by name; each answer is Slack's response, a Retry or an Unknown."""

    def __init__(self, settings: SlackSettings, pacer: Pacer) -> None:
        self.settings = settings
        self._pacer = pacer

    def post(self, place: str, message: Mapping[str, Any]) -> Any:
        """`place` names the lane: Slack counts posts by channel."""
        return self._paced(place, partial(self._web.chat_postMessage, **message))

    def post_to_webhook(self, content: Mapping[str, Any]) -> Any:
        return self._paced(WEBHOOK, partial(self._webhook.send, **content))

    def ask(self, method: str, **params: Any) -> Any:
        """Of a method that does the same when it is called twice."""
        call = partial(getattr(self._web, method.replace(".", "_")), **params)
        return self._paced(method, call, posts=False)

    def pages(self, method: str, key: str, **params: Any) -> Iterator[Mapping[str, Any]]:
        """The entries of a list, which is read as far as is sensible; raises CannotLookError."""
        cursor = ""
        for _ in range(_PAGES):
            answer = self.ask(method, cursor=cursor or None, **params)
            data = seen_in(answer, key)
            yield from (one for one in data[key] if isinstance(one, dict))
            cursor = str(inner_of(data, "response_metadata").get("next_cursor") or "")
            if not cursor:
                return
        raise CannotLookError(Unknown("there is more in Slack than the bridge looks through"))

    def _paced(self, lane: str, call: Callable[[], Any], *, posts: bool = True) -> Any:
        try:
            with self._pacer.call(lane):
                return asked(call, posts=posts)
        except NotNow as busy:
            return Retry(str(busy), busy.after, limited=True)

    @cached_property
    def _web(self) -> WebClient:
        host = (self.settings.base_url or "https://slack.com").rstrip("/")
        token = self.settings.bot_token
        return WebClient(
            token=token.get_secret_value() if token else None,
            base_url=f"{host}/api/",
            timeout=self.settings.timeout,  # type: ignore[arg-type]  # fractions work too
            logger=_mute(),
            retry_handlers=[],  # the SDK's own would post again after a dropped connection
        )

    @cached_property
    def _webhook(self) -> WebhookClient:
        url = self.settings.webhook_url
        return WebhookClient(
            url=url.get_secret_value() if url else "",
            timeout=self.settings.timeout,  # type: ignore[arg-type]  # fractions work too
            logger=_mute(),
            retry_handlers=[],
        )


def _mute() -> logging.Logger:
    # The SDK logs texts and addresses; outside the hierarchy no configuration can turn that on.
    return logging.Logger("slack_sdk", logging.CRITICAL + 1)  # noqa: LOG001
