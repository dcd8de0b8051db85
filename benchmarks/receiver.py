"""The durable receiver beside two others: python -m benchmarks.receiver

A bare Flask app that checks the same HMAC and keeps nothing, and the design
that comes to mind first: Flask, the HMAC, one RQ job for each request, a Redis
with its default snapshots. All behind gunicorn with the same workers and
threads, under the same requests (a ticket purchase of 4 KB, each with an id of
its own), in turns, A B C A B C. Beside the throughput stands the processor time
that the web processes themselves spent on an answer, which depends less on
what else the machine does.

`--rate` sends so many a second instead of as many as are answered, which tells
how long an answer takes while the machine is not full. `--draining` lets a
worker route and deliver meanwhile (accounts in preview). `--killed` kills web
processes and Redis right after the last answer instead, and counts what is
left.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import killed
from benchmarks.idle import processes_under
from benchmarks.load import Result, run
from benchmarks.purchases import requests
from benchmarks.servers import SnapshotRedis, environ, plain, running, showbridge
from bridge.ledger.backlog import backlog
from bridge.ledger.books import ACKNOWLEDGED, counted
from bridge.ledger.database import Database
from tests.servers import free_port, running_postgresql, running_redis

WARM_UP = 1000


@dataclass(frozen=True)
class Contender:
    """`process` is the id of its server's first process."""

    name: str
    port: int
    process: int


@dataclass(frozen=True)
class Round:
    """What the client saw, and the server's seconds of processor time for an answer."""

    seen: Result
    spent: float


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="sb-") as folder, ExitStack() as stack:
        data = Path(folder)
        database_url = stack.enter_context(_ledger(data, options.postgresql))
        if options.killed:
            killed.compare(data, database_url, options.requests, options.connections)
        else:
            contenders = _contenders(stack, data, database_url, options.draining)
            _report(_compare(contenders, options))
            _balance(database_url)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000, help="in each round")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, help="requests a second, instead of all it can")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--draining", action="store_true", help="beside a worker at full speed")
    parser.add_argument("--killed", action="store_true", help="what each loses when killed")
    return parser.parse_args()


@contextmanager
def _ledger(data: Path, postgresql: bool) -> Iterator[str]:
    if not postgresql:
        yield f"sqlite:///{data / 'ledger.db'}"
        return
    with running_postgresql() as url:
        yield url


def _contenders(
    stack: ExitStack, data: Path, database_url: str, draining: bool
) -> Sequence[Contender]:
    """Ours first, the naive one last."""
    ports = [free_port() for _ in range(3)]
    (data / "r").mkdir()
    redis = stack.enter_context(running_redis(data / "r"))
    snapshots = SnapshotRedis(data / "s")
    stack.callback(snapshots.kill)
    ours, bare, naive = (
        environ(data, ports[0], REDIS_URL=redis, DATABASE_URL=database_url),
        environ(data, ports[1]),
        environ(data, ports[2], REDIS_URL=snapshots.url),
    )
    log = data / "log"
    found = []
    for name, command, environment, port in (
        ("showbridge", showbridge("web"), ours, ports[0]),
        ("bare Flask", plain("benchmarks.bare", ports[1]), bare, ports[1]),
        ("Flask, RQ job", plain("benchmarks.naive", ports[2]), naive, ports[2]),
    ):
        server = running(command, environment, f"http://127.0.0.1:{port}/", log)
        found.append(Contender(name, port, stack.enter_context(server).pid))
    if draining:
        url = f"http://127.0.0.1:{ports[0]}/healthz"
        for command in (showbridge("worker", "--processes", "1"), showbridge("clock")):
            stack.enter_context(running(command, ours, url, log))
    return found


def _compare(
    contenders: Sequence[Contender], options: argparse.Namespace
) -> dict[str, list[Round]]:
    results: dict[str, list[Round]] = {one.name: [] for one in contenders}
    for one in contenders:
        run(one.port, requests(WARM_UP, persons=True), options.connections)
    for _ in range(options.rounds):
        for one in contenders:
            prepared = requests(options.requests, persons=True)
            before = _processor_seconds(one)
            seen = run(one.port, prepared, options.connections, options.rate)
            spent = (_processor_seconds(one) - before) / options.requests
            results[one.name].append(Round(seen, spent))
    return results


def _processor_seconds(one: Contender) -> float:
    return sum(process.cpu_seconds() for process in processes_under(one.process))


def _report(results: dict[str, list[Round]]) -> None:
    ours, *others = results
    for name, rounds in results.items():
        rates = [each.seen.rate for each in rounds]
        p50, p99 = (
            statistics.median(each.seen.percentile(share) * 1000 for each in rounds)
            for share in (0.5, 0.99)
        )
        spent = statistics.median(each.spent * 1e6 for each in rounds)
        statuses = sorted({status for each in rounds for status in each.seen.statuses})
        print(
            f"{name:14} {statistics.median(rates):7.0f}/s ({min(rates):.0f} to {max(rates):.0f})"
            f"   p50 {p50:5.1f} ms   p99 {p99:5.1f} ms   processor {spent:4.0f} us"
            f"   answers {statuses}"
        )
    for other in others:
        pairs = zip(results[ours], results[other], strict=True)
        ratios = [mine.seen.rate / theirs.seen.rate for mine, theirs in pairs]
        print(
            f"{ours} to {other}: {statistics.median(ratios):.2f}"
            f" ({min(ratios):.2f} to {max(ratios):.2f})"
        )


def _balance(database_url: str) -> None:
    with Database(database_url).read() as connection:
        stored, waiting = counted(connection)[ACKNOWLEDGED], backlog(connection, 10**9)
    print(f"in the ledger {stored}, webhooks and deliveries that wait {waiting}")


if __name__ == "__main__":
    main()
