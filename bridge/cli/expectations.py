"""Runs the tests beside rules (`tests:`) where a command must know whether they hold."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.cli.rule_test_lines import failure
from bridge.config import Config
from bridge.engine.rule_tests import run_tests
from bridge.ledger.database import Database
from bridge.rules import RuleSet


def failed(config: Config, rules: RuleSet, database: Database | None) -> Sequence[str]:
    """What does not hold, a text for each test; `database` is where recorded events are."""
    results = run_tests(rules, config, database)
    return [failure(each) for each in results if each.state == "failed"]
