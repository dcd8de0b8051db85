"""How the items of one contact become one write. Pure.

What HubSpot can do by itself is left to it: options are appended by a semicolon
in front of them (https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide).
It can neither add to a number nor leave a filled property alone, so the
contact's present values are read before.

Adding twice what is to be added once is prevented at HubSpot: each write that
adds also writes, in the same request, which deliveries it has counted. Whether a
write whose answer was lost was done can so be read from the contact itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from connectors.hubspot.contacts import ADDRESS, COUNTED, STAGE, UpsertContact
from connectors.hubspot.values import figures

MOST_COUNTED = 50
"""So many deliveries a contact remembers. Those of one person are sent in their order, so that
one whose answer was lost is tried again before any that comes later."""

Values = Mapping[str, str]
Order = Sequence[str]
"""The lifecycle stages, the first first; empty where nobody could tell."""


@dataclass(frozen=True)
class Write:
    """Items of one contact as one write, by their places in the batch, in order of receipt."""

    items: Mapping[int, UpsertContact]

    @property
    def name(self) -> str:
        """The `objectWriteTraceId`: no other write of the same batch has it."""
        return str(next(iter(self.items)))

    @property
    def email(self) -> str:
        return next(iter(self.items.values())).email

    @property
    def needs(self) -> set[str]:
        """The properties whose present values decide what is written."""
        names: set[str] = set()
        for item in self.items.values():
            names |= {*item.only_if_empty, *item.increment}
            if item.increment:
                names.add(COUNTED)
        return names

    @property
    def is_bare(self) -> bool:
        """Only to make sure that the contact is there."""
        return not any(item.names() for item in self.items.values())

    def cannot_add(self, known: Values) -> str:
        """The first property to add to that holds something else than a number; empty: none."""
        names = (name for item in self.items.values() for name in item.increment)
        return next((name for name in names if _amount(known.get(name, "")) is None), "")

    def to_update(self, known: Values | None = None, order: Order = ()) -> dict[str, str]:
        """What is to be sent, where the contact holds `known`: later items build on earlier."""
        merged = self._merged(known or {}, order)
        behind = {name: f";{merged.sent[name]}" for name in merged.appended}
        return merged.sent | behind

    def to_create(self, order: Order = ()) -> dict[str, str]:
        return {ADDRESS: self.email, **self._merged({}, order).sent}

    def _merged(self, known: Values, order: Order) -> _Merged:
        merged = _Merged(dict(known))
        for item in self.items.values():
            _set(item, merged, order)
            _add(item, merged)
            _append(item, merged)
        return merged

    def last_to_set(self, names: Collection[str]) -> int | None:
        """The last item whose value of one of these properties it is that is sent.

        None where each of them is not that of one item alone.
        """
        found = [self._setter(name) for name in names]
        return max((place for place in found if place is not None), default=None)

    def _setter(self, name: str) -> int | None:
        about = [place for place, item in self.items.items() if name in item.names()]
        # Which lifecycle stage is sent, its order decides.
        if not about or name == STAGE or name not in self.items[about[-1]].properties:
            return None
        return about[-1]

    def only(self, place: int) -> Write:
        return self._part([place])

    def without(self, place: int) -> Write:
        return self._part([each for each in self.items if each != place])

    def halves(self) -> list[Write]:
        places = list(self.items)
        middle = len(places) // 2
        return [self._part(places[:middle]), self._part(places[middle:])]

    def stages(self, order: Order = ()) -> list[Write]:
        """Cut wherever the lifecycle stage changes, where nobody knows which one is later.

        HubSpot moves it forward only, so the last one need not be the one that stays:
        https://integrate.hubspot.com/t/update-lifecycle-stage-using-api/1333
        """
        parts: list[list[int]] = [[]]
        reached = ""
        for place, item in self.items.items():
            stage = item.properties.get(STAGE) or reached
            if reached and stage != reached and not order:
                parts.append([])
            parts[-1].append(place)
            reached = stage
        return [self._part(places) for places in parts]

    def _part(self, places: Sequence[int]) -> Write:
        return Write({place: self.items[place] for place in places})


@dataclass
class _Merged:
    """What a contact holds in the end, what of it is sent, and what of that is appended."""

    held: dict[str, str]
    sent: dict[str, str] = field(default_factory=dict)
    appended: set[str] = field(default_factory=set)

    def write(self, name: str, value: str) -> None:
        self.held[name] = self.sent[name] = value
        self.appended.discard(name)


def _set(item: UpsertContact, merged: _Merged, order: Order) -> None:
    """A later value replaces an earlier one; what later items leave alone stays."""
    for name, value in item.properties.items():
        if not (name == STAGE and _is_back(value, merged.held.get(STAGE, ""), order)):
            merged.write(name, value)
    for name, value in item.only_if_empty.items():
        if not merged.held.get(name):
            merged.write(name, value)


def _is_back(stage: str, reached: str, order: Order) -> bool:
    return {stage, reached} <= set(order) and order.index(stage) < order.index(reached)


def _add(item: UpsertContact, merged: _Merged) -> None:
    counted = merged.held.get(COUNTED, "").split()
    mark = item.delivery_id[-12:]
    if not item.increment or mark in counted:
        return
    for name, amount in item.increment.items():
        present = _amount(merged.held.get(name, "")) or Decimal(0)
        merged.write(name, figures(present + amount))
    if mark:
        merged.write(COUNTED, " ".join([*counted, mark][-MOST_COUNTED:]))


def _amount(held: str) -> Decimal | None:
    try:
        amount = Decimal(held.strip() or "0")
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _append(item: UpsertContact, merged: _Merged) -> None:
    """Behind a value that is sent anyway; else HubSpot puts it behind the one that is there."""
    for name, options in item.append.items():
        is_set = name in merged.sent and name not in merged.appended
        before = [each for each in merged.sent.get(name, "").split(";") if each]
        merged.write(name, ";".join(dict.fromkeys([*before, *options])))
        if not is_set:
            merged.appended.add(name)


def by_address(items: Mapping[int, UpsertContact]) -> dict[str, Write]:
    """One write for each address, in order of their first items."""
    found: dict[str, dict[int, UpsertContact]] = {}
    for place, item in items.items():
        found.setdefault(key_of(item.email), {})[place] = item
    return {key: Write(places) for key, places in found.items()}


def key_of(email: str) -> str:
    """HubSpot keeps addresses in lower case."""
    return email.strip().lower()


def joined(writes: Sequence[Write]) -> Write:
    """The writes of one contact that goes by several addresses."""
    items: Iterator[tuple[int, UpsertContact]] = (
        each for write in writes for each in write.items.items()
    )
    return Write(dict(sorted(items, key=lambda each: each[0])))
