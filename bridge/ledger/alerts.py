"""What a person should know, once for each thing, however often it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from bridge.ledger.tables import alerts
from bridge.ledger.upsert import insert

# Closed by what ends them: a good rules file, credentials that are accepted again.
LASTING = frozenset({"rules", "halted"})


@dataclass(frozen=True)
class Alert:
    kind: str
    subject: str
    text: str
    first_at: float
    last_at: float
    count: int


def raise_alert(connection: Connection, *, kind: str, subject: str, text: str, at: float) -> None:
    """Record it, or count it where it is known. `text` says what to do and holds no address."""
    statement = insert(connection, alerts).values(
        kind=kind, subject=subject, text=text, first_at=at, last_at=at, count=1
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "subject"],
            set_={"text": text, "last_at": at, "count": alerts.c.count + 1},
        )
    )


def clear_alert(connection: Connection, *, kind: str, subject: str) -> None:
    connection.execute(delete(alerts).where(alerts.c.kind == kind, alerts.c.subject == subject))


def open_alerts(connection: Connection) -> list[Alert]:
    """The newest first."""
    rows = connection.execute(select(alerts).order_by(alerts.c.last_at.desc()))
    return [Alert(**row) for row in rows.mappings()]


def clear_seen(connection: Connection, seen: Sequence[Alert]) -> None:
    """Close what a person has dealt with. What lasts, or has happened again since, stays."""
    for alert in seen:
        if alert.kind not in LASTING:
            connection.execute(
                delete(alerts).where(
                    alerts.c.kind == alert.kind,
                    alerts.c.subject == alert.subject,
                    alerts.c.count == alert.count,
                )
            )
