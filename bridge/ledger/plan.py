"""From webhooks that wait to deliveries that are owed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from bridge.event import Webhook
from bridge.ledger import cancellers, consents, endings, owed, withdrawn
from bridge.ledger.alerts import UNREADABLE, UNREADABLE_DAYS, Alert, raise_alert, raise_alerts
from bridge.ledger.bodies import RECEIVED_SIZE, body_of
from bridge.ledger.books import PLANNED, tally
from bridge.ledger.endings import Ending
from bridge.ledger.tables import WAITING_WEBHOOK, events, webhooks
from bridge.ledger.upsert import insert

# Of bodies at a time: a worker that parses a hundred of the largest would need gigabytes.
MOST_BYTES = 8_000_000

# Why an end is kept for a person that names what it is not signed for.
CLAIM_MISMATCH = "ticket-mismatch"
# Of such an end for good, once a person has asked for it again.
CLAIM_ACCEPTED = "ticket-mismatch-accepted"

_MAX_SUBJECT = 200

# Replaying an event plans these afresh; what arrived or is under way stays.
RENEWABLE = ("rejected", "suppressed", "dead", "previewed")


@dataclass(frozen=True)
class Waiting:
    """A webhook to be routed, by its number; `replayed` where a person asked for it again.

    `released`: it was kept for a person because of its claims, and the person asked for it,
    now or earlier.
    """

    number: int
    idempotency_key: str
    webhook: Webhook
    replayed: bool
    released: bool = False


@dataclass(frozen=True)
class PlannedEvent:
    """One event as it was routed; `verdicts` has an object for each rule that was asked.

    `ends`, `claims`, `holds_claims` and `order_key` are those of `bridge.event.Event`, and
    `begins` also what a beginning claims: what is accepted as an end of that ends it.
    `known_as` are the keys by which it calls off what is scheduled
    unless it comes (see `Unless`).
    """

    position: int
    type: str
    who: str | None
    verdicts: Sequence[Mapping[str, Any]]
    remarks: Sequence[str]
    begins: Sequence[str] = ()
    ends: Sequence[str] = ()
    order_key: str = ""
    known_as: Sequence[str] = ()
    claims: Sequence[str] = ()
    holds_claims: bool = False


@dataclass(frozen=True)
class Once:
    """That it is done for one event alone of all that have this key.

    Or, where there is a `period`, for one alone of those that were received within so many
    seconds of each other. `words` say what is done once: `once per contact`.
    """

    key: str
    period: float | None
    words: str


@dataclass(frozen=True)
class Unless:
    """What calls it off: an event known as one of `keys`, of a type that fits one of `types`.

    Types may be globs. See `PlannedEvent.known_as`. One that fits `claims` alone calls
    nothing off: a person is told of it.
    """

    types: tuple[str, ...]
    keys: tuple[str, ...]
    claims: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedConsent:
    """That somebody is to be put on a list or taken off it; the fields of `consents.Consent`."""

    address: str
    decision: str
    flag: bool | None
    wording: str | None


@dataclass(frozen=True)
class PlannedDelivery:
    """One delivery as planned: `waiting` until `due_at`, or settled at once with a reason.

    Or `scheduled`, which keeps nothing behind it until it is due: for what a rule wants to
    be done later, and not in the hours that `quiet` says (see `QuietHours.of`). `repeats` is
    the id of an ending's delivery that this one does once more.
    """

    id: str
    position: int
    rule: str
    step: int
    place: int
    account: str
    action: str
    lane: str
    order_key: str
    item: Mapping[str, Any]
    gist: Mapping[str, str] | None = None
    event: Mapping[str, Any] | None = None
    topic: str | None = None
    due_at: float = 0.0
    repeats: str | None = None
    consent: PlannedConsent | None = None
    state: str = "waiting"
    reason: str | None = None
    once: Once | None = None
    unless: Unless | None = None
    quiet: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Plan:
    """What routing made of one webhook: its new state, events and deliveries.

    `too_much` says what of it there was no room for; empty: nothing. `unread` names what could
    not be read. `reason` is why it is kept aside, or CLAIM_ACCEPTED.
    """

    number: int
    state: str
    rules_version: str
    source: str = ""
    reason: str | None = None
    replayed: bool = False
    events: Sequence[PlannedEvent] = ()
    deliveries: Sequence[PlannedDelivery] = ()
    too_much: str = ""
    unread: Sequence[str] = ()


def waiting(connection: Connection, limit: int, most_bytes: int = MOST_BYTES) -> list[Waiting]:
    """Those that wait longest, in the order of receipt: one, or what fits in `most_bytes`."""
    sizes = connection.execute(
        select(webhooks.c.number, RECEIVED_SIZE)
        .where(WAITING_WEBHOOK)
        .order_by(webhooks.c.number)
        .limit(limit)
    ).all()
    if not sizes:
        return []
    within = takewhile(lambda total: total <= most_bytes, accumulate(size for _, size in sizes))
    count = max(1, sum(1 for _ in within))
    query = (
        select(webhooks)
        .where(WAITING_WEBHOOK, webhooks.c.number <= sizes[count - 1][0])
        .order_by(webhooks.c.number)
        .limit(count)
    )
    return [as_waiting(row) for row in connection.execute(query).mappings()]


def kept_aside(plan: Plan, reason: str) -> Plan:
    """The same webhook in quarantine, with nothing planned."""
    return Plan(plan.number, "quarantined", plan.rules_version, reason=reason)


def as_waiting(row: Mapping[Any, Any]) -> Waiting:
    """A row of webhooks as routing wants it."""
    webhook = Webhook(
        source=row["source"],
        body=body_of(row),
        headers=row["headers"],
        received_at=row["received_at"],
        method=row["method"],
    )
    return Waiting(
        number=row["number"],
        idempotency_key=row["idempotency_key"],
        webhook=webhook,
        replayed=row["replayed"],
        released=row["reason"] in (CLAIM_MISMATCH, CLAIM_ACCEPTED),
    )


def record(connection: Connection, plans: Sequence[Plan], now: float) -> None:
    """Write plans down, and call off what their events call off.

    The same plan twice changes nothing: its deliveries have the same ids.
    """
    if not plans:
        return
    ends = [{"number_": each.number, "state_": each.state, "why": each.reason} for each in plans]
    connection.execute(_END, ends)
    for plan in plans:
        # Of a mismatch `unproven.tell` says more.
        if plan.state == "quarantined" and plan.reason != CLAIM_MISMATCH:
            _tell(connection, plan, now)
        if plan.too_much:
            _tell_too_much(connection, plan, now)
    raise_alerts(connection, [alert for plan in plans for alert in _unreadable(plan, now)])
    _record_events(connection, plans, now)
    consents.record(connection, plans, now)
    fresh = owed.record_deliveries(connection, plans, now)
    endings.keep(connection, [each for plan in plans for each in _endings(plan)], now)
    cancellers.call_off(connection, plans, now)
    withdrawn.call_off(connection, list(_leaving(plans)), now)
    tally(connection, PLANNED, fresh)


_END = (
    update(webhooks)
    .where(webhooks.c.number == bindparam("number_"))
    .values(state=bindparam("state_"), reason=bindparam("why"), replayed=False)
)


def _leaving(plans: Sequence[Plan]) -> Iterator[str]:
    """What takes somebody off a list now."""
    for each in (delivery for plan in plans for delivery in plan.deliveries):
        if each.consent and each.consent.decision == withdrawn.LEAVES and each.state == "waiting":
            yield each.id


def _tell_too_much(connection: Connection, plan: Plan, now: float) -> None:
    raise_alert(
        connection,
        kind="too-much",
        subject=f"event {plan.number}",
        text=f"Event {plan.number} holds or makes more than one webhook may: {plan.too_much}. "
        f"`showbridge event {plan.number}` shows it. If it is genuine, do by hand what was left "
        "out; if rules make too much of it, let them do less for each entry, publish them, and "
        f"run `showbridge replay {plan.number}`.",
        at=now,
    )


def _unreadable(plan: Plan, now: float) -> Iterator[Alert]:
    """One for each place of each source, however many events have it."""
    for place in plan.unread:
        text = (
            f"What {plan.source} sends in `{place}` cannot be read, lately in event {plan.number}: "
            "there it is unknown, and rules that ask for it do not match. `showbridge event "
            f"{plan.number}` says how it was written. Ask the sender to write it in another way, "
            "or let rules do without it. This alert ends by itself once nothing of the kind has "
            f"come for {UNREADABLE_DAYS} days."
        )
        yield Alert(UNREADABLE, f"{plan.source} {place}"[:_MAX_SUBJECT], text, now, now, 1)


def _tell(connection: Connection, plan: Plan, now: float) -> None:
    raise_alert(
        connection,
        kind="quarantined",
        subject=str(plan.reason),
        text=f"Webhook {plan.number} was kept aside: {plan.reason}. Once that is put right, "
        f"`showbridge replay {plan.number}` routes it again.",
        at=now,
    )


def _record_events(connection: Connection, plans: Iterable[Plan], now: float) -> None:
    rows = [_event_row(plan, event, now) for plan in plans for event in plan.events]
    if not rows:
        return
    statement = insert(connection, events)
    written = {column.name: statement.excluded[column.name] for column in events.columns}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(events.primary_key), set_=written),
        rows,
    )


def _event_row(plan: Plan, event: PlannedEvent, now: float) -> dict[str, Any]:
    return {
        "webhook": plan.number,
        "position": event.position,
        "type": event.type,
        "who": event.who,
        "verdicts": list(event.verdicts),
        "remarks": list(event.remarks),
        "begins": list(event.begins) or None,
        "rules_version": plan.rules_version,
        "routed_at": now,
    }


def _endings(plan: Plan) -> Iterator[Ending]:
    for event in plan.events:
        if event.ends:
            place = (plan.number, event.position)
            yield Ending(plan.source, place, event.order_key, event.ends, event.claims)
