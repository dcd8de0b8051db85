"""What came in over a period, read again in portions; changes nothing and holds up nobody.

No index leads to a time of receipt, and none is needed: webhooks are numbered in
the order of their receipt, but for the moments by which machines' clocks differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from sqlalchemy import Connection, func, select

from bridge.ledger.bodies import RECEIVED_SIZE
from bridge.ledger.database import Database
from bridge.ledger.plan import MOST_BYTES, Waiting, as_waiting
from bridge.ledger.tables import webhooks

_PORTION = 200
# No two clocks of one installation are further apart.
_CLOCKS_DIFFER = 3600.0


@dataclass(frozen=True)
class Span:
    """Webhooks by their numbers, from `first` to `last`, both included; of them those received
    `since` then, in Unix seconds.
    """

    first: int
    last: int
    since: float

    @property
    def most(self) -> int:
        """As many they are at most."""
        return max(0, self.last - self.first + 1)


@dataclass(frozen=True)
class Portion:
    """Some webhooks in their order, those left out counted; `until` is the last number."""

    until: int
    webhooks: Sequence[Waiting]
    pruned: int
    quarantined: int


def span_since(connection: Connection, since: float) -> Span:
    """Everything that was received since then and is in the ledger now."""
    last = connection.execute(select(func.max(webhooks.c.number))).scalar_one() or 0
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        at = _received_from(connection, middle)
        if at is None or at >= since - _CLOCKS_DIFFER:
            high = middle
        else:
            low = middle + 1
    return Span(low, last, since)


def portions(database: Database, span: Span) -> Iterator[Portion]:
    """One short transaction for each."""
    after = span.first - 1
    while after < span.last:
        with database.read() as connection:
            portion = _portion(connection, after, span)
        yield portion
        after = portion.until


def _received_from(connection: Connection, number: int) -> float | None:
    """When the first webhook was received that has this number or a higher one."""
    query = select(webhooks.c.received_at).where(webhooks.c.number >= number)
    at: float | None = connection.execute(query.order_by(webhooks.c.number).limit(1)).scalar()
    return at


def _portion(connection: Connection, after: int, span: Span) -> Portion:
    number = webhooks.c.number
    within = (number > after, number <= span.last)
    sizes = connection.execute(
        select(number, RECEIVED_SIZE).where(*within).order_by(number).limit(_PORTION)
    ).all()
    if not sizes:
        return Portion(span.last, (), 0, 0)
    fitting = takewhile(lambda total: total <= MOST_BYTES, accumulate(size for _, size in sizes))
    until = sizes[max(1, sum(1 for _ in fitting)) - 1][0]
    query = select(webhooks).where(number > after, number <= until).order_by(number)
    rows = [row for row in connection.execute(query).mappings() if row["received_at"] >= span.since]
    kept = [row for row in rows if row["pruned_at"] is None and row["state"] != "quarantined"]
    pruned = sum(row["pruned_at"] is not None for row in rows)
    return Portion(until, [as_waiting(row) for row in kept], pruned, len(rows) - len(kept) - pruned)
