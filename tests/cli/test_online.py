"""`showbridge check --online` and `showbridge hubspot setup`, with a portal over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from bridge.testing.vendor import VendorServer, closed_url
from tests.cli.house import House
from tests.cli.hubspot_portal import PROPERTIES, Portal
from tests.servers import PostgreSQL, running_redis

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


# PostgreSQL and Redis


@pytest.fixture
def plain(house: House) -> House:
    """Nobody but PostgreSQL and Redis is to be asked."""
    house.write("bridge.yaml", "sources:\n  showpass: {secrets: {env: SHOWPASS_SECRETS}}\n")
    house.write("rules.yaml", "rules: []\n")
    return house


def found(house: House, variable: str, url: str) -> tuple[str, str]:
    """State and advice. No password is told in any of them."""
    house.environ[variable] = url
    result = house.run("check", "--online", "--json")
    assert "4711" not in result.output
    [asked] = [each for each in json.loads(result.stdout)["online"] if each["account"] == variable]
    assert result.exit_code == (asked["checked"][0]["state"] == "wrong")
    return asked["checked"][0]["state"], asked["checked"][0]["advice"]


def test_a_wrong_password_of_postgresql_is_told_from_a_server_that_is_not_there(
    plain: House, postgresql: PostgreSQL
) -> None:
    name = f"user_{uuid4().hex}"
    right = postgresql.make_user(name, "right-4711")
    assert found(plain, "DATABASE_URL", right) == ("right", "")
    state, wrong = found(plain, "DATABASE_URL", right.replace("right-4711", "wrong-4711"))
    assert state == "wrong"
    assert "it is there and refuses the user or password of DATABASE_URL" in wrong
    state, bare = found(plain, "DATABASE_URL", right.replace(":right-4711", ""))
    assert (state, "refuses the user or password" in bare) == ("wrong", True)
    state, none = found(plain, "DATABASE_URL", right.rpartition("/")[0] + "/none")
    assert (state, "does not exist" in none) == ("wrong", True)
    closed = closed_url().removeprefix("http://")
    state, absent = found(plain, "DATABASE_URL", f"postgresql://ana:x-4711@{closed}/x")
    assert state == "wrong"
    assert "nothing answers there as DATABASE_URL says" in absent


def test_a_wrong_password_of_redis_is_told_from_a_server_that_is_not_there(
    plain: House, tmp_path: Path
) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    with running_redis(folder, "right-4711") as right:
        assert found(plain, "REDIS_URL", right) == ("right", "")
        for url in (right.replace("right-4711", "wrong-4711"), right.replace(":right-4711@", "")):
            state, wrong = found(plain, "REDIS_URL", url)
            assert state == "wrong"
            assert "it is there and refuses the user or password of REDIS_URL" in wrong
    state, absent = found(plain, "REDIS_URL", right)
    assert state == "wrong"
    assert "nothing answers there as REDIS_URL says" in absent


def test_a_redis_that_keeps_nothing_is_wrong(plain: House, tmp_path: Path) -> None:
    """Full, with no rule of what to let go, as those are that hosts set up."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with running_redis(folder) as url:
        with Redis.from_url(url) as redis:
            redis.config_set("maxmemory", "1")
        state, advice = found(plain, "REDIS_URL", url)
    assert state == "wrong"
    assert "it answers, and keeps nothing" in advice
