"""`showbridge consent`: each decision, on whose word, and what came of it."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

import pytest
from sqlalchemy import select

from bridge.connector import Delivered
from bridge.ledger.prune import drop_records
from bridge.ledger.tables import deliveries
from bridge.settings import RetentionConfig
from tests.cli.house import House, Ledger

BRIDGE = """\
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
accounts:
  mailchimp: {audiences: {newsletter: a1b2c3d4e5}}
"""
RULES = """\
rules:
  - name: Newsletter
    when: {source: showpass, event: invoice.purchase}
    do:
      - mailchimp.subscribe: {audience: newsletter, email: "{{ contact.email }}"}
  - name: Refunded
    when: {source: showpass, event: invoice.refund}
    do:
      - mailchimp.unsubscribe: {audience: newsletter, email: "{{ contact.email }}"}
"""
ANA = "Ana@Example.com"


@pytest.fixture
def ledger(house: House) -> Any:
    house.write("bridge.yaml", BRIDGE)
    house.write("rules.yaml", RULES)
    opened = house.open()
    yield opened
    opened.database.close()


def buy(ledger: Ledger, email: str = ANA, *, consent: object = True) -> None:
    ledger.receive(customer_email=email, subscribe_to_venue=consent)
    ledger.route()


def decisions(house: House, who: str = ANA) -> list[dict[str, Any]]:
    result = house.run("consent", who, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("consent", "flag", "outcome"),
    [(True, True, "waiting"), (False, False, "suppressed"), ("true", False, "suppressed")],
)
def test_each_decision_is_kept_with_what_the_person_said(
    house: House, ledger: Ledger, consent: object, flag: bool, outcome: str
) -> None:
    buy(ledger, consent=consent)
    (found,) = decisions(house)
    assert (found["decision"], found["outcome"]) == ("subscribe", outcome)
    assert found["flag"] is (flag if consent != "true" else found["flag"])
    assert found["flag"] is not True or consent is True
    assert found["address"] == "ana@example.com"
    assert (found["source"], found["event_type"]) == ("showpass", "invoice.purchase")


def test_what_came_of_it_is_told_also_when_the_delivery_is_long_gone(
    house: House, ledger: Ledger
) -> None:
    buy(ledger)
    ledger.deliver("mailchimp", Delivered("1", remark="a confirmation mail is on its way"))
    before = decisions(house)
    assert [each["outcome"] for each in before] == ["delivered"]
    with ledger.database.write() as connection:
        later = time.time() + 1000 * 86_400
        pruned = drop_records(connection, later, RetentionConfig(1.0, 1.0), 0, 100)
    assert pruned.count == 1
    assert decisions(house) == before


def test_somebody_taken_off_is_a_decision_too(house: House, ledger: Ledger) -> None:
    buy(ledger)
    ledger.receive("invoice.refund", customer_email=ANA)
    ledger.route()
    assert [each["decision"] for each in decisions(house)] == ["subscribe", "unsubscribe"]


def test_routing_twice_changes_nothing_and_a_replay_decides_anew(
    house: House, ledger: Ledger
) -> None:
    buy(ledger, consent=False)
    first = decisions(house)
    assert house.run("replay", "1").exit_code == 0
    ledger.route()
    (again,) = decisions(house)
    assert again["decided_at"] > first[0]["decided_at"]


def test_what_was_delivered_keeps_the_words_it_was_sent_on(house: House, ledger: Ledger) -> None:
    buy(ledger)
    ledger.deliver("mailchimp", Delivered("1"))
    first = decisions(house)
    assert house.run("replay", "1").exit_code == 0
    ledger.route()
    assert decisions(house) == first


def test_a_person_reads_who_said_what_and_where(house: House, ledger: Ledger) -> None:
    buy(ledger, consent=False)
    shown = house.run("consent", ANA).stdout
    assert "the person was asked and did not say yes" in shown
    assert "event 1 (invoice.purchase of showpass)" in " ".join(shown.split())
    assert "1 decision about Ana@Example.com." in shown


def test_nobody_is_known_by_another_address(house: House, ledger: Ledger) -> None:
    buy(ledger)
    assert (
        "Nothing was ever decided about bo@example.com."
        in house.run("consent", "bo@example.com").stdout
    )
    result = house.run("consent", "bo")
    assert result.exit_code == 2
    assert "is no e-mail address" in result.output


def test_the_export_is_a_table_that_no_spreadsheet_calculates(house: House, ledger: Ledger) -> None:
    buy(ledger)
    buy(ledger, "=cmd|' /c calc'!a1@example.com")
    written = house.folder / "consents.csv"
    result = house.run("consent", "export", "--output", str(written))
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(written.read_text("utf-8-sig"))))
    assert [row["flag"] for row in rows] == ["yes"] * len(rows)
    assert all(not row["address"].startswith("=") for row in rows)
    assert house.run("consent", "export").stdout.lstrip("\ufeff").startswith("address,decision")


def test_a_person_can_be_forgotten_alone(house: House, ledger: Ledger) -> None:
    buy(ledger)
    buy(ledger, "bo@example.com")
    ledger.deliver("mailchimp", Delivered("1"))
    assert house.run("consent", ANA, "--forget").exit_code == 1, "nobody was asked"
    assert len(decisions(house)) == 1
    assert house.run("consent", ANA, "--forget", "--yes").exit_code == 0
    assert (decisions(house), len(decisions(house, "bo@example.com"))) == ([], 1)


def test_nobody_is_forgotten_while_something_is_yet_to_be_done(
    house: House, ledger: Ledger
) -> None:
    buy(ledger)
    result = house.run("consent", ANA, "--forget", "--yes")
    assert result.exit_code == 2
    assert "yet to be carried out" in result.output
    assert len(decisions(house)) == 1


def test_what_was_forgotten_cannot_be_sent_any_more(house: House, ledger: Ledger) -> None:
    buy(ledger)
    ledger.deliver("mailchimp")
    assert house.run("consent", ANA, "--forget", "--yes").exit_code == 0
    with ledger.database.read() as connection:
        items = connection.execute(select(deliveries.c.item)).scalars().all()
    assert items == [{}]


def test_a_corrected_address_is_the_one_that_is_recorded(house: House, ledger: Ledger) -> None:
    wrong = RULES.replace('"{{ contact.email }}"}', "bo@example.com}", 1)
    house.write("rules.yaml", wrong)
    buy(ledger)
    assert [each["outcome"] for each in decisions(house, "bo@example.com")] == ["suppressed"]
    house.write("rules.yaml", RULES)
    assert house.run("replay", "1").exit_code == 0
    ledger.route()
    assert decisions(house, "bo@example.com") == []
    assert [each["outcome"] for each in decisions(house)] == ["waiting"]


def test_the_export_in_json_goes_into_the_file_too(house: House, ledger: Ledger) -> None:
    buy(ledger)
    written = house.folder / "consents.json"
    assert house.run("consent", "export", "--json", "--output", str(written)).exit_code == 0
    assert json.loads(written.read_text())["address"] == "ana@example.com"
