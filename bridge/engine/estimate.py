"""What deliveries cost: calls to the vendor, and the time that its limits ask for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.connector import Action, Call, Connector, Rate
from bridge.engine.lane_names import value_of
from bridge.engine.pace import bucket

# Of the vendors' limits, where nobody says how fast to feed: the rest is for what comes in live.
SHARE = 0.1
FASTEST = 50.0
SLOWEST = 1.0


@dataclass(frozen=True)
class Load:
    """Deliveries of one action, counted by their lanes, and the `calls` that one item makes.

    `at_most` counts what is called only under a condition too.
    """

    action: Action
    lanes: Mapping[str, int]
    calls: float
    at_most: float

    @property
    def deliveries(self) -> int:
        return sum(self.lanes.values())

    def batches(self, at_once: int) -> dict[str, int]:
        """Calls of the action for each lane, where `at_once` items of it come together."""
        most = max(1, min(self.action.batch, at_once))
        return {lane: -(-count // most) for lane, count in self.lanes.items()}


@dataclass(frozen=True)
class Cost:
    """Of all loads of one account. `seconds` is what its limits ask for, 0 without any."""

    calls: int
    at_most: int
    seconds: float


def load_of(action: Action, settings: Any, lanes: Mapping[str, int], items: Iterable[Any]) -> Load:
    """`items` are some of them; an item that its preview cannot tell of counts for nothing."""
    previews = [_preview(action, settings, item) for item in items]
    known = [calls for calls in previews if calls is not None]
    count = max(1, len(known))
    needed = sum(1 for calls in known for call in calls if not call.when)
    return Load(action, lanes, needed / count, sum(map(len, known)) / count)


def cost_of(kind: type[Connector], loads: Sequence[Load], at_once: int) -> Cost:
    """What an account's loads come to where `at_once` items of a lane come together."""
    calls = at_most = 0.0
    by_value: dict[str, float] = defaultdict(float)
    for load in loads:
        for lane, batches in load.batches(at_once).items():
            calls += batches * load.calls
            at_most += batches * load.at_most
            # Shards of one value count together.
            by_value[value_of(lane, [load.action])] += batches * load.calls
    rates = [rate for rate in kind.rates if not rate.lane]
    seconds = max((_seconds(rate, calls, by_value) for rate in rates), default=0.0)
    return Cost(round(calls), round(at_most), seconds)


def speed_for(count: int, seconds: float) -> float:
    """How many of `count` a second leave live traffic its place, if at full pace they take so long.

    A tenth of the pace of the slowest account, between one and fifty a second;
    never more than half of it, though that is less than one.
    """
    if seconds <= 0:
        return FASTEST
    steady = count / seconds
    return min(FASTEST, max(steady * SHARE, min(SLOWEST, steady / 2)))


def _preview(action: Action, settings: Any, item: Any) -> Sequence[Call] | None:
    try:
        return action.preview(settings, item)
    except Exception:  # noqa: BLE001  # a connector's bug must not hide the rest
        return None


def _seconds(rate: Rate, calls: float, by_value: Mapping[str, float]) -> float:
    """At the pace that the bridge keeps; a day's budget may be begun at once."""
    if rate.per_lane:
        calls = max((count for value, count in by_value.items() if value), default=0.0)
    paced = bucket("", rate)
    return max(0.0, calls * paced.interval - (paced.tolerance - paced.fresh)) / 1_000_000
