"""What a person should know, once for each thing, however often it happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, and_, case, delete, null, select, update

from bridge.ledger.tables import alerts
from bridge.ledger.upsert import insert

HALTED, RESTING = "halted", "resting"
# What the watchdog finds: parts that do not do their work, and what waits without a known reason.
REDIS, WORKERS, CLOCK, LEDGER, WAITING = "redis", "workers", "clock", "ledger", "waiting"
WATCHED = frozenset({REDIS, WORKERS, CLOCK, WAITING})
# Whoever was told of them is told of their end.
END_IS_TOLD = WATCHED | {HALTED, RESTING}
# Closed by what ends them: a good rules file, credentials that are accepted again.
LASTING = END_IS_TOLD | {"rules", "backlog", "disk"}
# What a sender writes in a way that cannot be read; over when it has not come for so long.
UNREADABLE = "unreadable"
UNREADABLE_DAYS = 7
# Of these there are as many as the configuration has files and accounts.
_FEW = LASTING | {"missing-account"}

# Of the other kinds a sender may cause as many as it likes: what is more is counted in one row.
MOST_OF_A_KIND = 20
OTHERS = "others"


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
    raise_alerts(connection, [Alert(kind, subject, text, at, at, 1)])


def raise_alerts(connection: Connection, raised: Iterable[Alert]) -> None:
    """The same for several, by few statements; at most one row of `OTHERS` for each kind."""
    for kind, of_kind in groupby(_in_order(raised), key=lambda alert: alert.kind):
        found = list(_merged(of_kind))
        if kind not in _FEW:
            found = _within_bounds(connection, kind, found)
        for alert in found:
            _add(connection, alert)


def clear_alert(connection: Connection, *, kind: str, subject: str) -> None:
    """It has ended. Who was told that an account is halted is to be told this too."""
    if kind in END_IS_TOLD:
        told = _is(kind, subject) & alerts.c.told_at.is_not(None)
        if connection.execute(update(alerts).where(told).values(over=True)).rowcount:
            return
    connection.execute(delete(alerts).where(_is(kind, subject)))


def drop_alert(connection: Connection, *, kind: str, subject: str) -> None:
    """Another alert says more of it now: nobody is told of an end."""
    connection.execute(delete(alerts).where(_is(kind, subject)))


def renew_alert(connection: Connection, *, kind: str, subject: str, text: str, at: float) -> bool:
    """What goes on has not happened once more: only its text is new. False where it is not open."""
    same = _is(kind, subject) & ~alerts.c.over
    return connection.execute(update(alerts).where(same).values(text=text, last_at=at)).rowcount > 0


def open_alerts(connection: Connection) -> list[Alert]:
    """The newest first."""
    return _found(connection, ~alerts.c.over, alerts.c.last_at.desc())


def clear_seen(connection: Connection, seen: Sequence[Alert]) -> None:
    """Close what a person has dealt with. What lasts, or has happened again since, stays."""
    for alert in _in_order(seen):
        if alert.kind not in LASTING:
            same = _is(alert.kind, alert.subject) & (alerts.c.count == alert.count)
            connection.execute(delete(alerts).where(same))


def forget_told(connection: Connection, before: float) -> int:
    """Delete what has not happened since `before` and a person was told of; how many there were.

    What lasts stays. What nobody could be told of stays until somebody looks.
    """
    old = alerts.c.kind.not_in(LASTING) & (alerts.c.last_at < before)
    told = alerts.c.told_at < before
    return connection.execute(delete(alerts).where(told, alerts.c.over | old)).rowcount


def end_unreadable(connection: Connection, now: float) -> None:
    """Of senders that write what can be read by now, or no longer write it."""
    quiet = alerts.c.last_at < now - UNREADABLE_DAYS * 86400
    connection.execute(delete(alerts).where(alerts.c.kind == UNREADABLE, quiet))


def to_tell(connection: Connection, now: float, again: float) -> list[Alert]:
    """What a person is to be told of, the oldest first: what is new, and ends of what was told.

    After `again` seconds also what lasts, and what has happened again since.
    """
    goes_on = alerts.c.kind.in_(LASTING) | (alerts.c.last_at > alerts.c.told_at)
    due = alerts.c.told_at.is_(None) | ((alerts.c.told_at <= now - again) & goes_on)
    return _found(connection, alerts.c.over | due, alerts.c.first_at)


def note_told(connection: Connection, told: Sequence[Alert], at: float) -> None:
    """Remember that a person knows; what has changed since it was read is told next."""
    for alert in _in_order(told):
        if alert.over:
            _note_end_told(connection, alert)
        else:
            _note_told(connection, alert, at)


def _note_told(connection: Connection, alert: Alert, at: float) -> None:
    same = _is(alert.kind, alert.subject)
    noted = connection.execute(update(alerts).where(same).values(told_at=at)).rowcount
    if not noted and alert.kind in END_IS_TOLD:
        # It ended while a person was being told of it.
        ended = asdict(replace(alert, over=True))
        connection.execute(insert(connection, alerts).values(**ended, told_at=at))


def _note_end_told(connection: Connection, alert: Alert) -> None:
    same = _is(alert.kind, alert.subject)
    if not connection.execute(delete(alerts).where(same & alerts.c.over)).rowcount:
        # It began anew while a person was being told of its end.
        connection.execute(update(alerts).where(same).values(told_at=null()))


def _in_order(some: Iterable[Alert]) -> list[Alert]:
    """In one order everywhere, so that two processes cannot wait for each other."""
    return sorted(some, key=lambda alert: (alert.kind, alert.subject == OTHERS, alert.subject))


def _merged(of_kind: Iterable[Alert]) -> Iterator[Alert]:
    """Those of one subject, which follow each other, as one."""
    for _, same in groupby(of_kind, key=lambda alert: alert.subject):
        yield _as_one(list(same))


def _as_one(same: Sequence[Alert]) -> Alert:
    first, last = min(each.first_at for each in same), max(each.last_at for each in same)
    count = sum(each.count for each in same)
    return replace(same[-1], first_at=first, last_at=last, count=count)


def _within_bounds(connection: Connection, kind: str, found: Sequence[Alert]) -> list[Alert]:
    """Two processes at once may go beyond by a few."""
    rows = connection.execute(select(alerts.c.subject).where(alerts.c.kind == kind))
    listed = set(rows.scalars()) - {OTHERS}
    kept, others = [], []
    for alert in found:
        if alert.subject in listed or len(listed) < MOST_OF_A_KIND:
            listed.add(alert.subject)
            kept.append(alert)
        else:
            others.append(alert)
    return [*kept, _others(others)] if others else kept


def _others(some: Sequence[Alert]) -> Alert:
    one = _as_one(some)
    text = f"More of this kind than are listed one by one, for example: {one.text}"
    return replace(one, subject=OTHERS, text=text)


def _add(connection: Connection, alert: Alert) -> None:
    statement = insert(connection, alerts).values(**asdict(alert))
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "subject"],
            set_={
                "text": new.text,
                "first_at": case((alerts.c.over, new.first_at), else_=alerts.c.first_at),
                "last_at": new.last_at,
                "count": case((alerts.c.over, new.count), else_=alerts.c.count + new.count),
                "over": False,
            },
        )
    )


def _is(kind: str, subject: str) -> ColumnElement[bool]:
    return and_(alerts.c.kind == kind, alerts.c.subject == subject)


def _found(
    connection: Connection, which: ColumnElement[bool], order: ColumnElement[float]
) -> list[Alert]:
    columns = [alerts.c[name] for name in Alert.__dataclass_fields__]
    rows = connection.execute(select(*columns).where(which).order_by(order))
    return [Alert(**row) for row in rows.mappings()]
