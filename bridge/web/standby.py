"""Watches beside the receiver: over what is refused, and in the clock's place while none runs.

Alerts are found and told by the clock. Whether the clock itself is there nobody would notice but
the web processes, which one sees at once if they are gone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from redis import Redis

from bridge.config import Config
from bridge.engine import assemble
from bridge.engine.lookout import Lookout
from bridge.engine.notify import Notifier
from bridge.engine.queue import LaneQueue
from bridge.errors import LedgerUnavailable, OperatorError
from bridge.ledger import offices
from bridge.ledger.database import Database
from bridge.logs import OnChange, place_of
from bridge.web.refusals import RefusedSources, end_refused

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
END_SECONDS = 20.0
# Another clock takes over within six seconds; see `bridge.engine.clock`.
MISSED_SECONDS = 6.0
HELD_SECONDS = 20.0


@dataclass
class Standby:
    """`make` puts together what watches and what tells; it is called if no clock runs."""

    database: Database
    refused: RefusedSources
    make: Callable[[], tuple[Lookout, Notifier]]
    now: Callable[[], float]
    elapsed: Callable[[], float] = time.monotonic
    _holder: str = field(default_factory=lambda: uuid4().hex, init=False)
    _missed_at: float | None = field(default=None, init=False)
    _made: tuple[Lookout, Notifier] | None = field(default=None, init=False)
    _end_at: float = field(default=0.0, init=False)
    _said: OnChange = field(default_factory=lambda: OnChange(log), init=False)

    def start(self) -> None:
        """To be started after a fork."""
        threading.Thread(target=self._keep_looking, name="standby", daemon=True).start()

    def look(self) -> None:
        """Raises LedgerUnavailable."""
        self.refused.look(self.database)
        if self.elapsed() >= self._end_at:
            self._end_at = self.elapsed() + END_SECONDS
            end_refused(self.database, self.now())
        if self._clock_is_missing():
            self._watch()

    def _clock_is_missing(self) -> bool:
        with self.database.read() as connection:
            runs = offices.is_held(connection, offices.CLOCK, self.now())
        if runs:
            self._missed_at = self._made = None
            return False
        if self._missed_at is None:
            self._missed_at = self.elapsed()
        return self.elapsed() - self._missed_at >= MISSED_SECONDS

    def _watch(self) -> None:
        """One web process does, of all machines'."""
        with self.database.write() as connection:
            held = offices.hold(
                connection, offices.STAND_IN, self._holder, self.now(), HELD_SECONDS
            )
        if not held:
            self._made = None
            return
        self._made = self._made or self.make()
        lookout, notifier = self._made
        lookout.look()
        notifier.tell()

    def _keep_looking(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self.look()
                self._said.over("alerts can be kept again")
            except (LedgerUnavailable, OperatorError) as error:
                self._said.trouble("alerts cannot be kept: %s", error)
            except Exception as error:  # noqa: BLE001  # the thread is there for good
                self._said.trouble("alerts cannot be kept: %s", place_of(error))


def standby_of(
    config: Config,
    database: Database,
    redis: Redis,
    refused: RefusedSources,
    now: Callable[[], float],
) -> Standby:
    queue = LaneQueue(redis)

    def make() -> tuple[Lookout, Notifier]:
        return (
            assemble.lookout(config, database, queue, now, clock=False),
            assemble.notifier(config, database, queue, now),
        )

    return Standby(database, refused, make, now)
