"""Once more, behind what is sent now, what undid it; and what is sent now behind what it undoes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select, text, tuple_

from bridge.ledger.endings import Place, key_of, known, newest, portions
from bridge.ledger.owed import owe
from bridge.ledger.plan import Plan, PlannedDelivery
from bridge.ledger.repeats import MayRepeat, Standing, key, once_more, sent_of, written_by
from bridge.ledger.tables import deliveries, events, webhooks


def put_behind(
    connection: Connection,
    sent: Collection[str],
    now: float,
    may_repeat: MayRepeat,
    only: Collection[str] | None = None,
) -> int:
    """Once more, behind these deliveries that are sent now, what undid them; how many.

    Behind one that is itself a repeat, only what comes after what it repeats. Not what
    is itself among these, and comes after it anyhow. `only`: of nothing but these.
    """
    begun, sent = _begun(connection, sent), set(sent)
    matters = {row.id: _keys(row) for row in begun}
    endings = known(connection, {each for keys in matters.values() for each in keys})
    found = {name: newest(endings, keys) for name, keys in matters.items()}
    places = {place for some in found.values() for place in some}
    written = sent_of(connection, written_by(connection, places))
    last = _last_places(connection, {row.webhook for row in begun if found[row.id]})
    fresh = 0
    for row in begun:
        at = (row.webhook, row.position)
        undone = [
            each
            for place in found[row.id]
            for each in written.get(place, ())
            if (each.id not in sent or place < at) and (only is None or each.id in only)
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


def last_word(
    connection: Connection, promoted: Collection[str], now: float, may_repeat: MayRepeat
) -> int:
    """Once more, behind what waits for the same persons, what of these undoes it; how many.

    These were scheduled until now, when that was planned: sent in the order of receipt
    what they undo may come after them.
    """
    behind: set[str] = set()
    for some in portions(sorted(promoted)):
        behind |= set(connection.execute(_WAITING_BEHIND.where(_BEFORE.c.id.in_(some))).scalars())
    others = sorted(behind - set(promoted))
    return put_behind(connection, others, now, may_repeat, only=promoted)


_BEFORE = deliveries.alias("before")


def _same_person() -> ColumnElement[bool]:
    return and_(deliveries.c.lane == _BEFORE.c.lane, deliveries.c.order_key == _BEFORE.c.order_key)


def _place(table: Any) -> Any:
    return tuple_(table.c.webhook, table.c.position, table.c.place)


_WAITING_BEHIND = (
    select(deliveries.c.id)
    .distinct()
    .select_from(deliveries.join(_BEFORE, _same_person()))
    # Spelled out: a bound value would miss the partial index.
    .where(text("deliveries.state IN ('waiting', 'sending')"))
    .where(_place(deliveries) > _place(_BEFORE), deliveries.c.order_key != "")
)
