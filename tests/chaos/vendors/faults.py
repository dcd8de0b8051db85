"""A vendor's bad days, drawn from a seed: the nth call of a vendor has the same fate each time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Rates:
    """Shares of the calls from 0 to 1, and seconds.

    `before`: a 5xx, nothing is done. `after`: a 5xx, but all is done. `reset`:
    all is done, then the connection is reset. `slow`: the answer takes
    `slow_seconds` more, and the work is done somewhere in that time, mostly late.
    `throttle`: a 429 that no limit asks for. `whole_batch`: a batch with one
    bad item is refused whole, though it could have been settled item by item.
    """

    before: float = 0.0
    after: float = 0.0
    reset: float = 0.0
    slow: float = 0.0
    throttle: float = 0.0
    whole_batch: float = 0.0
    latency: float = 0.0
    slow_seconds: float = 3.0


@dataclass(frozen=True)
class Fate:
    """Of one call. `work_at` is the share of `seconds` after which the work is done."""

    fault: str
    seconds: float
    work_at: float
    draw: float
    whole_batch: bool


@dataclass
class Faults:
    seed: int
    rates: dict[str, Rates] = field(default_factory=dict)
    drawn: Counter[str] = field(default_factory=Counter)

    def set(self, said: Mapping[str, Mapping[str, float]]) -> None:
        """By vendor, or for all of them under `all`; raises TypeError for an unknown rate."""
        for vendor, rates in said.items():
            names = ("hubspot", "slack", "mailchimp") if vendor == "all" else (vendor,)
            for name in names:
                self.rates[name] = replace(self.rates.get(name, Rates()), **rates)

    def as_object(self) -> dict[str, Any]:
        return {name: vars(rates) for name, rates in self.rates.items()}

    def draw(self, vendor: str) -> Fate:
        rates = self.rates.get(vendor, Rates())
        self.drawn[vendor] += 1
        lot = random.Random(f"{self.seed} {vendor} {self.drawn[vendor]}")
        fault = _drawn(rates, lot.random())
        jitter = 0.5 + lot.random()
        seconds = rates.latency * jitter + (rates.slow_seconds if fault == "slow" else 0.0)
        work_at = lot.random() ** (0.25 if fault == "slow" else 1)
        return Fate(fault, seconds, work_at, lot.random(), lot.random() < rates.whole_batch)


def _drawn(rates: Rates, draw: float) -> str:
    for name in ("before", "after", "reset", "slow", "throttle"):
        draw -= getattr(rates, name)
        if draw < 0:
            return name
    return ""
