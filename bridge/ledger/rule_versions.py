"""The rules that were live: every delivery names the version that planned it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from bridge.ledger.tables import rule_versions
from bridge.ledger.upsert import insert


def keep_version(connection: Connection, version: str, text: str, now: float) -> None:
    """Note that this version goes live now, for the first time or again."""
    statement = insert(connection, rule_versions).values(version=version, text=text, live_since=now)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["version"], set_={"live_since": now})
    )


def last_version(connection: Connection) -> str | None:
    """The text of the rules that went live last."""
    query = select(rule_versions.c.text).order_by(rule_versions.c.live_since.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()
