"""What `check` and `rules check` tell by what came in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.house import BRIDGE, House

ACCOUNTS = BRIDGE[BRIDGE.index("accounts:") :]

RULES = """\
rules:
  - name: VIP buyers
    only_between: {to: 2020-12-31}
    when:
      source: showpass
      event: invoice.purchase
      where:
        tickets.type: General Admision
    do:
      - slack.post_message: {channel: "#vip", text: VIP}
time_zone: UTC
"""
SAID = "`tickets.type` was never “General Admision” in the last 30 days"


@pytest.fixture
def house(tmp_path: Path) -> House:
    found = House(tmp_path)
    found.write("bridge.yaml", BRIDGE[: BRIDGE.index("  showpad:")] + ACCOUNTS)
    found.write("rules.yaml", RULES)
    return found


def receive(house: House, count: int) -> None:
    ledger = house.open()
    for _ in range(count):
        ledger.receive("invoice.purchase")
    ledger.database.close()


def places(result: Result) -> list[tuple[int, int]]:
    return [(each["line"], each["column"]) for each in json.loads(result.output)["warnings"]]


@pytest.mark.parametrize("command", [("rules", "check"), ("check",)], ids=" ".join)
def test_a_check_compares_with_what_came_in(house: House, command: tuple[str, ...]) -> None:
    receive(house, 2)
    result = house.run(*command)
    assert result.exit_code == 0
    file = house.folder / "config" / "rules.yaml"
    assert f"{file}:8:9: {SAID}, but “General admission” was there 2 times\n" in result.output
    assert "        tickets.type: General Admision\n            ^\n" in result.output
    assert "did you mean “General admission”? Others were “VIP” (2)" in result.output
    assert places(house.run(*command, "--json")) == [(3, 5), (8, 9)]


@pytest.mark.parametrize("command", [("rules", "check"), ("check",)], ids=" ".join)
def test_before_the_first_start_there_is_nothing_to_compare_with(
    house: House, command: tuple[str, ...]
) -> None:
    (house.folder / "data").mkdir()
    result = house.run(*command)
    assert result.exit_code == 0
    assert SAID not in result.output
    assert not list((house.folder / "data").iterdir())
    assert places(house.run(*command, "--json")) == [(3, 5)]


def test_the_comparison_can_be_left_out(house: House) -> None:
    receive(house, 2)
    assert SAID not in house.run("rules", "check", "--no-history").output


def test_a_ledger_that_is_away_keeps_nobody_from_checking(house: House) -> None:
    house.environ["DATABASE_URL"] = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"
    result = house.run("rules", "check", "--json")
    assert result.exit_code == 0
    assert places(result) == [(3, 5)]


def test_a_draft_is_told_of_with_its_own_place(house: House) -> None:
    receive(house, 2)
    draft = house.folder / "draft.yaml"
    draft.write_text(RULES.replace("2020", "2999"))
    assert f"{draft}:8:9: {SAID}" in house.run("rules", "check", str(draft)).output


def test_what_is_over_is_told_by_the_day(house: House) -> None:
    output = house.run("rules", "check").output
    assert "rules.yaml:3:5: the last day of this rule is over" in output


# Sources that no rule is about

SECOND = """\
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
  showpass-festival: {kind: showpass, secrets: {env: SHOWPASS_SECRETS}}
accounts:
  slack: {}
"""


def unrouted(house: House) -> list[str]:
    told = json.loads(house.run("check", "--json").stdout)["warnings"]
    return [
        f"{each['line']}: {each['advice']}" for each in told if "no rule is about" in each["what"]
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("showpass", ["3: festival"]),
        ("showpass-festival", ["2: showpass"]),
        ("showpass*", []),
        ("[showpass, showpass-festival]", []),
        ("'*-festival'", ["2: showpass"]),
    ],
)
def test_a_source_that_no_rule_is_about_is_told(
    house: House, source: str, lines: list[str]
) -> None:
    house.write("bridge.yaml", SECOND)
    house.write("rules.yaml", RULES.replace("source: showpass", f"source: {source}"))
    found = unrouted(house)
    assert [each.partition(":")[0] for each in found] == [each.partition(":")[0] for each in lines]
    for each in found:
        assert "with `source: showpass" in each


def test_a_rule_that_is_switched_off_is_about_nothing(house: House) -> None:
    house.write("bridge.yaml", SECOND)
    rules = RULES.replace("source: showpass", "source: showpass*")
    house.write("rules.yaml", rules.replace("VIP buyers\n", "VIP buyers\n    enabled: false\n"))
    assert len(unrouted(house)) == 2


def test_the_advice_for_a_second_source_of_a_kind_is_to_name_both(house: House) -> None:
    house.write("bridge.yaml", SECOND)
    [found] = unrouted(house)
    assert "write `source: showpass*` in rules that are for it too" in found
    shown = " ".join(house.run("check").stdout.split())
    assert "no rule is about the source `showpass-festival`: nothing is done with what" in shown
