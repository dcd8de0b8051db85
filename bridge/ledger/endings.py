"""What ended which matter of whom: looked up when a beginning is routed that comes late.

Kept by a hash of source, matter and person, so that an ending which somebody
else's name is under is neither found nor counted for a person's beginning. Of
one such key only the newest are kept, however many come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from bridge.ledger.tables import endings
from bridge.ledger.upsert import insert

Place = tuple[int, int]
"""An event: its webhook's number, its position in it."""

# Of one person and matter, and behind one event: nobody refunds an order in more parts.
MOST_ENDINGS = 50
ANYBODY = ""

_Value = TypeVar("_Value")
_PORTION = 500


@dataclass(frozen=True)
class Ending:
    """One event that ends `matters` of the person whose order key it has, if it has one.

    `claims` are the matters of that person which it names unsigned (see `bridge.event.Event`).
    """

    source: str
    place: Place
    order_key: str
    matters: Sequence[str]
    claims: Sequence[str] = ()

    @property
    def keys(self) -> list[str]:
        return [key_of(self.source, each, self.order_key) for each in self.matters]

    @property
    def claimed_keys(self) -> list[str]:
        """By which what it claims to end would wait for it."""
        return [key_of(self.source, each, self.order_key) for each in self.claims]

    @property
    def keys_of_claims(self) -> list[str]:
        return [claim_key_of(self.source, each, self.order_key) for each in self.claims]

    @property
    def keys_of_anybody(self) -> list[str]:
        return [key_of(self.source, each) for each in self.matters]


def claim_key_of(source: str, matter: str, order_key: str) -> str:
    """By which it is kept that somebody claims to end it: such a claim never becomes an end."""
    return key_of(source, f"claimed {matter}", order_key)


def key_of(source: str, matter: str, order_key: str = ANYBODY) -> str:
    """By which the endings of a person's matter are kept, or the last one of anybody's."""
    return hashlib.sha256("\x00".join((source, matter, order_key)).encode()).hexdigest()[:32]


def keep(connection: Connection, ended: Iterable[Ending], now: float) -> None:
    """Twice is once. Which is anybody's last is kept to be told of, not to be acted on."""
    kept: dict[str, int] = {}
    rows = []
    for each in ended:
        theirs = dict.fromkeys(each.keys_of_anybody, 1)
        if each.order_key:
            theirs |= dict.fromkeys([*each.keys, *each.keys_of_claims], MOST_ENDINGS)
        webhook, position = each.place
        row = {"webhook": webhook, "position": position, "known_since": now}
        rows += [{**row, "known_by": key} for key in theirs]
        kept |= theirs
    if rows:
        connection.execute(insert(connection, endings).on_conflict_do_nothing(), rows)
        connection.execute(_CROP, [{"key": key, "newer": most - 1} for key, most in kept.items()])


_NEWEST = endings.alias("newest")
_CROP = delete(endings).where(
    endings.c.known_by == bindparam("key"),
    endings.c.webhook
    < select(_NEWEST.c.webhook)
    .where(_NEWEST.c.known_by == bindparam("key"))
    .order_by(_NEWEST.c.webhook.desc())
    .limit(1)
    .offset(bindparam("newer"))
    .scalar_subquery(),
)


def known(connection: Connection, keys: Collection[str]) -> dict[str, list[Place]]:
    """The events under these keys, in the order of receipt; nothing for the others."""
    found: dict[str, list[Place]] = {}
    for some in portions(keys):
        query = (
            select(endings.c.known_by, endings.c.webhook, endings.c.position)
            .where(endings.c.known_by.in_(some))
            .order_by(endings.c.known_by, endings.c.webhook, endings.c.position)
        )
        for key, webhook, position in connection.execute(query):
            found.setdefault(key, []).append((webhook, position))
    return found


def newest(found: Mapping[str, Sequence[Place]], keys: Iterable[str]) -> list[Place]:
    """The last of what is known under some keys, in the order of receipt."""
    return sorted({place for key in keys for place in found.get(key, ())})[-MOST_ENDINGS:]


def forget(connection: Connection, before: float, limit: int = _PORTION) -> int:
    """Delete up to `limit` that are known since earlier than `before`; how many there were."""
    key = tuple_(*endings.primary_key)
    old = (
        select(*endings.primary_key)
        .where(endings.c.known_since < before)
        .order_by(endings.c.known_since)
        .limit(limit)
    )
    return connection.execute(delete(endings).where(key.in_(old))).rowcount


def portions(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """As many as one query is asked about."""
    left = iter(values)
    while some := list(islice(left, _PORTION)):
        yield some
