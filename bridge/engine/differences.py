"""What is done differently for one event: added, removed, or done with other fields. Pure.

Deliveries are compared by what they do (account, action, what is filled in, when),
not by the name of the rule that asks for it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bridge.engine.course import Owed

Kind = Literal["added", "removed", "changed"]

# Between rules that have nothing to do with each other, only what is half the same counts as one.
_ALIKE = 0.5
# More of one action for one event are not searched for what is most alike.
_MOST_COMPARED = 20


@dataclass(frozen=True)
class Difference:
    """One delivery by the rules before and after.

    None where one side did not think of it; with a fate that is not done where it
    thought of it and left it.
    """

    kind: Kind
    before: Owed | None
    after: Owed | None

    @property
    def done(self) -> Owed:
        """The side on which it is done; the later one if both."""
        owed = self.before if self.kind == "removed" else self.after
        assert owed is not None  # noqa: S101  # by its kind
        return owed


@dataclass(frozen=True)
class FieldChange:
    """One field of a delivery; dotted where it is in a group. None: it is not there."""

    name: str
    before: Any
    after: Any


Partner = Callable[[str], str | None]
"""From the name of a rule before to that of the same rule after."""


def differences(
    before: Sequence[Owed], after: Sequence[Owed], partner: Partner
) -> Iterator[Difference]:
    """What would be different for one event."""
    old, new = _unequal(before, after)
    for how in (_by_item, _by_rule(partner), _by_likeness):
        for one, other in how(old, new):
            yield Difference("changed", one, other)
            _remove(old, one)
            _remove(new, other)
    for one in old:
        yield Difference("removed", one, _left(one, after))
    for other in new:
        yield Difference("added", _left(other, before), other)


def changed_fields(before: Owed, after: Owed) -> list[FieldChange]:
    """In the order of the fields after; what is gone last."""
    old, new = _flat(before.planned.item), _flat(after.planned.item)
    return [
        FieldChange(name, old.get(name), new.get(name))
        for name in {**new, **old}
        if not _is_same(old.get(name), new.get(name))
    ]


def _is_same(one: Any, other: Any) -> bool:
    """1 is not true."""
    return type(one) is type(other) and one == other


def _unequal(before: Sequence[Owed], after: Sequence[Owed]) -> tuple[list[Owed], list[Owed]]:
    """What is done, without what is done just so on both sides, as often."""
    old = [(_sign(each), each) for each in before if each.is_done]
    new = [(_sign(each), each) for each in after if each.is_done]
    left = defaultdict(list)
    for sign, each in old:
        left[sign].append(each)
    fresh = []
    for sign, each in new:
        if left[sign]:
            left[sign].pop(0)
        else:
            fresh.append(each)
    gone = {id(each) for some in left.values() for each in some}
    return [each for _, each in old if id(each) in gone], fresh


def _sign(owed: Owed) -> Hashable:
    return (owed.name, owed.due_at, _text(owed))


def _text(owed: Owed) -> str:
    return json.dumps(owed.planned.item, sort_keys=True, default=str)


Pairs = Iterator[tuple[Owed, Owed]]


def _by_item(old: Sequence[Owed], new: Sequence[Owed]) -> Pairs:
    """The same at another time."""
    return _in_order(old, new, lambda one: (one.name, _text(one)), None)


def _by_rule(partner: Partner) -> Callable[[Sequence[Owed], Sequence[Owed]], Pairs]:
    """The same action of the same rule, the first with the first."""

    def pairs(old: Sequence[Owed], new: Sequence[Owed]) -> Pairs:
        return _in_order(
            old,
            new,
            lambda one: (one.name, partner(one.planned.rule)),
            lambda other: (other.name, other.planned.rule),
        )

    return pairs


def _in_order(
    old: Sequence[Owed],
    new: Sequence[Owed],
    sign: Callable[[Owed], Hashable],
    other_sign: Callable[[Owed], Hashable] | None,
) -> Pairs:
    waiting = defaultdict(list)
    for one in old:
        waiting[sign(one)].append(one)
    found = []
    for other in new:
        some = waiting.get((other_sign or sign)(other))
        if some:
            found.append((some.pop(0), other))
    return iter(found)


def _by_likeness(old: Sequence[Owed], new: Sequence[Owed]) -> Pairs:
    """The same action of other rules, where at least half of it is the same."""
    if max(len(old), len(new)) > _MOST_COMPARED:
        return
    scored = [
        (_likeness(one, other), -at, -place, one, other)
        for at, one in enumerate(old)
        for place, other in enumerate(new)
        if one.name == other.name
    ]
    taken: set[int] = set()
    for score, *_, one, other in sorted(scored, key=lambda each: each[:3], reverse=True):
        if score >= _ALIKE and not taken & {id(one), id(other)}:
            taken |= {id(one), id(other)}
            yield one, other


def _likeness(one: Owed, other: Owed) -> float:
    """The share of fields that are the same."""
    names = {**_flat(one.planned.item), **_flat(other.planned.item)}
    changed = len(changed_fields(one, other))
    return 1 - changed / len(names) if names else 0.0


def _remove(some: list[Owed], owed: Owed) -> None:
    """That very one: two that are alike are two."""
    some[:] = [each for each in some if each is not owed]


def _left(owed: Owed, other_side: Sequence[Owed]) -> Owed | None:
    """What the other side thought of, and left."""
    alike = (each for each in other_side if each.name == owed.name and not each.is_done)
    return next(alike, None)


def _flat(item: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """By dotted names, without what is empty."""
    found: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{above}{name}.")
        elif value not in (None, "", [], {}):
            found[f"{above}{name}"] = value
    return found
