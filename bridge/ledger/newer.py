"""Whether a later delivery of the same person has arrived: sent now, the older would win over it.

There is no index for that: kept for every delivery there ever was, it would
cost each new one several times what it costs now. Instead the ledger is read
through once for the persons in question, and from then on only what is new.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, exists, func, select, tuple_

from bridge.ledger.selection import (
    Candidate,
    Place,
    Selection,
    chosen_deliveries,
    persons_of,
)
from bridge.ledger.tables import WAITING_WEBHOOK, deliveries, webhooks

Key = tuple[str, str]
"""A lane, and a person's order key."""

# A server gives numbers before it commits: so many behind the highest may still appear.
_OVERLAP = 200
_PORTION = 500

_ROW = [
    deliveries.c[name]
    for name in (
        *("id", "lane", "order_key", "webhook", "position", "place"),
        *("state", "uncertain"),
    )
]
_CONCERNED = deliveries.c.state.in_(["delivered", "sending", "waiting", "scheduled"])


def overtaken(connection: Connection, ids: Iterable[str]) -> list[tuple[str, str]]:
    """Account and action of those among `ids` after which a later one of the person arrived.

    Reads all deliveries through for each: for a few.
    """
    newer = deliveries.alias("newer")
    arrived = exists().where(
        newer.c.lane == deliveries.c.lane,
        newer.c.order_key == deliveries.c.order_key,
        newer.c.webhook > deliveries.c.webhook,
        newer.c.state == "delivered",
        # What a repeat does once more is no other value.
        newer.c.id.is_distinct_from(deliveries.c.repeats),
    )
    query = select(deliveries.c.account, deliveries.c.action).where(
        deliveries.c.id.in_(list(ids)), deliveries.c.order_key != "", arrived
    )
    return [(row.account, row.action) for row in connection.execute(query)]


class Newer:
    """What has arrived of the persons of a selection, as it was when last looked."""

    def __init__(
        self, connection: Connection, chosen: Selection, *, whole_webhooks: bool = False
    ) -> None:
        """Reads all deliveries through: about two seconds for each million."""
        self._arrived: dict[Key, Place] = {}
        self._open: dict[Key, dict[str, Place]] = {}
        persons = persons_of(chosen, whole_webhooks=whole_webhooks)
        self._persons = {(row.lane, row.order_key) for row in connection.execute(persons)}
        self._unseen = 0
        if self._persons:
            oldest = chosen_deliveries(select(func.min(deliveries.c.webhook)), chosen)
            self._read(connection, _all_of(persons, oldest))
            self._unseen = _first_unseen(connection)

    def look_again(self, connection: Connection, asked: Iterable[Candidate]) -> None:
        """Bring up to date what is known of the persons of these candidates."""
        if not self._persons:
            return
        since = select(*_ROW).where(deliveries.c.webhook >= self._unseen, _CONCERNED)
        unseen = _first_unseen(connection)
        self._read(connection, since)
        self._unseen = unseen
        keys = {(each.lane, each.order_key) for each in asked}
        again = [name for key in keys for name in self._open.get(key, {})]
        for start in range(0, len(again), _PORTION):
            some = again[start : start + _PORTION]
            self._read(connection, select(*_ROW).where(deliveries.c.id.in_(some)))

    def has_passed(self, candidate: Candidate) -> bool:
        """Whether a later one of the same person arrived, or may have."""
        latest = self._arrived.get((candidate.lane, candidate.order_key))
        return latest is not None and latest > candidate.place

    def _read(self, connection: Connection, query: Any) -> None:
        for row in connection.execute(query):
            key, place = (row.lane, row.order_key), (row.webhook, row.position, row.place)
            if key not in self._persons:
                continue
            waits = row.state == "scheduled" or (row.state == "waiting" and not row.uncertain)
            if waits:
                # What waits is sent in order, unless it is settled before the older one waits too.
                self._open.setdefault(key, {})[row.id] = place
                continue
            self._open.get(key, {}).pop(row.id, None)
            if row.state in ("delivered", "sending", "waiting"):
                self._arrived[key] = max(place, self._arrived.get(key, place))


def _all_of(persons: Any, oldest: Any) -> Any:
    chosen = persons.subquery()
    return select(*_ROW).where(
        _CONCERNED,
        deliveries.c.webhook >= oldest.scalar_subquery(),
        tuple_(deliveries.c.lane, deliveries.c.order_key).in_(
            select(chosen.c.lane, chosen.c.order_key)
        ),
    )


def _first_unseen(connection: Connection) -> int:
    """No delivery of an earlier webhook appears from now on, replays aside."""
    last = connection.execute(select(func.max(webhooks.c.number))).scalar_one() or 0
    waiting = select(func.min(webhooks.c.number)).where(
        WAITING_WEBHOOK, webhooks.c.replayed.is_(False)
    )
    first = connection.execute(waiting).scalar_one()
    return min(last + 1 - _OVERLAP, last + 1 if first is None else first)
