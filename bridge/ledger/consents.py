"""Who was put on a list or taken off it, on whose word, and what came of it.

Written with the plan and kept when the delivery is pruned: it is the proof that
somebody agreed, or the answer to why nothing was sent. What came of it is read
from the delivery for as long as that is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, delete, exists, func, select, text, update

from bridge.ledger import cancellers
from bridge.ledger.stories import event_id
from bridge.ledger.tables import consents, deliveries
from bridge.ledger.upsert import insert

if TYPE_CHECKING:
    from bridge.ledger.plan import Plan

PORTION = 1000
ADDRESS_LENGTH = 320

# The delivery of a decision.
SAME = (deliveries.c.id == consents.c.delivery) & (deliveries.c.webhook == consents.c.webhook)


@dataclass(frozen=True)
class Consent:
    """One decision. `decision` is `subscribe` or `unsubscribe`.

    `flag` is what the person said in this very event: True, False, or None where
    nobody asked. `wording` is the version of the text beside the box, where the
    operator has named it. `outcome` is the delivery's state; times in Unix seconds.
    """

    number: int
    address: str
    decision: str
    decided_at: float
    source: str
    event: str
    event_type: str
    rule: str
    account: str
    action: str
    flag: bool | None
    wording: str | None
    outcome: str
    reason: str | None
    settled_at: float | None


def repeat(connection: Connection, plan: Plan, now: float) -> None:
    """What is done once more is decided once more, on the same words."""
    for owed in plan.deliveries:
        if owed.repeats:
            before = select(consents).where(consents.c.delivery == owed.repeats)
            row = connection.execute(before.order_by(consents.c.number.desc())).mappings().first()
            if row:
                kept = {name: row[name] for name in row if name not in ("number", "settled_at")}
                place = {"delivery": owed.id, "webhook": plan.number, "position": owed.position}
                fresh = {"decided_at": now, "outcome": owed.state, "reason": owed.reason}
                statement = insert(connection, consents).values(kept | place | fresh)
                connection.execute(statement.on_conflict_do_nothing(index_elements=_KEY))


def record(connection: Connection, plans: Iterable[Plan], now: float) -> None:
    """Write down the plans' decisions in their order, before their deliveries are.

    The same plan twice changes nothing. In a replay what did not arrive is
    decided anew; what arrived keeps the words on which it was sent.
    """
    for replayed, some in groupby(plans, key=attrgetter("replayed")):
        rows: list[dict[str, Any]] = []
        for plan in some:
            rows += _rows(plan, now)
            if any(owed.repeats for owed in plan.deliveries):
                _add(connection, rows, replayed)
                rows = []
                repeat(connection, plan, now)
        _add(connection, rows, replayed)


def _add(connection: Connection, rows: Sequence[Mapping[str, Any]], replayed: bool) -> None:
    if not rows:
        return
    statement = insert(connection, consents)
    adding = statement.on_conflict_do_nothing(index_elements=_KEY)
    if replayed:
        renewed = {name: statement.excluded[name] for name in _RENEWED}
        adding = statement.on_conflict_do_update(index_elements=_KEY, set_=renewed, where=~_SENT)
    connection.execute(adding, rows)


_RENEWED = (
    *("address", "decision", "flag", "wording", "decided_at"),
    *("event_type", "rule", "outcome", "reason"),
)
# The row's own delivery, in words: of its own accord nothing in this place refers to the row.
_SENT = (
    exists()
    .select_from(deliveries)
    .where(
        text("deliveries.id = consents.delivery"),
        text("deliveries.webhook = consents.webhook"),
        text("deliveries.state IN ('waiting', 'sending', 'delivered')"),
    )
)
_KEY = ("delivery", "webhook")


def _rows(plan: Plan, now: float) -> Iterator[dict[str, Any]]:
    types = {event.position: event.type for event in plan.events}
    for owed in plan.deliveries:
        if owed.consent:
            yield {
                "delivery": owed.id,
                "address": owed.consent.address,
                "decision": owed.consent.decision,
                "flag": owed.consent.flag,
                "wording": owed.consent.wording,
                "decided_at": now,
                "source": plan.source,
                "webhook": plan.number,
                "position": owed.position,
                "event_type": types.get(owed.position, ""),
                "rule": owed.rule,
                "account": owed.account,
                "action": owed.action,
                "outcome": owed.state,
                "reason": owed.reason,
            }


def of_person(connection: Connection, address: str) -> list[Consent]:
    """All decisions about an address, whatever its case, the oldest first."""
    query = _query().where(consents.c.address == stored(address))
    return [_consent(row) for row in connection.execute(query)]


def after(connection: Connection, number: int, limit: int = PORTION) -> list[Consent]:
    """The next decisions, in the order in which they were first written."""
    query = _query().where(consents.c.number > number).limit(limit)
    return [_consent(row) for row in connection.execute(query)]


def forget(connection: Connection, address: str, now: float) -> int | None:
    """Delete what is kept about an address; how many decisions there were.

    None, and nothing deleted, while one of them is yet to be carried out. Whoever is
    forgotten is not subscribed later, so what is scheduled for that is called off; taken
    off a list they are. The others' deliveries are emptied, so that none of them is sent
    without a record.
    """
    theirs = consents.c.address == stored(address)
    owed = deliveries.c.id.in_(select(consents.c.delivery).where(theirs))
    open_ = connection.execute(_OPEN.where(theirs)).all()
    if any(row.state != "scheduled" or row.decision == "unsubscribe" for row in open_):
        return None
    reason = "cancelled: the person was forgotten before it was sent"
    places = {(row.webhook, row.position) for row in open_}
    cancellers.suppress(connection, dict.fromkeys((row.id for row in open_), reason), places, now)
    connection.execute(update(deliveries).where(owed).values(item={}, event=None))
    return connection.execute(delete(consents).where(theirs)).rowcount


# Nobody takes them up meanwhile.
_OPEN = (
    select(
        *(deliveries.c[name] for name in ("id", "state", "webhook", "position")),
        consents.c.decision,
    )
    .select_from(consents.join(deliveries, deliveries.c.id == consents.c.delivery))
    .where(deliveries.c.state.in_(["scheduled", "waiting", "sending"]))
    .order_by(deliveries.c.id)
    .with_for_update(of=deliveries)
)


def stored(address: str) -> str:
    """An address as decisions name it: whatever its case, and short enough for an index."""
    return address.strip().casefold().replace("\0", "")[:ADDRESS_LENGTH]


def close(connection: Connection, webhooks: Sequence[int]) -> None:
    """Write down what came of the decisions of these webhooks, whose deliveries are about to go."""
    ended = select(deliveries.c.state, deliveries.c.reason, deliveries.c.settled_at).where(SAME)
    known = ended.exists()
    connection.execute(
        update(consents)
        .where(consents.c.webhook.in_(webhooks), known)
        .values(
            outcome=ended.with_only_columns(deliveries.c.state).scalar_subquery(),
            reason=ended.with_only_columns(deliveries.c.reason).scalar_subquery(),
            settled_at=ended.with_only_columns(deliveries.c.settled_at).scalar_subquery(),
        )
    )


def _query() -> Select[Any]:
    """With what the delivery says where it is still there."""
    there = deliveries.c.id.is_not(None)
    return (
        select(
            consents,
            func.coalesce(deliveries.c.state, consents.c.outcome).label("outcome_now"),
            func.coalesce(deliveries.c.settled_at, consents.c.settled_at).label("settled_now"),
            deliveries.c.reason.label("reason_now"),
            there.label("is_there"),
        )
        .select_from(consents.outerjoin(deliveries, SAME))
        .order_by(consents.c.number)
    )


def _consent(row: Row[Any]) -> Consent:
    return Consent(
        number=row.number,
        address=row.address,
        decision=row.decision,
        decided_at=row.decided_at,
        source=row.source,
        event=event_id(row.webhook, row.position),
        event_type=row.event_type,
        rule=row.rule,
        account=row.account,
        action=row.action,
        flag=row.flag,
        wording=row.wording,
        outcome=row.outcome_now,
        reason=row.reason_now if row.is_there else row.reason,
        settled_at=row.settled_now,
    )
