"""What its rule wants done later: it keeps nothing behind it until it is due, and then it waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from bridge.ledger import cancellers, undone, withdrawn
from bridge.ledger.endings import Place, portions
from bridge.ledger.plan import Plan
from bridge.ledger.prune import DONE
from bridge.ledger.repeats import MayRepeat
from bridge.ledger.tables import SCHEDULED_DELIVERY, deliveries, webhooks
from bridge.rules.timing import QuietHours

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
    it off, is left for another time; and what comes to its time late, in its rule's quiet
    hours, until they end.
    """
    _hold_webhooks(connection, ids)
    # By their ids alone: asked what of them is due, SQLite would read all that is.
    query = select(*(deliveries.c[name] for name in ("id", "state", "due_at", "quiet")))
    query = query.where(deliveries.c.id.in_(ids)).order_by(deliveries.c.id)
    rows = connection.execute(query.with_for_update(skip_locked=True))
    owed = [row for row in rows if row.state == "scheduled" and row.due_at <= now]
    quiet = _put_off(connection, [(row.id, row.quiet) for row in owed if row.quiet], now)
    held = [row.id for row in owed if row.id not in quiet]
    waiting = update(deliveries).where(deliveries.c.id.in_(held))
    connection.execute(waiting.values(state="waiting", planned_at=now, due_at=now))
    withdrawn.call_off(connection, held, now)
    undone.put_behind(connection, held, now, may_repeat)
    undone.last_word(connection, held, now, may_repeat)
    return len(held)


def _put_off(
    connection: Connection, quiet: Sequence[tuple[str, Mapping[str, str]]], now: float
) -> set[str]:
    """Those that are in their quiet hours now, which are due when these end."""
    moment = datetime.fromtimestamp(now, UTC)
    ends = {name: QuietHours.of(hours).over(moment).timestamp() for name, hours in quiet}
    later = [{"id_": name, "end": end} for name, end in ends.items() if end > now]
    if later:
        connection.execute(_PUT_OFF, later)
    return {str(each["id_"]) for each in later}


_PUT_OFF = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("id_"))
    .values(due_at=bindparam("end"), planned_at=bindparam("end"))
)


def call_off_unplanned(connection: Connection, plans: Sequence[Plan], now: float) -> None:
    """What the rules of now do not plan any more for events that are replayed is not sent."""
    routed = {each.number: each for each in plans if each.replayed and each.state in DONE}
    planned = {delivery.id for each in routed.values() for delivery in each.deliveries}
    reasons: dict[str, str] = {}
    events: set[Place] = set()
    for some in portions(sorted(routed)):
        theirs = select(deliveries.c.id, deliveries.c.webhook, deliveries.c.position).where(
            SCHEDULED_DELIVERY, deliveries.c.webhook.in_(some)
        )
        for row in connection.execute(theirs.order_by(deliveries.c.id).with_for_update()):
            if row.id not in planned:
                version = routed[row.webhook].rules_version
                reasons[row.id] = f"cancelled: replayed, and rules {version} do not plan it"
                events.add((row.webhook, row.position))
    cancellers.suppress(connection, reasons, events, now)


def _due(now: float) -> tuple[Any, ...]:
    return SCHEDULED_DELIVERY, deliveries.c.due_at <= now


def _hold_webhooks(connection: Connection, ids: Sequence[str]) -> None:
    """Before their deliveries, as pruning does, else each could wait for the other."""
    theirs = select(deliveries.c.webhook).where(deliveries.c.id.in_(ids))
    query = select(webhooks.c.number).where(webhooks.c.number.in_(theirs))
    query = query.order_by(webhooks.c.number).with_for_update(read=True, key_share=True)
    connection.execute(query).all()
