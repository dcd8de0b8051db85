"""What comes first in each lane, and since when: whether anybody gets on with it shows by that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select

from bridge.ledger.accounts import resting
from bridge.ledger.due import NOW, READY, open_lanes
from bridge.ledger.lanes import INBOX, leased
from bridge.ledger.tables import OPEN_DELIVERY, WAITING_WEBHOOK, deliveries, webhooks

# What is more is not counted.
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Head:
    """The first of a lane that could be done now, or that is in hand.

    `since`: from when on it could have been done, in Unix seconds; None if only who looks again
    and again can tell. `mark` is another as soon as anybody has got on with the lane. `held`:
    somebody has the lane's lease. `account` is empty for the inbox.
    """

    lane: str
    account: str
    since: float | None
    mark: str
    held: bool


@dataclass(frozen=True)
class Oldest:
    """What waits longest of one kind: an account's deliveries, or webhooks ("")."""

    account: str
    since: float


def heads(connection: Connection, now: float) -> list[Head]:
    """Not of accounts that rest or are halted, nor of what is scheduled: these wait on purpose."""
    held = leased(connection, now)
    at_rest = set(connection.execute(resting(now)).scalars())
    found = list(_inbox(connection, held))
    for lane in open_lanes(connection):
        account = lane.partition(".")[0]
        if account not in at_rest:
            found += _of_lane(connection, lane, account, now, lane in held)
    return found


def oldest(connection: Connection, now: float) -> list[Oldest]:
    """The oldest of each account, and of the webhooks, longest waiting first."""
    since: dict[str, float] = {}
    for head in heads(connection, now):
        if head.since is not None:
            since[head.account] = min(head.since, since.get(head.account, head.since))
    return sorted((Oldest(*each) for each in since.items()), key=lambda each: each.since)


def counted(connection: Connection) -> tuple[int, int]:
    """Webhooks to be routed and deliveries under way, each counted up to MOST_COUNTED."""
    some = []
    for table, which in ((webhooks, WAITING_WEBHOOK), (deliveries, OPEN_DELIVERY)):
        rows = select(literal(1)).select_from(table).where(which).limit(MOST_COUNTED)
        query = select(func.count()).select_from(rows.subquery())
        some.append(int(connection.execute(query).scalar_one()))
    return some[0], some[1]


def _inbox(connection: Connection, held: set[str]) -> Iterator[Head]:
    columns = (webhooks.c.number, webhooks.c.received_at, webhooks.c.replayed)
    query = select(*columns).where(WAITING_WEBHOOK).order_by(webhooks.c.number).limit(1)
    for row in connection.execute(query):
        # What is replayed was received long ago and waits only since then.
        since = None if row.replayed else row.received_at
        yield Head(INBOX, "", since, str(row.number), INBOX in held)


def _of_lane(
    connection: Connection, lane: str, account: str, now: float, held: bool
) -> Iterator[Head]:
    ready = connection.execute(_READY.where(deliveries.c.lane == lane), {"now_": now}).first()
    in_hand = connection.execute(_IN_HAND.where(deliveries.c.lane == lane)).first()
    first = ready or in_hand
    if first is not None:
        mark = "/".join(f"{each.id}:{each.attempts}" if each else "" for each in (ready, in_hand))
        yield Head(lane, account, first.due_at, mark, held)


_FIRST = (
    select(deliveries.c.id, deliveries.c.attempts, deliveries.c.due_at)
    .where(OPEN_DELIVERY)
    .order_by(deliveries.c.webhook)
    .limit(1)
)
_READY = _FIRST.where(READY, deliveries.c.due_at <= NOW)
_IN_HAND = _FIRST.where(deliveries.c.state == "sending")
