"""Whatever keeps webhooks from getting on, somebody is told within a minute, by alert and by mail.

Real processes, and the causes that operators meet: each test takes as long as the bridge takes
to be sure. The seconds are measured from the cause to the mail; `--log-cli-level=INFO` shows them.
"""

from __future__ import annotations

import json
import logging
import resource
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from bridge.ledger.alerts import Alert, open_alerts
from tests.mail_server import MailServer
from tests.processes.bridge import Bridge, Slack
from tests.servers import running_redis, wait_until
from tests.web.conftest import AWAY

pytestmark = [
    pytest.mark.xdist_group("told"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

log = logging.getLogger(__name__)

MINUTE = 60.0
# On a machine that is busy with other tests the mail may come later than the watchdog sent it.
PATIENCE = 3 * MINUTE
SETTINGS = """
server: {least_free_disk: 4 MB}
alerts:
  machine: tickets-1
  tell:
    - email: {to: ops@example.com, from: b@example.com, host: localhost, port: %d,
              encryption: none}
"""


@dataclass
class Told:
    """The bridge, and the operator's letter box."""

    bridge: Bridge
    mail: MailServer

    def alerts(self, kind: str) -> list[Alert]:
        with self.bridge.database.read() as connection:
            return [alert for alert in open_alerts(connection) if alert.kind == kind]

    def mailed(self, words: str) -> bool:
        return any(
            words in " ".join(str(each.get_content()).split()) for each in self.mail.messages
        )

    @contextmanager
    def within_a_minute(self, kind: str | None, words: str) -> Iterator[None]:
        """The cause begins inside the block; then a mail says `words`, and an alert is open."""
        began = time.monotonic()
        yield
        wait_until(lambda: self.mailed(words), PATIENCE)
        assert kind is None or self.alerts(kind)
        seconds = time.monotonic() - began
        log.info("%s: told after %.1f s", words, seconds)
        assert seconds <= MINUTE
        assert all("tickets-1" in str(each["Subject"]) for each in self.mail.messages)

    def goes_on_by_itself(self, kind: str, delivered: int) -> None:
        wait_until(lambda: self.bridge.has_delivered(delivered), MINUTE)
        wait_until(lambda: not self.alerts(kind), MINUTE)


@pytest.fixture
def slack() -> Iterator[Slack]:
    vendor = Slack()
    with vendor.server:
        yield vendor
        vendor.answering.set()


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that a test may fill, or make another's replica."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def told(
    tmp_path: Path,
    database_url: str,
    own_redis: str,
    slack: Slack,
) -> Iterator[Told]:
    with MailServer().running() as mail:
        bridge = Bridge(tmp_path, database_url, own_redis, slack, SETTINGS % mail.port)
        yield Told(bridge, mail)
        bridge.stop()


@pytest.fixture
def running(told: Told) -> Told:
    """All parts run, and one purchase has become a message."""
    told.bridge.start("web", "worker", "clock")
    assert told.bridge.send() == 200
    wait_until(lambda: told.bridge.has_delivered(1))
    return told


def configure(url: str, **settings: object) -> None:
    with Redis.from_url(url) as redis:
        for name, value in settings.items():
            redis.config_set(name.replace("_", "-"), str(value))


REFUSING: dict[str, tuple[dict[str, object], dict[str, object], str]] = {
    "full": ({"maxmemory_policy": "noeviction", "maxmemory": "1"}, {"maxmemory": "0"}, "OOM"),
    "without its replicas": (
        {"min_replicas_to_write": 1},
        {"min_replicas_to_write": 0},
        "NOREPLICAS",
    ),
}


@pytest.mark.parametrize("how", REFUSING)
def test_a_redis_that_refuses_writes(running: Told, own_redis: str, how: str) -> None:
    """https://github.com/celery/celery/issues/5716"""
    refuse, allow, word = REFUSING[how]
    with running.within_a_minute("redis", f"Redis takes no jobs: {word}"):
        configure(own_redis, **refuse)
        assert running.bridge.send() == 200
    report = running.bridge.ready()
    assert report["ready"] is True
    assert word in report["redis"]
    assert report["alerts"] >= 1
    configure(own_redis, **allow)
    running.goes_on_by_itself("redis", 2)
    wait_until(lambda: running.mailed("Redis works again"), MINUTE)


def test_a_redis_that_is_away_is_one_line_in_the_log_of_each_who_misses_it(told: Told) -> None:
    """What goes on for hours is else some lines each second."""
    told.bridge.environ["REDIS_URL"] = AWAY
    with told.within_a_minute("redis", "it cannot be reached"):
        told.bridge.start("web", "worker", "clock")
        assert told.bridge.send() == 200
    assert told.bridge.ready()["redis"].startswith("away")
    lines = [json.loads(line) for line in told.bridge.log.read_text().splitlines()]
    warned = Counter(
        (each["process"], each["logger"], each["message"])
        for each in lines
        if each["level"] != "INFO" and "redis" in each["message"].lower()
    )
    assert {process for process, _, _ in warned} == {"web", "worker", "clock"}
    assert set(warned.values()) == {1}, warned


def test_a_redis_that_became_a_read_only_replica(running: Told, own_redis: str) -> None:
    with Redis.from_url(own_redis) as redis:
        with running.within_a_minute("redis", "let REDIS_URL name the primary"):
            redis.replicaof("127.0.0.1", 1)
            assert running.bridge.send() == 200
        assert "READONLY" in running.alerts("redis")[0].text
        redis.replicaof("NO", "ONE")
    running.goes_on_by_itself("redis", 2)


def test_a_redis_that_cannot_save(running: Told, own_redis: str) -> None:
    """Asked for a ping it is well: https://github.com/redis/redis/issues/2146"""
    with Redis.from_url(own_redis) as redis:
        process = int(redis.info("server")["process_id"])
        with running.within_a_minute("redis", "MISCONF"):
            redis.config_set("save", "3600 1000000")
            resource.prlimit(process, resource.RLIMIT_FSIZE, (0, 0))
            redis.bgsave()
            assert running.bridge.send() == 200
        redis.config_set("save", "")
    running.goes_on_by_itself("redis", 2)


def test_a_wiped_redis_goes_on_by_itself_and_its_workers_count(
    running: Told, own_redis: str
) -> None:
    """Their names are put into a set once: https://github.com/rq/rq/issues/787"""
    with Redis.from_url(own_redis) as redis:
        redis.flushall()
    assert running.bridge.send() == 200
    wait_until(lambda: running.bridge.has_delivered(2))
    wait_until(lambda: running.bridge.ready()["workers"] == 1, MINUTE)
    assert running.bridge.ready()["alerts"] == 0


def test_workers_that_are_killed(running: Told) -> None:
    """They count for ten minutes, if one goes by RQ: https://github.com/rq/rq/issues/944"""
    with running.within_a_minute("workers", "No worker is heard of"):
        running.bridge.kill("worker")
        assert running.bridge.send() == 200
    assert running.bridge.ready()["workers"] == 0
    running.bridge.start("worker")
    running.goes_on_by_itself("workers", 2)


def test_a_worker_that_is_stopped(running: Told) -> None:
    """The process is there, and does nothing: https://github.com/rq/rq/issues/915"""
    words = "No worker is heard of"
    with running.bridge.frozen("worker"), running.within_a_minute("workers", words):
        assert running.bridge.send() == 200
    running.goes_on_by_itself("workers", 2)


def test_a_clock_that_is_stopped(running: Told) -> None:
    with running.bridge.frozen("clock"), running.within_a_minute("clock", "No clock runs"):
        pass
    running.goes_on_by_itself("clock", 1)


def test_a_vendor_call_that_never_ends(running: Told) -> None:
    """Workers are heard of, Redis takes jobs: https://github.com/n8n-io/n8n/issues/14233"""
    with running.bridge.database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO lanes (name, leased_by, leased_until) VALUES ('inbox', 'nobody', ?)"
            " ON CONFLICT (name) DO UPDATE SET leased_by='nobody', leased_until=?",
            (time.time() + 120, time.time() + 120),
        )
    with running.within_a_minute("waiting", "Webhooks are not routed"):
        assert running.bridge.send() == 200
    report = running.bridge.ready()
    assert report["ready"] is True
    assert report["waiting"]["webhooks"] > 20


