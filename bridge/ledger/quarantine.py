"""What is kept for a person, within bounds for each source: by number, by bytes, and by age.

A signature that covers only a part of its body vouches for that part, and its holder can
send any number of bodies under it. So room is made by letting go of the oldest that came
under the part which holds most: one leaked signature pushes out what came under it, and
nobody else's.

What has deliveries is neither dropped nor counted: a person once replayed it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any

from sqlalchemy import Connection, exists, func, select, update

from bridge.ledger import prune
from bridge.ledger.alerts import Alert, raise_alerts
from bridge.ledger.bodies import Packed, body_of, packed
from bridge.ledger.plan import MOST_BYTES
from bridge.ledger.prune import Pruned
from bridge.ledger.tables import ENDED_WEBHOOK, deliveries, quarantine, webhooks
from bridge.ledger.upsert import insert
from bridge.settings import RetentionConfig

# Beside body and headers: the row itself, its key, its places in the indexes.
ROW_BYTES = 500
LIMIT_DROPPED = 500

FULL, EXPIRED = "quarantine-full", "quarantine-expired"

Part = tuple[str, str]
"""A source, and what a signature of it covers."""

_QUARANTINED = (ENDED_WEBHOOK, webhooks.c.state == "quarantined")
_OWED = exists().where(deliveries.c.webhook == webhooks.c.number)


@dataclass(frozen=True)
class Listed:
    """One webhook in quarantine, `since` when; `bytes` is what it takes in the ledger."""

    webhook: int
    source: str
    signed_part: str
    bytes: int
    since: float


@dataclass(frozen=True)
class Load:
    """How many webhooks, and how many bytes they take."""

    webhooks: int = 0
    bytes: int = 0

    def __add__(self, other: Load) -> Load:
        return Load(self.webhooks + other.webhooks, self.bytes + other.bytes)


def holdings(connection: Connection) -> dict[str, Load]:
    """What is in quarantine, by source."""
    found: dict[str, Load] = defaultdict(Load)
    for (source, _), load in _by_part(connection).items():
        found[source] += load
    return dict(sorted(found.items()))


def list_as_kept(connection: Connection, kept: Iterable[Listed]) -> None:
    """Count them from now on."""
    rows = [vars(each) for each in kept]
    if rows:
        connection.execute(insert(connection, quarantine).on_conflict_do_nothing(), rows)


def surplus(
    connection: Connection, arriving: Mapping[Part, Load], bounds: RetentionConfig
) -> list[Listed]:
    """Which have to go so that these fit, at most 500; changes nothing and needs no lock."""
    parts = _by_part(connection)
    for part, load in arriving.items():
        parts[part] = parts.get(part, Load()) + load
    found: list[Listed] = []
    for source in dict.fromkeys(source for source, _ in arriving):
        held = {part: each for (of, part), each in parts.items() if of == source}
        found += _Emptying(connection, source, held, bounds).go()
    return found[:LIMIT_DROPPED]


def let_go(connection: Connection, chosen: Sequence[Listed], at: float) -> list[Alert]:
    """Drop them; what to tell a person, once all rows are written. None: nothing was dropped.

    What a person replays meanwhile stays.
    """
    dropped = _drop(connection, [each.webhook for each in chosen])
    sources = {each.source for each in chosen if each.webhook in dropped}
    return [_full(source, at) for source in sorted(sources)]


def expire(
    connection: Connection, now: float, retention: RetentionConfig, after: int, limit: int
) -> Pruned:
    """Drop up to `limit` that have been here longer than `retention.quarantine`."""
    old = quarantine.c.since < now - retention.quarantine_seconds
    query = select(quarantine.c.webhook, quarantine.c.source).where(quarantine.c.webhook > after)
    query = query.where(old).order_by(quarantine.c.webhook).limit(limit)
    rows = connection.execute(query).all()
    dropped = _drop(connection, [row.webhook for row in rows])
    sources = {row.source for row in rows if row.webhook in dropped}
    raise_alerts(connection, [_expired(source, now) for source in sorted(sources)])
    return Pruned(len(dropped), rows[-1].webhook if len(rows) == limit else None)


def too_much(connection: Connection, bounds: RetentionConfig) -> list[Listed]:
    """Which have to go in any case, because routing put some aside, or the bounds are narrower."""
    return surplus(connection, {(source, ""): Load() for source in holdings(connection)}, bounds)


def release(
    connection: Connection, now: float, retention: RetentionConfig, after: int, limit: int
) -> Pruned:
    """Count no longer what a person has replayed, even if it is kept aside again."""
    owed = _OWED.label("owed")
    query = select(quarantine.c.webhook, webhooks.c.state, owed).join(webhooks)
    query = query.where(quarantine.c.webhook > after).order_by(quarantine.c.webhook).limit(limit)
    # Who drops some of them meanwhile holds them in an order of its own.
    rows = connection.execute(query.with_for_update(of=quarantine, skip_locked=True)).all()
    gone = [row.webhook for row in rows if row.owed or row.state != "quarantined"]
    connection.execute(quarantine.delete().where(quarantine.c.webhook.in_(gone)))
    return Pruned(len(gone), rows[-1].webhook if len(rows) == limit else None)


def unlisted(connection: Connection, now: float, limit: int) -> list[tuple[Listed, Packed]]:
    """Some that are not counted yet, packed: of an earlier version, or put aside by routing."""
    named = exists().where(quarantine.c.webhook == webhooks.c.number)
    query = select(webhooks.c.number, func.length(webhooks.c.body))
    query = query.where(*_QUARANTINED, ~named, ~_OWED).order_by(webhooks.c.number).limit(limit)
    sizes = connection.execute(query).all()
    fitting = takewhile(lambda total: total <= MOST_BYTES, accumulate(size for _, size in sizes))
    numbers = [number for number, _ in sizes[: max(1, sum(1 for _ in fitting))]]
    rows = connection.execute(select(webhooks).where(webhooks.c.number.in_(numbers))).mappings()
    return [_packed(row, now) for row in rows]


def pack(connection: Connection, some: Sequence[tuple[Listed, Packed]]) -> None:
    """Write down what `unlisted` found, as far as it is still in quarantine."""
    chosen = [listed.webhook for listed, _ in some]
    query = select(webhooks.c.number).where(webhooks.c.number.in_(chosen), *_QUARANTINED)
    query = query.order_by(webhooks.c.number)
    there = set(connection.execute(query.with_for_update()).scalars())
    for listed, small in some:
        if listed.webhook in there:
            same = webhooks.c.number == listed.webhook
            connection.execute(update(webhooks).where(same).values(**vars(small)))
    list_as_kept(connection, (listed for listed, _ in some if listed.webhook in there))


@dataclass
class _Emptying:
    """Of one source, by the parts that were signed; `held` includes what arrives."""

    connection: Connection
    source: str
    held: dict[str, Load]
    bounds: RetentionConfig

    def go(self) -> list[Listed]:
        oldest: dict[str, Iterator[Listed]] = {}
        found: list[Listed] = []
        total = sum(self.held.values(), Load())
        while len(found) < LIMIT_DROPPED and (part := self._largest(total)) is not None:
            if part not in oldest:
                oldest[part] = iter(self._oldest(part))
            victim = next(oldest[part], None)
            if victim is None:
                del self.held[part]
                continue
            found.append(victim)
            self.held[part] += Load(-1, -victim.bytes)
            total += Load(-1, -victim.bytes)
        return found

    def _largest(self, total: Load) -> str | None:
        """The part that holds most of what is over; None if nothing is over, or nothing there.

        Of those that hold as much, the one with the oldest.
        """
        by_bytes = total.bytes > self.bounds.quarantine_bytes
        if not self.held or not (by_bytes or total.webhooks > self.bounds.quarantine_webhooks):
            return None
        return max(
            self.held,
            key=lambda part: self.held[part].bytes if by_bytes else self.held[part].webhooks,
        )

    def _oldest(self, part: str) -> list[Listed]:
        query = select(quarantine).where(
            quarantine.c.source == self.source,
            quarantine.c.signed_part == part,
            ~exists().where(deliveries.c.webhook == quarantine.c.webhook),
        )
        query = query.order_by(quarantine.c.webhook).limit(LIMIT_DROPPED)
        return [Listed(**row) for row in self.connection.execute(query).mappings()]


def _by_part(connection: Connection) -> dict[Part, Load]:
    """In the order of the oldest of each."""
    part = (quarantine.c.source, quarantine.c.signed_part)
    query = select(*part, func.count(), func.sum(quarantine.c.bytes)).group_by(*part)
    rows = connection.execute(query.order_by(func.min(quarantine.c.webhook)))
    return {(source, signed): Load(count, int(size)) for source, signed, count, size in rows}


def _drop(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Those that are still in quarantine and have no deliveries; which there were."""
    query = select(webhooks.c.number).where(webhooks.c.number.in_(numbers), *_QUARANTINED, ~_OWED)
    query = query.order_by(webhooks.c.number).with_for_update(skip_locked=True)
    there = list(connection.execute(query).scalars())
    if there:
        prune.delete_records(connection, there)
    return set(there)


