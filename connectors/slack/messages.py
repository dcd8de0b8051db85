"""From an item to the body of a call: what a message says, where it goes, what it belongs to.

https://docs.slack.dev/reference/methods/chat.postMessage and
https://docs.slack.dev/reference/methods/chat.update.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.connector import Earlier, Item
from connectors.slack import limits
from connectors.slack.fit import fitted, spoken
from connectors.slack.items import Content
from connectors.slack.layouts import laid_out
from connectors.slack.text import cut, message_text

EVENT_TYPE = "showbridge_delivery"
_WITHOUT_WORDS = "A message without text"
_REFERENCE = re.compile(r"([A-Z][A-Z0-9]{5,}):(\d{1,12}\.\d{1,9})(\+?)")

Body = dict[str, Any]


@dataclass(frozen=True)
class Reference:
    """A message in Slack: `C0123456789:1700000000.000100`, with a + where it tells of several."""

    channel: str
    ts: str
    of_many: bool = False

    def __str__(self) -> str:
        return f"{self.channel}:{self.ts}{'+' * self.of_many}"


def referred(earlier: Earlier | None) -> Reference | None:
    """None where nothing was said before, or where it cannot be said where."""
    found = _REFERENCE.fullmatch(earlier.reference) if earlier else None
    return Reference(found[1], found[2], bool(found[3])) if found else None


def reference_of(data: Mapping[str, Any], *, of_many: bool = False) -> str:
    """Of the message that Slack's answer tells of; empty where it tells too little."""
    told = str(Reference(str(data.get("channel")), str(data.get("ts")), of_many))
    return told if _REFERENCE.fullmatch(told) else ""


def is_of_many(item: Item) -> bool:
    """Whether it was sent together with others in one message."""
    return item.sent_as != item.delivery_id


def said_by(item: Content) -> str:
    """What the item says where neither layout nor blocks are shown, with escaped values."""
    if item.text.strip():
        return item.text
    blocks = item.blocks or laid_out(item)
    said = "\n".join(one for one in spoken(blocks) if not one.startswith("<!date^"))
    return said.strip() or _WITHOUT_WORDS


def content_of(item: Content) -> Body:
    """`text`, and `blocks` where they are wanted."""
    if not (item.blocks or item.is_laid_out):
        return text_content(message_text(item.text))
    return blocks_content(item.blocks or laid_out(item), said_by(item))


def text_content(text: str) -> Body:
    return {"text": text, "unfurl_links": False, "unfurl_media": False}


def blocks_content(blocks: list[Body], text: str) -> Body:
    """`text` is for notifications and for readers who are shown no blocks."""
    content = text_content(cut(text, limits.FALLBACK))
    small = fitted(blocks)
    return {**content, "blocks": small} if small else content


def posted(item: Item, channel: str, content: Body, thread: Reference | None = None) -> Body:
    """The body of chat.postMessage."""
    message = {"channel": channel, **content}
    if thread is not None:
        message["thread_ts"] = thread.ts
        if getattr(item, "broadcast", False):
            message["reply_broadcast"] = True
    if item.sent_as:
        payload = {"delivery_id": item.sent_as}
        message["metadata"] = {"event_type": EVENT_TYPE, "event_payload": payload}
    return message


def changed(at: Reference, content: Body) -> Body:
    """The body of chat.update: the message keeps its metadata, and nothing else.

    Without `blocks` Slack would keep the old ones, and without `parse` it would
    make links and mentions of names that it knows.
    """
    return {
        "channel": at.channel,
        "ts": at.ts,
        "text": cut(content["text"], limits.UPDATED_TEXT),
        "blocks": content.get("blocks", []),
        "parse": "none",
        "link_names": False,
    }
