"""Telling a person by e-mail, through the operator's mail server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from bridge.settings import EmailTarget

TIMEOUT = 10.0


@dataclass(frozen=True)
class Email:
    """`account` is None: no account of the bridge's is used for it."""

    target: EmailTarget
    account: None = None

    @property
    def name(self) -> str:
        return self.target.name

    def tell(self, subject: str, text: str) -> str:
        """Why it could not be sent, empty where it was; without the address that was refused."""
        try:
            with self._connected() as server:
                server.send_message(self._message(subject, text))
        except smtplib.SMTPResponseException as refused:
            return f"the mail server answers {refused.smtp_code} to {_step(refused)}"
        except smtplib.SMTPRecipientsRefused:
            return "the mail server refuses every recipient"
        except ssl.SSLError as failure:
            return f"no encrypted connection: {failure.reason or type(failure).__name__}"
        except (smtplib.SMTPException, OSError) as failure:
            return f"the mail server cannot be reached: {_plainly(failure)}"
        return ""

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        target, secure = self.target, ssl.create_default_context()
        server: smtplib.SMTP
        if target.encryption == "tls":
            server = smtplib.SMTP_SSL(target.host, target.port, timeout=TIMEOUT, context=secure)
        else:
            server = smtplib.SMTP(target.host, target.port, timeout=TIMEOUT)
        with server:
            if target.encryption == "starttls":
                server.starttls(context=secure)
            if target.user is not None and target.password is not None:
                server.login(target.user, target.password)
            yield server

    def _message(self, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = " ".join(subject.split())
        message["From"] = self.target.sender
        message["To"] = ", ".join(self.target.to)
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid("showbridge", self.target.sender.rpartition("@")[2])
        # No vacation note shall answer it.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message


def _step(refused: smtplib.SMTPResponseException) -> str:
    if isinstance(refused, smtplib.SMTPAuthenticationError):
        return "the user and password"
    return "the sender" if isinstance(refused, smtplib.SMTPSenderRefused) else "the message"


def _plainly(failure: Exception) -> str:
    """Never a library's whole text: a mail server's answers quote addresses."""
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return type(failure).__name__
