"""What is checked of each webhook, of its events and of its deliveries.

Each row is looked at once, for all its checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    null,
    or_,
    select,
)

from bridge.ledger.tables import attempts, cancellers, deliveries, events, webhooks


@dataclass(frozen=True)
class Check:
    """`wrong` is true of a row that breaks the rule."""

    what: str
    means: str
    wrong: ColumnElement[bool]


@dataclass(frozen=True)
class Inspection:
    """Checks of the same rows. `webhook` and `delivery` name a row, either of them may be NULL."""

    webhook: ColumnElement[Any]
    delivery: ColumnElement[Any]
    checks: Sequence[Check]
    rows: ColumnElement[bool] | None = None

    @property
    def query(self) -> Select[Any]:
        """Of the rows with anything wrong their names, and for each check whether it is."""
        wrong = [check.wrong for check in self.checks]
        query = select(self.webhook, self.delivery, *wrong).where(or_(*wrong))
        return query if self.rows is None else query.where(self.rows)


def _between(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.between(bindparam("first"), bindparam("last"))


def _differ(one: ColumnElement[bool], other: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(and_(one, ~other), and_(~one, other))


def _times(*which: ColumnElement[bool]) -> Any:
    return func.sum(case((and_(*which), 1), else_=0))


def _has(table: Table, *which: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(table.c.webhook == webhooks.c.number, _between(table.c.webhook), *which)


# An attempt at the delivery.
ITS_ATTEMPT = and_(
    attempts.c.webhook == deliveries.c.webhook, attempts.c.delivery == deliveries.c.id
)
_UNDER_WAY = attempts.c.outcome == "started"

# The webhooks' range is asked for everywhere, so that no planner reads a whole table for a portion.
_owed = (
    select(
        *(deliveries.c[name] for name in ("webhook", "id", "state", "settled_at", "claim")),
        deliveries.c.attempts,
        webhooks.c.number,
        events.c.position,
        func.count(attempts.c.delivery).label("recorded"),
        _times(attempts.c.outcome == "delivered").label("arrived"),
        _times(
            _UNDER_WAY,
            or_(deliveries.c.state != "sending", attempts.c.number != deliveries.c.attempts),
        ).label("unattended"),
        _times(_differ(_UNDER_WAY, attempts.c.finished_at.is_(None))).label("contradicting"),
    )
    .select_from(
        deliveries.outerjoin(
            webhooks,
            and_(webhooks.c.number == deliveries.c.webhook, _between(webhooks.c.number)),
        )
        .outerjoin(
            events,
            and_(
                events.c.webhook == deliveries.c.webhook,
                events.c.position == deliveries.c.position,
                _between(events.c.webhook),
            ),
        )
        .outerjoin(attempts, and_(ITS_ATTEMPT, _between(attempts.c.webhook)))
    )
    .where(_between(deliveries.c.webhook))
    # By the webhook first, else SQLite would go through all deliveries in the order of their ids.
    .group_by(deliveries.c.webhook, deliveries.c.id, webhooks.c.number, events.c.position)
    .subquery()
)
_OPEN = _owed.c.state.in_(["scheduled", "waiting", "sending"])

_EVENTS = Inspection(
    events.c.webhook,
    null(),
    rows=_between(events.c.webhook),
    checks=(
        Check(
            "events without a webhook",
            "The webhook was deleted, and its events were left behind.",
            ~exists().where(webhooks.c.number == events.c.webhook, _between(webhooks.c.number)),
        ),
    ),
)

_WEBHOOKS = Inspection(
    webhooks.c.number,
    null(),
    rows=_between(webhooks.c.number),
    checks=(
        Check(
            "routed webhooks without an event",
            "Whatever they were about was not done. `showbridge replay` routes one again.",
            and_(webhooks.c.state == "routed", ~_has(events)),
        ),
        Check(
            "routed webhooks without a delivery",
            "A rule matched, and nothing is owed for it. `showbridge replay` routes one again.",
            and_(webhooks.c.state == "routed", ~_has(deliveries)),
        ),
        Check(
            "webhooks emptied too early",
            "Their bodies were pruned while something is still to be done for them.",
            and_(
                webhooks.c.pruned_at.is_not(None),
                or_(
                    webhooks.c.state.in_(["waiting", "quarantined"]),
                    _has(deliveries, deliveries.c.state == "scheduled"),
                    # A delivery that is replayed later needs no body.
                    _has(
                        deliveries,
                        deliveries.c.state.in_(["waiting", "sending"])
                        & (deliveries.c.planned_at <= webhooks.c.pruned_at),
                    ),
                ),
            ),
        ),
    ),
)

_DELIVERIES = Inspection(
    _owed.c.webhook,
    _owed.c.id,
    checks=(
        Check(
            "deliveries without a webhook",
            "The webhook was deleted; those that wait are still sent, and cannot be replayed.",
            _owed.c.number.is_(None),
        ),
        Check(
            "deliveries without an event",
            "Nothing says why they are owed. A webhook that was kept aside from the start has no "
            "event, and nothing may be sent for it.",
            _owed.c.position.is_(None),
        ),
        Check(
            "deliveries that are open and ended at once",
            "Their state and the time of their end contradict each other.",
            _differ(_OPEN, _owed.c.settled_at.is_(None)),
        ),
        Check(
            "deliveries in nobody's or in two hands",
            "One that is being sent belongs to a turn, and no other does. A worker takes them back "
            "when it next begins a turn at their lane.",
            _differ(_owed.c.state == "sending", _owed.c.claim.is_not(None)),
        ),
        Check(
            "delivered without an attempt that arrived",
            "It says delivered, and no attempt did it. Look for it at the vendor.",
            and_(_owed.c.state == "delivered", _owed.c.arrived == 0),
        ),
        Check(
            "delivered twice",
            "Two attempts arrived: a worker was taken for dead while it was still at it. Where the "
            "action updates a contact this did no harm; a message was posted twice.",
            _owed.c.arrived > 1,
        ),
        Check(
            "attempts that are missing or too many",
            "A delivery counts other attempts than are recorded.",
            _owed.c.attempts != _owed.c.recorded,
        ),
        Check(
            "attempts that nobody is at",
            "An attempt has begun and not ended, and it is not the last one of a delivery that is "
            "being sent.",
            _owed.c.unattended > 0,
        ),
        Check(
            "attempts that have both ended and not",
            "Their outcome and the time of their end contradict each other.",
            _owed.c.contradicting > 0,
        ),
    ),
)

# Of each portion of webhooks: `first` and `last` are bound.
INSPECTIONS = (_EVENTS, _WEBHOOKS, _DELIVERIES)

# Of the whole ledger.
_LOST_ATTEMPTS = Inspection(
    null(),
    attempts.c.delivery,
    checks=(
        Check(
            "attempts without a delivery",
            "The delivery was deleted, and its attempts were left behind.",
            ~exists().where(ITS_ATTEMPT),
        ),
    ),
)
_LOST_CANCELLERS = Inspection(
    null(),
    cancellers.c.delivery,
    checks=(
        Check(
            "cancellers without a delivery",
            "The delivery was deleted, and what would have called it off was left behind.",
            ~exists().where(deliveries.c.id == cancellers.c.delivery),
        ),
    ),
)
OF_ALL = (_LOST_ATTEMPTS, _LOST_CANCELLERS)