def test_a_mistyped_channel(running: Told) -> None:
    running.bridge.slack.refuse = "channel_not_found"
    with running.within_a_minute("rejected", "channel_not_found"):
        for _ in range(5):
            assert running.bridge.send() == 200
    wait_until(lambda: running.alerts("rejected")[0].count == 5)
    assert running.bridge.command("status").returncode == 1


def test_a_source_for_which_no_rule_does_anything(told: Told) -> None:
    rules = told.bridge.folder / "rules.yaml"
    rules.write_text(rules.read_text().replace("invoice.purchase", "invoice.refund"))
    told.bridge.start("web", "worker", "clock")
    with told.within_a_minute("unrouted", "No rule does anything for what showpass sends"):
        for _ in range(3):
            assert told.bridge.send() == 200


def test_a_wrong_secret(told: Told) -> None:
    """Told by developers after three hours: https://github.com/taskcluster/taskcluster/issues/6537"""
    told.bridge.environ["SHOWPASS_SECRETS"] = "an-older-secret-for-tests"
    told.bridge.start("web", "clock")
    with told.within_a_minute("refused", "wrong or lost secret"):
        assert [told.bridge.send() for _ in range(6)] == [401] * 6
    report = told.bridge.ready()
    assert (report["ready"], report["alerts"]) == (True, 1)


