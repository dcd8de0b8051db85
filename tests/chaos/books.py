"""What the ledger has at the end: one row for each webhook, one for each delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from bridge.ledger.database import Database
from bridge.ledger.tables import deliveries, webhooks


@dataclass(frozen=True)
class Kept:
    """A webhook; `uuid` without what makes a redelivery look new when the unique key is out."""

    uuid: str
    state: str


@dataclass(frozen=True)
class Owed:
    """A delivery of the webhook `uuid`."""

    id: str
    uuid: str
    account: str
    state: str
    reason: str | None


@dataclass(frozen=True)
class Books:
    kept: Sequence[Kept]
    owed: Sequence[Owed]


def read_books(database: Database) -> Books:
    with database.read() as connection:
        kept = connection.execute(select(webhooks.c.idempotency_key, webhooks.c.state))
        rows = [Kept(_uuid(key), state) for key, state in kept]
        query = select(
            deliveries.c.id,
            webhooks.c.idempotency_key,
            deliveries.c.account,
            deliveries.c.state,
            deliveries.c.reason,
        ).join(webhooks, webhooks.c.number == deliveries.c.webhook)
        owed = [Owed(row[0], _uuid(row[1]), *row[2:]) for row in connection.execute(query)]
    return Books(rows, owed)


def open_work(database: Database) -> dict[str, int]:
    """How much waits or is under way: nothing when all is drained."""
    with database.read() as connection:
        waiting = select(func.count()).where(webhooks.c.state == "waiting")
        query = (
            select(deliveries.c.lane, func.count())
            .where(deliveries.c.state.in_(("waiting", "sending")))
            .group_by(deliveries.c.lane)
        )
        found = {lane: count for lane, count in connection.execute(query)}  # noqa: C416  # rows
        unrouted = connection.execute(waiting).scalar_one()
    return found | ({"inbox": unrouted} if unrouted else {})


def _uuid(key: str) -> str:
    """Of a key like `transaction/uuid#more`."""
    return key.partition("#")[0].rpartition("/")[2]
