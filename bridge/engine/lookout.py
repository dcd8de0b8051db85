"""Looks at what waits and at who should work on it, and keeps the alerts of what it finds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from bridge.engine.queue import LaneQueue
from bridge.engine.unrouted import Unrouted
from bridge.engine.watchdog import Judgement, Seen, Watchdog
from bridge.ledger import failures, rule_versions, waiting
from bridge.ledger.alerts import WATCHED, Alert, clear_alert, open_alerts, raise_alerts, renew_alert
from bridge.ledger.database import Database
from bridge.logs import OnChange

log = logging.getLogger(__name__)

# Looking takes a twentieth of the time at most, since many lanes take long to look through, but
# is never put off for long: somebody is to be told within a minute.
PAUSE_SECONDS = 3.0
PAUSE_FOR_EACH_SECOND = 20.0
LONGEST_PAUSE = 8.0
# How old an alert's numbers may be.
RENEW_SECONDS = 300.0


@dataclass
class Lookout:
    """One of these looks at a time: the clock's, or a web process's while no clock runs.

    `clock`: whether it looks for the clock itself. `elapsed` is a time that nobody sets.
    """

    database: Database
    queue: LaneQueue
    watchdog: Watchdog
    unrouted: Unrouted
    now: Callable[[], float]
    clock: bool = True
    elapsed: Callable[[], float] = time.monotonic
    _next: float = field(default=0.0, init=False)
    _said: OnChange = field(default_factory=lambda: OnChange(log), init=False)

    def look(self) -> None:
        """Not more often than each few seconds; raises LedgerUnavailable."""
        began = self.elapsed()
        if began < self._next:
            return
        self._next = began + PAUSE_SECONDS
        self._keep(self.watchdog.look(self._seen()))
        self.unrouted.look()
        with self.database.read() as connection:
            told = [each.kind for each in open_alerts(connection)]
        if any(kind in failures.KINDS for kind in told):
            with self.database.write() as connection:
                failures.forget_handled(connection)
        took = self.elapsed() - began
        pause = max(PAUSE_SECONDS, took * PAUSE_FOR_EACH_SECOND)
        self._next = self.elapsed() + min(pause, LONGEST_PAUSE)

    def _seen(self) -> Seen:
        redis, workers = self._transport()
        now = self.now()
        with self.database.read() as connection:
            webhooks, deliveries = waiting.counted(connection)
            return Seen(
                at=now,
                redis=redis,
                workers=workers,
                clock=self.clock,
                rules=rule_versions.live(connection) is not None,
                heads=waiting.heads(connection, now),
                webhooks=webhooks,
                deliveries=deliveries,
            )

    def _transport(self) -> tuple[str, int | None]:
        if trouble := self.queue.trouble():
            self._said.trouble("redis takes no jobs: %s", trouble)
            return trouble, None
        self._said.over("redis takes jobs")
        try:
            return "", self.queue.workers()
        except (RedisError, OSError):
            return "", None

    def _keep(self, judgement: Judgement) -> None:
        with self.database.read() as connection:
            known = {
                (each.kind, each.subject): each
                for each in open_alerts(connection)
                if each.kind in WATCHED
            }
        found = {(each.kind, each.subject): each for each in judgement.raised}
        for key in known.keys() - found.keys() - judgement.unsure:
            with self.database.write() as connection:
                clear_alert(connection, kind=key[0], subject=key[1])
        for key, alert in found.items():
            self._raise(alert, known.get(key))

    def _raise(self, alert: Alert, known: Alert | None) -> None:
        if known is not None and known.last_at > alert.last_at - RENEW_SECONDS:
            return
        kind, subject, at = alert.kind, alert.subject, alert.last_at
        with self.database.write() as connection:
            if not renew_alert(connection, kind=kind, subject=subject, text=alert.text, at=at):
                log.warning("%s", alert.text)
                raise_alerts(connection, [alert])


def patience(slowest: Mapping[str, float], timeouts: Mapping[str, float]) -> dict[str, float]:
    """How long an account's lane may stand still: its slowest limit, or calls that are cut off.

    A batch may take a few, each after a wait for its turn.
    """
    return {
        name: max(2.0 * slowest.get(name, 0.0), 3.0 * timeout + 15.0)
        for name, timeout in timeouts.items()
    }
