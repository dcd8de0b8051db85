"""Two rule sets over the same events, one event after the other, as each would be planned live.

What both do alike for sure is filled in once, and of very many only some, to
know what it costs; the rest is filled in on both sides and compared. Nothing
is read or written here: times count from when each event was received.
"""

from __future__ import annotations

import heapq
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from bridge.engine.course import Arrivals, Course, Owed
from bridge.engine.estimate import Cost
from bridge.engine.owing import Owing
from bridge.engine.room import MAX_DELIVERIES
from bridge.engine.route import events_of
from bridge.engine.rule_pairs import Pair, Pairing, paired
from bridge.engine.spending import Prices, Spending
from bridge.engine.tally import About, ActionCounts, Fates, Name, RuleCounts, Tally
from bridge.event import Event
from bridge.ledger.plan import Waiting
from bridge.ledger.stories import event_id
from bridge.logs import place_of
from bridge.rules import RuleSet, Verdict, judge
from bridge.rules.seen import Seen
from bridge.rules.values import view
from bridge.source import Source

log = logging.getLogger(__name__)

# Of what both do alike all of the first are filled in, and then each so many-th.
_FIRST = 300
_EACH = 20


@dataclass(frozen=True)
class Comparison:
    """What other rules would have done with what came in.

    `different` counts events that would be handled differently, `unreadable` webhooks
    whose events cannot be told. `costs`: before and after, by account, None where
    nothing is sent; `is_estimated` where they were counted on some of many.
    """

    pairing: Pairing
    events: int
    different: int
    unreadable: int
    rules: Sequence[tuple[Pair, RuleCounts]]
    actions: Mapping[Name, ActionCounts]
    costs: Mapping[str, tuple[Cost | None, Cost | None]]
    is_estimated: bool


class _Half:
    """One rule set with what it plans over the period, and what that costs."""

    def __init__(self, rules: RuleSet, arrivals: Arrivals) -> None:
        self.rules = rules
        self.spending = Spending()
        self._named = {rule.name: rule for rule in rules.rules}
        self._course = Course(arrivals)
        self.call_off = self._course.call_off

    def is_once(self, rule: str) -> bool:
        return self._named[rule].once is not None

    def spend(self, owed: Owed, weight: int = 1) -> None:
        if owed.is_done:
            self.spending.add(owed.planned, weight)

    def judge(self, one: _Event) -> Mapping[str, Verdict]:
        return {each.rule: each for each in judge(self.rules, one.event, one.seen)}

    def owed(self, one: _Event, matched: Sequence[Verdict]) -> list[Owed]:
        """What becomes of what these rules ask for, as far as can be told yet."""
        if not matched:
            return []
        turns = one.owing.turns([self._named[each.rule] for each in matched], matched)
        planned = one.owing.deliveries(turns[:MAX_DELIVERIES])
        return self._course.take(planned, one.place, one.about.at)


@dataclass(frozen=True)
class _Event:
    """One event on its way through both."""

    event: Event
    seen: Seen
    about: About
    place: tuple[int, int]
    owing: Owing


