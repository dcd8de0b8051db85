"""What became of a delivery, in one sentence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bridge.cli.event_lines import when
from bridge.cli.json_lines import iso
from bridge.cli.screen import clock_time, counted
from bridge.ledger.stories import DeliveryRecord

_CANCELLED = "cancelled: "


def became(delivery: DeliveryRecord, now: float) -> str:
    """`was delivered at 17:46:51`, `was not sent: no consent: ...`; follows the action's name."""
    state, reason = delivery.state, delivery.reason or "nobody said why"
    if state == "delivered":
        return f"was delivered {_at(delivery, now)}"
    if state == "previewed":
        return f"was previewed {_at(delivery, now)}: its account is not live, so nothing was sent"
    if state == "suppressed" and reason.startswith(_CANCELLED):
        return f"was {reason}"
    if state == "suppressed":
        return f"was suppressed, nothing was sent: {reason}"
    if state == "rejected":
        return f"was rejected: {reason}"
    if state == "dead":
        tries = counted(len(delivery.attempts), "attempt")
        return f"was given up after {tries}: {reason}"
    return _under_way(delivery, now)


def _under_way(delivery: DeliveryRecord, now: float) -> str:
    if delivery.state == "scheduled":
        return f"waits for its time: {when(delivery.due_at, now)}"
    if delivery.state == "sending":
        return "is being sent"
    tried = [attempt for attempt in delivery.attempts if attempt.finished_at is not None]
    last = f" after {tried[-1].reason}" if tried and tried[-1].reason else ""
    if delivery.due_at > now:
        again = "for its next try" if tried else "to be sent"
        return f"waits {again}{last}: {when(delivery.due_at, now)}"
    return f"waits to be sent{' again' if tried else ''}{last}"


def _at(delivery: DeliveryRecord, now: float) -> str:
    """On this day at a time; on another one with its date."""
    at = delivery.settled_at or delivery.planned_at
    today = datetime.fromtimestamp(at).astimezone().date()
    same = today == datetime.fromtimestamp(now).astimezone().date()
    return f"{'at' if same else 'on'} {clock_time(at, now)}"


def as_object(delivery: DeliveryRecord, now: float) -> dict[str, Any]:
    """In short, for `--json`; times in ISO 8601 and UTC."""
    is_owed = delivery.state in ("waiting", "scheduled")
    return {
        "id": delivery.id,
        "rule": delivery.rule,
        "step": delivery.step,
        "account": delivery.account,
        "action": delivery.action,
        "state": delivery.state,
        "said": became(delivery, now),
        "reason": delivery.reason,
        "link": delivery.link,
        "due_at": iso(delivery.due_at) if is_owed else None,
        "settled_at": iso(delivery.settled_at),
    }
