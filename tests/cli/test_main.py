"""The command itself: help, `.env`, mistakes of operators, pipes that close."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from bridge.cli import cli
from tests.cli.house import House, Ledger

ROOT = Path(__file__).parent.parent.parent
MIGRATE = ROOT / "bridge" / "ledger" / "migrate.py"
COMMANDS = cli.list_commands(click.Context(cli))


def run(house: House, arguments: Sequence[str], **environ: str) -> subprocess.CompletedProcess[str]:
    seen = {**os.environ, **house.environ, **environ}
    return subprocess.run(
        [sys.executable, "-m", "bridge", *arguments],
        env={name: value for name, value in seen.items() if value is not None},
        cwd=house.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_every_command_and_imports_none(house: House) -> None:
    script = (
        "import sys; from bridge.cli import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        "assert not {'sqlalchemy', 'rich.table', 'flask', 'redis'} & set(sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    for name in COMMANDS:
        assert f"  {name} " in told.stdout


def test_the_version_is_none_that_the_ledger_refuses(house: House) -> None:
    """A version that is told is one that was released, or the one that is to come."""
    told = house.run("--version").stdout.split()[-1]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## \[([0-9][^]]*)\]", changes, re.MULTILINE)
    unreleased = "## [Unreleased]\n\n###" in changes
    assert (told in released) != unreleased
    assert f"{told}, whose ledgers cannot be taken over" not in MIGRATE.read_text("utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_under_its_name(house: House, name: str) -> None:
    result = house.run(name, "--help")
    assert result.exit_code == 0, result.output
    assert f"showbridge {name}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_an_unknown_command_gets_a_suggestion(house: House) -> None:
    result = house.run("evnts")
    assert result.exit_code == 2
    assert "did you mean `events`?" in result.stderr


def test_mistakes_in_the_configuration_are_no_traceback(house: House) -> None:
    house.write("bridge.yaml", "sources: 7\n")
    for arguments in (
        ["events"],
        ["event", "1"],
        ["accounts"],
        ["status"],
        ["send"],
        ["replay", "1"],
    ):
        result = house.run(*arguments)
        assert result.exit_code == 2, arguments
        assert "bridge.yaml:1:" in result.stderr
        assert isinstance(result.exception, SystemExit)


def test_an_unreachable_ledger_is_no_traceback_and_names_no_password(house: House) -> None:
    house.environ["DATABASE_URL"] = "postgresql://ana:s3cret-4711@127.0.0.1:1/ledger"
    for arguments in (["events"], ["status"], ["accounts"], ["resume", "slack"]):
        result = house.run(*arguments)
        assert result.exit_code == 2
        assert "the ledger cannot be reached" in result.stderr
        assert "4711" not in result.output


def test_env_files_fill_in_what_the_environment_leaves_open(house: House) -> None:
    (house.folder / ".env").write_text("PORT=8123\nSHOWPASS_SECRETS=from-file\n")
    assert "127.0.0.1:8123" in run(house, ["check"]).stdout
    assert "127.0.0.1:8321" in run(house, ["check"], PORT="8321").stdout


def test_a_pipe_that_closes_is_no_traceback(house: House, ledger: Ledger) -> None:
    for number in range(300):
        ledger.keep("showpad", b"[%d]" % number)
    seen = {**os.environ, **house.environ}
    environ = {name: value for name, value in seen.items() if value is not None}
    for option in ("--json", "--all"):
        command = f"{sys.executable} -m bridge events --all {option} | head -n 1"
        told = subprocess.run(
            command, shell=True, env=environ, capture_output=True, text=True, check=False
        )
        assert told.stderr == ""
        assert len(told.stdout.splitlines()) == 1


def test_a_terminal_that_knows_only_ascii_is_enough(house: House, ledger: Ledger) -> None:
    ledger.receive(customer_email=None, customer_name="Étienne 名前")
    ledger.route()
    told = run(house, ["event", "1"], PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert told.returncode == 0, told.stderr
    assert "tienne" in told.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        *(["events"], ["event", "1"], ["event", "1", "--calls"], ["why", "1"], ["status"]),
        *(["check"], ["rules", "explain"], ["rules", "fields"], ["connectors"], ["accounts"]),
        ["rules", "try", "invoice.purchase"],
    ],
)
def test_lines_are_not_filled_up_with_blanks_in_pipes(
    house: House, ledger: Ledger, arguments: list[str]
) -> None:
    """The kind: https://github.com/Textualize/rich/issues/2647 and
    https://github.com/Flexget/Flexget/issues/1584."""
    ledger.receive()
    ledger.route()
    told = run(house, arguments, COLUMNS="100")
    assert told.stdout, told.stderr
    assert [line for line in told.stdout.splitlines() if line != line.rstrip()] == []


def test_colours_are_for_terminals_that_want_them(house: House, ledger: Ledger) -> None:
    ledger.keep("showpad", b"[]")
    forced = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert "\x1b[31m" in run(house, ["events"], **forced).stdout
    assert "\x1b[31m" not in run(house, ["events"], **forced, NO_COLOR="1").stdout
    assert "\x1b[" not in run(house, ["events"]).stdout
