"""Somebody else writes to our Redis: a worker runs nothing of it, goes on, and says so."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Callback, Queue, Retry
from rq.command import send_shutdown_command
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.repeat import Repeat
from rq.serializers import JSONSerializer, PickleSerializer
from rq.suspension import suspend
from rq.utils import as_text

from bridge.engine.jobs import TAKE_TURN
from bridge.engine.queue import DELIVERIES_QUEUE, INBOX_QUEUE
from bridge.ledger.alerts import Alert, open_alerts
from tests.processes.bridge import Bridge, Slack
from tests.servers import wait_until

pytestmark = pytest.mark.xdist_group("processes")


@pytest.fixture
def slack() -> Iterator[Slack]:
    vendor = Slack()
    with vendor.server:
        yield vendor


@pytest.fixture
def bridge(
    tmp_path: Path, database_url: str, redis: Redis, redis_url: str, slack: Slack
) -> Iterator[Bridge]:
    started = Bridge(tmp_path, database_url, redis_url, slack)
    yield started
    started.stop()


def alerts(bridge: Bridge) -> list[Alert]:
    with bridge.database.read() as connection:
        return [alert for alert in open_alerts(connection) if alert.kind == "foreign-job"]


def is_drained(redis: Redis) -> bool:
    return not any(redis.llen(f"rq:queue:{name}") for name in (INBOX_QUEUE, DELIVERIES_QUEUE))


def works(bridge: Bridge, *before: int) -> None:
    """What comes in now is delivered, by the same process."""
    count = len(bridge.slack.posted) + 1
    assert bridge.send() == 200
    wait_until(lambda: len(bridge.slack.posted) == count)


def test_a_job_that_names_any_function_is_dropped_and_told(
    bridge: Bridge, redis: Redis, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    touch = f"touch {proof}"
    bridge.start("web", "worker", "clock")
    pid = bridge.processes["worker"].pid
    for serializer in (JSONSerializer, PickleSerializer):
        queue = Queue(INBOX_QUEUE, connection=redis, serializer=serializer)
        queue.enqueue_call("os.system", args=(touch,))
        queue.enqueue_call("os.system", args=(touch,), retry=Retry(3))
        queue.enqueue("os.system", touch, repeat=Repeat(times=3, interval=1))
        parent = queue.enqueue("no.such", on_failure=Callback("os.system"))
        queue.enqueue_call("os.system", args=(touch,), depends_on=parent)
    raw = zlib.compress(json.dumps(["subprocess.getoutput", None, [touch], {}]).encode())
    redis.hset("rq:job:raw", mapping={"data": raw, "origin": "elsewhere", "timeout": "-1"})
    redis.hset("rq:job:odd", mapping={"data": raw, "created_at": b"\xff", "status": "never"})
    redis.rpush(f"rq:queue:{DELIVERIES_QUEUE}", "raw", "odd", "gone", b"\xff\xfe")
    wait_until(lambda: is_drained(redis))
    works(bridge)
    wait_until(lambda: {each.subject for each in alerts(bridge)} >= {INBOX_QUEUE, DELIVERIES_QUEUE})
    assert not proof.exists()
    assert bridge.processes["worker"].pid == pid
    assert bridge.processes["worker"].poll() is None
    text = alerts(bridge)[0].text
    assert "was not made by Showbridge" in text
    assert "a Redis that nothing else uses" in text
    assert "proof" not in text
    assert "unhandled exception" not in bridge.log.read_text()


def test_callbacks_and_times_of_a_real_turn_are_not_looked_at(
    bridge: Bridge, redis: Redis, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    bridge.start("web", "worker", "clock")
    queue = Queue(INBOX_QUEUE, connection=redis, serializer=JSONSerializer)
    done = Callback(f"tests.nowhere.{proof}")
    queue.enqueue_call(
        TAKE_TURN, args=("inbox",), timeout=-1, on_success=done, on_failure=done, result_ttl=-1
    )
    data = json.dumps([TAKE_TURN, None, ["nobody.knows:this#1"], {}]).encode()
    redis.hset("rq:job:unknown", mapping={"data": data, "timeout": "1e999", "meta": b"\xff"})
    redis.rpush(f"rq:queue:{DELIVERIES_QUEUE}", "unknown")
    wait_until(lambda: is_drained(redis))
    works(bridge)
    assert not alerts(bridge)
    assert not [key for key in redis.keys("rq:*") if b"failed" in key or b"finished" in key]
    log = bridge.log.read_text()
    assert "Traceback" not in log
    assert "nobody.knows" not in log


def test_no_registry_channel_or_key_of_rqs_holds_or_ends_a_worker(
    bridge: Bridge, redis: Redis
) -> None:
    """RQ runs the callbacks of jobs that seem abandoned as soon as a worker starts."""
    lost = Job.create(
        "no.such",
        connection=redis,
        serializer=JSONSerializer,
        origin=INBOX_QUEUE,
        on_failure=Callback("sys.exit"),
    )
    lost.save()
    registry = StartedJobRegistry(INBOX_QUEUE, connection=redis, serializer=JSONSerializer)
    redis.zadd(registry.key, {f"{lost.id}:execution": time.time() - 3600})
    suspend(redis)
    bridge.start("web", "worker", "clock")
    for key in redis.smembers("rq:workers"):
        send_shutdown_command(redis, as_text(key).removeprefix("rq:worker:"))
    works(bridge)
    works(bridge)
    assert bridge.processes["worker"].poll() is None
    assert redis.zcard(registry.key) == 1, "nobody has looked at it"


def test_a_queue_that_is_none_any_more_holds_deliveries_for_a_moment(
    bridge: Bridge, redis: Redis
) -> None:
    redis.set(f"rq:queue:{INBOX_QUEUE}", "held")
    redis.set("rq:workers", "held")
    bridge.start("web", "worker", "clock")
    works(bridge)
    wait_until(lambda: len(alerts(bridge)) == 2)


def test_names_of_workers_that_are_no_text_neither_end_a_worker_nor_stay_untold(
    bridge: Bridge, redis: Redis
) -> None:
    keys = {"rq:workers", f"rq:workers:{INBOX_QUEUE}", f"rq:workers:{DELIVERIES_QUEUE}"}
    for key in keys:
        redis.sadd(key, b"\xff\xfe")
    bridge.start("web", "worker", "clock")
    works(bridge)
    wait_until(lambda: {each.subject for each in alerts(bridge)} == keys)
    assert not any(b"\xff\xfe" in redis.smembers(key) for key in keys)
    assert "fell" not in bridge.log.read_text()
