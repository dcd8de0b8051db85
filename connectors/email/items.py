"""What rules write to have a message sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, JsonValue, field_validator, model_validator

from bridge.connector import EmailAddress, Field, Item, Skipped
from connectors.email.addresses import deliverable, is_deliverable
from connectors.email.text import one_line

_TEMPLATE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_EMAIL = "{email}"


class Send(Item):
    """A message to one person: `text`, or a `template` with `values`."""

    example: ClassVar[Mapping[str, Any]] = {
        "to": "{{ contact.email }}",
        "subject": "Your tickets for {{ tickets[0].event_name }}",
        "template": "receipt",
        "values": {"name": "{{ contact.first_name }}", "organizer": "Bow River Events"},
        "tickets": True,
        "ics": True,
    }

    to: Annotated[EmailAddress, AfterValidator(deliverable)] = Field(
        description="The address that the message goes to: one person."
    )
    subject: str = Field(description="The subject, in one line.")
    text: str | None = Field(
        default=None, description="The message as plain text, where there is no template."
    )
    template: str | None = Field(
        default=None,
        description="The name of a template: `receipt` is `emails/receipt.html` with "
        "`emails/receipt.txt`.",
    )
    values: Mapping[str, JsonValue] = Field(
        default_factory=dict,
        description="Texts for the template, which writes them as `{{ values.name }}`.",
    )
    reply_to: str = Field(default="", description="Where answers go, if not to the sender.")
    tickets: bool = Field(default=False, description="Whether the message lists the tickets.")
    ics: bool = Field(
        default=False,
        description="Whether a calendar entry is attached, where the tickets have a start.",
    )

    @field_validator("subject")
    @classmethod
    def _one_line(cls, subject: str) -> str:
        line = one_line(subject)
        if not line:
            raise ValueError("a message needs a subject")
        return line

    @field_validator("template")
    @classmethod
    def _a_name(cls, template: str | None) -> str | None:
        if template is not None and not _TEMPLATE.fullmatch(template):
            raise ValueError("a template's name is small letters, digits, hyphens, underscores")
        return template

    @field_validator("reply_to")
    @classmethod
    def _an_address(cls, address: str) -> str:
        if address.strip() and not is_deliverable(address.strip()):
            raise ValueError("write an address like help@example.com")
        return address.strip()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.text is None) == (self.template is None):
            raise ValueError("write either `text` or `template`")
        if self.text is not None and not self.text.strip():
            raise Skipped("the message is empty for this event")
        return self

    @property
    def leaving(self) -> str | None:
        """The link by which the reader can leave, where the message needs one."""
        return None


class SendMarketing(Send):
    """As Send, and with a way out."""

    placeholders: ClassVar[frozenset[str]] = frozenset({_EMAIL})
    example: ClassVar[Mapping[str, Any]] = {
        "to": "{{ contact.email }}",
        "subject": "More nights like {{ tickets[0].event_name }}",
        "text": "Hello {{ contact.first_name or 'there' }},\nsee what else is on this season.",
        "unsubscribe": "https://example.com/leave?address={email}",
    }

    unsubscribe: str = Field(
        description="Your page where one click unsubscribes; `{email}` in it becomes the address."
    )

    @field_validator("unsubscribe")
    @classmethod
    def _a_page(cls, link: str) -> str:
        text = link.strip()
        try:
            parts = urlsplit(text)
            good = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        plain = text.replace(_EMAIL, "")
        if not good or len(text) > 500 or re.search(r"[^\x21-\x7e]|[<>\"{}\\^`|]", plain):
            raise ValueError("write the address of a page, like https://example.com/leave")
        return text

    @property
    def leaving(self) -> str | None:
        return self.unsubscribe.replace(_EMAIL, quote(self.to, safe="", errors="replace"))
