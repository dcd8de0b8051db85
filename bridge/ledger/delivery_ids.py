"""The names of deliveries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def delivery_id(webhook: int, told: Iterable[str]) -> str:
    """`1042_3f9a0c72b1d4e5f6`: the webhook's number, and a hash of what tells its deliveries apart.

    The same for the same, on every machine and every replay. By the number, those that are
    written together lie together in each index; hashes alone would lie anywhere, each on
    another page, and the larger the ledger, the slower each would be written.
    """
    name = hashlib.sha256("\x00".join(told).encode()).hexdigest()[:16]
    return f"{webhook}_{name}"


def shortened(name: str) -> str:
    """`1042_3f9a0c`: enough to tell the deliveries of one webhook apart."""
    number, _, told = name.partition("_")
    return f"{number}_{told[:6]}"
