"""The bridge as an operator runs it: real processes that can be killed, and a Slack."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import urllib3

from bridge.ledger.database import Database
from bridge.ledger.look_up import totals
from bridge.testing.vendor import Answer, Reply, Request, VendorServer
from tests.servers import START_SECONDS, free_port, stop, wait_until
from tests.web.conftest import purchase

ROOT = Path(__file__).parent.parent.parent
SECRET = "a-secret-for-tests"

BRIDGE_YAML = """
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
accounts:
  slack: {bot_token: {env: SLACK_BOT_TOKEN}, base_url: "%s"}
delivery: {workers: 2, lease: 2 seconds, backoff: 1 second}
"""
RULES_YAML = """
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - slack.post_message: {channel: "C0123456789", text: "{{ order.id }}"}
"""


class Slack:
    """Slack's messages and history, as far as the bridge uses them."""

    def __init__(self) -> None:
        self.posted: list[Mapping[str, Any]] = []
        self.refuse = ""
        self.answering = threading.Event()
        self.answering.set()
        self.server = VendorServer(handler=self._answer)

    @property
    def texts(self) -> Counter[str]:
        return Counter(message["text"] for message in self.posted)

    def _answer(self, request: Request) -> Reply:
        if request.path == "/api/conversations.history":
            found = [{**message, "ts": "1.1"} for message in self.posted]
            return Answer(200, {"ok": True, "messages": found, "has_more": False})
        if self.refuse:
            return Answer(200, {"ok": False, "error": self.refuse})
        self.posted.append(request.body)
        # The message is in the channel; the answer may come later, or never.
        self.answering.wait(20)
        return Answer(200, {"ok": True, "ts": f"{len(self.posted)}.1", "channel": "C0123456789"})


class Bridge:
    """Processes by name: web, worker, clock; `worker 2` is another worker."""

    def __init__(
        self, folder: Path, database_url: str, redis_url: str, slack: Slack, settings: str = ""
    ) -> None:
        """`settings` is more of bridge.yaml, such as whom to tell of alerts."""
        self.slack = slack
        self.port = free_port()
        self.database = Database(database_url)
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.begun: Counter[str] = Counter()
        self.log = folder / "log"
        (folder / "bridge.yaml").write_text(BRIDGE_YAML % slack.server.url + settings)
        (folder / "rules.yaml").write_text(RULES_YAML)
        self.environ = {
            "PATH": os.environ["PATH"],
            "SHOWBRIDGE_CONFIG": str(folder),
            "SHOWBRIDGE_DATA": str(folder / "data"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PORT": str(self.port),
            "SHOWPASS_SECRETS": SECRET,
            "SLACK_BOT_TOKEN": "xoxb-for-tests",
        }

    def start(self, *names: str) -> None:
        for name in names:
            part = name.partition(" ")[0]
            more = ["--processes", "1"] if part == "worker" else []
            with self.log.open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, "-m", "bridge", part, *more],
                    env=self.environ,
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                )
        if "web" in names:
            wait_until(self.is_up)
        for name in names:
            self._wait_until_said(name.partition(" ")[0])

    def _wait_until_said(self, name: str) -> None:
        """Workers and clocks say in the log when they have begun."""
        said = {"worker": "the worker waits for turns", "clock": "the clock runs"}.get(name)
        if said is not None:
            self.begun[name] += 1
            wait_until(lambda: self.log.read_text().count(said) >= self.begun[name])

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """It is there meanwhile and does nothing; it goes on afterwards."""
        process = self.processes[name].pid
        # Not while it writes: everybody would wait for it then.
        with self.database.write():
            stop(process)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    def stop(self) -> None:
        self.stop_parts()
        self.database.close()

    def stop_parts(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(START_SECONDS)
        self.processes.clear()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bridge", *arguments]
        return subprocess.run(
            command, env=self.environ, cwd=ROOT, capture_output=True, text=True, check=False
        )

    def move_to(self, disk: Path) -> None:
        """Ledger and log go there; before anything is started."""
        self.database.close()
        url = f"sqlite:///{disk / 'ledger.db'}"
        self.database = Database(url)
        self.log = disk / "log"
        self.environ |= {"DATABASE_URL": url, "SHOWBRIDGE_DATA": str(disk)}

    def is_up(self) -> bool:
        try:
            return self._request("GET", "/healthz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def ready(self) -> Any:
        return self._request("GET", "/readyz").json()

    def send(self, transaction: str | None = None) -> int:
        """A new signed purchase; the status of the answer, 0 where none came."""
        name = transaction or f"t-{uuid4().hex}"
        data = {"transaction_id": name, "customer_email": f"{name}@example.com"}
        body = purchase(id=name, webhook_event_uuid=str(uuid4()), data=data)
        try:
            return self._request("POST", "/hooks/showpass", body, self._sign(name)).status
        except urllib3.exceptions.HTTPError:
            return 0

    def deliveries(self) -> Mapping[str, int]:
        with self.database.read() as connection:
            return totals(connection).deliveries

    def webhooks(self) -> int:
        with self.database.read() as connection:
            return sum(totals(connection).webhooks.values())

    def has_delivered(self, count: int) -> bool:
        return self.deliveries() == {"delivered": count}

    def _sign(self, name: str) -> Mapping[str, str]:
        import hmac

        signature = hmac.digest(SECRET.encode(), name.encode(), "sha1").hex()
        return {"X-SHOWPASS-SIGNATURE": signature}

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib3.PoolManager(retries=False, timeout=10.0) as pool:
            return pool.request(method, url, body=body, headers=dict(headers or {}))
