"""What one refused request costs, by kind and size, beside receiving and hashing its bytes.

What is sent counts: of refused requests in a pipeline ours reads the first.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.servers import environ, plain, running
from tests.servers import free_port
from tests.web import hostile_bodies
from tests.web.genuine import NAMES, forged_headers, genuine
from tests.web.receivers import Process, Receiver, children
from tests.web.senders import percentile
from tests.web.wire import PATIENCE, chunks, connect, first_answer, request

SIZES = {"1 KB": 1_000, "64 KB": 64_000, "1 MB": 999_000}
# Each figure is of so much processor time or wall clock, whichever comes first.
CPU_SECONDS, WALL_SECONDS = 0.4, 4.0
AT_ONCE = 40
PIPELINED = 16
MOST_PIPELINED_BYTES = 4_000_000

Make = Callable[[str, int], bytes]


@dataclass(frozen=True)
class Kind:
    """`make` gives one request of a source and size; one go is so many in a row or at once.

    `beside` gives what is received and hashed for comparison, if not the same: as many bytes.
    """

    name: str
    make: Make
    beside: Make | None = None
    pipelined: int = 1
    at_once: int = 1
    slow: bool = False


@dataclass(frozen=True)
class Cost:
    """Of one request: seconds of the web processes, MB that all of them grew by meanwhile."""

    cpu: float
    memory: float


@dataclass(frozen=True)
class Row:
    source: str
    kind: str
    size: str
    ours: Cost
    bare: Cost
    beside: float
    """The slowest genuine webhook meanwhile, in seconds."""

    @property
    def ratio(self) -> float:
        return self.ours.cpu / self.bare.cpu if self.bare.cpu else float("inf")


def _forged(body: bytes, source: str, framing: str | None = None, **more: str) -> bytes:
    headers = {**forged_headers(source, time.time()), **more}
    return request(f"/hooks/{source}", body, headers, framing=framing)


def _of(kind: str) -> Make:
    return lambda source, size: _forged(hostile_bodies.BODIES[kind](size), source)


def _gzip(source: str, size: int) -> bytes:
    """Of this size when inflated; a few hundred bytes of it are sent."""
    return _forged(hostile_bodies.bomb(size), source, **{"Content-Encoding": "gzip"})


def _chunked(size_of_chunk: int) -> Make:
    def make(source: str, size: int) -> bytes:
        """Of this size as sent."""
        overhead = len(b"%x\r\n\r\n" % size_of_chunk)
        body = hostile_bodies.plain(max(500, size * size_of_chunk // (size_of_chunk + overhead)))
        head = _forged(b"", source, "Transfer-Encoding: chunked")
        return head + chunks(body, size_of_chunk)

    return make


def _wrong_path(_: str, size: int) -> bytes:
    return request("/hooks/nobody", hostile_bodies.plain(size))


def _get(source: str, size: int) -> bytes:
    headers = forged_headers(source, time.time())
    return request(f"/hooks/{source}", hostile_bodies.plain(size), headers, "GET")


KINDS: Sequence[Kind] = (
    *(Kind("plain JSON", _of("plain")), Kind("nested lists", _of("nested"))),
    *(Kind("bare lists", _of("bare lists")), Kind("long string", _of("long string"))),
    *(Kind("escapes", _of("escapes")), Kind("many keys", _of("many keys"))),
    *(Kind("many ids", _of("many ids")), Kind("gzip", _gzip)),
    # Beside as many bytes without chunks: what they cost elsewhere is no excuse.
    Kind("chunked", _chunked(8_192), _of("plain")),
    Kind("chunks of one byte", _chunked(1), _of("plain")),
    Kind("slow, many at once", _of("plain"), at_once=AT_ONCE, slow=True),
    Kind("pipelined", _of("plain"), pipelined=PIPELINED),
    Kind("many connections", _of("plain"), at_once=AT_ONCE),
    *(Kind("wrong path", _wrong_path), Kind("GET with a signature", _get)),
)


# Sending


def _go(port: int, kind: Kind, raw: bytes) -> int:
    """One go; how many requests were sent."""
    if kind.at_once > 1:
        return asyncio.run(_many(port, kind, raw))
    count = max(1, min(kind.pipelined, MOST_PIPELINED_BYTES // len(raw)))
    with connect(port) as connection, suppress(ConnectionError):
        threading.Thread(target=_push, args=(connection, raw * count), daemon=True).start()
        _answers(connection, count)
    return count


def _push(connection: socket.socket, data: bytes) -> None:
    """Beside reading, since who is refused early may not be listened to any more."""
    with suppress(OSError):
        connection.sendall(data)


def _answers(connection: socket.socket, count: int) -> int:
    received, heard = bytearray(), 0
    while heard < count:
        while (found := first_answer(received)) is None:
            part = connection.recv(65536)
            if not part:
                return max(1, heard)
            received += part
        heard += 1
        del received[: found[1]]
    return heard


async def _many(port: int, kind: Kind, raw: bytes) -> int:
    said = [_one(port, f"127.0.2.{1 + at}", kind, raw) for at in range(kind.at_once)]
    await asyncio.gather(*said)
    return kind.at_once


async def _one(port: int, address: str, kind: Kind, raw: bytes) -> None:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(address, 0)
            )
            pieces = 10 if kind.slow else 1
            step = -(-len(raw) // pieces)
            for at in range(0, len(raw), step):
                writer.write(raw[at : at + step])
                await asyncio.sleep(0.02 if kind.slow else 0)
            await reader.read(65536)
            writer.close()


# Measuring


@dataclass
class Measured:
    """A server whose processes are looked at."""

    port: int
    processes: Sequence[Process]

    def cpu(self) -> float:
        return sum(process.cpu_seconds() for process in self.processes)


def measure(receiver: Receiver, bare: Measured, sources: Sequence[str]) -> Iterator[Row]:
    ours = Measured(receiver.port, receiver.web_processes())
    for source in sources:
        for kind in KINDS:
            for size, length in SIZES.items():
                raw = kind.make(source, length)
                compared = kind.beside(source, length) if kind.beside else raw
                costs = _cost(ours, kind, raw), _cost(bare, kind, compared)
                yield Row(source, kind.name, size, *costs, _beside(ours.port, kind, raw))


def _cost(server: Measured, kind: Kind, raw: bytes) -> Cost:
    """The genuine webhooks that would disturb the count are sent in a run of their own."""
    rest = [process.resident() for process in server.processes]
    for process in server.processes:
        process.forget_peak()
    _go(server.port, kind, raw)
    before, end, done = server.cpu(), time.monotonic() + WALL_SECONDS, 0
    while server.cpu() - before < CPU_SECONDS and time.monotonic() < end:
        done += _go(server.port, kind, raw)
    spent = server.cpu() - before
    grown = [process.peak() - held for process, held in zip(server.processes, rest, strict=True)]
    return Cost(spent / done, max(0.0, *grown))


def _beside(port: int, kind: Kind, raw: bytes, seconds: float = 1.0) -> float:
    """How long the slowest of some genuine webhooks took while these were sent, one by one."""
    probe = _Probe(port)
    with probe.running():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _go(port, kind, raw)
    return percentile(probe.latencies, 1.0) if probe.latencies else float("nan")


@dataclass
class _Probe:
    """A genuine webhook every 20 ms, as long as it runs."""

    port: int
    latencies: list[float] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._send, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _send(self, ended: threading.Event) -> None:
        random = Random(os.urandom(8))
        while not ended.wait(0.02):
            raw = genuine(random, random.choice(NAMES), time.time).raw
            began = time.monotonic()
            with suppress(OSError), connect(self.port) as connection:
                connection.sendall(raw)
                _answers(connection, 1)
            self.latencies.append(time.monotonic() - began)


@contextmanager
def bare(folder: Path) -> Iterator[Measured]:
    """Gunicorn with as many workers and threads as ours, and an application that only hashes."""
    port = free_port()
    command = [*plain("benchmarks.hashing", port), "--limit-request-line", "2048"]
    url = f"http://127.0.0.1:{port}/"
    with running(command, environ(folder, port), url, folder / "bare.log") as process:
        yield Measured(port, children(process.pid))


# Telling


def table(rows: Sequence[Row]) -> Iterator[str]:
    """In Markdown: a line for each source and kind, a column for each size."""
    yield f"| source | request | {' | '.join(SIZES)} | memory, MB | slowest genuine, ms |"
    yield f"|---|---|{'--:|' * (len(SIZES) + 2)}"
    for source in dict.fromkeys(row.source for row in rows):
        for kind in KINDS:
            alike = [row for row in rows if (row.source, row.kind) == (source, kind.name)]
            cells = [f"{row.ours.cpu * 1e3:.2f} ({row.ratio:.1f})" for row in alike]
            grown = max(row.ours.memory for row in alike)
            slowest = max(row.beside for row in alike) * 1e3
            yield f"| {source} | {kind.name} | {' | '.join(cells)} | {grown:.0f} | {slowest:.0f} |"


def worst(rows: Sequence[Row]) -> Mapping[str, Row]:
    """The dearest by source, by their ratio."""
    return {
        source: max((row for row in rows if row.source == source), key=lambda row: row.ratio)
        for source in {row.source for row in rows}
    }
