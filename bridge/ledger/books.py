"""The books: what was counted on its way in, against what the tables hold.

The tallies are written in the transaction that writes the rows, by statements
of their own. Rows that vanish, or that nobody counted, show as a difference.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Table, delete, func, select
from sqlalchemy.sql.elements import TextClause

from bridge.ledger.tables import (
    ENDED_DELIVERY,
    ENDED_WEBHOOK,
    OPEN_DELIVERY,
    SCHEDULED_DELIVERY,
    WAITING_WEBHOOK,
    deliveries,
    tallies,
    webhooks,
)
from bridge.ledger.upsert import insert_into

ACKNOWLEDGED = "acknowledged webhooks"
PLANNED = "planned deliveries"
PRUNED_WEBHOOKS = "pruned webhooks"
PRUNED_DELIVERIES = "pruned deliveries"

WEBHOOK_STATES = ("routed", "unrouted", "quarantined", "waiting")
DELIVERY_STATES = (
    *("delivered", "previewed", "suppressed", "rejected", "dead"),
    *("waiting", "sending", "scheduled"),
)

# Whom the counts of processes that are gone belong to, and how many rows are let be.
_ALL = "all"
_MOST_WRITERS = 100


@dataclass(frozen=True)
class Book:
    """`counted` on their way in; `states` of the rows that are there; `pruned` for their age."""

    counted: int
    pruned: int
    states: Mapping[str, int]
    known: tuple[str, ...]

    @property
    def stored(self) -> int:
        return sum(self.states.values())

    @property
    def difference(self) -> int:
        """Rows too many (above 0) or missing (below 0)."""
        return self.stored + self.pruned - self.counted

    @property
    def astray(self) -> int:
        """Rows in a state that this version does not know."""
        return sum(count for state, count in self.states.items() if state not in self.known)

    @property
    def is_balanced(self) -> bool:
        return self.difference == 0 and self.astray == 0


@dataclass(frozen=True)
class Books:
    webhooks: Book
    deliveries: Book

    @property
    def are_balanced(self) -> bool:
        return self.webhooks.is_balanced and self.deliveries.is_balanced


def tally(connection: Connection, name: str, count: int) -> None:
    """Count so many more, in the transaction that writes their rows."""
    if count:
        row = {"name": name, "writer": _writer(os.getpid()), "count": count}
        connection.execute(_adding(connection.dialect.name), row)


def books(connection: Connection) -> Books:
    """To be asked in one snapshot, else a webhook that arrives meanwhile is a difference."""
    counts = counted(connection)
    return Books(
        webhooks=Book(
            counted=counts.get(ACKNOWLEDGED, 0),
            pruned=counts.get(PRUNED_WEBHOOKS, 0),
            states=webhook_states(connection),
            known=WEBHOOK_STATES,
        ),
        deliveries=Book(
            counted=counts.get(PLANNED, 0),
            pruned=counts.get(PRUNED_DELIVERIES, 0),
            states=delivery_states(connection),
            known=DELIVERY_STATES,
        ),
    )


def counted(connection: Connection) -> dict[str, int]:
    """The tallies by name, over all writers: quick, however large the ledger is."""
    query = select(tallies.c.name, func.sum(tallies.c.count)).group_by(tallies.c.name)
    return {name: int(count) for name, count in connection.execute(query)}


def stored_webhooks(connection: Connection) -> int:
    """By the tallies."""
    counts = counted(connection)
    return counts.get(ACKNOWLEDGED, 0) - counts.get(PRUNED_WEBHOOKS, 0)


def webhook_states(connection: Connection) -> dict[str, int]:
    """How many webhooks are in which state; without the states of none."""
    return _by_state(connection, webhooks, WAITING_WEBHOOK, ENDED_WEBHOOK)


def delivery_states(connection: Connection) -> dict[str, int]:
    return _by_state(connection, deliveries, OPEN_DELIVERY, SCHEDULED_DELIVERY, ENDED_DELIVERY)


def _by_state(connection: Connection, table: Table, *parts: TextClause) -> dict[str, int]:
    """Each part from its partial index: the rows themselves are not looked at."""
    counts: dict[str, int] = {}
    for part in parts:
        query = select(table.c.state, func.count()).where(part).group_by(table.c.state)
        counts.update((state, count) for state, count in connection.execute(query))
    return counts


def fold(connection: Connection) -> None:
    """Put the counts of all processes into one row each, once there are many."""
    writers = connection.execute(select(func.count()).select_from(tallies)).scalar_one()
    if writers <= _MOST_WRITERS:
        return
    folded = delete(tallies).where(tallies.c.writer != _ALL)
    counts: dict[str, int] = {}
    for name, count in connection.execute(folded.returning(tallies.c.name, tallies.c.count)):
        counts[name] = counts.get(name, 0) + count
    for name in sorted(counts):
        row = {"name": name, "writer": _ALL, "count": counts[name]}
        connection.execute(_adding(connection.dialect.name), row)


@cache
def _writer(_process: int) -> str:
    """A name for this process. A fork has another number, and so another name."""
    return uuid4().hex


@cache
def _adding(dialect: str) -> Any:
    """Made once: it is part of every acceptance."""
    statement = insert_into(dialect, tallies)
    return statement.on_conflict_do_update(
        index_elements=["name", "writer"],
        set_={"count": tallies.c.count + statement.excluded.count},
    )
