"""How vendors count calls."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Window:
    """At most `calls` in any `seconds`; what was refused does not count."""

    calls: int
    seconds: float
    now: Callable[[], float]
    taken: deque[float] = field(default_factory=deque)

    def take(self) -> bool:
        now = self.now()
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()
        if len(self.taken) >= self.calls:
            return False
        self.taken.append(now)
        return True

    @property
    def left(self) -> int:
        return self.calls - len(self.taken)


@dataclass
class Bucket:
    """A steady rate, and `burst` calls at once after a pause."""

    per_second: float
    burst: float
    now: Callable[[], float]
    tokens: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens, self.at = self.burst, self.now()

    def wait(self) -> int:
        """0 where the call is taken, else the whole seconds until one would be."""
        now = self.now()
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.per_second)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0
        return max(1, math.ceil((1 - self.tokens) / self.per_second))
