"""The layouts: a headline, what happened in two columns, where it came from, and a button.

https://docs.slack.dev/block-kit. Texts are escaped where values stand in them;
`slack_fit` keeps them to Slack's limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from bridge.connector import Item
from connectors.slack import limits
from connectors.slack.items import Content
from connectors.slack.money import money
from connectors.slack.text import bearable, cut, escape_mrkdwn, lines, one_line, url

Block = dict[str, Any]
Facts = Mapping[str, Any]
"""The event in plain data, see `Item.event`."""

_LABEL = 100
_VALUE = 1_000
_SHOWN = 3


@dataclass(frozen=True)
class Layout:
    """What a layout says of an event where the rule leaves it out."""

    title: Callable[[Facts], str]
    fields: Callable[[Facts], Mapping[str, str]]


def laid_out(item: Content) -> list[Block]:
    """The blocks of a layout, with escaped values, not yet cut."""
    layout = LAYOUTS[item.layout or "plain"]
    facts = item.event
    title = item.title.strip() or escape_mrkdwn(layout.title(facts))
    fields = item.fields or {
        label: escape_mrkdwn(value) for label, value in layout.fields(facts).items()
    }
    return [
        *_header(title),
        *_body(item.text),
        *_fields(fields),
        *_button(item),
        *_context(item.footer, facts),
    ]


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def plain_text(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def _header(title: str) -> Iterator[Block]:
    said = " ".join(title.split())
    if said:
        yield {"type": "header", "text": plain_text(said)}


def _body(text: str) -> Iterator[Block]:
    if text.strip():
        yield {"type": "section", "text": mrkdwn(text.strip())}


def _fields(fields: Mapping[str, str]) -> Iterator[Block]:
    told = [(label, lines(value)) for label, value in fields.items()]
    shown = [
        mrkdwn(f"*{one_line(label, _LABEL)}*\n{cut(value, _VALUE)}")
        for label, value in told
        if value
    ]
    if shown:
        yield {"type": "section", "fields": shown[: limits.FIELDS]}


def _button(item: Content) -> Iterator[Block]:
    button = item.button
    address = url(button.url) if button else ""
    if button is None or not address:
        return
    said = " ".join(button.text.split()) or "Open"
    if button.as_link:
        label = one_line(said.replace("|", "¦").replace("<", "").replace(">", ""), _LABEL)
        yield {"type": "section", "text": mrkdwn(f"<{escape_mrkdwn(address)}|{label}>")}
        return
    element = {"type": "button", "text": plain_text(said), "url": escape_mrkdwn(address)}
    yield {"type": "actions", "elements": [element]}


def _context(footer: str, facts: Facts) -> Iterator[Block]:
    parts = [one_line(footer, limits.FIELD), *_source(facts.get("event"))]
    said = [mrkdwn(part) for part in parts if part]
    if said:
        yield {"type": "context", "elements": said}


def _source(event: Any) -> Iterator[str]:
    """Where it came from and when it was received, in each reader's own time zone.

    https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    """
    if not isinstance(event, Mapping):
        return
    if event.get("source"):
        yield escape_mrkdwn(one_line(str(event["source"]), _LABEL))
    when = moment_of(event)
    if when is None:
        return
    otherwise = f"{when:%Y-%m-%d %H:%M} UTC"
    yield f"<!date^{int(when.timestamp())}^{{date_short_pretty}}, {{time}}|{otherwise}>"


def received_at(item: Item) -> datetime | None:
    """When the item's event was received, an aware time; None where nobody knows."""
    event = item.event.get("event")
    return moment_of(event) if isinstance(event, Mapping) else None


def moment_of(event: Facts) -> datetime | None:
    try:
        return datetime.fromisoformat(str(event.get("time")))
    except ValueError:
        return None


# What the layouts say by themselves


def _no_title(_facts: Facts) -> str:
    return ""


def _no_fields(_facts: Facts) -> Mapping[str, str]:
    return {}


def _bought(facts: Facts) -> str:
    count = len(_members(facts, "tickets"))
    what = f"bought {count} tickets" if count > 1 else "bought a ticket" if count else "bought"
    return f"{_who(facts)} {what}"


def _refunded(facts: Facts) -> str:
    is_void = _event_type(facts) == "invoice.void"
    return f"{'Cancelled' if is_void else 'Refund'}: {_who(facts)}"


def _order(facts: Facts) -> Mapping[str, str]:
    tickets = _members(facts, "tickets")
    return {
        "Total": _amount(facts),
        "Event": _listed(_texts(tickets, "event_name")),
        "Tickets": _listed(_texts(tickets, "type")),
        "Order": _text(facts, "order", "id"),
    }


def _shared(facts: Facts) -> str:
    return f"Shared Space: {_text(facts, 'space', 'name') or 'without a name'}"


def _people(facts: Facts) -> Mapping[str, str]:
    return {
        "Invited": _text(facts, "invitee", "email") or _text(facts, "contact", "email"),
        "By": _text(facts, "inviter", "email"),
    }


def _course(facts: Facts) -> str:
    return f"Course finished: {_text(facts, 'course', 'name') or 'without a name'}"


def _learner(facts: Facts) -> Mapping[str, str]:
    return {"Who": _text(facts, "contact", "name") or _text(facts, "contact", "email")}


LAYOUTS: Mapping[str, Layout] = {
    "purchase": Layout(_bought, _order),
    "refund": Layout(_refunded, _order),
    "share": Layout(_shared, _people),
    "course": Layout(_course, _learner),
    "plain": Layout(_no_title, _no_fields),
}


def _who(facts: Facts) -> str:
    return _text(facts, "contact", "name") or "Someone"


def _event_type(facts: Facts) -> str:
    return _text(facts, "event", "type")


def _amount(facts: Facts) -> str:
    try:
        amount = Decimal(_text(facts, "order", "total"))
    except InvalidOperation:
        return ""
    return money(amount, _text(facts, "order", "currency")) if amount.is_finite() else ""


def _text(facts: Facts, group: str, name: str) -> str:
    found = facts.get(group)
    value = found.get(name) if isinstance(found, Mapping) else None
    return " ".join(bearable(str(value)).split()) if isinstance(value, str | int) else ""


def _members(facts: Facts, name: str) -> Sequence[Facts]:
    found = facts.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _texts(members: Sequence[Facts], name: str) -> Sequence[str]:
    """Each once, in their order."""
    return list(dict.fromkeys(filter(None, (_text({"": one}, "", name) for one in members))))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
