"""The ledger's tables. Times are Unix seconds by our clock; JSON is plain data.

webhooks ─< events            what arrived, and what it meant when it was routed
webhooks ── quarantine        what of them is kept for a person, within bounds
webhooks ─< deliveries ─< attempts   what is owed for it, and each try
endings                       which refund ended which matter, for its purchase if that comes late
occasions                     what was done already of that which is done once
deliveries ─< cancellers      by which events what is not sent yet is called off
threads                       which message began what is said of one topic in one lane
consents                      who was put on a list or taken off it, on whose word
lanes, accounts, offices      who may do what right now: wakes, leases, rests
alerts                        what a person should know
rule_versions ─< rule_publications   the rules that were live: their texts, when, by whom
tallies                       what was counted on its way in, to balance the books by
"""

from __future__ import annotations

from bridge.ledger.tables.flow import (
    ENDED_DELIVERY,
    ENDED_WEBHOOK,
    OPEN_DELIVERY,
    REPEAT,
    SCHEDULED_DELIVERY,
    WAITING_WEBHOOK,
    WITH_BODY,
    attempts,
    deliveries,
    events,
    quarantine,
    webhooks,
)
from bridge.ledger.tables.memory import (
    EXPIRES,
    cancellers,
    consents,
    endings,
    occasions,
    threads,
)
from bridge.ledger.tables.metadata import metadata
from bridge.ledger.tables.operation import (
    accounts,
    alerts,
    lanes,
    live_accounts,
    offices,
    rule_publications,
    rule_versions,
    tallies,
)

__all__ = [
    "ENDED_DELIVERY",
    "ENDED_WEBHOOK",
    "EXPIRES",
    "OPEN_DELIVERY",
    "REPEAT",
    "SCHEDULED_DELIVERY",
    "WAITING_WEBHOOK",
    "WITH_BODY",
    "accounts",
    "alerts",
    "attempts",
    "cancellers",
    "consents",
    "deliveries",
    "endings",
    "events",
    "lanes",
    "live_accounts",
    "metadata",
    "occasions",
    "offices",
    "quarantine",
    "rule_publications",
    "rule_versions",
    "tallies",
    "threads",
    "webhooks",
]
