"""What Slack takes, by its published limits: each request that a test sends is held against it.

Written from Slack's pages alone, not from the connector. Lengths are counted in
UTF-16 units, the stricter reading of "characters".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.testing.vendor import Request

DOCS = "https://docs.slack.dev/reference"
BLOCK = f"{DOCS}/block-kit/blocks"
LIMITS: Mapping[str, tuple[int, str]] = {
    "text": (40_000, "https://docs.slack.dev/changelog/2018-truncating-really-long-messages"),
    "text of an update": (4_000, f"{DOCS}/methods/chat.update"),
    "blocks": (50, BLOCK),
    "header": (150, f"{BLOCK}/header-block"),
    "section": (3_000, f"{BLOCK}/section-block"),
    "fields": (10, f"{BLOCK}/section-block"),
    "field": (2_000, f"{BLOCK}/section-block"),
    "context elements": (10, f"{BLOCK}/context-block"),
    "text object": (3_000, f"{DOCS}/block-kit/composition-objects/text-object"),
    "actions": (25, f"{BLOCK}/actions-block"),
    "button": (75, f"{DOCS}/block-kit/block-elements/button-element"),
    "value": (2_000, f"{DOCS}/block-kit/block-elements/button-element"),
    "url": (3_000, f"{DOCS}/block-kit/block-elements/button-element"),
    "alt text": (2_000, f"{BLOCK}/image-block"),
    "image title": (2_000, f"{BLOCK}/image-block"),
    "name": (255, BLOCK),
    # Not published; measured by others.
    "all blocks": (11_300, "https://github.com/slackapi/bolt-js/issues/2867"),
}

UNESCAPED = "mrkdwn: something is not escaped, or cut apart"
CONTROL = re.compile(r"<[^<>]*>")
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
_BROKEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SPEAKING = ("/api/chat.postMessage", "/api/chat.update")
_KEYS = {
    "channel", "text", "blocks", "unfurl_links", "unfurl_media", "metadata", "thread_ts",
    "reply_broadcast", "ts", "parse", "link_names",
}  # fmt: skip


def flaws(request: Request) -> list[str]:
    """What Slack would not take of a request, or would take for what nobody meant."""
    body = request.body if isinstance(request.body, Mapping) else {}
    if request.path in _SPEAKING or request.path.startswith("/services/"):
        return list(_message(body, updates=request.path.endswith("update")))
    if request.path == "/api/reactions.add":
        name = str(body.get("name"))
        return [] if re.fullmatch(r"[\w+'-]+(::skin-tone-[2-6])?", name) else [f"emoji {name!r}"]
    return []


def mrkdwn_of(value: Any) -> Iterator[str]:
    """Every text of a message that Slack reads as mrkdwn."""
    if isinstance(value, Mapping):
        if value.get("type") == "mrkdwn" or ("type" not in value and "text" in value):
            said = value.get("text")
            if isinstance(said, str):
                yield said
        for inner in value.values():
            yield from mrkdwn_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from mrkdwn_of(inner)


def controls_of(body: Any) -> list[str]:
    """The mentions, links and dates that Slack would make of a message."""
    return [found for text in mrkdwn_of(body) for found in CONTROL.findall(text)]


def urls_of(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("url", "image_url"):
                yield inner
            else:
                yield from urls_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from urls_of(inner)


def length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _message(body: Mapping[str, Any], *, updates: bool) -> Iterator[str]:
    yield from (f"unknown {key}" for key in body if key not in _KEYS)
    yield from _said(body.get("text"), "text of an update" if updates else "text")
    yield from _mrkdwn(body.get("text"))
    blocks = body.get("blocks", [])
    if not isinstance(blocks, list):
        yield "blocks are no list"
        return
    yield from _most(len(blocks), "blocks")
    yield from _most(len(json.dumps(blocks, ensure_ascii=False).encode()), "all blocks")
    for block in blocks:
        kind = block.get("type")
        yield from _named(block)
        yield from _BLOCKS[kind](block) if kind in _BLOCKS else [f"block {kind!r}"]


def _header(block: Any) -> Iterator[str]:
    yield from _text(block.get("text"), "header", plain=True)


def _section(block: Any) -> Iterator[str]:
    if not ("text" in block or "fields" in block):
        yield "a section without text and fields"
    if "text" in block:
        yield from _text(block["text"], "section")
    if "fields" in block:
        yield from _many(block["fields"], "fields")
        for field in block["fields"]:
            yield from _text(field, "field")
    if "accessory" in block:
        yield from _element(block["accessory"])


def _context(block: Any) -> Iterator[str]:
    yield from _many(block.get("elements"), "context elements")
    for element in block.get("elements", ()):
        if element.get("type") == "image":
            yield from _element(element)
        else:
            yield from _text(element, "text object")


def _actions(block: Any) -> Iterator[str]:
    yield from _many(block.get("elements"), "actions")
    for element in block.get("elements", ()):
        yield from _element(element)


def _image(block: Any) -> Iterator[str]:
    yield from _said(block.get("alt_text"), "alt text")
    yield from _url(block.get("image_url"))
    if "title" in block:
        yield from _text(block["title"], "image title", plain=True)


def _rich_text(block: Any) -> Iterator[str]:
    yield from _many(block.get("elements"), "blocks")


def _divider(_block: Any) -> Iterator[str]:
    yield from ()


_BLOCKS = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "rich_text": _rich_text,
    "divider": _divider,
}


def _element(element: Any) -> Iterator[str]:
    yield from _named(element)
    if element.get("type") == "image":
        yield from _image(element)
        return
    if element.get("type") != "button":
        yield f"element {element.get('type')!r}"
    yield from _text(element.get("text"), "button", plain=True)
    yield from _url(element.get("url"))
    if "value" in element:
        yield from _said(element["value"], "value")


def _named(holder: Any) -> Iterator[str]:
    for key in ("block_id", "action_id"):
        if key in holder:
            yield from _said(holder[key], "name")


def _text(text: Any, what: str, *, plain: bool = False) -> Iterator[str]:
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if not isinstance(text, Mapping) or text.get("type") not in kinds:
        yield f"{what}: no text object"
        return
    yield from _said(text.get("text"), what)
    if text["type"] == "mrkdwn":
        yield from _mrkdwn(text.get("text"))
        if text.get("verbatim") is not True:
            yield f"{what}: Slack would link bare addresses and names in it"


def _said(text: Any, what: str) -> Iterator[str]:
    if not isinstance(text, str) or not text.strip():
        yield f"{what}: empty"
        return
    yield from _most(length(text), what)
    if _BROKEN.search(text):
        yield f"{what}: {_BROKEN.findall(text)!r}"


def _mrkdwn(text: Any) -> Iterator[str]:
    """Escaped but for Slack's own sequences, and none of them cut."""
    rest = CONTROL.sub("", str(text))
    if "<" in rest or ">" in rest or _ENTITY.search(rest):
        yield UNESCAPED


def _url(address: Any) -> Iterator[str]:
    yield from _most(length(str(address)), "url")
    if not re.fullmatch(r"https?://[^\s<>]+", str(address)):
        yield "url: no web address"


def _many(entries: Any, what: str) -> Iterator[str]:
    if not isinstance(entries, list) or not entries:
        yield f"{what}: none"
    else:
        yield from _most(len(entries), what)


def _most(number: int, what: str) -> Iterator[str]:
    most, page = LIMITS[what]
    if number > most:
        yield f"{what}: {number} of {most} ({page})"
