"""Ends that nothing signed connects with what they would end: told of, and not acted on.

A refund may name the tickets of a purchase under another signed transaction. It may be
genuine, but anybody who has got hold of one signature can write as much, so the purchase's
reminder stays and a person is told (see `bridge.event.Event.claims`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Text, bindparam, cast, exists, func, or_, select

from bridge.ledger import endings
from bridge.ledger.alerts import raise_alert
from bridge.ledger.cancellers import NOT_SENT
from bridge.ledger.endings import Ending, Place
from bridge.ledger.plan import CLAIM_MISMATCH, kept_aside
from bridge.ledger.stories import event_id
from bridge.ledger.tables import cancellers, deliveries
from bridge.rules.conditions import glob

if TYPE_CHECKING:
    from bridge.ledger.plan import Plan, PlannedDelivery, PlannedEvent


@dataclass(frozen=True)
class Doubt:
    """The event `ending` claims to end what belongs to `original`; `holds`: it is kept aside."""

    ending: Place
    original: Place
    holds: bool = False


def look(connection: Connection, plans: Sequence[Plan]) -> list[Doubt]:
    """Every event of the plans that is in doubt, with one other event that it is about."""
    found = list(_endings(connection, plans))
    aside = {each.ending[0] for each in found if each.holds}
    found += _originals(connection, [each for each in plans if each.number not in aside])
    return list({(each.ending, each.original): each for each in reversed(found)}.values())


def without_held(plans: Sequence[Plan], doubts: Sequence[Doubt]) -> list[Plan]:
    """The plans, with what is to be kept for a person in quarantine."""
    held = {each.ending[0] for each in doubts if each.holds}
    return [kept_aside(each, CLAIM_MISMATCH) if each.number in held else each for each in plans]


def remarked(plans: Sequence[Plan], doubts: Sequence[Doubt]) -> list[Plan]:
    """The plans, each event in doubt with a remark for its story."""
    said = {each.original: _remark_on_original(each) for each in doubts}
    said |= {each.ending: _remark_on_ending(each) for each in doubts}
    return [_with_remarks(each, said) for each in plans]


def tell(connection: Connection, doubts: Sequence[Doubt], now: float) -> None:
    """One alert for each end in doubt, with what to do."""
    for each in doubts:
        ending, original = event_id(*each.ending), event_id(*each.original)
        raise_alert(
            connection,
            kind=CLAIM_MISMATCH,
            subject=f"event {ending}",
            text=f"Event {ending} names tickets of event {original}, but its signature is for "
            f"another transaction. {_what_to_do(each)}",
            at=now,
        )


def _what_to_do(doubt: Doubt) -> str:
    ending = event_id(*doubt.ending)
    compare = "Compare it with the Showpass dashboard."
    forged = "If it is forged, change the source's secret: a signature has leaked."
    if doubt.holds:
        return f"It is kept aside. {compare} `showbridge replay {ending}` accepts it. {forged}"
    return (
        f"So it cancelled nothing of that. {compare} If it is genuine, set `ticket_mismatch: "
        f"accept` for its source, restart, and run `showbridge replay {ending}`. {forged}"
    )


def _remark_on_ending(doubt: Doubt) -> str:
    return (
        f"it names tickets of event {event_id(*doubt.original)}, but its signature is for another "
        "transaction: nothing of that event is cancelled by it (`ticket_mismatch`)"
    )


def _remark_on_original(doubt: Doubt) -> str:
    return (
        f"event {event_id(*doubt.ending)} names its tickets, but its signature is for another "
        "transaction: nothing is cancelled or done once more by it (`ticket_mismatch`)"
    )


def _with_remarks(plan: Plan, said: Mapping[Place, str]) -> Plan:
    changed = [
        replace(each, remarks=[*each.remarks, said[plan.number, each.position]])
        if (plan.number, each.position) in said
        else each
        for each in plan.events
    ]
    return replace(plan, events=changed)


def _claiming(plans: Sequence[Plan]) -> Iterator[tuple[Ending, PlannedEvent]]:
    """The events that claim or begin anything, in order; the key of nobody is nobody's."""
    for plan in plans:
        for event in plan.events:
            if (event.claims or event.begins) and event.order_key:
                at = (plan.number, event.position)
                yield Ending(plan.source, at, event.order_key, event.ends, event.claims), event


