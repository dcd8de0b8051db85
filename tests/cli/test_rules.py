"""`showbridge rules`: check, publish, history, show and rollback, as a person uses them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from bridge.cli.rule_writing import written_beside
from bridge.cli.rules import COMMANDS
from bridge.cli.rules import command as group
from bridge.ledger import rule_versions
from bridge.ledger.rule_versions import Published
from bridge.rule_files import read_draft
from tests.cli.house import BRIDGE, RULES, House, Ledger

CHANGED = RULES.replace('"refunded"', '"paid back"')
MORE = """\
rules:
  - name: Voids
    when: {source: showpass, event: invoice.void}
    do:
      - slack.post_message: {channel: "#sales", text: "void"}
"""
OWN_COMMANDS = ("check", "publish", "history", "show", "rollback")


def done(house: House, *arguments: str) -> str:
    """What it shows, on lines as long as they are."""
    result = house.run("rules", *arguments)
    assert result.exit_code == 0, result.output
    # The test's folder is longer than anybody's.
    shown = result.stdout.replace(str(house.folder), ".")
    assert max(map(len, shown.splitlines()), default=0) <= 80
    return " ".join(shown.split())


def joined(house: House, *arguments: str) -> str:
    """What it shows, without white space: a long path may go on on the next line."""
    return "".join(done(house, *arguments).split()).replace(str(house.folder), ".")


def told(house: House, *arguments: str) -> Any:
    result = house.run("rules", *arguments, "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return lines if arguments[0] == "history" else lines[0]


def refused(house: House, *arguments: str) -> str:
    result: Result = house.run("rules", *arguments)
    assert result.exit_code == 2, result.output
    return result.stderr


def live(ledger: Ledger) -> Published:
    with ledger.database.read() as connection:
        found = rule_versions.live(connection)
    assert found is not None
    return found


def history(ledger: Ledger) -> list[tuple[str, str]]:
    with ledger.database.read() as connection:
        return [(each.how, each.author) for each in rule_versions.history(connection)]


@pytest.fixture
def draft(house: House) -> Path:
    file = house.folder / "new.yaml"
    file.write_text(CHANGED)
    return file


@pytest.fixture
def published(ledger: Ledger) -> Ledger:
    ledger.publish()
    return ledger


# The group


def test_help_names_every_command_in_80_columns(house: House) -> None:
    result = house.run("rules", "--help")
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert all(f"  {name} " in result.stdout for name in COMMANDS)
    assert group.list_commands(click.Context(group)) == list(COMMANDS)


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_each_command_explains_itself(house: House, name: str) -> None:
    result = house.run("rules", name, "--help")
    assert result.exit_code == 0, result.output
    assert f"showbridge rules {name}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_an_unknown_command_gets_a_suggestion(house: House) -> None:
    assert "did you mean `publish`?" in refused(house, "publsh")


# check


def test_check_says_that_the_rules_are_right_whatever_is_wrong_with_bridge_yaml(
    house: House,
) -> None:
    assert "config/rules.yaml: no mistakes in 2 rules" in done(house, "check")
    house.write("bridge.yaml", BRIDGE + "servr: {}\n")
    shown = done(house, "check")
    assert "bridge.yaml has mistakes: `showbridge check` shows them." in shown
    assert "no mistakes in 2 rules" in shown
    house.write("bridge.yaml", BRIDGE.replace("  slack:", "  slak:"))
    assert "not read to the end" in done(house, "check")


def test_check_finds_mistakes_in_every_file_and_shows_their_lines(house: House) -> None:
    (house.folder / "config" / "rules").mkdir()
    house.write("rules.yaml", RULES.replace("post_message", "post_mesage", 1))
    house.write("rules/more.yaml", MORE.replace("invoice.void", "invoice.viod"))
    result = house.run("rules", "check")
    assert result.exit_code == 1
    shown = result.stdout.replace(str(house.folder), ".")
    assert "./config/rules.yaml:6:9: " in shown
    assert "./config/rules/more.yaml:3:" in shown
    assert "invoice.viod}\n" in shown
    assert "2 mistakes" in shown
    assert told(house, "check")["mistakes"][1]["line"] == 3


def test_check_of_a_draft_names_the_draft_and_its_lines(house: House, draft: Path) -> None:
    assert "new.yaml: no mistakes in 2 rules" in done(house, "check", str(draft))
    draft.write_text("\n" + CHANGED.replace("paid back", "{{ contact.nmae }}"))
    result = house.run("rules", "check", "new.yaml")
    assert result.exit_code == 1
    assert result.stdout.startswith("new.yaml:11:")
    assert "contact.nmae" in result.stdout.splitlines()[1]
    assert "did you mean `" in result.stdout


def test_warnings_are_shown_and_no_mistakes(house: House) -> None:
    house.write("rules.yaml", MORE.replace("showpass", "showpad").replace("invoice.void", "nova"))
    assert "worth a look" in done(house, "check")
    assert told(house, "check")["warnings"][0]["line"] == 3


def test_a_draft_that_is_not_there_is_a_complaint(house: House) -> None:
    result = house.run("rules", "check", "nowhere.yaml")
    assert result.exit_code == 1
    assert "there is no file or folder nowhere.yaml" in result.stdout


# publish


def test_publishing_makes_the_files_live_and_says_what_that_changes(
    house: House, published: Ledger
) -> None:
    house.write("rules.yaml", CHANGED.replace("Buyers", "Patrons"))
    shown = done(house, "publish", "--author", "Ben")
    assert "is live: what comes in from now on is handled by it." in shown
    assert "added Patrons changed Refunds removed Buyers" in shown
    assert live(published).author == "Ben"
    assert history(published) == [("published", "Ben"), ("saved", "ana")]


def test_what_is_live_already_is_not_published_again(house: House, published: Ledger) -> None:
    assert "was live already: nothing is different" in done(house, "publish")
    assert len(history(published)) == 1
    assert told(house, "publish")["changed_what_is_live"] is False


def test_mistakes_and_a_missing_ledger_are_refused(
    house: House, published: Ledger, draft: Path
) -> None:
    draft.write_text(CHANGED.replace("post_message", "post_mesage"))
    result = house.run("rules", "publish", "new.yaml")
    assert result.exit_code == 1
    assert "2 mistakes" in result.stdout
    assert "Nothing was changed." in result.stdout
    assert len(told(house, "publish", "new.yaml")["mistakes"]) == 2
    assert len(history(published)) == 1
    house.environ["SHOWBRIDGE_DATA"] = str(house.folder / "elsewhere")
    assert "there is no ledger" in refused(house, "publish")


def test_a_draft_is_written_over_the_files_and_what_they_held_is_kept(
    house: House, published: Ledger, draft: Path
) -> None:
    file = house.folder / "config" / "rules.yaml"
    house.write("rules.yaml", "rules: [ # half an idea\n")
    file.chmod(0o640)
    shown = done(house, "publish", "new.yaml")
    assert "changed Refunds" in shown
    assert file.read_text() == CHANGED
    assert file.stat().st_mode & 0o777 == 0o640
    kept = shown.partition("`showbridge rules show ")[2][:12]
    assert "half an idea" in house.run("rules", "show", kept).stdout
    assert sorted(os.listdir(file.parent)) == ["bridge.yaml", "rules.yaml"]


def test_a_draft_that_leaves_out_rules_is_published_only_where_that_is_meant(
    house: House, published: Ledger
) -> None:
    (house.folder / "new.yaml").write_text(MORE)
    before = live(published)
    result = house.run("rules", "publish", "new.yaml")
    assert result.exit_code == 1
    assert "The draft leaves out rules that are live" in result.stdout
    assert "Nothing was changed" in result.stdout
    assert live(published) == before
    assert "is live" in done(house, "publish", "new.yaml", "--yes")


def test_a_folder_replaces_the_folder_and_what_it_lacks_is_gone(
    house: House, published: Ledger
) -> None:
    rules = house.folder / "config" / "rules"
    rules.mkdir()
    house.write("rules/old.yaml", MORE.replace("Voids", "Old"))
    published.publish()
    folder = house.folder / "draft"
    folder.mkdir()
    (folder / "voids.yaml").write_text(MORE)
    refused_first = told(house, "publish", "draft")
    assert (refused_first["ok"], refused_first["left_out"]) == (False, ["Old"])
    said = told(house, "publish", "draft", "--yes")
    assert (said["added"], said["removed"]) == (["Voids"], ["Old"])
    assert [Path(path).name for path in said["written"]] == ["voids.yaml", "old.yaml"]
    assert os.listdir(rules) == ["voids.yaml"]
    assert told(house, "check")["version"] == said["version"]
    assert list(told(house, "show", said["kept"])["files"]) == ["rules.yaml", "rules/old.yaml"]


def test_what_is_not_published_after_all_leaves_nothing(house: House, draft: Path) -> None:
    folder = house.folder / "config"
    before = sorted(os.listdir(folder))
    with written_beside(read_draft(folder, draft)):
        assert len(os.listdir(folder)) == len(before) + 1
    assert sorted(os.listdir(folder)) == before


def test_a_link_stays_one_and_what_it_leads_to_is_written(
    house: House, published: Ledger, draft: Path
) -> None:
    file, real = house.folder / "config" / "rules.yaml", house.folder / "config" / "real.yaml"
    file.rename(real)
    file.symlink_to(real)
    done(house, "publish", "new.yaml")
    assert file.is_symlink()
    assert real.read_text() == CHANGED


def test_what_could_not_be_kept_is_not_replaced(
    house: House, published: Ledger, draft: Path
) -> None:
    file = house.folder / "config" / "rules.yaml"
    file.write_bytes(b"\xff")
    assert "cannot be kept" in refused(house, "publish", "new.yaml")
    assert file.read_bytes() == b"\xff"
    assert len(history(published)) == 1


def test_where_the_files_cannot_be_written_nothing_goes_live(
    house: House, published: Ledger, draft: Path
) -> None:
    file = house.folder / "config" / "rules.yaml"
    file.unlink()
    # Also root cannot write below a file.
    file.symlink_to(draft / "below" / "rules.yaml")
    said = " ".join(refused(house, "publish", "new.yaml").split())
    assert "cannot be written" in said
    assert "`showbridge rules publish`" in said
    assert len(history(published)) == 1


def test_the_author_is_whoever_is_logged_in_also_behind_sudo(
    house: House, published: Ledger
) -> None:
    house.environ.update({"SUDO_USER": None, "LOGNAME": "carla"})
    house.write("rules.yaml", CHANGED)
    done(house, "publish")
    assert live(published).author == "carla"
    house.environ["SUDO_USER"] = "dan"
    house.write("rules.yaml", RULES)
    done(house, "publish")
    assert live(published).author == "dan"


# history and show


def test_history_lists_what_was_live_by_whom_and_what_it_changed(
    house: House, published: Ledger
) -> None:
    house.write("rules.yaml", CHANGED + "lists: {vip: [a]}\n")
    done(house, "publish", "--author", "Ben \x1b[2J")
    shown = done(house, "history")
    assert "\x1b" not in shown
    assert "by Ben" in shown
    assert "changed Refunds; also the list vip" in shown
    assert "saved" in shown
    assert "the first: 2 rules" in shown
    newest, first = told(house, "history")
    assert (newest["number"], newest["how"], newest["live"]) == (2, "published", True)
    assert (newest["changed"], newest["other"]) == (["Refunds"], ["the list vip"])
    assert (first["author"], first["live"], first["rules"]) == ("ana", False, 2)
    assert len(told(house, "history", "-n", "1")) == 1
    assert "Older ones" in done(house, "history", "-n", "1")


def test_a_history_without_anything_says_so(house: House, ledger: Ledger) -> None:
    assert done(house, "history") == "No rules were live yet."
    assert "no rules are live yet" in refused(house, "show")
    assert "no rules are live yet" in refused(house, "rollback")


def test_show_prints_a_version_so_that_it_can_be_saved(house: House, published: Ledger) -> None:
    version = live(published).version
    result = house.run("rules", "show", version[:5])
    assert result.stdout == RULES
    assert result.stderr.startswith(f"# version {version}, saved ")
    (house.folder / "config" / "rules").mkdir()
    house.write("rules/more.yaml", MORE)
    published.publish()
    both = house.run("rules", "show").stdout
    assert both == f"# ======== rules.yaml\n{RULES}# ======== rules/more.yaml\n{MORE}"
    assert house.run("rules", "show", "--file", "rules/more.yaml").stdout == MORE
    assert "did you mean `rules/more.yaml`?" in refused(house, "show", "--file", "more.yaml")


def test_an_unknown_version_gets_a_suggestion(house: House, published: Ledger) -> None:
    version = live(published).version
    wrong = ("0" if version[0] != "0" else "1") + version[1:]
    assert f"did you mean `{version}`?" in refused(house, "show", wrong)
    assert "`showbridge rules history` lists them" in refused(house, "rollback", "zzzz")
    assert "there is no version" in refused(house, "show", "%")


# rollback


def test_a_rollback_makes_the_one_before_live_and_leaves_the_files(
    house: House, published: Ledger
) -> None:
    before = live(published).version
    house.write("rules.yaml", CHANGED)
    done(house, "publish")
    shown = done(house, "rollback", "--author", "Ben")
    assert f"Version {before} is live again" in shown
    assert "changed Refunds" in shown
    assert "it goes live again when you change it or publish it" in shown
    assert (live(published).version, live(published).how) == (before, "rolled back")
    assert (house.folder / "config" / "rules.yaml").read_text() == CHANGED
    assert "there is no version before" in refused(house, "rollback")
    done(house, "publish")
    assert live(published).version != before


@pytest.mark.parametrize("files", [1, 2])
def test_a_rollback_names_all_files_that_still_hold_the_other_version(
    house: House, published: Ledger, files: int
) -> None:
    folder = house.folder / "config" / "rules"
    folder.mkdir()
    for number in range(files):
        (folder / f"{number}.yaml").write_text("rules: []\n")
    house.write("rules/0.yaml", MORE)
    done(house, "publish")
    shown = joined(house, "rollback")
    count = "1 file" if files == 1 else "2 files"
    for words in (
        f"rules.yaml and {count} of ./config/rules still hold version",
        "they go live again when you change one of them or publish them.",
    ):
        assert words.replace(" ", "") in shown


def test_a_rollback_names_the_file_with_the_mistake(house: House, published: Ledger) -> None:
    house.write("rules.yaml", CHANGED)
    done(house, "publish")
    folder = house.folder / "config" / "rules"
    folder.mkdir()
    (folder / "vip.yaml").write_text("rules: 7\n")
    shown = joined(house, "rollback")
    assert "Afilehas1mistake,thefirstin./config/rules/vip.yaml:1:" in shown
    assert "rules.yaml" not in shown


def test_what_was_rolled_back_to_and_is_published_then_is_no_rollback_any_more(
    house: House, published: Ledger
) -> None:
    house.write("rules.yaml", CHANGED)
    done(house, "publish")
    done(house, "rollback")
    house.write("rules.yaml", RULES)
    assert "was live already" in done(house, "publish")
    assert live(published).how == "published"
    assert "was live already" in done(house, "publish")
    assert len(history(published)) == 4


def test_a_rollback_goes_to_a_version_or_a_number_of_the_history(
    house: House, published: Ledger
) -> None:
    first = live(published).version
    for text in (CHANGED, MORE):
        house.write("rules.yaml", text)
        done(house, "publish")
    assert told(house, "rollback", "--to", "1")["version"] == first
    second = told(house, "rollback", "--to", "2")["version"]
    assert told(house, "rollback", first[:6])["was"] == second
    assert "live already: nothing to do" in done(house, "rollback", first)
    assert "the history has no 77" in refused(house, "rollback", "--to", "77")
    assert "not both" in refused(house, "rollback", first, "--to", "1")


def test_a_version_that_does_not_fit_bridge_yaml_is_refused_with_its_own_lines(
    house: House, published: Ledger
) -> None:
    house.write("rules.yaml", MORE)
    done(house, "publish")
    house.write(
        "bridge.yaml",
        BRIDGE.replace("hubspot:", "crm:").replace("{access", "{connector: hubspot, access"),
    )
    result = house.run("rules", "rollback")
    assert result.exit_code == 1
    assert "rules.yaml:5:9: " in result.stdout
    assert "      - hubspot.upsert_contact" in result.stdout
    assert "Nothing was changed." in result.stdout
    assert len(history(published)) == 2
    assert told(house, "rollback")["mistakes"]


# status


def test_status_says_what_is_live_since_when_by_whom(house: House, published: Ledger) -> None:
    shown = " ".join(house.run("status").stdout.split())
    assert f"version {live(published).version}, 2 rules, saved " in shown
    assert "by ana" in shown
    rules = json.loads(house.run("status", "--json").stdout)["rules"]
    assert (rules["how"], rules["author"], rules["files_are"]) == ("saved", "ana", "live")
    assert rules["since"].endswith("Z")


def files_are(house: House) -> tuple[str, str]:
    """The word for machines, and the line for people."""
    lines = " ".join(house.run("status").stdout.split())
    rules = json.loads(house.run("status", "--json").stdout)["rules"]
    return rules["files_are"], lines


def test_status_says_why_the_files_are_not_what_is_live(house: House, published: Ledger) -> None:
    house.write("rules.yaml", CHANGED)
    word, shown = files_are(house)
    assert word == "saved"
    assert "is live within seconds" in shown
    done(house, "publish")
    done(house, "rollback")
    word, shown = files_are(house)
    assert word == "rolled back"
    assert "was rolled back: `showbridge rules publish` makes it live again" in shown
    house.write("rules.yaml", "rules: [\n")
    assert files_are(house)[0] == "mistakes"
    house.write("bridge.yaml", BRIDGE + "rules: {publish: by_command}\n")
    house.write("rules.yaml", MORE)
    word, shown = files_are(house)
    assert word == "not published"
    assert "`showbridge rules diff`, then `showbridge rules publish`" in shown


def test_status_knows_an_older_copy(house: House, published: Ledger) -> None:
    file = house.folder / "config" / "rules.yaml"
    house.write("rules.yaml", CHANGED)
    done(house, "publish")
    house.write("rules.yaml", RULES)
    os.utime(file, (1, 1))
    assert files_are(house)[0] == "older"


def test_status_says_that_what_is_live_does_not_fit_bridge_yaml(
    house: House, published: Ledger
) -> None:
    house.write("bridge.yaml", BRIDGE.replace("  slack:", "  chat: {connector: slack}\n  #"))
    shown = files_are(house)[1]
    assert "does not fit bridge.yaml of now" in shown
