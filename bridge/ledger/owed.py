"""Writing down what is owed: the deliveries of a plan. Twice is once, by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from bridge.ledger import cancellers, consents, failures
from bridge.ledger.books import PLANNED, tally
from bridge.ledger.tables import deliveries
from bridge.ledger.upsert import insert

if TYPE_CHECKING:
    from bridge.ledger.plan import Plan, PlannedDelivery

# Not settled when they are planned.
OPEN = ("waiting", "scheduled")


def owe(connection: Connection, plan: Plan, now: float) -> int:
    """Write down the plan's deliveries alone; how many there were not before."""
    consents.repeat(connection, plan, now)
    fresh = record_deliveries(connection, [plan], now)
    tally(connection, PLANNED, fresh)
    return fresh


def record_deliveries(connection: Connection, plans: Sequence[Plan], now: float) -> int:
    """How many there were not before; in a replay, what is not under way is renewed.

    So what is scheduled is filled in afresh, and its time is counted anew.
    """
    rows = [_row(plan, delivery, now) for plan in plans for delivery in plan.deliveries]
    if not rows:
        return 0
    statement = insert(connection, deliveries)
    adding = statement.on_conflict_do_nothing(index_elements=["id"])
    adding = adding.execution_options(preserve_rowcount=True)
    added = connection.execute(adding, rows).rowcount
    replayed = {plan.number for plan in plans if plan.replayed}
    if again := [row for row in rows if row["webhook"] in replayed]:
        renewing = statement.on_conflict_do_update(
            index_elements=["id"],
            set_={name: statement.excluded[name] for name in _RENEWED},
            # Spelled out: a list of values cannot be bound once for many rows.
            where=text("deliveries.state NOT IN ('waiting', 'sending', 'delivered')"),
        )
        connection.execute(renewing, again)
    cancellers.keep(connection, plans)
    failures.tell(connection, [row["id"] for row in rows if row["state"] in failures.KINDS], now)
    return added


_RENEWED = (
    "step",
    "lane",
    "order_key",
    "place",
    "item",
    "gist",
    "event",
    "topic",
    "quiet",
    "rules_version",
    "planned_at",
    "state",
    "reason",
    "due_at",
    "failures",
    "settled_at",
)


def _row(plan: Plan, delivery: PlannedDelivery, now: float) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "webhook": plan.number,
        "position": delivery.position,
        "rule": delivery.rule,
        "step": delivery.step,
        "place": delivery.place,
        "account": delivery.account,
        "action": delivery.action,
        "lane": delivery.lane,
        "order_key": delivery.order_key,
        "repeats": delivery.repeats,
        "item": dict(delivery.item),
        "gist": None if delivery.gist is None else dict(delivery.gist),
        "event": None if delivery.event is None else dict(delivery.event),
        "topic": delivery.topic,
        "quiet": None if delivery.quiet is None else dict(delivery.quiet),
        "rules_version": plan.rules_version,
        # What waits for its time is not old before that.
        "planned_at": max(now, delivery.due_at),
        "state": delivery.state,
        "due_at": max(now, delivery.due_at),
        "attempts": 0,
        "failures": 0,
        "uncertain": False,
        "reason": delivery.reason,
        "settled_at": None if delivery.state in OPEN else now,
    }
