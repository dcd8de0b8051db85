"""Many hostile connections at once: python -m tests.web.attack --port 8000 --seconds 10

Each connection has an address of its own on loopback and does one kind of
harm again and again. All share one budget of bytes, an uplink, so that the
figures do not tell how fast loopback is. It says `begun` when it has, and at
the end in a line of JSON what was sent and answered. No attacker has a secret.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.web import hostile_bodies
from tests.web.genuine import NAMES, forged_headers
from tests.web.receivers import MAX_BODY
from tests.web.wire import all_answers, chunks, request

# Between two of the same connection, so that no kind takes all the attacker's processor time.
PAUSE = 0.02
# How long an attacker waits for an answer, or is willing to be kept.
WAIT = 12.0
PIECE = 16_384
SMALL, LARGE = 60_000, MAX_BODY - 1_000


@dataclass
class Budget:
    """An uplink of so many bytes a second, shared by all."""

    rate: float
    sent: int = 0
    _free_at: float = 0.0

    async def take(self, size: int) -> None:
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + size / self.rate
        self.sent += size
        await asyncio.sleep(max(0.0, self._free_at - now - 0.05))


@dataclass
class Attacker:
    """One connection at a time, from one address."""

    port: int
    address: str
    budget: Budget
    random: Random
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def source(self) -> str:
        return self.random.choice(NAMES)

    async def open(self, **limits: int) -> Connection:
        local = (self.address, 0)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=local, **limits
        )
        return Connection(self, reader, writer)

    def forged(self, body: bytes, **more: str) -> bytes:
        """Of the right form, signed by nobody."""
        source = self.source
        return request(f"/hooks/{source}", body, {**forged_headers(source, time.time()), **more})


@dataclass
class Connection:
    attacker: Attacker
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """In pieces, so that large requests leave the uplink to others in between."""
        for at in range(0, len(data), PIECE):
            piece = data[at : at + PIECE]
            await self.attacker.budget.take(len(piece))
            self.writer.write(piece)
            await self.writer.drain()

    async def hear(self, count: int = 1) -> None:
        """Until so many answers have come, or the receiver hangs up, or patience ends."""
        received = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT):
                while part := await self.reader.read(65536):
                    received += part
                    if received.count(b"HTTP/1.1 ") >= count and received.endswith(b"\n"):
                        break
        self.attacker.statuses.update(str(one.status) for one in all_answers(received))

    async def is_over(self, seconds: float) -> bool:
        """Whether the receiver says something or hangs up within so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.reader.read(65536)
        except TimeoutError:
            return False
        return True

    def close(self, *, rudely: bool = False) -> None:
        if rudely:
            self.writer.transport.abort()
        else:
            self.writer.close()


Harm = Callable[[Attacker, Connection], Awaitable[None]]


def _body(size: int, *kinds: str) -> Harm:
    async def harm(attacker: Attacker, connection: Connection) -> None:
        for _ in range(4):
            body = hostile_bodies.BODIES[attacker.random.choice(kinds)](size)
            await connection.send(attacker.forged(body))
            await connection.hear()

    return harm


async def _bombs(attacker: Attacker, connection: Connection) -> None:
    bomb = hostile_bodies.bomb(attacker.random.choice((LARGE, 4_900_000)))
    await connection.send(attacker.forged(bomb, **{"Content-Encoding": "gzip"}))
    await connection.hear()


async def _signatures(attacker: Attacker, connection: Connection) -> None:
    """As many digests as fit into headers, in one line and in many."""
    digest = "A" * 43 + "="
    name = "x-showpad-signature-v1"
    stamp = {"x-showpad-signature-timestamp": str(int(time.time()))}
    line = ",".join([digest] * 170)
    many = "\r\n".join([f"{name}: {digest}"] * 90)
    for value in (line, f"{digest}\r\n{many}"):
        body = hostile_bodies.plain(SMALL)
        await connection.send(request("/hooks/showpad", body, {**stamp, name: value}))
        await connection.hear()


async def _slow_body(attacker: Attacker, connection: Connection) -> None:
    whole = attacker.forged(hostile_bodies.plain(1_000))
    at = whole.index(b"\r\n\r\n") + 4
    await connection.send(whole[:at])
    while at < len(whole):
        await connection.send(whole[at : at + 1])
        at += 1
        if await connection.is_over(0.5):
            return


