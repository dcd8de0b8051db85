"""The ledger as it is: for commands that look and must not make a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import inspect

from bridge.config import Config
from bridge.errors import OperatorError
from bridge.ledger.database import Database
from bridge.ledger.migrate import require_current
from bridge.ledger.tables import webhooks


@contextmanager
def existing_ledger(config: Config) -> Iterator[Database]:
    """Raises OperatorError where nothing was ever received or the ledger is of another version,
    LedgerUnavailable where it is away.
    """
    database = Database(config.database_url)
    try:
        if not has_tables(database):
            raise OperatorError(
                f"nothing was received yet: there is no ledger in {_place(database)}; "
                "start with `make run`"
            )
        require_current(database)
        yield database
    finally:
        database.close()


@contextmanager
def ledger_if_any(config: Config) -> Iterator[Database | None]:
    """None where nothing was ever received; raises OperatorError where it is of another version,
    LedgerUnavailable where it is away.
    """
    database = Database(config.database_url)
    try:
        there = has_tables(database)
        if there:
            require_current(database)
        yield database if there else None
    finally:
        database.close()


def has_tables(database: Database) -> bool:
    """Whether a bridge has ever started with this database; a missing file stays missing."""
    if database.is_sqlite and not Path(database.url.database or "").is_file():
        return False
    with database.read() as connection:
        return inspect(connection).has_table(webhooks.name)


def _place(database: Database) -> str:
    if database.is_sqlite:
        return str(database.url.database)
    return f"the PostgreSQL database {database.url.database}"
