"""What a rule asks of Slack that can never be, told when rules are read.

A webhook URL posts to the one channel that it was made for, and knows neither
messages nor people nor other channels:
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.connector import Refusal, is_filled_in
from connectors.slack import limits
from connectors.slack.fit import is_too_long
from connectors.slack.items import one_name
from connectors.slack.settings import SlackSettings
from connectors.slack.text import length, url

Fields = Mapping[str, Any]

_BOT = "use a bot token for this (`bot_token` of the account)"
_CANNOT: Mapping[str, str] = {
    "update_message": "change a message",
    "add_reaction": "add a reaction",
}
_CANNOT_WITH: Mapping[str, str] = {
    "person": "write to a person",
    "thread_of": "answer in a thread",
    "broadcast": "answer in a thread",
}
_LAYOUT_PARTS = ("layout", "title", "fields", "footer", "button")
_SAYING = ("post_message", "update_message")
_FIELDS: Mapping[str, int] = {"title": limits.HEADER, "footer": limits.FIELD}


def refusals(settings: SlackSettings | None, action: str, fields: Fields) -> Iterator[Refusal]:
    """`fields` as the rule writes them; values of other types are told of elsewhere."""
    if settings is not None and settings.by_webhook:
        yield from _by_webhook(settings, action, fields)
    yield from _place(fields)
    yield from _no_channel(fields.get("channel"))
    if action in _SAYING:
        yield from _one_look(fields)
        yield from _other_formatting(fields.get("text"))
        yield from _lengths(action, fields)
        yield from _literal_blocks(fields.get("blocks"))
        yield from _button(fields.get("button"))
    if fields.get("broadcast") is True and not fields.get("thread_of"):
        what = "`broadcast` shows an answer in a thread in the channel too"
        yield Refusal(what, "add `thread_of`, or take it out", ("broadcast",))


def _by_webhook(settings: SlackSettings, action: str, fields: Fields) -> Iterator[Refusal]:
    if action in _CANNOT:
        yield Refusal(f"a webhook URL cannot {_CANNOT[action]}", _BOT)
        return
    for name, what in _CANNOT_WITH.items():
        if fields.get(name):
            yield Refusal(f"a webhook URL cannot {what}", _BOT, (name,))
    channel = fields.get("channel")
    if isinstance(channel, str):
        yield from _its_channel(settings.webhook_channel, channel)


def _its_channel(own: str | None, channel: str) -> Iterator[Refusal]:
    where = ("channel",)
    if own is None:
        what = "a webhook URL posts to the one channel that it was made for"
        advice = "name that channel as `webhook_channel` of the account, or use a bot token"
        yield Refusal(what, advice, where)
    elif is_filled_in(channel) or one_name(channel) != own:
        what = f"this account's webhook URL posts to {own}, and cannot post elsewhere"
        yield Refusal(what, f'write `channel: "{own}"`, or use a bot token', where)


def _place(fields: Fields) -> Iterator[Refusal]:
    if "channel" in fields and "person" in fields:
        what = "a message goes to a channel or to a person"
        yield Refusal(what, "take `channel` or `person` out", ("person",))
    elif "channel" not in fields and "person" not in fields and _varies(fields):
        yield Refusal("`channel` is missing", 'add a line `channel: "#..."` or `person: ...`')


# https://slack.com/help/articles/201402297-Create-a-channel: lower case (we see to that),
# without blanks and most punctuation, at most 80 characters.
_CHANNEL = re.compile(r"#?[^\W_][\w-]{0,79}|#?_[\w-]{1,79}")
_SEVERAL = re.compile(r"[,;]|\s(?:and|or|&)\s")


def _no_channel(channel: Any) -> Iterator[Refusal]:
    """A name that no channel can have, which Slack would refuse with every message."""
    if not isinstance(channel, str) or is_filled_in(channel) or not channel.strip():
        return
    name, where = channel.strip(), ("channel",)
    if _ADDRESS.fullmatch(name):
        what = "an e-mail address is a person and no channel"
        yield Refusal(what, f"write `person: {name}` instead of `channel`", where)
    elif name.startswith("@"):
        what = "a name with @ is a person and no channel"
        yield Refusal(what, "write `person:` with the e-mail address instead of `channel`", where)
    elif _LINK.match(name):
        advice = 'write the channel\'s name, such as "#tickets"'
        yield Refusal("a web address is no channel", advice, where)
    elif _SEVERAL.search(name):
        what = "a message goes to one channel"
        yield Refusal(what, "write a step for each channel", where)
    elif not _CHANNEL.fullmatch(name):
        what = "a channel's name has letters, digits, hyphens and underscores only"
        yield Refusal(what, f'write "#{_as_channel(name)}" if it is called so', where)


def _as_channel(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name.strip("#").strip()).strip("-").lower() or "tickets"


_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_LINK = re.compile(r"https?://", re.IGNORECASE)
_EVERYBODY = re.compile(r"(?<![\w<!./@])@(here|channel|everyone)\b")
_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\((https?://[^\s()]{1,2000})\)")
_MARKDOWN_BOLD = re.compile(r"(?<![\w*])\*\*(?! )([^*\n]{1,200})(?<! )\*\*(?![\w*])")


def _other_formatting(text: Any) -> Iterator[Refusal]:
    """What looks right in a message that somebody types, and not in one from a program.

    Warnings, since a message may speak of such signs, and is sent as it is written.

    https://docs.slack.dev/messaging/formatting-message-text/
    """
    if not isinstance(text, str):
        return
    where = ("text",)
    if found := _EVERYBODY.search(text):
        what = f"{found[0]} tells nobody in a message from a program"
        yield Refusal(what, f"write <!{found[1]}>", where, only_warns=True)
    if found := _MARKDOWN_LINK.search(text):
        what = "Slack shows a link in [ ] and ( ) as it is written"
        yield Refusal(what, f"write <{found[2]}|{found[1]}>", where, only_warns=True)
    if found := _MARKDOWN_BOLD.search(text):
        what = "Slack shows two stars as they are written"
        yield Refusal(what, f"write *{found[1]}*", where, only_warns=True)


def _one_look(fields: Fields) -> Iterator[Refusal]:
    beside = [name for name in _LAYOUT_PARTS if fields.get(name)]
    if fields.get("blocks") and beside:
        what = f"`blocks` are a message of their own, so `{beside[0]}` would not be seen"
        yield Refusal(what, f"take `blocks` or `{beside[0]}` out", (beside[0],))
    if _varies(fields) and not any(fields.get(name) for name in ("text", "blocks", *_LAYOUT_PARTS)):
        yield Refusal("the message is empty", "add `text`, `layout` or `blocks`")


def _lengths(action: str, fields: Fields) -> Iterator[Refusal]:
    most = limits.UPDATED_TEXT if action == "update_message" else limits.LONGEST_TEXT
    if any(fields.get(name) for name in _LAYOUT_PARTS):
        most = limits.SECTION
    for name, longest in {"text": most, **_FIELDS}.items():
        yield from _text(fields.get(name), longest, (name,))
    facts = fields.get("fields")
    if isinstance(facts, Mapping):
        if len(facts) > limits.FIELDS:
            what = f"Slack shows {limits.FIELDS} fields at most"
            yield Refusal(what, "take some out", ("fields",))
        for label, value in facts.items():
            yield from _text(value, limits.FIELD // 2, ("fields", str(label)))


def _varies(fields: Fields) -> bool:
    """Whether something is filled in: what is missing is then told nowhere else."""
    return any(is_filled_in(text) for _, text in _texts(fields, ()))


def _button(button: Any) -> Iterator[Refusal]:
    if not isinstance(button, Mapping):
        return
    yield from _text(button.get("text"), limits.BUTTON_TEXT, ("button", "text"))
    yield from _address(button.get("url"), ("button", "url"))


def _literal_blocks(blocks: Any) -> Iterator[Refusal]:
    for number, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if isinstance(block, Mapping):
            for path, text in _texts(block, ()):
                names = (str(block.get("type")), *(one for one in path if isinstance(one, str)))
                place = ("blocks", number, *path)
                if names[-1] in ("url", "image_url"):
                    yield from _address(text, place)
                elif not is_filled_in(text) and is_too_long(text, names):
                    yield Refusal("is longer than Slack takes here", "shorten it", place)


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*path, number))


def _text(value: Any, longest: int, path: tuple[str | int, ...]) -> Iterator[Refusal]:
    if isinstance(value, str) and not is_filled_in(value) and length(value) > longest:
        what = f"Slack shows {longest:,} characters here at most"
        yield Refusal(what, "shorten it", path)


def _address(value: Any, path: tuple[str | int, ...]) -> Iterator[Refusal]:
    if isinstance(value, str) and not is_filled_in(value) and not url(value):
        yield Refusal("this is no web address", "write one that begins with https://", path)
