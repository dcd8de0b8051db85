"""Putting what endings wrote behind what late beginnings write. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.ledger import repeats
from bridge.ledger.endings import Place
from bridge.ledger.plan import Plan, PlannedDelivery, PlannedEvent
from bridge.ledger.repeats import MayRepeat, Standing, key
from bridge.ledger.stories import event_id
from bridge.ledger.unproven import Doubt


@dataclass(frozen=True)
class Before:
    """What was known before: each late beginning's endings, and what these wrote.

    `strangers` has beginnings that only an event about somebody else ended.
    `called_off` says of deliveries why they are not to be sent any more. `doubts` are ends
    that only unsigned claims connect with what they would end.
    """

    endings: Mapping[Place, Sequence[Place]] = field(default_factory=dict)
    strangers: Mapping[Place, Place] = field(default_factory=dict)
    written: Mapping[Place, Sequence[PlannedDelivery]] = field(default_factory=dict)
    called_off: Mapping[str, str] = field(default_factory=dict)
    doubts: Sequence[Doubt] = ()


@dataclass(frozen=True)
class Behind:
    """Puts what endings wrote behind what beginnings write.

    `standings` has what became so far of the beginnings' own deliveries,
    `repeated` what became of the repeats behind those that are replayed.
    """

    before: Before
    standings: Mapping[str, Standing]
    repeated: Mapping[tuple[Place, str], Standing]
    may_repeat: MayRepeat

    def complete(self, plan: Plan) -> Plan:
        changed: list[PlannedEvent] = []
        repeated: list[PlannedDelivery] = []
        for event in plan.events:
            at = (plan.number, event.position)
            found = self.before.endings.get(at, ())
            own = [each for each in plan.deliveries if each.position == event.position]
            shared = self._shared(own, found)
            repeated += self._repeats(plan, at, own, shared)
            if found or at in self.before.strangers:
                told = found or [self.before.strangers[at]]
                event = replace(event, remarks=[*event.remarks, _remark(told, bool(shared))])
            changed.append(event)
        return replace(plan, events=changed, deliveries=[*plan.deliveries, *repeated])

    def _shared(
        self, own: Sequence[PlannedDelivery], found: Sequence[Place]
    ) -> list[PlannedDelivery]:
        """What the endings wrote where the beginning writes too, now or later."""
        keys = {key(each) for each in own if each.state in _SENT and each.order_key}
        return [
            each
            for place in found
            for each in self.before.written.get(place, ())
            if key(each) in keys and self.may_repeat(each)
        ]

    def _repeats(
        self,
        plan: Plan,
        at: Place,
        own: Sequence[PlannedDelivery],
        shared: Sequence[PlannedDelivery],
    ) -> Iterator[PlannedDelivery]:
        """Behind what is sent anew all of it, else what did not arrive, and all behind that.

        Behind what is scheduled it is put when that is due.
        """
        sent = {key(each): self._standing(each) for each in own if self._is_sent(plan, each)}
        after = max((each.place for each in own), default=0) + 1
        for place, each in enumerate(shared, start=after):
            last, before = sent.get(key(each)), self.repeated.get((at, each.id))
            if last is not None:
                yield repeats.once_more(each, last, at, place)
            elif before is not None and before.is_sent_by(plan):
                yield repeats.renewed(each, before.id, at, place)
                sent[key(each)] = before

    def _is_sent(self, plan: Plan, delivery: PlannedDelivery) -> bool:
        standing = self.standings.get(delivery.id)
        return delivery.state == "waiting" and (standing is None or standing.is_sent_by(plan))

    def _standing(self, delivery: PlannedDelivery) -> Standing:
        return self.standings.get(delivery.id) or Standing(delivery.id, delivery.state, 0)


_SENT = ("waiting", "scheduled")


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
