"""Genuine webhooks at a steady rate: python -m tests.web.senders --port 8000 --seconds 10

Each has its time, whatever became of those before it, and its latency counts
from then. Every second one comes over a connection of its own, the others over
kept ones, as through a proxy. At the end one line of JSON says what was
answered; the bodies follow from the seed, so that a ledger can be compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.web.genuine import NAMES, genuine, new_body
from tests.web.wire import PATIENCE, first_answer

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Plan:
    port: int
    seconds: float
    rate: float = 100.0
    seed: int = 1

    @property
    def count(self) -> int:
        return int(self.seconds * self.rate)


@dataclass
class Senders:
    plan: Plan
    latencies: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    _kept: list[_Streams] = field(default_factory=list)

    async def run(self) -> Mapping[str, Any]:
        random, under_way = Random(self.plan.seed), []
        began = time.monotonic()
        for number in range(self.plan.count):
            due = began + number / self.plan.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            webhook = genuine(random, _source(number), time.time)
            sending = self._send(webhook.raw, due, keeps=number % 4 < 2)
            under_way.append(asyncio.create_task(sending))
        await asyncio.gather(*under_way)
        for _, writer in self._kept:
            writer.close()
        return {"sent": self.plan.count, "answers": self.answers, "latencies": self.latencies}

    async def _send(self, raw: bytes, due: float, *, keeps: bool) -> None:
        said = "no answer"
        try:
            async with asyncio.timeout(due + PATIENCE - time.monotonic()):
                said = await self._exchange(raw, keeps=keeps)
        except TimeoutError:
            said = "not in time"
        except OSError as error:
            said = type(error).__name__
        self.answers[said] += 1
        self.latencies.append(time.monotonic() - due)

    async def _exchange(self, raw: bytes, *, keeps: bool) -> str:
        """Over a kept connection, or a new one if that was closed meanwhile, as clients do."""
        while keeps and self._kept:
            streams = self._kept.pop()
            with suppress(ConnectionError):
                if said := await self._ask(streams, raw, keeps=True):
                    return said
        streams = await asyncio.open_connection("127.0.0.1", self.plan.port)
        return await self._ask(streams, raw, keeps=keeps) or "no answer"

    async def _ask(self, streams: _Streams, raw: bytes, *, keeps: bool) -> str | None:
        """The answer's status and result; None if the connection was at its end."""
        reader, writer = streams
        writer.write(raw)
        received = b""
        while (found := first_answer(received)) is None:
            part = await reader.read(65536)
            if not part:
                writer.close()
                return None
            received += part
        answer, _ = found
        if keeps and not answer.is_last:
            self._kept.append(streams)
        else:
            writer.close()
        return f"{answer.status} {answer.result}"


def bodies(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """What senders with this seed have sent, by source."""
    random = Random(seed)
    for number in range(count):
        yield _source(number), new_body(random, _source(number))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _source(number: int) -> str:
    return NAMES[number % len(NAMES)]


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seed", type=int, default=1)
    plan = Plan(**vars(parser.parse_args()))
    print(json.dumps(asyncio.run(Senders(plan).run())))  # noqa: T201  # the command's result


if __name__ == "__main__":
    main()
