"""What a person should know, once for each thing, however often it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, case, delete, null, select, update

from bridge.ledger.tables import alerts
from bridge.ledger.upsert import insert

HALTED = "halted"
# Closed by what ends them: a good rules file, credentials that are accepted again.
LASTING = frozenset({"rules", HALTED, "backlog", "disk"})


@dataclass(frozen=True)
class Alert:
    """`over`: it has ended, which only those are told who were told of it."""

    kind: str
    subject: str
    text: str
    first_at: float
    last_at: float
    count: int
    over: bool = False


def raise_alert(connection: Connection, *, kind: str, subject: str, text: str, at: float) -> None:
    """Record it, or count it where it is known. `text` says what to do and holds no address."""
    statement = insert(connection, alerts).values(**asdict(Alert(kind, subject, text, at, at, 1)))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "subject"],
            set_={
                "text": text,
                "first_at": case((alerts.c.over, at), else_=alerts.c.first_at),
                "last_at": at,
                "count": case((alerts.c.over, 1), else_=alerts.c.count + 1),
                "over": False,
            },
        )
    )


def clear_alert(connection: Connection, *, kind: str, subject: str) -> None:
    """It has ended. Who was told that an account is halted is to be told this too."""
    if kind == HALTED:
        told = _is(kind, subject) & alerts.c.told_at.is_not(None)
        if connection.execute(update(alerts).where(told).values(over=True)).rowcount:
            return
    connection.execute(delete(alerts).where(_is(kind, subject)))


def open_alerts(connection: Connection) -> list[Alert]:
    """The newest first."""
    return _found(connection, ~alerts.c.over, alerts.c.last_at.desc())


def clear_seen(connection: Connection, seen: Sequence[Alert]) -> None:
    """Close what a person has dealt with. What lasts, or has happened again since, stays."""
    for alert in seen:
        if alert.kind not in LASTING:
            same = _is(alert.kind, alert.subject) & (alerts.c.count == alert.count)
            connection.execute(delete(alerts).where(same))


def to_tell(connection: Connection, now: float, again: float) -> list[Alert]:
    """What a person is to be told of, the oldest first: what is new, and ends of what was told.

    After `again` seconds also what lasts, and what has happened again since.
    """
    goes_on = alerts.c.kind.in_(LASTING) | (alerts.c.last_at > alerts.c.told_at)
    due = alerts.c.told_at.is_(None) | ((alerts.c.told_at <= now - again) & goes_on)
    return _found(connection, alerts.c.over | due, alerts.c.first_at)


def note_told(connection: Connection, told: Sequence[Alert], at: float) -> None:
    """Remember that a person knows; what has changed since it was read is told next."""
    for alert in told:
        if alert.over:
            _note_end_told(connection, alert)
        else:
            _note_told(connection, alert, at)


def _note_told(connection: Connection, alert: Alert, at: float) -> None:
    same = _is(alert.kind, alert.subject)
    noted = connection.execute(update(alerts).where(same).values(told_at=at)).rowcount
    if not noted and alert.kind == HALTED:
        # It ended while a person was being told of it.
        ended = asdict(replace(alert, over=True))
        connection.execute(insert(connection, alerts).values(**ended, told_at=at))


def _note_end_told(connection: Connection, alert: Alert) -> None:
    same = _is(alert.kind, alert.subject)
    if not connection.execute(delete(alerts).where(same & alerts.c.over)).rowcount:
        # It began anew while a person was being told of its end.
        connection.execute(update(alerts).where(same).values(told_at=null()))


def _is(kind: str, subject: str) -> ColumnElement[bool]:
    return and_(alerts.c.kind == kind, alerts.c.subject == subject)


def _found(
    connection: Connection, which: ColumnElement[bool], order: ColumnElement[float]
) -> list[Alert]:
    columns = [alerts.c[name] for name in Alert.__dataclass_fields__]
    rows = connection.execute(select(*columns).where(which).order_by(order))
    return [Alert(**row) for row in rows.mappings()]
