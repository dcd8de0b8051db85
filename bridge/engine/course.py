"""What becomes of planned deliveries in the course of a period: done once, put off, called off.

Nothing is read from a ledger and nothing is written: what came before the period
is not known. Who may do something again and what calls something off is decided
as the ledger decides it, by the same records. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bridge.engine.consent import NO_CONSENT
from bridge.engine.lane_names import short
from bridge.engine.occasions import known_as
from bridge.event import Event
from bridge.ledger.cancellers import Came
from bridge.ledger.endings import Ending, Place
from bridge.ledger.occasions import Holder
from bridge.ledger.plan import Once, PlannedDelivery
from bridge.ledger.stories import event_id
from bridge.rules import RuleSet
from bridge.rules.conditions import glob

Fate = Literal["now", "later", "once", "cancelled", "consent", "idle", "rejected"]
"""Done at once or at its time; or not, for: it was done already, something called it off, nobody
agreed to it, there is no address or its time was over, it cannot be filled in."""

DONE: Sequence[Fate] = ("now", "later")

# So many webhooks later what is over is looked for.
_SWEEP = 5_000


@dataclass
class Owed:
    """A planned delivery and what becomes of it, and why if it is not done.

    `due_at` is 0 for what is done at once; Unix seconds, as `at`, when its event came.
    """

    planned: PlannedDelivery
    place: Place
    at: float
    fate: Fate
    reason: str = ""

    @property
    def name(self) -> tuple[str, str]:
        return self.planned.account, self.planned.action

    @property
    def is_done(self) -> bool:
        return self.fate in DONE

    @property
    def due_at(self) -> float:
        return self.planned.due_at if self.planned.due_at > self.at else 0.0

    @property
    def is_open(self) -> bool:
        """Whether a later event can still call it off."""
        return self.fate == "later" and self.planned.unless is not None


@dataclass
class Arrivals:
    """What events of a period are known by, as far as one of `types` (globs) may be waited for."""

    types: Sequence[str]
    _ended: dict[str, list[Came]] = field(default_factory=dict)

    @classmethod
    def of(cls, *several: RuleSet) -> Arrivals:
        found = (rule.unless.types for rules in several for rule in rules.rules if rule.unless)
        return cls(sorted({each for types in found for each in types}))

    def note(self, event: Event, place: Place) -> dict[str, Came]:
        """By its keys, what the event may call off; nothing where nobody waits for its type."""
        if not any(glob(event.type, each) for each in self.types):
            return {}
        matters = [short(each) for each in event.ends]
        ending = Ending(event.source, place, event.order_key, matters)
        ends = set(ending.keys if event.order_key else ())
        came = {key: Came(place, event.type, key in ends) for key in {*known_as(event), *ends}}
        for key in ends:
            self._ended.setdefault(key, []).append(came[key])
        return came

    def before(self, owed: PlannedDelivery, place: Place) -> Came | None:
        """What called it off before it was planned."""
        if owed.unless is None:
            return None
        keys = (*owed.unless.keys, *owed.unless.claims)
        came = (each for key in keys for each in self._ended.get(key, ()))
        types = owed.unless.types
        found = [each for each in came if each.calls_off(types, place)]
        return min(found, key=lambda each: each.place, default=None)


@dataclass
class _Holding:
    """One event that has something done by a key; `open` of it may still be called off."""

    holder: Holder
    open: list[Owed] = field(default_factory=list)
    is_certain: bool = False

    def add(self, owed: Owed) -> None:
        if owed.is_open:
            self.open.append(owed)
        else:
            self.is_certain = True

    def settle(self, at: float) -> None:
        """Keep only what may still be called off, since items are large and keys are many."""
        self.is_certain |= any(each.is_done and each.due_at < at for each in self.open)
        self.open = [each for each in self.open if each.is_open and each.due_at >= at]


@dataclass
class _Held:
    """The events that have something done by one key."""

    once: Once
    events: dict[Place, _Holding] = field(default_factory=dict)

    def is_over(self, at: float) -> bool:
        for each in self.events.values():
            each.settle(at)
        period = self.once.period
        return period is not None and all(
            each.holder.at + period < at for each in self.events.values()
        )


class Course:
    """One rule set's deliveries over a period. Events come in the order of their receipt."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._held: dict[str, _Held] = {}
        self._waiting: dict[str, list[Owed]] = {}
        self._seen = 0

    def take(self, planned: Iterable[PlannedDelivery], place: Place, at: float) -> list[Owed]:
        """What becomes of one event's deliveries, as far as can be told when it comes in."""
        self._sweep(at)
        return [self._taken(Owed(each, place, at, *_fate(each))) for each in planned]

    def call_off(self, came: Mapping[str, Came], at: float) -> None:
        """Whatever waits for one of these."""
        for key, each in came.items():
            for owed in self._waiting.get(key, ()):
                types = owed.planned.unless.types if owed.planned.unless else ()
                if owed.is_open and owed.due_at >= at and each.calls_off(types, owed.place):
                    owed.fate, owed.reason = "cancelled", each.reason
                    self._release(owed)

    def _taken(self, owed: Owed) -> Owed:
        if not owed.is_done:
            return owed
        came = self._arrivals.before(owed.planned, owed.place)
        if came is not None:
            owed.fate, owed.reason = "cancelled", came.reason
            return owed
        self._decide(owed)
        if owed.is_open and owed.planned.unless:
            for key in (*owed.planned.unless.keys, *owed.planned.unless.claims):
                self._waiting.setdefault(key, []).append(owed)
        return owed

    def _decide(self, owed: Owed) -> None:
        """Whether another event had it done already; if not, this one has now."""
        once = owed.planned.once
        if once is None:
            return
        held = self._held.setdefault(once.key, _Held(once))
        for holder in (each.holder for each in held.events.values()):
            if holder.place != owed.place and holder.keeps_from(once, owed.at):
                owed.fate = "once"
                owed.reason = f"{once.words}: event {event_id(*holder.place)} did it"
                return
        own = held.events.setdefault(owed.place, _Holding(Holder(owed.place, owed.at)))
        own.add(owed)

    def _release(self, owed: Owed) -> None:
        """Let others do it where its event has nothing else done by the same key."""
        held = self._held.get(owed.planned.once.key) if owed.planned.once else None
        own = held.events.get(owed.place) if held else None
        if held and own and not own.is_certain and not any(each.is_done for each in own.open):
            del held.events[owed.place]

    def _sweep(self, at: float) -> None:
        """Now and then forget what is over, so that a long period needs no more memory."""
        self._seen += 1
        if self._seen % _SWEEP:
            return
        self._held = {key: held for key, held in self._held.items() if not held.is_over(at)}
        waiting = (
            (key, [one for one in some if one.is_open and one.due_at >= at])
            for key, some in self._waiting.items()
        )
        self._waiting = {key: some for key, some in waiting if some}


def _fate(planned: PlannedDelivery) -> tuple[Fate, str]:
    """As it is planned, before anything else is known."""
    if planned.state == "scheduled":
        return "later", ""
    if planned.state == "waiting":
        return "now", ""
    reason = planned.reason or ""
    if planned.state == "rejected":
        return "rejected", reason
    if planned.once:
        # Another entry of the same event had it done.
        return "once", reason
    return ("consent" if reason.startswith(NO_CONSENT) else "idle"), reason
