"""The calls that Slack's actions make, told before they are made. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.connector import Call
from connectors.slack.daily import DailyDigest, summed_up
from connectors.slack.digest import digest_text
from connectors.slack.items import AddReaction, Content, Placed, PostMessage, UpdateMessage
from connectors.slack.messages import (
    Body,
    Reference,
    blocks_content,
    changed,
    content_of,
    posted,
    referred,
    said_by,
    text_content,
)
from connectors.slack.settings import SlackSettings
from connectors.slack.text import message_text

_TOLD_THEN = "***"
"""What Slack tells only when it is asked."""


def digested(items: Sequence[PostMessage], seconds: float) -> Body:
    """The content of one message for many of a channel that is behind."""
    texts = [said_by(item) for item in items]
    told = digest_text(texts, [item.gist for item in items], seconds)
    return text_content(message_text(told))


def daily(items: Sequence[DailyDigest]) -> Body:
    """The content of a day's message."""
    return blocks_content(*summed_up(items))


def preview_post(settings: SlackSettings, item: Content) -> list[Call]:
    at = referred(item.earlier)
    if at is None or settings.by_webhook:
        return _new_message(settings, item, content_of(item))
    content = content_of(item)
    return [
        _posting(posted(item, at.channel, content, at)),
        _posting(posted(item, at.channel, content), "if that message takes no answers"),
    ]


def preview_digest(
    settings: SlackSettings, items: Sequence[PostMessage], seconds: float
) -> list[Call]:
    return _new_message(settings, items[0], digested(items, seconds))


def preview_daily(settings: SlackSettings, item: DailyDigest) -> list[Call]:
    return _new_message(settings, item, daily([item]))


def preview_dailies(
    settings: SlackSettings, items: Sequence[DailyDigest], seconds: float
) -> list[Call]:
    return _new_message(settings, items[0], daily(items))


def preview_update(settings: SlackSettings, item: UpdateMessage) -> list[Call]:
    at = referred(item.earlier)
    if at is None or at.of_many:
        return preview_post(settings, item)
    content = content_of(item)
    return [
        Call("POST", "/api/chat.update", body=changed(at, content)),
        _posting(posted(item, at.channel, content), "if that message cannot be changed any more"),
    ]


def preview_reaction(settings: SlackSettings, item: AddReaction) -> list[Call]:
    at = referred(item.earlier)
    if at is None or at.of_many:
        return []
    return [Call("POST", "/api/reactions.add", body=_reaction(at, item))]


def _reaction(at: Reference, item: AddReaction) -> Body:
    return {"channel": at.channel, "timestamp": at.ts, "name": item.emoji}


def _new_message(settings: SlackSettings, item: Placed, content: Body) -> list[Call]:
    if settings.by_webhook:
        return [Call("POST", "/services/***", body=content)]
    if item.person is None:
        return [_posting(posted(item, item.channel or "", content))]
    unknown = "unless this person was written to some minutes ago"
    address, person = {"email": item.person}, {"users": _TOLD_THEN}
    return [
        Call("POST", "/api/users.lookupByEmail", body=address, when=unknown),
        Call("POST", "/api/conversations.open", body=person, when=unknown),
        _posting(posted(item, _TOLD_THEN, content)),
    ]


def _posting(message: Body, when: str = "") -> Call:
    return Call("POST", "/api/chat.postMessage", body=message, when=when)
