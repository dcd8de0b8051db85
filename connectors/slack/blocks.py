"""Blocks of a rule's own: what Slack takes, and how values in them are kept to its limits.

https://docs.slack.dev/reference/block-kit/blocks. Known are the blocks that show
something and need nobody to answer: header, section, context, divider, image,
actions with buttons that lead to pages, and rich_text. In all others, such as
`markdown`, values from events could become links or mentions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from connectors.slack import limits
from connectors.slack.text import bearable

Path = tuple[str | int, ...]
Block = Mapping[str, Any]
Check = Callable[[Any, Path], Iterator["Flaw"]]

BUTTON = "button"
IMAGE = "image"


@dataclass(frozen=True)
class Flaw:
    """What Slack would not take, and where it stands."""

    path: Path
    what: str


def checked_blocks(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same without characters that break others; raises ValidationError for their shape."""
    flaws = list(shape_of(blocks))
    if flaws:
        raise ValidationError.from_exception_data("blocks", [_details(flaw) for flaw in flaws])
    clean: list[dict[str, Any]] = _clean(blocks)
    return clean


def shape_of(blocks: Sequence[Block]) -> Iterator[Flaw]:
    """What is wrong whatever the texts become; lengths are seen to later."""
    if len(blocks) > limits.BLOCKS:
        yield Flaw((), f"must be at most {limits.BLOCKS} blocks")
    for number, block in enumerate(blocks):
        kind = block.get("type")
        check = _SHAPES.get(kind) if isinstance(kind, str) else None
        if check is None:
            known = ", ".join(_SHAPES)
            yield Flaw((number, "type"), f"must be one of: {known}")
        else:
            yield from check(block, (number,))


def _details(flaw: Flaw) -> InitErrorDetails:
    # In braces pydantic would look for values to fill in.
    what = flaw.what.replace("{", "(").replace("}", ")")
    return InitErrorDetails(type=PydanticCustomError("slack_blocks", what), loc=flaw.path, input="")


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {bearable(str(key)): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return bearable(value) if isinstance(value, str) else value


# The shapes


def _header(block: Block, path: Path) -> Iterator[Flaw]:
    yield from _keys(block, path, "text", required=("text",))
    yield from _plain_text(block.get("text"), (*path, "text"))


def _section(block: Block, path: Path) -> Iterator[Flaw]:
    yield from _keys(block, path, "text", "fields", "accessory", "expand")
    if "text" not in block and "fields" not in block:
        yield Flaw(path, "must have `text` or `fields`")
    if "text" in block:
        yield from _text(block["text"], (*path, "text"))
    if "fields" in block:
        yield from _entries(block["fields"], (*path, "fields"), limits.FIELDS, _text)
    if "accessory" in block:
        yield from _accessory(block["accessory"], (*path, "accessory"))


def _context(block: Block, path: Path) -> Iterator[Flaw]:
    yield from _keys(block, path, "elements", required=("elements",))
    place, most = (*path, "elements"), limits.CONTEXT_ELEMENTS
    yield from _entries(block.get("elements"), place, most, _context_element)


def _actions(block: Block, path: Path) -> Iterator[Flaw]:
    yield from _keys(block, path, "elements", required=("elements",))
    yield from _entries(block.get("elements"), (*path, "elements"), limits.ACTIONS, _button)


def _image(block: Block, path: Path) -> Iterator[Flaw]:
    required = ("image_url", "alt_text")
    yield from _keys(block, path, "image_url", "alt_text", "title", required=required)
    yield from _strings(block, path, "image_url", "alt_text")
    if "title" in block:
        yield from _plain_text(block["title"], (*path, "title"))


def _divider(block: Block, path: Path) -> Iterator[Flaw]:
    yield from _keys(block, path)


def _rich_text(block: Block, path: Path) -> Iterator[Flaw]:
    """Its inside is Slack's to judge: there is no mrkdwn in it."""
    yield from _keys(block, path, "elements", required=("elements",))
    yield from _entries(block.get("elements"), (*path, "elements"), limits.BLOCKS, _anything)


_SHAPES: Mapping[str, Check] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "divider": _divider,
    "image": _image,
    "actions": _actions,
    "rich_text": _rich_text,
}


def _anything(_value: Any, _path: Path) -> Iterator[Flaw]:
    yield from ()


def _accessory(element: Any, path: Path) -> Iterator[Flaw]:
    yield from (_image_element if _kind(element) == IMAGE else _button)(element, path)


def _context_element(element: Any, path: Path) -> Iterator[Flaw]:
    yield from (_image_element if _kind(element) == IMAGE else _text)(element, path)


def _button(element: Any, path: Path) -> Iterator[Flaw]:
    if _kind(element) != BUTTON:
        yield Flaw(path, "must be a button that leads to a page")
        return
    known = ("text", "url", "value", "action_id", "style", "accessibility_label")
    yield from _keys(element, path, *known, required=("text", "url"))
    yield from _plain_text(element.get("text"), (*path, "text"))
    yield from _strings(element, path, *known[1:])


def _image_element(element: Block, path: Path) -> Iterator[Flaw]:
    known = ("image_url", "alt_text")
    yield from _keys(element, path, *known, required=known)
    yield from _strings(element, path, *known)


def _kind(element: Any) -> Any:
    return element.get("type") if isinstance(element, Mapping) else None


def _plain_text(text: Any, path: Path) -> Iterator[Flaw]:
    yield from _text(text, path, ("plain_text",))


def _text(
    text: Any, path: Path, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")
) -> Iterator[Flaw]:
    if _kind(text) not in kinds:
        yield Flaw(path, f"must have `type: {' or '.join(kinds)}` and a line `text: ...`")
        return
    yield from _keys(text, path, "text", "emoji", "verbatim", required=("text",))
    yield from _strings(text, path, "text")


def _keys(block: Block, path: Path, *known: str, required: tuple[str, ...] = ()) -> Iterator[Flaw]:
    for key in block:
        if key not in (*known, "type", "block_id"):
            yield Flaw((*path, str(key)), "is not known to Slack here")
    for key in required:
        if key not in block:
            yield Flaw(path, f"must have `{key}`")


def _strings(block: Block, path: Path, *keys: str) -> Iterator[Flaw]:
    for key in keys:
        if key in block and not isinstance(block[key], str):
            yield Flaw((*path, key), "must be text")


def _entries(value: Any, path: Path, most: int, check: Check) -> Iterator[Flaw]:
    if not isinstance(value, list) or not value:
        yield Flaw(path, "must be a list with at least one entry")
        return
    if len(value) > most:
        yield Flaw(path, f"must be at most {most} entries")
    for number, entry in enumerate(value):
        yield from check(entry, (*path, number))
