"""The servers that benchmarks compare, each as an operator would start it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import urllib3

ROOT = Path(__file__).parent.parent
WORKERS, THREADS = 2, 32
SECRET = "benchmark"


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


def bare(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "benchmarks.bare:app", "--worker-class", "gthread"),
        *("--workers", str(WORKERS), "--threads", str(THREADS), "--keep-alive", "15"),
        *("--bind", f"127.0.0.1:{port}", "--log-level", "warning", "--no-control-socket"),
    ]


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
