"""What could be done now: the one definition that workers and clock share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    FromClause,
    and_,
    bindparam,
    exists,
    select,
    text,
    tuple_,
)

from bridge.ledger.accounts import resting
from bridge.ledger.lanes import INBOX, occupied
from bridge.ledger.tables import OPEN_DELIVERY, WAITING_WEBHOOK, deliveries, webhooks


def _place(table: FromClause) -> Any:
    return tuple_(table.c.webhook, table.c.position, table.c.place)


# Queries that are asked for each batch are made once: putting one together takes longer than
# asking it. Each is given its time as `now_`.
NOW = bindparam("now_", type_=Float)
_OPEN = "{0}.state IN ('waiting', 'sending')"
_EARLIER = deliveries.alias("earlier")
_OVERTAKES = exists().where(
    _EARLIER.c.lane == deliveries.c.lane,
    _EARLIER.c.order_key == deliveries.c.order_key,
    text(_OPEN.format("earlier")),
    (_EARLIER.c.state == "sending") | (_EARLIER.c.due_at > NOW),
    _place(_EARLIER) < _place(deliveries),
)
READY: ColumnElement[bool] = and_(
    text(_OPEN.format("deliveries")),
    deliveries.c.state == "waiting",
    deliveries.c.due_at <= NOW,
    (deliveries.c.order_key == "") | ~_OVERTAKES,
)
"""Due, with nothing of the same person's before it in the lane that is not.

So of one person several may be ready, all that go before included: whoever
takes some in order, and none without those before it, overtakes nothing.
"""


def due_lanes(connection: Connection, now: float) -> list[str]:
    """Lanes with work that nobody is at and nobody was asked for, the inbox first.

    Then those that have waited longest: where workers are killed again and again,
    the same ones would come last each time.

    What is being sent counts too: where nobody holds the lane's lease, the
    worker that had it in hand is gone.
    """
    at_rest = set(connection.execute(resting(now)).scalars())
    taken = occupied(connection, now)
    found = [
        lane
        for lane in open_lanes(connection)
        if lane not in taken and lane.partition(".")[0] not in at_rest
    ]
    since = [(_due_since(connection, lane, now), lane) for lane in found]
    due = [lane for _, lane in sorted((at, lane) for at, lane in since if at is not None)]
    return [INBOX, *due] if is_due(connection, INBOX, now) else due


def open_lanes(connection: Connection) -> list[str]:
    """Steps from lane to lane through the index: the backlog itself is not read."""
    first = select(deliveries.c.lane).where(OPEN_DELIVERY).order_by(deliveries.c.lane).limit(1)
    lanes = select(first.scalar_subquery().label("lane")).cte("lanes", recursive=True)
    following = (
        select(deliveries.c.lane)
        .where(OPEN_DELIVERY, deliveries.c.lane > lanes.c.lane)
        .order_by(deliveries.c.lane)
        .limit(1)
        .correlate(lanes)
    )
    step = select(following.scalar_subquery()).where(lanes.c.lane.is_not(None))
    query = select(lanes.union_all(step).c.lane)
    return [lane for lane in connection.execute(query).scalars() if lane is not None]


def _due_since(connection: Connection, lane: str, now: float) -> float | None:
    """When the first that is ready became due; None where there is nothing to do.

    Or one in the hands of a worker that is gone: looked for only where nothing is ready.
    """
    for query in (_READY_SINCE, _SENT_SINCE):
        found = connection.execute(query, {"lane_": lane, "now_": now}).scalar_one_or_none()
        if found is not None:
            return float(found)
    return None


_LANE = deliveries.c.lane == bindparam("lane_")
_SINCE = (
    select(deliveries.c.due_at).where(_LANE, OPEN_DELIVERY).order_by(deliveries.c.webhook).limit(1)
)
_READY_SINCE = _SINCE.where(READY)
_SENT_SINCE = _SINCE.where(deliveries.c.state == "sending")


def is_due(connection: Connection, lane: str, now: float) -> bool:
    """Whether a turn at the lane would find something to do."""
    if lane == INBOX:
        waiting = select(webhooks.c.number).where(WAITING_WEBHOOK).limit(1)
        return connection.execute(waiting).first() is not None
    query = _READY_ONE.where(deliveries.c.account.not_in(resting(now)))
    return connection.execute(query, {"lane_": lane, "now_": now}).first() is not None


_READY_ONE = select(deliveries.c.id).where(READY, _LANE).limit(1)


def in_hand(connection: Connection, lane: str) -> list[tuple[str, int]]:
    """Deliveries being sent in a lane, each with the number of its attempt."""
    query = select(deliveries.c.id, deliveries.c.attempts).where(
        OPEN_DELIVERY, deliveries.c.lane == lane, deliveries.c.state == "sending"
    )
    return [(row.id, row.attempts) for row in connection.execute(query)]
