"""What its rule wants done later: it keeps nothing behind it until it is due, and then it waits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select, update

from bridge.ledger import repeats
from bridge.ledger.endings import portions
from bridge.ledger.repeats import MayRepeat
from bridge.ledger.tables import SCHEDULED_DELIVERY, deliveries, webhooks

PORTION = 100


def is_due(connection: Connection, now: float) -> bool:
    """Whether anything is due: one look at an index."""
    first = select(func.min(deliveries.c.due_at)).where(SCHEDULED_DELIVERY)
    due_at = connection.execute(first).scalar_one()
    return due_at is not None and due_at <= now


def promote(connection: Connection, now: float, may_repeat: MayRepeat, limit: int = PORTION) -> int:
    """Let the first `limit` that are due wait to be sent; how many.

    What they write may have been undone since they were planned, by what was sent at
    once: that is done once more behind them. Whatever somebody else is at, such as an
    event that calls it off, is left to the next portion.
    """
    query = (
        select(deliveries.c.id, deliveries.c.webhook)
        .where(*_due(now))
        .order_by(deliveries.c.due_at)
        .limit(limit)
    )
    found = connection.execute(query).all()
    if not found:
        return 0
    _hold_webhooks(connection, sorted({row.webhook for row in found}))
    ids = _held(connection, [row.id for row in found], now)
    for some in portions(ids):
        waiting = update(deliveries).where(deliveries.c.id.in_(some))
        connection.execute(waiting.values(state="waiting", planned_at=now, due_at=now))
    repeats.put_behind(connection, ids, now, may_repeat)
    return len(ids)


def _due(now: float) -> tuple[Any, ...]:
    return SCHEDULED_DELIVERY, deliveries.c.due_at <= now


def _hold_webhooks(connection: Connection, numbers: list[int]) -> None:
    """Before their deliveries, as pruning does, else each could wait for the other."""
    query = select(webhooks.c.number).where(webhooks.c.number.in_(numbers))
    query = query.order_by(webhooks.c.number).with_for_update(read=True, key_share=True)
    connection.execute(query).all()


def _held(connection: Connection, ids: list[str], now: float) -> list[str]:
    query = select(deliveries.c.id).where(deliveries.c.id.in_(ids), *_due(now))
    query = query.order_by(deliveries.c.id).with_for_update(skip_locked=True)
    return list(connection.execute(query).scalars())
