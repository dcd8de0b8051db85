"""The tickets of an order, as a message lists them: those that are alike in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.email.filters import date
from connectors.email.text import harmless, one_line

MOST = 100
"""Lines; of what is more, the number is told."""

_ALIKE = ("event_name", "type", "product", "starts_on")


def ticket_list(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A line for each kind: its `count`, `event_name`, `type`, `product` and `starts_on`."""
    tickets = event.get("tickets")
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for ticket in tickets if isinstance(tickets, list) else []:
        if isinstance(ticket, Mapping):
            shared = {name: str(ticket.get(name) or "") for name in _ALIKE}
            line = found.setdefault(tuple(shared.values()), {**shared, "count": 0})
            line["count"] += 1
    return _shortened(list(found.values()))


def ticket_text(event: Mapping[str, Any], zone: str) -> str:
    """The same as plain text, with the times in a zone."""
    return "\n".join(_line(each, zone) for each in ticket_list(harmless(event)))


def _shortened(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(lines) <= MOST:
        return lines
    rest = sum(line["count"] for line in lines[MOST:])
    return [*lines[:MOST], {**dict.fromkeys(_ALIKE, ""), "type": "more", "count": rest}]


def _line(line: Mapping[str, Any], zone: str) -> str:
    what = one_line(line["type"] or line["product"] or "ticket")
    where = one_line(line["event_name"])
    when = date(zone, line["starts_on"])
    return ", ".join(filter(None, (f"{line['count']} x {what}", where, when)))
