"""Which of what has ended is meant: the filters that dead letters and replays share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, text, tuple_

from bridge.ledger.plan import RENEWABLE
from bridge.ledger.tables import deliveries, events, webhooks

DELIVERY_STATES = ("dead", "rejected", "previewed")
WEBHOOK_STATES = ("unrouted", "quarantined")

# How reasons begin that were written where nobody could tell whether it was done.
KEPT = "kept for a person"

Place = tuple[int, int, int]
"""A delivery's webhook, its event's position in it, and its place in the event."""

# Spelled out: a bound value would miss the partial indexes.
_ENDED_DELIVERY = text("deliveries.state NOT IN ('waiting', 'sending', 'scheduled')")
_ENDED_WEBHOOK = text("webhooks.state <> 'waiting'")
_LAST = 2**31
_COLUMNS = {"account": deliveries.c.account, "rule": deliveries.c.rule, "source": webhooks.c.source}


@dataclass(frozen=True)
class Selection:
    """Deliveries, or webhooks, in one `state`; None is any.

    `type` may hold `*`; `reason` is a part of it, whatever the case. `since`
    and `until` are of the receipt, `ended_by` of the end, in Unix seconds.
    """

    state: str = "dead"
    source: str | None = None
    type: str | None = None
    rule: str | None = None
    account: str | None = None
    reason: str | None = None
    since: float | None = None
    until: float | None = None
    ended_by: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A delivery that is meant, without its item."""

    id: str
    place: Place
    account: str
    action: str
    lane: str
    order_key: str
    attempts: int
    reason: str | None

    @property
    def may_be_done(self) -> bool:
        """Nobody could tell whether it arrived."""
        return (self.reason or "").startswith(KEPT)

    @property
    def is_filled_in(self) -> bool:
        """Else there is nothing to be sent: its rule could not fill it in for this event."""
        return self.attempts > 0


@dataclass(frozen=True)
class Unit:
    """What is replayed as one: a delivery, or a webhook with all that is renewed with it."""

    webhook: int
    place: Place
    is_pruned: bool
    deliveries: Sequence[Candidate] = ()


def next_deliveries(
    connection: Connection, chosen: Selection, after: Place, limit: int
) -> list[Unit]:
    """Those that come next after a place, oldest webhook first; each a unit of its own."""
    query = (
        chosen_deliveries(select(*_CANDIDATE), chosen)
        .where(deliveries.c.webhook >= after[0], _place() > after)
        .order_by(*_PLACE)
        .limit(limit)
    )
    found = (_candidate(row) for row in connection.execute(query))
    # What is sent again as it was filled in needs no body.
    return [Unit(each.place[0], each.place, False, (each,)) for each in found]


def next_webhooks(
    connection: Connection, chosen: Selection, after: Place, limit: int
) -> list[Unit]:
    """Webhooks in the state, or with deliveries in it, and all that routing them would renew."""
    if chosen.state in WEBHOOK_STATES:
        query = _chosen_webhooks(select(webhooks.c.number, webhooks.c.pruned_at), chosen)
        query = query.where(webhooks.c.number > after[0]).order_by(webhooks.c.number)
        rows = connection.execute(query.limit(limit))
        return [_unit(number, pruned_at is not None) for number, pruned_at in rows]
    owed = _of_whole_webhooks(connection, chosen, after[0], limit)
    numbers = [number for number, _ in owed]
    pruned = pruned_among(connection, numbers)
    return [_unit(number, number in pruned, rows) for number, rows in owed]


def chosen_deliveries(query: Select[Any], chosen: Selection) -> Select[Any]:
    """Narrow a query of deliveries."""
    query = query.select_from(deliveries).where(_ENDED_DELIVERY, deliveries.c.state == chosen.state)
    if chosen.rule is not None:
        query = query.where(deliveries.c.rule == chosen.rule)
    if chosen.account is not None:
        query = query.where(deliveries.c.account == chosen.account)
    if chosen.reason is not None:
        query = query.where(deliveries.c.reason.icontains(chosen.reason, autoescape=True))
    if chosen.ended_by is not None:
        query = query.where(deliveries.c.settled_at <= chosen.ended_by)
    if not _asks_of_receipt(chosen):
        return query
    query = query.join(webhooks, webhooks.c.number == deliveries.c.webhook)
    query = query.outerjoin(events, _THEIR_EVENT)
    return query.where(*_of_receipt(chosen))


def persons_of(chosen: Selection, *, whole_webhooks: bool) -> Select[Any]:
    """The lanes and order keys of deliveries that are meant, or renewed with their webhooks."""
    lanes = (deliveries.c.lane, deliveries.c.order_key)
    query = chosen_deliveries(select(*lanes), chosen)
    if whole_webhooks:
        numbers = chosen_deliveries(select(deliveries.c.webhook), chosen)
        query = select(*lanes).where(_RENEWABLE, deliveries.c.webhook.in_(numbers))
    return query.where(deliveries.c.order_key != "").distinct()


