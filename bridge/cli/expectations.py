"""Runs the expectations beside rules (`tests:`) where a command must know whether they hold."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.config import Config
from bridge.ledger.database import Database
from bridge.rules import RuleSet


def failed(config: Config, rules: RuleSet, database: Database | None) -> Sequence[str]:
    """What does not hold, a line for each test; `database` is where recorded events are."""
    return ()
