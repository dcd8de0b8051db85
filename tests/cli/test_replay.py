"""`showbridge replay`: what is asked for again, and what is said about it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from bridge.connector import Delivered, Rejected
from bridge.ledger import tables
from bridge.ledger.delivery_ids import shortened
from bridge.ledger.stories import Story, story
from tests.cli.house import House, Ledger


def told(ledger: Ledger, number: int = 1) -> Story:
    with ledger.database.read() as connection:
        found = story(connection, number)
    assert found is not None
    return found


def delivery_id(ledger: Ledger, account: str) -> str:
    (event,) = told(ledger).events
    return next(each.id for each in event.deliveries if each.account == account)


@pytest.fixture
def half_done(ledger: Ledger) -> Ledger:
    """One delivery arrived, one was rejected."""
    ledger.receive()
    ledger.route()
    ledger.deliver("hubspot", Delivered())
    ledger.deliver("slack", Rejected("channel_not_found"))
    return ledger


def test_an_event_is_routed_again(house: House, half_done: Ledger) -> None:
    result = house.run("replay", "1")
    assert result.exit_code == 0, result.output
    assert "routed again" in result.stdout
    assert "1 delivery arrived: not sent again" in result.stdout
    assert "1 delivery ended otherwise" in result.stdout
    assert told(half_done).state == "waiting"
    half_done.route()
    states = [each.state for each in told(half_done).events[0].deliveries]
    assert states == ["delivered", "waiting"]


def test_a_delivery_is_sent_again_by_the_beginning_of_its_id(
    house: House, half_done: Ledger
) -> None:
    rejected = delivery_id(half_done, "slack")
    result = house.run("replay", shortened(rejected).upper())
    assert result.exit_code == 0, result.output
    assert rejected in result.stdout
    assert told(half_done).events[0].deliveries[1].state == "waiting"


@pytest.mark.parametrize("typed", ["1_", "_3f", "0_1", "1__", "1_%", "1_zz", f"1_{'a' * 60_000}"])
def test_what_names_neither_an_event_nor_a_delivery_says_how_both_look(
    house: House, half_done: Ledger, typed: str
) -> None:
    result = house.run("replay", typed)
    assert result.exit_code == 2
    assert "like 1042, nor the beginning of a delivery's, like 1042_3f9a" in result.stderr
    assert len(result.stderr) < 300


def test_no_delivery_with_that_beginning_is_said(house: House, half_done: Ledger) -> None:
    result = house.run("replay", "1_0123456789abcdef")
    assert result.exit_code == 2
    assert "`showbridge event 1` shows them" in result.stderr


def test_a_delivery_that_arrived_is_not_sent_again(house: House, half_done: Ledger) -> None:
    result = house.run("replay", delivery_id(half_done, "hubspot"))
    assert result.exit_code == 2
    assert "has arrived" in result.stderr


def test_an_older_value_is_not_written_over_a_newer_one_by_mistake(
    house: House, ledger: Ledger
) -> None:
    ledger.receive()
    ledger.route()
    ledger.deliver("hubspot", Rejected("no such property"))
    ledger.receive()
    ledger.route()
    ledger.deliver("hubspot", Delivered())
    older = delivery_id(ledger, "hubspot")
    for which in (older, "1"):
        refused = house.run("replay", which)
        assert refused.exit_code == 2
        assert "a later event of the same person has arrived by hubspot" in refused.stderr
    assert told(ledger).events[0].deliveries[0].state == "rejected"
    meant = house.run("replay", older, "--even-if-newer")
    assert meant.exit_code == 0, meant.output
    assert told(ledger).events[0].deliveries[0].state == "waiting"


@pytest.mark.parametrize("by_event", [True, False])
def test_a_dry_run_of_one_says_what_it_means_and_changes_nothing(
    house: House, half_done: Ledger, by_event: bool
) -> None:
    which = "1" if by_event else delivery_id(half_done, "slack")
    before = told(half_done)
    result = house.run("replay", which, "--dry-run")
    assert result.exit_code == 0, result.output
    assert " would be " in result.stdout
    assert " will " not in result.stdout
    assert result.stdout.endswith("Dry run: nothing was changed.\n")
    assert told(half_done) == before
    done = house.run("replay", which, "--yes")
    assert " will be " in done.stdout
    assert told(half_done) != before


def test_a_dry_run_of_one_refuses_what_a_replay_refuses(house: House, half_done: Ledger) -> None:
    result = house.run("replay", delivery_id(half_done, "hubspot"), "--dry-run")
    assert result.exit_code == 2
    assert "has arrived" in result.stderr
    assert "would" not in result.stdout


@pytest.mark.parametrize("which", ["7", "zzzzzz", "%%%%%%", "ab", "1-x"])
def test_what_is_not_there_is_explained(house: House, half_done: Ledger, which: str) -> None:
    result = house.run("replay", which)
    assert result.exit_code == 2
    assert "showbridge event" in result.stderr


def test_before_the_first_start_there_is_nothing(house: House) -> None:
    assert "nothing was received yet" in house.run("replay", "1").stderr


UNDOING = """\
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do: [hubspot.upsert_contact: {email: "{{ contact.email }}", properties: {state: bought}}]
  - name: Refunds
    when: {source: showpass, event: invoice.refund}
    do: [hubspot.upsert_contact: {email: "{{ contact.email }}", properties: {state: refunded}}]
