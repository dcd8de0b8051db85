"""What a person is told of alerts: what happened, since when, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bridge.ledger.alerts import HALTED, LASTING, OTHERS, RESTING, Alert

# The rest is counted: a flood of alerts is one message.
MOST_TOLD = 5
LONGEST_TEXT = 1500


def headline(alerts: Sequence[Alert], machine: str = "") -> str:
    return f"{_from(machine)}: {_in_short(alerts)}"


def told(alerts: Sequence[Alert], machine: str = "") -> str:
    """A few, and how many more there are; `machine` is where the one who tells runs.

    What lasts goes first: a sender can cause a flood of the others.
    """
    ordered = sorted(alerts, key=lambda alert: alert.kind not in LASTING)
    parts = [_one(alert) for alert in ordered[:MOST_TOLD]]
    if more := _number(ordered[MOST_TOLD:]):
        parts.append(f"And {more:,} more: `showbridge status` shows them.")
    return f"{_from(machine)}\n\n" + "\n\n".join(parts) + "\n"


def _from(machine: str) -> str:
    return f"Showbridge on {machine}" if machine else "Showbridge"


def _in_short(alerts: Sequence[Alert]) -> str:
    if (many := _number(alerts)) > 1:
        return f"{many:,} alerts"
    alert = alerts[0]
    return f"{alert.subject} works again" if alert.over else alert.kind


def _number(alerts: Sequence[Alert]) -> int:
    return sum(alert.count if alert.subject == OTHERS else 1 for alert in alerts)


def _one(alert: Alert) -> str:
    if alert.over and alert.kind in (HALTED, RESTING):
        return f"The account {alert.subject} may send again; what waited for it goes out."
    if alert.over:
        return f"Over: {alert.subject} works again, and what waited goes on by itself."
    text = alert.text.strip()
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT] + " … `showbridge status` shows the rest."
    often = f", {alert.count:,} times" if alert.count > 1 else ""
    return f"{text}\nSince {_said(alert.first_at)}{often}."


def _said(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
