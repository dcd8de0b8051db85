"""Slack: messages, their threads and changes, reactions, and a digest every day.

By a bot token or by an incoming webhook. Pages that this rests on:
https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/,
https://docs.slack.dev/messaging/formatting-message-text/.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bridge.connector import (
    Checked,
    Connector,
    Delivered,
    Digest,
    Halted,
    Item,
    Outcome,
    Pacer,
    Refusal,
    Retry,
    Suppressed,
    Unknown,
    Use,
    action,
)
from connectors.slack.answers import code_of, data_of, is_yes, refusal
from connectors.slack.daily import DailyDigest, not_before
from connectors.slack.directory import Directory
from connectors.slack.history import find
from connectors.slack.items import AddReaction, Content, Placed, PostMessage, UpdateMessage
from connectors.slack.line import RATES, Line
from connectors.slack.messages import (
    Body,
    Reference,
    changed,
    content_of,
    is_of_many,
    posted,
    reference_of,
    referred,
)
from connectors.slack.previews import (
    daily,
    digested,
    preview_dailies,
    preview_daily,
    preview_digest,
    preview_post,
    preview_reaction,
    preview_update,
)
from connectors.slack.refusals import refusals
from connectors.slack.settings import SlackSettings
from connectors.slack.survey import survey, survey_of_webhook

__all__ = ["AddReaction", "DailyDigest", "PostMessage", "Slack", "SlackSettings", "UpdateMessage"]

_NO_THREAD = (
    "cannot_reply_to_message",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "thread_not_found",
)
_NO_UPDATE = (
    "block_mismatch",
    "cant_update_message",
    "edit_window_closed",
    "message_not_found",
    "streaming_state_conflict",
)
_LEFT = ("channel_not_found", "is_archived", "not_in_channel")
"""The earlier message's channel may have been replaced by one of the same name."""
_GONE = ("message_not_found", "not_reactable", "thread_locked", "is_archived")
_ALONE = "nothing was said of this here before, so it is a message of its own"
_MOST_OF_A_DAY = 10_000


