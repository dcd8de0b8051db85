"""A turn's hold on its lane, when the machine's clock is set and when the ledger stays away."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from redis import Redis

from bridge.engine.clock import OFFICE_SECONDS, RENEW_SECONDS, Clock
from bridge.engine.lease import Lease
from bridge.engine.queue import LaneQueue
from bridge.engine.wake import Waker
from bridge.errors import LeaseLost
from bridge.ledger import lanes
from bridge.ledger.database import Database
from tests.conftest import Now
from tests.ledger.records import accept, arrival

SECONDS = 10.0


@dataclass
class Hold:
    """A lease of a taken lane; `now` is the wall clock, `elapsed` the time that passes."""

    now: Now
    elapsed: Now
    lease: Lease


@pytest.fixture
def hold(database: Database, now: Now) -> Hold:
    elapsed = Now(1000.0)
    with database.write() as connection:
        lanes.wake(connection, "lane", "job", now())
        lanes.take(connection, "lane", "turn", now(), SECONDS)
    lease = Lease(database, "lane", "turn", SECONDS, now, elapsed(), elapsed)
    return Hold(now, elapsed, lease)


def test_a_wall_clock_that_is_put_forward_ends_no_lease(hold: Hold) -> None:
    hold.now.advance(3600)
    hold.lease.hold()


def test_a_wall_clock_that_is_put_back_prolongs_no_lease(hold: Hold) -> None:
    hold.now.advance(-3600)
    hold.elapsed.advance(SECONDS)
    with pytest.raises(LeaseLost):
        hold.lease.hold()


def clocks(database: Database, redis: Redis, now: Now) -> tuple[Clock, Clock]:
    queue = LaneQueue(redis)
    waker = Waker(database, queue, now)
    one, two = (Clock(database, queue, waker, lambda _: False, now, now) for _ in range(2))
    return one, two


def test_of_two_clocks_one_is_in_charge_and_the_other_takes_over(
    database: Database, redis: Redis, now: Now
) -> None:
    one, two = clocks(database, redis, now)
    one.tick()
    two.tick()
    assert (one.holds, two.holds) == (True, False)
    accept(database, arrival("key"))
    two.tick()
    assert len(LaneQueue(redis).inbox) == 0
    now.advance(OFFICE_SECONDS)
    two.tick()
    one.tick()
    assert (one.holds, two.holds) == (False, True)
    assert len(LaneQueue(redis).inbox) == 1


def test_a_clock_that_ticks_stays_in_charge(database: Database, redis: Redis, now: Now) -> None:
    one, two = clocks(database, redis, now)
    for _ in range(20):
        one.tick()
        two.tick()
        now.advance(RENEW_SECONDS / 2)
    assert one.holds
    assert not two.holds


def test_a_clock_that_is_stopped_hands_over_at_once(
    database: Database, redis: Redis, now: Now
) -> None:
    one, two = clocks(database, redis, now)
    one.tick()
    one.leave()
    two.tick()
    assert two.holds
