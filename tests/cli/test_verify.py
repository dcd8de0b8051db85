"""`showbridge verify`: says that all is right, or what is not, and ends accordingly."""

from __future__ import annotations

import json

from sqlalchemy import update

from bridge.ledger.tables import attempts
from tests.cli.house import House, Ledger


def fill(ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    ledger.deliver("hubspot")
    ledger.deliver("slack")


def test_a_ledger_that_is_right_ends_with_status_0(house: House, ledger: Ledger) -> None:
    fill(ledger)
    result = house.run("verify")
    assert result.exit_code == 0, result.output
    assert "Checked 1 webhook, 1 event, 2 deliveries." in result.stdout
    assert "The books are balanced" in result.stdout
    assert "Nothing is lost, doubled or out of order." in result.stdout


def test_what_is_wrong_is_said_with_an_example_and_status_1(house: House, ledger: Ledger) -> None:
    fill(ledger)
    with ledger.database.write() as connection:
        connection.execute(update(attempts).values(outcome="started"))
    result = house.run("verify")
    assert result.exit_code == 1
    shown = " ".join(result.stdout.split())
    assert "2 attempts that nobody is at" in shown
    assert "`showbridge event 1`" in shown
    assert "Nothing is lost" not in shown
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_verdict_as_json(house: House, ledger: Ledger) -> None:
    fill(ledger)
    right = json.loads(house.run("verify", "--json").stdout)
    assert (right["right"], right["balanced"], right["findings"]) == (True, True, [])
    with ledger.database.write() as connection:
        connection.execute(update(attempts).values(outcome="started"))
    result = house.run("verify", "--json")
    assert result.exit_code == 1
    wrong = json.loads(result.stdout)
    assert wrong["right"] is False
    assert wrong["findings"][0]["what"] == "attempts that nobody is at"
    assert wrong["findings"][0]["example"]["event"] == 1
