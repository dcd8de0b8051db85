from __future__ import annotations

from uuid import uuid4

from sqlalchemy import text

from bridge.ledger.database import Database
from tests.servers import PostgreSQL


def test_a_connection_that_the_server_has_ended_fails_no_transaction(
    postgresql: PostgreSQL,
) -> None:
    url = postgresql.make_database(f"test_{uuid4().hex}")
    ledger, other = Database(url), Database(url)
    with ledger.write() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with other.write() as connection:
        ending = text("SELECT pg_terminate_backend(:backend, 10000)")
        assert connection.execute(ending, {"backend": backend}).scalar_one()
    with ledger.write() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != backend
    ledger.close()
    other.close()
