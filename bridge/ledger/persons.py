"""The events that have to do with one person, by the person's e-mail address."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Text, cast, func, select

from bridge.ledger.endings import Place
from bridge.ledger.look_up import SEARCHED
from bridge.ledger.tables import deliveries, events


@dataclass(frozen=True)
class Found:
    """In the order of receipt. `bounded`: older webhooks were not looked at, or there are more."""

    places: tuple[Place, ...]
    bounded: bool


def events_of(
    connection: Connection, address: str, limit: int, searched: int | None = SEARCHED
) -> Found:
    """The newest `limit` events about the person, or with the address in what they had sent.

    No index leads to them: only the newest `searched` webhooks are looked at; None: all.
    """
    newest = connection.execute(select(func.max(events.c.webhook))).scalar_one() or 0
    after = newest - searched if searched is not None else 0
    about = func.lower(events.c.who) == address.strip().lower()
    named = cast(deliveries.c.item, Text).icontains(address.strip(), autoescape=True)
    found = {
        *_places(connection, events.c.webhook, events.c.position, about, after, limit),
        *_places(connection, deliveries.c.webhook, deliveries.c.position, named, after, limit),
    }
    chosen = sorted(found)[-limit:]
    return Found(tuple(chosen), bounded=after > 0 or len(found) > limit)


def _places(
    connection: Connection,
    webhook: ColumnElement[int],
    position: ColumnElement[int],
    which: ColumnElement[bool],
    after: int,
    limit: int,
) -> list[Place]:
    query = select(webhook, position).distinct().where(which, webhook > after)
    rows = connection.execute(query.order_by(webhook.desc(), position.desc()).limit(limit + 1))
    return [(number, place) for number, place in rows]
