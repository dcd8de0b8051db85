"""Rules are compared with the newest webhooks of the ledger, for a few seconds at most."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge import rules
from bridge.config import Config, load, world
from bridge.engine.rule_history import history_warnings
from bridge.event import Identity, Webhook
from bridge.ledger.accept import Arrival, keep
from bridge.ledger.database import Database

NOW = 1_800_000_000.0
DAY = 86400.0
BRIDGE = "sources:\n  showpass: {}\naccounts:\n  slack: {}\n"
RULES = """\
rules:
- name: VIP
  when:
    source: showpass
    event: invoice.purchase
    where: {tickets.type: VIPP}
  do: [{slack.post_message: {channel: "#vip", text: VIP}}]
"""
STILL = itertools.repeat(0.0).__next__


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "bridge.yaml").write_text(BRIDGE)
    return load({"SHOWBRIDGE_CONFIG": str(tmp_path)})


@pytest.fixture
def said(config: Config, database: Database) -> Callable[..., list[str]]:
    compiled = rules.compile_rules(RULES, "rules.yaml", world(config))

    def warnings(clock: Callable[[], float] = STILL, most: int = 5_000) -> list[str]:
        found = history_warnings(compiled, config, database, NOW, clock, most)
        return [each.what for each in found]

    return warnings


@pytest.fixture
def sell(database: Database) -> Callable[..., None]:
    numbers = itertools.count()

    def keep_one(kind: str, at: float = NOW, body: bytes | None = None) -> Arrival:
        data = {"transaction_id": "1", "ticket_items": [{"id": 1, "ticket_type_name": kind}]}
        payload = {"id": "1", "event_type": "invoice.purchase", "data": data}
        webhook = Webhook("showpass", body or json.dumps(payload).encode(), {}, at)
        return Arrival(webhook, Identity(str(next(numbers)), "invoice.purchase", "x"))

    def sold(*kinds: str, at: float = NOW, body: bytes | None = None) -> None:
        with database.write() as connection:
            keep(connection, [keep_one(kind, at, body) for kind in kinds])

    return sold


def ticking(step: float) -> Callable[[], float]:
    seconds: Iterator[float] = (at * step for at in itertools.count())
    return seconds.__next__


Said = Callable[..., list[str]]
Sell = Callable[..., None]


def test_what_came_in_is_counted(said: Said, sell: Sell) -> None:
    sell("VIP", "VIP")
    assert said() == [
        "`tickets.type` was never “VIPP” in the last 30 days, but “VIP” was there 2 times"
    ]


def test_nothing_came_in(said: Said) -> None:
    assert said() == []


def test_what_is_older_than_thirty_days_does_not_count(said: Said, sell: Sell) -> None:
    sell("VIPP", at=NOW - 31 * DAY)
    sell("VIP", at=NOW - 29 * DAY)
    assert said() == [
        "`tickets.type` was never “VIPP” in the last 30 days, but “VIP” was there once"
    ]


def test_only_the_newest_are_looked_at(said: Said, sell: Sell) -> None:
    sell("VIPP", *["VIP"] * 250)
    assert said() == []
    assert said(most=250) == [
        "`tickets.type` was never “VIPP” in the newest 250 webhooks, but “VIP” was there 250 times"
    ]


def test_it_takes_no_longer_than_it_may(said: Said, sell: Sell) -> None:
    sell("VIPP", *["VIP"] * 600)
    assert said(ticking(2.0)) == [
        "`tickets.type` was never “VIPP” in the newest 100 webhooks, but “VIP” was there 100 times"
    ]
    assert said(ticking(0.1)) == []


def test_what_cannot_be_read_any_more_is_left_out(said: Said, sell: Sell) -> None:
    sell("x", body=b"not JSON")
    sell("VIP")
    assert said() == [
        "`tickets.type` was never “VIPP” in the last 30 days, but “VIP” was there once"
    ]