def knows(connection: Connection, word: str, value: str) -> bool:
    """Whether the ledger has anything of that `account`, `rule` or `source`."""
    column = _COLUMNS[word]
    return connection.execute(select(column).where(column == value).limit(1)).first() is not None


def known(connection: Connection, word: str) -> list[str]:
    """All that the ledger has anything of; reads it through."""
    return list(connection.execute(select(_COLUMNS[word]).distinct()).scalars())


def items_of(connection: Connection, ids: Sequence[str]) -> list[Mapping[str, Any]]:
    """What some deliveries are filled in with."""
    query = select(deliveries.c.item).where(deliveries.c.id.in_(ids))
    return list(connection.execute(query).scalars())


def untouched_by_replay(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those that arrived or are under way: routing their event again leaves them alone."""
    query = select(deliveries.c.id).where(
        deliveries.c.id.in_(ids), deliveries.c.state.in_(["waiting", "sending", "delivered"])
    )
    return set(connection.execute(query).scalars())


def _chosen_webhooks(query: Select[Any], chosen: Selection) -> Select[Any]:
    query = query.select_from(webhooks).where(_ENDED_WEBHOOK, webhooks.c.state == chosen.state)
    if chosen.reason is not None:
        query = query.where(webhooks.c.reason.icontains(chosen.reason, autoescape=True))
    if chosen.type is not None:
        first = (events.c.webhook == webhooks.c.number) & (events.c.position == 1)
        query = query.outerjoin(events, first)
    return query.where(*_of_receipt(chosen))


def _asks_of_receipt(chosen: Selection) -> bool:
    asked = (chosen.source, chosen.type, chosen.since, chosen.until)
    return any(one is not None for one in asked)


def _of_receipt(chosen: Selection) -> Iterator[ColumnElement[bool]]:
    if chosen.source is not None:
        yield webhooks.c.source == chosen.source
    if chosen.type is not None:
        kind = func.coalesce(events.c.type, webhooks.c.event_type)
        yield kind.like(_pattern(chosen.type), escape="\\")
    if chosen.since is not None:
        yield webhooks.c.received_at >= chosen.since
    if chosen.until is not None:
        yield webhooks.c.received_at <= chosen.until


def _pattern(glob: str) -> str:
    for special in "\\%_":
        glob = glob.replace(special, f"\\{special}")
    return glob.replace("*", "%")


_THEIR_EVENT = and_(
    events.c.webhook == deliveries.c.webhook, events.c.position == deliveries.c.position
)
_RENEWABLE = deliveries.c.state.in_(RENEWABLE)
_PLACE = (deliveries.c.webhook, deliveries.c.position, deliveries.c.place)
_CANDIDATE = [
    *(deliveries.c.id, *_PLACE, deliveries.c.account, deliveries.c.action, deliveries.c.lane),
    *(deliveries.c.order_key, deliveries.c.attempts, deliveries.c.reason),
]


def _place() -> Any:
    return tuple_(*_PLACE)


def _candidate(row: Any) -> Candidate:
    return Candidate(
        id=row.id,
        place=(row.webhook, row.position, row.place),
        account=row.account,
        action=row.action,
        lane=row.lane,
        order_key=row.order_key,
        attempts=row.attempts,
        reason=row.reason,
    )


def _unit(number: int, is_pruned: bool, owed: Sequence[Candidate] = ()) -> Unit:
    return Unit(number, (number, _LAST, _LAST), is_pruned, owed)


def _of_whole_webhooks(
    connection: Connection, chosen: Selection, after: int, limit: int
) -> list[tuple[int, list[Candidate]]]:
    numbers = (
        chosen_deliveries(select(deliveries.c.webhook), chosen)
        .where(deliveries.c.webhook > after)
        .distinct()
        .order_by(deliveries.c.webhook)
        .limit(limit)
    )
    found = list(connection.execute(numbers).scalars())
    query = select(*_CANDIDATE).where(deliveries.c.webhook.in_(found), _RENEWABLE)
    rows = [_candidate(row) for row in connection.execute(query.order_by(*_PLACE))]
    return [(number, list(some)) for number, some in groupby(rows, lambda each: each.place[0])]


def pruned_among(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Those of these webhooks whose bodies were deleted for their age."""
    query = select(webhooks.c.number).where(
        webhooks.c.number.in_(numbers), webhooks.c.pruned_at.is_not(None)
    )
    return set(connection.execute(query).scalars())
