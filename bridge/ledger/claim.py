"""Taking deliveries in hand: in each person's order, and back from workers that died."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Integer, and_, bindparam, case, insert, select, tuple_, update

from bridge.ledger import failures, threads
from bridge.ledger.due import READY, in_hand
from bridge.ledger.endings import portions
from bridge.ledger.tables import OPEN_DELIVERY, attempts, deliveries


@dataclass(frozen=True)
class Claimed:
    """A delivery in a worker's hands; `attempt` is the number of this try, from 1.

    `sent_as` is the name of the digest that its last attempt was part of.
    `earlier` is the reference of what was delivered first about its topic.
    """

    id: str
    webhook: int
    account: str
    action: str
    order_key: str
    item: Mapping[str, Any]
    attempt: int
    failures: int
    uncertain: bool
    planned_at: float
    gist: Mapping[str, str] | None = None
    sent_as: str = ""
    event: Mapping[str, Any] | None = None
    topic: str | None = None
    earlier: str | None = None


@dataclass(frozen=True)
class Batch:
    """Deliveries to be taken in hand together; as parts of the digest `sent_as`, where named.

    `looked_up`: they may have been done, and are only looked for.
    """

    deliveries: Sequence[Claimed] = field(default_factory=tuple)
    sent_as: str = ""
    looked_up: bool = False


Choose = Callable[[Sequence[Claimed]], Batch]


def claim(
    connection: Connection, lane: str, turn: str, limit: int, choose: Choose, now: float
) -> Batch:
    """Take in hand what `choose` takes of the lane's oldest `limit` deliveries that are due.

    A delivery whose person has an earlier one that waits for another try stays
    behind it; others pass. `choose` gets the rest in order, without what is in
    them, and must take no delivery without those of the same person before it.
    What is called off at the same time is not taken. The caller holds the
    lane's lease under the name `turn`.
    """
    asked = {"lane_": lane, "now_": now, "limit_": limit}
    found = connection.execute(_CLAIMABLE, asked).all()
    batch = choose([_claimed(row) for row in found]) if found else Batch()
    if batch.deliveries:
        whole = _with_contents(connection, batch.deliveries)
        batch = replace(batch, deliveries=threads.followed(connection, lane, whole))
    if batch.deliveries:
        taken = [
            {"id_": each.id, "turn": turn, "sent_as_": _sent_as(batch, each)}
            for each in batch.deliveries
        ]
        connection.execute(_TAKE, taken)
        connection.execute(_BEGIN, [_attempt(each, turn, now) for each in batch.deliveries])
    return batch


# Enough to choose by: what is in them is read of those alone that are taken.
_WANTED = [
    deliveries.c[name]
    for name in (
        "id",
        "webhook",
        "account",
        "action",
        "order_key",
        "attempts",
        "failures",
        "uncertain",
        "planned_at",
        "sent_as",
        "topic",
    )
]
_CLAIMABLE = (
    select(*_WANTED)
    .where(READY, deliveries.c.lane == bindparam("lane_"))
    .order_by(deliveries.c.webhook, deliveries.c.position, deliveries.c.place)
    .limit(bindparam("limit_", type_=Integer))
)
_CONTENTS = (
    select(*(deliveries.c[name] for name in ("id", "item", "gist", "event")))
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)), deliveries.c.state == "waiting")
    .order_by(deliveries.c.id)
    .with_for_update()
)
_BEGIN = insert(attempts)
_TAKE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("id_"))
    .values(
        state="sending",
        claim=bindparam("turn"),
        attempts=deliveries.c.attempts + 1,
        sent_as=bindparam("sent_as_"),
    )
)


def _sent_as(batch: Batch, delivery: Claimed) -> str | None:
    """What is only looked for keeps its name."""
    return (delivery.sent_as if batch.looked_up else batch.sent_as) or None


def _claimed(row: Any) -> Claimed:
    return Claimed(
        id=row.id,
        webhook=row.webhook,
        account=row.account,
        action=row.action,
        order_key=row.order_key,
        item={},
        attempt=row.attempts + 1,
        failures=row.failures,
        uncertain=row.uncertain,
        planned_at=row.planned_at,
        sent_as=row.sent_as or "",
        topic=row.topic,
    )


def _with_contents(connection: Connection, chosen: Sequence[Claimed]) -> Sequence[Claimed]:
    """Those that still wait, held in the order in which everybody holds several."""
    found: dict[str, Any] = {}
    for some in portions(sorted(each.id for each in chosen)):
        found |= {row.id: row for row in connection.execute(_CONTENTS, {"ids": some})}
    return [
        replace(each, item=row.item, gist=row.gist, event=row.event)
        for each in chosen
        if (row := found.get(each.id))
    ]


def _attempt(delivery: Claimed, turn: str, now: float) -> dict[str, Any]:
    return {
        "webhook": delivery.webhook,
        "delivery": delivery.id,
        "number": delivery.attempt,
        "started_at": now,
        "outcome": "started",
        "calls": [],
        "worker": turn,
    }


def recover(connection: Connection, lane: str, limit: int, pause: float, now: float) -> int:
    """Free what a dead worker had in hand, as of unknown outcome; how many there were.

    It counts as a failure, so that a delivery which kills its workers ends as
    a dead letter after `limit` of them. For `pause` seconds it rests, so that
    a call which the vendor may still be at can be found when it is looked for.

    Only for the holder of the lane's lease: whatever is still being sent
    there belongs to a turn whose lease lapsed.
    """
    if not in_hand(connection, lane):
        return 0
    reason = "the worker ended before the answer came"
    spent = deliveries.c.failures + 1 >= limit
    orphaned = and_(deliveries.c.lane == lane, OPEN_DELIVERY, deliveries.c.state == "sending")
    theirs = select(deliveries.c.webhook, deliveries.c.id).where(orphaned)
    connection.execute(
        update(attempts)
        .where(tuple_(attempts.c.webhook, attempts.c.delivery).in_(theirs))
        .where(attempts.c.outcome == "started")
        .values(outcome="unknown", finished_at=now, reason=reason)
    )
    freed = connection.execute(
        update(deliveries)
        .where(orphaned)
        .values(
            state=case((spent, "dead"), else_="waiting"),
            settled_at=case((spent, now), else_=None),
            failures=deliveries.c.failures + 1,
            due_at=now + pause,
            uncertain=True,
            claim=None,
            reason=reason,
        )
        .returning(deliveries.c.id)
    )
    ids = list(freed.scalars())
    failures.tell(connection, ids, now)
    return len(ids)
