"""What was said first of a topic in a lane: later messages answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from bridge.ledger.settle import Settlement, storable
from bridge.ledger.tables import threads
from bridge.ledger.upsert import insert

if TYPE_CHECKING:
    from bridge.ledger.claim import Claimed


def remember(
    connection: Connection, lane: str, settlements: Sequence[Settlement], now: float
) -> None:
    """Keep the references of what was delivered about a topic that nothing was said of before."""
    rows = [
        {"lane": lane, "topic": each.topic, "reference": reference, "known_since": now}
        for each in settlements
        if each.state == "delivered" and each.topic and (reference := storable(each.reference))
    ]
    if rows:
        connection.execute(insert(connection, threads).on_conflict_do_nothing(), rows)


def followed(connection: Connection, lane: str, deliveries: Sequence[Claimed]) -> Sequence[Claimed]:
    """The same, each with the reference of what was delivered first about its topic."""
    topics = {each.topic for each in deliveries if each.topic}
    if not topics:
        return deliveries
    found = connection.execute(_FIRST, {"lane_": lane, "topics": list(topics)})
    known = {row.topic: row.reference for row in found}
    return [replace(each, earlier=known.get(each.topic or "")) for each in deliveries]


_FIRST = select(threads.c.topic, threads.c.reference).where(
    threads.c.lane == bindparam("lane_"), threads.c.topic.in_(bindparam("topics", expanding=True))
)


def forget(connection: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` that are known since earlier than `before`; how many there were."""
    key = tuple_(*threads.primary_key)
    old = (
        select(*threads.primary_key)
        .where(threads.c.known_since < before)
        .order_by(threads.c.known_since)
        .limit(limit)
    )
    return connection.execute(delete(threads).where(key.in_(old))).rowcount