class Slack(Connector):
    """One Slack workspace, or one channel of it."""

    name = "slack"
    title = "Slack"
    Settings = SlackSettings
    rates = RATES

    def __init__(
        self,
        settings: SlackSettings,
        pacer: Pacer | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(settings, pacer)
        self._line = Line(settings, self.pacer)
        self._directory = Directory(self._line, now)

    @action(
        PostMessage,
        preview=preview_post,
        lane="place",
        together="post_message",
        idempotent=False,
        digest=Digest("post_digest", preview_digest),
        event=True,
        threads="thread_of",
    )
    def post_message(self, items: Sequence[PostMessage]) -> list[Outcome]:
        """Post a message to a channel, in a thread, or to a person."""
        return [self._post_one(item, asked_to_follow=bool(item.thread_of)) for item in items]

    def post_digest(self, items: Sequence[PostMessage], seconds: float) -> Outcome:
        """One message for many of one channel, the first of which has waited `seconds`."""
        return self._post(items[0], digested(items, seconds))

    @action(
        UpdateMessage,
        preview=preview_update,
        lane="place",
        together="post_message",
        idempotent=False,
        overwrites=True,
        event=True,
        threads="update_of",
    )
    def update_message(self, items: Sequence[UpdateMessage]) -> list[Outcome]:
        """Change the first message about a transaction or Shared Space."""
        return [self._update(item) for item in items]

    @action(
        AddReaction,
        preview=preview_reaction,
        lane="place",
        together="post_message",
        threads="reaction_to",
    )
    def add_reaction(self, items: Sequence[AddReaction]) -> list[Outcome]:
        """Add an emoji below the first message about a transaction or Shared Space."""
        return [self._react(item) for item in items]

    @action(
        DailyDigest,
        preview=preview_daily,
        lane="round",
        idempotent=False,
        digest=Digest("post_daily", preview_dailies, most=_MOST_OF_A_DAY, always=True),
        event=True,
        not_before=not_before,
    )
    def post_daily_digest(self, items: Sequence[DailyDigest]) -> list[Outcome]:
        """Sum up a day in one message: how many and how much, by groups."""
        return [self._post(item, daily([item])) for item in items]

    def post_daily(self, items: Sequence[DailyDigest], seconds: float) -> Outcome:
        """One message for all that came since the last one."""
        return self._post(items[0], daily(items))

    @classmethod
    def refuses(
        cls, settings: Any | None, action: str, fields: Mapping[str, Any]
    ) -> Sequence[Refusal]:
        return list(refusals(settings, action, fields))

    def find(self, action: str, item: Item) -> Delivered | Retry | Unknown | None:
        """Look for the message in the channel since it was planned."""
        if not (self.settings.bot_token and item.sent_as and isinstance(item, Placed)):
            return Unknown("only a bot token can look into a channel")
        return find(self._line, self._directory, item)

    def survey(self, uses: Sequence[Use]) -> Sequence[Checked]:
        if self.settings.by_webhook:
            return list(survey_of_webhook(uses))
        return list(survey(self._line, uses))

    # Posting

    def _post_one(self, item: Content, *, asked_to_follow: bool) -> Outcome:
        at = referred(item.earlier)
        if at is None or self.settings.by_webhook:
            outcome = self._post(item, content_of(item))
            return _with_remark(outcome, _ALONE) if asked_to_follow else outcome
        return self._answer(item, at)

    def _answer(self, item: Content, at: Reference) -> Outcome:
        content = content_of(item)
        answer = self._line.post(item.place, posted(item, at.channel, content, at))
        if not isinstance(answer, Retry | Unknown) and code_of(answer) in (*_NO_THREAD, *_LEFT):
            remark = "the earlier message takes no answers, so it is a message of its own"
            return _with_remark(self._post_instead(item, at, code_of(answer)), remark)
        return self._outcome(item, answer)

    def _post_instead(self, item: Content, at: Reference, code: str) -> Outcome:
        """A message of its own, in the same channel unless that is gone."""
        if code in _LEFT:
            return self._post(item, content_of(item))
        return self._post_to(item, at.channel, content_of(item))

    def _post(self, item: Placed, content: Body) -> Outcome:
        if self.settings.by_webhook:
            return self._post_to_webhook(item, content)
        if not self.settings.bot_token:
            raise Halted("neither a bot token nor a webhook URL is set for this account")
        if item.person is None:
            return self._post_to(item, item.channel or "", content)
        conversation = self._directory.conversation(item)
        if not isinstance(conversation, str):
            return conversation
        return self._post_to(item, conversation, content)

    def _post_to(self, item: Placed, channel: str, content: Body) -> Outcome:
        answer = self._line.post(item.place, posted(item, channel, content))
        return self._outcome(item, answer)

    def _outcome(self, item: Placed, answer: Any) -> Outcome:
        if isinstance(answer, Retry | Unknown):
            return answer
        if not is_yes(answer):
            return refusal(answer, item.channel or "")
        data = data_of(answer)
        if item.channel and data.get("channel"):
            self._directory.note(item.channel, str(data["channel"]))
        return Delivered(reference_of(data, of_many=is_of_many(item)))

    def _post_to_webhook(self, item: Placed, content: Body) -> Outcome:
        answer = self._line.post_to_webhook(content)
        if isinstance(answer, Retry | Unknown):
            return answer
        if answer.status_code == 200 and answer.body == "ok":
            return Delivered()
        return refusal(answer, item.channel or "", webhook=True)

    # What is there already

    def _update(self, item: UpdateMessage) -> Outcome:
        at = referred(item.earlier)
        if at is None or at.of_many:
            return self._post_one(item, asked_to_follow=True)
        answer = self._line.ask("chat.update", **changed(at, content_of(item)))
        if isinstance(answer, Retry | Unknown):
            return answer
        if is_yes(answer):
            return Delivered(str(at))
        if code_of(answer) not in (*_NO_UPDATE, *_LEFT):
            return refusal(answer, item.channel or "", posts=False)
        remark = "the earlier message cannot be changed any more, so it is a message of its own"
        return _with_remark(self._post_instead(item, at, code_of(answer)), remark)

    def _react(self, item: AddReaction) -> Outcome:
        at = referred(item.earlier)
        if at is None:
            return Suppressed("nothing was said of this here before that it could react to")
        if at.of_many:
            return Suppressed("the message about this tells of others too, so it gets no reaction")
        where = {"channel": at.channel, "timestamp": at.ts}
        answer = self._line.ask("reactions.add", **where, name=item.emoji)
        if isinstance(answer, Retry | Unknown):
            return answer
        if is_yes(answer) or code_of(answer) == "already_reacted":
            return Delivered(str(at))
        if code_of(answer) in _GONE:
            return Suppressed("the message about this is gone or takes no reactions any more")
        return refusal(answer, item.channel or "", posts=False)


def _with_remark(outcome: Outcome, remark: str) -> Outcome:
    return replace(outcome, remark=remark) if isinstance(outcome, Delivered) else outcome
