"""Doing once more what endings wrote, behind a beginning that is sent after them.

What an event such as a purchase writes would win over the refund that undid it
earlier. So whenever it is sent anew, what its endings wrote to the same places
is planned once more, behind it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, and_, func, select

from bridge.ledger.endings import Place, key_of, known, newest, portions
from bridge.ledger.owed import owe
from bridge.ledger.plan import RENEWABLE, Plan, PlannedDelivery
from bridge.ledger.tables import REPEAT, deliveries, events, webhooks

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
    told = "\x00".join((ending.id, sent.id, str(sent.attempts)))
    name = hashlib.sha256(told.encode()).hexdigest()[:24]
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
    )


def written_by(
    connection: Connection, events: Collection[Place]
) -> Mapping[Place, Sequence[PlannedDelivery]]:
    """What was planned for these events and could be filled in, whatever became of it.

    Not what is only scheduled, which will be sent after all that is now, nor what was
    never to be sent.
    """
    found: dict[Place, list[PlannedDelivery]] = {}
    for some in portions(sorted({webhook for webhook, _ in events})):
        query = (
            select(deliveries.c.webhook, *_PLANNED)
            .where(deliveries.c.webhook.in_(some), deliveries.c.state != "scheduled", ~_NEVER)
            .order_by(deliveries.c.webhook, deliveries.c.position, deliveries.c.place)
        )
        for row in connection.execute(query):
            place = (row.webhook, row.position)
            if place in events and row.item:
                values = {column.name: getattr(row, column.name) for column in _PLANNED}
                found.setdefault(place, []).append(PlannedDelivery(**values))
    return found


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


def put_behind(
    connection: Connection, sent: Collection[str], now: float, may_repeat: MayRepeat
) -> int:
    """Once more, behind these deliveries that are sent now, what undid them; how many.

    Behind one that is itself a repeat, only what comes after what it repeats. Not what
    is itself among these, and comes after it anyhow.
    """
    begun, sent = _begun(connection, sent), set(sent)
    matters = {row.id: _keys(row) for row in begun}
    endings = known(connection, {each for keys in matters.values() for each in keys})
    found = {name: newest(endings, keys) for name, keys in matters.items()}
    written = written_by(connection, {place for places in found.values() for place in places})
    last = _last_places(connection, {row.webhook for row in begun if found[row.id]})
    fresh = 0
    for row in begun:
        at = (row.webhook, row.position)
        undone = [
            each
            for place in found[row.id]
            for each in written.get(place, ())
            if each.id not in sent or place < at
        ]
        owed = [each for each in undone if key(each) == (row.lane, row.order_key)]
        plan = _behind_one(row, list(filter(may_repeat, owed)), last)
        fresh += owe(connection, plan, now)
    return fresh


def _begun(connection: Connection, sent: Collection[str]) -> Sequence[Any]:
    """Those of events that begin something, each with its matters and their source."""
    wanted = (deliveries, events.c.begins, webhooks.c.source)
    theirs = (events.c.webhook == deliveries.c.webhook) & (
        events.c.position == deliveries.c.position
    )
    query = (
        select(*wanted)
        .select_from(deliveries.join(events, theirs).join(webhooks))
        .where(deliveries.c.order_key != "", events.c.begins.is_not(None))
        .order_by(deliveries.c.webhook, deliveries.c.position, deliveries.c.place)
    )
    rows = (connection.execute(query.where(deliveries.c.id.in_(some))) for some in portions(sent))
    return [row for some in rows for row in some]


def _keys(row: Any) -> list[str]:
    return [key_of(row.source, matter, row.order_key) for matter in row.begins]


def _last_places(connection: Connection, numbers: Collection[int]) -> dict[Place, int]:
    at = (deliveries.c.webhook, deliveries.c.position)
    found: dict[Place, int] = defaultdict(int)
    for some in portions(sorted(numbers)):
        query = select(*at, func.max(deliveries.c.place)).where(at[0].in_(some)).group_by(*at)
        found |= {(row[0], row[1]): row[2] for row in connection.execute(query)}
    return found


def _behind_one(row: Any, endings: Sequence[PlannedDelivery], last: dict[Place, int]) -> Plan:
    at = (row.webhook, row.position)
    sent = Standing(row.id, row.state, row.attempts)
    repeated = [each.id for each in endings]
    if row.repeats in repeated:
        endings = endings[repeated.index(row.repeats) + 1 :]
    owed = []
    for each in endings:
        last[at] += 1
        owed.append(once_more(each, sent, at, last[at]))
    return Plan(row.webhook, "routed", row.rules_version, deliveries=owed)
