"""A ledger with a past: many events, three deliveries each, all done but the last few."""

from __future__ import annotations

from sqlalchemy import text

from bridge.ledger.books import ACKNOWLEDGED, PLANNED, tally
from bridge.ledger.database import Connection, Database

PER_EVENT = 3
BEGAN = 1_600_000_000.0
SECONDS_APART = 20.0
_PORTION = 20_000
_PEOPLE = 20_000

_SERIES = {
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM s "
    "WHERE n < :last) SELECT n FROM s) AS s",
    "postgresql": "generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS s(n)",
}
# As `bridge.ledger.delivery_ids` makes them.
_ID = {
    "sqlite": "s.n || '_' || lower(hex(randomblob(8)))",
    "postgresql": "s.n || '_' || substr(md5(s.n::text || '-' || k.k::text), 1, 16)",
}
_BODY = {
    "sqlite": "CAST(printf('%1000s', s.n) AS BLOB)",
    "postgresql": "convert_to(lpad(s.n::text, 1000), 'UTF8')",
}
_WEBHOOKS = """
INSERT INTO webhooks (number, source, idempotency_key, fingerprint, event_type, received_at,
  method, headers, body, state, replayed, signed_part)
SELECT s.n, 'showpass', 'fill-' || s.n, 'f', 'invoice.purchase', {began} + s.n * {apart},
  'POST', '{{"content-type": "application/json"}}', {body}, 'routed', {false}, '' FROM {series}"""
_EVENTS = """
INSERT INTO events (webhook, position, type, who, verdicts, remarks, rules_version, routed_at)
SELECT s.n, 1, 'invoice.purchase', 'person-' || (s.n % {people}) || '@example.com',
  '[{{"rule": "Buyers", "matched": true, "reasons": []}}]', '[]', 'v1', {began} + s.n * {apart}
FROM {series}"""
_DELIVERIES = """
INSERT INTO deliveries (id, webhook, position, rule, step, place, account, action, lane,
  order_key, item, rules_version, planned_at, state, due_at, attempts, failures, uncertain,
  settled_at)
SELECT {id}, s.n, 1, 'Buyers', k.k, k.k, 'slack', 'post_message', 'slack.post_message:#' || k.k,
  'person-' || (s.n % {people}), '{{"text": "somebody bought two tickets for a show"}}', 'v1',
  {began} + s.n * {apart}, 'delivered', {began} + s.n * {apart}, 1, 0, {false},
  {began} + s.n * {apart} + 2
FROM {series} CROSS JOIN (SELECT 0 AS k UNION ALL SELECT 1 UNION ALL SELECT 2) AS k"""
_ATTEMPTS = """
INSERT INTO attempts (webhook, delivery, number, started_at, finished_at, outcome, calls, worker)
SELECT webhook, id, 1, settled_at - 1, settled_at, 'delivered',
  '[{{"method": "POST", "path": "/api/chat.postMessage"}}]', 'turn-' || webhook
FROM deliveries WHERE webhook BETWEEN :first AND :last"""
_SCHEDULE = (
    "DELETE FROM attempts WHERE webhook <= :last",
    """UPDATE deliveries SET state = 'scheduled', settled_at = NULL, attempts = 0,
    due_at = :due + webhook * 10 + step WHERE webhook <= :last""",
    """INSERT INTO cancellers (key, delivery, types)
    SELECT 'key-' || webhook, id, '["invoice.refund"]' FROM deliveries WHERE webhook <= :last""",
    """INSERT INTO occasions (key, webhook, position, at, expires_at, deliveries)
    SELECT 'key-' || number, number, 1, received_at, :due + number, '[]' FROM webhooks""",
)
_REOPEN = (
    "DELETE FROM attempts WHERE webhook > :done",
    "UPDATE deliveries SET state = 'waiting', attempts = 0 WHERE webhook > :done",
    "UPDATE deliveries SET settled_at = NULL WHERE webhook > :done",
)


def fill(database: Database, count: int, open_webhooks: int = 100) -> None:
    """For an empty ledger: `count` events, of which the last `open_webhooks` are still owed."""
    for first in range(1, count + 1, _PORTION):
        with database.write() as connection:
            _fill(connection, first, min(first + _PORTION - 1, count))
    with database.write() as connection:
        for statement in _REOPEN:
            connection.execute(text(statement), {"done": count - open_webhooks})
        tally(connection, ACKNOWLEDGED, count)
        tally(connection, PLANNED, count * PER_EVENT)
        if not database.is_sqlite:
            last = "SELECT setval(pg_get_serial_sequence('webhooks', 'number'), :count)"
            connection.execute(text(last), {"count": count})
    _settle_down(database)


def schedule(database: Database, count: int, due: float) -> None:
    """Make the first `count` events' deliveries scheduled, the first of them due at `due`.

    Each is called off by its event's key, which its event holds.
    """
    for statement in _SCHEDULE:
        with database.write() as connection:
            connection.execute(text(statement), {"last": count, "due": due})
    _settle_down(database)


def _fill(connection: Connection, first: int, last: int) -> None:
    dialect = connection.dialect.name
    for statement in (_WEBHOOKS, _EVENTS, _DELIVERIES, _ATTEMPTS):
        spelled = statement.format(
            series=_SERIES[dialect],
            id=_ID[dialect],
            body=_BODY[dialect],
            began=BEGAN,
            apart=SECONDS_APART,
            people=_PEOPLE,
            false="0" if dialect == "sqlite" else "false",
        )
        connection.execute(text(spelled.replace(": ", r"\: ")), {"first": first, "last": last})


def _settle_down(database: Database) -> None:
    """Statistics, as a database gathers them by itself in time."""
    with database._engine.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.commit()
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM ANALYZE")
