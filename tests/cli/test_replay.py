"""`showbridge replay`: what is asked for again, and what is said about it."""

from __future__ import annotations

import pytest

from bridge.connector import Delivered, Rejected
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
    result = house.run("replay", rejected[:8].upper())
    assert result.exit_code == 0, result.output
    assert rejected in result.stdout
    assert told(half_done).events[0].deliveries[1].state == "waiting"


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


@pytest.mark.parametrize("which", ["7", "zzzzzz", "%%%%%%", "ab", "1-x"])
def test_what_is_not_there_is_explained(house: House, half_done: Ledger, which: str) -> None:
    result = house.run("replay", which)
    assert result.exit_code == 2
    assert "showbridge event" in result.stderr


def test_before_the_first_start_there_is_nothing(house: House) -> None:
    assert "nothing was received yet" in house.run("replay", "1").stderr
