"""What was done at the vendors, in order, and how often they were called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Effect:
    """One thing that was done: `key` is the person's address or the channel.

    `number` counts from 1 over all vendors. `kind` is `violation` where the
    call broke a rule that no caller may break.
    """

    number: int
    at: float
    vendor: str
    kind: str
    key: str
    value: Any


@dataclass
class Record:
    now: Callable[[], float]
    effects: list[Effect] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    over_limit: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    peaks: Counter[str] = field(default_factory=Counter)

    def note(self, vendor: str, kind: str, key: str, value: Any) -> None:
        number = len(self.effects) + 1
        self.effects.append(Effect(number, self.now(), vendor, kind, key, value))

    def peak(self, name: str, height: int) -> None:
        self.peaks[name] = max(self.peaks[name], height)

    def counters(self) -> dict[str, Any]:
        """Counts by `vendor endpoint`, `vendor limit` and `vendor fault`."""
        return {
            "calls": dict(self.calls),
            "over_limit": dict(self.over_limit),
            "faults": dict(self.faults),
            "peaks": dict(self.peaks),
            "effects": len(self.effects),
            "violations": sum(effect.kind == "violation" for effect in self.effects),
        }

    def since(self, number: int) -> list[dict[str, Any]]:
        return [asdict(effect) for effect in self.effects[number:]]
