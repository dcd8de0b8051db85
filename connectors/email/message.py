"""One message as it goes out: its head, its text, its HTML, its calendar.

Heads: https://www.rfc-editor.org/rfc/rfc5322; leaving by one click
https://www.rfc-editor.org/rfc/rfc8058; no vacation note shall answer
https://www.rfc-editor.org/rfc/rfc3834#section-5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from email import policy
from email.headerregistry import HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, make_msgid
from html import escape
from typing import Any

from connectors.email.addresses import in_header, on_the_wire
from connectors.email.calendar import calendar
from connectors.email.items import Send
from connectors.email.settings import EmailSettings
from connectors.email.templates import CannotWriteError, written
from connectors.email.text import harmless
from connectors.email.tickets import ticket_list, ticket_text

CALENDAR = "event.ics"

_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_LEAVING = (
    '<p style="margin:24px 0;text-align:center;font:13px sans-serif;color:#666666">'
    '<a href="{link}" style="color:#666666">Unsubscribe</a></p>'
)


class _Unfolded(UnstructuredHeader):
    """A head that is one long word: Python would encode it, and no program reads that."""

    name: str

    def fold(self, *, policy: Any) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy(*, utf8: bool) -> EmailPolicy[EmailMessage]:
    heads: Any = HeaderRegistry()
    for name in ("list-unsubscribe", "message-id"):
        heads.map_to_type(name, _Unfolded)
    return policy.SMTP.clone(header_factory=heads, cte_type="7bit", utf8=utf8)


def composed(settings: EmailSettings, item: Send, now: datetime) -> EmailMessage:
    """The whole message. Raises CannotWriteError, whose text says what is wrong."""
    message = EmailMessage(_policy(utf8=not on_the_wire(item.to).isascii()))
    message["From"] = in_header(settings.sender or "nobody@example.invalid", settings.from_name)
    message["To"] = in_header(item.to)
    if item.reply_to:
        message["Reply-To"] = in_header(item.reply_to)
    message["Subject"] = item.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(settings, item)
    message["Auto-Submitted"] = "auto-generated"
    if item.leaving:
        message["List-Unsubscribe"] = f"<{item.leaving}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _fill(message, settings, item)
    _sealed(message)
    return message


def message_id(settings: EmailSettings, item: Send) -> str:
    """The same on every attempt, so that a second copy can be told to be one."""
    if not item.sent_as:
        return make_msgid(domain=settings.domain)
    return f"<{item.sent_as}@{settings.domain}>"


def described(message: EmailMessage) -> dict[str, Any]:
    """What somebody sees of it, as plain data: without what differs each time."""
    heads = ("From", "To", "Reply-To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post")
    seen: dict[str, Any] = {name: str(message[name]) for name in heads if name in message}
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        if part is not None:
            seen["text" if kind == "plain" else kind] = _lines(part.get_content())
    files = {str(each.get_filename()): _lines(each.get_content()) for each in _attached(message)}
    return {**seen, "attachments": files} if files else seen


def _fill(message: EmailMessage, settings: EmailSettings, item: Send) -> None:
    text, html = _bodies(settings, item)
    message.set_content(text, cte="quoted-printable")
    if html:
        message.add_alternative(html, subtype="html", cte="quoted-printable")
    location = item.values.get("location")
    file = calendar(item.event, str(location or ""), settings.domain) if item.ics else ""
    if file:
        message.add_attachment(
            file, subtype="calendar", filename=CALENDAR, params={"method": "PUBLISH"}
        )


def _bodies(settings: EmailSettings, item: Send) -> tuple[str, str]:
    """The text, and the HTML where there is any, each with the way out at its end.

    Times are those of the rules' zone, as in the subject, else of the account's.
    """
    told = item.event.get("event")
    zone = str((told or {}).get("time_zone") or settings.time_zone)
    if item.template is None:
        text, html = harmless(item.text or ""), ""
        if item.tickets:
            text = "\n\n".join(filter(None, (text, ticket_text(item.event, zone))))
    else:
        folder = settings.templates
        text = written(folder, zone, f"{item.template}.txt", _known(item))
        html = written(folder, zone, f"{item.template}.html", _known(item))
    if item.leaving and item.leaving not in text:
        text = f"{text.rstrip()}\n\n-- \nUnsubscribe: {item.leaving}\n"
    if item.leaving and html and escape(item.leaving) not in html:
        html = _with_way_out(html, item.leaving)
    return text, html


def _with_way_out(html: str, link: str) -> str:
    paragraph = _LEAVING.format(link=escape(link))
    ends = list(_BODY_END.finditer(html))
    at = ends[-1].start() if ends else len(html)
    return html[:at] + paragraph + html[at:]


def _known(item: Send) -> Mapping[str, Any]:
    """What templates can name: the event as rules name it, `values`, and what was asked for."""
    return {
        **harmless(item.event),
        "values": harmless(item.values),
        "subject": item.subject,
        "ticket_list": ticket_list(harmless(item.event)) if item.tickets else [],
        "unsubscribe": item.leaving or "",
    }


def _sealed(message: EmailMessage) -> None:
    """Whatever `email` made of the heads, there are these and no others."""
    head = message.as_bytes().partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    names = [line.partition(":")[0] for line in head.split("\r\n") if line[:1] not in (" ", "\t")]
    if names != message.keys() or re.search(r"\r(?!\n)|(?<!\r)\n", head):
        raise CannotWriteError("its head would not be what it should")


def _attached(message: EmailMessage) -> Sequence[EmailMessage]:
    return [part for part in message.iter_attachments() if isinstance(part, EmailMessage)]


def _lines(content: Any) -> str:
    return str(content).replace("\r\n", "\n").strip()
