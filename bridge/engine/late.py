"""What is known before plans are recorded: what was undone, called off or done already.

What a beginning writes that comes after its ending, such as a purchase that was
refunded already, would win over the ending. So what the ending wrote to the
same places is planned once more, behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bridge.connector import Connector
from bridge.engine.behind import Before, Behind
from bridge.ledger import (
    cancellers,
    endings,
    occasions,
    plan,
    repeats,
    scheduled,
    undone,
    unproven,
    withdrawn,
)
from bridge.ledger.database import Connection
from bridge.ledger.endings import ANYBODY, Ending, Place
from bridge.ledger.plan import Plan, PlannedDelivery, PlannedEvent
from bridge.ledger.repeats import MayRepeat
from bridge.ledger.replay import renew_repeats


def repeatable(accounts: Mapping[str, type[Connector]]) -> MayRepeat:
    """Whether twice is once, and nobody's consent is needed, which was another event's."""

    def may_repeat(delivery: PlannedDelivery) -> bool:
        kind = accounts.get(delivery.account)
        action = kind.actions().get(delivery.action) if kind else None
        return action is not None and action.idempotent and action.consent_for is None

    return may_repeat


def look(connection: Connection, plans: Sequence[Plan]) -> Before:
    """Reads what may be much, so that nothing has to wait for it.

    An ending counts that is in the ledger, whatever its number: of two that
    are received at once, the higher may be committed, and routed, first. And
    so does one that comes earlier in `plans`.
    """
    doubts = unproven.look(connection, plans)
    plans = unproven.without_held(plans, doubts)
    known = endings.known(connection, {each for plan in plans for each in _asked(plan)})
    late: dict[Place, Sequence[Place]] = {}
    strangers: dict[Place, Place] = {}
    for at, event, source in _events(plans):
        others = endings.newest(known, _keys(source, event, ANYBODY))
        found = endings.newest(known, _keys(source, event, event.order_key))
        if found and event.order_key:
            late[at] = found
        elif others:
            strangers[at] = others[-1]
        ended = Ending(source, at, event.order_key, event.ends)
        for each in {*ended.keys, *ended.keys_of_anybody}:
            known.setdefault(each, []).append(at)
    wanted = {place for found in late.values() for place in found}
    written = repeats.written_by(connection, wanted)
    called_off = cancellers.came_before(connection, plans)
    return Before(late, strangers, written, called_off, doubts)


def _events(plans: Sequence[Plan]) -> Iterator[tuple[Place, PlannedEvent, str]]:
    for each in plans:
        for event in each.events:
            yield (each.number, event.position), event, each.source


def _asked(plan: Plan) -> Iterator[str]:
    for event in plan.events:
        yield from _keys(plan.source, event, event.order_key)
        yield from _keys(plan.source, event, ANYBODY)


def _keys(source: str, event: PlannedEvent, order_key: str) -> list[str]:
    return [endings.key_of(source, matter, order_key) for matter in event.begins]


def _written(
    plans: Sequence[Plan], recorded: Mapping[Place, Sequence[PlannedDelivery]], events: set[Place]
) -> Mapping[Place, Sequence[PlannedDelivery]]:
    """What the endings write: by the plans that are to be recorded, else by the ledger.

    What was sent already, and is scheduled once more, has been written too.
    """
    written = dict(recorded)
    for made in plans:
        for position in {each.position for each in made.events}:
            at = (made.number, position)
            if at in events:
                later = {each.id for each in made.deliveries if each.state == "scheduled"}
                sent = [each for each in recorded.get(at, ()) if each.id in later]
                written[at] = sorted([*_filled(made, position), *sent], key=_place)
    return written


def _filled(plan: Plan, position: int) -> list[PlannedDelivery]:
    """What is sent now."""
    owed = (each for each in plan.deliveries if each.position == position)
    return [each for each in owed if each.item and each.state == "waiting"]


def _place(delivery: PlannedDelivery) -> int:
    return delivery.place


def record(
    connection: Connection,
    plans: Sequence[Plan],
    before: Before,
    may_repeat: MayRepeat,
    now: float,
) -> list[Plan]:
    """Write down the plans, with what is to be repeated, and answer with them.

    Without what is called off, consented to no more, or done once and done already. Nobody else may
    have routed anything since `before` was looked at. What a beginning does not
    send anew needs nothing behind it, so that recording a plan twice repeats
    nothing twice.
    """
    unproven.tell(connection, before.doubts, now)
    plans = unproven.remarked(unproven.without_held(plans, before.doubts), before.doubts)
    agreed = withdrawn.without(connection, cancellers.without(plans, before.called_off))
    decided = occasions.decide(connection, agreed)
    plans = decided.plans
    sooner = repeats.scheduled_among(connection, _sent_again(plans))
    whole = completed(connection, plans, before, may_repeat)
    plan.record(connection, whole, now)
    scheduled.call_off_unplanned(connection, whole, now)
    undone.last_word(connection, sooner, now, may_repeat)
    occasions.keep(connection, decided, now)
    asked_again = {
        each.id: each
        for made in plans
        for event in made.events
        if made.replayed and event.ends
        for each in _filled(made, event.position)
    }
    renew_repeats(connection, asked_again, now, may_repeat)
    return whole


def _sent_again(plans: Sequence[Plan]) -> list[str]:
    """What may have been scheduled until now."""
    again = (each for made in plans if made.replayed for each in made.deliveries)
    return [each.id for each in again if each.state == "waiting"]


def completed(
    connection: Connection, plans: Sequence[Plan], before: Before, may_repeat: MayRepeat
) -> list[Plan]:
    if not (before.endings or before.strangers):
        return list(plans)
    ended = {place for found in before.endings.values() for place in found}
    written = _written(plans, repeats.sent_of(connection, before.written), ended)
    concerned = [
        each
        for each in plans
        if any((each.number, event.position) in before.endings for event in each.events)
    ]
    owed = [delivery.id for each in concerned for delivery in each.deliveries]
    behind = Behind(
        replace(before, written=written),
        standings=repeats.standings(connection, owed),
        repeated=repeats.behind(connection, [each.number for each in concerned if each.replayed]),
        may_repeat=may_repeat,
    )
    return [behind.complete(each) for each in plans]
