"""Webhooks: an event as JSON to any address that takes it: Zapier, Make, n8n, an application."""

from connectors.webhook.connector import (
    Post,
    Webhook,
    WebhookSettings,
)

__all__ = [
    "Post",
    "Webhook",
    "WebhookSettings",
]
