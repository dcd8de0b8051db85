"""What the commands say of what is scheduled, and what replaying it means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result

from tests.cli.house import House, Ledger

RULES = """
rules:
  - name: Thanks
    when: {source: showpass, event: invoice.purchase}
    after: 3 days
    do:
      - hubspot.upsert_contact:
          email: "{{ contact.email }}"
"""


@pytest.fixture
def scheduled(house: House, ledger: Ledger) -> House:
    house.write("rules.yaml", RULES)
    ledger.receive()
    ledger.route()
    return house


def flat(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def story(house: House) -> dict[str, Any]:
    return dict(json.loads(house.run("event", "1", "--json").stdout))


def owed(house: House) -> dict[str, Any]:
    (event,) = story(house)["events"]
    (delivery,) = event["deliveries"]
    return dict(delivery)


def test_events_say_when(scheduled: House) -> None:
    assert "1 scheduled in 3 days, " in flat(scheduled.run("events"))
    assert "1 scheduled in 3 days, " in flat(scheduled.run("events", "--state", "scheduled"))
    assert "0 events found" in flat(scheduled.run("events", "--state", "sending"))


def test_an_event_s_story_says_when_and_what(scheduled: House) -> None:
    told = flat(scheduled.run("event", "1", "--calls"))
    assert "1 scheduled" in told
    assert "due in 3 days, " in told
    assert "will be sent" in told


def test_json_says_when(scheduled: House) -> None:
    listed = json.loads(scheduled.run("events", "--json").stdout)
    assert listed["deliveries"] == {"scheduled": 1}
    assert (owed(scheduled)["state"], owed(scheduled)["due_at"]) == ("scheduled", listed["due_at"])


def test_the_books_balance_with_it(scheduled: House) -> None:
    told = flat(scheduled.run("status"))
    assert "planned 1 = " in told
    assert "+ waiting 0 + scheduled 1" in told
    found = json.loads(scheduled.run("status", "--json").stdout)
    assert found["deliveries"] == {"scheduled": 1}
    assert found["books"]["deliveries"]["states"]["scheduled"] == 1
    assert found["balanced"] is True


def test_where_nothing_is_scheduled_the_books_do_not_speak_of_it(
    house: House, ledger: Ledger
) -> None:
    ledger.receive()
    ledger.route()
    assert "scheduled" not in flat(house.run("status"))


def test_the_ledger_is_right(scheduled: House) -> None:
    assert "Nothing is lost" in flat(scheduled.run("verify"))


def test_replaying_the_delivery_sends_it_now_and_says_so(scheduled: House) -> None:
    told = flat(scheduled.run("replay", str(owed(scheduled)["id"])))
    assert "was to be sent in 3 days, " in told
    assert "it is sent now" in told
    assert owed(scheduled)["state"] == "waiting"


def test_replaying_the_event_leaves_it_scheduled_and_says_so(
    scheduled: House, ledger: Ledger
) -> None:
    before = owed(scheduled)
    told = flat(scheduled.run("replay", "1"))
    assert "1 delivery scheduled: filled in afresh, its time counted anew" in told
    ledger.route()
    assert owed(scheduled) | {"planned_at": before["planned_at"]} == before


def test_replaying_all_dead_letters_leaves_it(scheduled: House) -> None:
    assert "nothing to replay" in flat(scheduled.run("replay", "--yes"))
    assert owed(scheduled)["state"] == "scheduled"
