"""A `.env` that cannot be read is one sentence from every command, and repeats nothing of it.

The kind: https://github.com/theskumar/python-dotenv/issues/300 and
https://github.com/theskumar/python-dotenv/issues/175 (a remark in another encoding),
https://github.com/motdotla/dotenv/issues/445 and
https://github.com/microsoft/vscode-python/issues/1563 (PowerShell's `>`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.dotenv_file import read_dotenv
from bridge.errors import OperatorError
from tests.test_start_messages import BRIDGE_YAML, NOWHERE, RULES_YAML, WITHOUT_RIGHTS

SECRET = "hunter2-hunter2"


def read(folder: Path, content: bytes) -> dict[str, str]:
    file = folder / ".env"
    file.write_bytes(content)
    return dict(read_dotenv(file))


def test_what_it_sets_is_read_as_people_write_it(tmp_path: Path) -> None:
    text = "\ufeff# Schlüssel\nexport A=1\r\n\nB\nC = 2 # two\nD='3 4'\nE=\nF=ü\n"
    found = read(tmp_path, text.encode())
    assert found == {"A": "1", "C": "2", "D": "3 4", "E": "", "F": "ü"}
    assert read_dotenv(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"# Schlüssel\nS={SECRET}\n".encode("latin-1"), "line 1 holds a character in another"),
        (f"S={SECRET}\nT={SECRET}ñ\n".encode("cp1252"), "line 2 holds a character in another"),
        (f"S={SECRET}\n# 鍵\n".encode("shift-jis"), "line 2 holds a character in another"),
        (f"S={SECRET}\n".encode("utf-16"), "is in UTF-16, which PowerShell's `>` writes"),
        (b"\xfe\xff" + f"S={SECRET}\n".encode("utf-16-be"), "is in UTF-16"),
        (f"S={SECRET}\n".encode("utf-16-le"), "line 1 holds a zero byte"),
        (f"S={SECRET}\nsecret {SECRET}\n".encode(), "line 2 is no `NAME=value`"),
        (f"S={SECRET}\n={SECRET}\n".encode(), "line 2 is no `NAME=value`"),
        (f"S='{SECRET}\nT=1\n".encode(), "a quotation mark is not closed"),
        (b"# " + b"x" * 1_000_001, "it is longer than"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(OperatorError) as raised:
        read(tmp_path, content)
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(OperatorError, match="it is a pipe or a device"):
        read_dotenv(tmp_path / ".env")


# All commands


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "bridge.yaml").write_text(BRIDGE_YAML % "http://127.0.0.1:1")
    (tmp_path / "config" / "rules.yaml").write_text(RULES_YAML)
    return tmp_path


def refused(folder: Path, *arguments: str, before: Sequence[str] = ()) -> str:
    """What a command says instead of doing its work, of which none shows a traceback."""
    environ = {"PATH": os.environ["PATH"], "REDIS_URL": NOWHERE}
    done = subprocess.run(
        [*before, sys.executable, "-m", "bridge", *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "command", ["run", "web", "clock", "check", "status --json", "rules check", "send --all"]
)
def test_every_command_says_it_in_one_sentence(folder: Path, command: str) -> None:
    (folder / ".env").write_bytes(b"# Schl\xfcssel\nSHOWPASS_SECRETS=abc\n")
    said = refused(folder, *command.split())
    assert said == (
        "showbridge: .env is not in UTF-8: line 1 holds a character in another encoding; save it "
        "as UTF-8 text\n"
    )


only_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


@only_root
@pytest.mark.parametrize("command", ["run", "check", "status", "events", "rules check"])
def test_an_env_file_of_another_user_is_told_with_both_names(folder: Path, command: str) -> None:
    _give_away(folder / ".env")
    said = refused(folder, *command.split(), before=WITHOUT_RIGHTS)
    assert ".env cannot be read: Permission denied: it belongs to the user number 4711" in said
    assert "and this is the user root" in said


@only_root
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("config/bridge.yaml", "status"),
        ("config/rules.yaml", "run"),
        ("config/key", "check"),
        ("data/run.lock", "run"),
        ("data/ledger.db", "run"),
        ("data/ledger.db.lock", "run"),
    ],
)
def test_any_other_file_of_another_user_is_told_so_too(
    folder: Path, name: str, command: str
) -> None:
    """Somebody typed a command as root, or as the service's user what was root's before."""
    (folder / "data").mkdir(mode=0o700)
    file = folder / name
    if name == "config/key":
        text = BRIDGE_YAML.replace("{env: SHOWPASS_SECRETS}", "{file: key}")
        (folder / "config" / "bridge.yaml").write_text(text % "http://127.0.0.1:1")
    _give_away(file)
    done = subprocess.run(
        [*WITHOUT_RIGHTS, sys.executable, "-m", "bridge", command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode in (1, 2)
    assert "Traceback" not in said
    assert name in said
    assert "it belongs to the user number 4711, and this is the user root" in said


def _give_away(file: Path) -> None:
    file.touch(mode=0o600)
    os.chmod(file, 0o600)
    os.chown(file, 4711, 4711)
