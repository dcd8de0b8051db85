"""Workers are counted by their heartbeats, and Redis is judged by a write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from bridge.engine.heartbeat import ALIVE_SECONDS, Heartbeat, beat
from bridge.engine.queue import LaneQueue
from tests.servers import running_redis, wait_until

KEY = "rq:worker:" + "0123456789abcdef" * 2


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """One that the test may set up as it likes."""
    folder: Path = tmp_path_factory.mktemp("redis")
    with running_redis(folder) as url, Redis.from_url(url) as client:
        yield client


def test_a_worker_counts_as_long_as_it_is_heard_of(redis: Redis) -> None:
    queue = LaneQueue(redis)
    assert queue.workers() == 0
    beat(redis, KEY)
    assert queue.workers() == 1
    assert 0 < redis.ttl(KEY) <= ALIVE_SECONDS
    redis.delete(KEY)
    assert queue.workers() == 0


def test_what_is_no_worker_of_ours_is_not_counted(redis: Redis) -> None:
    """https://github.com/aerele/jarvis/issues/1221"""
    redis.sadd("rq:workers", "rq:worker:somebody", KEY)
    redis.set("rq:worker:somebody", "1")
    assert LaneQueue(redis).workers() == 0


def test_after_a_flush_a_worker_is_back_with_its_next_beat(redis: Redis) -> None:
    beats = Heartbeat(KEY, lambda: Redis.from_url(_url(redis)))
    beats.start()
    try:
        redis.flushall()
        wait_until(lambda: LaneQueue(redis).workers() == 1)
    finally:
        beats.end()


def _url(redis: Redis) -> str:
    return f"unix://{redis.connection_pool.connection_kwargs['path']}"


def test_a_redis_that_takes_writes_has_no_trouble(redis: Redis) -> None:
    assert LaneQueue(redis).trouble() == ""


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"maxmemory-policy": "noeviction", "maxmemory": "1"}, "OOM command not allowed"),
        ({"min-replicas-to-write": "1"}, "NOREPLICAS Not enough good replicas"),
        ({"requirepass": "secret"}, "NOAUTH"),
    ],
)
def test_a_redis_that_answers_and_refuses_writes_says_why(
    own: Redis, settings: dict[str, str], words: str
) -> None:
    for name, value in settings.items():
        own.config_set(name, value)
    own.connection_pool.disconnect()
    assert LaneQueue(own).trouble().startswith(words)


def test_a_replica_and_a_user_without_rights_say_why(own: Redis) -> None:
    own.acl_setuser("reader", enabled=True, nopass=True, categories=["+@read"], keys=["*"])
    reader = Redis.from_url(_url(own), username="reader", password="x")
    assert LaneQueue(reader).trouble().startswith("NOPERM")
    own.replicaof("127.0.0.1", "1")
    assert LaneQueue(own).trouble().startswith("READONLY")
    wrong = Redis.from_url(_url(own), username="nobody", password="x")
    assert LaneQueue(wrong).trouble().startswith("WRONGPASS")


def test_a_redis_that_is_away_says_so_without_its_address() -> None:
    assert LaneQueue(Redis(port=1)).trouble() == "it cannot be reached"
