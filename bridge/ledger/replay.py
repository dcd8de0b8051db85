"""Asking for events or deliveries again, as a person does after a fix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, Update, case, select, update

from bridge.ledger.plan import Waiting, as_waiting
from bridge.ledger.tables import deliveries, webhooks


def replay_webhook(connection: Connection, number: int) -> bool:
    """Route it again by the rules of now; False where there is none, or its body was deleted.

    Deliveries that arrived stay as they are. Those that ended otherwise are
    filled in afresh and tried again; new rules add theirs.
    """
    return replay_webhooks(connection, [number]) == 1


def replay_webhooks(connection: Connection, numbers: Sequence[int]) -> int:
    """Route some again by the rules of now; how many of them could be."""
    statement = (
        update(webhooks)
        .where(webhooks.c.number.in_(numbers), webhooks.c.pruned_at.is_(None))
        .values(state="waiting", reason=None, replayed=True)
    )
    return connection.execute(statement).rowcount


def as_if_replayed(connection: Connection, numbers: Sequence[int]) -> list[Waiting]:
    """Some webhooks as routing would get them; changes nothing."""
    query = select(webhooks).where(webhooks.c.number.in_(numbers))
    rows = connection.execute(query).mappings()
    return [replace(as_waiting(row), replayed=True) for row in rows]


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
    return connection.execute(_again(deliveries.c.id == delivery, now)).rowcount == 1


def replay_deliveries(connection: Connection, ids: Sequence[str], now: float) -> int:
    """Send some again as they were filled in; how many of them could be."""
    return connection.execute(_again(deliveries.c.id.in_(ids), now)).rowcount


def _again(which: ColumnElement[bool], now: float) -> Update:
    return (
        update(deliveries)
        .where(which, deliveries.c.state.in_(_SENDABLE), deliveries.c.attempts > 0)
        .values(
            state="waiting",
            # What may have been sent is looked for from when it was planned first.
            planned_at=case((deliveries.c.uncertain, deliveries.c.planned_at), else_=now),
            due_at=now,
            failures=0,
            reason=None,
            settled_at=None,
        )
    )
