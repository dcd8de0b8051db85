"""The conversation with a mail server, kept up for a while: servers dislike many logins.

https://www.rfc-editor.org/rfc/rfc5321#section-4.1.4; what was said before the message itself is
out has done nothing yet, and what comes after may have.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
import weakref
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from bridge.connector import Halted, Outcome, Retry, Suppressed, Unknown
from connectors.email.addresses import on_the_wire
from connectors.email.answers import (
    Reply,
    at_data,
    at_login,
    at_message,
    at_recipient,
    at_sender,
)
from connectors.email.settings import EmailSettings

IDLE = 30.0
"""Seconds after which a conversation is begun anew; servers wait for 300 at least."""
MOST = 50
"""Messages of one conversation; some servers take 100."""

# After 421 the server closes the connection; -1 is no answer at all.
_LEAVING = (421, -1)
_BROKEN = (smtplib.SMTPException, OSError, ValueError)


class Server:
    """One mail server; used by one worker, for one message at a time."""

    def __init__(
        self, settings: EmailSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._open: smtplib.SMTP | None = None
        self._closing: weakref.finalize[..., Any] | None = None
        self._used = 0
        self._last = 0.0

    def reached(self) -> Retry | None:
        """Connect and log in, if that is not done; why it cannot be done. Raises Halted."""
        if self._open and self._still_there():
            return None
        self.leave()
        try:
            self._begin()
        except _BROKEN as error:
            self.leave()
            return _trouble(error)
        return None

    def submitted(self, message: EmailMessage, to: str) -> Outcome:
        """Hand over one message for one recipient; raises Halted."""
        missing = self.reached()
        if missing or self._open is None:
            return missing or Retry("the mail server could not be reached", None, True)
        self._used, self._last = self._used + 1, self._clock()
        try:
            refused = self._announced(self._open, on_the_wire(to))
        except _BROKEN:
            self.leave()
            return Retry("the mail server broke off before it got the message")
        except Halted:
            self.leave()
            raise
        return refused or self._handed_over(self._open, message)

    def leave(self) -> None:
        """Without a word: nobody waits for one."""
        if self._closing:
            self._closing()
        self._open = self._closing = None

    def _announced(self, server: smtplib.SMTP, to: str) -> Outcome | None:
        """Sender, recipient and the wish to send; an outcome where one of them is refused."""
        wide = not to.isascii()
        if wide and not server.has_extn("smtputf8"):
            return Suppressed("the mail server cannot write to an address with such letters")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if wide else []
        reply = Reply.read(*server.mail(self._settings.sender or "", options))
        if not reply.ok:
            return self._refused(reply, at_sender)
        reply = Reply.read(*server.rcpt(to))
        if not reply.ok:
            return self._refused(reply, at_recipient)
        reply = Reply.read(*server.docmd("DATA"))
        if reply.code != 354:
            return self._refused(reply, at_data)
        return None

    def _refused(self, reply: Reply, meaning: Callable[[Reply], Outcome]) -> Outcome:
        if reply.code in _LEAVING:
            self.leave()
        return meaning(reply)

    def _handed_over(self, server: smtplib.SMTP, message: EmailMessage) -> Outcome:
        try:
            server.send(dotted(message.as_bytes()))
            reply = Reply.read(*server.getreply())
        except _BROKEN:
            self.leave()
            return Unknown("the mail server broke off after it got the message; it may be sent")
        if reply.code in _LEAVING:
            self.leave()
        return at_message(reply, str(message["Message-ID"]))

    def _still_there(self) -> bool:
        if self._open is None or self._used >= MOST or self._clock() - self._last > IDLE:
            return False
        try:
            return self._open.rset()[0] == 250
        except _BROKEN:
            return False

    def _begin(self) -> None:
        settings, secure = self._settings, ssl.create_default_context()
        host, port = settings.host or "", settings.server_port
        if settings.encryption == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, settings.domain, timeout=settings.timeout, context=secure
            )
        else:
            server = smtplib.SMTP(host, port, settings.domain, timeout=settings.timeout)
        self._open, self._used = server, 0
        # A connection shall not outlive whoever keeps it.
        self._closing = weakref.finalize(self, server.close)
        server.ehlo_or_helo_if_needed()
        if settings.encryption == "starttls":
            server.starttls(context=secure)
            server.ehlo_or_helo_if_needed()
        if settings.user and settings.password:
            server.login(settings.user, settings.password.get_secret_value())


def _trouble(error: Exception) -> Retry:
    """Why no conversation came about; raises Halted."""
    if isinstance(error, ssl.SSLCertVerificationError):
        raise Halted(
            "the mail server cannot prove its name: its certificate is wrong or has expired; check "
            "`host`, or have it renewed"
        ) from None
    # The library raises its most general error where no way to log in is known to both.
    if type(error) in (smtplib.SMTPNotSupportedError, smtplib.SMTPException):
        raise Halted(
            "the mail server does not offer what the account asks for: look at `encryption`, "
            "`port`, and whether it takes a login at all"
        ) from None
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return at_login(Reply.read(error.smtp_code, error.smtp_error))
    if isinstance(error, smtplib.SMTPResponseException):
        reply = Reply.read(error.smtp_code, error.smtp_error)
        return Retry(f"the mail server turns us away ({reply})", None, whole_account=True)
    if isinstance(error, socket.gaierror):
        return Retry("the mail server's name cannot be found; check `host`", None, True)
    if isinstance(error, ssl.SSLError):
        reason = "no encrypted connection to the mail server; check `encryption` and `port`"
        return Retry(reason, whole_account=True)
    return Retry("the mail server could not be reached", whole_account=True)


def dotted(message: bytes) -> bytes:
    """As it stands between DATA and its end: lines end with CR LF, and a first dot is doubled.

    https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2
    """
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    doubled = re.sub(rb"(?m)^\.", b"..", lines)
    return doubled + (b".\r\n" if doubled.endswith(b"\r\n") else b"\r\n.\r\n")
