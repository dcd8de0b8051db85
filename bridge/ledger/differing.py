"""Whether what comes under a known key says something else than what was kept."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from bridge.event import Identity, Webhook
from bridge.ledger.bodies import body_of
from bridge.ledger.database import Database
from bridge.ledger.tables import webhooks
from bridge.strict_json import JSON_MARK, RAW_MARK, raw_fingerprint

Key = tuple[str, str]

REASON = "content-differs"


@dataclass(frozen=True)
class Differing:
    """That its content differs from that of the webhook with the number `kept`; 0: it seems so."""

    kept: int = 0
    key: str = ""


@dataclass(frozen=True)
class Kept:
    """What is known of a webhook without a look at its body."""

    number: int
    fingerprint: str
    is_pruned: bool


def kept_under(connection: Connection, keys: Collection[Key]) -> dict[Key, Kept]:
    """What was kept under some of these keys, by one statement for each source."""
    found: dict[Key, Kept] = {}
    for source, of_source in groupby(sorted(keys), key=itemgetter(0)):
        names = [key for _, key in of_source]
        statement = _search(connection.dialect.name, len(names))
        rows = connection.exec_driver_sql(statement, (source, *names))
        for name, number, fingerprint, pruned_at in rows:
            found[source, name] = Kept(number, fingerprint, pruned_at is not None)
    return found


@lru_cache(maxsize=512)
def _search(dialect: str, count: int) -> str:
    """Handed to the driver as it is: in a ledger from before it is part of every acceptance."""
    mark = "?" if dialect == "sqlite" else "%s"
    return (
        "SELECT idempotency_key, number, fingerprint, pruned_at"  # noqa: S608  # our own names
        f" FROM {webhooks.name} WHERE source = {mark}"
        f" AND idempotency_key IN ({', '.join([mark] * count)})"
    )


def holds_former_keys(connection: Connection) -> bool:
    """Whether the ledger may hold webhooks whose keys and fingerprints are of an older version.

    They are numbered as they came in, and no fingerprint is changed later: if any of them is
    left, the first row of the ledger is one.
    """
    query = select(webhooks.c.fingerprint).order_by(webhooks.c.number).limit(1)
    oldest = connection.execute(query).scalar()
    return oldest is not None and not _is_of_now(oldest)


def examined(database: Database, webhook: Webhook, identity: Identity) -> Differing | None:
    """None if it says the same after all. Reads the body that was kept, and holds nothing."""
    row = _row(database, webhook.source, identity)
    if row is None:
        # It was pruned, or let go, since.
        return Differing(0, identity.idempotency_key)
    if row["fingerprint"] == identity.fingerprint or row["pruned_at"] is not None:
        return None
    if not _is_of_now(row["fingerprint"]) and _says_the_same(webhook.source, row, identity):
        return None
    return Differing(row["number"], row["idempotency_key"])


def key_of_its_own(identity: Identity) -> str:
    """For what differs: the same as often as it is sent, and that of nothing else."""
    parts = f"{identity.idempotency_key}\0{identity.fingerprint}"
    return f"differs:{hashlib.sha256(parts.encode()).hexdigest()}"


def _row(database: Database, source: str, identity: Identity) -> Mapping[Any, Any] | None:
    keys = [identity.idempotency_key, *filter(None, [identity.former_key])]
    query = select(webhooks).where(
        webhooks.c.source == source, webhooks.c.idempotency_key.in_(keys)
    )
    with database.read() as connection:
        rows = connection.execute(query.order_by(webhooks.c.number)).mappings().all()
    return rows[0] if rows else None


def _says_the_same(source: str, row: Mapping[Any, Any], identity: Identity) -> bool:
    """Fingerprints of older versions were of the bytes alone."""
    if not _is_of_now(identity.fingerprint):
        return False
    kept = Webhook(source, body_of(row), {}, row["received_at"])
    # What came by GET is a query, whether it can be read as JSON or not.
    return identity.fingerprint in (kept.fingerprint, raw_fingerprint(kept.body))


def _is_of_now(fingerprint: str) -> bool:
    return fingerprint.startswith((JSON_MARK, RAW_MARK))