def test_a_full_disk(told: Told) -> None:
    """https://github.com/cherrypy/cheroot/issues/756"""
    disk = told.bridge.folder / "data"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("only root may mount a small disk here")
    try:
        _fill_and_make_room(told, disk)
    finally:
        told.bridge.stop()
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill_and_make_room(told: Told, disk: Path) -> None:
    bridge = told.bridge
    bridge.move_to(disk)
    bridge.start("web", "worker", "clock")
    assert bridge.send() == 200
    wait_until(lambda: bridge.has_delivered(1))
    # No alert: it would be in the ledger.
    with told.within_a_minute(None, "The ledger takes no writes"):
        _fill(disk / "filling")
        assert bridge.send() in (0, 503)
    assert bridge.ready()["ready"] is False
    assert all(process.poll() is None for process in bridge.processes.values())
    (disk / "filling").unlink()
    wait_until(lambda: bridge.send() == 200, MINUTE)
    wait_until(lambda: bridge.deliveries().get("delivered", 0) >= 2, MINUTE)
    wait_until(lambda: told.mailed("the ledger works again"), MINUTE)
    wait_until(lambda: bridge.ready()["ready"] is True)


def _fill(path: Path) -> None:
    """To the last byte."""
    with suppress(OSError), path.open("wb", buffering=0) as filling:
        while True:
            filling.write(bytes(4096))


def test_a_lost_secret(told: Told) -> None:
    """It starts with none of its own making: https://github.com/n8n-io/n8n/issues/713"""
    told.bridge.start("web", "worker", "clock")
    assert told.bridge.send() == 200
    told.bridge.stop_parts()
    told.bridge.environ["SHOWPASS_SECRETS"] = ""
    for command in ("run", "web"):
        began = time.monotonic()
        refused = told.bridge.command(command)
        seconds = time.monotonic() - began
        log.info("a lost secret: `%s` says so after %.1f s", command, seconds)
        assert refused.returncode == 2
        assert "SHOWPASS_SECRETS is not set, but webhooks of showpass were signed" in refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1
        assert seconds <= MINUTE
    assert not (told.bridge.folder / "data" / "secrets").exists()
