"""Two transactions at the same time, at their worst."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from sqlalchemy import text

from bridge.ledger.database import Connection, Database


def at_once(
    database: Database, first: Callable[[Connection], Any], second: Callable[[], Any]
) -> None:
    """The second begins while the first's transaction is open, and ends after it."""
    with ThreadPoolExecutor() as pool:
        with database.write() as connection:
            first(connection)
            other = pool.submit(second)
            while not (other.done() or _is_held_up(database)):
                wait([other], timeout=0.02)
        other.result(timeout=10)


def _is_held_up(database: Database) -> bool:
    """Whether somebody waits for what another's transaction holds; on SQLite all others do."""
    if database.is_sqlite:
        return True
    with database.read() as connection:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(connection.execute(waiting).scalar_one())