async def _half(attacker: Attacker, connection: Connection) -> None:
    whole = attacker.forged(hostile_bodies.plain(attacker.random.choice((2_000, SMALL, LARGE))))
    await connection.send(whole[: len(whole) // 2])
    await connection.is_over(WAIT)


async def _endless_head(attacker: Attacker, connection: Connection) -> None:
    await connection.send(b"POST /hooks/showpass HTTP/1.1\r\n")
    pause = attacker.random.choice((0.0, 0.5))
    for number in range(2_000):
        await connection.send(b"X-Header-%d: %s\r\n" % (number, b"x" * 60))
        if await connection.is_over(pause or 0.001):
            return


async def _pipeline(attacker: Attacker, connection: Connection) -> None:
    one = attacker.forged(hostile_bodies.plain(1_000))
    await connection.send(one * 50)
    await connection.hear(50)


async def _tiny_chunks(attacker: Attacker, connection: Connection) -> None:
    framed = forged_headers("showpass", time.time())
    head = request("/hooks/showpass", b"", framed, framing="Transfer-Encoding: chunked")
    await connection.send(head + chunks(hostile_bodies.plain(10_000), 1))
    await connection.hear()


async def _chunk_extensions(attacker: Attacker, connection: Connection) -> None:
    framed = forged_headers("showpass", time.time())
    head = request("/hooks/showpass", b"", framed, framing="Transfer-Encoding: chunked")
    body = hostile_bodies.plain(1_000)
    await connection.send(head + chunks(body, 20, b";x=" + b"y" * 2_000))
    await connection.hear()


async def _probes(attacker: Attacker, connection: Connection) -> None:
    for path in ("/readyz", "/healthz", "/", "/hooks/nobody", "/" + "x" * 1_500, "/readyz"):
        await connection.send(request(path, method="GET", framing=""))
        await connection.hear()


async def _signed_gets(attacker: Attacker, connection: Connection) -> None:
    for _ in range(10):
        source = attacker.source
        path = f"/hooks/{source}?" + "x" * 1_000
        headers = forged_headers(source, time.time())
        await connection.send(request(path, b"", headers, "GET", framing=""))
        await connection.hear()


async def _old_http(attacker: Attacker, connection: Connection) -> None:
    old = attacker.forged(hostile_bodies.nested(SMALL)).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    await connection.send(old)
    await connection.hear()


async def _expectant(attacker: Attacker, connection: Connection) -> None:
    """Is told to go on, and does not."""
    whole = attacker.forged(hostile_bodies.plain(LARGE), Expect="100-continue")
    await connection.send(whole[: whole.index(b"\r\n\r\n") + 4])
    await connection.hear()
    await connection.is_over(WAIT)


async def _silent(attacker: Attacker, connection: Connection) -> None:
    await connection.is_over(WAIT)


async def _resets(attacker: Attacker, connection: Connection) -> None:
    if attacker.random.random() < 0.5:
        await connection.send(attacker.forged(b"{}")[:100])
    connection.close(rudely=True)


async def _deaf(attacker: Attacker, connection: Connection) -> None:
    """Sends and never reads, so that the answers stay with the receiver."""
    connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
    with suppress(TimeoutError):
        async with asyncio.timeout(WAIT):
            for _ in range(100):
                await connection.send(attacker.forged(b'{"id":"x"}') * 20)
            await asyncio.sleep(WAIT)


KINDS: Mapping[str, Harm] = {
    "bombs": _bombs,
    "nested": _body(SMALL, "nested", "bare lists", "too deep"),
    "nested, large": _body(LARGE, "nested", "bare lists", "too deep"),
    "strings": _body(SMALL, "long string", "escapes", "long key", "long number"),
    "strings, large": _body(LARGE, "long string", "escapes", "long key", "long number"),
    "keys": _body(SMALL, "many keys", "same key", "many ids", "id at the end"),
    "keys, large": _body(LARGE, "many keys", "same key", "many ids", "id at the end"),
    "others, large": _body(LARGE, "plain", "many numbers", "no JSON"),
    "too large": _body(MAX_BODY + 1_000, "nested"),
    "signatures": _signatures,
    "slow bodies": _slow_body,
    "halves": _half,
    "endless heads": _endless_head,
    "pipelines": _pipeline,
    "tiny chunks": _tiny_chunks,
    "chunk extensions": _chunk_extensions,
    "probes": _probes,
    "signed GETs": _signed_gets,
    "HTTP/1.0": _old_http,
    "expectant": _expectant,
    "silent": _silent,
    "resets": _resets,
    "deaf": _deaf,
}


@dataclass(frozen=True)
class Plan:
    port: int
    seconds: float
    connections: int = 200
    addresses: int = 200
    megabits: float = 100.0
    kinds: Sequence[str] = tuple(KINDS)
    seed: int = 1


async def attack(plan: Plan, begun: Callable[[], None]) -> Mapping[str, Any]:
    """What was sent, what was answered, and how often each kind was done.

    `begun` is called when all have tried to connect.
    """
    budget = Budget(plan.megabits * 1e6 / 8)
    end = time.monotonic() + plan.seconds
    done: Counter[str] = Counter()
    attackers = [
        Attacker(plan.port, _address(number % plan.addresses), budget, Random(plan.seed + number))
        for number in range(plan.connections)
    ]
    under_way = [
        asyncio.create_task(_go_on(one, plan.kinds[number % len(plan.kinds)], end, done))
        for number, one in enumerate(attackers)
    ]
    await asyncio.sleep(PAUSE)
    begun()
    await asyncio.wait(under_way, timeout=plan.seconds)
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    statuses = sum((one.statuses for one in attackers), Counter[str]())
    return {"bytes": budget.sent, "done": done, "statuses": statuses}


async def _go_on(attacker: Attacker, kind: str, end: float, done: Counter[str]) -> None:
    while time.monotonic() < end:
        with suppress(OSError):
            connection = await attacker.open()
            try:
                await KINDS[kind](attacker, connection)
                done[kind] += 1
            finally:
                connection.close()
        await asyncio.sleep(PAUSE)


def _address(number: int) -> str:
    """All of 127.0.0.0/8 is this machine."""
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


def _options() -> Plan:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--addresses", type=int, default=200)
    parser.add_argument("--megabits", type=float, default=100.0, help="the uplink, a second")
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=tuple(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    return Plan(**vars(parser.parse_args()))


def main() -> None:
    # Another machine would take no processor time from the receiver; this one takes little.
    os.nice(5)
    _say(json.dumps(asyncio.run(attack(_options(), lambda: _say("begun")))))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # what it is for


if __name__ == "__main__":
    main()
