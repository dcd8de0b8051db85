"""A worker that nobody's error ends: it says so, and rests longer each time."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator

import pytest
from redis import Redis

from bridge.engine.foreign import Foreign
from bridge.engine.worker import LONGEST_REST, RECONNECT_SECONDS, _pause, _work_once
from bridge.ledger.database import Database
from bridge.logs import OnChange


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    for number, handler in kept:
        signal.signal(number, handler)


SAID = OnChange(logging.getLogger("bridge.engine.worker"))


def no_time() -> float:
    raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_falls_says_where_and_rests_longer_each_time(
    database: Database, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = Foreign(database, no_time)
    foreign._found["a key", "was odd"] += 1
    falls = 0
    rests = []
    for _ in range(3):
        falls = _work_once(lambda: redis, foreign, threading.Event(), SAID, falls)
        rests.append(_pause(falls))
    assert rests == [2.0, 4.0, 8.0]
    told = [each for each in caplog.records if each.name == "bridge.engine.worker"]
    assert [each.levelno for each in told] == [logging.ERROR] * 3
    assert "UnicodeDecodeError" in told[0].getMessage()
    assert "xff" not in told[0].getMessage()


def test_a_worker_that_lost_redis_is_back_within_a_second() -> None:
    assert _pause(0) == RECONNECT_SECONDS
    assert _pause(1_000_000) == LONGEST_REST


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_redis_that_is_away_is_no_fall(database: Database) -> None:
    nobody = Redis(unix_socket_path="/nowhere/redis.sock")
    foreign = Foreign(database, lambda: 1.0)
    assert _work_once(lambda: nobody, foreign, threading.Event(), SAID, 3) == 0
