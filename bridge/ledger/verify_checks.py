"""What is checked of each webhook and what belongs to it: a query finds what breaks the rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, null, or_, select

from bridge.ledger.tables import attempts, deliveries, events, webhooks


@dataclass(frozen=True)
class Check:
    """`query` yields the (webhook, delivery) of each that is wrong, either of them NULL."""

    what: str
    means: str
    query: Select[Any]


def _between(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.between(bindparam("first"), bindparam("last"))


def _differ(one: ColumnElement[bool], other: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(and_(one, ~other), and_(~one, other))


def _of_events(*wrong: ColumnElement[bool]) -> Select[Any]:
    return select(events.c.webhook, null()).where(_between(events.c.webhook), *wrong)


def _of_webhooks(*wrong: ColumnElement[bool]) -> Select[Any]:
    return select(webhooks.c.number, null()).where(_between(webhooks.c.number), *wrong)


def _of_deliveries(*wrong: ColumnElement[bool]) -> Select[Any]:
    return select(deliveries.c.webhook, deliveries.c.id).where(
        _between(deliveries.c.webhook), *wrong
    )


_OPEN = deliveries.c.state.in_(["waiting", "sending"])
_TRIES = attempts.c.delivery == deliveries.c.id
_ARRIVED = attempts.c.outcome == "delivered"
_UNDER_WAY = attempts.c.outcome == "started"


def _tries(*which: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(attempts).where(_TRIES, *which).scalar_subquery()


# Of each portion of webhooks: `first` and `last` are bound.
CHECKS = (
    Check(
        "events without a webhook",
        "The webhook was deleted, and its events were left behind.",
        _of_events(~exists().where(webhooks.c.number == events.c.webhook)),
    ),
    Check(
        "deliveries without a webhook",
        "The webhook was deleted; those that wait are still sent, and cannot be replayed.",
        _of_deliveries(~exists().where(webhooks.c.number == deliveries.c.webhook)),
    ),
    Check(
        "deliveries without an event",
        "Nothing says why they are owed. A webhook that was kept aside from the start has no "
        "event, and nothing may be sent for it.",
        _of_deliveries(
            ~exists().where(
                events.c.webhook == deliveries.c.webhook,
                events.c.position == deliveries.c.position,
            )
        ),
    ),
    Check(
        "routed webhooks without an event",
        "Whatever they were about was not done. `showbridge replay` routes one again.",
        _of_webhooks(
            webhooks.c.state == "routed",
            ~exists().where(events.c.webhook == webhooks.c.number),
        ),
    ),
    Check(
        "routed webhooks without a delivery",
        "A rule matched, and nothing is owed for it. `showbridge replay` routes one again.",
        _of_webhooks(
            webhooks.c.state == "routed",
            ~exists().where(deliveries.c.webhook == webhooks.c.number),
        ),
    ),
    Check(
        "deliveries that are open and ended at once",
        "Their state and the time of their end contradict each other.",
        _of_deliveries(_differ(_OPEN, deliveries.c.settled_at.is_(None))),
    ),
    Check(
        "deliveries in nobody's or in two hands",
        "One that is being sent belongs to a turn, and no other does. A worker takes them back "
        "when it next begins a turn at their lane.",
        _of_deliveries(_differ(deliveries.c.state == "sending", deliveries.c.claim.is_not(None))),
    ),
    Check(
        "delivered without an attempt that arrived",
        "It says delivered, and no attempt did it. Look for it at the vendor.",
        _of_deliveries(deliveries.c.state == "delivered", ~exists().where(_TRIES, _ARRIVED)),
    ),
    Check(
        "delivered twice",
        "Two attempts arrived: a worker was taken for dead while it was still at it. Where the "
        "action updates a contact this did no harm; a message was posted twice.",
        _of_deliveries(_tries(_ARRIVED) > 1),
    ),
    Check(
        "attempts that are missing or too many",
        "A delivery counts other attempts than are recorded.",
        _of_deliveries(deliveries.c.attempts != _tries()),
    ),
    Check(
        "attempts that nobody is at",
        "An attempt has begun and not ended, and it is not the last one of a delivery that is "
        "being sent.",
        _of_deliveries(
            exists().where(
                _TRIES,
                _UNDER_WAY,
                or_(deliveries.c.state != "sending", attempts.c.number != deliveries.c.attempts),
            )
        ),
    ),
    Check(
        "attempts that have both ended and not",
        "Their outcome and the time of their end contradict each other.",
        _of_deliveries(
            exists().where(_TRIES, _differ(_UNDER_WAY, attempts.c.finished_at.is_(None)))
        ),
    ),
    Check(
        "webhooks emptied too early",
        "Their bodies were pruned while something is still to be done for them.",
        _of_webhooks(
            webhooks.c.pruned_at.is_not(None),
            or_(
                webhooks.c.state.in_(["waiting", "quarantined"]),
                exists().where(and_(deliveries.c.webhook == webhooks.c.number, _OPEN)),
            ),
        ),
    ),
)

# Of the whole ledger.
LOST_ATTEMPTS = Check(
    "attempts without a delivery",
    "The delivery was deleted, and its attempts were left behind.",
    select(null(), attempts.c.delivery).where(~exists().where(_TRIES)),
)
