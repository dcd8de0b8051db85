"""Whether webhooks can be taken, and whether anybody works on them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from bridge.engine.queue import LaneQueue
from bridge.engine.redis_words import AWAY, LATE
from bridge.errors import LedgerUnavailable
from bridge.ledger import offices
from bridge.ledger.alerts import clear_alert, open_alerts, raise_alert
from bridge.ledger.database import Connection, Database
from bridge.ledger.waiting import oldest
from bridge.logs import OnChange

log = logging.getLogger(__name__)
_said = OnChange(log)


MAX_AGE_SECONDS = 1.0

Report = tuple[bool, dict[str, Any]]


class Readiness:
    """What one look found answers all who ask within a second: looking writes to the ledger.

    While somebody looks, which may take long, the others get what was found before.
    """

    def __init__(
        self, look: Callable[[], Report], elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._elapsed = elapsed
        self._looking = threading.Lock()
        self._found: Report | None = None
        self._found_at = 0.0

    def ask(self) -> Report:
        found = self._found
        if found is not None and self._elapsed() < self._found_at + MAX_AGE_SECONDS:
            return found
        if not self._looking.acquire(blocking=found is None):
            assert found is not None  # noqa: S101  # else it would have waited
            return found
        try:
            self._found = found = self._look()
            self._found_at = self._elapsed()
        finally:
            self._looking.release()
        return found


def readiness(
    database: Database, redis: Redis, now: float, refusing: str | None
) -> tuple[bool, dict[str, Any]]:
    """Ready means: the ledger takes writes, and webhooks are taken.

    The rest only delays, and is told beside it. `refusing` is why none are taken.
    """
    report: dict[str, Any] = {"ready": refusing is None, "ledger": "writable"}
    if refusing:
        report["refusing"] = refusing
    try:
        report["alerts"] = _write_something(database, now)
        _said.over("ready again")
    except LedgerUnavailable as failure:
        # Where it is and who may enter is for the log alone.
        _said.trouble("not ready: %s", failure)
        report |= {"ready": False, "ledger": "unavailable"}
    else:
        report |= _waiting(database, now)
    report |= _transport(redis)
    return report["ready"], report


def _waiting(database: Database, now: float) -> dict[str, Any]:
    """For how many seconds the oldest has waited that could be done, by account; facts alone.

    `clock` says whether one is in charge.
    """
    try:
        with database.read() as connection:
            found = oldest(connection, now)
            clock = offices.is_held(connection, offices.CLOCK, now)
    except LedgerUnavailable:
        return {}
    ages = {each.account or "webhooks": round(max(0.0, now - each.since), 1) for each in found}
    return {"waiting": ages, "clock": "runs" if clock else "away"}


def _write_something(database: Database, now: float) -> int:
    """Only a write that reached the disk shows that the next one can; how many alerts are open."""
    with database.write() as connection:
        _touch(connection, now)
        return len(open_alerts(connection))


def _touch(connection: Connection, now: float) -> None:
    raise_alert(connection, kind="readiness", subject="probe", text="", at=now)
    clear_alert(connection, kind="readiness", subject="probe")


def _transport(redis: Redis) -> dict[str, Any]:
    """Redis is judged by a write; workers are those that are heard of, None if nobody can tell."""
    queue = LaneQueue(redis)
    trouble = queue.trouble()
    if trouble in (AWAY, LATE):
        return {"redis": f"away: {trouble}; {_MEANWHILE}", "workers": None}
    try:
        workers = queue.workers()
    except (RedisError, OSError):
        workers = None
    up = f"refuses: {trouble}; {_MEANWHILE}" if trouble else "up"
    return {"redis": up, "workers": workers}


_MEANWHILE = "webhooks are taken, deliveries wait"
