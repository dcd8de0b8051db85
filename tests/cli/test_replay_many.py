"""`showbridge replay` with filters: what it would mean, asking, feeding, stopping."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from sqlalchemy import update

from bridge.cli.replaying import FIRST, Replaying
from bridge.connector import Delivered, Rejected
from bridge.ledger.accounts import halt
from bridge.ledger.look_up import totals
from bridge.ledger.selection import Selection
from bridge.ledger.tables import webhooks
from tests.cli.giving_up import UNFILLABLE, give_up, keep_for_a_person
from tests.cli.house import House, Ledger
from tests.servers import START_SECONDS, wait_until

ROOT = Path(__file__).parent.parent.parent


def flat(text: str) -> str:
    return " ".join(text.split())


def shown(house: House, *arguments: str) -> str:
    result = house.run("replay", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def as_object(house: House, *arguments: str) -> Any:
    return json.loads(shown(house, "--json", *arguments))


def states(ledger: Ledger) -> Counter[str]:
    with ledger.database.read() as connection:
        return Counter(totals(connection).deliveries)


def buy(ledger: Ledger, *people: str) -> None:
    for person in people:
        ledger.receive(customer_email=f"{person}@example.com")
    ledger.route()


@pytest.fixture
def ended(house: House, ledger: Ledger) -> Ledger:
    """HubSpot, in preview, has shown three purchases; Slack's are dead."""
    buy(ledger, "ana", "ben", "cy")
    ledger.deliver("hubspot")
    give_up(ledger, "slack")
    return ledger


def test_a_dry_run_says_what_it_means_and_changes_nothing(house: House, ended: Ledger) -> None:
    before = states(ended)
    told = shown(house, "--dry-run")
    assert max(map(cell_len, told.splitlines())) <= 80
    said = flat(told)
    assert "3 dead deliveries; 3 to be sent again" in said
    assert "slack.post_message 3 deliveries 3 calls 3.3 s" in said
    assert "At 27/min it takes 6.7 s; the vendors' limits alone ask for 3.3 s" in said
    assert "nothing was changed" in said
    assert states(ended) == before


def test_a_dry_run_for_programs(house: House, ended: Ledger) -> None:
    plan = as_object(house, "--dry-run", "--speed", "2/s")
    assert (plan["dry_run"], plan["found"], plan["to_replay"]) == (True, 3, 3)
    assert plan["by_action"][0]["calls"] == 3
    assert (plan["per_second"], plan["seconds_by_limits"]) == (2.0, 3.3)
    assert plan["seconds"] == 3.3


def test_at_once_it_takes_what_the_limits_ask_for(house: House, ended: Ledger) -> None:
    plan = as_object(house, "--dry-run", "--speed", "max")
    assert (plan["per_second"], plan["seconds"]) == (None, 3.3)


def test_without_a_word_nothing_is_changed(house: House, ended: Ledger) -> None:
    result = house.run("replay")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert states(ended)["dead"] == 3


def test_it_sends_again_what_is_dead(house: House, ended: Ledger) -> None:
    assert "3 deliveries replayed." in shown(house, "--yes", "--speed", "max")
    assert states(ended) == {"previewed": 3, "waiting": 3}
    ended.deliver("slack", Delivered())
    assert states(ended)["delivered"] == 3


def test_the_result_for_programs(house: House, ended: Ledger) -> None:
    done = as_object(house, "--yes", "--speed", "max")
    assert (done["dry_run"], done["replayed"], done["complete"]) == (False, 3, True)
    again = as_object(house, "--yes", "--speed", "max")
    assert (again["found"], again["replayed"], again["complete"]) == (0, 0, True)


def test_a_filter_narrows_it(house: House, ended: Ledger) -> None:
    buy(ended, "di")
    give_up(ended, "slack", "something else")
    assert as_object(house, "--yes", "--speed", "max", "--reason", "else")["replayed"] == 1
    assert states(ended)["dead"] == 3


def test_what_was_previewed_is_sent_once_the_account_is_live(house: House, ended: Ledger) -> None:
    plan = as_object(house, "--state", "previewed", "--dry-run")
    assert plan["by_action"][0]["preview"]
    assert plan["seconds_by_limits"] == 0.0
    house.environ["HUBSPOT_ACCESS_TOKEN"] = "pat-for-tests"
    plan = as_object(house, "--state", "previewed", "--dry-run")
    assert not plan["by_action"][0]["preview"]
    assert plan["seconds_by_limits"] > 0.0
    assert shown(house, "--state", "previewed", "--yes", "--speed", "max")
    assert states(ended)["waiting"] == 3


@pytest.fixture
def mistyped(house: House, ledger: Ledger) -> Ledger:
    """Two orders of one person: of the first all was rejected, of the second all arrived."""
    buy(ledger, "ana", "ben")
    for account in ("hubspot", "slack"):
        ledger.deliver(account, Rejected("no such place"))
    buy(ledger, "ana")
    for account in ("hubspot", "slack"):
        ledger.deliver(account, Delivered())
    return ledger


