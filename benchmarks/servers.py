"""The servers that benchmarks compare, each as an operator would start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import urllib3
from redis import Redis
from redis.exceptions import RedisError

from bridge.settings import ServerConfig
from tests.programs import REDIS
from tests.servers import wait_until

ROOT = Path(__file__).parent.parent
SECRET = "benchmark"
QUEUE = "webhooks"


def environ(data: Path, port: int, **more: str) -> dict[str, str]:
    """Ours, with nothing of the operator's own set-up."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "SHOWBRIDGE_DATA": str(data),
        "SHOWBRIDGE_CONFIG": str(ROOT / "config"),
        "SHOWPASS_SECRETS": SECRET,
        "SHOWPAD_SECRETS": SECRET,
        "PORT": str(port),
        **more,
    }


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], url: str, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers at `url`; ended with the block."""
    with (
        log.open("ab") as output,
        subprocess.Popen(
            command, env=dict(environment), cwd=ROOT, stdout=output, stderr=output
        ) as process,
    ):
        try:
            _wait(url, process)
            yield process
        finally:
            process.terminate()


def showbridge(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bridge", *arguments]


def plain(module: str, port: int) -> list[str]:
    """A Flask app of `benchmarks` behind gunicorn, with as many workers and threads as ours."""
    ours = ServerConfig()
    return [
        *(sys.executable, "-m", "gunicorn", f"{module}:app", "--worker-class", "gthread"),
        *("--workers", str(ours.web_workers), "--threads", str(ours.threads), "--keep-alive", "15"),
        *("--bind", f"127.0.0.1:{port}", "--log-level", "warning", "--no-control-socket"),
    ]


class SnapshotRedis:
    """A Redis as it comes: now and then it writes all that it holds into a file in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._path = folder / "redis.sock"
        self.url = f"unix://{self._path}"
        self._process = self._start()

    def restart(self) -> None:
        self._process = self._start()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [
            *(str(REDIS.program()), "--port", "0", "--unixsocket", str(self._path)),
            *("--save", "3600 1 300 100 60 10000", "--dir", str(self._folder)),
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with Redis.from_url(self.url) as client:
            wait_until(lambda: _pings(client))
        return process


def _pings(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """The process and all its descendants at once, as a power cut would."""
    for number in descendants(process.pid):
        os.kill(number, signal.SIGKILL)
    process.wait()


def descendants(number: int) -> Iterator[int]:
    """The process itself too; Linux only."""
    yield number
    for child in Path(f"/proc/{number}/task/{number}/children").read_text().split():
        yield from descendants(int(child))


def _wait(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended at its start")
        try:
            urllib3.request("GET", url, retries=False, timeout=1.0)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing answers at {url}")
