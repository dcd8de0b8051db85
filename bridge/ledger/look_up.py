"""What people ask the ledger: what came in, and how much of it is in which state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select

from bridge.ledger.books import delivery_states, webhook_states
from bridge.ledger.stories import event_id
from bridge.ledger.tables import (
    ENDED_DELIVERY,
    ENDED_WEBHOOK,
    OPEN_DELIVERY,
    SCHEDULED_DELIVERY,
    WAITING_WEBHOOK,
    deliveries,
    events,
    webhooks,
)


@dataclass(frozen=True)
class Filters:
    """What to list; None is any.

    `state` is the webhook's, `delivery` a state that one of the event's
    deliveries must have. `after` is a webhook's number, `since` in Unix seconds.
    """

    source: str | None = None
    type: str | None = None
    state: str | None = None
    delivery: str | None = None
    who: str | None = None
    since: float | None = None
    after: int | None = None

    @property
    def searches(self) -> bool:
        """No index leads to what is asked for: it takes looking at one webhook after another."""
        asked = (self.source, self.type, self.who, self.since)
        return self.after is None and any(value is not None for value in asked)


@dataclass(frozen=True)
class EventSummary:
    """One line of the list: an event, or a webhook that has none (yet).

    `state` is waiting, routed, unrouted or quarantined; `deliveries` counts
    the event's deliveries by their state. `due_at` is of the first that is scheduled.
    """

    id: str
    webhook: int
    source: str
    type: str
    who: str | None
    idempotency_key: str
    state: str
    reason: str | None
    received_at: float
    deliveries: Mapping[str, int] = field(default_factory=dict)
    due_at: float | None = None


# Of webhooks, where a text or time is searched for that no index leads to.
SEARCHED = 50_000


def recent(connection: Connection, filters: Filters, limit: int | None) -> list[EventSummary]:
    """The newest first; with `filters.after`, what came after it. None as limit: all.

    With a limit, a search looks at the newest `SEARCHED` webhooks only.
    """
    query = _filtered(
        select(*_LISTED, events.c.position, events.c.type.label("as_type"), events.c.who)
        .select_from(webhooks.outerjoin(events, events.c.webhook == webhooks.c.number))
        .order_by(webhooks.c.number.desc(), events.c.position.desc()),
        filters,
    )
    if filters.searches and limit is not None:
        newest = connection.execute(select(func.max(webhooks.c.number))).scalar_one() or 0
        query = query.where(webhooks.c.number > newest - SEARCHED)
    rows: list[Mapping[Any, Any]]
    if filters.delivery is None:
        rows = [*connection.execute(query.limit(limit)).mappings()]
    else:
        rows = _with_delivery(connection, query, filters.delivery, filters.after or 0, limit)
    owed = _owed(connection, [row["number"] for row in rows])
    return [_summary(row, owed) for row in rows]


def _with_delivery(
    connection: Connection, query: Select[Any], state: str, after: int, limit: int | None
) -> list[Mapping[Any, Any]]:
    """Going by the deliveries of that state, since among all webhooks there may be few."""
    owed = select(deliveries.c.webhook).distinct().where(*_in_state(state))
    owed = owed.where(deliveries.c.webhook > after)
    owed = owed.order_by(deliveries.c.webhook.desc()).limit(_AT_A_TIME)
    found: list[Mapping[Any, Any]] = []
    page = list(connection.execute(owed).scalars())
    while page and (limit is None or len(found) < limit):
        some = query.where(webhooks.c.number.in_(page))
        found += connection.execute(some).mappings()
        older = owed.where(deliveries.c.webhook < page[-1])
        page = list(connection.execute(older).scalars())
    return found[:limit]


_AT_A_TIME = 100


def _in_state(state: str) -> Sequence[Any]:
    """By the index of the part that the state is of."""
    if state == "scheduled":
        return [SCHEDULED_DELIVERY]
    part = OPEN_DELIVERY if state in ("waiting", "sending") else ENDED_DELIVERY
    return [part, deliveries.c.state == state]


# Not the bodies.
_LISTED = [
    webhooks.c[name]
    for name in (
        "number",
        "source",
        "event_type",
        "idempotency_key",
        "state",
        "reason",
        "received_at",
    )
]


def _filtered(query: Select[Any], filters: Filters) -> Select[Any]:
    if filters.source is not None:
        query = query.where(webhooks.c.source == filters.source)
    if filters.type is not None:
        pattern = filters.type.replace("%", r"\%").replace("_", r"\_").replace("*", "%")
        query = query.where(
            func.coalesce(events.c.type, webhooks.c.event_type).like(pattern, escape="\\")
        )
    if filters.state is not None:
        part = WAITING_WEBHOOK if filters.state == "waiting" else ENDED_WEBHOOK
        query = query.where(part, webhooks.c.state == filters.state)
    if filters.delivery is not None:
        query = query.where(
            exists().where(
                deliveries.c.webhook == webhooks.c.number,
                deliveries.c.position == events.c.position,
                deliveries.c.state == filters.delivery,
            )
        )
    if filters.who is not None:
        query = query.where(events.c.who.icontains(filters.who, autoescape=True))
    if filters.since is not None:
        query = query.where(webhooks.c.received_at >= filters.since)
    if filters.after is not None:
        query = query.where(webhooks.c.number > filters.after)
    return query


@dataclass
class _Owed:
    """An event's deliveries by state, and when the first that is scheduled is due."""

    counts: dict[str, int] = field(default_factory=dict)
    due_at: float | None = None


def _owed(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, int], _Owed]:
    """For each (webhook, position), asked for in portions."""
    event = (deliveries.c.webhook, deliveries.c.position)
    wanted = (*event, deliveries.c.state, func.count(), func.min(deliveries.c.due_at))
    found: dict[tuple[int, int], _Owed] = defaultdict(_Owed)
    for start in range(0, len(numbers), 500):
        some = deliveries.c.webhook.in_(numbers[start : start + 500])
        query = select(*wanted).where(some).group_by(*event, deliveries.c.state)
        for webhook, position, state, count, due_at in connection.execute(query):
            owed = found[webhook, position]
            owed.counts[state] = count
            if state == "scheduled":
                owed.due_at = due_at
    return found


def _summary(row: Mapping[Any, Any], found: Mapping[tuple[int, int], _Owed]) -> EventSummary:
    position = row["position"] or 1
    owed = found.get((row["number"], position), _Owed())
    return EventSummary(
        id=event_id(row["number"], position),
        webhook=row["number"],
        source=row["source"],
        type=row["as_type"] or row["event_type"],
        who=row["who"],
        idempotency_key=row["idempotency_key"],
        state=row["state"],
        reason=row["reason"],
        received_at=row["received_at"],
        deliveries=owed.counts,
        due_at=owed.due_at,
    )


@dataclass(frozen=True)
class Totals:
    """How many webhooks and deliveries are in which state."""

    webhooks: Mapping[str, int]
    deliveries: Mapping[str, int]


def totals(connection: Connection) -> Totals:
    return Totals(webhooks=webhook_states(connection), deliveries=delivery_states(connection))
