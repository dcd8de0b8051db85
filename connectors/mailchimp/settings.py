"""What an operator says of a Mailchimp account."""

from __future__ import annotations

import re
from typing import Self

from pydantic import field_validator, model_validator

from bridge.connector import ConnectorSettings, Field, OptIn, SecretStr


class MailchimpSettings(ConnectorSettings):
    """Whoever is new gets Mailchimp's confirmation mail, unless both of the last two say otherwise.

    https://mailchimp.com/help/about-double-opt-in/
    """

    api_key: SecretStr | None = Field(
        default=None,
        description="An API key of the account, whole, with its ending such as `-us6`.",
    )
    audiences: dict[str, str] = Field(
        default_factory=dict,
        description="Names of your own for audiences, each with the audience's id or its name.",
    )
    opt_in: OptIn | None = Field(
        default=None,
        description="The wording beside the box in your checkout, and your name for this version.",
    )
    double_opt_in: bool = Field(
        default=True,
        description="Whether whoever is new must confirm by mail. `false` needs `opt_in`, and "
        "that the box is an express opt-in by the law that holds for you.",
    )

    @field_validator("api_key")
    @classmethod
    def _with_its_centre(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not re.fullmatch(r".+-[a-z]{2,4}\d{1,4}", key.get_secret_value()):
            raise ValueError(
                "a Mailchimp API key ends with a hyphen and its data centre, like `-us6`; "
                "copy the whole key"
            )
        return key

    @model_validator(mode="after")
    def _on_whose_word(self) -> Self:
        if not self.double_opt_in and self.opt_in is None:
            raise ValueError(
                "`double_opt_in: false` subscribes people at once: say in `opt_in` "
                "(`wording` and `version`) what they agree to"
            )
        return self

    @property
    def centre(self) -> str:
        """The data centre that the key names; empty without a key."""
        key = self.api_key.get_secret_value() if self.api_key else ""
        return key.rpartition("-")[2]

    @property
    def status_if_new(self) -> str:
        return "pending" if self.double_opt_in else "subscribed"

    def audience(self, named: str) -> str:
        """The id or Mailchimp's name of an audience, for what a rule calls it."""
        return self.audiences.get(named, named).strip()
