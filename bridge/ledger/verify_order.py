"""Whether anybody's deliveries overtook each other, judged by the times of the attempts."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from bridge.ledger.tables import attempts, deliveries
from bridge.ledger.verify_checks import ITS_ATTEMPT

ROWS = 1000
# Later than any time.
_NEVER = 1e300


@dataclass(frozen=True)
class _Try:
    """One attempt; those of one claim have the same worker and beginning."""

    worker: str
    began: float
    ended: float
    arrived: bool


@dataclass(frozen=True)
class _Owed:
    """One delivery: open from `planned` until `settled`."""

    webhook: int
    name: str
    planned: float
    settled: float
    tries: list[_Try] = field(default_factory=list)


def overtaken(connection: Connection, clocks_differ: float) -> Iterator[tuple[int, str]]:
    """The (webhook, delivery) that arrived while one of the same person before it was open.

    What was planned only afterwards, as by a replay, or scheduled until then,
    was not there to be waited for. What was in the same claim may have arrived in the same call.
    `clocks_differ`: seconds by which times of different machines mean nothing.
    """
    rows = connection.execute(_QUERY, execution_options={"yield_per": ROWS})
    for _, person in groupby(rows, key=lambda row: (row.lane, row.order_key)):
        earlier: list[_Owed] = []
        for _, tries in groupby(person, key=lambda row: row.id):
            owed = _owed(list(tries))
            if any(_overtakes(each, earlier, clocks_differ) for each in owed.tries):
                yield owed.webhook, owed.name
            insort(earlier, owed, key=lambda each: each.settled)


# Before one delivery in its person's order there is another that was open when it was planned:
# few persons have that, and nobody else can have been overtaken.
_PERSON = ("lane", "order_key")
_ORDER = ("webhook", "position", "place", "id")
_in_order = (
    select(
        *(deliveries.c[name] for name in (*_PERSON, *_ORDER, "planned_at", "settled_at")),
        func.max(func.coalesce(deliveries.c.settled_at, _NEVER))
        .over(
            partition_by=[deliveries.c[name] for name in _PERSON],
            order_by=[deliveries.c[name] for name in _ORDER],
            rows=(None, -1),
        )
        .label("open_until"),
    )
    .where(deliveries.c.order_key != "", deliveries.c.state != "scheduled")
    .subquery()
)
_QUERY = (
    select(
        *(deliveries.c[name] for name in (*_PERSON, "webhook", "id", "planned_at", "settled_at")),
        *(attempts.c[name] for name in ("worker", "started_at", "finished_at", "outcome")),
    )
    .select_from(deliveries.outerjoin(attempts, ITS_ATTEMPT))
    .where(
        deliveries.c.state != "scheduled",
        tuple_(*(deliveries.c[name] for name in _PERSON)).in_(
            select(*(_in_order.c[name] for name in _PERSON)).where(
                _in_order.c.open_until > _in_order.c.planned_at
            )
        ),
    )
    .order_by(*(deliveries.c[name] for name in (*_PERSON, *_ORDER)))
)


def _overtakes(this: _Try, earlier: list[_Owed], clocks_differ: float) -> bool:
    """`earlier` in the order of their ends, so that few have to be looked at."""
    if not this.arrived:
        return False
    for other in reversed(earlier):
        if other.settled <= this.began + clocks_differ:
            return False
        planned_since = other.planned > this.began - clocks_differ
        if not planned_since and not _ended_together(this, other):
            return True
    return False


def _ended_together(this: _Try, other: _Owed) -> bool:
    """Both were in one claim, after which the other was not open any more either."""
    same = any((each.worker, each.began) == (this.worker, this.began) for each in other.tries)
    return same and other.settled <= this.ended


def _owed(rows: list[Any]) -> _Owed:
    """Of its rows, one for each attempt; where there was none, one without."""
    first = rows[0]
    settled = math.inf if first.settled_at is None else first.settled_at
    tries = [
        _Try(
            worker=row.worker,
            began=row.started_at,
            ended=math.inf if row.finished_at is None else row.finished_at,
            arrived=row.outcome == "delivered",
        )
        for row in rows
        if row.worker is not None
    ]
    return _Owed(first.webhook, first.id, first.planned_at, settled, tries)
