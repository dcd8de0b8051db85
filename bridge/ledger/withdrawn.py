"""Consent that holds no more: after they agreed, the person was taken off a list.

What stands on an earlier yes is not sent then, to whatever list, where it was
to be sent later, waits, or is asked for again. A yes in a later event counts anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, func, select

from bridge.ledger import cancellers
from bridge.ledger.consents import SAME
from bridge.ledger.endings import Place, portions
from bridge.ledger.stories import event_id
from bridge.ledger.tables import consents, deliveries

if TYPE_CHECKING:
    from bridge.ledger.plan import Plan

LEAVES = "unsubscribe"

_OPEN = ("waiting", "scheduled")
# Taken off later, or not at all: called off, or not even filled in.
_NOT_YET = and_(
    deliveries.c.state.in_(["scheduled", "suppressed", "rejected"]), deliveries.c.attempts == 0
)


def call_off(connection: Connection, leaving: Collection[str], now: float) -> list[str]:
    """Suppress what is not sent yet on an earlier yes of those whom these take off a list."""
    found: set[str] = set()
    for some in portions(sorted(leaving)):
        theirs = select(consents.c.address).where(
            consents.c.delivery.in_(some), consents.c.decision == LEAVES
        )
        query = select(deliveries.c.id).select_from(consents.join(deliveries, SAME))
        query = query.where(consents.c.address.in_(theirs), consents.c.decision != LEAVES)
        found |= set(connection.execute(query.where(cancellers.NOT_SENT)).scalars())
    return refuse(connection, cancellers.held(connection, found), now)


def refuse(connection: Connection, ids: Collection[str], now: float) -> list[str]:
    """Suppress those of these whose consent holds no more; nobody else takes them up meanwhile."""
    agreed: dict[str, tuple[str, Place]] = {}
    for some in portions(sorted(ids)):
        query = select(consents).select_from(consents.join(deliveries, SAME))
        query = query.where(deliveries.c.id.in_(some), consents.c.decision != LEAVES)
        for row in connection.execute(query):
            agreed[row.delivery] = (row.address, (row.webhook, row.position))
    reasons = _reasons(connection, agreed)
    cancellers.suppress(connection, reasons, {agreed[each][1] for each in reasons}, now)
    return sorted(reasons)


def without(connection: Connection, plans: Iterable[Plan]) -> list[Plan]:
    """The plans, those that are replayed without what holds no more.

    What comes in for the first time is the last word already.
    """
    plans = list(plans)
    agreed = {
        each.id: (each.consent.address, (plan.number, each.position))
        for plan in plans
        if plan.replayed
        for each in plan.deliveries
        if each.consent and each.consent.decision != LEAVES and each.state in _OPEN
    }
    return cancellers.without(plans, _reasons(connection, agreed)) if agreed else plans


def _reasons(connection: Connection, agreed: Mapping[str, tuple[str, Place]]) -> dict[str, str]:
    """By delivery, of those whose person a later event took off a list."""
    left = _left(connection, {address for address, _ in agreed.values()})
    reasons = {}
    for name, (address, at) in agreed.items():
        since = [place for place in left.get(address, ()) if place > at]
        if since:
            event = event_id(*min(since))
            reasons[name] = f"no consent any more: event {event} took the person off a list"
    return reasons


def _left(connection: Connection, addresses: Collection[str]) -> Mapping[str, Sequence[Place]]:
    """By which events somebody was taken off a list."""
    found: dict[str, list[Place]] = {}
    for some in portions(sorted(addresses)):
        query = (
            select(consents.c.address, consents.c.webhook, consents.c.position)
            .select_from(consents.outerjoin(deliveries, SAME))
            .where(consents.c.address.in_(some), consents.c.decision == LEAVES)
            .where(~func.coalesce(_NOT_YET, False))
        )
        for address, webhook, position in connection.execute(query):
            found.setdefault(address, []).append((webhook, position))
    return found
