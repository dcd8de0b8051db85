"""The rules that were live: the texts of each version, and what was made live when and by whom.

The last publication is what is live. A publication is an offer of what stands
in the files, or a rollback, which is none: files that were offered before and
then rolled back do not go live again by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, select, text, true

from bridge.ledger.tables import rule_publications, rule_versions
from bridge.ledger.upsert import insert

SAVED: Literal["saved"] = "saved"
PUBLISHED: Literal["published"] = "published"
ROLLED_BACK: Literal["rolled back"] = "rolled back"
How = Literal["saved", "published", "rolled back"]

_OFFERS = rule_publications.c.how.in_((SAVED, PUBLISHED))


@dataclass(frozen=True)
class Published:
    """One version going live: because its files were saved, or by a command."""

    number: int
    version: str
    published_at: float
    author: str
    how: How


def live(connection: Connection) -> Published | None:
    """What events are routed by now. One row of an index: asked for again and again."""
    return _last(connection, true())


def last_offered(connection: Connection) -> Published | None:
    """What was made live last from files, whatever was rolled back to since."""
    return _last(connection, _OFFERS)


def was_offered(connection: Connection, version: str) -> bool:
    """Whether it was ever made live from files."""
    return _last(connection, _OFFERS & (rule_publications.c.version == version)) is not None


def history(connection: Connection, limit: int | None = None) -> list[Published]:
    """The newest first."""
    query = select(rule_publications).order_by(rule_publications.c.number.desc()).limit(limit)
    return [Published(**row) for row in connection.execute(query).mappings()]


def before(connection: Connection) -> Published | None:
    """What to go back to: the one before what is live; after a rollback, one further back."""
    every = history(connection)
    now = every[0] if every else None
    if now is not None and now.how == ROLLED_BACK:
        origins = [each for each in every if each.version == now.version and each.how != now.how]
        every = [each for each in every if not origins or each.number < origins[0].number]
    return next((each for each in every if now and each.version != now.version), None)


def one(connection: Connection, number: int) -> Published | None:
    """The publication of that number."""
    return _last(connection, rule_publications.c.number == number)


def versions(connection: Connection, prefix: str = "") -> list[str]:
    """Those that are kept and begin so."""
    begins = rule_versions.c.version.startswith(prefix, autoescape=True)
    return list(connection.execute(select(rule_versions.c.version).where(begins)).scalars())


def files_of(connection: Connection, version: str) -> Mapping[str, str] | None:
    """The texts of a version by their names below the configuration's folder, in their order."""
    query = select(rule_versions.c.files).where(rule_versions.c.version == version)
    found: Mapping[str, str] | None = connection.execute(query).scalar_one_or_none()
    return found


def take_turns(connection: Connection) -> None:
    """Nobody else publishes until this transaction ends; for who looks first, then publishes."""
    if connection.dialect.name == "postgresql":
        # Who routes only reads, which goes on.
        name = rule_publications.name
        connection.execute(text(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))


def keep(connection: Connection, version: str, files: Mapping[str, str]) -> None:
    """Remember the texts; they are the same whenever the version is."""
    statement = insert(connection, rule_versions).values(version=version, files=dict(files))
    connection.execute(statement.on_conflict_do_nothing(index_elements=["version"]))


def publish(
    connection: Connection,
    version: str,
    files: Mapping[str, str],
    *,
    author: str,
    how: How,
    now: float,
) -> None:
    """Make it live from this transaction's end on; also what is live already is noted again."""
    keep(connection, version, files)
    connection.execute(
        insert(connection, rule_publications).values(
            version=version, published_at=now, author=author, how=how
        )
    )


def _last(connection: Connection, which: ColumnElement[bool]) -> Published | None:
    query = select(rule_publications).where(which)
    row = connection.execute(query.order_by(rule_publications.c.number.desc()).limit(1)).first()
    return Published(**row._mapping) if row else None
