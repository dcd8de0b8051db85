"""How much one webhook may add to the ledger: what is more is planned as rejected, and told. Pure.

Rules multiply what was sent: by their number, by their steps, by `for_each`. Whoever has got
hold of one signature chooses the event that multiplies best.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.ledger.plan import PlannedDelivery, Unless

MAX_DELIVERIES = 2_000
"""Deliveries that are planned for one webhook, of large ones."""

MAX_ITEM = 200_000
"""Characters, as JSON, of what one delivery is filled in with."""

MAX_EVENT = 500_000
"""Characters, as JSON, of the event beside it, where its action wants to see that."""

MAX_PLANNED = 32_000_000
"""Characters that one webhook's deliveries and verdicts come to, of large webhooks."""

MAX_CANCELLERS = 10_000
"""By so many keys can what one webhook schedules be called off."""

_MIN_PLANNED = 1_000_000
_TIMES = 256
# A delivery takes about 1,000 bytes whatever it says: so many for each webhook, and one more for
# so many bytes of it. A real ticket has 600.
_MIN_DELIVERIES = 200
_BYTES_OF_ONE = 16
_SAID_OF_RULE = 200


@dataclass
class Room:
    """What is left for one webhook of `sent` bytes: 1 MB and 256 times as much, up to 32 MB.

    A message for each of 300 tickets, each with the whole event beside it, needs as much.
    `refused` counts the deliveries that are rejected for their size, `left_out` those
    that are not planned at all.
    """

    sent: int
    deliveries: int = field(init=False)
    refused: int = 0
    left_out: int = 0
    size: int = field(init=False)
    _event: Any = field(default=None, repr=False)
    _event_length: int = 0

    def __post_init__(self) -> None:
        self.deliveries = min(_MIN_DELIVERIES + self.sent // _BYTES_OF_ONE, MAX_DELIVERIES)
        self.size = min(_MIN_PLANNED + _TIMES * self.sent, MAX_PLANNED)

    def verdicts(self, verdicts: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """The same; none where there is no room for them any more."""
        self.size -= sum(_SAID_OF_RULE + 5 * len(each.get("members", ())) for each in verdicts)
        return verdicts if self.size >= 0 else ()

    def within(self, planned: Iterator[PlannedDelivery], count: int) -> Iterator[PlannedDelivery]:
        """As many of `count` as there is room for; those that are too large are rejected."""
        for number in range(count):
            if self.deliveries <= 0:
                self.left_out += count - number
                return
            each = next(planned)
            self.deliveries -= 1
            yield self._sized(each)

    def _sized(self, planned: PlannedDelivery) -> PlannedDelivery:
        item, event = _length(planned.item), self._length_of_event(planned.event)
        # Once as it is filled in, and once as its attempt says what was sent.
        needed = 2 * item + event
        too_large = _too_large(item, event, needed, self.size)
        if not too_large:
            self.size -= needed
            return planned
        self.refused += 1
        bare = replace(planned, item={}, event=None, gist=None, consent=None, once=None)
        return replace(bare, unless=None, state="rejected", reason=too_large)

    def _length_of_event(self, event: Any) -> int:
        """Measured once: an event's deliveries share what they take along of it."""
        if event is not self._event:
            self._event, self._event_length = event, _length(event)
        return self._event_length if event else 0

    @property
    def remarks(self) -> tuple[str, ...]:
        """On the event whose deliveries these are, and what an alert tells."""
        told = []
        if self.refused:
            told.append(
                f"{_deliveries(self.refused)} rejected for what they are filled in with: it is "
                "more than a delivery, or all that one webhook comes to, may take"
            )
        if self.left_out:
            told.append(
                f"{_deliveries(self.left_out)} left out: for one webhook at most "
                f"{MAX_DELIVERIES:,} are planned, and less for a small one"
            )
        return tuple(told)


def _deliveries(count: int) -> str:
    return f"{count:,} {'delivery was' if count == 1 else 'deliveries were'}"


def _length(value: Any) -> int:
    return len(json.dumps(value, default=str)) if value else 0


def _too_large(item: int, event: int, needed: int, left: int) -> str:
    if item > MAX_ITEM:
        return (
            f"not sent: it is filled in with {item:,} characters, and {MAX_ITEM:,} are the most; "
            "let the rule insert less"
        )
    if event > MAX_EVENT:
        return (
            f"not sent: the event it takes along has {event:,} characters, and {MAX_EVENT:,} "
            "are the most; give the step a `body` of its own with less in it"
        )
    if needed > left:
        return (
            "not sent: with it this webhook would come to more in the ledger than one of its "
            "size may; let rules insert less, or go through fewer entries"
        )
    return ""


def with_fewer_keys(planned: Sequence[PlannedDelivery]) -> list[PlannedDelivery]:
    """The same; where very many could be called off by very many keys, by the first of them."""
    waiting = sum(1 for each in planned if each.unless)
    most = max(4, MAX_CANCELLERS // waiting) if waiting else 0
    return [
        replace(each, unless=_cropped(each.unless, most)) if each.unless else each
        for each in planned
    ]


def _cropped(unless: Unless, most: int) -> Unless:
    keys = unless.keys[:most]
    return replace(unless, keys=keys, claims=unless.claims[: most - len(keys)])
