"""Brings a database to this version's tables, whoever starts first."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bridge.errors import OperatorError
from bridge.ledger.database import Database
from bridge.regular_files import why

_FOLDER = Path(__file__).parent / "migrations"
_OF_0_1_0 = "0001"
# Any number, as long as no other program of the database takes it.
_ADVISORY_LOCK = 0x73686F77627264


def migrate(database: Database) -> None:
    """Run what is missing, in one transaction; processes that start together wait in turn.

    Raises OperatorError for a database from a version that cannot be taken over and for a
    file that cannot be made, LedgerUnavailable where there is no database.
    """
    if database.is_sqlite:
        _make_file(Path(database.url.database or ""))
    scripts = ScriptDirectory(str(_FOLDER))
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        current = MigrationContext.configure(connection).get_current_revision()
        _refuse_others(scripts, current)
        if current != scripts.get_current_head():
            _upgrade(connection)


def require_current(database: Database) -> None:
    """Raises OperatorError for a database from another version; changes nothing."""
    scripts = ScriptDirectory(str(_FOLDER))
    with database.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    _refuse_others(scripts, current)
    if current != scripts.get_current_head():
        raise OperatorError(
            "the database is from an older version of Showbridge; start this version once "
            "(`showbridge run`, or any of web, worker, clock), which brings it up to date"
        )


def _make_file(path: Path) -> None:
    """For us alone: the ledger holds names and addresses."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise OperatorError(
            f"the database file {path} cannot be made: {why(error)}; name another one in "
            "DATABASE_URL, or make its folder writable for this user"
        ) from error


def _refuse_others(scripts: ScriptDirectory, current: str | None) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if current == _OF_0_1_0:
        raise OperatorError(
            "the database is from Showbridge 0.1.0, whose ledgers cannot be taken over: let that "
            "version deliver what still waits, then name an empty database in DATABASE_URL (or "
            "another folder in SHOWBRIDGE_DATA) and keep the old one for looking things up"
        )
    if current is not None and current not in known:
        raise OperatorError(
            f"the database is from a newer version of Showbridge (its revision is {current}, "
            f"the newest that this version knows is {scripts.get_current_head()}); "
            "install that version again, or restore a backup from before the upgrade"
        )


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
