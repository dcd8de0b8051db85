"""Accepting a webhook: one durable transaction, shared by all that wait at that moment."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, select

from bridge.errors import LedgerUnavailable
from bridge.event import Identity, Webhook
from bridge.ledger.alerts import Alert, raise_alerts
from bridge.ledger.books import ACKNOWLEDGED, tally
from bridge.ledger.database import Database
from bridge.ledger.tables import webhooks
from bridge.logs import place_of

log = logging.getLogger(__name__)

# How long others may join where several came at once before.
GATHER_SECONDS = 0.001
# Of 11 values each: a SQLite of any age takes 999 values in a statement.
MOST_AT_ONCE = 90

Key = tuple[str, str]


class Acceptance(Enum):
    """What the ledger did with an arrival; all of them are safe to acknowledge."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    """The key is known with another content; the first was kept and an alert raised."""


Answer = Acceptance | LedgerUnavailable


@dataclass(frozen=True)
class Arrival:
    """A verified webhook, ready to be kept; `webhook.headers` hold no credentials."""

    webhook: Webhook
    identity: Identity
    same_content: Callable[[bytes, bytes], bool] = bytes.__eq__
    """Asked with the body that was kept, where the fingerprints differ."""

    @property
    def key(self) -> Key:
        return self.webhook.source, self.identity.idempotency_key


@dataclass(frozen=True)
class _Ticket:
    """An arrival in the queue, and whom to tell what became of it."""

    arrival: Arrival
    done: Callable[[Answer], None]


class Acceptor:
    """Accepts from many threads at once: one of its own writes for all that gathered meanwhile.

    After a batch of several it lets more gather for a moment: a transaction
    costs as much as several rows. Who is alone never waits.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathered: SimpleQueue[_Ticket] = SimpleQueue()
        self._starting = threading.Lock()
        self._writer: threading.Thread | None = None

    def accept(self, arrival: Arrival) -> Acceptance:
        """Returns once the arrival is on the disk; raises LedgerUnavailable otherwise."""
        answer = self.answer(arrival)
        if isinstance(answer, LedgerUnavailable):
            raise LedgerUnavailable(str(answer)) from answer
        return answer

    def answer(self, arrival: Arrival) -> Answer:
        """The same, but the failure is returned too."""
        answers: SimpleQueue[Answer] = SimpleQueue()
        self.submit(arrival, answers.put)
        return answers.get()

    def submit(self, arrival: Arrival, done: Callable[[Answer], None]) -> None:
        """`done` is told from the writing thread, which it must not hold up; it never raises."""
        if self._writer is None:
            self._start()
        self._gathered.put(_Ticket(arrival, done))

    def _start(self) -> None:
        with self._starting:
            if self._writer is None:
                writer = threading.Thread(target=self._keep_writing, name="accept", daemon=True)
                writer.start()
                self._writer = writer

    def _keep_writing(self) -> None:
        crowded = False
        while True:
            batch = [self._gathered.get()]
            if crowded:
                time.sleep(GATHER_SECONDS)
            for ticket, answer in zip(batch, self._write(batch), strict=True):
                ticket.done(answer)
            crowded = len(batch) > 1

    def _write(self, batch: list[_Ticket]) -> Sequence[Answer]:
        """One answer for each of the batch, to which is added what else has gathered."""
        try:
            with self._database.write() as connection:
                # Only now: while this waited for its turn to write, more gathered.
                self._join(batch)
                return keep(connection, [ticket.arrival for ticket in batch])
        except LedgerUnavailable as failure:
            self._join(batch)
            return [failure] * len(batch)
        except BaseException as error:  # noqa: BLE001  # one bad row is not its neighbours' failure
            log.error("a batch of %d was refused, each goes alone: %s", len(batch), place_of(error))
            return [self._write_alone(ticket) for ticket in batch]

    def _write_alone(self, ticket: _Ticket) -> Answer:
        try:
            with self._database.write() as connection:
                return keep(connection, [ticket.arrival])[0]
        except LedgerUnavailable as failure:
            return failure
        except BaseException as error:  # noqa: BLE001  # the sender is asked to come back
            log.error("a webhook was refused by the ledger: %s", place_of(error))
            return LedgerUnavailable("the ledger refused this webhook")

    def _join(self, batch: list[_Ticket]) -> None:
        with suppress(Empty):
            while len(batch) < MOST_AT_ONCE:
                batch.append(self._gathered.get_nowait())


