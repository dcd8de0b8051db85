"""What is left after everything was killed right after the last answer.

Part of `python -m benchmarks.receiver --killed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from redis import Redis
from rq import Queue
from sqlalchemy import func, select

from benchmarks.load import Result, run
from benchmarks.purchases import requests
from benchmarks.servers import (
    QUEUE,
    SnapshotRedis,
    environ,
    kill_all,
    plain,
    running,
    showbridge,
)
from bridge.ledger.database import Database
from bridge.ledger.tables import webhooks
from tests.servers import free_port


def compare(data: Path, database_url: str, count: int, connections: int) -> None:
    ours, naive = SnapshotRedis(data / "ours"), SnapshotRedis(data / "naive")
    port = free_port()
    environment = environ(data, port, REDIS_URL=ours.url, DATABASE_URL=database_url)
    took = _take(showbridge("web"), environment, ours, count, connections)
    _report("showbridge", took, _in_ledger(database_url))
    port = free_port()
    environment = environ(data, port, REDIS_URL=naive.url)
    took = _take(plain("benchmarks.naive", port), environment, naive, count, connections)
    naive.restart()
    with Redis.from_url(naive.url) as client:
        _report("Flask, RQ job", took, Queue(QUEUE, connection=client).count)
    naive.kill()


def _take(
    command: Sequence[str],
    environment: dict[str, str],
    redis: SnapshotRedis,
    count: int,
    connections: int,
) -> Result:
    port = int(environment["PORT"])
    log = Path(environment["SHOWBRIDGE_DATA"]) / "log"
    with running(command, environment, f"http://127.0.0.1:{port}/healthz", log) as web:
        result = run(port, requests(count), connections)
        kill_all(web)
        redis.kill()
    return result


def _in_ledger(database_url: str) -> int:
    with Database(database_url).read() as connection:
        return connection.execute(select(func.count()).select_from(webhooks)).scalar_one()


def _report(name: str, result: Result, left: int) -> None:
    acknowledged = result.statuses[200]
    print(
        f"{name:14} acknowledged {acknowledged} in {result.seconds:.1f} s, "
        f"left {left}, lost {acknowledged - left}"
    )
