"""Tells of accounts to which nothing has got through for long: a limit, or a vendor that is away.

A rest ends by itself, so the first ones are nobody's business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from bridge.ledger import accounts
from bridge.ledger.accounts import Standing
from bridge.ledger.alerts import (
    RESTING,
    Alert,
    drop_alert,
    open_alerts,
    raise_alerts,
    renew_alert,
)
from bridge.ledger.backlog import owed_to
from bridge.ledger.database import Connection, Database

# How old an alert's numbers may be.
RENEW_SECONDS = 3600.0


@dataclass(frozen=True)
class Outages:
    """`names`: the accounts that are live. `after`: seconds without anything taken."""

    database: Database
    names: Collection[str]
    after: float
    now: Callable[[], float]

    def look(self) -> None:
        """Raise an alert for each, once; whoever gets through clears it. Raises LedgerUnavailable.

        To be done each second or so by one process.
        """
        now = self.now()
        with self.database.read() as connection:
            found = self._found(connection, now)
            told = _told(connection)
        for standing in found:
            alert = told.get(standing.name)
            if alert is None or alert.last_at <= now - RENEW_SECONDS:
                self._tell(standing.name, alert.first_at if alert else standing.since, now)
        for name in told.keys() - set(self.names):
            # Nobody will get through to it any more.
            with self.database.write() as connection:
                drop_alert(connection, kind=RESTING, subject=name)

    def _found(self, connection: Connection, now: float) -> list[Standing]:
        long = accounts.long_at_rest(connection, now - self.after, now)
        return [standing for standing in long if standing.name in self.names]

    def _tell(self, name: str, since: float, now: float) -> None:
        with self.database.write() as connection:
            standing = accounts.held(connection, name)
            if standing is None or standing.halted or standing.since > now - self.after:
                return
            text = _text(standing, since, owed_to(connection, name))
            if not renew_alert(connection, kind=RESTING, subject=name, text=text, at=now):
                raise_alerts(connection, [Alert(RESTING, name, text, since, now, 1)])


def _told(connection: Connection) -> dict[str, Alert]:
    known = open_alerts(connection)
    return {alert.subject: alert for alert in known if alert.kind == RESTING}


def _text(standing: Standing, since: float, waiting: int) -> str:
    began = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%d %H:%M UTC")
    count = f"{waiting:,} deliveries wait" if waiting != 1 else "1 delivery waits"
    return (
        f"Nothing has got through to the account {standing.name} since {began}: "
        f"{standing.reason}. {count} for it. It is tried again by itself until it works; "
        "`showbridge accounts` says when next."
    )
