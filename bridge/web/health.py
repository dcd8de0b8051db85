"""Whether webhooks can be taken, and whether anybody works on them."""

from __future__ import annotations

import logging
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from bridge.engine.queue import LaneQueue
from bridge.errors import LedgerUnavailable
from bridge.ledger.alerts import clear_alert, open_alerts, raise_alert
from bridge.ledger.database import Connection, Database

log = logging.getLogger(__name__)


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
    except LedgerUnavailable as failure:
        # Where it is and who may enter is for the log alone.
        log.warning("not ready: %s", failure)
        report |= {"ready": False, "ledger": "unavailable"}
    report |= _transport(redis)
    return report["ready"], report


def _write_something(database: Database, now: float) -> int:
    """Only a write that reached the disk shows that the next one can; how many alerts are open."""
    with database.write() as connection:
        _touch(connection, now)
        return len(open_alerts(connection))


def _touch(connection: Connection, now: float) -> None:
    raise_alert(connection, kind="readiness", subject="probe", text="", at=now)
    clear_alert(connection, kind="readiness", subject="probe")


def _transport(redis: Redis) -> dict[str, Any]:
    try:
        return {"redis": "up", "workers": LaneQueue(redis).workers()}
    except (RedisError, OSError):
        return {
            "redis": "away: webhooks are taken, deliveries wait until it is back",
            "workers": None,
        }
