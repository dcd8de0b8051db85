"""A file system that is read-only but for the data folder, as containers have it.

The kind: https://github.com/benoitc/gunicorn/issues/2859 and
https://github.com/meeb/tubesync/issues/458 (the workers' files in /tmp),
https://github.com/benoitc/gunicorn/issues/1388 (they die and the reason is lost).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.ledger.database import Database
from tests.servers import wait_until
from tests.test_start_messages import SECRET, Machine, is_up, send
from tests.web.conftest import purchase

# Root of a user namespace of its own; what is mounted below stays as it is for everybody else.
ALONE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,bind,ro / && mount -o remount,bind,ro /dev/shm &&
! touch /tmp/written 2>/dev/null && cd "$PWD" && shift && exec "$@"
"""


def _in_read_only_root(data: Path, command: Sequence[str]) -> list[str]:
    return [*ALONE, READ_ONLY, "sh", str(data), *command]


class ReadOnly(Machine):
    """Only the data folder can be written to."""

    def command(self, *arguments: str) -> Sequence[str]:
        data = Path(self.environ["SHOWBRIDGE_DATA"])
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _in_read_only_root(data, [sys.executable, "-m", "bridge", *arguments])


@pytest.fixture
def machine() -> Iterator[ReadOnly]:
    # Short: a Unix socket's path may have about 100 characters, and no other folder takes it.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # of its own in there
        folder = Path(name)
        tried = subprocess.run(
            _in_read_only_root(folder, ["true"]), capture_output=True, text=True, check=False
        )
        if tried.returncode:
            pytest.skip(f"this machine makes no such root: {tried.stderr.strip()}")
        yield ReadOnly(folder)


@contextmanager
def running(machine: Machine) -> Iterator[subprocess.Popen[str]]:
    with machine.start("run") as process:
        try:
            wait_until(lambda: process.poll() is not None or is_up(machine))
            yield process
        finally:
            process.terminate()


def test_a_webhook_is_taken_and_delivered_with_the_data_folder_alone(machine: ReadOnly) -> None:
    file = machine.folder / "data" / "ledger.db"
    with running(machine) as process:
        assert process.poll() is None
        assert send(machine, purchase(), SECRET) == 200
        database = Database(f"sqlite:///{file}")
        wait_until(lambda: _attempts(database) > 0)
        database.close()
        process.terminate()
        said, _ = process.communicate(timeout=60)
    assert "Showbridge is running" in said
    assert "Traceback" not in said


def test_commands_that_look_and_try_need_no_other_folder_either(machine: ReadOnly) -> None:
    with running(machine):
        for arguments in (
            ["check"],
            ["status"],
            ["send", "invoice.purchase"],
            ["rules", "test"],
            ["rules", "try", "invoice.purchase"],
        ):
            done = subprocess.run(
                machine.command(*arguments),
                env=machine.environ,
                cwd=machine.folder,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (arguments, done.stdout, done.stderr)


def test_a_data_folder_that_is_read_only_too_is_named(machine: ReadOnly) -> None:
    machine.environ["SHOWBRIDGE_DATA"] = str(machine.folder / "other")
    command = _in_read_only_root(machine.folder / "config", machine.command("run")[-4:])
    (machine.folder / "other").rmdir()
    done = subprocess.run(
        command,
        env=machine.environ,
        cwd=machine.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "other cannot be made: Read-only file system; set SHOWBRIDGE_DATA" in done.stderr


def test_a_folder_whose_path_is_too_long_for_a_socket_is_named(machine: ReadOnly) -> None:
    data = machine.folder / ("long-" * 30)
    machine.environ["SHOWBRIDGE_DATA"] = str(data)
    said = machine.refused("run")
    assert "is too long for a socket, and no folder for temporary files can be written" in said
    assert "set SHOWBRIDGE_DATA to a shorter path" in said


def test_what_does_not_start_is_told_with_where_the_reason_really_stands(tmp_path: Path) -> None:
    """Without a terminal there is no log file that could be named."""
    machine = Machine(tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "redis-server"
    shell = shutil.which("sh")
    program.write_text(
        f"#!{shell}\n[ $1 = --version ] && echo 'Redis server v=7.2.0' || echo 'no room' >&2\n"
    )
    program.chmod(0o755)
    with machine.start("run", PATH=f"{programs}:{machine.environ['PATH']}") as process:
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "not everything started in time; the reason stands above" in said
    assert "no room" in said
    assert "showbridge.log" not in said
    assert not (tmp_path / "data" / "showbridge.log").exists()


def _attempts(database: Database) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM attempts").scalar_one())
