"""What a mail server's answers mean for a message.

Codes: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3, enhanced ones
https://www.rfc-editor.org/rfc/rfc3463; what Google answers
https://support.google.com/a/answer/3726730, Amazon
https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html. An answer's own words are never
passed on: they quote addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.connector import Delivered, Halted, Outcome, Rejected, Retry, Suppressed, Unknown

DAY_PAUSE = 3600.0
"""Seconds; when a server's day begins, nobody tells."""

_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9])")
# Log in first, a stronger way, wrong, only when encrypted.
_LOGIN = (530, 534, 535, 538)
# No mailbox, no domain, a mailbox that was closed or moved.
_NOBODY = re.compile(r"5\.(1\.[0-9]+|2\.1|4\.4)")
_QUOTA = re.compile(r"[45]\.4\.5")


@dataclass(frozen=True)
class Reply:
    """A mail server's answer; `detail` is its enhanced code, such as 5.1.1."""

    code: int
    detail: str = ""

    @classmethod
    def read(cls, code: int, text: bytes | str) -> Reply:
        said = text if isinstance(text, bytes) else text.encode(errors="replace")
        found = _ENHANCED.match(said.lstrip())
        return cls(code, found[1].decode() if found else "")

    def __str__(self) -> str:
        return f"{self.code} {self.detail}".strip()

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300


def at_login(reply: Reply) -> Retry:
    """Why nobody is let in; raises Halted."""
    if 400 <= reply.code < 500:
        reason = f"the mail server takes no logins at the moment ({reply})"
        return Retry(reason, whole_account=True)
    raise Halted(
        f"the mail server refuses the user and password ({reply}); check them, and whether the "
        "server wants an app password"
    )


def at_sender(reply: Reply) -> Outcome:
    """A refusal of the sender's address, so of the account; raises Halted."""
    common = _common(reply)
    if common:
        return common
    if reply.code == 552:
        return Rejected(f"the mail server takes no message of this size ({reply})")
    raise Halted(
        f"the mail server does not let this account send as `from` ({reply}); check the address, "
        "and that the server knows it as yours"
    )


def at_recipient(reply: Reply) -> Outcome:
    """A refusal of the one recipient; raises Halted."""
    common = _common(reply)
    if common:
        return common
    if _NOBODY.fullmatch(reply.detail):
        return Suppressed(f"there is no mailbox with this address ({reply})")
    return Rejected(
        f"the mail server refuses the recipient ({reply}): the address may be wrong, or the server "
        "may not be allowed to send there"
    )


def at_data(reply: Reply) -> Outcome:
    """A refusal of the wish to send, before anything is out; raises Halted."""
    if reply.ok or reply.code < 0:
        return Retry("something answers in the mail server's place")
    return at_message(reply, "")


def at_message(reply: Reply, reference: str) -> Outcome:
    """What became of the message itself; raises Halted."""
    if reply.ok:
        return Delivered(reference)
    if reply.code < 0:
        return Unknown("something answered in the mail server's place; it may have been sent")
    common = _common(reply)
    if common:
        return common
    return Rejected(
        f"the mail server refuses the message ({reply}): it may look like spam, or be too large"
    )


def _common(reply: Reply) -> Retry | None:
    """What may be said at any time; raises Halted."""
    if reply.code in _LOGIN:
        raise Halted(
            f"the mail server wants another login ({reply}); check `user`, `password` and "
            "`encryption`"
        )
    if _QUOTA.fullmatch(reply.detail):
        reason = f"the mail server's limit for the day is used up ({reply})"
        return Retry(reason, DAY_PAUSE, whole_account=True)
    if reply.code in (421, 432, 454):
        return Retry(f"the mail server wants fewer messages for a while ({reply})", None, True)
    if not 500 <= reply.code < 600:
        return Retry(f"the mail server cannot take it now ({reply})")
    return None
