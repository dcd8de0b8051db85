"""Accepting a webhook: one durable transaction, shared by all that wait at that moment.

Nothing that grows with what was sent is done while the ledger is held but to write it down:
contents are compared by hashes that were made before, and what goes into quarantine is packed,
and room made for it, by a thread of its own that nobody else waits for.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache, partial
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection

from bridge.errors import LedgerUnavailable
from bridge.event import Identity, Webhook
from bridge.ledger import quarantine
from bridge.ledger.alerts import Alert, raise_alerts
from bridge.ledger.bodies import Packed, packed
from bridge.ledger.books import ACKNOWLEDGED, tally
from bridge.ledger.database import Database
from bridge.ledger.differing import (
    REASON,
    Differing,
    Kept,
    Key,
    examined,
    holds_former_keys,
    kept_under,
    key_of_its_own,
)
from bridge.ledger.quarantine import Listed, Load, Part
from bridge.ledger.tables import webhooks
from bridge.logs import place_of
from bridge.settings import RetentionConfig

log = logging.getLogger(__name__)

# How long others may join where several came at once before.
GATHER_SECONDS = 0.001
# What is put aside can wait, and making room for it takes a look at all of it.
GATHER_ASIDE_SECONDS = 0.05
# Of 13 values each: a SQLite of any age takes 999 values in a statement.
MOST_AT_ONCE = 76
# Their bodies are packed one after the other, and written in one transaction.
LIMIT_ASIDE = 20


class Acceptance(Enum):
    """What the ledger did with an arrival; all of them are safe to acknowledge."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    """The key is known with another content; both are kept, and an alert was raised."""


Answer = Acceptance | LedgerUnavailable


@dataclass(frozen=True)
class Arrival:
    """A verified webhook, ready to be kept; `webhook.headers` hold no credentials.

    `small` is its body as it is to be kept, if that is not as it was received. `differing`
    tells of what was kept under the key that it came with.
    """

    webhook: Webhook
    identity: Identity
    small: Packed | None = None
    differing: Differing | None = None

    @property
    def key(self) -> Key:
        return self.webhook.source, self.identity.idempotency_key

    @property
    def former_key(self) -> Key | None:
        former = self.identity.former_key
        return None if former is None else (self.webhook.source, former)


@dataclass(frozen=True)
class _Ticket:
    """An arrival in a line, and whom to tell what became of it."""

    arrival: Arrival
    done: Callable[[Answer], None]


class _Line:
    """Those that wait for one writer, which is a thread of its own and takes all that gathered.

    `write` gives one answer for each of a batch, to which it may let more join; None for what
    waits in another line now. After a batch of several it lets more gather for `pause` seconds:
    a transaction costs as much as several rows. Who is alone never waits.
    """

    def __init__(
        self, name: str, write: Callable[[list[_Ticket]], Sequence[Answer | None]], pause: float
    ) -> None:
        self._name = name
        self._write = write
        self._pause = pause
        self._gathered: SimpleQueue[_Ticket] = SimpleQueue()
        self._starting = threading.Lock()
        self._writer: threading.Thread | None = None

    def put(self, ticket: _Ticket) -> None:
        if self._writer is None:
            self._start()
        self._gathered.put(ticket)

    def join(self, batch: list[_Ticket], limit: int) -> None:
        with suppress(Empty):
            while len(batch) < limit:
                batch.append(self._gathered.get_nowait())

    def _start(self) -> None:
        with self._starting:
            if self._writer is None:
                writer = threading.Thread(target=self._keep_writing, name=self._name, daemon=True)
                writer.start()
                self._writer = writer

    def _keep_writing(self) -> None:
        crowded = False
        while True:
            batch = [self._gathered.get()]
            if crowded:
                time.sleep(self._pause)
            for ticket, answer in zip(batch, self._write(batch), strict=True):
                if answer is not None:
                    ticket.done(answer)
            crowded = len(batch) > 1


class Acceptor:
    """Accepts from many threads at once: one of its own writes for all that gathered meanwhile.

    `bounds` say how much is kept in quarantine.
    """

    def __init__(self, database: Database, bounds: RetentionConfig | None = None) -> None:
        self._database = database
        self._bounds = bounds or RetentionConfig()
        self._fresh = _Line("accept", self._write, GATHER_SECONDS)
        self._aside = _Line("quarantine", self._put_aside, GATHER_ASIDE_SECONDS)
        self._looks_back: bool | None = None

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
        """`done` is told from a writing thread, which it must not hold up; it never raises."""
        line = self._aside if arrival.identity.quarantine else self._fresh
        line.put(_Ticket(arrival, done))

    def _write(self, batch: list[_Ticket]) -> Sequence[Answer | None]:
        """One answer for each of the batch, to which is added what else has gathered."""
        try:
            with self._database.write() as connection:
                # Only now: while this waited for its turn to write, more gathered.
                self._fresh.join(batch, MOST_AT_ONCE)
                answers, told = self._keep(connection, [ticket.arrival for ticket in batch])
                raise_alerts(connection, told)
        except LedgerUnavailable as failure:
            self._fresh.join(batch, MOST_AT_ONCE)
            return [failure] * len(batch)
        except BaseException as error:  # noqa: BLE001  # one bad row is not its neighbours' failure
            log.error("a batch of %d was refused, each goes alone: %s", len(batch), place_of(error))
            alone = [_alone(partial(self._write_one, ticket.arrival)) for ticket in batch]
            return [self._or_aside(*each) for each in zip(batch, alone, strict=True)]
        return [self._or_aside(*each) for each in zip(batch, answers, strict=True)]

    def _write_one(self, arrival: Arrival) -> Answer:
        with self._database.write() as connection:
            answers, told = self._keep(connection, [arrival])
            raise_alerts(connection, told)
        return answers[0]

    def _keep(
        self, connection: Connection, arrivals: Sequence[Arrival]
    ) -> tuple[list[Acceptance], list[Alert]]:
        if self._looks_back is None:
            self._looks_back = holds_former_keys(connection)
        return _kept(connection, arrivals, looks_back=self._looks_back)

    def _or_aside(self, ticket: _Ticket, answer: Answer) -> Answer | None:
        """What seems to differ from what was kept is looked at while nothing is locked."""
        if answer is not Acceptance.CONFLICT:
            return answer
        self._aside.put(replace(ticket, arrival=replace(ticket.arrival, differing=Differing())))
        return None

    def _put_aside(self, batch: list[_Ticket]) -> Sequence[Answer | None]:
        self._aside.join(batch, LIMIT_ASIDE)
        try:
            answers = self._write_aside([ticket.arrival for ticket in batch])
        except LedgerUnavailable as failure:
            return [failure] * len(batch)
        except BaseException as error:  # noqa: BLE001  # one bad row is not its neighbours' failure
            log.error("a batch of %d was refused, each goes alone: %s", len(batch), place_of(error))
            answers = [_alone(partial(self._write_one_aside, each.arrival)) for each in batch]
        return [
            answer if ticket.arrival.differing else self._or_aside(ticket, answer)
            for ticket, answer in zip(batch, answers, strict=True)
        ]

    def _write_one_aside(self, arrival: Arrival) -> Answer:
        return self._write_aside([arrival])[0]

    def _write_aside(self, arrivals: Sequence[Arrival]) -> list[Answer]:
        """Only the last of these steps holds the ledger."""
        ready = [self._made_ready(arrival) for arrival in arrivals]
        answers = iter(self._put_where_room_is([each for each in ready if each is not None]))
        return [_aside_answer(arrival, answers) for arrival in ready]

    def _put_where_room_is(self, new: Sequence[Arrival]) -> list[Acceptance]:
        """What many under one signature need is not taken from others: then each goes alone.

        So the first of them make room for the last. Rows are written before any are dropped: who
        waits for a key that another process is dropping holds nothing that the other waits for.
        """
        with self._database.read() as connection:
            loads = _loads(connection, new)
            surplus = quarantine.surplus(connection, loads, self._bounds)
        if len(new) > 1 and any((each.source, each.signed_part) not in loads for each in surplus):
            return [answer for each in new for answer in self._put_where_room_is([each])]
        with self._database.write() as connection:
            answers, told = self._keep(connection, new)
            if surplus:
                at = max(each.webhook.received_at for each in new)
                told += quarantine.let_go(connection, surplus, at)
            raise_alerts(connection, told)
        return answers

    def _made_ready(self, arrival: Arrival) -> Arrival | None:
        """As it goes into quarantine; None if what seemed to differ does not."""
        if arrival.differing:
            differing = examined(self._database, arrival.webhook, arrival.identity)
            if differing is None:
                return None
            arrival = _as_differing(arrival, differing)
        return replace(arrival, small=packed(arrival.webhook.body))


def keep(
    connection: Connection, arrivals: Sequence[Arrival], *, looks_back: bool = True
) -> list[Acceptance]:
    """Insert what is new, in the order given; one answer for each arrival.

    `CONFLICT` says that the fingerprints differ; what differs is not kept here. `looks_back`:
    the ledger may hold webhooks under their former keys.
    """
    answers, told = _kept(connection, arrivals, looks_back=looks_back)
    raise_alerts(connection, told)
    return answers


def _kept(
    connection: Connection, arrivals: Sequence[Arrival], *, looks_back: bool
) -> tuple[list[Acceptance], list[Alert]]:
    """The answers, and what to tell a person once all rows are written."""
    earlier: dict[Key, Kept] = _known_before(connection, arrivals) if looks_back else {}
    fresh = _insert(connection, [each for each in arrivals if each.former_key not in earlier])
    tally(connection, ACKNOWLEDGED, len(fresh))
    known = earlier | kept_under(connection, {each.key for each in arrivals} - fresh.keys())
    answers = []
    kept: list[tuple[int, Arrival]] = []
    for arrival in arrivals:
        number = fresh.pop(arrival.key, None)
        if number is not None:
            # The first of its key in this batch is the one that was kept.
            known[arrival.key] = Kept(number, arrival.identity.fingerprint, is_pruned=False)
            kept.append((number, arrival))
            answers.append(Acceptance.ACCEPTED)
        else:
            answers.append(_compare(known, arrival))
    quarantine.list_as_kept(connection, _listed(kept))
    return answers, [alert for each in kept for alert in _alerts(*each)]


def _alone(write: Callable[[], Answer]) -> Answer:
    try:
        return write()
    except LedgerUnavailable as failure:
        return failure
    except BaseException as error:  # noqa: BLE001  # the sender is asked to come back
        log.error("a webhook was refused by the ledger: %s", place_of(error))
        return LedgerUnavailable("the ledger refused this webhook")


def _known_before(connection: Connection, arrivals: Sequence[Arrival]) -> dict[Key, Kept]:
    return kept_under(connection, {each.former_key for each in arrivals if each.former_key})


def _compare(known: Mapping[Key, Kept], arrival: Arrival) -> Acceptance:
    """A known key: the same again, or something else under its name."""
    kept = known.get(arrival.key) or known[arrival.former_key or arrival.key]
    # What was pruned cannot be compared any more.
    if kept.is_pruned or kept.fingerprint == arrival.identity.fingerprint:
        return Acceptance.DUPLICATE
    return Acceptance.CONFLICT


def _as_differing(arrival: Arrival, differing: Differing) -> Arrival:
    """A webhook of its own, which waits for a person who compares it with the one that was kept."""
    which = f"webhook {differing.kept}" if differing.kept else "one that is gone by now"
    identity = replace(
        arrival.identity,
        idempotency_key=key_of_its_own(arrival.identity),
        former_key=None,
        quarantine=f"{REASON}: {which} came first under {differing.key}",
    )
    return replace(arrival, identity=identity, differing=differing)


def _aside_answer(arrival: Arrival | None, answers: Iterator[Answer]) -> Answer:
    if arrival is None:
        return Acceptance.DUPLICATE
    answer = next(answers)
    # As often as it is sent: the sender is told that it differs.
    return Acceptance.CONFLICT if arrival.differing else answer


def _loads(connection: Connection, arrivals: Sequence[Arrival]) -> dict[Part, Load]:
    """What is to come, without what is there already."""
    known = kept_under(connection, {arrival.key for arrival in arrivals})
    loads: dict[Part, Load] = {}
    for arrival in {each.key: each for each in arrivals if each.key not in known}.values():
        part = arrival.webhook.source, arrival.identity.signed_part
        loads[part] = loads.get(part, Load()) + Load(1, _listed_bytes(arrival))
    return loads


def _listed(kept: Sequence[tuple[int, Arrival]]) -> Iterator[Listed]:
    for number, arrival in kept:
        if arrival.identity.quarantine:
            source, part = arrival.webhook.source, arrival.identity.signed_part
            yield Listed(number, source, part, _listed_bytes(arrival), arrival.webhook.received_at)


def _listed_bytes(arrival: Arrival) -> int:
    body = arrival.small.body if arrival.small else arrival.webhook.body
    return len(body) + len(str(arrival.webhook.headers)) + quarantine.ROW_BYTES


def _insert(connection: Connection, arrivals: Sequence[Arrival]) -> dict[Key, int]:
    """The numbers of what is new."""
    if not arrivals:
        return {}
    # In the order of the keys, so that two processes with the same ones cannot deadlock.
    ordered = sorted(arrivals, key=lambda arrival: arrival.key)
    statement = _insertion(connection.dialect.name, len(ordered))
    values = tuple(value for arrival in ordered for value in _row(arrival))
    rows = connection.exec_driver_sql(statement, values)
    return {(source, key): number for source, key, number in rows}


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
        " ON CONFLICT (source, idempotency_key) DO NOTHING"
        " RETURNING source, idempotency_key, number"
    )


_COLUMNS = (
    *("source", "idempotency_key", "fingerprint", "event_type", "received_at", "method"),
    *("headers", "body", "received_bytes", "state", "reason", "replayed", "signed_part"),
)


def _row(arrival: Arrival) -> tuple[Any, ...]:
    """The values of `_COLUMNS`."""
    webhook, identity = arrival.webhook, arrival.identity
    body = arrival.small or Packed(webhook.body)
    return (
        webhook.source,
        identity.idempotency_key,
        identity.fingerprint,
        identity.event_type,
        webhook.received_at,
        webhook.method,
        json.dumps(dict(webhook.headers)),
        body.body,
        body.received_bytes,
        "quarantined" if identity.quarantine else "waiting",
        identity.quarantine,
        False,
        identity.signed_part,
    )


def _alerts(number: int, arrival: Arrival) -> list[Alert]:
    identity, at = arrival.identity, arrival.webhook.received_at
    source = arrival.webhook.source
    if arrival.differing:
        return [_changed(number, arrival, arrival.differing)]
    texts = list(identity.alerts)
    if identity.quarantine:
        texts.append(
            f"{source} sent an authentic webhook that cannot be processed: "
            f"{identity.quarantine}. It is kept: `showbridge events --state quarantined`."
        )
    kind = identity.quarantine or "webhook"
    return [Alert(kind, f"{source}: {text}"[:200], text, at, at, 1) for text in texts]


def _changed(number: int, arrival: Arrival, differing: Differing) -> Alert:
    source, at = arrival.webhook.source, arrival.webhook.received_at
    text = (
        f"{source} sent {differing.key} again with another content. The first, webhook "
        f"{differing.kept or 'of an unknown number'}, is processed as it came; the other is in "
        f"quarantine as webhook {number}. Compare them (`showbridge event {number} --body`) with "
        f"the sender's dashboard; if the second is right, `showbridge replay {number}`."
    )
    return Alert("changed-redelivery", f"{source} {differing.key}"[:200], text, at, at, 1)
