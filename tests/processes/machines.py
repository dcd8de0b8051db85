"""Two machines of the bridge: data folders, processes and, where the tests may, networks apart.

As root with `ip netns`, each machine is a network namespace of its own, joined
to this one by a cable. Else all are processes of this machine. Either way they
reach PostgreSQL, Redis and the vendor over TCP alone.
"""

from __future__ import annotations

import hmac
import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from tests.processes.bridge import ROOT, SECRET
from tests.servers import START_SECONDS, free_port
from tests.web.conftest import purchase

BRIDGE_YAML = """
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
accounts:
  slack: {bot_token: {env: SLACK_BOT_TOKEN}, base_url: "%s"}
server: {host: 0.0.0.0, web_workers: 1, threads: 4}
delivery: {lease: 2 seconds, backoff: 1 second}
"""
RULES_YAML = """
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - slack.post_message: {channel: "{{ order.id }}", text: "{{ order.id }}"}
"""
PARTS: Mapping[str, Sequence[str]] = {
    "web": ["web"],
    "worker": ["worker", "--processes", "1"],
    "clock": ["clock"],
}


@dataclass(frozen=True)
class Place:
    """Where a machine is: `host` is how it reaches us, `address` how we reach it."""

    host: str
    address: str
    enter: Sequence[str]


@contextmanager
def places(count: int) -> Iterator[list[Place]]:
    if not _may_make_networks():
        yield [Place("127.0.0.1", "127.0.0.1", [])] * count
        return
    mark = f"{os.getpid() % 100_000}"
    made: list[str] = []
    try:
        yield [_network(f"sb{mark}-{number}", number, made) for number in range(count)]
    finally:
        for name in made:
            _ip("netns", "del", name)


def _may_make_networks() -> bool:
    name = f"sb{os.getpid()}-try"
    with suppress(OSError):
        if os.geteuid() == 0 and _ip("netns", "add", name, check=False):
            return _ip("netns", "del", name)
    return False


def _network(name: str, number: int, made: list[str]) -> Place:
    """A namespace with a cable to this one; the cable goes with it."""
    third = os.getpid() % 250
    host, address = f"10.2{number}.{third}.1", f"10.2{number}.{third}.2"
    _ip("netns", "add", name)
    made.append(name)
    _ip("link", "add", f"{name}h", "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("addr", "add", f"{host}/30", "dev", f"{name}h")
    _ip("link", "set", f"{name}h", "up")
    _ip("-n", name, "addr", "add", f"{address}/30", "dev", "eth0")
    _ip("-n", name, "link", "set", "eth0", "up")
    _ip("-n", name, "link", "set", "lo", "up")
    return Place(host, address, ["ip", "netns", "exec", name])


def _ip(*arguments: str, check: bool = True) -> bool:
    done = subprocess.run(["ip", *arguments], check=check, capture_output=True)
    return done.returncode == 0


@contextmanager
def relay(host: str, port: int) -> Iterator[int]:
    """A port at `host` behind which a port of our loopback answers."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as onward:
                back = threading.Thread(target=_pump, args=(onward, self.request), daemon=True)
                back.start()
                _pump(self.request, onward)
                back.join()

    with socketserver.ThreadingTCPServer((host, 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@dataclass
class Machine:
    """One machine's processes by the name of their part."""

    folder: Path
    place: Place
    environ: Mapping[str, str]
    vendor: str
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.log = self.folder / "log"
        (self.folder / "bridge.yaml").write_text(BRIDGE_YAML % self.vendor)
        (self.folder / "rules.yaml").write_text(RULES_YAML)

    def start(self, *parts: str) -> None:
        for part in parts:
            with self.log.open("ab") as log:
                self.processes[part] = subprocess.Popen(
                    [*self.place.enter, sys.executable, "-m", "bridge", *PARTS[part]],
                    env=self._environ(),
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def stop(self, *parts: str) -> list[int]:
        """As `systemctl stop` does; the statuses."""
        stopping = [self.processes.pop(part) for part in parts]
        for process in stopping:
            process.terminate()
        return [process.wait(START_SECONDS) for process in stopping]

    def kill(self, part: str) -> None:
        process = self.processes.pop(part)
        process.kill()
        process.wait()

    def stop_all(self) -> None:
        self.stop(*self.processes)

    def is_up(self) -> bool:
        return self._request("GET", "/healthz") == 200

    def said(self, words: str) -> int:
        """How often its log says so."""
        return self.log.read_text().count(words)

    def send(self, transaction: str) -> int:
        """A signed purchase, the same each time; the status, 0 where no answer came."""
        data = {"transaction_id": transaction, "customer_email": f"{transaction}@example.com"}
        body = purchase(id=transaction, webhook_event_uuid=f"uuid-{transaction}", data=data)
        signature = hmac.digest(SECRET.encode(), transaction.encode(), "sha1").hex()
        return self._request("POST", "/hooks/showpass", body, signature)

    def _request(self, method: str, path: str, body: bytes = b"", signature: str = "") -> int:
        url = f"http://{self.place.address}:{self.port}{path}"
        headers = {"X-SHOWPASS-SIGNATURE": signature}
        with urllib3.PoolManager(retries=False, timeout=5.0) as pool:
            try:
                return pool.request(method, url, body=body or None, headers=headers).status
            except urllib3.exceptions.HTTPError:
                return 0

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "SHOWBRIDGE_CONFIG": str(self.folder),
            "SHOWBRIDGE_DATA": str(self.folder / "data"),
            "SHOWPASS_SECRETS": SECRET,
            "SLACK_BOT_TOKEN": "xoxb-for-tests",
            "PORT": str(self.port),
            **self.environ,
        }
