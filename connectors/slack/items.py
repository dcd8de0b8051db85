"""What rules hand to Slack's actions: where a message goes, what it says, what it belongs to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from bridge.connector import EmailAddress, Field, Item, NonEmpty, Skipped
from connectors.slack.blocks import checked_blocks
from connectors.slack.text import bearable, escape_mrkdwn

CHANNEL_ID = r"[CDGU][A-Z0-9]{6,}"
Matter = Literal["transaction", "space"]
LayoutName = Literal["purchase", "refund", "share", "course", "plain"]

Said = Annotated[str, AfterValidator(bearable)]
"""A text with its escaped values, without characters that break others."""


def one_name(channel: str) -> str:
    """`#sales` for `sales` and `#Sales` too: one channel is one lane, with one pace."""
    name = bearable(channel).strip()
    return name if re.fullmatch(CHANNEL_ID, name) else f"#{name.lstrip('#').lower()}"


def emoji_name(text: str) -> str:
    """`tada` for `:tada:`; https://docs.slack.dev/reference/methods/reactions.add."""
    name = text.strip().strip(":").lower()
    if not re.fullmatch(r"[\w+'-]{1,100}(::skin-tone-[2-6])?", name):
        raise ValueError("write the emoji's name in Slack, such as tada")
    return name


ChannelName = Annotated[NonEmpty, AfterValidator(one_name)]


class Placed(Item):
    """Whatever goes to one channel, or to one person as a direct message."""

    escape: ClassVar[Callable[[str], str] | None] = staticmethod(escape_mrkdwn)

    channel: ChannelName | None = Field(
        default=None,
        description='The channel, as "#sales" in quotes or by its id. '
        "Write either this or `person`.",
    )
    person: EmailAddress | None = Field(
        default=None,
        description="The e-mail address of a member of the workspace, "
        "who gets it as a direct message.",
    )

    @property
    def place(self) -> str:
        """One channel or person is one lane; nobody's address stands in a lane's name."""
        if self.person is None:
            return self.channel or ""
        told = self.person.casefold().encode("utf-8", "replace")
        return f"person-{hashlib.sha256(told).hexdigest()[:12]}"

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.channel is None and self.person is None:
            raise ValueError("`channel` is missing, and so is `person`")
        return self


class Button(BaseModel):
    """A button that leads to a web page."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    text: Said = Field(default="Open", description="What the button says.")
    url: Said = Field(
        description="The page that it opens, such as the record in HubSpot, Showpass or Showpad. "
        "Where this is no web address for an event, there is no button."
    )
    as_link: bool = Field(
        default=False,
        description="A line of text as a link instead of a button. Slack marks a button that "
        "was pressed with a warning sign, unless your app has interactivity switched on.",
    )


class Content(Placed):
    """What a message says: a text, or a layout, or blocks of one's own."""

    text: Said = Field(
        default="",
        description="The message, with Slack's formatting. In a layout it stands below the "
        "headline; beside blocks only notifications show it.",
    )
    layout: LayoutName | None = Field(
        default=None,
        description="The look of the message. All but `plain` fill in title and fields "
        "from the event where the rule leaves them out.",
    )
    title: Said = Field(default="", description="The headline of a layout.")
    fields: dict[str, Said] = Field(
        default_factory=dict,
        description="Up to 10 facts as `Label: value` lines, shown in two columns. "
        "Empty values are left out.",
    )
    footer: Said = Field(
        default="", description="A small line at the end, before the source and the time."
    )
    button: Button | None = Field(default=None, description="A button below a layout.")
    blocks: Annotated[list[dict[str, Any]], AfterValidator(checked_blocks)] = Field(
        default_factory=list,
        description="Blocks of your own instead of a layout, as in Slack's Block Kit Builder, "
        "in YAML.",
    )

    @property
    def is_laid_out(self) -> bool:
        """Whether a layout is wanted, by its name or by one of its parts."""
        return bool(self.layout or self.title or self.fields or self.footer or self.button)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        parts = (self.text, self.title, self.footer, *self.fields.values())
        speaks = any(part.strip() for part in parts) or self.blocks
        if not speaks and self.layout in (None, "plain"):
            raise Skipped("the message is empty for this event")
        return self


class PostMessage(Content):
    """`text` may hold Slack's formatting; values that a template inserts are escaped."""

    example: ClassVar[Mapping[str, Any]] = {
        "channel": "#tickets",
        "layout": "purchase",
        "title": "{{ contact.name or 'Someone' }} bought {{ tickets | length }} tickets",
        "fields": {
            "Total": "{{ order.total | money(order.currency) }}",
            "Event": "{{ tickets[0].event_name }}",
        },
        "button": {
            "text": "Open in HubSpot",
            "url": "https://app.hubspot.com/contacts/1234567/objects/0-1/views/all/list"
            "?query={{ contact.email }}",
        },
        "thread_of": "transaction",
    }

    thread_of: Matter | None = Field(
        default=None,
        description="Answer in the thread of the first message about the same transaction "
        "(Showpass) or Shared Space (Showpad) in this channel; without one it stands by itself.",
    )
    broadcast: bool = Field(
        default=False, description="Show an answer in a thread in the channel too."
    )


class UpdateMessage(Content):
    """The new content takes the place of the old one as a whole."""

    example: ClassVar[Mapping[str, Any]] = {
        "channel": "#tickets",
        "update_of": "transaction",
        "layout": "refund",
        "title": "Refunded: {{ contact.name or 'Someone' }}",
        "fields": {"Total": "{{ order.total | money(order.currency) }}"},
    }

    update_of: Matter = Field(
        description="Change the first message about the same transaction (Showpass) or "
        "Shared Space (Showpad) in this channel."
    )


class AddReaction(Placed):
    """An emoji below the message about a matter."""

    example: ClassVar[Mapping[str, Any]] = {
        "channel": "#tickets",
        "reaction_to": "transaction",
        "emoji": "moneybag",
    }

    reaction_to: Matter = Field(
        description="React to the first message about the same transaction (Showpass) or "
        "Shared Space (Showpad) in this channel."
    )
    emoji: Annotated[str, AfterValidator(emoji_name)] = Field(
        description="The emoji's name in Slack, such as `tada`."
    )
