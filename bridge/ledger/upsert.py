"""`INSERT ... ON CONFLICT` in the dialect of the connection."""

from __future__ import annotations

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> sqlite.Insert:
    """An insert with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return insert_into(connection.dialect.name, table)


def insert_into(dialect: str, table: Table) -> sqlite.Insert:
    """The same for the dialect's name.

    The two dialects' statements have these methods with the same arguments,
    but no type in common.
    """
    if dialect == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)  # type: ignore[return-value]  # see above
