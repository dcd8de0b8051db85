"""A turn's hold on its lane, renewed while it works."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bridge.errors import LeaseLost, LedgerUnavailable
from bridge.ledger import lanes
from bridge.ledger.database import Database
from bridge.logs import place_of

log = logging.getLogger(__name__)

# Between a renewal that failed and the next.
AGAIN_SECONDS = 0.2

_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def since_boot() -> float:
    """Seconds that no step of the wall clock changes; where known, with those of a sleep."""
    return time.clock_gettime(_ELAPSED)


@dataclass
class Lease:
    """Keeps a lane that the turn has taken; leaves it when the block ends.

    A thread renews it, since a vendor's answer may take longer than the lease
    lasts. A worker that dies stops renewing, and the lane comes free.

    `began` is when, by `elapsed`, the lane was about to be taken: this side
    counts from before each request, the ledger from within it, so that this
    side is never the last to see the lease lapse.
    """

    database: Database
    lane: str
    turn: str
    seconds: float
    now: Callable[[], float]
    began: float
    elapsed: Callable[[], float] = since_boot
    _until: float = field(init=False)
    _left: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._until = self.began + self.seconds
        self._renewer = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._renewer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._left.set()
        self._renewer.join()
        try:
            with self.database.write() as connection:
                lanes.release(connection, self.lane, self.turn)
        except LedgerUnavailable as failure:
            log.warning("lane %s is left to lapse: %s", self.lane, failure)

    def hold(self) -> None:
        """Raises LeaseLost unless the lane is still this turn's: call before each vendor call."""
        if self.elapsed() >= self._until:
            raise LeaseLost(self.lane)

    def _keep(self) -> None:
        pause = self.seconds / 3
        while not self._left.wait(pause):
            # A ledger that was away has to be caught before the lease lapses.
            pause = AGAIN_SECONDS
            began, now = self.elapsed(), self.now()
            try:
                with self.database.write() as connection:
                    held = lanes.renew(connection, self.lane, self.turn, now, self.seconds)
            except LedgerUnavailable:
                continue
            except Exception as error:  # noqa: BLE001  # tried again; `hold` sees a lapse
                log.error("lane %s cannot be renewed: %s", self.lane, place_of(error))
                continue
            if not held:
                self._until = 0.0
                return
            self._until = began + self.seconds
            pause = self.seconds / 3