def test_the_older_is_not_written_over_the_newer(house: House, mistyped: Ledger) -> None:
    chosen = ["--state", "rejected", "--account", "hubspot"]
    plan = as_object(house, *chosen, "--dry-run")
    assert (plan["found"], plan["to_replay"]) == (2, 1)
    assert [(one["why"], one["count"]) for one in plan["kept_back"]] == [("newer", 1)]
    assert "--even-if-newer" in shown(house, *chosen, "--dry-run")
    assert as_object(house, *chosen, "--dry-run", "--even-if-newer")["to_replay"] == 2
    assert as_object(house, *chosen, "--yes", "--speed", "max")["replayed"] == 1
    assert states(mistyped)["rejected"] == 3


def test_messages_of_different_orders_are_sent_whichever_came_later(
    house: House, mistyped: Ledger
) -> None:
    chosen = ["--state", "rejected", "--account", "slack"]
    plan = as_object(house, *chosen, "--dry-run")
    assert plan["to_replay"] == 2
    assert plan["kept_back"] == []
    assert as_object(house, *chosen, "--yes", "--speed", "max")["replayed"] == 2


CHANGING = """\
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - slack.update_message:
          channel: "#sales"
          text: "{{ contact.first_name }} bought for {{ order.total }}"
          update_of: transaction
"""


def test_an_older_change_of_a_message_is_not_made_after_a_newer_one(
    house: House, ledger: Ledger
) -> None:
    house.write("rules.yaml", CHANGING)
    buy(ledger, "ana")
    ledger.deliver("slack", Rejected("is_archived"))
    buy(ledger, "ana")
    ledger.deliver("slack", Delivered())
    plan = as_object(house, "--state", "rejected", "--dry-run")
    assert [(one["why"], one["count"]) for one in plan["kept_back"]] == [("newer", 1)]
    refused = house.run("replay", "1")
    assert refused.exit_code == 2
    assert "has arrived by slack.update_message" in refused.stderr


def test_an_event_is_routed_again_although_a_later_message_was_sent(
    house: House, mistyped: Ledger
) -> None:
    chosen = ["--state", "rejected", "--account", "slack", "--reroute"]
    assert as_object(house, *chosen, "--dry-run")["to_replay"] == 1, "ana's contact is newer"
    assert as_object(house, *chosen, "--dry-run", "--even-if-newer")["to_replay"] == 2


def begun(ledger: Ledger) -> Replaying:
    with ledger.database.read() as connection:
        return Replaying.begun(
            ledger.config,
            connection,
            Selection(),
            reroute=False,
            anyway=frozenset(),
            now=time.time(),
        )


def test_what_arrives_while_it_is_under_way_is_not_written_over_either(
    house: House, ended: Ledger
) -> None:
    buy(ended, "ana", "ben")
    give_up(ended, "hubspot")
    replaying = begun(ended)
    with ended.database.read() as connection:
        units = replaying.next(connection, FIRST, 10)
    buy(ended, "ana")
    for account in ("hubspot", "slack"):
        ended.deliver(account, Delivered())
    with ended.database.write() as connection:
        assert replaying.replay(connection, units, time.time()) == 4, "all but one contact"


def test_what_is_given_up_while_it_is_under_way_is_not_its_business(
    house: House, ended: Ledger
) -> None:
    replaying = begun(ended)
    buy(ended, "di")
    give_up(ended, "slack")
    with ended.database.read() as connection:
        assert len(replaying.next(connection, FIRST, 10)) == 3


def test_what_may_have_been_done_is_left_for_a_person(house: House, ended: Ledger) -> None:
    buy(ended, "di")
    keep_for_a_person(ended, "slack")
    assert [one["why"] for one in as_object(house, "--dry-run")["kept_back"]] == ["done"]
    assert as_object(house, "--yes", "--speed", "max")["replayed"] == 3
    assert as_object(house, "--yes", "--speed", "max", "--even-if-done")["replayed"] == 1


def test_routing_an_event_again_does_not_repeat_what_may_have_been_done(
    house: House, ledger: Ledger
) -> None:
    buy(ledger, "ana")
    ledger.deliver("hubspot", Rejected("no"))
    keep_for_a_person(ledger, "slack")
    plan = as_object(house, "--state", "rejected", "--reroute", "--dry-run")
    assert [one["why"] for one in plan["kept_back"]] == ["done"]
    assert "1 may have been done already" in house.run("replay", "1").stdout


def test_what_has_no_account_any_more_stays(house: House, ended: Ledger) -> None:
    text = (house.folder / "config" / "bridge.yaml").read_text()
    house.write("bridge.yaml", text.replace("  slack: {", "  chat: {connector: slack, "))
    plan = as_object(house, "--dry-run")
    assert [one["why"] for one in plan["kept_back"]] == ["gone"]


