"""Deliveries that ended badly, as alerts: one for each action and reason, however many there are.

Whoever ends a delivery as rejected or dead raises its alert in the same transaction. The alert
ends once none of them is left: each was replayed, or called off, or is forgotten for its age.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Row, select

from bridge.ledger.alerts import OTHERS, Alert, drop_alert, open_alerts, raise_alerts
from bridge.ledger.tables import ENDED_DELIVERY, deliveries

DEAD, REJECTED = "dead", "rejected"
KINDS = (DEAD, REJECTED)

VARIES = "…"
"""What stands for the part of a reason that differs from one to the next."""

# Ids of requests, then numbers; the statuses of HTTP answers tell things apart.
_ID = re.compile(r"\b(?:\d+_)?(?=[0-9a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]+)*\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])(?![1-5]\d\d\b)\d[\d.,:]*(?<![.,:])(?!\w)")
_LONGEST_SUBJECT = 200
# So that no statement has more values than SQLite takes.
_AT_ONCE = 500
_ENDED = deliveries.c.state.in_(KINDS)


def in_general(reason: str) -> str:
    """The reason without what differs each time: ids of requests, numbers that are no status."""
    return _NUMBER.sub(VARIES, _ID.sub(VARIES, reason))


def tell(connection: Connection, ids: Sequence[str], now: float) -> None:
    """Raise alerts for those of these deliveries that ended badly at `now`."""
    raise_alerts(connection, [_alert(row, now) for row in _ended_at(connection, ids, now)])


def forget_handled(connection: Connection) -> int:
    """Close the alerts of which no delivery is left; how many."""
    told = [alert for alert in open_alerts(connection) if alert.kind in KINDS]
    if not told:
        return 0
    handled = _handled(connection, told)
    for alert in handled:
        drop_alert(connection, kind=alert.kind, subject=alert.subject)
    return len(handled)


def _ended_at(connection: Connection, ids: Sequence[str], now: float) -> Iterator[Row[Any]]:
    """What was ended before was told then."""
    for start in range(0, len(ids), _AT_ONCE):
        some = deliveries.c.id.in_(ids[start : start + _AT_ONCE])
        query = select(*_TOLD).where(some, _ENDED, deliveries.c.settled_at == now)
        yield from connection.execute(query)


_TOLD = [deliveries.c[name] for name in ("state", "account", "action", "reason")]


def _alert(row: Row[Any], now: float) -> Alert:
    return Alert(row.state, _subject(row), _text(row), now, now, 1)


def _subject(row: Row[Any]) -> str:
    return f"{row.account}.{row.action}: {in_general(row.reason or '')}"[:_LONGEST_SUBJECT]


def _text(row: Row[Any]) -> str:
    rejected = row.state == REJECTED
    what = "was rejected" if rejected else "was given up"
    shows = "showbridge dead --rejected" if rejected else "showbridge dead"
    return (
        f"A delivery by {row.account}.{row.action} {what}: {row.reason}. `{shows}` shows all of "
        "them and says what to type next: put the cause right, then replay them. Replayed, they "
        "are no alert any more; `showbridge status --seen` closes what needs nothing."
    )


def _handled(connection: Connection, told: Sequence[Alert]) -> list[Alert]:
    """Reads until of each there is one left, which is soon unless one was handled."""
    since_then = deliveries.c.settled_at >= min(alert.first_at for alert in told)
    query = select(*_TOLD).where(ENDED_DELIVERY, _ENDED, since_then).distinct()
    ended = connection.execute(query.execution_options(yield_per=_AT_ONCE))
    with closing(ended):
        for rows in ended.partitions():
            left = {(row.state, _subject(row)) for row in rows}
            told = [each for each in told if not _is_left(each, left)]
            if not told:
                break
    return list(told)


def _is_left(alert: Alert, left: Iterable[tuple[str, str]]) -> bool:
    if alert.subject == OTHERS:
        return any(kind == alert.kind for kind, _ in left)
    return (alert.kind, alert.subject) in left
