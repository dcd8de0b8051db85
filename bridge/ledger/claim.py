"""Taking deliveries in hand: in each person's order, and back from workers that died."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, insert, select, update

from bridge.ledger.due import in_hand, ready
from bridge.ledger.tables import attempts, deliveries


@dataclass(frozen=True)
class Claimed:
    """A delivery in a worker's hands; `attempt` is the number of this try, from 1."""

    id: str
    webhook: int
    account: str
    action: str
    item: Mapping[str, Any]
    attempt: int
    failures: int
    uncertain: bool
    planned_at: float


def claim(connection: Connection, lane: str, turn: str, limit: int, now: float) -> list[Claimed]:
    """Up to `limit` deliveries of the lane that are due, at most one for each person.

    A delivery whose person has an earlier one open in the lane stays behind
    it, however often that one is retried; others pass. The caller holds the
    lane's lease under the name `turn`.
    """
    query = (
        select(deliveries)
        .where(ready(now), deliveries.c.lane == lane)
        .order_by(deliveries.c.webhook, deliveries.c.position, deliveries.c.place)
        .limit(limit)
    )
    found = connection.execute(query).mappings().all()
    if not found:
        return []
    claimed = [_claimed(row) for row in found]
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_([delivery.id for delivery in claimed]))
        .values(state="sending", claim=turn, attempts=deliveries.c.attempts + 1)
    )
    connection.execute(insert(attempts), [_attempt(delivery, turn, now) for delivery in claimed])
    return claimed


def _claimed(row: Mapping[Any, Any]) -> Claimed:
    return Claimed(
        id=row["id"],
        webhook=row["webhook"],
        account=row["account"],
        action=row["action"],
        item=row["item"],
        attempt=row["attempts"] + 1,
        failures=row["failures"],
        uncertain=row["uncertain"],
        planned_at=row["planned_at"],
    )


def _attempt(delivery: Claimed, turn: str, now: float) -> dict[str, Any]:
    return {
        "delivery": delivery.id,
        "number": delivery.attempt,
        "started_at": now,
        "outcome": "started",
        "calls": [],
        "worker": turn,
    }


def recover(connection: Connection, lane: str, limit: int, now: float) -> int:
    """Free what a dead worker had in hand, as of unknown outcome; how many there were.

    It counts as a failure, so that a delivery which kills its workers ends as
    a dead letter after `limit` of them.

    Only for the holder of the lane's lease: whatever is still being sent
    there belongs to a turn whose lease lapsed.
    """
    orphans = in_hand(connection, lane)
    for orphan in orphans:
        _free(connection, orphan, limit, now)
    return len(orphans)


def _free(connection: Connection, orphan: tuple[str, int], limit: int, now: float) -> None:
    delivery, attempt = orphan
    reason = "the worker ended before the answer came"
    spent = deliveries.c.failures + 1 >= limit
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery)
        .values(
            state=case((spent, "dead"), else_="waiting"),
            settled_at=case((spent, now), else_=None),
            failures=deliveries.c.failures + 1,
            due_at=now,
            uncertain=True,
            claim=None,
            reason=reason,
        )
    )
    connection.execute(
        update(attempts)
        .where(attempts.c.delivery == delivery, attempts.c.number == attempt)
        .values(outcome="unknown", finished_at=now, reason=reason)
    )
