"""What a worker reads from Redis of a job: a lane's name, whatever else stands there."""

from __future__ import annotations

import json
import zlib

import pytest
from redis import Redis

from bridge.engine.clock import Clock
from bridge.engine.jobs import TAKE_TURN, ForeignJob, TurnJob, lane_in
from bridge.engine.queue import DELIVERIES_QUEUE, INBOX_QUEUE, LaneQueue
from bridge.engine.wake import Waker
from bridge.ledger.alerts import open_alerts
from bridge.ledger.database import Database
from tests.conftest import Now


def data(function: object = TAKE_TURN, instance: object = None, *rest: object) -> bytes:
    arguments = rest or (["inbox"], {})
    return json.dumps([function, instance, *arguments]).encode()


def put(redis: Redis, content: bytes | None, name: bytes = b"job-1") -> None:
    if content is not None:
        redis.hset(b"rq:job:" + name, mapping={b"data": content, b"timeout": b"x"})


def test_a_job_as_showbridge_queues_it_names_its_lane(redis: Redis) -> None:
    LaneQueue(redis).put("slack.post_message:#tickets#3", "job-1")
    assert TurnJob.taken(b"job-1", redis).lane == "slack.post_message:#tickets#3"
    assert not redis.exists("rq:job:job-1"), "what was taken cannot come back"


@pytest.mark.parametrize(
    "content",
    [
        data("os.system", None, ["id"], {}),
        data("subprocess.getoutput", None, ["inbox"], {}),
        data("bridge.engine.turns.install", None, ["inbox"], {}),
        data("bridge.engine.turns.take_turn ", None, ["inbox"], {}),
        data(None, None, ["inbox"], {}),
        data("take", "bridge.engine.turns", ["inbox"], {}),
        data(TAKE_TURN, {"py/object": "os"}, ["inbox"], {}),
        data(TAKE_TURN, None, ["inbox", "inbox"], {}),
        data(TAKE_TURN, None, [], {"lane": "inbox"}),
        data(TAKE_TURN, None, ["inbox"], {"lane": "inbox"}),
        data(TAKE_TURN, None, [["inbox"]], {}),
        data(TAKE_TURN, None, [None], {}),
        data(TAKE_TURN, None, [""], {}),
        data(TAKE_TURN, None, ["slack.post\x00"], {}),
        data(TAKE_TURN, None, ["slack.post\ud800"], {}),
        data(TAKE_TURN, None, ["x" * 501], {}),
        b"[" * 8000,
        b"cos\nsystem\n(S'id'\ntR.",
        b"\x80\x04\x95",
        b"{}",
        b"1",
        b"\xff",
        zlib.compress(data() + b" " * 10_000_000),
        zlib.compress(data())[:-3],
        data() + b" " * 9000,
    ],
    ids=repr,
)
def test_a_job_that_is_anything_else_is_none_of_ours(redis: Redis, content: bytes) -> None:
    for stored in (content, zlib.compress(content)):
        put(redis, stored)
        job = TurnJob.taken(b"job-1", redis)
        assert job.lane is None
        assert job.fault
        assert not redis.exists("rq:job:job-1")


def test_nothing_of_a_foreign_job_is_repeated() -> None:
    with pytest.raises(ForeignJob) as refused:
        lane_in(data("os.system", None, ["person@example.com"], {}))
    assert str(refused.value) == "it names another function"


def test_a_job_under_another_kind_of_key_or_name_is_none_of_ours(redis: Redis) -> None:
    redis.set("rq:job:job-1", data())
    assert TurnJob.taken(b"job-1", redis).fault
    assert not redis.exists("rq:job:job-1")
    put(redis, data(), b"x" * 101)
    assert TurnJob.taken(b"x" * 101, redis).fault
    put(redis, data(), b"\xff\xfe")
    assert TurnJob.taken(b"\xff\xfe", redis).lane == "inbox"


def test_a_job_that_is_gone_is_neither_a_turn_nor_foreign(redis: Redis) -> None:
    job = TurnJob.taken(b"job-1", redis)
    assert (job.lane, job.fault) == (None, "")


def a_clock(database: Database, redis: Redis, now: Now) -> Clock:
    queue = LaneQueue(redis)
    return Clock(database, queue, Waker(database, queue, now), lambda _: False, now)


def test_a_name_in_a_queue_that_is_no_text_does_not_end_the_clock(
    database: Database, redis: Redis, now: Now
) -> None:
    clock = a_clock(database, redis, now)
    redis.rpush(f"rq:queue:{DELIVERIES_QUEUE}", b"\xff\xfe")
    clock.waker.wake("inbox")
    redis.delete(f"rq:queue:{INBOX_QUEUE}")
    now.advance(10)
    clock.tick()
    assert redis.llen(f"rq:queue:{INBOX_QUEUE}") == 1, "the lost wake is made good"


@pytest.mark.parametrize(
    "key", [f"rq:queue:{INBOX_QUEUE}", "rq:queues", "rq:workers", f"rq:workers:{INBOX_QUEUE}"]
)
def test_a_key_that_holds_something_else_is_deleted_and_told(
    database: Database, redis: Redis, now: Now, key: str
) -> None:
    clock = a_clock(database, redis, now)
    redis.set(key, "held for ever")
    clock.tick()
    assert not redis.exists(key)
    assert clock.queue.put("inbox", "job-1")
    with database.read() as connection:
        [alert] = open_alerts(connection)
    assert (alert.kind, alert.subject) == ("foreign-job", key)
    assert "a Redis that nothing else uses" in alert.text
