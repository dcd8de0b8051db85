"""Refused requests as fast as an uplink carries them: python -m benchmarks.uplink --port 8000

Prepared bytes over a few connections, so that sending costs little. At the
end one line of JSON says how much was sent and answered.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tests.web import hostile_bodies
from tests.web.genuine import NAMES, forged_headers
from tests.web.wire import connect, request

CONNECTIONS = 16
# As much of small requests goes at once, since who sends them one by one has no full uplink.
BATCH = 64_000
WAIT = 2.0


@dataclass
class Uplink:
    """So many bits a second, for all connections together."""

    megabits: float
    sent: int = 0
    answered: int = 0
    _free_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, size: int) -> None:
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + size * 8 / (self.megabits * 1e6)
            wait = self._free_at - now
        time.sleep(max(0.0, wait - 0.02))

    def count(self, sent: int, answered: int) -> None:
        with self._lock:
            self.sent += sent
            self.answered += answered


def flood(port: int, size: int, seconds: float, uplink: Uplink) -> None:
    end = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_send, args=(port, f"127.0.3.{1 + at}", at, size, end, uplink))
        for at in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _send(port: int, address: str, number: int, size: int, end: float, uplink: Uplink) -> None:
    source = NAMES[number % len(NAMES)]
    headers = forged_headers(source, time.time())
    one = request(f"/hooks/{source}", hostile_bodies.plain(size), headers)
    count = max(1, BATCH // len(one))
    while time.monotonic() < end:
        with suppress(OSError), connect(port, address, WAIT) as connection:
            while time.monotonic() < end and _batch(connection, one, count, uplink):
                pass


def _batch(connection: socket.socket, one: bytes, count: int, uplink: Uplink) -> bool:
    """Whether the receiver goes on with this connection."""
    uplink.wait_for(len(one) * count)
    connection.sendall(one * count)
    heard = 0
    while heard < count:
        part = connection.recv(65536)
        heard += part.count(b"HTTP/1.1 ")
        if not part:
            break
    uplink.count(len(one) * count, heard)
    return heard == count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--megabits", type=float, default=100.0)
    options = parser.parse_args()
    # Another machine would take no processor time from the receiver; this one takes little.
    os.nice(5)
    uplink = Uplink(options.megabits)
    print("begun", flush=True)
    began = time.monotonic()
    flood(options.port, options.size, options.seconds, uplink)
    seconds = time.monotonic() - began
    told = {"bytes": uplink.sent, "answered": uplink.answered, "seconds": seconds}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
