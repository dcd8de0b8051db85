"""The durable receiver beside a bare Flask app with the same HMAC: python -m benchmarks.receiver

Both behind gunicorn with the same workers and threads, under the same requests
(a ticket purchase of 4 KB, each with an id of its own), in turns, A B A B.
The bare app keeps nothing; ours answers once the webhook is on the disk.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select

from benchmarks.load import Result, run
from benchmarks.servers import SECRET, bare, environ, running, showbridge
from bridge.ledger.database import Database
from bridge.ledger.tables import webhooks
from bridge.sources.showpass import Showpass
from tests.servers import free_port, running_postgresql, running_redis


@dataclass(frozen=True)
class Contender:
    name: str
    port: int


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="showbridge-bench-") as folder:
        data = Path(folder)
        with _contenders(data, options.postgresql) as (ours, other, database_url):
            _compare(ours, other, options, database_url)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000, help="in each round")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    return parser.parse_args()


@contextmanager
def _contenders(data: Path, postgresql: bool) -> Iterator[tuple[Contender, Contender, str]]:
    ours, other = Contender("showbridge", free_port()), Contender("bare Flask", free_port())
    with _ledger(data, postgresql) as database_url, running_redis(_made(data / "r")) as redis:
        ours_environ = environ(data, ours.port, REDIS_URL=redis, DATABASE_URL=database_url)
        log = data / "log"
        with (
            running(showbridge("web"), ours_environ, _url(ours, "/healthz"), log),
            running(bare(other.port), environ(data, other.port), _url(other, "/"), log),
        ):
            yield ours, other, database_url


@contextmanager
def _ledger(data: Path, postgresql: bool) -> Iterator[str]:
    if not postgresql:
        yield f"sqlite:///{data / 'ledger.db'}"
        return
    with running_postgresql() as url:
        yield url


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _url(contender: Contender, path: str) -> str:
    return f"http://127.0.0.1:{contender.port}{path}"


def _compare(
    ours: Contender, other: Contender, options: argparse.Namespace, database_url: str
) -> None:
    results: dict[str, list[Result]] = {ours.name: [], other.name: []}
    for contender in (ours, other):
        run(contender.port, requests(1000), options.connections)
    for _ in range(options.rounds):
        for contender in (ours, other):
            prepared = requests(options.requests)
            results[contender.name].append(run(contender.port, prepared, options.connections))
    _report(results, ours.name, other.name)
    acknowledged = 1000 + sum(result.statuses[200] for result in results[ours.name])
    print(f"acknowledged {acknowledged}, in the ledger {_stored(database_url)}")


def _report(results: dict[str, list[Result]], ours: str, other: str) -> None:
    for name, rounds in results.items():
        rates = [result.rate for result in rounds]
        p50, p99 = (
            statistics.median(result.percentile(share) * 1000 for result in rounds)
            for share in (0.5, 0.99)
        )
        statuses = sorted({status for result in rounds for status in result.statuses})
        print(
            f"{name:12} {statistics.median(rates):7.0f}/s ({min(rates):.0f} to {max(rates):.0f})"
            f"   p50 {p50:5.1f} ms   p99 {p99:5.1f} ms   answers {statuses}"
        )
    pairs = zip(results[ours], results[other], strict=True)
    ratios = [mine.rate / theirs.rate for mine, theirs in pairs]
    print(f"ratio        {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def requests(count: int) -> Sequence[bytes]:
    """Signed purchases, each new."""
    sample = json.loads(Showpass.samples()[0].text)
    return [_request(sample) for _ in range(count)]


def _request(sample: dict[str, object]) -> bytes:
    transaction = str(uuid4())[6:]
    data = {**sample["data"], "transaction_id": transaction}  # type: ignore[dict-item]
    fresh = {**sample, "id": transaction, "webhook_event_uuid": str(uuid4()), "data": data}
    body = json.dumps(fresh).encode()
    source = Showpass(Showpass.Settings(), [SECRET])
    signed = source.sign(body, SECRET, 0.0)
    headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **signed,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /hooks/showpass HTTP/1.1\r\n{lines}\r\n".encode() + body


def _stored(database_url: str) -> int:
    with Database(database_url).read() as connection:
        return connection.execute(select(func.count()).select_from(webhooks)).scalar_one()


if __name__ == "__main__":
    main()
