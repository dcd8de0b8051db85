"""A mail server as a vendor of the conformance suite: aiosmtpd, scripted like an HTTP server.

Each message is a request whose body is what a reader sees of it. An `Answer` whose status is an
SMTP code goes out as it is; what is meant for HTTP is said as a mail server would say it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bridge.testing.vendor import Answer, Handler, Reply, Request, Silence, VendorServer

# What HTTP calls so, in SMTP.
_IN_SMTP = {500: "451 4.3.0 server error", 503: "451 4.3.2 not now"}


class MailVendor(VendorServer):
    """`steps` are answers in place of the usual ones, by SMTP command: {"RCPT": "550 5.1.1 no"}.

    With "AUTH" among them no login is offered.

    `messages` and `raw` are what was accepted or refused at its end; `recipients` the envelopes'.
    """

    def __init__(
        self,
        *replies: Reply,
        handler: Handler | None = None,
        steps: Mapping[str, str] | None = None,
        login: tuple[str, str] | None = None,
        secure: ssl.SSLContext | None = None,
        tls_at_once: bool = False,
        wide: bool = True,
    ) -> None:
        super().__init__(*(replies or (Answer(202),)), handler=handler)
        self._http.server_close()
        self.steps = dict(steps or {})
        self.login = login
        self.messages: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.commands: list[str] = []
        self.encrypted: list[bool] = []
        self._secure, self.tls_at_once, self._wide = secure, tls_at_once, wide
        self._loop = asyncio.new_event_loop()
        self._conversations: list[SMTP] = []
        self._server: asyncio.Server | None = None
        self._running = Thread(target=self._loop.run_forever, daemon=True)

    @property
    def connections(self) -> int:
        return len(self._conversations)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        # What is logged in a test is the connector's.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
        self._running.start()
        listening = self._loop.create_server(
            self._conversation,
            "127.0.0.1",
            0,
            ssl=self._secure if self.tls_at_once else None,
        )
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(5)
        return self

    def close(self) -> None:
        self.closing.set()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._running.join()
        self._loop.close()

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        for conversation in self._conversations:
            _cut(conversation)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _conversation(self) -> SMTP:
        secure = self._secure is not None and not self.tls_at_once
        conversation = _Conversation(
            self,
            _Handler(self),
            enable_SMTPUTF8=self._wide,
            hostname="mail.example.com",
            tls_context=self._secure if secure else None,
            auth_required=secure and self.login is not None,
            auth_require_tls=not self.tls_at_once,
            authenticator=self._let_in,
            loop=self._loop,
        )
        self._conversations.append(conversation)
        return conversation

    def _let_in(self, *asked: Any) -> AuthResult:
        given = asked[-1]
        assert isinstance(given, LoginPassword)
        known = tuple(each.encode() for each in self.login or ())
        return AuthResult(success=(given.login, given.password) == known, handled=False)


class _Conversation(SMTP):
    """May refuse the wish to send, which aiosmtpd itself never does."""

    def __init__(self, vendor: MailVendor, *args: Any, **kwargs: Any) -> None:
        self._vendor = vendor
        super().__init__(*args, **kwargs)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # aiosmtpd's name
        said = self._vendor.steps.get("DATA")
        if said is None:
            await super().smtp_DATA(arg)
        elif said == "drop":
            _cut(self)
        else:
            await self.push(said)


class _Handler:
    def __init__(self, vendor: MailVendor) -> None:
        self.vendor = vendor

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        self.vendor.commands.append("EHLO")
        session.host_name = hostname
        return [each for each in answers if "AUTH" not in each or "AUTH" not in self.vendor.steps]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        self.vendor.commands.append(" ".join(["MAIL", *options]))
        envelope.mail_from = sender
        return await self._said(server, "MAIL")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]
    ) -> str:
        self.vendor.commands.append("RCPT")
        envelope.rcpt_tos.append(to)
        return await self._said(server, "RCPT")

    async def handle_RSET(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.vendor.commands.append("RSET")
        return await self._said(server, "RSET")

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        raw = bytes(envelope.original_content or b"")
        message = message_from_bytes(raw, policy=policy.SMTP)
        vendor = self.vendor
        vendor.raw.append(raw)
        vendor.messages.append(message)
        vendor.recipients += envelope.rcpt_tos
        secure = session.ssl or vendor.tls_at_once
        vendor.encrypted.append(bool(secure))
        reply = vendor.take(
            Request("SEND", f"smtp://127.0.0.1:{vendor.port}", {}, {}, seen(message))
        )
        if reply is Silence.HANG:
            while not vendor.closing.is_set():
                await asyncio.sleep(0.01)
        if not isinstance(reply, Answer):
            _cut(server)
            return "451 gone"
        return in_smtp(reply)

    async def _said(self, server: SMTP, command: str) -> str:
        said = self.vendor.steps.get(command, "250 ok")
        if said == "drop":
            _cut(server)
        return said


def _cut(conversation: SMTP) -> None:
    if isinstance(conversation.transport, asyncio.Transport):
        conversation.transport.abort()


def in_smtp(answer: Answer) -> str:
    text = answer.payload().decode("latin-1")
    if answer.status == 200 and text:
        return text
    if answer.status < 300:
        return "250 2.0.0 kept"
    return _IN_SMTP.get(answer.status) or f"{answer.status} {text}".strip()


def seen(message: EmailMessage) -> dict[str, Any]:
    """What a reader sees, by Python's own parser."""
    unseen = re.compile("date|message-id|auto-submitted|mime-version|content-.*", re.IGNORECASE)
    found: dict[str, Any] = {n: str(v) for n, v in message.items() if not unseen.fullmatch(n)}
    files = {}
    for part in message.walk():
        if part.is_multipart():
            continue
        content = part.get_content().replace("\r\n", "\n").strip()
        if part.get_filename():
            files[part.get_filename()] = content
        else:
            found["html" if part.get_content_subtype() == "html" else "text"] = content
    return {**found, "attachments": files} if files else found
