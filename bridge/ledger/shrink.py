"""SQLite's file gives back to the disk what has become free in it; a server does so by itself."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from bridge.ledger.database import Database

# Free pages of 4 KB that stay for what comes next.
KEPT_PAGES = 2000
LONG_JOURNAL = 16_000_000


def give_back(connection: Connection, pages: int) -> bool:
    """Give back up to so many pages; True where there may be more."""
    if connection.dialect.name != "sqlite":
        return False
    free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one() - KEPT_PAGES
    if free <= 0:
        return False
    cursor = connection.connection.cursor()
    for _ in range(min(free, pages)):
        # The driver takes one step of this statement, a page, whatever number it is given.
        cursor.execute("PRAGMA incremental_vacuum(1)")
    cursor.close()
    # A file from before it was settled that pages can be given back never gives any.
    left = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one() - KEPT_PAGES
    return bool(0 < left < free)


def shorten_journal(database: Database) -> bool:
    """Empty the journal if it has grown long; False where that has to wait."""
    if not database.is_sqlite:
        return True
    journal = Path(f"{database.url.database}-wal")
    try:
        is_long = journal.stat().st_size > LONG_JOURNAL
    except FileNotFoundError:
        return True
    return database.shorten_journal() if is_long else True
