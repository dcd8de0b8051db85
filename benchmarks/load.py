"""A load of prepared HTTP requests over kept-alive connections, each answer timed.

Raw sockets and prepared bytes, so that the client costs little of the machine
that it measures.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
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
    sent_at: float = 0.0
    received: bytes = b""


def run(port: int, requests: Sequence[bytes], connections: int) -> Result:
    """Send all requests, each connection its next one as soon as it has its answer."""
    result = Result()
    waiting = iter(requests)
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        for _ in range(connections):
            _open(selector, port, waiting)
        while selector.get_map():
            for key, _ in selector.select():
                _take(selector, key.data, waiting, result)
        result.seconds = time.perf_counter() - began
    return result


def _open(selector: selectors.BaseSelector, port: int, waiting: Iterator[bytes]) -> None:
    connection = _Connection(socket.create_connection(("127.0.0.1", port)))
    connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection.socket, selectors.EVENT_READ, connection)
    _send_next(selector, connection, waiting)


def _send_next(
    selector: selectors.BaseSelector, connection: _Connection, waiting: Iterator[bytes]
) -> None:
    request = next(waiting, None)
    if request is None:
        selector.unregister(connection.socket)
        connection.socket.close()
        return
    connection.received = b""
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(request)


def _take(
    selector: selectors.BaseSelector,
    connection: _Connection,
    waiting: Iterator[bytes],
    result: Result,
) -> None:
    part = connection.socket.recv(65536)
    if not part:
        raise ConnectionError("the server hung up")
    connection.received += part
    head, found, body = connection.received.partition(b"\r\n\r\n")
    if not found or len(body) < _length(head):
        return
    result.latencies.append(time.perf_counter() - connection.sent_at)
    result.statuses[int(head[9:12])] += 1
    _send_next(selector, connection, waiting)


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(b"content-length:") + 15
    return int(lowered[start:].partition(b"\r\n")[0])
