"""What its rule wants done later: it keeps nothing behind it until it is due, and then it waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from bridge.ledger import undone, withdrawn
from bridge.ledger.repeats import MayRepeat
from bridge.ledger.tables import SCHEDULED_DELIVERY, deliveries, webhooks

PORTION = 100


def due(connection: Connection, now: float, limit: int = PORTION) -> list[str]:
    """The ids of the first that are due: one look at an index where there is none."""
    query = select(deliveries.c.id).where(*_due(now)).order_by(deliveries.c.due_at)
    return list(connection.execute(query.limit(limit)).scalars())


def promote(connection: Connection, ids: Sequence[str], now: float, may_repeat: MayRepeat) -> int:
    """Let those of these that are due wait to be sent; how many.

    What they write may have been undone since they were planned, by what was sent at
    once: that is done once more behind them. And what undoes what waits behind them is
    done once more behind that. Whatever somebody else is at, such as an event that calls
    it off, is left for another time.
    """
    _hold_webhooks(connection, ids)
    query = select(deliveries.c.id).where(deliveries.c.id.in_(ids), *_due(now))
    query = query.order_by(deliveries.c.id).with_for_update(skip_locked=True)
    held = list(connection.execute(query).scalars())
    waiting = update(deliveries).where(deliveries.c.id.in_(held))
    connection.execute(waiting.values(state="waiting", planned_at=now, due_at=now))
    withdrawn.call_off(connection, held, now)
    undone.put_behind(connection, held, now, may_repeat)
    undone.last_word(connection, held, now, may_repeat)
    return len(held)


def _due(now: float) -> tuple[Any, ...]:
    return SCHEDULED_DELIVERY, deliveries.c.due_at <= now


def _hold_webhooks(connection: Connection, ids: Sequence[str]) -> None:
    """Before their deliveries, as pruning does, else each could wait for the other."""
    theirs = select(deliveries.c.webhook).where(deliveries.c.id.in_(ids))
    query = select(webhooks.c.number).where(webhooks.c.number.in_(theirs))
    query = query.order_by(webhooks.c.number).with_for_update(read=True, key_share=True)
    connection.execute(query).all()
