"""E-mail: messages to one person at a time, through a mail server of the operator's.

SMTP submission: https://www.rfc-editor.org/rfc/rfc6409. Microsoft takes 30 messages a minute of one
mailbox, Google 2,000 a day, Amazon 14 a second:
https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits,
https://support.google.com/a/answer/166852.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from bridge.connector import (
    Call,
    Checked,
    Connector,
    Delivered,
    Halted,
    Item,
    NotNow,
    Outcome,
    Pacer,
    Rate,
    Rejected,
    Retry,
    Unknown,
    Use,
    action,
)
from connectors.email.items import Send, SendMarketing
from connectors.email.message import composed, described
from connectors.email.server import Server
from connectors.email.settings import EmailSettings
from connectors.email.templates import CannotWriteError, complaint

__all__ = ["Email", "EmailSettings", "Send", "SendMarketing"]

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def _preview(settings: EmailSettings, item: Send) -> list[Call]:
    """The message as somebody sees it; nothing, where it cannot be written."""
    try:
        message = composed(settings, item, _ANY_TIME)
    except CannotWriteError:
        return []
    return [Call("SEND", f"smtp://{settings.server}", body=described(message))]


class Email(Connector):
    """One sender at one mail server."""

    name = "email"
    title = "E-mail"
    Settings = EmailSettings
    rates = (Rate(60, 60.0),)
    concurrency = 2

    def __init__(
        self,
        settings: EmailSettings,
        pacer: Pacer | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        super().__init__(settings, pacer)
        self._server = Server(settings)
        self._now = now

    @action(Send, preview=_preview, idempotent=False, event=True)
    def send(self, items: Sequence[Send]) -> list[Outcome]:
        """Send one person a message about their own order or request."""
        return [self._sent(item) for item in items]

    @action(
        SendMarketing,
        preview=_preview,
        idempotent=False,
        event=True,
        consent_for="to",
        consents_to="mail",
    )
    def send_marketing(self, items: Sequence[SendMarketing]) -> list[Outcome]:
        """Send a person who has agreed to it a message that advertises something."""
        return [self._sent(item) for item in items]

    def find(self, action: str, item: Item) -> Delivered | Retry | Unknown | None:
        """Nobody can tell: a mail server keeps no list."""
        return Unknown("a mail server cannot be asked what it has sent")

    def survey(self, uses: Sequence[Use]) -> Sequence[Checked]:
        """Whether the mail server lets us in, and the templates can be read; sends nothing."""
        settings = self.settings
        found = [self._let_in()] if settings.host else []
        for name in sorted({name for use in uses if (name := use.literal("template"))}):
            wrong = complaint(settings.templates, settings.time_zone, name)
            state: Any = "wrong" if wrong else "right"
            found.append(Checked(f"the template `{name}`", state, wrong))
        return found

    def _let_in(self) -> Checked:
        what = f"the mail server {self.settings.server}"
        try:
            with self.pacer.call():
                missing = self._server.reached()
        except Halted as refused:
            return Checked(what, "wrong", str(refused))
        except NotNow as busy:
            return Checked(what, "unknown", str(busy))
        return Checked(what, "wrong", missing.reason) if missing else Checked(what, "right")

    def _sent(self, item: Send) -> Outcome:
        if not (self.settings.host and self.settings.sender):
            raise Halted("`host` and `from` of this account are not set")
        try:
            message = composed(self.settings, item, self._now())
        except CannotWriteError as wrong:
            return Rejected(f"the message cannot be written: {wrong}; correct it, then replay")
        try:
            with self.pacer.call():
                return self._server.submitted(message, item.to)
        except NotNow as busy:
            return Retry(str(busy), busy.after, whole_account=True)
