"""A load of prepared HTTP requests over kept-alive connections, each answer timed.

Raw sockets and prepared bytes, so that the client costs little of the machine
that it measures.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Result:
    """Seconds of wall clock, of each answer, and how many answers had which status."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass
class _Connection:
    socket: socket.socket
    due: float = 0.0
    received: bytes = b""


def run(
    port: int, requests: Sequence[bytes], connections: int, rate: float | None = None
) -> Result:
    """Send all requests, each connection its next one as soon as it has its answer.

    Or so many a second: then each has its time, and the wait for a connection that is free
    counts as its answer's, as it would for a sender.
    """
    load = _Load(requests, rate)
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            load.free.append(_open(selector, port))
        load.began = time.perf_counter()
        while load.is_under_way:
            load.send()
            for key, _ in selector.select(load.pause):
                load.take(key.data)
        load.result.seconds = time.perf_counter() - load.began
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return load.result


def _open(selector: selectors.BaseSelector, port: int) -> _Connection:
    connection = _Connection(socket.create_connection(("127.0.0.1", port)))
    connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection.socket, selectors.EVENT_READ, connection)
    return connection


class _Load:
    def __init__(self, requests: Sequence[bytes], rate: float | None) -> None:
        self.free: deque[_Connection] = deque()
        self.result = Result()
        self.began = 0.0
        self._requests = requests
        self._rate = rate
        self._sent = 0

    @property
    def is_under_way(self) -> bool:
        return len(self.result.latencies) < len(self._requests)

    @property
    def pause(self) -> float | None:
        """Until the next one is due, if a connection is free for it."""
        if self._rate is None or not self.free or self._sent == len(self._requests):
            return None
        return max(0.0, self._due - time.perf_counter())

    @property
    def _due(self) -> float:
        return self.began + self._sent / self._rate if self._rate else 0.0

    def send(self) -> None:
        """Whatever is due, as long as connections are free."""
        while self.free and self._sent < len(self._requests):
            now = time.perf_counter()
            if self._due > now:
                return
            connection = self.free.popleft()
            connection.received = b""
            connection.due = self._due or now
            connection.socket.sendall(self._requests[self._sent])
            self._sent += 1

    def take(self, connection: _Connection) -> None:
        part = connection.socket.recv(65536)
        if not part:
            raise ConnectionError("the server hung up")
        connection.received += part
        head, found, body = connection.received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self.result.latencies.append(time.perf_counter() - connection.due)
        self.result.statuses[int(head[9:12])] += 1
        self.free.append(connection)


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(b"content-length:") + 15
    return int(lowered[start:].partition(b"\r\n")[0])