def test_what_was_never_filled_in_is_routed_again_by_the_rules_of_now(
    house: House, ledger: Ledger
) -> None:
    good = (house.folder / "config" / "rules.yaml").read_text()
    house.write("rules.yaml", UNFILLABLE)
    buy(ledger, "ana", "ben")
    plan = as_object(house, "--state", "rejected", "--dry-run")
    assert [(one["why"], one["count"]) for one in plan["kept_back"]] == [("unfilled", 2)]
    house.write("rules.yaml", good)
    ledger.publish()
    plan = as_object(house, "--state", "rejected", "--reroute", "--dry-run")
    owed = {one["action"]: one["deliveries"] for one in plan["by_action"]}
    assert owed == {"upsert_contact": 2, "post_message": 2}
    assert "2 events replayed" in shown(
        house, "--state", "rejected", "--reroute", "--yes", "--speed", "max"
    )
    ledger.route()
    assert states(ledger) == {"waiting": 4}


def test_a_dry_run_of_events_leaves_out_what_arrived(house: House, ledger: Ledger) -> None:
    buy(ledger, "ana")
    ledger.deliver("slack", Delivered())
    ledger.deliver("hubspot", Rejected("no"))
    plan = as_object(house, "--state", "rejected", "--reroute", "--dry-run")
    assert [one["action"] for one in plan["by_action"]] == ["upsert_contact"]


def test_unrouted_events_are_routed_again(house: House, ledger: Ledger) -> None:
    ledger.receive("invoice.refund")
    ledger.receive("webhook.test")
    ledger.route()
    plan = as_object(house, "--state", "unrouted", "--dry-run", "--type", "webhook.*")
    assert (plan["found"], plan["by_action"]) == (1, [])
    assert as_object(house, "--state", "unrouted", "--yes")["replayed"] == 1


def test_quarantined_events_are_not_to_be_trusted_blindly(house: House, ledger: Ledger) -> None:
    ledger.receive()
    with ledger.database.write() as connection:
        connection.execute(update(webhooks).values(state="quarantined", reason="stale-timestamp"))
    chosen = ("--state", "quarantined", "--reason", "stale")
    assert "kept aside for a reason" in flat(shown(house, *chosen, "--dry-run"))
    assert as_object(house, *chosen, "--yes")["replayed"] == 1


def test_events_whose_bodies_are_gone_are_named(house: House, ended: Ledger) -> None:
    with ended.database.write() as connection:
        connection.execute(update(webhooks).values(pruned_at=1.0, body=b""))
    plan = as_object(house, "--reroute", "--dry-run")
    assert [(one["why"], one["count"]) for one in plan["kept_back"]] == [("pruned", 3)]
    assert as_object(house, "--dry-run")["to_replay"] == 3
    assert "deleted for its age" in house.run("replay", "1").stderr


def test_a_halted_account_is_mentioned(house: House, ended: Ledger) -> None:
    fingerprint = ended.config.accounts["slack"].fingerprint
    with ended.database.write() as connection:
        halt(connection, "slack", "invalid_auth", fingerprint, 1.0)
    assert "`showbridge resume slack`" in flat(shown(house, "--dry-run"))


def test_nothing_to_replay_is_no_failure(house: House, ledger: Ledger) -> None:
    assert "there is nothing to replay" in shown(house)


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        (("--account", "slak"), "did you mean `slack`?"),
        (("--source", "showpas"), "did you mean `showpass`?"),
        (("--rule", "buyers"), "did you mean `Buyers`?"),
        (("--until", "soon"), "2027-03-09"),
        (("--speed", "quick"), "`5/s`"),
        (("--speed", "0/s"), "`5/s`"),
        (("--state", "unrouted", "--account", "slack"), "--source"),
        (("--json",), "--dry-run"),
        (("1", "--speed", "max"), "`--speed`"),
    ],
    ids=str,
)
def test_slips_are_explained(
    house: House, ended: Ledger, typed: tuple[str, ...], advice: str
) -> None:
    result = house.run("replay", *typed)
    assert result.exit_code == 2
    assert advice in flat(result.stderr)
    assert states(ended)["dead"] == 3


@pytest.fixture
def either(house: House, database_url: str) -> Iterator[Ledger]:
    """With thirty dead letters, on both databases."""
    house.environ["DATABASE_URL"] = database_url
    opened = house.open()
    buy(opened, *(f"person-{number}" for number in range(30)))
    opened.deliver("hubspot")
    give_up(opened, "slack")
    yield opened
    opened.database.close()


def test_stopped_in_the_middle_it_says_how_far_it_came_and_goes_on(
    house: House, either: Ledger
) -> None:
    environ = {name: value for name, value in house.environ.items() if value is not None}
    command = [sys.executable, "-m", "bridge", "replay", "--yes", "--speed", "5/s"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: states(either)["waiting"] >= 5)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 130
    done = re.search(r"Stopped\. (\d+) of 30 deliveries replayed", told)
    assert done, told
    replayed = int(done[1])
    assert 5 <= replayed < 30
    assert states(either) == {"previewed": 30, "waiting": replayed, "dead": 30 - replayed}
    assert as_object(house, "--yes", "--speed", "max")["replayed"] == 30 - replayed
    assert states(either) == {"previewed": 30, "waiting": 30}