class Comparing:
    """Takes webhooks in the order of receipt; keeps `examples` of each kind for each rule."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        prices: Prices,
        before: RuleSet,
        after: RuleSet,
        examples: int = 3,
    ) -> None:
        self._sources = sources
        self._prices = prices
        self._pairing = paired(before, after)
        self._tally = Tally(self._pairing, examples)
        self._arrivals = Arrivals.of(before, after)
        self._before = _Half(before, self._arrivals)
        self._after = _Half(after, self._arrivals)
        self._both = _Half(after, self._arrivals)
        self._alike = dict(_alike(self._pairing))
        self._times: Counter[str] = Counter()
        self._open: list[tuple[float, int, Fates]] = []
        self._numbers = count()
        self._events = self._unreadable = 0

    def take(self, waiting: Waiting) -> None:
        """Never raises."""
        source = self._sources.get(waiting.webhook.source)
        try:
            events = events_of(waiting, source) if source else None
        except Exception as error:  # noqa: BLE001  # as in routing: it would be kept aside
            log.debug("webhook %d cannot be read: %s", waiting.number, place_of(error))
            events = None
        if source is None or events is None:
            self._unreadable += 1
            return
        for position, event in enumerate(events, start=1):
            self._take(self._event(waiting, source, event, position))

    def comparison(self) -> Comparison:
        """Of all that was taken. What still waits then is done: nothing has called it off."""
        self._conclude(float("inf"))
        return Comparison(
            pairing=self._pairing,
            events=self._events,
            different=self._tally.different,
            unreadable=self._unreadable,
            rules=self._tally.rules,
            actions=self._tally.actions,
            costs=self._costs(),
            is_estimated=any(times > _FIRST for times in self._times.values()),
        )

    def _event(self, waiting: Waiting, source: Source, event: Event, position: int) -> _Event:
        seen = Seen(view(event))
        at = event.received_at or 0.0
        place = (waiting.number, position)
        owing = Owing(
            accounts=self._prices.kinds,
            wordings={},
            event=event,
            seen=seen,
            webhook=waiting.number,
            key=waiting.idempotency_key,
            position=position,
            show_field=source.show_field,
            now=at,
        )
        who = event.contact.email or event.contact.name
        return _Event(event, seen, About(event_id(*place), event.type, who, at), place, owing)

    def _take(self, one: _Event) -> None:
        self._events += 1
        self._conclude(one.about.at)
        before, after = self._before.judge(one), self._after.judge(one)
        self._tally.matched(before, after)
        alike = dict(self._done_alike(before, after))
        self._spend(one, [after[name] for name in alike.values()])
        old = self._before.owed(one, _matched(before, alike))
        new = self._after.owed(one, _matched(after, alike.values()))
        if came := self._arrivals.note(one.event, one.place):
            for half in (self._before, self._after, self._both):
                half.call_off(came, one.about.at)
        if old or new:
            self._hold(Fates(one.about, _person(one.event), old, new, before, after))

    def _done_alike(
        self, before: Mapping[str, Verdict], after: Mapping[str, Verdict]
    ) -> Iterator[tuple[str, str]]:
        """The names before and after of rules that do the same for this event."""
        for name, verdict in before.items():
            other = self._alike.get(name) if verdict.matched else None
            theirs = after.get(other) if other else None
            if other and theirs and theirs.matched and theirs.members == verdict.members:
                yield name, other

    def _spend(self, one: _Event, matched: Sequence[Verdict]) -> None:
        """What both spend, counted on some of very many."""
        for verdict in matched:
            self._times[verdict.rule] += 1
            times = self._times[verdict.rule]
            weight = 1 if times <= _FIRST or self._both.is_once(verdict.rule) else _EACH
            if weight == 1 or times % _EACH == 0:
                for owed in self._both.owed(one, [verdict]):
                    self._both.spend(owed, weight)

    def _hold(self, fates: Fates) -> None:
        """Until nothing of it can be called off any more."""
        until = fates.open_until
        if until:
            heapq.heappush(self._open, (until, next(self._numbers), fates))
        else:
            self._add(fates)

    def _conclude(self, now: float) -> None:
        while self._open and self._open[0][0] < now:
            self._add(heapq.heappop(self._open)[2])

    def _add(self, fates: Fates) -> None:
        for owed in fates.before:
            self._before.spend(owed)
        for owed in fates.after:
            self._after.spend(owed)
        self._tally.add(fates)

    def _costs(self) -> dict[str, tuple[Cost | None, Cost | None]]:
        both = self._both.spending
        before = self._prices.costs(both, self._before.spending)
        after = self._prices.costs(both, self._after.spending)
        return {name: (before.get(name), after.get(name)) for name in {**before, **after}}


def _alike(pairing: Pairing) -> Iterator[tuple[str, str]]:
    """The names before and after of rules that do the same wherever both match."""
    for pair in pairing.pairs:
        if pair.alike and pair.before and pair.after:
            yield pair.before.name, pair.after.name


def _matched(verdicts: Mapping[str, Verdict], but: Collection[str]) -> list[Verdict]:
    return [each for name, each in verdicts.items() if each.matched and name not in but]


def _person(event: Event) -> int | None:
    """None where it is about nobody who is known."""
    address = event.contact.email
    return hash(address.strip().casefold()) if address else None
