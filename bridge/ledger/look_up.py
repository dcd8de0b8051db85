"""What people ask the ledger: what came in, and how much of it is in which state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select

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

    `state` is one that the list shows: `waiting` or `quarantined` of the webhook, `unrouted`
    of an event for which nothing is to be done, `routed` of any other; else of one of its
    deliveries, `waiting` too. `after` is a webhook's number, `since` in Unix seconds.
    """

    source: str | None = None
    type: str | None = None
    state: str | None = None
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
    if filters.state is None:
        rows = [*connection.execute(query.limit(limit)).mappings()]
    else:
        rows = _in_state(connection, query, filters, limit)
    owed = _owed(connection, [row["number"] for row in rows])
    return [_summary(row, owed) for row in rows]


def _in_state(
    connection: Connection, query: Select[Any], filters: Filters, limit: int | None
) -> list[Mapping[Any, Any]]:
    """Going by what is in that state, since among all webhooks there may be little of it."""
    newest = connection.execute(select(func.max(webhooks.c.number))).scalar_one() or 0
    state, after = filters.state or "", filters.after or 0
    oldest = after if limit is None else max(after, newest - SEARCHED)
    parts, at_a_time = list(_parts(state, oldest)), min(limit or _AT_A_TIME, _AT_A_TIME)
    after = oldest if filters.searches else after
    query, found = query.where(_shows(state)), list[Mapping[Any, Any]]()
    page = _page(connection, parts, after, newest + 1, at_a_time)
    while page and (limit is None or len(found) < limit):
        found += connection.execute(query.where(webhooks.c.number.in_(page))).mappings()
        # What is searched for is rare: then it takes few steps.
        at_a_time = min(2 * at_a_time, _MOST_AT_A_TIME)
        page = _page(connection, parts, after, page[-1], at_a_time)
    return found[:limit]


_AT_A_TIME, _MOST_AT_A_TIME = 100, 500


def _page(
    connection: Connection, parts: Sequence[Sequence[Any]], after: int, before: int, limit: int
) -> list[int]:
    """Numbers of webhooks with something in that state, the newest first, each part by its index.

    None above `before`, nor up to `after`.
    """
    numbers: set[int] = set()
    for column, *where in parts:
        some = select(column).where(*where, column < before, column > after).distinct()
        some = some.order_by(column.desc()).limit(limit)
        numbers.update(connection.execute(some).scalars())
    return sorted(numbers, reverse=True)[:limit]


def _parts(state: str, oldest: int) -> Iterator[Sequence[Any]]:
    """What has the numbers, and the conditions that an index knows.

    `oldest`: how far back it is looked among webhooks of which another event was routed.
    """
    number = webhooks.c.number
    if state == "waiting":
        yield number, WAITING_WEBHOOK
    elif state in ("quarantined", "unrouted", "routed"):
        yield number, ENDED_WEBHOOK, webhooks.c.state == state
    if state == "unrouted":
        bare = exists().where(events.c.webhook == number, ~_owes(events.c.position))
        yield number, ENDED_WEBHOOK, webhooks.c.state == "routed", number > oldest, bare
    elif state == "scheduled":
        yield deliveries.c.webhook, SCHEDULED_DELIVERY
    elif state in ("waiting", "sending"):
        # As a sum, so that no index over all deliveries is gone through for its order.
        yield deliveries.c.webhook + 0, OPEN_DELIVERY, deliveries.c.state == state
    elif state not in ("quarantined", "routed"):
        yield deliveries.c.webhook, ENDED_DELIVERY, deliveries.c.state == state


def _shows(state: str) -> ColumnElement[bool]:
    """Whether a line of the list says so."""
    whole, position = webhooks.c.state, func.coalesce(events.c.position, 1)
    is_routed = whole.not_in(("waiting", "quarantined"))
    if state in ("routed", "unrouted"):
        return is_routed & (_owes(position) if state == "routed" else ~_owes(position))
    if state == "quarantined":
        return whole == state
    owes = is_routed & _owes(position, deliveries.c.state == state)
    return owes | (whole == state) if state == "waiting" else owes


def _owes(position: ColumnElement[int], *which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an event has deliveries, or such ones."""
    of_event = (deliveries.c.webhook == webhooks.c.number, deliveries.c.position == position)
    return exists().where(*of_event, *which)


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