def _endings(connection: Connection, plans: Sequence[Plan]) -> Iterator[Doubt]:
    for ended, event in _claiming(plans):
        if not (event.ends and event.claims):
            continue
        found = _waiting_in_ledger(connection, ended, event) + _waiting_in_plans(
            plans, ended, event
        )
        if found:
            yield Doubt(ended.place, min(found), event.holds_claims)


def _waiting_in_ledger(connection: Connection, ended: Ending, event: PlannedEvent) -> list[Place]:
    """The oldest events with something that waits for these claims and for nothing proven."""
    webhook, position = ended.place
    asked = {
        "claimed": ended.claimed_keys,
        "proven": list(event.known_as) or [""],
        "webhook_": webhook,
        "position_": position,
    }
    rows = connection.execute(_CLAIMED, asked).all()
    return [(row.webhook, row.position) for row in rows if _fits(event.type, row.types)]


def _fits(event_type: str, types: Sequence[str]) -> bool:
    return any(glob(event_type, each) for each in types)


_OWN = cancellers.alias("own")
_TYPES = cast(cancellers.c.types, Text)
# The oldest event alone, for each list of types that rules wait for: rules have few of these,
# and nobody hides the first purchase of a ticket behind many that claim the same ticket.
_RANKED = (
    select(
        cancellers.c.types,
        deliveries.c.webhook,
        deliveries.c.position,
        func.row_number()
        .over(partition_by=_TYPES, order_by=(deliveries.c.webhook, deliveries.c.position))
        .label("rank"),
    )
    .select_from(cancellers.join(deliveries))
    .where(
        cancellers.c.key.in_(bindparam("claimed", expanding=True)),
        NOT_SENT,
        or_(
            deliveries.c.webhook != bindparam("webhook_"),
            deliveries.c.position != bindparam("position_"),
        ),
        ~exists().where(
            _OWN.c.delivery == cancellers.c.delivery,
            _OWN.c.key.in_(bindparam("proven", expanding=True)),
        ),
    )
    .subquery()
)
_CLAIMED = select(_RANKED).where(_RANKED.c.rank == 1)


def _waiting_in_plans(plans: Sequence[Plan], ended: Ending, event: PlannedEvent) -> list[Place]:
    claimed, proven = set(ended.claimed_keys), set(event.known_as)
    return [
        (plan.number, each.position)
        for plan in plans
        for each in plan.deliveries
        if (plan.number, each.position) != ended.place and _waits(each, event.type, claimed, proven)
    ]


def _waits(delivery: PlannedDelivery, event_type: str, claimed: set[str], proven: set[str]) -> bool:
    unless = delivery.unless
    if unless is None or delivery.state not in ("waiting", "scheduled"):
        return False
    named = claimed.intersection(unless.claims) and not proven.intersection(unless.keys)
    return bool(named) and _fits(event_type, unless.types)


def _originals(connection: Connection, plans: Sequence[Plan]) -> Iterator[Doubt]:
    """What comes after an end that claims it; of several such ends the newest."""
    claiming = list(_claiming(plans))
    begun = [(each, event) for each, event in claiming if event.begins]
    asked = (key for pair in begun for key in (*_claims(*pair), *_begun(*pair)))
    known = endings.known(connection, set(asked))
    for each, event in claiming:
        if event.ends:
            for key in {*each.keys, *each.keys_of_claims}:
                known.setdefault(key, []).append(each.place)
            continue
        claims = endings.newest(known, _claims(each, event))
        proven = endings.newest(known, _begun(each, event))
        if doubtful := [place for place in claims if place not in proven]:
            yield Doubt(doubtful[-1], each.place)


def _claims(each: Ending, event: PlannedEvent) -> list[str]:
    """By which it is known what claims to end this."""
    return [endings.claim_key_of(each.source, matter, each.order_key) for matter in event.begins]


def _begun(each: Ending, event: PlannedEvent) -> list[str]:
    """By which it is known what ended this: proven, or accepted by a person or the settings."""
    return [endings.key_of(each.source, matter, each.order_key) for matter in event.begins]
