"""Real servers for the tests: each test process has a Redis and a PostgreSQL of its own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from bridge.cli.embedded_redis import socket_path
from tests.programs import POSTGRESQL, REDIS

# Not how long it takes, but when to give up: a loaded machine takes its time.
START_SECONDS = 120.0
SERVER_PORTS = range(10_000, 32_000)


@contextmanager
def running_redis(folder: Path, password: str = "") -> Iterator[str]:
    """The URL of a Redis on a Unix socket in `folder`, or elsewhere if its path is too long;
    with the password that it asks for, if it asks for one.
    """
    path = socket_path(folder)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    command = [
        str(REDIS.program()),
        "--port",
        "0",
        "--unixsocket",
        str(path),
        "--save",
        "",
        "--dir",
        str(folder),
        *(["--requirepass", password] if password else []),
    ]
    with _process(command):
        url = f"unix://:{password}@{path}" if password else f"unix://{path}"
        wait_until(lambda: _pings(url))
        yield url
    if path.parent != folder.resolve():
        path.parent.rmdir()


@contextmanager
def running_postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL cluster's `postgres` database; everybody on loopback may enter."""
    server = PostgreSQL()
    server.start()
    try:
        yield server.url
    finally:
        server.remove()


class PostgreSQL:
    """A cluster in a folder of its own, on a free port, that can be stopped and started again."""

    def __init__(self) -> None:
        self._user = _unprivileged() if os.geteuid() == 0 else None
        self.port = free_port()
        # Not in pytest's folders, which are closed to the user that the server runs as.
        self._folder = Path(tempfile.mkdtemp(prefix="showbridge-postgresql-"))
        self._data = self._folder / "data"
        if self._user:
            shutil.chown(self._folder, self._user)
        self._binaries = self._reachable(POSTGRESQL.program().parent)
        options = ["-A", "trust", "-U", "postgres", "--no-sync"]
        # Whatever the machine's locale is, and also if it names one that is not installed.
        options += ["--encoding", "UTF8", "--locale", "C"]
        self._run("initdb", "-D", str(self._data), *options)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        log = self._folder / "log"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(log), "-o", options, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop")

    def remove(self) -> None:
        """Stop it, if it runs, and leave nothing behind."""
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self._folder)

    def make_database(self, name: str) -> str:
        """Its URL."""
        with psycopg.connect(self._plain(self.url), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url.rpartition("/")[0] + f"/{name}"

    def make_user(self, name: str, password: str) -> str:
        """One who has to give a password, unlike all others; the URL."""
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"host all {name} all scram-sha-256\n{rules.read_text()}")
        with psycopg.connect(self._plain(self.url), autocommit=True) as connection:
            connection.execute(f"CREATE USER {name} PASSWORD '{password}'".encode())
            connection.execute("SELECT pg_reload_conf()")
        return self.url.replace("postgres@", f"{name}:{password}@")

    @staticmethod
    def _plain(url: str) -> str:
        return url.replace("+psycopg", "")

    def _reachable(self, binaries: Path) -> Path:
        """Of a wheel in a folder of root's, a copy that the server's user can run."""
        if self._user is None or self._may_run(binaries / "initdb"):
            return binaries
        package = binaries.parents[1]
        copy = self._folder / "program" / package.name
        shutil.copytree(binaries.parent, copy / binaries.parent.name)
        # The libraries of a wheel lie beside its package, and its programs look for them there.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy.with_name(libraries.name))
        return copy / binaries.relative_to(package)

    def _may_run(self, program: Path) -> bool:
        try:
            command = [str(program), "--version"]
            subprocess.run(command, user=self._user, cwd="/", capture_output=True, check=True)
        except PermissionError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(
            command,
            user=self._user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"


def _unprivileged() -> str:
    """PostgreSQL refuses to run as root."""
    names = [user.pw_name for user in pwd.getpwall()]
    return "postgres" if "postgres" in names else "nobody"


def free_port() -> int:
    """Below those that connections get that go out: one of them could take it meanwhile."""
    while True:
        port = secrets.choice(SERVER_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def stop(process: int) -> None:
    """Stop it with all its threads: they go on until one of them has found time for the signal."""
    os.kill(process, signal.SIGSTOP)
    wait_until(
        lambda: all(_state(thread) == "T" for thread in Path(f"/proc/{process}/task").iterdir())
    )


def _state(thread: Path) -> str:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]


def wait_until(condition: object, seconds: float = START_SECONDS) -> None:
    """Until `condition()` is true; fails after `seconds`."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def _process(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def _pings(url: str) -> bool:
    try:
        with Redis.from_url(url) as redis:
            return bool(redis.ping())
    except (RedisError, OSError):
        return False
