"""`showbridge web` with both sources and a ledger of its own, and what its processes cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bridge.ledger.database import Database
from bridge.ledger.tables import webhooks
from tests.servers import START_SECONDS, free_port, wait_until
from tests.web import wire
from tests.web.genuine import SECRETS

ROOT = Path(__file__).parent.parent.parent
MAX_BODY = 1_000_000
WORKERS = 2
# From here `listed` takes webhooks; no test can send from there.
LISTED = "34.83.8.110"
_TICKS = os.sysconf("SC_CLK_TCK")

BRIDGE_YAML = """
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}, max_body: %(max_body)d}
  showpad: {secrets: {env: SHOWPAD_SECRETS}, max_body: %(max_body)d}
  listed: {kind: showpass, secrets: {env: SHOWPASS_SECRETS}, allow_from: [%(listed)s]}
accounts: {}
server: {web_workers: %(workers)d, %(server)s}
"""


@dataclass(frozen=True)
class Process:
    """One process, by what the kernel says of it."""

    number: int

    def cpu_seconds(self) -> float:
        """In user and system mode, since it began; in steps of a tick."""
        fields = Path(f"/proc/{self.number}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident(self) -> float:
        """MB in memory now."""
        return self._megabytes("status", "VmRSS")

    def peak(self) -> float:
        """The most MB that were in memory since the last `forget_peak`."""
        return self._megabytes("status", "VmHWM")

    def proportional(self) -> float:
        """MB, of which pages that others share count for their share."""
        return self._megabytes("smaps_rollup", "Pss")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.number}/clear_refs").write_text("5")

    def _megabytes(self, file: str, name: str) -> float:
        for line in Path(f"/proc/{self.number}/{file}").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        return 0.0


@dataclass
class Receiver:
    """A running one; `web_processes` are those that answer, without the one that watches them."""

    port: int
    process: subprocess.Popen[bytes]
    database: Database
    log: Path
    environ: Mapping[str, str]

    def web_processes(self) -> Sequence[Process]:
        return children(self.process.pid)

    def kept(self) -> Counter[tuple[str, bytes]]:
        """What the ledger holds, by source and body."""
        with self.database.read() as connection:
            rows = connection.execute(select(webhooks.c.source, webhooks.c.body))
            return Counter((source, body) for source, body in rows)

    def count(self, source: str, body: bytes) -> int:
        """How often the ledger holds it."""
        wanted = (webhooks.c.source == source, webhooks.c.body == body)
        with self.database.read() as connection:
            query = select(func.count()).select_from(webhooks).where(*wanted)
            return int(connection.execute(query).scalar_one())

    def errors(self) -> Sequence[str]:
        """Log lines that nothing a stranger does may cause."""
        return [line for line in self.log.read_text("utf-8", "replace").splitlines() if _bad(line)]

    def verify(self) -> subprocess.CompletedProcess[str]:
        """`showbridge verify` of its ledger."""
        command = [sys.executable, "-m", "bridge", "verify"]
        return subprocess.run(
            command, env=self.environ, cwd=ROOT, capture_output=True, text=True, check=False
        )


def children(number: int) -> Sequence[Process]:
    found = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    return [Process(int(child)) for child in sorted(found, key=int)]


def _bad(line: str) -> bool:
    told: Any = None
    with suppress(ValueError):
        told = json.loads(line)
    level = told.get("level") if isinstance(told, dict) else None
    return level in ("ERROR", "CRITICAL") or "Traceback" in line


@contextmanager
def running(
    folder: Path, redis_url: str, database_url: str, server: str = ""
) -> Iterator[Receiver]:
    """`server` is what stands in `bridge.yaml` under it."""
    settings = {"max_body": MAX_BODY, "listed": LISTED, "workers": WORKERS, "server": server}
    (folder / "bridge.yaml").write_text(BRIDGE_YAML % settings)
    port, log = free_port(), folder / "log"
    environ = {
        "PATH": os.environ["PATH"],
        "SHOWBRIDGE_CONFIG": str(folder),
        "SHOWBRIDGE_DATA": str(folder / "data"),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PORT": str(port),
        **{f"{name.upper()}_SECRETS": secret for name, secret in SECRETS.items()},
    }
    command = [sys.executable, "-m", "bridge", "web"]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environ, cwd=ROOT, stdout=output, stderr=output) as process,
    ):
        found = Receiver(port, process, Database(database_url), log, environ)
        try:
            wait_until(lambda: _is_up(found) and len(found.web_processes()) == WORKERS)
            yield found
        finally:
            process.terminate()
            process.wait(START_SECONDS)
            found.database.close()


def _is_up(receiver: Receiver) -> bool:
    assert receiver.process.poll() is None, receiver.log.read_text()
    with suppress(OSError):
        answered = wire.ask(receiver.port, wire.request("/healthz", method="GET", framing=""))
        return [one.status for one in answered] == [200]
    return False
