"""`showbridge clock`: what it does each second, at times that the test sets."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select

from bridge.cli.clock import tick
from bridge.engine.clock import Clock
from bridge.engine.housekeeping import ROUND_SECONDS, Housekeeping
from bridge.engine.queue import LaneQueue, connect
from bridge.engine.rules_watch import Watch
from bridge.engine.wake import Waker
from bridge.ledger import endings, rule_versions, tables
from bridge.ledger.alerts import open_alerts
from bridge.ledger.database import Database
from bridge.ledger.endings import Ending
from bridge.ledger.lanes import INBOX
from bridge.rules import World
from bridge.settings import RetentionConfig
from bridge.sources.showpass import Showpass
from tests.conftest import Now
from tests.ledger.records import accept, arrival
from tests.ledger.test_prune import DAY, RETENTION, settled
from tests.web.conftest import AWAY


@pytest.fixture
def clock(database: Database, redis: Redis, now: Now) -> Clock:
    return made(database, redis, now)


def made(database: Database, redis: Redis, now: Now) -> Clock:
    queue = LaneQueue(redis)
    return Clock(database, queue, Waker(database, queue, now), lambda _: False, now, elapsed=now)


@pytest.fixture
def housekeeping(database: Database, now: Now) -> Housekeeping:
    return Housekeeping(database, RETENTION, now, elapsed=now)


def run(clock: Clock, housekeeping: Housekeeping, now: Now, seconds: int = 30) -> None:
    for _ in range(seconds):
        now.advance(1)
        tick(clock, [housekeeping.tick])


def bodies(database: Database) -> list[tuple[int, bool]]:
    """The webhooks that there are, each with whether its body is."""
    query = select(tables.webhooks.c.number, tables.webhooks.c.body != b"")
    with database.read() as connection:
        rows = connection.execute(query.order_by(tables.webhooks.c.number))
        return [(number, bool(has_body)) for number, has_body in rows]


def test_a_redis_that_is_away_is_logged_when_it_goes_and_when_it_is_back(
    database: Database, redis: Redis, now: Now, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in each second that it is away."""
    caplog.set_level(logging.INFO)
    clock = made(database, connect(AWAY), now)
    for _ in range(30):
        accept(database, arrival(f"at-{now()}"))
        now.advance(1)
        clock.tick()
    told = [each for each in caplog.records if "redis" in each.getMessage()]
    assert len(told) == len({(each.name, each.getMessage()) for each in told}) > 0
    assert {each.levelno for each in told} == {logging.WARNING}
    caplog.clear()
    clock.queue = LaneQueue(redis)
    clock.waker = Waker(database, clock.queue, now)
    for _ in range(5):
        now.advance(1)
        clock.tick()
    assert [each.getMessage() for each in caplog.records] == ["the clock goes on"]


def test_what_was_done_long_ago_goes_while_the_clock_runs(
    database: Database, clock: Clock, housekeeping: Housekeeping, now: Now
) -> None:
    for name, age in (("ancient", 500), ("old", 100), ("young", 10)):
        settled(database, name, "delivered", now() - age * DAY)
    settled(database, "dead", "dead", now() - 500 * DAY)
    with database.write() as connection:
        ended = Ending("showpass", (1, 1), "ana@example.com", ["ticket 1"])
        endings.keep(connection, [ended], now() - 500 * DAY)
    run(clock, housekeeping, now)
    assert bodies(database) == [(2, False), (3, True), (4, True)]
    with database.read() as connection:
        assert endings.known(connection, ended.keys) == {}


def test_it_goes_on_in_rounds_as_time_goes_by(
    database: Database, clock: Clock, housekeeping: Housekeeping, now: Now
) -> None:
    settled(database, "young", "delivered", now())
    run(clock, housekeeping, now)
    assert bodies(database) == [(1, True)]
    now.advance(91 * DAY)
    run(clock, housekeeping, now)
    assert bodies(database) == [(1, False)]
    now.advance(400 * DAY)
    run(clock, housekeeping, now)
    assert bodies(database) == []


def test_a_clock_that_stands_by_prunes_nothing_until_it_is_in_charge(
    database: Database, redis: Redis, clock: Clock, housekeeping: Housekeeping, now: Now
) -> None:
    tick(clock, [Housekeeping(database, RetentionConfig(), now, elapsed=now).tick])
    settled(database, "old", "delivered", now() - 100 * DAY)
    other = made(database, redis, now)
    tick(other, [housekeeping.tick])
    assert bodies(database) == [(1, True)]
    clock.leave()
    run(other, housekeeping, now)
    assert bodies(database) == [(1, False)]


def test_whatever_is_in_the_way_of_pruning_lanes_are_woken(
    database: Database, clock: Clock, now: Now
) -> None:
    def broken() -> float:
        raise RuntimeError("a bug")

    keeping = Housekeeping(database, RETENTION, broken, elapsed=now)
    tick(clock, [keeping.tick])
    accept(database, arrival())
    now.advance(ROUND_SECONDS)
    tick(clock, [keeping.tick])
    assert [job.args[0] for job in clock.queue.inbox.jobs] == [INBOX]


def test_rules_that_are_saved_while_nothing_comes_in_are_told_of_and_live(
    database: Database, redis: Redis, clock: Clock, now: Now, tmp_path: Path
) -> None:
    def written(text: str) -> None:
        (tmp_path / "rules.yaml").write_text(text)
        now.advance(10)
        os.utime(tmp_path / "rules.yaml", (now() - 5, now() - 5))

    watch = Watch(tmp_path, World({"showpass": Showpass}, {}), database, now, elapsed=now)
    written("rules: [\n")
    standing_by = made(database, redis, now)
    tick(clock, [])
    tick(standing_by, [watch.tick])
    assert told(database) == []
    tick(clock, [watch.tick])
    assert "no rules are live" in told(database)[0]
    written("rules: []\n")
    tick(clock, [watch.tick])
    assert told(database) == []
    with database.read() as connection:
        assert rule_versions.live(connection)


def told(database: Database) -> list[str]:
    with database.read() as connection:
        return [alert.text for alert in open_alerts(connection)]
