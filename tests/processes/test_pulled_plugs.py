"""Kill -9 of every part, at bad moments: what was acknowledged arrives, once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from bridge.cli.embedded_redis import socket_path
from tests.processes.bridge import Bridge, Slack
from tests.servers import PostgreSQL, running_redis, stop, wait_until

pytestmark = pytest.mark.xdist_group("processes")


# Less than RQ waits for Redis, and more than a busy machine takes.
STOP_SECONDS = 30.0


@pytest.fixture
def slack() -> Iterator[Slack]:
    vendor = Slack()
    with vendor.server:
        yield vendor
        vendor.answering.set()


@pytest.fixture
def bridge(
    tmp_path: Path, database_url: str, redis: Redis, redis_url: str, slack: Slack
) -> Iterator[Bridge]:
    started = Bridge(tmp_path, database_url, redis_url, slack)
    yield started
    started.stop()


def test_a_webhook_becomes_a_message_in_slack(bridge: Bridge) -> None:
    bridge.start("web", "worker", "clock")
    assert bridge.send("t-1") == 200
    wait_until(lambda: bridge.has_delivered(1))
    assert bridge.slack.texts == {"t-1": 1}


def test_a_worker_gives_way_to_the_receiver(bridge: Bridge) -> None:
    bridge.start("web", "worker", "clock")
    bridge.send("t-1")
    wait_until(lambda: bridge.has_delivered(1))
    web, worker = (
        os.getpriority(os.PRIO_PROCESS, bridge.processes[name].pid) for name in ("web", "worker")
    )
    assert worker > web


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_redis_that_hangs_keeps_nobody_from_stopping(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, database_url: str, slack: Slack
) -> None:
    """Whoever stops them kills what has not ended by then: systemd after 90 seconds, `docker stop`
    after 10: https://docs.docker.com/reference/cli/docker/container/stop/
    """
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        bridge = Bridge(tmp_path, database_url, url, slack)
        with Redis.from_url(url) as redis:
            process = int(redis.info("server")["process_id"])
        try:
            bridge.start("web", "worker", "clock")
            stop(process)
            assert bridge.send("t-1") == 200
            for each in bridge.processes.values():
                each.terminate()
            for each in bridge.processes.values():
                each.wait(STOP_SECONDS)
        finally:
            os.kill(process, signal.SIGCONT)
            bridge.stop()


def test_a_worker_killed_while_slack_thinks_doubles_no_message(bridge: Bridge) -> None:
    bridge.slack.answering.clear()
    bridge.start("web", "worker", "clock")
    bridge.send("t-1")
    wait_until(lambda: bridge.slack.posted)
    bridge.kill("worker")
    bridge.slack.answering.set()
    bridge.start("worker")
    wait_until(lambda: bridge.has_delivered(1))
    assert bridge.slack.texts == {"t-1": 1}


def test_the_receiver_killed_under_load_loses_nothing_that_it_acknowledged(
    bridge: Bridge,
) -> None:
    bridge.start("web", "worker", "clock")
    answers: list[int] = []
    stop = threading.Event()
    # So many that each kill comes in the middle of them, and not more than a worker can deliver.
    permits = threading.Semaphore(0)

    def keep_sending() -> None:
        while permits.acquire() and not stop.is_set():
            answers.append(bridge.send())

    senders = [threading.Thread(target=keep_sending) for _ in range(6)]
    for sender in senders:
        sender.start()
    for _ in range(5):
        before = len(answers)
        permits.release(80)
        wait_until(lambda before=before: len(answers) > before + 40)
        os.kill(_gunicorn_workers(bridge)[0], signal.SIGKILL)
    stop.set()
    permits.release(len(senders))
    for sender in senders:
        sender.join()
    acknowledged = answers.count(200)
    assert acknowledged > 100
    # What got no answer may have been kept: its sender repeats it.
    assert bridge.webhooks() >= acknowledged
    kept = bridge.webhooks()
    wait_until(lambda: bridge.has_delivered(kept))
    assert set(bridge.slack.texts.values()) == {1}


def _gunicorn_workers(bridge: Bridge) -> list[int]:
    master = bridge.processes["web"].pid

    def children() -> list[int]:
        found = Path(f"/proc/{master}/task/{master}/children").read_text()
        return [int(number) for number in found.split()]

    wait_until(lambda: len(children()) == 2)
    return children()


def test_everything_killed_at_once_goes_on_at_the_next_start(bridge: Bridge) -> None:
    bridge.start("web", "clock")
    answers = [bridge.send() for _ in range(20)]
    for name in ("web", "clock"):
        bridge.kill(name)
    bridge.start("web", "worker", "clock")
    assert answers == [200] * 20
    wait_until(lambda: bridge.has_delivered(20))


def test_a_wiped_redis_loses_nothing(bridge: Bridge, redis: Redis) -> None:
    bridge.start("web", "clock")
    for _ in range(10):
        assert bridge.send() == 200
    redis.flushall()
    bridge.start("worker")
    for _ in range(10):
        assert bridge.send() == 200
        redis.flushall()
    wait_until(lambda: bridge.has_delivered(20))
    assert set(bridge.slack.texts.values()) == {1}


def test_without_redis_webhooks_are_taken_and_delivered_when_it_is_back(
    tmp_path: Path, database_url: str, slack: Slack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("own-redis")
    bridge = Bridge(tmp_path, database_url, f"unix://{socket_path(folder)}", slack)
    try:
        with running_redis(folder):
            bridge.start("web", "worker", "clock")
            assert bridge.send() == 200
            wait_until(lambda: bridge.has_delivered(1))
        assert [bridge.send() for _ in range(10)] == [200] * 10
        assert bridge.ready()["redis"].startswith("away")
        with running_redis(folder):
            wait_until(lambda: bridge.has_delivered(11))
        assert set(slack.texts.values()) == {1}
    finally:
        bridge.stop()


def test_a_stopped_postgresql_is_said_so_and_loses_nothing(
    tmp_path: Path,
    redis: Redis,
    redis_url: str,
    slack: Slack,
) -> None:
    server = PostgreSQL()
    server.start()
    bridge = Bridge(tmp_path, server.make_database("ledger"), redis_url, slack)
    try:
        bridge.start("web", "worker", "clock")
        acknowledged = [bridge.send() for _ in range(10)].count(200)
        server.stop("immediate")
        assert [bridge.send() for _ in range(5)] == [503] * 5
        assert bridge.ready()["ready"] is False
        server.start()
        wait_until(lambda: bridge.send() == 200)
        wait_until(lambda: bridge.has_delivered(acknowledged + 1))
        assert acknowledged == 10
        assert set(slack.texts.values()) == {1}
    finally:
        bridge.stop()
        server.remove()
