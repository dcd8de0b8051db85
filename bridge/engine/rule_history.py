"""What rules ask for that never came: misspelt values, conditions that never held.

Looks at the newest webhooks that are in the ledger, changes nothing, and takes
a few seconds at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from bridge.config import Config
from bridge.engine.experience import Experience
from bridge.engine.route import events_of
from bridge.errors import Mistake
from bridge.event import Event
from bridge.ledger.database import Database
from bridge.ledger.plan import Waiting
from bridge.ledger.recorded import Span, portions, span_since
from bridge.rules import RuleSet
from bridge.source import Source

DAYS = 30
MOST_WEBHOOKS = 5_000
LONGEST_SECONDS = 3.0

_PORTION = 50
_DAY_SECONDS = 86400


def history_warnings(
    rules: RuleSet,
    config: Config,
    database: Database,
    now: float,
    clock: Callable[[], float] = time.monotonic,
    most: int = MOST_WEBHOOKS,
) -> list[Mistake]:
    """In the order of the files; `now` in Unix seconds, `clock` measures how long it takes.

    No more than the newest `most` webhooks are looked at.
    """
    sources = {name: each.source for name, each in config.sources.items()}
    experience = Experience(rules)
    with database.read() as connection:
        whole = span_since(connection, now - DAYS * _DAY_SECONDS)
    newest = replace(whole, first=max(whole.first, whole.last - most + 1))
    experience.period = f"the last {DAYS} days" if newest == whole else _newest(most)
    deadline = clock() + LONGEST_SECONDS
    for part in _parts(newest):
        for name, event in _events(database, part, sources):
            experience.take(event, name)
        if clock() > deadline and part.first > newest.first:
            experience.period = _newest(newest.last - part.first + 1)
            break
    return sorted(experience.warnings())


def _parts(span: Span) -> Iterator[Span]:
    """The newest first."""
    for last in range(span.last, span.first - 1, -_PORTION):
        yield replace(span, first=max(span.first, last - _PORTION + 1), last=last)


def _newest(count: int) -> str:
    return f"the newest {count:,} webhooks"


def _events(
    database: Database, span: Span, sources: Mapping[str, Source]
) -> Iterator[tuple[str, Event]]:
    """Each with the number of its webhook."""
    for portion in portions(database, span):
        for waiting in portion.webhooks:
            for event in _understood(waiting, sources.get(waiting.webhook.source)):
                yield str(waiting.number), event


def _understood(waiting: Waiting, source: Source | None) -> list[Event]:
    """None of a source that is gone, or of what cannot be read any more."""
    try:
        return events_of(waiting, source) if source else []
    except Exception:  # noqa: BLE001  # routing has said so; here it is only one event less
        return []
