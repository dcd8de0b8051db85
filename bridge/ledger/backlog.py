"""How much is yet to be done; what is done is not looked at."""

from __future__ import annotations

from sqlalchemy import Connection, func, literal, select

from bridge.ledger.tables import OPEN_DELIVERY, WAITING_WEBHOOK, deliveries, webhooks


def backlog(connection: Connection, most: int) -> int:
    """Webhooks to be routed and deliveries under way; counts no further than `most`."""
    found = 0
    for table, yet_to_do in ((webhooks, WAITING_WEBHOOK), (deliveries, OPEN_DELIVERY)):
        some = select(literal(1)).select_from(table).where(yet_to_do).limit(most - found)
        counting = select(func.count()).select_from(some.subquery())
        found += connection.execute(counting).scalar_one()
    return found


def owed_to(connection: Connection, account: str) -> int:
    """How many deliveries wait for an account; it reads all that wait."""
    query = select(func.count()).select_from(deliveries)
    return connection.execute(
        query.where(OPEN_DELIVERY, deliveries.c.account == account)
    ).scalar_one()
