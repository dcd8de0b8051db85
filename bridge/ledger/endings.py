"""What ended which matters: looked up when a beginning is routed that comes late."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, delete, select, tuple_

from bridge.ledger.plan import RENEWABLE, Plan, PlannedDelivery
from bridge.ledger.tables import deliveries, endings

Place = tuple[int, int]
"""An event: its webhook's number, its position in it."""

Matter = tuple[str, str]
"""The source that names it, and the text."""

_Value = TypeVar("_Value")
_PORTION = 500


@dataclass(frozen=True)
class Standing:
    """What became so far of a delivery that is about to be planned."""

    state: str
    attempts: int

    def is_sent_by(self, plan: Plan) -> bool:
        """Whether recording the plan makes it wait to be sent once more."""
        return plan.replayed and self.state in RENEWABLE


def known(connection: Connection, matters: Collection[Matter]) -> dict[Matter, list[Place]]:
    """The events that ended these matters, in the order of receipt; nothing for the others."""
    found: dict[Matter, list[Place]] = {}
    for source in sorted({source for source, _ in matters}):
        for some in _portions(text for of, text in matters if of == source):
            query = (
                select(endings.c.matter, endings.c.webhook, endings.c.position)
                .where(endings.c.source == source, endings.c.matter.in_(some))
                .order_by(endings.c.webhook, endings.c.position)
            )
            for matter, webhook, position in connection.execute(query):
                found.setdefault((source, matter), []).append((webhook, position))
    return found


def written_by(
    connection: Connection, events: Collection[Place]
) -> Mapping[Place, Sequence[PlannedDelivery]]:
    """What was planned for these events and could be filled in, whatever became of it."""
    found: dict[Place, list[PlannedDelivery]] = {}
    for some in _portions(sorted({webhook for webhook, _ in events})):
        query = (
            select(deliveries.c.webhook, *_PLANNED)
            .where(deliveries.c.webhook.in_(some))
            .order_by(deliveries.c.webhook, deliveries.c.position, deliveries.c.place)
        )
        for row in connection.execute(query):
            place = (row.webhook, row.position)
            if place in events and row.item:
                values = {column.name: getattr(row, column.name) for column in _PLANNED}
                found.setdefault(place, []).append(PlannedDelivery(**values))
    return found


_PLANNED = [
    deliveries.c[each.name]
    for each in fields(PlannedDelivery)
    if each.name not in ("consent", "state", "reason")
]


def standings(connection: Connection, ids: Iterable[str]) -> Mapping[str, Standing]:
    """Of the deliveries among `ids` that were planned before."""
    found: dict[str, Standing] = {}
    for some in _portions(ids):
        query = select(deliveries.c.id, deliveries.c.state, deliveries.c.attempts)
        for row in connection.execute(query.where(deliveries.c.id.in_(some))):
            found[row.id] = Standing(row.state, row.attempts)
    return found


def forget(connection: Connection, before: float, limit: int = _PORTION) -> int:
    """Delete up to `limit` that are known since earlier than `before`; how many there were."""
    key = tuple_(*endings.primary_key)
    old = (
        select(*endings.primary_key)
        .where(endings.c.known_since < before)
        .order_by(endings.c.known_since)
        .limit(limit)
    )
    return connection.execute(delete(endings).where(key.in_(old))).rowcount


def _portions(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    left = iter(values)
    while some := list(islice(left, _PORTION)):
        yield some