def _full(source: str, at: float) -> Alert:
    text = (
        f"The quarantine of {source} is full: the oldest of what came under the id that "
        "holds most were let go. Look at the rest (`showbridge events --state quarantined`); "
        "`retention.quarantine_size` and `quarantine_webhooks` say how much is kept."
    )
    return Alert(FULL, source, text, at, at, 1)


def _expired(source: str, at: float) -> Alert:
    text = (
        f"Webhooks of {source} were dropped that nobody looked at in quarantine for as long "
        "as `retention.quarantine` says. `showbridge events --state quarantined` lists the rest."
    )
    return Alert(EXPIRED, source, text, at, at, 1)


def _packed(row: Mapping[Any, Any], now: float) -> tuple[Listed, Packed]:
    body = row["body"]
    done = row["received_bytes"] is not None
    small = Packed(body, row["received_bytes"]) if done else packed(body_of(row))
    size = len(small.body) + len(str(row["headers"])) + ROW_BYTES
    return Listed(row["number"], row["source"], _part(row), size, now), small


def _part(row: Mapping[Any, Any]) -> str:
    """An earlier version did not write down what was signed: its keys are all of it that is known.

    So each of its webhooks is a part of its own, and none of them pushes out another.
    """
    signed: str | None = row["signed_part"]
    return str(row["idempotency_key"]).partition("/")[0] if signed is None else signed