def keep(connection: Connection, arrivals: Sequence[Arrival]) -> list[Acceptance]:
    """Insert what is new, in the order given; one answer for each arrival."""
    fresh = _insert(connection, arrivals)
    tally(connection, ACKNOWLEDGED, len(fresh))
    answers = []
    alerts: list[Alert] = []
    for arrival in arrivals:
        if arrival.key in fresh:
            # The first of its key in this batch is the one that was kept.
            fresh.remove(arrival.key)
            alerts.extend(_alerts(arrival))
            answers.append(Acceptance.ACCEPTED)
            continue
        answers.append(_compare(connection, arrival))
        if answers[-1] is Acceptance.CONFLICT:
            alerts.append(_changed(arrival))
    raise_alerts(connection, alerts)
    return answers


def _compare(connection: Connection, arrival: Arrival) -> Acceptance:
    """A known key: the same again, or something else under its name."""
    source, key = arrival.key
    kept = connection.execute(
        select(webhooks.c.fingerprint, webhooks.c.body, webhooks.c.pruned_at).where(
            webhooks.c.source == source, webhooks.c.idempotency_key == key
        )
    ).one()
    if kept.fingerprint == arrival.identity.fingerprint:
        return Acceptance.DUPLICATE
    # What was pruned cannot be compared any more.
    if kept.pruned_at is not None or arrival.same_content(kept.body, arrival.webhook.body):
        return Acceptance.DUPLICATE
    return Acceptance.CONFLICT


def _changed(arrival: Arrival) -> Alert:
    source, key = arrival.key
    text = (
        f"{source} sent {key} again with another content; the first was kept. "
        "Compare both in the sender's dashboard."
    )
    at = arrival.webhook.received_at
    return Alert("changed-redelivery", f"{source} {key}", text, at, at, 1)


def _insert(connection: Connection, arrivals: Sequence[Arrival]) -> set[Key]:
    # In the order of the keys, so that two processes with the same ones cannot deadlock.
    ordered = sorted(arrivals, key=lambda arrival: arrival.key)
    statement = _insertion(connection.dialect.name, len(ordered))
    values = tuple(value for arrival in ordered for value in _row(arrival))
    return {(source, key) for source, key in connection.exec_driver_sql(statement, values)}


@lru_cache(maxsize=512)
def _insertion(dialect: str, count: int) -> str:
    """All rows by one statement, handed to the driver as it is.

    Each statement costs a change of threads, and putting rows into one by
    other means as much as the database needs for them.
    """
    mark = "?" if dialect == "sqlite" else "%s"
    row = f"({', '.join(mark for _ in _COLUMNS)})"
    return (
        f"INSERT INTO {webhooks.name} ({', '.join(_COLUMNS)})"  # noqa: S608  # our own names
        f" VALUES {', '.join([row] * count)}"
        " ON CONFLICT (source, idempotency_key) DO NOTHING RETURNING source, idempotency_key"
    )


_COLUMNS = (
    *("source", "idempotency_key", "fingerprint", "event_type", "received_at", "method"),
    *("headers", "body", "state", "reason", "replayed"),
)


def _row(arrival: Arrival) -> tuple[Any, ...]:
    """The values of `_COLUMNS`."""
    webhook, identity = arrival.webhook, arrival.identity
    return (
        webhook.source,
        identity.idempotency_key,
        identity.fingerprint,
        identity.event_type,
        webhook.received_at,
        webhook.method,
        json.dumps(dict(webhook.headers)),
        webhook.body,
        "quarantined" if identity.quarantine else "waiting",
        identity.quarantine,
        False,
    )


def _alerts(arrival: Arrival) -> list[Alert]:
    identity, at = arrival.identity, arrival.webhook.received_at
    source = arrival.webhook.source
    texts = list(identity.alerts)
    if identity.quarantine:
        texts.append(
            f"{source} sent an authentic webhook that cannot be processed: "
            f"{identity.quarantine}. It is kept: `showbridge events --state quarantined`."
        )
    kind = identity.quarantine or "webhook"
    return [Alert(kind, f"{source}: {text}"[:200], text, at, at, 1) for text in texts]
