"""`showbridge rules diff`: what other rules would have done with what came in."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from typing import Any

import pytest
from rich.cells import cell_len
from sqlalchemy import update

from bridge.ledger.database import Connection
from bridge.ledger.tables import webhooks
from tests.cli.house import RULES, House, Ledger

DRAFT = RULES.replace(
    "event: invoice.purchase", "event: invoice.purchase, where: {order.total: 40}"
)
WORDS = RULES.replace("bought", "paid for")


@pytest.fixture
def received(house: House, ledger: Ledger) -> Ledger:
    """Three purchases and a refund, routed by what is live."""
    for person, amount in (("ana", "40.00"), ("bo", "20.00"), ("cy", "40.00")):
        ledger.receive(customer_email=f"{person}@example.com", net_sales=amount)
    ledger.receive("invoice.refund")
    ledger.route()
    return ledger


def draft(house: House, text: str) -> str:
    file = house.folder / "draft.yaml"
    file.write_text(text)
    return str(file)


def shown(house: House, *arguments: str) -> str:
    result = house.run("rules", "diff", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def flat(text: str) -> str:
    return " ".join(text.split())


def as_object(house: House, *arguments: str) -> Any:
    return json.loads(shown(house, "--json", *arguments))


def the_rule(told: Any, name: str) -> Any:
    return next(each for each in told["rules"] if each["name"] == name)


def change(ledger: Ledger, number: int, **values: object) -> None:
    with ledger.database.write() as connection:
        connection.execute(update(webhooks).where(webhooks.c.number == number).values(**values))


def test_it_counts_what_would_be_different_and_shows_examples(
    house: House, received: Ledger
) -> None:
    said = shown(house, draft(house, DRAFT))
    assert "Rules: 1 of 4 events would be handled differently" in said
    assert "changed Buyers 3 → 2 - 2 -" in flat(said)
    assert "hubspot.upsert_contact 1 removed; 1 person fewer" in flat(said)
    assert "hubspot 3 → 2 calls" in flat(said)
    assert "- slack.post_message event 2, bo@example.com" in flat(said)
    assert "not now: order.total is 20.00, not 40" in said
    assert "Nothing was sent and nothing was changed." in said
    assert max(map(cell_len, said.splitlines()[1:])) <= 80


def test_a_changed_text_is_shown_before_and_after(house: House, received: Ledger) -> None:
    said = shown(house, draft(house, WORDS), "--limit", "1")
    assert "Priya Raghunathan bought" in said
    assert "Priya Raghunathan paid for" in said
    assert said.count("~ slack.post_message") == 1


def test_json_holds_the_same(house: House, received: Ledger) -> None:
    told = as_object(house, draft(house, DRAFT))
    assert (told["events"], told["different"], told["same_version"]) == (4, 1, False)
    rule = the_rule(told, "Buyers")
    assert (rule["standing"], rule["matched"]) == ("changed", {"before": 3, "after": 2})
    assert (rule["added"], rule["removed"], rule["changed"]) == (0, 2, 0)
    [contact, _] = rule["examples"]
    assert (contact["event"], contact["who"], contact["kind"]) == ("2", "bo@example.com", "removed")
    assert contact["before"]["item"]["email"] == "bo@example.com"
    assert contact["after"] is None
    actions = {each["action"]: each for each in told["actions"]}
    assert (actions["upsert_contact"]["people_fewer"], actions["post_message"]["removed"]) == (1, 1)
    [hubspot] = [each for each in told["costs"] if each["account"] == "hubspot"]
    assert (hubspot["before"]["calls"], hubspot["after"]["calls"]) == (3, 2)


def test_json_tells_the_fields_that_changed(house: House, received: Ledger) -> None:
    [example] = the_rule(as_object(house, draft(house, WORDS), "--limit", "1"), "Buyers")[
        "examples"
    ]
    assert example["fields"] == [
        {
            "name": "text",
            "before": "Priya Raghunathan bought",
            "after": "Priya Raghunathan paid for",
        }
    ]


def test_without_a_draft_the_saved_files_are_compared_with_what_is_live(
    house: House, received: Ledger
) -> None:
    house.write("rules.yaml", DRAFT)
    told = as_object(house)
    assert told["different"] == 1
    assert told["before"]["rules"].startswith("the live version")
    assert told["after"]["rules"].endswith("config/rules.yaml")


def test_the_same_rules_are_said_to_be_the_same(house: House, received: Ledger) -> None:
    assert "nothing would be different" in shown(house)
    assert as_object(house)["same_version"] is True


def test_other_words_with_the_same_meaning_make_no_difference(
    house: House, received: Ledger
) -> None:
    said = shown(house, draft(house, f"# A remark\n{RULES}"))
    assert "Nothing would have been different for 4 events." in said


def test_two_drafts_and_a_version_can_be_compared(house: House, received: Ledger) -> None:
    one = draft(house, DRAFT)
    other = house.folder / "other.yaml"
    other.write_text(RULES)
    back = as_object(house, str(other), "--old", one)
    assert the_rule(back, "Buyers")["added"] == 2
    version = as_object(house)["before"]["version"]
    assert as_object(house, one, "--old", version[:8])["different"] == 1


def test_before_anything_was_live_it_is_the_files_that_are_compared_with(
    house: House, ledger: Ledger
) -> None:
    ledger.receive(net_sales="20.00")
    told = as_object(house, draft(house, DRAFT))
    assert told["before"]["rules"].endswith("config/rules.yaml")
    assert told["different"] == 1


def test_a_draft_with_mistakes_is_told_as_check_tells_it(house: House, received: Ledger) -> None:
    result = house.run("rules", "diff", draft(house, RULES.replace("#sales", "")))
    assert result.exit_code == 1
    assert "draft.yaml:6:" in result.stdout
    assert "mistake" in result.stdout


def test_a_draft_that_is_not_there_is_said(house: House, received: Ledger) -> None:
    result = house.run("rules", "diff", "nowhere.yaml")
    assert result.exit_code == 2
    assert "there is no version `nowhere.yaml`" in flat(result.output) or "no file" in result.output


def test_an_empty_ledger_offers_the_samples(house: House, ledger: Ledger) -> None:
    result = house.run("rules", "diff", draft(house, DRAFT))
    assert result.exit_code == 2
    assert "nothing was received since" in result.output
    assert "--samples" in result.output


def test_without_a_ledger_the_samples_are_offered_too(house: House) -> None:
    result = house.run("rules", "diff", draft(house, DRAFT))
    assert result.exit_code == 2
    assert "nothing was received yet" in result.output
    assert "--samples" in result.output
    assert not (house.folder / "data").exists()


def test_the_samples_need_no_ledger(house: House) -> None:
    told = as_object(house, draft(house, WORDS), "--samples")
    assert (told["events"], told["different"], told["since"]) == (9, 1, None)
    [example] = the_rule(told, "Buyers")["examples"]
    assert example["event"] == "invoice.purchase"


def test_only_what_came_in_since_counts(house: House, received: Ledger) -> None:
    change(received, 2, received_at=time.time() - 40 * 86_400)
    assert as_object(house, draft(house, DRAFT))["different"] == 0
    told = as_object(house, draft(house, DRAFT), "--since", "50 days")
    assert (told["events"], told["different"]) == (4, 1)


def test_what_has_no_body_any_more_is_counted_and_said(house: House, received: Ledger) -> None:
    change(received, 2, pruned_at=time.time(), body=b"")
    change(received, 3, state="quarantined")
    told = as_object(house, draft(house, DRAFT))
    assert told["left_out"] == {"pruned": 1, "quarantined": 1, "unreadable": 0}
    assert (told["events"], told["webhooks"], told["different"]) == (2, 2, 0)
    said = flat(shown(house, draft(house, DRAFT)))
    assert "1 webhook left out, since their bodies were deleted for their age." in said


def test_one_rule_alone_can_be_shown(house: House, received: Ledger) -> None:
    both = DRAFT.replace("refunded", "gone")
    told = as_object(house, draft(house, both), "--rule", "refunds")
    assert [each["name"] for each in told["rules"]] == ["Refunds"]
    assert "actions" not in told
    result = house.run("rules", "diff", draft(house, both), "--rule", "Refund")
    assert result.exit_code == 2
    assert "did you mean `Refunds`?" in result.output


def test_the_status_says_so_where_it_is_asked_to(house: House, received: Ledger) -> None:
    asked = ("rules", "diff", "--exit-code", "3")
    assert house.run(*asked, draft(house, DRAFT)).exit_code == 3
    assert house.run(*asked, draft(house, RULES)).exit_code == 0
    assert house.run("rules", "diff", draft(house, DRAFT)).exit_code == 0


def test_nothing_is_written(house: House, received: Ledger) -> None:
    def everything(connection: Connection) -> list[Any]:
        return connection.exec_driver_sql("SELECT state, replayed FROM webhooks").all()  # type: ignore[return-value]

    def counted(connection: Connection) -> list[int]:
        names = ("events", "deliveries", "occasions", "cancellers", "rule_versions", "alerts")
        return [
            connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in names
        ]

    with received.database.read() as connection:
        before = (everything(connection), counted(connection))
    options = "    once_per: contact\n    after: 2 days\n    unless: invoice.refund\n    do:\n"
    shown(house, draft(house, RULES.replace("    do:\n", options)))
    with received.database.read() as connection:
        assert (everything(connection), counted(connection)) == before


def test_later_and_called_off_and_consent_are_told(house: House, ledger: Ledger) -> None:
    bridge = (house.folder / "config" / "bridge.yaml").read_text()
    house.write("bridge.yaml", f"{bridge}  mailchimp: {{api_key: {{env: MAILCHIMP_API_KEY}}}}\n")
    for person, agrees in (("ana", True), ("bo", False)):
        ledger.receive(customer_email=f"{person}@example.com", subscribe_to_venue=agrees)
    step = '      - mailchimp.subscribe: {audience: news, email: "{{ contact.email }}"}\n'
    text = RULES.replace("    do:\n", "    after: 2 days\n    do:\n", 1)
    text = text.replace("  - name: Refunds", f"{step}  - name: Refunds")
    said = flat(shown(house, draft(house, text)))
    assert "Buyers 0 → 1 refused for want of consent" in said
    assert "Buyers none → 5 after 2 days" in said
    assert "mailchimp.subscribe 1 added; 1 person more" in said
    assert "mailchimp 0 → " in said


@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "pipe"])
def test_a_bar_is_shown_on_a_terminal_alone(
    house: House, received: Ledger, *, is_terminal: bool
) -> None:
    own, theirs = pty.openpty() if is_terminal else os.pipe()
    environ = {name: value for name, value in house.environ.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "rules", "diff", draft(house, DRAFT)],
        env={**os.environ, **environ, "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    said = os.read(own, 10_000)
    os.close(own)
    assert (b"comparing" in said) is is_terminal
    assert b"comparing" not in done.stdout
    assert b"would be handled differently" in done.stdout


def test_more_than_a_portion_is_compared(house: House, ledger: Ledger) -> None:
    for number in range(250):
        ledger.receive(customer_email=f"p{number}@example.com")
    assert as_object(house, draft(house, WORDS))["different"] == 250
