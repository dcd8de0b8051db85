"""What an account of Slack is told: a bot token, or a webhook URL and its channel."""

from __future__ import annotations

import re

from pydantic import field_validator

from bridge.connector import ConnectorSettings, Field, SecretStr
from connectors.slack.items import ChannelName


class SlackSettings(ConnectorSettings):
    """A bot token with `chat:write`, or a webhook URL; with both, the token is used.

    A webhook URL is whole: `base_url` does not change it, and it always posts
    to the channel that it was made for.
    """

    bot_token: SecretStr | None = Field(
        default=None, description="The Bot User OAuth Token of your Slack app (`xoxb-...`)."
    )
    webhook_url: SecretStr | None = Field(
        default=None,
        description="The URL of an incoming webhook, which posts to one channel; "
        "not used beside a bot token.",
    )
    webhook_channel: ChannelName | None = Field(
        default=None,
        description="The channel that the webhook URL was made for. Rules that name another "
        "channel are refused.",
    )

    @field_validator("webhook_url")
    @classmethod
    def _whole(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not re.fullmatch(r"https?://[^/]+/.+", url.get_secret_value()):
            raise ValueError("a webhook URL is https://hooks.slack.com/services/T.../B.../...")
        return url

    @property
    def by_webhook(self) -> bool:
        """Whether there is a webhook URL and no bot token."""
        return self.webhook_url is not None and self.bot_token is None
