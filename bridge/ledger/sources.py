"""What became of the newest webhooks of each source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bridge.ledger.tables import ENDED_WEBHOOK, webhooks

# Of all sources, by number.
NEWEST = 500


@dataclass(frozen=True)
class Fortune:
    """How many of a source's newest were `routed` and `unrouted`; the newest `unrouted` of them."""

    routed: int = 0
    unrouted: int = 0
    newest: int = 0
    received_at: float = 0.0


def fortunes(connection: Connection) -> Mapping[str, Fortune]:
    """By source."""
    last = connection.execute(select(func.max(webhooks.c.number))).scalar_one() or 0
    found: dict[str, Fortune] = {}
    columns = (
        webhooks.c.source,
        func.count(),
        func.max(webhooks.c.number),
        func.max(webhooks.c.received_at),
    )
    for state in ("routed", "unrouted"):
        query = select(*columns).where(
            ENDED_WEBHOOK, webhooks.c.state == state, webhooks.c.number > last - NEWEST
        )
        for source, count, newest, at in connection.execute(query.group_by(webhooks.c.source)):
            if state == "routed":
                found[source] = Fortune(routed=count)
            else:
                known = found.get(source, Fortune())
                found[source] = Fortune(known.routed, count, newest, at)
    return found


def last_taken(connection: Connection, source: str) -> float | None:
    """When the newest webhook of a source came in, as far as it is among the NEWEST of all."""
    last = connection.execute(select(func.max(webhooks.c.number))).scalar_one() or 0
    newest = func.max(webhooks.c.received_at)
    query = select(newest).where(webhooks.c.source == source, webhooks.c.number > last - NEWEST)
    found = connection.execute(query).scalar_one()
    return None if found is None else float(found)
