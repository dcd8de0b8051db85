"""Asking for an event or a delivery again, as a person does after a fix."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from bridge.ledger.tables import deliveries, webhooks


def replay_webhook(connection: Connection, number: int) -> bool:
    """Route it again by the rules of now; False where there is no such webhook.

    Deliveries that arrived stay as they are. Those that ended otherwise are
    filled in afresh and tried again; new rules add theirs.
    """
    statement = (
        update(webhooks)
        .where(webhooks.c.number == number)
        .values(state="waiting", reason=None, replayed=True)
    )
    return connection.execute(statement).rowcount == 1


def delivery_ids(connection: Connection, prefix: str) -> list[str]:
    """The deliveries whose id begins so, at most two: enough to know whether it is just one."""
    query = select(deliveries.c.id).where(deliveries.c.id.startswith(prefix, autoescape=True))
    return list(connection.execute(query.limit(2)).scalars())


# Not what was suppressed: whoever said no is not asked again by sending. Replaying the event
# asks the consent gate and the rules afresh.
_SENDABLE = ("rejected", "dead", "previewed")


def replay_delivery(connection: Connection, delivery: str, now: float) -> bool:
    """Send it again as it was filled in; False where it arrived, is under way, or was suppressed.

    One that could not be filled in has nothing to be sent, and is refused too.
    """
    statement = (
        update(deliveries)
        .where(
            deliveries.c.id == delivery,
            deliveries.c.state.in_(_SENDABLE),
            deliveries.c.attempts > 0,
        )
        .values(
            state="waiting", planned_at=now, due_at=now, failures=0, reason=None, settled_at=None
        )
    )
    return connection.execute(statement).rowcount == 1
