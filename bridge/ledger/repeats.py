"""Doing once more what endings wrote, behind a beginning that is sent after them.

What an event such as a purchase writes would win over the refund that undid it
earlier. So whenever it is sent anew, what its endings wrote to the same places
is planned once more, behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from sqlalchemy import Connection, and_, select

from bridge.ledger.delivery_ids import delivery_id
from bridge.ledger.endings import Place, portions
from bridge.ledger.plan import RENEWABLE, Plan, PlannedDelivery
from bridge.ledger.tables import REPEAT, deliveries

Key = tuple[str, str]
"""A lane and a person: deliveries that share both keep their order."""

MayRepeat = Callable[[PlannedDelivery], bool]


@dataclass(frozen=True)
class Standing:
    """What became so far of a delivery that was planned before."""

    id: str
    state: str
    attempts: int

    @property
    def is_renewable(self) -> bool:
        return self.state in (*RENEWABLE, "scheduled")

    def is_sent_by(self, plan: Plan) -> bool:
        """Whether recording the plan makes it wait to be sent once more."""
        return plan.replayed and self.is_renewable


def key(delivery: PlannedDelivery) -> Key:
    return delivery.lane, delivery.order_key


def once_more(ending: PlannedDelivery, sent: Standing, at: Place, place: int) -> PlannedDelivery:
    """Behind what is sent: another each time that it is, since it has to be behind it anew."""
    name = delivery_id(at[0], (ending.id, sent.id, str(sent.attempts)))
    return renewed(ending, name, at, place)


def renewed(ending: PlannedDelivery, name: str, at: Place, place: int) -> PlannedDelivery:
    """What the ending writes, under the name of a delivery that does it once more."""
    return replace(
        ending,
        id=name,
        position=at[1],
        place=place,
        repeats=ending.id,
        due_at=0.0,
        consent=None,
        state="waiting",
        reason=None,
        once=None,
        unless=None,
        quiet=None,
    )


def written_by(
    connection: Connection, events: Collection[Place]
) -> Mapping[Place, Sequence[PlannedDelivery]]:
    """What was planned for these events and could be filled in, whatever became of it.

    Not what was never to be sent. What is scheduled is so here too (see `sent_of`); the
    rest waits.
    """
    found: dict[Place, list[PlannedDelivery]] = {}
    for some in portions(sorted({webhook for webhook, _ in events})):
        query = (
            select(deliveries.c.webhook, _IS_SCHEDULED, *_PLANNED)
            .where(deliveries.c.webhook.in_(some), ~_NEVER)
            .order_by(deliveries.c.webhook, deliveries.c.position, deliveries.c.place)
        )
        for row in connection.execute(query):
            place = (row.webhook, row.position)
            if place in events and row.item:
                values = {column.name: getattr(row, column.name) for column in _PLANNED}
                state = "scheduled" if row.is_scheduled else "waiting"
                found.setdefault(place, []).append(PlannedDelivery(**values, state=state))
    return found


def sent_of(
    connection: Connection, written: Mapping[Place, Sequence[PlannedDelivery]]
) -> Mapping[Place, Sequence[PlannedDelivery]]:
    """Without what is still scheduled, which will be sent behind what waits by then.

    So that it is, nobody promotes it before the transaction ends (see `undone.last_word`).
    """
    later = {each.id for owed in written.values() for each in owed if each.state == "scheduled"}
    held = scheduled_among(connection, later)
    return {
        place: [each for each in owed if each.id not in held] for place, owed in written.items()
    }


def scheduled_among(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of these that are scheduled; nobody promotes them before the transaction ends."""
    held: set[str] = set()
    for some in portions(sorted(ids)):
        query = select(deliveries.c.id).where(deliveries.c.id.in_(some), _IS_SCHEDULED)
        held |= set(connection.execute(query.order_by(deliveries.c.id).with_for_update()).scalars())
    return held


_IS_SCHEDULED = (deliveries.c.state == "scheduled").label("is_scheduled")
# Done already by another event, or called off.
_NEVER = and_(deliveries.c.state == "suppressed", deliveries.c.attempts == 0)
_PLANNED = [
    deliveries.c[each.name]
    for each in fields(PlannedDelivery)
    if each.name not in ("consent", "due_at", "state", "reason", "once", "unless")
]


def standings(connection: Connection, ids: Iterable[str]) -> Mapping[str, Standing]:
    """Of the deliveries among `ids` that were planned before; nobody settles them meanwhile."""
    found: dict[str, Standing] = {}
    for some in portions(ids):
        query = select(*_STANDING).where(deliveries.c.id.in_(some)).order_by(deliveries.c.id)
        for row in connection.execute(query.with_for_update()):
            found[row.id] = Standing(row.id, row.state, row.attempts)
    return found


_STANDING = (deliveries.c.id, deliveries.c.state, deliveries.c.attempts)


def behind(connection: Connection, webhooks: Iterable[int]) -> Mapping[tuple[Place, str], Standing]:
    """The last time that an ending was done once more behind an event: by event and delivery."""
    found: dict[tuple[Place, str], Standing] = {}
    for some in portions(webhooks):
        query = (
            select(*_STANDING, deliveries.c.webhook, deliveries.c.position, deliveries.c.repeats)
            .where(deliveries.c.webhook.in_(some), REPEAT)
            .order_by(deliveries.c.planned_at, deliveries.c.id)
        )
        for row in connection.execute(query):
            at = (row.webhook, row.position)
            found[at, row.repeats] = Standing(row.id, row.state, row.attempts)
    return found


def renewable(connection: Connection, endings: Collection[str]) -> Mapping[str, str]:
    """The last repeats of these deliveries that did not arrive, each with what it repeats."""
    if not endings:
        return {}
    query = select(deliveries.c.webhook).where(REPEAT, deliveries.c.repeats.in_(endings))
    last = behind(connection, sorted(set(connection.execute(query).scalars())))
    return {
        standing.id: ending
        for (_, ending), standing in last.items()
        if ending in endings and standing.is_renewable
    }
