"""`showbridge check --online` and `showbridge hubspot setup`, with a portal over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.testing.vendor import VendorServer
from tests.cli.house import House
from tests.cli.hubspot_portal import PROPERTIES, Portal

RULES = """\
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - hubspot.upsert_contact:
          email: "{{ contact.email }}"
          properties: {firstname: "{{ contact.first_name }}", vip_tier: Gold}
"""
GRANTED = (
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
)


@pytest.fixture
def portal() -> Portal:
    return Portal("firstname", scopes=GRANTED)


@pytest.fixture
def online(house: House, portal: Portal) -> Iterator[VendorServer]:
    with VendorServer(handler=portal) as server:
        house.write("rules.yaml", RULES)
        house.write(
            "bridge.yaml",
            "sources:\n  showpass: {secrets: {env: SHOWPASS_SECRETS}}\n"
            "accounts:\n"
            f"  hubspot: {{access_token: {{env: HUBSPOT_ACCESS_TOKEN}}, base_url: {server.url}}}\n"
            "  slack: {bot_token: {env: SLACK_BOT_TOKEN}, preview: true}\n",
        )
        house.environ["HUBSPOT_ACCESS_TOKEN"] = "pat-na1-4711"
        yield server


def checked(house: House) -> dict[str, Any]:
    told = json.loads(house.run("check", "--online", "--json").stdout)
    return {each["account"]: each for each in told["online"]}


def test_what_the_rules_name_and_is_not_there_is_said_with_what_to_do(
    house: House, online: VendorServer
) -> None:
    result = house.run("check", "--online")
    told = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "✓ the access token of the HubSpot account 4711" in told
    assert "✓ the contact property `firstname`" in told
    assert "✗ the contact property `vip_tier`" in told
    assert "`showbridge hubspot setup` can create it" in told
    assert "1 thing to put right." in told


def test_accounts_in_preview_are_not_asked(house: House, online: VendorServer) -> None:
    assert checked(house)["slack"] == {"account": "slack", "mode": "preview", "checked": []}


def test_a_token_that_is_not_taken_is_all_that_is_said(
    house: House, online: VendorServer, portal: Portal
) -> None:
    portal.scopes = None
    (found,) = checked(house)["hubspot"]["checked"]
    assert (found["what"], found["state"]) == ("the access token", "wrong")


def test_mistakes_in_the_files_come_first_and_nobody_is_asked(
    house: House, online: VendorServer
) -> None:
    house.write("rules.yaml", RULES.replace("properties:", "propertys:"))
    result = house.run("check", "--online")
    assert result.exit_code == 1
    assert "did you mean `properties`?" in result.stdout
    assert online.requests == []


def test_all_is_well_once_all_is_there(house: House, online: VendorServer, portal: Portal) -> None:
    assert house.run("hubspot", "setup", "--yes").exit_code == 0
    result = house.run("check", "--online")
    assert result.exit_code == 0, result.stdout
    assert "All that the rules name is there." in result.stdout


def test_setup_shows_what_it_will_make_and_asks(
    house: House, online: VendorServer, portal: Portal
) -> None:
    result = house.run("hubspot", "setup")
    assert result.exit_code == 1, "nobody said yes"
    assert "create the contact property `vip_tier` (text)" in result.stdout
    assert "vip_tier" not in portal.properties


def test_a_dry_run_makes_nothing(house: House, online: VendorServer) -> None:
    result = house.run("hubspot", "setup", "--dry-run")
    assert result.exit_code == 0
    assert "2 changes to make" in result.stdout
    assert {request.method for request in online.requests} == {"GET"}


def test_setup_makes_the_group_first_and_twice_is_once(
    house: House, online: VendorServer, portal: Portal
) -> None:
    assert house.run("hubspot", "setup", "--yes").exit_code == 0
    assert portal.properties["vip_tier"]["groupName"] == "showbridge"
    made = [request.path for request in online.requests if request.method == "POST"]
    assert made == [f"{PROPERTIES}/groups", PROPERTIES]
    again = house.run("hubspot", "setup", "--yes")
    assert "all that the rules need is there" in again.stdout
    assert len([each for each in online.requests if each.method == "POST"]) == 2


def test_what_failed_is_said_in_words_and_by_the_status(
    house: House, online: VendorServer, portal: Portal
) -> None:
    lines = house.run("hubspot", "setup", "--json", "--yes")
    assert all(json.loads(line)["done"] for line in lines.stdout.splitlines())
    portal.scopes = None
    refused = house.run("hubspot", "setup", "--yes")
    assert refused.exit_code == 2
    assert "access token" in refused.output


def test_an_account_in_preview_is_told_what_it_lacks(house: House, online: VendorServer) -> None:
    house.environ["HUBSPOT_ACCESS_TOKEN"] = None
    result = house.run("hubspot", "setup")
    assert result.exit_code == 2
    assert "set HUBSPOT_ACCESS_TOKEN first" in result.output


def test_an_unknown_account_is_answered_with_the_known(house: House, online: VendorServer) -> None:
    result = house.run("hubspot", "setup", "--account", "hubspott")
    assert result.exit_code == 2
    assert "did you mean `hubspot`?" in result.output
