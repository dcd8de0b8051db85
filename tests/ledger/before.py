"""A ledger as the version before this one left it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from bridge.ledger.database import Database
from bridge.ledger.migrate import _FOLDER, migrate

WRITTEN = text("""
INSERT INTO webhooks (source, idempotency_key, fingerprint, event_type, received_at, method,
                      headers, body, state, replayed)
VALUES (:source, :idempotency_key, 'f1', 'webhook.test', :received_at, 'POST', '{}', :body, :state,
        FALSE)
""")
"""As that version wrote a webhook down."""


def row(key: str, **changes: Any) -> dict[str, Any]:
    values = {"source": "showpass", "received_at": 1.0, "body": b'{"id": "T-1"}'}
    return {"idempotency_key": key, "state": "waiting", **values, **changes}


@contextmanager
def upgraded(url: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Database]:
    ledger = Database(url, keeps_time=False)
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    with ledger.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(WRITTEN, [dict(each) for each in rows])
    migrate(ledger)
    yield ledger
    ledger.close()
