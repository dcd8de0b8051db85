"""Ends deliveries as workers would, for good."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from bridge.connector import Unknown
from bridge.engine import backoff
from bridge.ledger.claim import Claimed
from bridge.ledger.settle import Settlement
from tests.cli.house import Ledger

# A rule that cannot be filled in for anybody with an address.
UNFILLABLE = """\
rules:
- name: Buyers
  when: {source: showpass, event: invoice.purchase}
  do: [{slack.post_message: {channel: "{{ '' if contact.email else '#sales' }}", text: hello}}]
"""


def give_up(ledger: Ledger, account: str, reason: str = "no answer (503)") -> None:
    """All that waits for an account becomes dead letters."""
    _end(ledger, account, lambda claimed: _dead(claimed, f"gave up after 12 attempts: {reason}"))


def keep_for_a_person(ledger: Ledger, account: str) -> None:
    """All that waits for an account may have been done, and nobody can tell."""
    why = Unknown("no answer came")
    _end(ledger, account, lambda each: backoff.kept_for_a_person(each, why, time.time()))


def _dead(claimed: Claimed, reason: str) -> Settlement:
    failed = backoff.previewed(claimed, [], time.time())
    return replace(failed, outcome="retry", state="dead", reason=reason)


def _end(ledger: Ledger, account: str, settlement: Callable[[Claimed], Settlement]) -> None:
    while claimed := ledger._claimed(account):
        ledger._settle([settlement(each) for each in claimed])