"""
ORDER = {"transaction_id": "T1", "customer_email": "ana@example.com"}


@pytest.fixture
def refunded(house: House, ledger: Ledger) -> Ledger:
    """Event 1 is a purchase that was rejected, event 2 its refund, which arrived."""
    house.write("rules.yaml", UNDOING)
    for sample, outcome in (
        ("invoice.purchase", Rejected("no such property")),
        ("invoice.refund", Delivered()),
    ):
        ledger.receive(sample, **ORDER)
        ledger.route()
        ledger.deliver("hubspot", outcome)
    return ledger


def test_an_old_purchase_that_is_sent_again_has_its_refund_behind_it(
    house: House, refunded: Ledger
) -> None:
    purchase = delivery_id(refunded, "hubspot")
    assert "--even-if-newer" in house.run("replay", purchase).stderr
    result = house.run("replay", purchase, "--even-if-newer")
    assert result.exit_code == 0, result.output
    assert "what undid it will be done once more behind it: 1 delivery" in result.stdout
    sent, behind = told(refunded).events[0].deliveries
    assert (sent.id, sent.state, behind.state) == (purchase, "waiting", "waiting")
    assert behind.rule == "Refunds"


def test_many_that_are_sent_again_have_their_refunds_behind_them(
    house: House, refunded: Ledger
) -> None:
    result = house.run("replay", "--state", "rejected", "--even-if-newer", "--yes")
    assert result.exit_code == 0, result.output
    assert "1 delivery replayed." in result.stdout
    assert [each.rule for each in told(refunded).events[0].deliveries] == ["Buyers", "Refunds"]


def test_the_replay_of_a_refund_says_what_is_tried_again_behind_its_purchase(
    house: House, refunded: Ledger
) -> None:
    house.run("replay", delivery_id(refunded, "hubspot"), "--even-if-newer")
    refunded.deliver("hubspot", Delivered())
    assert "once more" not in house.run("replay", "2").stdout
    refunded.route()
    house.run("replay", "1")
    repeated = told(refunded).events[0].deliveries[1]
    assert repeated.state == "delivered"
    with refunded.database.write() as connection:
        rejected = {"state": "rejected", "settled_at": 1.0}
        this = tables.deliveries.c.id == repeated.id
        connection.execute(update(tables.deliveries).where(this).values(**rejected))
    result = house.run("replay", "2")
    assert "1 delivery done once more behind what came late: tried again" in result.stdout
