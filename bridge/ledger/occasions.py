"""What is done once: which event had it done, so that no other has it done again.

An event holds a key for as long as anything that it had done by it counts:
what was never to be sent, or was called off, does not. It holds it for ever,
or for those that are received within the rule's period of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, bindparam, delete, select, tuple_

from bridge.ledger.endings import Place, portions
from bridge.ledger.stories import event_id
from bridge.ledger.tables import EXPIRES, deliveries, occasions, webhooks
from bridge.ledger.upsert import insert

if TYPE_CHECKING:
    from bridge.ledger.plan import Once, Plan, PlannedDelivery

Key = tuple[str, int, int]
"""A row of the table."""

_OPEN = ("waiting", "scheduled")


@dataclass(frozen=True)
class Holder:
    """An event that had something done under a key: when it was received, and what it had done."""

    place: Place
    at: float
    deliveries: Sequence[str] = ()

    def keeps_from(self, once: Once, at: float) -> bool:
        """Whether another event, received at `at`, may not do it again."""
        return once.period is None or abs(self.at - at) <= once.period


@dataclass(frozen=True)
class Decided:
    """Plans with what was done already suppressed, and who holds which key by them.

    `replayed` are the events among them that may hold less than before.
    """

    plans: Sequence[Plan]
    taken: Mapping[str, Mapping[Place, Holder]]
    periods: Mapping[str, float | None]
    replayed: Collection[Place]


def holders(connection: Connection, keys: Iterable[str]) -> Mapping[str, Sequence[Holder]]:
    """The events that hold these keys, in the order of receipt; nothing for the others."""
    found: dict[str, list[Holder]] = {}
    for some in portions(sorted(set(keys))):
        query = select(occasions).where(occasions.c.key.in_(some))
        for row in connection.execute(
            query.order_by(occasions.c.key, occasions.c.webhook, occasions.c.position)
        ):
            holder = Holder((row.webhook, row.position), row.at, row.deliveries)
            found.setdefault(row.key, []).append(holder)
    return found


def decide(
    connection: Connection, plans: Sequence[Plan], known_at: Mapping[int, float] | None = None
) -> Decided:
    """Suppress what another event had done already; nobody else may be recording plans.

    `known_at` says when webhooks were received that the ledger does not have.
    """
    concerned = [(plan, each) for plan in plans for each in plan.deliveries if each.once]
    if not concerned:
        return Decided(plans, {}, {}, ())
    keys = {each.once.key for _, each in concerned if each.once}
    held = {
        key: {each.place: each for each in some} for key, some in holders(connection, keys).items()
    }
    received = {**(known_at or {}), **_received(connection, {plan.number for plan, _ in concerned})}
    taken: dict[str, dict[Place, Holder]] = {}
    decided = []
    for plan in plans:
        owed = []
        for each in plan.deliveries:
            at = Holder((plan.number, each.position), received.get(plan.number, 0.0))
            known = {**held.get(_key(each), {}), **taken.get(_key(each), {})}
            owed.append(_decided(each, at, known, taken))
        decided.append(replace(plan, deliveries=owed))
    return Decided(
        decided,
        taken,
        {each.once.key: each.once.period for _, each in concerned if each.once},
        {(plan.number, each.position) for plan, each in concerned if plan.replayed},
    )


def _key(delivery: PlannedDelivery) -> str:
    return delivery.once.key if delivery.once else ""


def _decided(
    delivery: PlannedDelivery,
    event: Holder,
    known: Mapping[Place, Holder],
    taken: dict[str, dict[Place, Holder]],
) -> PlannedDelivery:
    """As planned, and noted in `taken`; or suppressed, where another event had it done."""
    once = delivery.once
    if once is None or delivery.state not in _OPEN:
        return delivery
    for other in known.values():
        if other.place != event.place and other.keeps_from(once, event.at):
            return replace(delivery, state="suppressed", reason=_reason(once, other, event))
    before = known.get(event.place, event).deliveries
    had = sorted({*before, delivery.id})
    taken.setdefault(once.key, {})[event.place] = replace(event, deliveries=had)
    return delivery


def _reason(once: Once, other: Holder, event: Holder) -> str:
    """`once per contact: event 1042 did it on 3 Nov`, with the year if it is another one."""
    day, own = (datetime.fromtimestamp(each.at, UTC) for each in (other, event))
    on = f"{day.day} {day:%b}{'' if day.year == own.year else f' {day.year}'}"
    return f"{once.words}: event {event_id(*other.place)} did it on {on}"


def _received(connection: Connection, numbers: Collection[int]) -> dict[int, float]:
    found: dict[int, float] = {}
    for some in portions(sorted(numbers)):
        query = select(webhooks.c.number, webhooks.c.received_at)
        rows = connection.execute(query.where(webhooks.c.number.in_(some)))
        found |= {row.number: row.received_at for row in rows}
    return found


def keep(connection: Connection, decided: Decided, now: float) -> None:
    """Note who holds which key, once the plans are recorded."""
    rows = list(_rows(decided, now))
    if rows:
        statement = insert(connection, occasions)
        renewed = {name: statement.excluded[name] for name in ("at", "expires_at", "deliveries")}
        names = ["key", "webhook", "position"]
        connection.execute(
            statement.on_conflict_do_update(index_elements=names, set_=renewed), rows
        )
    release(connection, decided.replayed)


def _rows(decided: Decided, now: float) -> Iterator[dict[str, object]]:
    for key, some in sorted(decided.taken.items()):
        period = decided.periods[key]
        for each in some.values():
            yield {
                "key": key,
                "webhook": each.place[0],
                "position": each.place[1],
                "at": each.at,
                # What happened long ago is replayed together with what happened around it.
                "expires_at": None if period is None else max(each.at, now) + period,
                "deliveries": list(each.deliveries),
            }


def release(
    connection: Connection, events: Collection[Place], called_off: Collection[str] = ()
) -> None:
    """Forget what these events hold by deliveries of which none counts any more.

    What is called off does not, even if it was tried before.
    """
    held: dict[Key, Sequence[str]] = {}
    for some in portions(sorted({webhook for webhook, _ in events})):
        for row in connection.execute(select(occasions).where(occasions.c.webhook.in_(some))):
            if (row.webhook, row.position) in events:
                held[row.key, row.webhook, row.position] = row.deliveries
    counting = _counting(connection, {each for had in held.values() for each in had})
    counting -= set(called_off)
    idle = [
        {"key_": key, "webhook_": webhook, "position_": position}
        for (key, webhook, position), had in held.items()
        if not counting.intersection(had)
    ]
    if idle:
        connection.execute(_RELEASE, idle)


_RELEASE = delete(occasions).where(
    occasions.c.key == bindparam("key_"),
    occasions.c.webhook == bindparam("webhook_"),
    occasions.c.position == bindparam("position_"),
)


def _counting(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those that were to be sent; what a vendor said no to was."""
    never = and_(deliveries.c.state.in_(["suppressed", "rejected"]), deliveries.c.attempts == 0)
    found: set[str] = set()
    for some in portions(sorted(ids)):
        query = select(deliveries.c.id).where(deliveries.c.id.in_(some), ~never)
        found |= set(connection.execute(query).scalars())
    return found


def forget(connection: Connection, now: float, limit: int) -> int:
    """Delete up to `limit` that keep nobody from anything any more; how many there were."""
    key = tuple_(*occasions.primary_key)
    old = (
        select(*occasions.primary_key)
        .where(EXPIRES, occasions.c.expires_at < now)
        .order_by(occasions.c.expires_at)
        .limit(limit)
    )
    return connection.execute(delete(occasions).where(key.in_(old))).rowcount
