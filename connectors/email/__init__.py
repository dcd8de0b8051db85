"""E-mail: messages to one person at a time, through a mail server of the operator's."""

from connectors.email.connector import (
    Email,
    EmailSettings,
    Send,
    SendMarketing,
)

__all__ = [
    "Email",
    "EmailSettings",
    "Send",
    "SendMarketing",
]
