"""`showbridge clock`: what it does each second, at times that the test sets."""

from __future__ import annotations

import pytest
from redis import Redis
from sqlalchemy import select

from bridge.cli.clock import tick
from bridge.engine import assemble
from bridge.engine.clock import Clock
from bridge.engine.housekeeping import ROUND_SECONDS, Housekeeping
from bridge.engine.queue import LaneQueue
from bridge.ledger import endings, tables
from bridge.ledger.database import Database
from bridge.ledger.endings import Ending
from bridge.ledger.lanes import INBOX
from bridge.settings import RetentionConfig
from tests.conftest import Now
from tests.ledger.records import accept, arrival
from tests.ledger.test_prune import DAY, RETENTION, settled


@pytest.fixture
def clock(database: Database, redis: Redis, now: Now) -> Clock:
    made = assemble.clock(database, LaneQueue(redis), now)
    made.elapsed = now
    return made


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
    other = assemble.clock(database, LaneQueue(redis), now)
    other.elapsed = now
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
