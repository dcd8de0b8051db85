"""What an account of the e-mail connector is told: through which mail server, and from whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationInfo, field_validator, model_validator

from bridge.connector import ConnectorSettings, Field, SecretStr, read_host, with_port
from connectors.email.addresses import is_deliverable
from connectors.email.text import one_line

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class EmailSettings(ConnectorSettings):
    """One sender at one mail server. Without a password, and no relay, it is in preview."""

    lives_by: ClassVar[tuple[str, ...]] = ("password", "relay")

    host: str | None = Field(
        default=None, description="The mail server's name, such as `smtp.example.com`."
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Its port; without this line 587, or 465 with `encryption: tls`, or 25 with "
        "`none`.",
    )
    encryption: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection is encrypted."
    )
    user: str | None = Field(default=None, description="Who logs in; often the address itself.")
    password: SecretStr | None = Field(default=None, description="The password that goes with it.")
    relay: bool = Field(
        default=False,
        description="`true`: the mail server is your own and takes messages without a login.",
    )
    sender: str | None = Field(
        default=None, alias="from", description="The address that messages come from."
    )
    from_name: str = Field(
        default="", description="The name beside it that people see, such as your organization's."
    )
    time_zone: str = Field(
        default="UTC",
        description="The zone of the times in messages, such as `America/Edmonton`, where the "
        "rules give no `time_zone`.",
    )
    templates: Path = Field(
        default=Path("emails"),
        validate_default=True,
        description="The folder with the templates, beside `bridge.yaml`.",
    )

    timeout: float = Field(
        default=30.0,
        gt=0,
        le=60,
        description="Seconds that the mail server may take for each answer; some look closely at "
        "a message before they take it.",
    )

    @field_validator("base_url")
    @classmethod
    def _not_needed(cls, given: str | None) -> str | None:
        if given is not None:
            raise ValueError("a mail server is named by `host` and `port`; take this line out")
        return given

    @field_validator("host")
    @classmethod
    def _named_well(cls, host: str | None) -> str | None:
        return read_host(host.strip(), "`port`, a line of its own") if host else None

    @field_validator("user")
    @classmethod
    def _can_be_sent(cls, user: str | None) -> str | None:
        if user is not None and not (user.isascii() and user.isprintable()):
            raise ValueError("a user's name holds plain characters only")
        return user

    @field_validator("sender")
    @classmethod
    def _plain(cls, sender: str | None) -> str | None:
        if sender is None:
            return None
        if not (sender.strip().isascii() and is_deliverable(sender.strip())):
            raise ValueError("write an address like tickets@example.com; a name is `from_name`")
        return sender.strip()

    @field_validator("from_name")
    @classmethod
    def _in_one_line(cls, name: str) -> str:
        line = one_line(name)
        # Python folds long names and forgets their quotes, so that one of these would end them.
        if len(line) > 60 or re.search(r'[()<>\[\]:;@\\,"]', line):
            raise ValueError('write up to 60 characters, and none of , ; : @ " ( ) < > [ ]')
        return line

    @field_validator("time_zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                "there is no such time zone; write one like America/Edmonton"
            ) from None
        return zone

    @field_validator("templates")
    @classmethod
    def _beside_the_settings(cls, templates: Path, info: ValidationInfo) -> Path:
        context: Mapping[str, Any] = info.context or {}
        return Path(context.get("folder", "config")) / templates

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.password and self.relay:
            raise ValueError("`relay: true` is for a mail server without a login: take it out")
        if self.password and not self.user:
            raise ValueError("`password` needs `user` beside it")
        if self.password and self.encryption == "none":
            raise ValueError(
                "a password is not sent over a connection that anybody can read; write "
                "`encryption: starttls`"
            )
        if (self.password or self.relay) and not (self.host and self.sender):
            raise ValueError("`host` and `from` are needed to send anything")
        return self

    @property
    def server_port(self) -> int:
        return self.port or _PORTS[self.encryption]

    @property
    def server(self) -> str:
        """The mail server, as people name it."""
        return with_port(self.host or "nowhere", self.server_port)

    @property
    def domain(self) -> str:
        """The sender's."""
        return (self.sender or "nobody@example.invalid").rpartition("@")[2]
