"""Bodies as they lie in the ledger: as received, or packed; who reads one gets the very bytes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func

from bridge.ledger.tables import webhooks

# What waits in quarantine is read rarely, and takes the sender's time to pack, not a worker's.
_LEVEL = 3

RECEIVED_SIZE = func.coalesce(webhooks.c.received_bytes, func.length(webhooks.c.body))
"""In bytes, of the body as it was received: what reading it takes."""


@dataclass(frozen=True)
class Packed:
    """The columns `body` and `received_bytes`, which is None for a body as it was received."""

    body: bytes
    received_bytes: int | None = None


def packed(body: bytes) -> Packed:
    """Compressed, if that makes it shorter."""
    small = zlib.compress(body, _LEVEL)
    return Packed(small, len(body)) if len(small) < len(body) else Packed(body)


def body_of(row: Mapping[Any, Any]) -> bytes:
    """The body as received, of a row with `body` and `received_bytes`; empty once it is pruned."""
    body: bytes = row["body"]
    size = row["received_bytes"]
    return body if size is None else zlib.decompress(body, bufsize=max(size, 1))
