"""Tells of a source for whose webhooks no rule does anything.

Each single one may well be nobody's business; if all of them are, the rules name another source,
or another type: https://github.com/home-assistant/core/issues/29583.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bridge.ledger.alerts import Alert, clear_alert, open_alerts, raise_alerts
from bridge.ledger.database import Database
from bridge.ledger.sources import NEWEST, Fortune, fortunes

UNROUTED = "unrouted"
# One or two may be tests.
FEWEST = 3
# What came longer ago was told then, by whoever looked.
RECENT_SECONDS = 600.0


@dataclass
class Unrouted:
    """`names` are the sources of bridge.yaml. After `again` seconds what was seen is told anew."""

    database: Database
    names: Collection[str]
    again: float
    now: Callable[[], float]
    _told: dict[str, float] = field(default_factory=dict, init=False)

    def look(self) -> None:
        """Raises LedgerUnavailable."""
        with self.database.read() as connection:
            found = fortunes(connection)
            told = {each.subject for each in open_alerts(connection) if each.kind == UNROUTED}
        for name in told - {name for name, one in found.items() if not one.routed}:
            self._told.pop(name, None)
            with self.database.write() as connection:
                clear_alert(connection, kind=UNROUTED, subject=name)
        for name in set(self.names) - told:
            self._tell(name, found.get(name, Fortune()))

    def _tell(self, name: str, fortune: Fortune) -> None:
        now = self.now()
        is_new = fortune.received_at > max(now - RECENT_SECONDS, self._told.get(name, 0.0))
        if fortune.routed or fortune.unrouted < FEWEST or not is_new:
            return
        if now < self._told.get(name, -self.again) + self.again:
            return
        self._told[name] = now
        text = (
            f"No rule does anything for what {name} sends: none of its newest "
            f"{fortune.unrouted:,} webhooks (among the last {NEWEST:,} of all) was routed. "
            f"`showbridge why {fortune.newest}` says for each rule why; rules that should be asked "
            f"have `source: {name}` and one of its event types (`showbridge rules fields`)."
        )
        alert = Alert(UNROUTED, name, text, now, now, 1)
        with self.database.write() as connection:
            raise_alerts(connection, [alert])
