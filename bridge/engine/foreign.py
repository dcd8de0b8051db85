"""Tells of what stands in our Redis and is not ours."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from bridge.errors import LedgerUnavailable
from bridge.ledger.alerts import Alert, raise_alerts
from bridge.ledger.database import Database

log = logging.getLogger(__name__)

FOREIGN_JOB = "foreign-job"
# Between two alerts of one process about one thing, however many jobs there are.
TELL_SECONDS = 5.0

_ADVICE = (
    "Somebody else writes to this Redis, by mistake or to do harm. Find out who can reach it, give "
    "Showbridge a Redis that nothing else uses, and change its password (docs/security.md, Redis)."
)


class Foreign:
    """Counts what was found, and raises alerts; one of these for each process."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now
        self._found: Counter[tuple[str, str]] = Counter()
        self._told_at: dict[tuple[str, str], float] = {}

    def job(self, queue: str, fault: str) -> None:
        """A job was dropped; `fault` is one of few texts and holds nothing of the job."""
        text = f"A job in the Redis queue {queue} was not made by Showbridge: {fault}."
        self._note(queue, f"{text} It was taken out and not run. {_ADVICE}")

    def key(self, key: str) -> None:
        """A key of ours held something else and was deleted."""
        text = f"The Redis key {key} held something that Showbridge never puts there."
        self._note(key, f"{text} It was deleted; what was lost with it is queued again. {_ADVICE}")

    def member(self, key: str) -> None:
        """A set of workers' names held one that no worker of ours has, and it was taken out."""
        text = f"The Redis set {key} held the name of a worker that is none of Showbridge's."
        self._note(key, f"{text} It was taken out. {_ADVICE}")

    def tell(self) -> None:
        """What is not told yet, but for what was told a moment ago."""
        now = self._now()
        due = {each: count for each, count in self._found.items() if self._is_due(each, now)}
        if not due:
            return
        found = [
            Alert(FOREIGN_JOB, subject, text, now, now, count)
            for (subject, text), count in due.items()
        ]
        self._told_at |= dict.fromkeys(due, now)
        try:
            with self._database.write() as connection:
                raise_alerts(connection, found)
        except LedgerUnavailable as failure:
            log.warning("what was found in Redis is told later, the ledger is away: %s", failure)
        else:
            self._found -= Counter(due)

    def _is_due(self, each: tuple[str, str], now: float) -> bool:
        told_at = self._told_at.get(each)
        return told_at is None or not told_at <= now < told_at + TELL_SECONDS

    def _note(self, subject: str, text: str) -> None:
        if (subject, text) not in self._found:
            log.warning("%s", text)
        self._found[subject, text] += 1
        self.tell()
