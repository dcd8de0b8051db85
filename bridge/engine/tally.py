"""What two rule sets do differently, counted; and some of it kept as examples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.engine.course import Fate, Owed
from bridge.engine.differences import Difference, Kind, differences
from bridge.engine.rule_pairs import Pair, Pairing
from bridge.rules import Verdict

Name = tuple[str, str]
"""An account and an action."""


@dataclass(frozen=True)
class About:
    """The event of an example; `at`, when it was received, in Unix seconds."""

    id: str
    type: str
    who: str | None
    at: float


@dataclass(frozen=True)
class Fates:
    """What became of one event's deliveries by the rules before and after.

    Without those that are the same on both sides for sure. `person` is a hash of
    whom the event is about; the verdicts are those that matched or not, by rule.
    """

    about: About
    person: int | None
    before: Sequence[Owed]
    after: Sequence[Owed]
    verdicts_before: Mapping[str, Verdict]
    verdicts_after: Mapping[str, Verdict]

    @property
    def open_until(self) -> float:
        """Until when something may still be called off, in Unix seconds; 0: nothing may."""
        return max((each.due_at for each in (*self.before, *self.after) if each.is_open), default=0)


@dataclass(frozen=True)
class Example:
    """One difference. `why_not` says why it is not done on the side where it is not."""

    about: About
    difference: Difference
    why_not: str


@dataclass
class Waits:
    """How long what is put off waits, in seconds."""

    count: int = 0
    shortest: float = 0.0
    longest: float = 0.0

    def add(self, seconds: float) -> None:
        self.shortest = min(self.shortest, seconds) if self.count else seconds
        self.longest = max(self.longest, seconds)
        self.count += 1


@dataclass
class Side:
    """What became of what one side planned, where it is not the same on both for sure."""

    fates: Counter[Fate] = field(default_factory=Counter)
    waits: Waits = field(default_factory=Waits)

    def add(self, owed: Owed) -> None:
        self.fates[owed.fate] += 1
        if owed.fate == "later":
            self.waits.add(owed.due_at - owed.at)


@dataclass
class Counts:
    """Of one rule, or of one action. `lawful`, `refused`: with consent only after, only before."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    before: Side = field(default_factory=Side)
    after: Side = field(default_factory=Side)
    lawful: int = 0
    refused: int = 0

    def add(self, difference: Difference) -> None:
        self.kinds[difference.kind] += 1
        if difference.kind == "added" and _is_refused(difference.before):
            self.lawful += 1
        elif difference.kind == "removed" and _is_refused(difference.after):
            self.refused += 1


def _is_refused(owed: Owed | None) -> bool:
    return owed is not None and owed.fate == "consent"


@dataclass
class RuleCounts(Counts):
    """`matched_before` and `matched_after` count events; examples are the first of each kind."""

    matched_before: int = 0
    matched_after: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass
class ActionCounts(Counts):
    """`people`: by a hash of whom it is about, how many more there are after than before."""

    people: Counter[int] = field(default_factory=Counter)

    @property
    def more(self) -> int:
        """People for whom it is done now and was not, or was less often."""
        return sum(count > 0 for count in self.people.values())

    @property
    def fewer(self) -> int:
        return sum(count < 0 for count in self.people.values())


class Tally:
    """Counts differences by rule and by action; keeps `examples` of each kind for each rule."""

    def __init__(self, pairing: Pairing, examples: int) -> None:
        self._examples = examples
        self._old = {pair.before.name: pair for pair in pairing.pairs if pair.before}
        self._new = {pair.after.name: pair for pair in pairing.pairs if pair.after}
        self._rules = [(pair, RuleCounts()) for pair in pairing.pairs]
        self._of = {id(pair): counts for pair, counts in self._rules}
        self.actions: dict[Name, ActionCounts] = defaultdict(ActionCounts)
        self.different = 0

    @property
    def rules(self) -> Sequence[tuple[Pair, RuleCounts]]:
        return self._rules

    def matched(self, before: Mapping[str, Verdict], after: Mapping[str, Verdict]) -> None:
        for name, verdict in before.items():
            self._before(name).matched_before += verdict.matched
        for name, verdict in after.items():
            self._after(name).matched_after += verdict.matched

    def add(self, fates: Fates) -> None:
        """When nothing of it can change any more."""
        for owed in fates.before:
            self._before(owed.planned.rule).before.add(owed)
            self.actions[owed.name].before.add(owed)
        for owed in fates.after:
            self._after(owed.planned.rule).after.add(owed)
            self.actions[owed.name].after.add(owed)
        found = list(differences(fates.before, fates.after, self._partner))
        for each in found:
            self._note(each, fates)
        self.different += bool(found) or _undone(fates.before) != _undone(fates.after)

    def _note(self, difference: Difference, fates: Fates) -> None:
        done = difference.done
        side = self._before if difference.kind == "removed" else self._after
        counts = side(done.planned.rule)
        if counts.kinds[difference.kind] < self._examples:
            why_not = self._why_not(difference, fates)
            counts.examples.append(Example(fates.about, difference, why_not))
        counts.add(difference)
        action = self.actions[done.name]
        action.add(difference)
        step = {"added": 1, "removed": -1, "changed": 0}[difference.kind]
        if step and fates.person is not None:
            action.people[fates.person] += step

    def _why_not(self, difference: Difference, fates: Fates) -> str:
        """Of the delivery that the other side left, else of the rule that did not match there."""
        if difference.kind == "changed":
            return ""
        added = difference.kind == "added"
        left = difference.before if added else difference.after
        if left is not None:
            return left.reason
        rule = difference.done.planned.rule
        pair = self._new[rule] if added else self._old[rule]
        other = pair.before if added else pair.after
        verdicts = fates.verdicts_before if added else fates.verdicts_after
        verdict = verdicts.get(other.name) if other else None
        return verdict.why_not if verdict else ""

    def _partner(self, rule: str) -> str | None:
        after = self._old[rule].after
        return after.name if after else None

    def _before(self, rule: str) -> RuleCounts:
        return self._of[id(self._old[rule])]

    def _after(self, rule: str) -> RuleCounts:
        return self._of[id(self._new[rule])]


def _undone(some: Sequence[Owed]) -> Counter[tuple[Name, Fate]]:
    return Counter((each.name, each.fate) for each in some if not each.is_done)
