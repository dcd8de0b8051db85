"""Mailchimp: subscribing people who agreed, taking them off, and telling what they did."""

from connectors.mailchimp.connector import (
    AddOrder,
    AddTags,
    Archive,
    LogEvent,
    Mailchimp,
    MailchimpSettings,
    RefundOrder,
    Subscribe,
    Unsubscribe,
)

__all__ = [
    "AddOrder",
    "AddTags",
    "Archive",
    "LogEvent",
    "Mailchimp",
    "MailchimpSettings",
    "RefundOrder",
    "Subscribe",
    "Unsubscribe",
]
