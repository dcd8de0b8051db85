"""Asking for events or deliveries again, as a person does after a fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, case, select, update

from bridge.ledger import repeats, undone, withdrawn
from bridge.ledger.plan import (
    CLAIM_ACCEPTED,
    CLAIM_MISMATCH,
    RENEWABLE,
    PlannedDelivery,
    Waiting,
    as_waiting,
)
from bridge.ledger.repeats import MayRepeat
from bridge.ledger.tables import deliveries, webhooks


def replay_webhook(connection: Connection, number: int) -> bool:
    """Route it again by the rules of now; False where there is none, or its body was deleted.

    Deliveries that arrived stay as they are. Those that ended otherwise are
    filled in afresh and tried again; new rules add theirs. What is scheduled and not
    planned any more is called off.
    """
    return replay_webhooks(connection, [number]) == 1


def replay_webhooks(connection: Connection, numbers: Sequence[int]) -> int:
    """Route some again by the rules of now; how many of them could be."""
    statement = (
        update(webhooks)
        .where(webhooks.c.number.in_(numbers), webhooks.c.pruned_at.is_(None))
        .values(state="waiting", reason=_RELEASED, replayed=True)
    )
    return connection.execute(statement).rowcount


# The one reason that routing has to know of: the person has looked at it.
_RELEASED = case((webhooks.c.reason.in_([CLAIM_MISMATCH, CLAIM_ACCEPTED]), CLAIM_ACCEPTED))


def as_if_replayed(connection: Connection, numbers: Sequence[int]) -> list[Waiting]:
    """Some webhooks as routing would get them; changes nothing."""
    query = select(webhooks).where(webhooks.c.number.in_(numbers))
    rows = connection.execute(query).mappings()
    return [replace(as_waiting(row), replayed=True) for row in rows]


def delivery_ids(connection: Connection, webhook: int, prefix: str) -> list[str]:
    """A webhook's deliveries whose id begins so, at most two: enough to know if it is just one."""
    query = select(deliveries.c.id).where(
        deliveries.c.webhook == webhook, deliveries.c.id.startswith(prefix, autoescape=True)
    )
    return list(connection.execute(query.limit(2)).scalars())


def scheduled_for(connection: Connection, delivery: str) -> float | None:
    """When a delivery that is scheduled is due; None: it is not scheduled."""
    query = select(deliveries.c.due_at).where(
        deliveries.c.id == delivery, deliveries.c.state == "scheduled"
    )
    return connection.execute(query).scalar_one_or_none()


@dataclass(frozen=True)
class Again:
    """How many deliveries are sent again, and how many are done once more behind them."""

    sent: int
    behind: int


def replay_deliveries(
    connection: Connection, ids: Sequence[str], now: float, may_repeat: MayRepeat
) -> Again:
    """Send some again as they were filled in; what undid them since is done once more behind them.

    What is scheduled is sent now instead. Not those that arrived, are under way or
    were suppressed, nor those that could not be filled in: these have nothing to be sent.
    Nor where a later event took off a list who had agreed to this.
    """
    tried = deliveries.c.state.in_(_SENDABLE) & (deliveries.c.attempts > 0)
    sendable = tried | (deliveries.c.state == "scheduled")
    return _send_again(connection, ids, sendable, now, may_repeat)


def renew_repeats(
    connection: Connection,
    endings: Mapping[str, PlannedDelivery],
    now: float,
    may_repeat: MayRepeat,
) -> None:
    """Try again what did these deliveries once more and did not arrive, with what they say now."""
    found = repeats.renewable(connection, endings)
    for name, repeated in found.items():
        item = endings[repeated]
        connection.execute(
            update(deliveries)
            .where(deliveries.c.id == name)
            .where(deliveries.c.lane == item.lane, deliveries.c.order_key == item.order_key)
            .values({name: getattr(item, name) for name in _SAID})
        )
    if found:
        _send_again(connection, list(found), deliveries.c.state.in_(RENEWABLE), now, may_repeat)


_SAID = ("item", "gist", "event")

# Not what was suppressed: whoever said no is not asked again by sending. Replaying the event
# asks the consent gate and the rules afresh.
_SENDABLE = ("rejected", "dead", "previewed")


def _send_again(
    connection: Connection,
    ids: Sequence[str],
    which: ColumnElement[bool],
    now: float,
    may_repeat: MayRepeat,
) -> Again:
    theirs = select(deliveries.c.webhook).where(deliveries.c.id.in_(ids))
    held = select(webhooks.c.number).where(webhooks.c.number.in_(theirs))
    # In the order in which pruning holds them, else each could wait for the other.
    connection.execute(held.with_for_update(read=True, key_share=True)).all()
    scheduled = repeats.scheduled_among(connection, ids)
    asked = select(deliveries.c.id).where(deliveries.c.id.in_(ids), which)
    asked = asked.order_by(deliveries.c.id).with_for_update()
    withdrawn.refuse(connection, list(connection.execute(asked).scalars()), now)
    statement = (
        update(deliveries)
        .where(deliveries.c.id.in_(ids), which)
        .values(
            state="waiting",
            # What may have been sent is looked for from when it was planned first.
            planned_at=case((deliveries.c.uncertain, deliveries.c.planned_at), else_=now),
            due_at=now,
            failures=0,
            reason=None,
            settled_at=None,
        )
        .returning(deliveries.c.id)
    )
    sent = list(connection.execute(statement).scalars())
    behind = undone.put_behind(connection, sent, now, may_repeat)
    behind += undone.last_word(connection, scheduled.intersection(sent), now, may_repeat)
    return Again(len(sent), behind)
