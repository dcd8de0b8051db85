"""Writing down what became of attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Text, bindparam, cast, func, update

from bridge.ledger import failures
from bridge.ledger.tables import attempts, deliveries

LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Settlement:
    """The end of one attempt: its `outcome`, and the delivery's new `state`.

    `due_at` counts where the state is `waiting`. `failures` is the delivery's
    new count. `calls` are the requests that were or would be made. `topic` is
    what the delivery is about, where later ones may answer it.
    """

    webhook: int
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
    topic: str | None = None


def settle(
    connection: Connection, settlements: Sequence[Settlement], turn: str, now: float
) -> None:
    """Settle what `turn` still has in hand, or what nobody has taken up since.

    Where a lease lapsed and another worker already tries again, the attempt is
    completed and the delivery left to the new holder.
    """
    if not settlements:
        return
    connection.execute(_ATTEMPT, [_attempt_values(each, now) for each in settlements])
    again = [each for each in settlements if each.attempt > 1 and each.calls]
    if again:
        connection.execute(_SHORTEN, [_attempt_of(each) for each in again])
    connection.execute(_DELIVERY, [_delivery_values(each, turn, now) for each in settlements])
    failed = [each.delivery for each in settlements if each.state in failures.KINDS]
    failures.tell(connection, failed, now)


# Made once: putting a statement together costs more than running it.
_ATTEMPT = (
    update(attempts)
    .where(
        attempts.c.webhook == bindparam("webhook_"),
        attempts.c.delivery == bindparam("id_"),
        attempts.c.number == bindparam("attempt_"),
    )
    .values(
        outcome=bindparam("outcome"),
        finished_at=bindparam("finished_at"),
        reason=bindparam("reason"),
        calls=bindparam("calls"),
    )
)
# The last attempt says what was sent: long calls are kept once, however often it is tried.
_LONG = 2_000
_SHORTEN = (
    update(attempts)
    .where(
        attempts.c.webhook == bindparam("webhook_"),
        attempts.c.delivery == bindparam("id_"),
        attempts.c.number < bindparam("attempt_"),
        func.length(cast(attempts.c.calls, Text)) > _LONG,
    )
    .values(calls=[])
)
_IN_HAND = (deliveries.c.state == "sending") & (deliveries.c.claim == bindparam("turn_"))
_FREED = (deliveries.c.state == "waiting") & deliveries.c.uncertain
_DELIVERY = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("id_"),
        deliveries.c.attempts == bindparam("attempt_"),
        _IN_HAND | _FREED,
    )
    .values(
        state=bindparam("state_"),
        due_at=bindparam("due_at"),
        failures=bindparam("failures"),
        uncertain=bindparam("uncertain_"),
        reason=bindparam("reason"),
        reference=bindparam("reference"),
        link=bindparam("link"),
        claim=None,
        settled_at=bindparam("settled_at"),
    )
)


def _attempt_of(settlement: Settlement) -> dict[str, Any]:
    return {
        "webhook_": settlement.webhook,
        "id_": settlement.delivery,
        "attempt_": settlement.attempt,
    }


def _attempt_values(settlement: Settlement, now: float) -> dict[str, Any]:
    return {
        **_attempt_of(settlement),
        "outcome": settlement.outcome,
        "finished_at": now,
        "reason": storable(settlement.reason),
        "calls": list(settlement.calls),
    }


def _delivery_values(settlement: Settlement, turn: str, now: float) -> dict[str, Any]:
    return {
        "id_": settlement.delivery,
        "attempt_": settlement.attempt,
        "turn_": turn,
        "state_": settlement.state,
        "due_at": settlement.due_at,
        "failures": settlement.failures,
        "uncertain_": settlement.uncertain,
        "reason": storable(settlement.reason),
        "reference": storable(settlement.reference),
        "link": storable(settlement.link),
        "settled_at": None if settlement.state == "waiting" else now,
    }


def storable(text: object) -> str | None:
    """What a vendor answers is no more to be trusted than what a sender sends."""
    if text is None:
        return None
    return str(text).encode("utf-8", "replace").decode().replace("\x00", "")[:LONGEST_TEXT]
