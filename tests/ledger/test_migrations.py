from __future__ import annotations

import multiprocessing
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bridge.engine.route import event_id
from bridge.errors import OperatorError
from bridge.ledger.database import Database
from bridge.ledger.migrate import migrate, require_current
from bridge.ledger.plan import waiting
from bridge.ledger.tables import metadata
from tests.ledger.before import WRITTEN, row, upgraded


def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)


def test_a_ledger_of_the_version_before_keeps_its_webhooks_and_their_ids(
    database_url: str,
) -> None:
    with upgraded(database_url, [row("u-1")]) as ledger:
        with ledger.read() as connection:
            [kept] = waiting(connection, 10)
        assert (kept.idempotency_key, kept.webhook.body) == ("u-1", b'{"id": "T-1"}')
        assert event_id("showpass", kept.idempotency_key, 1) == "b1b9c9aab9fea0dfc130d78a"
        require_current(ledger)


@pytest.mark.parametrize("before", [[], [row("u-1"), row("u-2")]], ids=["one", "several"])
def test_a_process_of_the_version_before_can_write_no_webhook_down(
    database_url: str, before: list[dict[str, Any]]
) -> None:
    with upgraded(database_url, [row("u-0"), *before]) as ledger:
        with pytest.raises(IntegrityError), ledger.write() as connection:
            connection.execute(WRITTEN, row("u-3"))
        with ledger.write() as connection:
            # What was there can be worked on.
            connection.execute(text("UPDATE webhooks SET state = 'unrouted'"))


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    spawning = multiprocessing.get_context("spawn")
    processes = [spawning.Process(target=_migrate, args=(database_url,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4


def test_a_database_from_a_newer_version_is_refused_with_what_to_do(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(OperatorError, match=r"newer version.*9999.*install that version"):
        migrate(database)


@pytest.mark.parametrize("ask", [migrate, require_current])
def test_a_database_from_0_1_0_is_refused_with_what_to_do(
    database: Database, ask: Callable[[Database], None]
) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(OperatorError, match=r"deliver what still waits.*empty database"):
        ask(database)


def test_the_ledger_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    _migrate(f"sqlite:///{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
