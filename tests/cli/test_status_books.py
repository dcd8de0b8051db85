"""`showbridge status` balances the books, and says what a difference means."""

from __future__ import annotations

import json

from sqlalchemy import delete, update

from bridge.connector import Rejected
from bridge.ledger.tables import attempts, deliveries, webhooks
from tests.cli.house import House, Ledger


def test_every_webhook_and_delivery_is_accounted_for(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.receive("invoice.refund")
    ledger.route()
    ledger.deliver("hubspot")
    ledger.receive()
    ledger.keep("showpad", b"[]")
    result = house.run("status")
    assert max(map(len, result.stdout.splitlines())) <= 80
    shown = " ".join(result.stdout.split())
    assert "books balanced acknowledged 4 = routed 2 + unrouted 0 + quarantined 1 + waiting 1" in (
        shown
    )
    assert (
        "planned 3 = delivered 0 + previewed 1 + suppressed 0 + rejected 0 + dead 0 + waiting 2"
        in shown
    )


def test_the_status_is_1_while_something_needs_a_person(house: House, ledger: Ledger) -> None:
    """For `showbridge status || page somebody` in a script."""
    ledger.receive()
    ledger.route()
    assert house.run("status").exit_code == 0
    ledger.deliver("slack", Rejected("no such channel"))
    for options in ((), ("--json",)):
        assert house.run("status", *options).exit_code == 1
    assert "no such channel" in " ".join(house.run("status").stdout.split())
    assert house.run("status", "--seen").exit_code == 0
    assert house.run("status").exit_code == 0


def test_how_full_the_quarantine_is(house: House, ledger: Ledger) -> None:
    assert "quarantine " not in house.run("status").stdout
    ledger.keep("showpad", b"[]")
    shown = " ".join(house.run("status").stdout.split())
    assert "quarantine showpad 1 of 10,000 webhooks, 0.0 of 100 MB" in shown
    held = json.loads(house.run("status", "--json").stdout)["quarantine"]["showpad"]
    assert held["webhooks"] == 1
    assert 0 < held["bytes"] < 5_000


def test_the_books_as_json(house: House, ledger: Ledger) -> None:
    ledger.receive("invoice.refund")
    ledger.route()
    status = json.loads(house.run("status", "--json").stdout)
    assert status["balanced"] is True
    assert status["books"]["webhooks"] == {
        "acknowledged": 1,
        "stored": 1,
        "pruned": 0,
        "difference": 0,
        "states": {"routed": 1, "unrouted": 0, "quarantined": 0, "waiting": 0},
    }
    assert status["books"]["deliveries"]["planned"] == 1


def test_what_vanished_is_said_in_red_with_what_to_do(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    with ledger.database.write() as connection:
        for table in (attempts, deliveries):
            connection.execute(delete(table))
    shown = " ".join(house.run("status").stdout.split())
    assert "books not balanced" in shown
    assert "planned 2 ≠ delivered 0" in shown
    assert "2 deliveries that had been planned cannot be found any more" in shown
    assert "Compare with a backup" in shown
    assert "nothing needs a person" not in shown
    status = json.loads(house.run("status", "--json").stdout)
    assert status["balanced"] is False
    assert status["books"]["deliveries"]["difference"] == -2


def test_a_state_that_no_version_knows_is_named(house: House, ledger: Ledger) -> None:
    ledger.receive()
    with ledger.database.write() as connection:
        connection.execute(update(webhooks).values(state="lo\x1bst"))
    result = house.run("status")
    assert "1 webhook in a state that this version does not know" in " ".join(result.stdout.split())
    assert "\x1b" not in result.stdout
