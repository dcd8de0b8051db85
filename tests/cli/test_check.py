"""`showbridge check`: all mistakes with their lines, or what both files mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.cli.house import BRIDGE, RULES, House

WRONG_RULES = RULES.replace("invoice.refund", "invoice.refnd").replace(
    "slack.post_message: {channel", "slack.post_mesage: {channel", 1
)


def wrong(house: House) -> str:
    result = house.run("check")
    assert result.exit_code == 1
    # The test's folder is longer than anybody's; a place itself is never cut in two.
    shown = result.stdout.replace(str(house.folder), ".")
    assert max(map(cell_len, shown.splitlines())) <= 80
    return result.stdout


def test_what_is_right_is_told_in_plain_words(house: House) -> None:
    result = house.run("check")
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    assert "showpass http://127.0.0.1:8000/hooks/showpass signed with SHOWPASS_SECRETS" in shown
    assert "hubspot preview, HUBSPOT_ACCESS_TOKEN makes it live" in shown
    assert "slack live with SLACK_BOT_TOKEN" in shown
    assert "2 rules" in shown
    assert "When showpass sends invoice.refund: slack.post_message." in shown


def test_the_secret_in_a_path_is_hidden(house: House) -> None:
    assert "/hooks/showpad/…" in house.run("check").stdout


def test_a_secret_of_the_first_run_is_named_by_its_file(house: House) -> None:
    house.environ["SHOWPASS_SECRETS"] = None
    assert "no signing secret: set SHOWPASS_SECRETS" in house.run("check").stdout
    made = house.folder / "data" / "secrets" / "showpass"
    made.parent.mkdir(parents=True)
    made.write_text("made-4711")
    shown = "".join(house.run("check").stdout.split())
    assert "data/secrets/showpass" in shown
    assert "4711" not in shown


def test_each_mistake_stands_with_its_line_a_caret_and_advice(house: House) -> None:
    house.write("rules.yaml", WRONG_RULES)
    lines = wrong(house).splitlines()
    shown = "\n".join(lines)
    assert "rules.yaml:6:9" in shown.replace("\n", "")
    assert "did you mean `slack.post_message`?" in shown
    assert "did you mean `invoice.refund`?" in shown
    assert "2 mistakes" in shown
    caret = next(line for line in lines if line.strip() == "^")
    source = lines[lines.index(caret) - 1]
    assert source[caret.index("^") :].startswith("slack.post_mesage")


def test_mistakes_of_both_files_are_told_at_once(house: House) -> None:
    house.write("bridge.yaml", BRIDGE + "servr: {}\n")
    house.write("rules.yaml", WRONG_RULES)
    shown = wrong(house)
    assert "did you mean `server`?" in shown
    assert "did you mean `slack.post_message`?" in shown
    assert "3 mistakes" in shown


def test_rules_are_not_blamed_for_an_account_that_is_misspelt(house: House) -> None:
    house.write("bridge.yaml", BRIDGE.replace("  slack:", "  slak:"))
    shown = wrong(house)
    assert "there is no connector `slak`" in shown
    assert "1 mistake\n" in shown


def test_syntax_is_checked_in_rules_even_so(house: House) -> None:
    house.write("bridge.yaml", BRIDGE.replace("  slack:", "  slak:"))
    house.write("rules.yaml", "rules: [\n")
    assert "rules.yaml:" in wrong(house)


def test_a_secret_written_into_the_file_is_not_repeated(house: House) -> None:
    literal = BRIDGE.replace("{env: SLACK_BOT_TOKEN}", "xoxb-written-4711")
    listed = literal.replace("{env: SHOWPASS_SECRETS}", "\n    - written-4711")
    house.write("bridge.yaml", listed.replace("{secrets", "").replace("env: SHOWPAD_PATH", "x: y"))
    assert "4711" not in wrong(house)
    assert "4711" not in house.run("check", "--json").stdout
    assert "4711" not in house.run("events").output


@pytest.mark.parametrize("length", [1, 29, 52, 60, 74, 100, 200])
def test_a_missing_file_is_a_mistake_whose_path_is_in_one_piece(
    tmp_path: Path, length: int
) -> None:
    folder = tmp_path / ("d" * length)
    folder.mkdir()
    house = House(folder)
    missing = folder / "config" / "rules.yaml"
    missing.unlink()
    assert f"{missing} is missing" in " ".join(wrong(house).split())
    (folder / "config" / "bridge.yaml").unlink()
    assert "2 mistakes" in wrong(house)


def test_a_wrong_variable_does_not_hide_the_files(house: House) -> None:
    house.environ["PORT"] = "eighty"
    house.write("rules.yaml", WRONG_RULES)
    shown = wrong(house)
    assert "PORT must be a number" in shown
    assert "did you mean `slack.post_message`?" in shown


def test_json_says_all_of_it(house: House) -> None:
    right = json.loads(house.run("check", "--json").stdout)
    assert right["ok"]
    assert right["accounts"][1] == {
        "name": "slack",
        "connector": "slack",
        "mode": "live",
        "secrets": {"SLACK_BOT_TOKEN": True},
    }
    house.write("rules.yaml", WRONG_RULES)
    result = house.run("check", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert not told["ok"]
    assert [mistake["line"] for mistake in told["mistakes"]] == [6, 8]
