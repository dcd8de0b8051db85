"""Which rule of one set is which of another: the same, changed, renamed, or new. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bridge.rules import Rule, RuleSet
from bridge.rules.asking import sign_of

Standing = Literal["same", "changed", "renamed", "added", "removed"]


@dataclass(frozen=True)
class Pair:
    """One rule, before and after; `before` is None for a new one, `after` for one that is gone.

    `alike`: for an event that both match, what they do is the same, and so it is at any
    time. A rule under another name may be changed too.
    """

    before: Rule | None
    after: Rule | None
    standing: Standing
    alike: bool

    @property
    def name(self) -> str:
        rule = self.after or self.before
        return rule.name if rule else ""


@dataclass(frozen=True)
class Pairing:
    """All rules of two sets: in the order of the new one, then those that are gone."""

    pairs: tuple[Pair, ...]
    is_reordered: bool


def paired(before: RuleSet, after: RuleSet) -> Pairing:
    """By name; what is left over by all that it says, by what it does, or by its outline."""
    old, new = _Side(before), _Side(after)
    partners = {rule.name: rule.name for rule in new.rules if rule.name in old.named}
    for known in (_Side.whole, _Side.doing, _Side.outline):
        partners |= _renamed(old, new, partners, known)
    return Pairing(tuple(_pairs(old, new, partners)), _is_reordered(old, new, partners))


def _renamed(
    old: _Side,
    new: _Side,
    partners: Mapping[str, str],
    known: Callable[[_Side, Rule], Hashable],
) -> dict[str, str]:
    """The old names of rules that have no partner yet and are `known` by the same."""
    taken = set(partners.values())
    left = [(known(old, rule), rule.name) for rule in old.rules if rule.name not in taken]
    found: dict[str, str] = {}
    for rule in new.rules:
        if rule.name in partners:
            continue
        sign = known(new, rule)
        at = next((at for at, (theirs, _) in enumerate(left) if theirs == sign), None)
        if at is not None:
            found[rule.name] = left.pop(at)[1]
    return found


def _pairs(old: _Side, new: _Side, partners: Mapping[str, str]) -> Iterator[Pair]:
    for rule in new.rules:
        if rule.name in partners:
            yield _pair(old, new, old.named[partners[rule.name]], rule)
        else:
            yield Pair(None, rule, "added", alike=False)
    gone = set(partners.values())
    for rule in old.rules:
        if rule.name not in gone:
            yield Pair(rule, None, "removed", alike=False)


def _pair(old: _Side, new: _Side, before: Rule, after: Rule) -> Pair:
    is_same = old.whole(before) == new.whole(after)
    standing: Standing = "same" if is_same else "changed"
    if before.name != after.name:
        standing = "renamed"
    alike = old.doing(before) == new.doing(after)
    if after.once is not None:
        # What was done already is the same only if all the matches before were.
        alike = is_same and old.stops_before(before) == new.stops_before(after)
    return Pair(before, after, standing, alike)


def _is_reordered(old: _Side, new: _Side, partners: Mapping[str, str]) -> bool:
    places = {rule.name: place for place, rule in enumerate(old.rules)}
    order = [places[partners[rule.name]] for rule in new.rules if rule.name in partners]
    return order != sorted(order)


class _Side:
    """The rules of one set, and by what they are known again."""

    def __init__(self, rules: RuleSet) -> None:
        self._zone = rules.time_zone
        self.rules = rules.rules
        self.named = {rule.name: rule for rule in rules.rules}
        self._stops = dict(self._stopping())

    def _stopping(self) -> Iterator[tuple[str, Hashable]]:
        stops: tuple[Hashable, ...] = ()
        for rule in self.rules:
            yield rule.name, stops
            if rule.stop:
                stops = (*stops, self.matching(rule))

    def stops_before(self, rule: Rule) -> Hashable:
        """What decides whether the rule is asked at all."""
        return self._stops[rule.name]

    def doing(self, rule: Rule) -> Hashable:
        """What it does for an event that it matches. As text: 1 is not true."""
        steps = [(step.account, step.action, step.filling) for step in rule.steps]
        of = (rule.for_each, rule.once, rule.timing, rule.unless)
        return repr((self._zone, steps, of))

    def asking(self, rule: Rule) -> Hashable:
        """Which events it is about."""
        return (rule.sources, rule.events, tuple(map(sign_of, rule.conditions)))

    def outline(self, rule: Rule) -> Hashable:
        """Which events it is about, and which actions it asks for with whatever fields."""
        actions = tuple((step.account, step.action) for step in rule.steps)
        return (self.asking(rule), actions)

    def matching(self, rule: Rule) -> Hashable:
        """Which events it matches. A sample is drawn by the rule's name."""
        drawn = rule.name if rule.sample is not None else ""
        limits = (rule.enabled, rule.stop, rule.sample, drawn, rule.between, rule.for_each)
        return (self.asking(rule), repr(limits))

    def whole(self, rule: Rule) -> Hashable:
        return (self.matching(rule), self.doing(rule))
