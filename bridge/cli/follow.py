"""New events as they come: each webhook once, when it is done or has been under way for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from bridge.cli.event_lines import is_settled
from bridge.ledger.database import Database
from bridge.ledger.look_up import EventSummary, Filters, recent

# Longest that a webhook is held back for what becomes of it.
PATIENCE_SECONDS = 2.0
# PostgreSQL gives numbers before it commits: a lower one may show later.
OVERLAP = 200


class Follower:
    """Knows what was told already; what is in the ledger at first counts as told.

    `now` is a clock in seconds. Numbers up to `_after` are not looked at again.
    """

    def __init__(self, database: Database, filters: Filters, now: Callable[[], float]) -> None:
        self._database = database
        self._filters = filters
        self._now = now
        self._first_seen: dict[int, float] = {}
        with database.read() as connection:
            newest = recent(connection, Filters(), 1)
        self._after = (newest[0].webhook if newest else 0) - OVERLAP
        self._told = {event.webhook for event in self._select(Filters())}

    def told(self, events: Iterable[EventSummary]) -> None:
        """These were shown by somebody else."""
        self._told.update(event.webhook for event in events)

    def step(self) -> list[EventSummary]:
        """What is to be shown since the last step, the oldest first; often nothing."""
        ready: list[EventSummary] = []
        for number, group in groupby(self._select(self._filters), key=lambda event: event.webhook):
            events = list(group)
            if number not in self._told and self._is_ready(number, events):
                ready.extend(events)
                self._told.add(number)
                self._first_seen.pop(number, None)
        self._advance()
        return ready

    def _select(self, filters: Filters) -> list[EventSummary]:
        with self._database.read() as connection:
            return recent(connection, replace(filters, after=self._after), None)[::-1]

    def _is_ready(self, number: int, events: Sequence[EventSummary]) -> bool:
        now = self._now()
        since = self._first_seen.setdefault(number, now)
        return all(map(is_settled, events)) or now - since >= PATIENCE_SECONDS

    def _advance(self) -> None:
        """Behind the newest, but never past a webhook that is still held back."""
        newest = max(self._told, default=0)
        held_back = [number - 1 for number in self._first_seen]
        self._after = max(self._after, min([newest - OVERLAP, *held_back]))
        self._told = {number for number in self._told if number > self._after}
