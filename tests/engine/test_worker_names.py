"""What stands in the sets of workers' names, and is none, does not reach a worker."""

from __future__ import annotations

import pytest
from redis import Redis

from bridge.engine import worker_names
from bridge.engine.queue import DELIVERIES_QUEUE, INBOX_QUEUE, LaneQueue

HERE = b"rq:worker:" + b"a" * 32
GONE = b"rq:worker:" + b"b" * 32
SETS = ("rq:workers", f"rq:workers:{INBOX_QUEUE}", f"rq:workers:{DELIVERIES_QUEUE}")


def cleaned(redis: Redis) -> list[str]:
    queue = LaneQueue(redis)
    told: list[str] = []
    worker_names.clean(redis, [queue.inbox, queue.deliveries], told.append)
    return told


@pytest.mark.parametrize("key", SETS)
def test_workers_stay_and_those_that_are_gone_go_untold(redis: Redis, key: str) -> None:
    redis.hset(HERE, "state", "idle")
    redis.sadd(key, HERE, GONE)
    assert cleaned(redis) == []
    assert redis.smembers(key) == {HERE}


@pytest.mark.parametrize("key", SETS)
@pytest.mark.parametrize("member", [b"\xff\xfe", b"", b"rq:workers", HERE + b"\n", b"x" * 10_000])
def test_a_name_that_no_worker_has_is_taken_out_and_told(
    redis: Redis, key: str, member: bytes
) -> None:
    redis.hset(HERE, "state", "idle")
    redis.sadd(key, HERE, member)
    assert cleaned(redis) == [key]
    assert redis.smembers(key) == {HERE}


def test_of_very_many_names_all_are_taken_out_in_the_end(redis: Redis) -> None:
    redis.sadd("rq:workers", *(b"\xff%d" % number for number in range(3_000)))
    assert len(cleaned(redis)) >= 3_000
    assert not redis.exists("rq:workers")
