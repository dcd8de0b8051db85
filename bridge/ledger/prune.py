"""Letting go of what is old and finished, in small portions.

Of a webhook whose deliveries have all ended, first the body and the headers
go, and its row stays, so that a redelivery is still recognised. Long after,
the whole record goes. What is scheduled, waits, is dead, or is kept aside stays until a
person has acted, however old it is; what is in quarantine has bounds of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, or_, select, update

from bridge.ledger import consents
from bridge.ledger.books import PRUNED_DELIVERIES, PRUNED_WEBHOOKS, tally
from bridge.ledger.tables import (
    WITH_BODY,
    attempts,
    cancellers,
    deliveries,
    events,
    quarantine,
    webhooks,
)
from bridge.settings import RetentionConfig

DONE = ("routed", "unrouted")
# A dead letter is not done: it waits for a person.
_LASTING = ("scheduled", "waiting", "sending", "dead")


@dataclass(frozen=True)
class Pruned:
    """How many webhooks a portion pruned, and the number after which the next one begins.

    `after` None: there is nothing further that is old enough.
    """

    count: int
    after: int | None


def empty_bodies(
    connection: Connection, now: float, retention: RetentionConfig, after: int, limit: int
) -> Pruned:
    """Empty the bodies and headers of the oldest up to `limit` webhooks beyond number `after`."""
    cutoff = now - retention.bodies_seconds
    query = select(webhooks.c.number, webhooks.c.received_at).where(WITH_BODY)
    old, end = _old(connection, query, after, limit, cutoff)
    ripe = _ripe(connection, old, cutoff)
    emptied = connection.execute(
        update(webhooks)
        # Asked again: a replay may have come in between.
        .where(webhooks.c.number.in_(ripe), WITH_BODY)
        .values(body=b"", received_bytes=None, headers={}, pruned_at=now)
    ).rowcount
    return Pruned(emptied, end)


def drop_records(
    connection: Connection, now: float, retention: RetentionConfig, after: int, limit: int
) -> Pruned:
    """Delete the oldest up to `limit` webhooks beyond number `after`, with all that is theirs."""
    cutoff = now - retention.finished_seconds
    query = select(webhooks.c.number, webhooks.c.received_at)
    old, end = _old(connection, query, after, limit, cutoff)
    ripe = _held(connection, _ripe(connection, old, cutoff))
    if ripe:
        delete_records(connection, ripe)
    return Pruned(len(ripe), end)


def pruned_at(connection: Connection, number: int) -> float | None:
    """When the webhook's body was emptied, after which it cannot be replayed; None: it was not."""
    query = select(webhooks.c.pruned_at).where(webhooks.c.number == number)
    return connection.execute(query).scalar_one_or_none()


def _old(
    connection: Connection,
    query: Select[Any],
    after: int,
    limit: int,
    cutoff: float,
) -> tuple[list[int], int | None]:
    """Numbers of those received before the cutoff, and the last one where more may follow.

    They were numbered as they came in, so the first that is too young ends it.
    """
    query = query.where(webhooks.c.number > after).order_by(webhooks.c.number).limit(limit)
    found = connection.execute(query).all()
    old: list[int] = []
    for row in found:
        if row[1] > cutoff:
            return old, None
        old.append(row[0])
    return old, old[-1] if len(found) == limit else None


def _ripe(connection: Connection, numbers: list[int], cutoff: float) -> list[int]:
    """Those of which nothing is open, and nothing was done since the cutoff."""
    open_or_young = select(deliveries.c.webhook).where(
        deliveries.c.webhook.in_(numbers),
        or_(deliveries.c.state.in_(_LASTING), deliveries.c.settled_at > cutoff),
    )
    routed_since = select(events.c.webhook).where(
        events.c.webhook.in_(numbers), events.c.routed_at > cutoff
    )
    kept: set[int] = set()
    for query in (open_or_young, routed_since):
        kept |= set(connection.execute(query).scalars())
    return [number for number in numbers if number not in kept]


def _held(connection: Connection, numbers: list[int]) -> list[int]:
    """Those that are routed and that nobody replays, held until they are gone.

    On SQLite nothing needs to be held: there whoever writes is alone.
    """
    done = select(webhooks.c.number).where(
        webhooks.c.number.in_(numbers), webhooks.c.state.in_(DONE)
    )
    done = done.order_by(webhooks.c.number)
    held = list(connection.execute(done.with_for_update()).scalars())
    owed = select(deliveries.c.webhook, deliveries.c.state).where(deliveries.c.webhook.in_(held))
    owed = owed.order_by(deliveries.c.webhook, deliveries.c.id)
    rows = connection.execute(owed.with_for_update()).all()
    taken_up = {row.webhook for row in rows if row.state in _LASTING}
    return [number for number in held if number not in taken_up]


def delete_records(connection: Connection, numbers: list[int]) -> None:
    """Delete webhooks with all that is theirs, and count them as pruned."""
    of_these = deliveries.c.webhook.in_(numbers)
    names = select(deliveries.c.id).where(of_these)
    consents.close(connection, numbers)
    connection.execute(delete(attempts).where(attempts.c.webhook.in_(numbers)))
    connection.execute(delete(cancellers).where(cancellers.c.delivery.in_(names)))
    owed = connection.execute(delete(deliveries).where(of_these)).rowcount
    connection.execute(delete(events).where(events.c.webhook.in_(numbers)))
    connection.execute(delete(quarantine).where(quarantine.c.webhook.in_(numbers)))
    gone = connection.execute(delete(webhooks).where(webhooks.c.number.in_(numbers))).rowcount
    tally(connection, PRUNED_DELIVERIES, owed)
    tally(connection, PRUNED_WEBHOOKS, gone)
