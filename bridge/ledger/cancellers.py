"""What calls off what is not sent yet: for example a refund, for its purchase's reminder.

What is scheduled, or waits, names the keys and the types of events that call
it off. Keys are hashes that hold the person's order key, so that nobody calls
off what somebody else is to get; but not those of what the sender has signed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, select, text, tuple_, update

from bridge.ledger import endings, occasions
from bridge.ledger.endings import Ending, Place, portions
from bridge.ledger.stories import event_id
from bridge.ledger.tables import cancellers, deliveries, events
from bridge.ledger.upsert import insert
from bridge.rules.conditions import glob

if TYPE_CHECKING:
    from bridge.ledger.plan import Plan, PlannedDelivery

# An attempt whose outcome nobody knows may have been done: that is not called off.
NOT_SENT = text("deliveries.state IN ('scheduled', 'waiting') AND NOT deliveries.uncertain")

Row = tuple[str, str]
"""A row of the table, by its key."""


@dataclass(frozen=True)
class Came:
    """An event that may call something off.

    `ends`: it ended the matter that it is known by, so that it counts also where what it
    ended comes after it. Any other counts for what comes before it alone.
    """

    place: Place
    type: str
    ends: bool

    def calls_off(self, types: Iterable[str], at: Place) -> bool:
        is_later = self.place > at or (self.ends and self.place != at)
        return is_later and any(glob(self.type, each) for each in types)

    @property
    def reason(self) -> str:
        return f"cancelled: {self.type} came first (event {event_id(*self.place)})"


def keep(connection: Connection, plans: Sequence[Plan]) -> None:
    """Remember what calls off the plans' deliveries; in a replay that alone.

    And by what unsigned claims they would be named, which calls nothing off by itself.
    """
    drop(connection, [each.id for plan in plans if plan.replayed for each in plan.deliveries])
    rows = [
        {"key": key, "delivery": owed.id, "types": list(owed.unless.types)}
        for plan in plans
        for owed in plan.deliveries
        if owed.unless and owed.state in _OPEN
        for key in dict.fromkeys([*owed.unless.keys, *owed.unless.claims])
    ]
    if rows:
        connection.execute(insert(connection, cancellers).on_conflict_do_nothing(), rows)


_OPEN = ("waiting", "scheduled")


def came_before(connection: Connection, plans: Sequence[Plan]) -> dict[str, str]:
    """Why some of what is planned is called off already, by the id of the delivery.

    By what ended its matter, by the ledger, or by an event of these plans.
    """
    owed = list(_with_unless(plans))
    if not owed:
        return {}
    came = _coming(plans)
    for key, ended in _ended(connection, {key for _, each in owed for key in _keys(each)}).items():
        came.setdefault(key, []).extend(ended)
    found: dict[str, str] = {}
    for at, each in owed:
        first = _first(came, _keys(each), each.unless.types if each.unless else (), at)
        if first:
            found[each.id] = first.reason
    return found


def without(plans: Iterable[Plan], called_off: Mapping[str, str]) -> list[Plan]:
    """The plans with what `came_before` found suppressed."""
    return [replace(each, deliveries=_suppressed(each, called_off)) for each in plans]


def _suppressed(plan: Plan, called_off: Mapping[str, str]) -> list[PlannedDelivery]:
    return [
        replace(each, state="suppressed", reason=called_off[each.id])
        if each.id in called_off
        else each
        for each in plan.deliveries
    ]


def _with_unless(plans: Iterable[Plan]) -> Iterator[tuple[Place, PlannedDelivery]]:
    for plan in plans:
        for each in plan.deliveries:
            if each.unless and each.state in _OPEN:
                yield (plan.number, each.position), each


def _keys(delivery: PlannedDelivery) -> Sequence[str]:
    """What ended by a claim is here if somebody accepted the claim."""
    return (*delivery.unless.keys, *delivery.unless.claims) if delivery.unless else ()


def _coming(plans: Iterable[Plan]) -> dict[str, list[Came]]:
    """By what the events of these plans are known."""
    found: dict[str, list[Came]] = {}
    for plan in plans:
        for event in plan.events:
            at = (plan.number, event.position)
            ended = Ending(plan.source, at, event.order_key, event.ends)
            ends = {*ended.keys_of_anybody, *(ended.keys if event.order_key else ())}
            for key in event.known_as:
                found.setdefault(key, []).append(Came(at, event.type, key in ends))
    return found


def _ended(connection: Connection, keys: Collection[str]) -> dict[str, list[Came]]:
    known = endings.known(connection, keys)
    types = _types(connection, {place for places in known.values() for place in places})
    return {
        key: [Came(place, types[place], True) for place in places if place in types]
        for key, places in known.items()
    }


def _types(connection: Connection, places: Collection[Place]) -> dict[Place, str]:
    found: dict[Place, str] = {}
    for some in portions(sorted({webhook for webhook, _ in places})):
        query = select(events.c.webhook, events.c.position, events.c.type)
        for row in connection.execute(query.where(events.c.webhook.in_(some))):
            found[row.webhook, row.position] = row.type
    return found


def _first(
    came: Mapping[str, Sequence[Came]], keys: Iterable[str], types: Iterable[str], at: Place
) -> Came | None:
    found = [each for key in keys for each in came.get(key, ()) if each.calls_off(types, at)]
    return min(found, key=lambda each: each.place, default=None)


def call_off(connection: Connection, plans: Iterable[Plan], now: float) -> list[str]:
    """Suppress what these plans' events call off of what was recorded before; the ids.

    What is promoted at the same time is called off unless it is claimed first.
    """
    coming = _coming(plans)
    found: dict[str, tuple[Place, Came]] = {}
    for some in portions(sorted(coming)):
        for row in connection.execute(_CONCERNED.where(cancellers.c.key.in_(some))):
            at = (row.webhook, row.position)
            first = _first(coming, [row.key], row.types, at)
            if first and (row.delivery not in found or first.place < found[row.delivery][1].place):
                found[row.delivery] = (at, first)
    taken = held(connection, found)
    reasons = {each: found[each][1].reason for each in taken}
    suppress(connection, reasons, {found[each][0] for each in taken}, now)
    return taken


def suppress(
    connection: Connection, reasons: Mapping[str, str], events: Collection[Place], now: float
) -> None:
    """Send these deliveries of these events no more, and let others do what is done once."""
    if reasons:
        values = [{"id_": name, "reason_": why, "now_": now} for name, why in reasons.items()]
        connection.execute(_CALL_OFF, values)
        drop(connection, reasons)
        occasions.release(connection, events, called_off=reasons)


_CONCERNED = (
    select(
        cancellers.c.key,
        cancellers.c.delivery,
        cancellers.c.types,
        deliveries.c.webhook,
        deliveries.c.position,
    )
    .select_from(cancellers.join(deliveries))
    .where(NOT_SENT)
    .order_by(cancellers.c.delivery, cancellers.c.key)
)
_CALL_OFF = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("id_"))
    .values(state="suppressed", reason=bindparam("reason_"), settled_at=bindparam("now_"))
)


def held(connection: Connection, ids: Iterable[str]) -> list[str]:
    """Those that are not sent yet, and that nobody takes up meanwhile.

    In the order in which everybody holds several, else two could wait for each other.
    """
    found: list[str] = []
    for some in portions(sorted(ids)):
        query = select(deliveries.c.id).where(deliveries.c.id.in_(some), NOT_SENT)
        found += connection.execute(query.order_by(deliveries.c.id).with_for_update()).scalars()
    return found


def drop(connection: Connection, ids: Iterable[str]) -> None:
    """Forget what would call off these deliveries."""
    for some in portions(ids):
        connection.execute(delete(cancellers).where(cancellers.c.delivery.in_(some)))


def forget_ended(connection: Connection, after: Row, limit: int) -> Row | None:
    """Of the next `limit` rows delete those whose delivery has ended; the last one looked at.

    None: there are no more.
    """
    row = tuple_(cancellers.c.key, cancellers.c.delivery)
    query = (
        select(cancellers.c.key, cancellers.c.delivery, deliveries.c.state)
        .select_from(cancellers.join(deliveries))
        .where(row > after)
        .order_by(cancellers.c.key, cancellers.c.delivery)
        .limit(limit)
    )
    found = connection.execute(query).all()
    drop(connection, sorted({each.delivery for each in found if each.state not in _LASTING}))
    return (found[-1].key, found[-1].delivery) if len(found) == limit else None


_LASTING = (*_OPEN, "sending")
