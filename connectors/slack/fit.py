"""Blocks within Slack's limits, whatever the values in them became.

Texts are cut by `slack_limits` where they stand; what became empty is left out,
since Slack takes no empty text, and so is what leads to no web page. Then the
whole is made small enough. Nothing in a block fails a message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from connectors.slack import limits
from connectors.slack.text import cut, length, unescaped, url

Block = Mapping[str, Any]
Names = tuple[str, ...]

_SHARES = (1.0, 0.5, 0.25, 0.12, 0.06, 0.03, 0.02)
_SHORT = 255
"""Limits up to this are kept as they are where the whole is too long."""
_TEXTS: Mapping[Names, int] = {
    ("header", "text", "text"): limits.HEADER,
    ("section", "text", "text"): limits.SECTION,
    ("section", "fields", "text"): limits.FIELD,
    ("section", "accessory", "text", "text"): limits.BUTTON_TEXT,
    ("context", "elements", "text"): limits.TEXT_OBJECT,
    ("actions", "elements", "text", "text"): limits.BUTTON_TEXT,
    ("image", "title", "text"): limits.IMAGE_TITLE,
}
_BY_KEY: Mapping[str, int] = {
    "text": limits.TEXT_OBJECT,
    "alt_text": limits.ALT_TEXT,
    "value": limits.BUTTON_VALUE,
    "accessibility_label": limits.BUTTON_TEXT,
    "block_id": limits.NAME,
    "action_id": limits.NAME,
}
_ADDRESSES = ("url", "image_url")
_NEEDED = ("text", "url", "image_url", "alt_text")
"""Keys without whose value a part of a block is left out."""


def fitted(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """As Slack takes them, from blocks of the right shape whose values are escaped."""
    small: list[dict[str, Any]] = []
    for share in _SHARES:
        made = map(partial(_fitted, share=share), blocks)
        small = [block for block in made if block is not None][: limits.BLOCKS]
        if _size(small) <= limits.WHOLE:
            return small
    while _size(small) > limits.WHOLE:
        small.pop()
    return small


def longest_at(names: Names) -> int | None:
    """The limit of what stands there, such as `section`, `fields`, `text`; None: nobody says."""
    if names[-1] in _ADDRESSES:
        return limits.URL
    return _TEXTS.get(names) or _BY_KEY.get(names[-1])


def spoken(blocks: Sequence[Block]) -> Iterator[str]:
    """What the blocks say, as escaped text: for where blocks are not shown."""
    for block in blocks:
        texts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
        for text in texts:
            said = text.get("text") if isinstance(text, Mapping) else None
            if isinstance(said, str):
                yield said


def _size(blocks: Sequence[Block]) -> int:
    return len(json.dumps(blocks, ensure_ascii=False).encode("utf-8", "replace"))


def _fitted(block: Block, share: float) -> dict[str, Any] | None:
    return _group(block, (str(block.get("type")),), share)


def _group(group: Block, names: Names, share: float) -> dict[str, Any] | None:
    """Without what became empty; None where nothing is left that Slack would take."""
    made: dict[str, Any] = {}
    for key, value in group.items():
        fit = _value(group, value, (*names, key), share)
        if fit is not None:
            made[key] = fit
    if group.get("type") == "mrkdwn":
        # Else Slack links bare addresses and names of channels, also those in values:
        # https://docs.slack.dev/reference/block-kit/composition-objects/text-object.
        made.setdefault("verbatim", True)
    return made if _is_whole(group, made) else None


def _is_whole(group: Block, made: Block) -> bool:
    if group.get("type") == "section":
        return "text" in made or "fields" in made
    if "elements" in group:
        return "elements" in made
    return all(key in made for key in _NEEDED if key in group)


def _value(group: Block, value: Any, names: Names, share: float) -> Any:
    if isinstance(value, Mapping):
        return _group(value, names, share)
    if isinstance(value, list):
        return [one for one in (_value(group, each, names, share) for each in value) if one] or None
    return _said(group, value, names, share) if isinstance(value, str) else value


def _said(group: Block, text: str, names: Names, share: float) -> str | None:
    key = names[-1]
    if key in _ADDRESSES:
        return url(text) or None
    longest = longest_at(names)
    if longest is None:
        return text
    if longest > _SHORT:
        longest = int(longest * share)
    marked = key == "text" and group.get("type") == "mrkdwn"
    said = cut(text if marked else unescaped(text), longest, marked=marked)
    return said if said.strip() else None


def is_too_long(text: str, names: Names) -> bool:
    """Whether a rule's own text would be cut there."""
    longest = longest_at(names)
    return longest is not None and length(text) > longest
