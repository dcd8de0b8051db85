"""What is allowed and yet unwise is told by `check` and `status`, and changes nothing else."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from bridge.exposed import exposed
from tests.cli.house import BRIDGE, House

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def modes() -> Iterator[None]:
    """The files of the tests are as closed as those that our commands write."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def closed(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house in which everything is as it should be."""
    monkeypatch.chdir(house.folder)
    house.environ |= {
        "SHOWPASS_SECRETS": secrets.token_hex(20),
        "SHOWPAD_SECRETS": secrets.token_hex(20),
    }
    for path in (house.folder, *house.folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    (house.folder / ".env").touch()
    house.open().database.close()
    return house


def told(house: House) -> list[str]:
    """The same by both commands, in words and as JSON."""
    checked = house.run("check", "--json")
    status = house.run("status", "--json")
    assert checked.exit_code == status.exit_code == 0, checked.output + status.output
    found: list[str] = json.loads(checked.stdout)["security"]
    assert json.loads(status.stdout)["security"] == found
    for name in ("check", "status"):
        shown = "".join(house.run(name).stdout.split())
        assert all("".join(each.split()) in shown for each in found)
    return found


def test_nothing_is_told_if_all_is_closed_and_random(closed: House) -> None:
    assert told(closed) == []


@pytest.mark.parametrize(
    ("mode", "what"),
    [(0o666, "read and written"), (0o604, "read"), (0o602, "written")],
)
def test_an_env_file_that_others_may_use_is_told(closed: House, mode: int, what: str) -> None:
    (closed.folder / ".env").chmod(mode)
    [said] = told(closed)
    assert said == f".env can be {what} by other users of this machine: `chmod 600 .env`"


def test_a_data_folder_that_others_may_enter_is_told(closed: House) -> None:
    data = closed.folder / "data"
    data.chmod(0o755)
    [said] = told(closed)
    assert said.endswith(f"`chmod 700 {data}`")


@pytest.mark.parametrize("name", ["", "bridge.yaml", "rules.yaml", "rules", "rules/vip.yaml"])
def test_rules_and_settings_that_others_may_change_are_told(closed: House, name: str) -> None:
    rules = closed.folder / "config" / "rules"
    rules.mkdir()
    (rules / "vip.yaml").write_text("rules: []\n")
    path = closed.folder / "config" / name
    path.chmod(path.stat().st_mode | 0o044)
    assert told(closed) == [], "rules are no secret"
    path.chmod(path.stat().st_mode | 0o002)
    [said] = told(closed)
    assert said.endswith(f"`chmod go-w {path}`")


def test_a_secret_in_a_file_that_others_may_read_is_told(closed: House) -> None:
    text = BRIDGE.replace("{env: SHOWPASS_SECRETS}", "{file: showpass.key}")
    closed.write("bridge.yaml", text)
    closed.write("showpass.key", secrets.token_hex(20))
    assert told(closed) == []
    (closed.folder / "config" / "showpass.key").chmod(0o644)
    [said] = told(closed)
    assert "showpass.key can be read by other users" in said


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_group_that_neither_this_process_nor_the_owner_belongs_to_is_told(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(0o660)
    assert exposed([file], [], []) == []
    strange = next(each for each in range(4711, 9999) if each not in os.getgroups())
    os.chown(file, 0, strange)
    assert "can be read and written by other users" in exposed([file], [], [])[0]


def test_what_is_not_there_is_not_told() -> None:
    assert exposed([Path("/nowhere/.env")], [Path("/nowhere")], []) == []


def test_secrets_that_could_be_guessed_are_told_and_not_repeated(closed: House) -> None:
    closed.environ["SHOWPASS_SECRETS"] = f"hunter-2x,{secrets.token_hex(20)}"
    closed.environ["SHOWPAD_SECRETS"] = "zyzzyva" * 5
    first, second = told(closed)
    assert "showpass (number 1 in SHOWPASS_SECRETS) is shorter than 16 characters" in first
    assert "showpad (SHOWPAD_SECRETS) repeats itself" in second
    assert "hunter" not in first + second
    assert "zyzzyva" not in first + second


@pytest.mark.parametrize("name", [".env.old", "backup.db", "2026-11-30.dump"])
def test_a_copy_that_others_may_read_is_told_and_is_none_for_git(closed: House, name: str) -> None:
    """A backup holds what the ledger holds."""
    (closed.folder / name).touch()
    assert told(closed) == []
    (closed.folder / name).chmod(0o644)
    [said] = told(closed)
    assert said == f"{name} can be read by other users of this machine: `chmod 600 {name}`"
    ignored = (ROOT / ".gitignore").read_text().split()
    assert any(fnmatch(name, pattern) for pattern in ignored)


def test_lists_of_senders_that_let_in_others_than_they_seem_to_are_told(closed: House) -> None:
    with_list = BRIDGE.replace("SHOWPASS_SECRETS}", "SHOWPASS_SECRETS}\n    allow_from: %s")
    closed.write("bridge.yaml", with_list % "[]")
    assert told(closed) == ["showpass takes webhooks from nobody: its `allow_from` is empty"]
    closed.write("bridge.yaml", with_list % "[34.83.8.110]")
    [said] = told(closed)
    assert "`allow_from` of showpass is compared with the address that connects" in said
    assert "`trusted_proxies`" in said
    proxies = "server: {trusted_proxies: [127.0.0.1]}\n"
    closed.write("bridge.yaml", with_list % "[34.83.8.110]" + proxies)
    assert told(closed) == []


@pytest.mark.parametrize("example", ["the-secret-key", "the-new-key,the-old-key"])
def test_an_example_of_the_documents_is_refused_as_a_secret(closed: House, example: str) -> None:
    closed.environ["SHOWPASS_SECRETS"] = example
    result = closed.run("check")
    assert result.exit_code == 1
    shown = " ".join(result.stdout.split())
    assert "a signing secret is still the example of the documents" in shown
    assert "put the key in its place that showpass shows" in shown
    assert "the-" not in shown.replace("the documents", "")


def test_new_files_of_rules_are_for_the_same_people_as_rules_yaml(closed: House) -> None:
    """The person who publishes need not be the one who runs the bridge."""
    config = closed.folder / "config"
    config.chmod(0o755)
    (config / "rules.yaml").chmod(0o644)
    draft = closed.folder / "draft"
    draft.mkdir()
    (draft / "vip.yaml").write_text("rules: []\n")
    result = closed.run("rules", "publish", str(draft))
    assert result.exit_code == 0, result.output
    assert (config / "rules").stat().st_mode & 0o777 == 0o755
    assert (config / "rules" / "vip.yaml").stat().st_mode & 0o777 == 0o644
