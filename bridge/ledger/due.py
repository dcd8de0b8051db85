"""What could be done now: the one definition that workers and clock share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, select, text, tuple_

from bridge.ledger.lanes import INBOX
from bridge.ledger.tables import OPEN_DELIVERY, WAITING_WEBHOOK, accounts, deliveries, webhooks

_OPEN = "{0}.state IN ('waiting', 'sending')"


def ready(now: float) -> ColumnElement[bool]:
    """Due, with nothing of the same person's before it in the lane that is not.

    So of one person several may be ready, all that go before included: whoever
    takes some in order, and none without those before it, overtakes nothing.
    """
    earlier = deliveries.alias("earlier")
    overtakes = exists().where(
        earlier.c.lane == deliveries.c.lane,
        earlier.c.order_key == deliveries.c.order_key,
        text(_OPEN.format("earlier")),
        (earlier.c.state == "sending") | (earlier.c.due_at > now),
        _place(earlier) < _place(deliveries),
    )
    return and_(
        text(_OPEN.format("deliveries")),
        deliveries.c.state == "waiting",
        deliveries.c.due_at <= now,
        (deliveries.c.order_key == "") | ~overtakes,
    )


def _place(table: Any) -> Any:
    return tuple_(table.c.webhook, table.c.position, table.c.place)


def due_lanes(connection: Connection, now: float) -> list[str]:
    """Lanes with work for somebody, the inbox first.

    What is being sent counts too: where nobody holds the lane's lease, the
    worker that had it in hand is gone.
    """
    resting = select(accounts.c.name).where(accounts.c.halted | (accounts.c.rest_until > now))
    query = (
        select(deliveries.c.lane)
        .where(
            ready(now) | (text(_OPEN.format("deliveries")) & (deliveries.c.state == "sending")),
            deliveries.c.account.not_in(resting),
        )
        .distinct()
    )
    found = list(connection.execute(query).scalars())
    return [INBOX, *found] if is_due(connection, INBOX, now) else found


def is_due(connection: Connection, lane: str, now: float) -> bool:
    """Whether a turn at the lane would find something to do."""
    if lane == INBOX:
        waiting = select(webhooks.c.number).where(WAITING_WEBHOOK).limit(1)
        return connection.execute(waiting).first() is not None
    resting = select(accounts.c.name).where(accounts.c.halted | (accounts.c.rest_until > now))
    query = select(deliveries.c.id).where(
        ready(now), deliveries.c.lane == lane, deliveries.c.account.not_in(resting)
    )
    return connection.execute(query.limit(1)).first() is not None


def in_hand(connection: Connection, lane: str) -> list[tuple[str, int]]:
    """Deliveries being sent in a lane, each with the number of its attempt."""
    query = select(deliveries.c.id, deliveries.c.attempts).where(
        OPEN_DELIVERY, deliveries.c.lane == lane, deliveries.c.state == "sending"
    )
    return [(row.id, row.attempts) for row in connection.execute(query)]
