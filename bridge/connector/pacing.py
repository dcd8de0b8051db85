"""How a connector keeps to its vendor's limits without knowing who else calls."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Rate:
    """At most `calls` in any window of `seconds`, over the whole account or each lane.

    `lane`: it counts the calls of that one lane alone, such as those of one method.
    """

    calls: int
    seconds: float
    per_lane: bool = False
    lane: str = ""


@dataclass(frozen=True)
class Seen:
    """What an answer's headers told: a limit, and how many calls of it were left."""

    calls: int
    seconds: float
    left: int | None = None


class Pacer(Protocol):
    """Lets calls through as fast as the account's limits allow, over all workers."""

    def call(self, lane: str = "") -> AbstractContextManager[None]:
        """Around each HTTP request; `lane` is the value that a per-lane rate counts.

        Waits for the call's turn; raises NotNow where that would take too long.
        """

    def learn(self, seen: Sequence[Seen]) -> None:
        """Pass on what the vendor's headers told of its limits."""


class Unpaced:
    """Lets every call through at once."""

    def call(self, lane: str = "") -> AbstractContextManager[None]:
        return nullcontext()

    def learn(self, seen: Sequence[Seen]) -> None:
        """Nothing to learn for."""
