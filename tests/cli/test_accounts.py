"""`showbridge accounts`, `resume` and `status`: what may send, and what needs a person."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from bridge.connector import Rejected
from bridge.ledger.accounts import halt, rest, standings
from bridge.ledger.alerts import open_alerts, raise_alert
from tests.cli.house import House, Ledger

HOSTILE = "\x1b[2J[red]\u202e"


def listed(house: House) -> dict[str, Any]:
    result = house.run("accounts", "--json")
    assert result.exit_code == 0, result.output
    return {account["name"]: account for account in map(json.loads, result.stdout.splitlines())}


@pytest.fixture
def halted(ledger: Ledger) -> Ledger:
    fingerprint = ledger.config.accounts["slack"].fingerprint
    with ledger.database.write() as connection:
        halt(connection, "slack", "invalid_auth", fingerprint, time.time())
        raise_alert(
            connection, kind="halted", subject="slack", text="It rests.\nAct.", at=time.time()
        )
    return ledger


def test_accounts_are_known_before_the_first_start(house: House) -> None:
    accounts = listed(house)
    assert accounts["hubspot"]["mode"] == "preview"
    assert (accounts["slack"]["mode"], accounts["slack"]["state"]) == ("live", "ready")
    assert not (house.folder / "data").exists()


def test_a_halted_account_says_why_and_what_to_do(house: House, halted: Ledger) -> None:
    assert listed(house)["slack"]["state"] == "halted"
    shown = " ".join(house.run("accounts").stdout.split())
    assert "invalid_auth" in shown
    assert "showbridge resume slack" in shown


def test_a_halt_is_over_with_other_credentials(house: House, halted: Ledger) -> None:
    house.environ["SLACK_BOT_TOKEN"] = "xoxb-corrected"
    assert listed(house)["slack"]["state"] == "ready"


def test_a_rest_ends_by_its_time(house: House, ledger: Ledger) -> None:
    now = time.time()
    with ledger.database.write() as connection:
        rest(connection, "slack", "too many calls", now + 3600, now)
        rest(connection, "hubspot", "too many calls", now - 1, now - 10)
        rest(connection, "gone", HOSTILE, now + 3600, now)
    accounts = listed(house)
    assert accounts["slack"]["state"] == "resting"
    assert accounts["slack"]["until"].endswith("Z")
    assert accounts["hubspot"]["state"] == "ready"
    assert accounts["gone"]["mode"] == "not configured"
    assert not set(house.run("accounts").stdout) & set("\x1b\u202e")


def test_resuming_ends_a_halt_and_its_alert(house: House, halted: Ledger) -> None:
    result = house.run("resume", "slack")
    assert result.exit_code == 0, result.output
    assert "invalid_auth" in result.stdout
    with halted.database.read() as connection:
        assert standings(connection, time.time()) == []
        assert open_alerts(connection) == []


def test_resuming_what_does_not_rest_does_nothing(house: House, ledger: Ledger) -> None:
    result = house.run("resume", "slack")
    assert result.exit_code == 0
    assert "nothing to do" in result.stdout


def test_resuming_an_unknown_account_gets_a_suggestion(house: House, ledger: Ledger) -> None:
    result = house.run("resume", "slak")
    assert result.exit_code == 2
    assert "did you mean `slack`?" in result.stderr


def test_status_of_an_empty_ledger_is_calm(house: House, ledger: Ledger) -> None:
    shown = house.run("status").stdout
    assert "none yet" in shown
    assert "No open alerts" in shown


def test_status_counts_and_shows_alerts_in_full(house: House, halted: Ledger) -> None:
    halted.receive()
    halted.route()
    halted.deliver("hubspot")
    for _ in range(3):
        halted.keep("showpad", b"[]")
    result = house.run("status")
    assert result.exit_code == 1, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    shown = " ".join(result.stdout.split())
    assert "1 quarantined, 1 routed" in shown
    assert "1 previewed, 1 waiting" in shown
    assert "slack halted: invalid_auth" in shown
    assert "2 open alerts" in shown
    assert [line.rstrip() for line in lines][-4:-2] == ["  It rests.", "  Act."]


def test_what_lasts_stays_open_and_what_was_seen_is_closed(house: House, halted: Ledger) -> None:
    halted.keep("showpad", b"[]")
    assert "2 open alerts" in house.run("status", "--seen").stdout
    left = house.run("status").stdout
    assert "1 open alert\n" in left
    assert "It rests." in left


def test_status_as_json(house: House, halted: Ledger) -> None:
    halted.receive("invoice.refund")
    halted.route()
    status = json.loads(house.run("status", "--json").stdout)
    assert status["webhooks"] == {"routed": 1}
    assert status["deliveries"] == {"waiting": 1}
    assert len(status["rules"]["live"]) == 12
    assert status["accounts"][0]["name"] == "slack"
    assert (status["alerts"][0]["kind"], status["alerts"][0]["count"]) == ("halted", 1)


def test_status_says_that_the_rules_file_is_not_taken_over(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    ledger.deliver("slack", Rejected(HOSTILE))
    house.write("rules.yaml", "rules: 7\n")
    shown = " ".join(house.run("status").stdout.split())
    assert "2 rules, saved" in shown
    assert "the files have 1 mistake and are not taken over" in shown
