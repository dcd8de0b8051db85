"""What is refused: its lines in the log, bounded, and what a person is told of it."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from bridge.ledger.alerts import Alert, clear_alert, open_alerts, raise_alerts
from bridge.ledger.database import Database
from bridge.ledger.sources import last_taken
from bridge.wording import moment_in_words

log = logging.getLogger(__name__)

# Enough to see who tries what, and less than strangers send themselves.
MAX_LINES = 20
WINDOW_SECONDS = 10.0
MAX_REASONS = 50

REFUSED = "refused"


class Refusals(logging.Filter):
    """Lets the first lines of each ten seconds through and counts the rest by reason.

    Lines of webhooks that were taken always pass: how many there are is bounded by
    who has a secret.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._began = elapsed()
        self._lines = 0
        self._rest: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status", 0) < 400:
            return True
        self.tell_rest()
        with self._lock:
            self._lines += 1
            if self._lines <= MAX_LINES:
                return True
            reason = str(getattr(record, "reason", None))
            is_room = reason in self._rest or len(self._rest) < MAX_REASONS
            self._rest[reason if is_room else "others"] += 1
            return False

    def tell_rest(self) -> None:
        """One line for all that had none, once their ten seconds are over."""
        with self._lock:
            if self._elapsed() < self._began + WINDOW_SECONDS:
                return
            rest, self._rest = self._rest, Counter()
            self._began, self._lines = self._elapsed(), 0
        if rest:
            log.warning("more requests were refused", extra={"refused": dict(rest)})


SIGNATURE, ADDRESS, PATH, CONTENT = "signature", "address", "path", "content"
# Once none is taken any more: a stranger may try once or twice.
FEWEST = 3
# While others of the same source are taken, in so many seconds.
MANY, MANY_SECONDS = 100, 600.0
# What comes between two that are taken is no outage.
QUIET_SECONDS = 20.0
# Between two lines of one process about one thing, however many requests there are.
TELL_SECONDS = 60.0


@dataclass
class _Tally:
    """`count` of those refused since a webhook of the source was last taken; `many` in a while."""

    count: int = 0
    first: float = 0.0
    last: float = 0.0
    many: int = 0
    many_since: float = 0.0
    reason: str = ""
    told: int = 0
    told_at: float = 0.0


class RefusedSources:
    """Counts what is refused of each configured source, so that many refusals are one alert.

    Per request it adds to a few numbers and writes nothing. There are as many of them as the
    configuration has sources, times the causes, whatever strangers send.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._taken_at: dict[str, float] = {}

    def taken(self, source: str) -> None:
        """A webhook was verified."""
        self._taken_at[source] = self._now()

    def refused(self, source: str, cause: str, reason: str) -> None:
        """`source` is a configured one, and `reason` one of few texts."""
        now = self._now()
        tally = self._tallies.setdefault((source, cause), _Tally(many_since=now))
        if not tally.count or tally.last <= self._taken_at.get(source, 0.0):
            tally.count, tally.first = 0, now
        if now - tally.many_since >= MANY_SECONDS:
            tally.many, tally.many_since = 0, now
        tally.count += 1
        tally.many += 1
        tally.last, tally.reason = now, reason

    def look(self, database: Database) -> None:
        """Raise and end alerts, each seldom; raises LedgerUnavailable."""
        for (source, cause), tally in list(self._tallies.items()):
            if self._is_to_be_told(source, tally):
                self._tell(database, source, cause, tally)

    def _is_to_be_told(self, source: str, tally: _Tally) -> bool:
        if tally.last <= tally.told_at or self._now() < tally.told_at + TELL_SECONDS:
            return False
        taken_at = self._taken_at.get(source, 0.0)
        none_taken = tally.last > taken_at and self._now() >= taken_at + QUIET_SECONDS
        return (none_taken and tally.count >= FEWEST) or tally.many >= MANY

    def _tell(self, database: Database, source: str, cause: str, tally: _Tally) -> None:
        now = self._now()
        with database.read() as connection:
            taken_at = last_taken(connection, source)
        if tally.many < MANY and taken_at is not None and taken_at >= tally.first:
            # By another process; which of those refused came since then, nobody has noted.
            self._taken_at[source] = max(taken_at, self._taken_at.get(source, 0.0))
            tally.count = 0
            return
        count = max(1, tally.many - tally.told if tally.many > tally.told else tally.many)
        text = _told(source, cause, tally, taken_at)
        alert = Alert(REFUSED, f"{source}: {cause}", text, tally.first, now, count)
        with database.write() as connection:
            raise_alerts(connection, [alert])
        tally.told, tally.told_at = tally.many, now


def end_refused(database: Database, now: float) -> None:
    """End what is over: a webhook was taken since, and none was refused for a while."""
    with database.read() as connection:
        told = [each for each in open_alerts(connection) if each.kind == REFUSED]
        over = [
            each
            for each in told
            if each.last_at <= now - MANY_SECONDS
            and (last_taken(connection, each.subject.partition(":")[0]) or 0.0) > each.last_at
        ]
    for alert in over:
        with database.write() as connection:
            clear_alert(connection, kind=REFUSED, subject=alert.subject)


def _told(source: str, cause: str, tally: _Tally, taken_at: float | None) -> str:
    if taken_at is None:
        since = "and none was taken, at least lately"
    else:
        since = f"and the last one was taken at {moment_in_words(taken_at)}"
    what, likely = _CAUSES[cause]
    if tally.many >= MANY and taken_at is not None and taken_at >= tally.first:
        since = "while others of it are taken"
        likely = (
            f"Others are taken, so strangers may be trying; else: {likely[0].lower()}{likely[1:]}"
        )
    return (
        f"Requests to /hooks/{source} are refused: {what} ({tally.reason}), {since}. {likely} "
        "What was refused is not kept: let the sender send it again."
    )


_CAUSES = {
    SIGNATURE: (
        "none of the source's secrets signed them",
        (
            "The likely cause is a wrong or lost secret: compare the one in bridge.yaml's variable "
            "or file with the one that the sender shows now, and restart. If nothing is missing, "
            "strangers are trying, and nothing was taken of them."
        ),
    ),
    ADDRESS: (
        "they come from addresses that `allow_from` does not name",
        (
            "The likely cause is that the sender has new addresses, or that a proxy in between is "
            "missing in `trusted_proxies`."
        ),
    ),
    PATH: (
        "the secret part of their path is wrong or missing",
        "The likely cause is that `path_secret` was changed and the sender's address was not.",
    ),
    CONTENT: (
        "they are not what the source's webhooks are",
        (
            "The likely cause is a setting such as `max_body` or `accept_gzip`, or something "
            "between the sender and here that changes requests."
        ),
    ),
}
