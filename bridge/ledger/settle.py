"""Writing down what became of attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, update

from bridge.ledger.tables import attempts, deliveries

LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Settlement:
    """The end of one attempt: its `outcome`, and the delivery's new `state`.

    `due_at` counts where the state is `waiting`. `failures` is the delivery's
    new count. `calls` are the requests that were or would be made.
    """

    delivery: str
    attempt: int
    outcome: str
    state: str
    due_at: float
    failures: int
    uncertain: bool = False
    reason: str | None = None
    reference: str | None = None
    link: str | None = None
    calls: Sequence[Mapping[str, Any]] = ()


def settle(
    connection: Connection, settlements: Sequence[Settlement], turn: str, now: float
) -> None:
    """Settle what `turn` still has in hand, or what nobody has taken up since.

    Where a lease lapsed and another worker already tries again, the attempt is
    completed and the delivery left to the new holder.
    """
    for settlement in settlements:
        connection.execute(_attempt(settlement, now))
        connection.execute(_delivery(settlement, turn, now))


def _attempt(settlement: Settlement, now: float) -> Any:
    return (
        update(attempts)
        .where(attempts.c.delivery == settlement.delivery, attempts.c.number == settlement.attempt)
        .values(
            outcome=settlement.outcome,
            finished_at=now,
            reason=_storable(settlement.reason),
            calls=list(settlement.calls),
        )
    )


def _delivery(settlement: Settlement, turn: str, now: float) -> Any:
    in_hand = (deliveries.c.state == "sending") & (deliveries.c.claim == turn)
    freed = (deliveries.c.state == "waiting") & deliveries.c.uncertain
    return (
        update(deliveries)
        .where(
            deliveries.c.id == settlement.delivery,
            deliveries.c.attempts == settlement.attempt,
            in_hand | freed,
        )
        .values(
            state=settlement.state,
            due_at=settlement.due_at,
            failures=settlement.failures,
            uncertain=settlement.uncertain,
            reason=_storable(settlement.reason),
            reference=_storable(settlement.reference),
            link=_storable(settlement.link),
            claim=None,
            settled_at=None if settlement.state == "waiting" else now,
        )
    )


def _storable(text: object) -> str | None:
    """What a vendor answers is no more to be trusted than what a sender sends."""
    if text is None:
        return None
    return str(text).encode("utf-8", "replace").decode().replace("\x00", "")[:LONGEST_TEXT]
