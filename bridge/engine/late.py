"""Beginnings that come after their ending, such as a purchase that was refunded already.

What such an event writes would win over the ending. So what the ending wrote
to the same places is planned once more, behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.ledger import endings
from bridge.ledger.database import Connection
from bridge.ledger.endings import Matter, Place, Standing
from bridge.ledger.plan import Plan, PlannedDelivery, PlannedEvent
from bridge.ledger.stories import event_id

# Of one event: nobody refunds an order in more parts than that.
MOST_ENDINGS = 50

Key = tuple[str, str]
"""A lane and a person: deliveries that share both keep their order."""


def completed(
    connection: Connection,
    plans: Sequence[Plan],
    may_repeat: Callable[[PlannedDelivery], bool],
) -> list[Plan]:
    """The plans, with what is to be repeated: to be recorded in the same transaction.

    An ending counts that is in the ledger, or comes earlier in `plans`. What
    a beginning does not send anew needs nothing behind it, so that recording
    a plan twice repeats nothing twice.
    """
    late = dict(_late(plans, _known(connection, plans)))
    if not late:
        return list(plans)
    behind = Behind(
        late=late,
        written=_written(connection, plans, {place for found in late.values() for place in found}),
        standings=endings.standings(connection, _owed_by(plans, late)),
        may_repeat=may_repeat,
    )
    return [behind.complete(plan) for plan in plans]


def _known(connection: Connection, plans: Sequence[Plan]) -> dict[Matter, list[Place]]:
    begun = {
        (plan.source, matter) for plan in plans for event in plan.events for matter in event.begins
    }
    return endings.known(connection, begun)


def _late(
    plans: Sequence[Plan], known: dict[Matter, list[Place]]
) -> Iterator[tuple[Place, list[Place]]]:
    """Each beginning with the endings that were known before it, in the order of receipt."""
    for plan in plans:
        for event in plan.events:
            here = (plan.number, event.position)
            found = {
                place
                for matter in event.begins
                # Whatever its number: of two that are received at once, the higher may be
                # committed, and routed, first.
                for place in known.get((plan.source, matter), ())
            }
            if found:
                yield here, sorted(found)[-MOST_ENDINGS:]
        for event in plan.events:
            for matter in event.ends:
                known.setdefault((plan.source, matter), []).append((plan.number, event.position))


def _written(
    connection: Connection, plans: Sequence[Plan], events: set[Place]
) -> Mapping[Place, Sequence[PlannedDelivery]]:
    """What the endings write: by the plans that are to be recorded, else by the ledger."""
    at_hand = {plan.number: plan for plan in plans}
    written = dict(
        endings.written_by(connection, {place for place in events if place[0] not in at_hand})
    )
    for number, position in events:
        if number in at_hand:
            of_plan = at_hand[number].deliveries
            written[number, position] = [
                each for each in of_plan if each.position == position and each.item
            ]
    return written


def _owed_by(plans: Sequence[Plan], late: Mapping[Place, object]) -> Iterator[str]:
    for plan in plans:
        for each in plan.deliveries:
            if (plan.number, each.position) in late:
                yield each.id


@dataclass(frozen=True)
class Behind:
    """Puts what endings wrote behind what beginnings write.

    `late` has the endings of each beginning; `standings` what became so far of
    the beginnings' own deliveries.
    """

    late: Mapping[Place, Sequence[Place]]
    written: Mapping[Place, Sequence[PlannedDelivery]]
    standings: Mapping[str, Standing]
    may_repeat: Callable[[PlannedDelivery], bool]

    def complete(self, plan: Plan) -> Plan:
        changed: list[PlannedEvent] = []
        repeated: list[PlannedDelivery] = []
        for event in plan.events:
            found = self.late.get((plan.number, event.position))
            if found:
                own = [each for each in plan.deliveries if each.position == event.position]
                shared = self._shared(own, found)
                repeated += self._repeats(plan, own, shared)
                event = replace(event, remarks=[*event.remarks, _remark(found, bool(shared))])
            changed.append(event)
        return replace(plan, events=changed, deliveries=[*plan.deliveries, *repeated])

    def _shared(
        self, own: Sequence[PlannedDelivery], found: Sequence[Place]
    ) -> list[PlannedDelivery]:
        """What the endings wrote where the beginning writes too."""
        keys = {_key(each) for each in own if each.state == "waiting" and each.order_key}
        return [
            each
            for place in found
            for each in self.written.get(place, ())
            if _key(each) in keys and self.may_repeat(each)
        ]

    def _repeats(
        self, plan: Plan, own: Sequence[PlannedDelivery], shared: Sequence[PlannedDelivery]
    ) -> Iterator[PlannedDelivery]:
        sent = {_key(each): each for each in own if self._is_sent(plan, each)}
        after = max((each.place for each in own), default=0) + 1
        for number, each in enumerate(shared):
            last = sent.get(_key(each))
            if last is not None:
                yield replace(
                    each,
                    id=self._name(each, last),
                    position=last.position,
                    place=after + number,
                    state="waiting",
                    reason=None,
                )

    def _is_sent(self, plan: Plan, delivery: PlannedDelivery) -> bool:
        standing = self.standings.get(delivery.id)
        return delivery.state == "waiting" and (standing is None or standing.is_sent_by(plan))

    def _name(self, ending: PlannedDelivery, beginning: PlannedDelivery) -> str:
        """Another each time that the beginning is sent anew, since it has to be behind it anew."""
        standing = self.standings.get(beginning.id)
        attempts = standing.attempts if standing else 0
        told = "\x00".join((ending.id, beginning.id, str(attempts)))
        return hashlib.sha256(told.encode()).hexdigest()[:24]


def _key(delivery: PlannedDelivery) -> Key:
    return delivery.lane, delivery.order_key


def _remark(found: Sequence[Place], is_shared: bool) -> str:
    named = ", ".join(event_id(*place) for place in found)
    events = f"event{'s' if len(found) > 1 else ''} {named}"
    if is_shared:
        return (
            f"it was undone before it came, by {events}: what that wrote to the same places is "
            "done once more behind what this writes"
        )
    return (
        f"it was undone before it came, by {events}: that wrote nothing to the places that this "
        "writes to, so nothing is done once more"
    )
