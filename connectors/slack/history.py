"""Looking for a message of unknown outcome, by the name that it carries in its metadata.

https://docs.slack.dev/reference/methods/conversations.history and
https://docs.slack.dev/reference/methods/conversations.replies; scopes
`channels:history`, `groups:history` or `im:history`, and `channels:read` or
`groups:read` for a channel's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.connector import Delivered, Halted, Retry, Unknown
from connectors.slack.answers import CannotLookError, inner_of
from connectors.slack.directory import Directory
from connectors.slack.items import Placed
from connectors.slack.line import Line
from connectors.slack.messages import (
    EVENT_TYPE,
    Reference,
    is_of_many,
    reference_of,
    referred,
)

CLOCKS_APART = 300.0
"""Seconds that Slack's clock may be behind ours."""


def find(line: Line, directory: Directory, item: Placed) -> Delivered | Retry | Unknown | None:
    """The message where it can be, since it was planned. None: it is not there.

    1,000 messages at most are looked through.
    """
    try:
        for channel, message in _messages(line, directory, item):
            if _carries(message, item.sent_as):
                told = {"channel": channel, "ts": message.get("ts")}
                return Delivered(reference_of(told, of_many=is_of_many(item)))
    except CannotLookError as unseen:
        return unseen.outcome
    return None


def _messages(
    line: Line, directory: Directory, item: Placed
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    options: dict[str, Any] = {"include_all_metadata": True, "limit": 200}
    if item.planned_at is not None:
        options["oldest"] = f"{item.planned_at - CLOCKS_APART:.6f}"
    thread = None if is_of_many(item) else referred(item.earlier)
    channel = _channel(directory, item, thread)
    if thread is not None:
        # A history does not show what was answered in threads.
        at = {"channel": channel, "ts": thread.ts}
        for reply in line.pages("conversations.replies", "messages", **at, **options):
            yield channel, reply
    for message in line.pages("conversations.history", "messages", channel=channel, **options):
        yield channel, message


def _channel(directory: Directory, item: Placed, thread: Reference | None) -> str:
    """Raises CannotLookError."""
    if thread is not None:
        return thread.channel
    if item.person is None:
        return directory.channel_id(item.channel or "")
    unseen = Unknown("Slack does not show these direct messages to the bridge")
    try:
        found = directory.conversation(item)
    except Halted:
        raise CannotLookError(unseen) from None
    if isinstance(found, str):
        return found
    raise CannotLookError(found if isinstance(found, Retry) else unseen)


def _carries(message: Mapping[str, Any], delivery_id: str) -> bool:
    metadata = inner_of(message, "metadata")
    payload = inner_of(metadata, "event_payload")
    return metadata.get("event_type") == EVENT_TYPE and payload.get("delivery_id") == delivery_id
