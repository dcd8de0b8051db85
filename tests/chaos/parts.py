"""The processes of a whole installation, started, killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from bridge.cli.embedded_redis import socket_path
from tests.programs import REDIS
from tests.servers import PostgreSQL

ROOT = Path(__file__).parent.parent.parent
PAUSE = 0.4
"""Seconds before what ended by itself is started again."""


@dataclass
class Part:
    """One process. `said` is what it writes when it is ready; `user` whom it runs as."""

    name: str
    command: Sequence[str]
    log: Path
    environ: Mapping[str, str] | None = None
    said: str = ""
    user: str | None = None
    of_bridge: bool = True
    before_start: Callable[[], None] = lambda: None
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    log_from: int = 0

    def start(self) -> None:
        self.before_start()
        with self.log.open("ab") as log:
            self.log_from = log.tell()
            self.process = subprocess.Popen(
                self.command,
                env=None if self.environ is None else dict(self.environ),
                cwd="/" if self.user else ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                start_new_session=True,
            )

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def is_ready(self) -> bool:
        return self.is_alive and (not self.said or self.said in self._log())

    def _log(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self.log_from)
            return log.read().decode(errors="replace")

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-500:]

    def kill(self, back_at: float) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process, self.start_at = None, back_at

    def children(self) -> list[int]:
        if not self.is_alive or self.process is None:
            return []
        try:
            pid = self.process.pid
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        except OSError:
            return []
        return [int(number) for number in text.split()]

    def end(self) -> None:
        """It and its children; those of one that was killed before end by themselves."""
        if self.process is None:
            return
        if self.is_alive:
            # Of one that has ended the number may be somebody else's by now.
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class House:
    """All parts. `tend` is called again and again and starts what should be running.

    `journal` tells afterwards when each was started, killed, or ended by itself.
    """

    def __init__(self, parts: Sequence[Part], journal: Path) -> None:
        self.parts = {part.name: part for part in parts}
        self.ended: Counter[str] = Counter()
        self._journal = journal

    def note(self, what: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._journal.open("a") as journal:
            journal.write(f"{at} {what}\n")

    def tend(self) -> None:
        now = time.monotonic()
        for part in self.parts.values():
            if part.process is not None and part.process.poll() is not None:
                self.ended[f"{part.name} (status {part.process.returncode})"] += 1
                self.note(f"{part.name} ended by itself, status {part.process.returncode}")
                part.process, part.start_at = None, now + PAUSE
            if part.process is None and now >= part.start_at:
                self.note(f"{part.name} is started")
                part.start()

    def is_ready(self) -> bool:
        return all(part.is_ready for part in self.parts.values())

    def last_words(self) -> str:
        """Of those that are not ready."""
        silent = [part for part in self.parts.values() if not part.is_ready]
        return "\n".join(f"{part.name}: {part.last_words()}" for part in silent)

    def of_bridge(self) -> list[Part]:
        return [part for part in self.parts.values() if part.of_bridge]

    def end(self) -> None:
        for part in self.parts.values():
            part.end()


_WORKER = (["worker", "--processes", "1"], "the worker waits for turns")


def bridge_parts(
    environ: Mapping[str, str], folder: Path, workers: int, without: str | None
) -> list[Part]:
    """A web server, workers and two clocks."""
    one = [
        sys.executable,
        "-m",
        "tests.chaos.sabotage",
        *(["--without", without] if without else []),
    ]
    wanted = (
        ("web", ["web"], ""),
        *((f"worker {number}", *_WORKER) for number in range(1, workers + 1)),
        ("clock 1", ["clock"], "the clock runs"),
        ("clock 2", ["clock"], "the clock runs"),
    )
    return [
        Part(name, [*one, *arguments], folder / f"{name.replace(' ', '-')}.log", environ, said)
        for name, arguments, said in wanted
    ]


class OwnRedis:
    """A Redis that keeps most of what it holds over a kill, unless it is wiped."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._wipe = False
        self.socket = socket_path(folder)
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        self.url = f"unix://{self.socket}"

    def part(self, log: Path) -> Part:
        command = [
            str(REDIS.program()),
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--save",
            "",
        ]
        command += ["--appendonly", "yes", "--dir", str(self._folder)]
        said = "to accept connections"
        return Part(
            "redis", command, log, said=said, of_bridge=False, before_start=self._before_start
        )

    def wipe_at_start(self) -> None:
        self._wipe = True

    def flush(self) -> bool:
        """False where it is away."""
        try:
            with Redis.from_url(self.url, socket_timeout=1.0) as redis:
                return bool(redis.flushall())
        except (RedisError, OSError):
            return False

    def _before_start(self) -> None:
        if self._wipe:
            shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)
        self._wipe = False


class OwnPostgreSQL(PostgreSQL):
    """A cluster whose postmaster is a part like any other."""

    def part(self, log: Path) -> Part:
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        said = "to accept connections"
        return Part("database", command, log, said=said, user=self._user, of_bridge=False)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
