"""Slack: messages, their threads and changes, reactions, and a digest every day."""

from connectors.slack.connector import (
    AddReaction,
    DailyDigest,
    PostMessage,
    Slack,
    SlackSettings,
    UpdateMessage,
)

__all__ = [
    "AddReaction",
    "DailyDigest",
    "PostMessage",
    "Slack",
    "SlackSettings",
    "UpdateMessage",
]
