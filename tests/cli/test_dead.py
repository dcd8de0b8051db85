"""`showbridge dead`: what was given up, together, and what to type next."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from rich.cells import cell_len
from sqlalchemy import text

from bridge.connector import Rejected
from bridge.ledger.delivery_ids import shortened
from tests.cli.giving_up import UNFILLABLE, give_up, keep_for_a_person
from tests.cli.house import House, Ledger

HOSTILE = "\x1b[2J[red]\u202e"


def flat(text: str) -> str:
    return " ".join(text.split())


def shown(house: House, *arguments: str) -> str:
    result = house.run("dead", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def objects(house: House, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shown(house, "--json", *arguments).splitlines()]


@pytest.fixture
def ended(ledger: Ledger) -> Ledger:
    """Three purchases: HubSpot rejected all, Slack was given up for two numbers of attempts."""
    for person in ("ana", "ben", "cy"):
        ledger.receive(customer_email=f"{person}@example.com")
    ledger.route()
    ledger.deliver(
        "hubspot", Rejected("HubSpot refuses the contact (400, correlation id 5e8a1c1d)")
    )
    give_up(ledger, "slack")
    return ledger


def test_dead_letters_are_shown_together_with_what_to_type(house: House, ended: Ledger) -> None:
    (group,) = objects(house)
    assert (group["account"], group["action"], group["count"]) == ("slack", "post_message", 3)
    assert group["reason"] == "gave up after … attempts: no answer (503)"
    told = flat(shown(house))
    assert "gave up after … attempts: no answer (503)" in told
    assert "3 dead letters." in told
    assert "3 rejected deliveries: `showbridge dead --rejected`" in told


def test_what_to_type_chooses_exactly_the_group(house: House, ended: Ledger) -> None:
    ended.receive()
    ended.route()
    give_up(ended, "slack", "something else")
    for group in objects(house):
        words = shlex.split(group["next"][0])
        assert words[0] == "showbridge"
        assert "--dry-run" in words
        plan = json.loads(house.run(*words[1:], "--json").stdout)
        assert plan["found"] == group["count"]


def test_rejections_are_shown_instead(house: House, ended: Ledger) -> None:
    (group,) = objects(house, "--rejected")
    assert (group["account"], group["count"]) == ("hubspot", 3)
    assert "--state rejected" in group["next"][0]


def test_what_was_never_filled_in_is_to_be_routed_again(house: House, ledger: Ledger) -> None:
    house.write("rules.yaml", UNFILLABLE)
    ledger.receive()
    ledger.route()
    (group,) = objects(house, "--rejected")
    assert group["unfilled"]
    assert "--reroute" in group["next"][-1]


def test_what_may_have_been_done_is_to_be_looked_for_first(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    keep_for_a_person(ledger, "slack")
    (group,) = objects(house)
    assert group["may_be_done"]
    assert group["next"] == [
        "look there first; if it is not there:",
        f"showbridge replay {shortened(group['delivery'])}",
    ]
    assert "look there first" in shown(house)


@pytest.mark.parametrize("number", [7, 1_234_567, 123_456_789])
def test_what_is_to_be_typed_names_one_delivery_however_many_events_there_were(
    house: House, ledger: Ledger, number: int
) -> None:
    with ledger.database.write() as connection:
        connection.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES ('webhooks', :last)"),
            {"last": number - 1},
        )
    assert ledger.receive() == number
    ledger.route()
    keep_for_a_person(ledger, "slack")
    (group,) = objects(house)
    result = house.run(*shlex.split(group["next"][-1])[1:])
    assert result.stdout.startswith(f"Delivery {group['delivery']}"), result.output
    assert group["delivery"].startswith(f"{number}_")


def test_of_several_that_may_have_been_done_each_is_looked_for(
    house: House, ledger: Ledger
) -> None:
    ledger.receive()
    ledger.receive(customer_email="ben@example.com")
    ledger.route()
    keep_for_a_person(ledger, "slack")
    listing = shlex.split(objects(house)[0]["next"][-1])
    assert len(house.run(*listing[1:], "--json").stdout.splitlines()) == 2


def test_single_ones_are_listed(house: House, ended: Ledger) -> None:
    listed = objects(house, "--list")
    assert [each["event"] for each in listed] == ["3", "2", "1"]
    told = shown(house, "--list", "--limit", "2")
    assert max(map(cell_len, told.splitlines())) <= 80
    assert shortened(listed[1]["delivery"]) in told
    assert shortened(listed[2]["delivery"]) not in told
    assert "3 dead letters; the newest 2 are shown" in flat(told)


def test_the_largest_groups_come_first_up_to_the_limit(house: House, ended: Ledger) -> None:
    ended.receive()
    ended.route()
    give_up(ended, "slack", "something else")
    assert [group["count"] for group in objects(house, "--limit", "1")] == [3]
    assert "4 dead letters; the largest 1 groups are shown" in flat(shown(house, "--limit", "1"))


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (("--account", "slack", "--since", "1 hour"), 3),
        (("--until", "1 hour"), 0),
        (("--type", "invoice.*", "--source", "showpass", "--rule", "Buyers"), 3),
        (("--reason", "NO ANSWER"), 3),
        (("--account", "hubspot"), 0),
    ],
    ids=str,
)
def test_filters_choose(house: House, ended: Ledger, filters: tuple[str, ...], count: int) -> None:
    assert sum(group["count"] for group in objects(house, *filters)) == count


def test_nothing_dead_is_good_news(house: House, ledger: Ledger) -> None:
    assert "No dead letter matches." in shown(house)
    assert objects(house) == []


def test_reasons_can_do_no_harm(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    give_up(ledger, "slack", HOSTILE)
    for told in (shown(house), shown(house, "--list")):
        assert "\x1b" not in told
        assert "\u202e" not in told
        assert "[red]" in told


@pytest.mark.parametrize(
    ("word", "typed", "advice"),
    [
        ("account", "slak", "did you mean `slack`?"),
        ("source", "showpas", "did you mean `showpass`?"),
        ("rule", "buyers", "did you mean `Buyers`?"),
        ("since", "soon", "2 hours"),
    ],
)
def test_slips_are_explained(
    house: House, ended: Ledger, word: str, typed: str, advice: str
) -> None:
    result = house.run("dead", f"--{word}", typed)
    assert result.exit_code == 2
    assert advice in flat(result.stderr)


def test_accounts_that_were_configured_once_are_known(house: House, ended: Ledger) -> None:
    text = (house.folder / "config" / "bridge.yaml").read_text()
    house.write("bridge.yaml", text.replace("  slack: {", "  chat: {connector: slack, "))
    assert objects(house, "--account", "slack")[0]["count"] == 3
