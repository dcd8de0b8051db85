"""What a person is told of alerts: what happened, since when, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bridge.ledger.alerts import Alert

# The rest is counted: a flood of alerts is one message.
MOST_TOLD = 5
LONGEST_TEXT = 1500


def headline(alerts: Sequence[Alert]) -> str:
    if len(alerts) > 1:
        return f"Showbridge: {len(alerts)} alerts"
    alert = alerts[0]
    return f"Showbridge: {f'{alert.subject} works again' if alert.over else alert.kind}"


def told(alerts: Sequence[Alert]) -> str:
    """The oldest few, and how many more there are."""
    parts = [_one(alert) for alert in alerts[:MOST_TOLD]]
    more = len(alerts) - MOST_TOLD
    if more > 0:
        parts.append(f"And {more} more: `showbridge status` shows them all.")
    return "Showbridge\n\n" + "\n\n".join(parts) + "\n"


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
