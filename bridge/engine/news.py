"""What a person is told of alerts: what happened, since when, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bridge.ledger.alerts import LASTING, OTHERS, Alert

# The rest is counted: a flood of alerts is one message.
MOST_TOLD = 5
LONGEST_TEXT = 1500


def headline(alerts: Sequence[Alert]) -> str:
    if (many := _number(alerts)) > 1:
        return f"Showbridge: {many:,} alerts"
    alert = alerts[0]
    return f"Showbridge: {f'{alert.subject} works again' if alert.over else alert.kind}"


def told(alerts: Sequence[Alert]) -> str:
    """A few, and how many more there are.

    What lasts goes first: a sender can cause a flood of the others.
    """
    ordered = sorted(alerts, key=lambda alert: alert.kind not in LASTING)
    parts = [_one(alert) for alert in ordered[:MOST_TOLD]]
    if more := _number(ordered[MOST_TOLD:]):
        parts.append(f"And {more:,} more: `showbridge status` shows them.")
    return "Showbridge\n\n" + "\n\n".join(parts) + "\n"


def _number(alerts: Sequence[Alert]) -> int:
    return sum(alert.count if alert.subject == OTHERS else 1 for alert in alerts)


def _one(alert: Alert) -> str:
    if alert.over:
        return f"The account {alert.subject} may send again; what waited for it goes out."
    text = alert.text.strip()
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT] + " … `showbridge status` shows the rest."
    often = f", {alert.count:,} times" if alert.count > 1 else ""
    return f"{text}\nSince {_said(alert.first_at)}{often}."


def _said(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
