"""The wakes, leases and offices that the whole engine stands on."""

from __future__ import annotations

import time
from uuid import uuid4

from bridge.ledger import lanes, offices
from bridge.ledger.claim import Batch, claim, recover
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from bridge.ledger.migrate import migrate
from tests.ledger.records import delivery, plan_all
from tests.servers import PostgreSQL

SECONDS = 10.0


def wake(database: Database, job: str, now: float) -> bool:
    with database.write() as connection:
        return lanes.wake(connection, "lane", job, now)


def take(database: Database, turn: str, now: float) -> bool:
    with database.write() as connection:
        return lanes.take(connection, "lane", turn, now, SECONDS)


def is_quiet(database: Database, now: float) -> bool:
    with database.read() as connection:
        return lanes.is_quiet(connection, "lane", now)


def test_a_lane_is_woken_once_however_often_it_is_asked_for(database: Database) -> None:
    assert [wake(database, f"job-{n}", 1.0) for n in range(3)] == [True, False, False]


def test_a_turn_clears_the_wake_so_that_later_work_wakes_again(database: Database) -> None:
    wake(database, "job-1", 1.0)
    assert take(database, "turn-1", 1.0)
    with database.write() as connection:
        lanes.release(connection, "lane", "turn-1")
    assert wake(database, "job-2", 1.0)


def test_a_lane_with_somebody_at_it_needs_no_wake(database: Database) -> None:
    wake(database, "job-1", 1.0)
    take(database, "turn-1", 1.0)
    assert not is_quiet(database, 2.0)
    assert not wake(database, "job-2", 2.0)


def test_a_lease_of_a_clock_that_was_ahead_holds_nothing(database: Database) -> None:
    """On SQLite times are the machine's, which boots with a wrong one now and then."""
    ahead = 1_000_000.0
    wake(database, "job-1", ahead)
    assert take(database, "turn-1", ahead)
    assert not is_quiet(database, ahead + 1)
    assert is_quiet(database, 2.0)
    assert wake(database, "job-2", 2.0)
    assert take(database, "turn-2", 2.0)
    with database.write() as connection:
        lanes.release(connection, "lane", "turn-2")
    wake(database, "job-3", ahead)
    with database.read() as connection:
        assert [each.job for each in lanes.wakes_before(connection, 3.0, 2.0)] == ["job-3"]


def test_only_one_turn_has_the_lane(database: Database) -> None:
    wake(database, "job-1", 1.0)
    assert take(database, "turn-1", 1.0)
    assert not take(database, "turn-2", 2.0)


def test_a_turn_that_finds_the_lane_taken_uses_up_its_wake(database: Database) -> None:
    """Else the holder, looking once more before it leaves, would trust a job that is gone."""
    wake(database, "job-1", 1.0)
    take(database, "turn-1", 1.0)
    with database.write() as connection:
        lanes.release(connection, "lane", "turn-1")
    wake(database, "job-2", 1.0)
    take(database, "turn-2", 1.0)
    take(database, "turn-3", 1.0)
    with database.write() as connection:
        lanes.release(connection, "lane", "turn-2")
    assert is_quiet(database, 1.0)


def test_a_lease_lapses_by_itself(database: Database) -> None:
    wake(database, "job-1", 1.0)
    take(database, "turn-1", 1.0)
    assert take(database, "turn-2", 1.0 + SECONDS)


def test_a_renewed_lease_lasts_and_a_lapsed_one_is_not_renewed(database: Database) -> None:
    wake(database, "job-1", 1.0)
    take(database, "turn-1", 1.0)
    with database.write() as connection:
        assert lanes.renew(connection, "lane", "turn-1", 8.0, SECONDS)
    assert not take(database, "turn-2", 12.0)
    assert take(database, "turn-3", 18.0)
    with database.write() as connection:
        assert not lanes.renew(connection, "lane", "turn-1", 18.0, SECONDS)


def test_leaving_a_lane_that_is_not_held_any_more_frees_nothing(database: Database) -> None:
    wake(database, "job-1", 1.0)
    take(database, "turn-1", 1.0)
    take(database, "turn-2", 20.0)
    with database.write() as connection:
        lanes.release(connection, "lane", "turn-1")
    assert not take(database, "turn-3", 21.0)


def test_a_lost_wake_is_replaced_by_one_clock_only(database: Database) -> None:
    wake(database, "job-1", 1.0)
    with database.write() as connection:
        (lost,) = lanes.wakes_before(connection, 5.0, 2.0)
        assert lanes.wake_again(connection, lost, "job-2", 5.0)
        assert not lanes.wake_again(connection, lost, "job-3", 5.0)


def test_lost_wakes_are_replaced_in_the_order_in_which_they_were_asked_for(
    database: Database,
) -> None:
    with database.write() as connection:
        for at, lane in ((3.0, "slack"), (1.0, "mailchimp"), (2.0, "hubspot")):
            assert lanes.wake(connection, lane, "job", at)
        lost = lanes.wakes_before(connection, 9.0, 2.0)
    assert [each.lane for each in lost] == ["mailchimp", "hubspot", "slack"]


def test_the_lane_that_has_waited_longest_is_woken_first(database: Database) -> None:
    owed = [("hubspot.upsert", 30.0), ("slack.post", 10.0), ("mailchimp.subscribe", 20.0)]
    for lane, at in owed:
        name = lane.partition(".")[0]
        plan_all(database, [delivery(f"{name}-{at}", lane=lane, account=name)], at)
        plan_all(database, [delivery(f"{name}-later", lane=lane, account=name)], 40.0)
    with database.read() as connection:
        found = due_lanes(connection, 50.0)
    assert found == ["slack.post", "mailchimp.subscribe", "hubspot.upsert"]


def test_a_lane_whose_workers_are_killed_again_and_again_lets_others_go_first(
    database: Database,
) -> None:
    plan_all(database, [delivery("a", lane="hubspot.upsert", account="hubspot")], 10.0)
    plan_all(database, [delivery("b", lane="slack.post", account="slack")], 11.0)
    with database.write() as connection:
        claim(connection, "hubspot.upsert", "killed", 1, Batch, 12.0)
        recover(connection, "hubspot.upsert", 12, 5.0, 12.0)
    with database.read() as connection:
        assert due_lanes(connection, 20.0) == ["slack.post", "hubspot.upsert"]


def test_a_server_s_clock_decides_however_far_those_of_machines_are_apart(
    postgresql: PostgreSQL,
) -> None:
    """One machine's clock is an hour ahead, another's an hour behind."""
    database = Database(postgresql.make_database(f"test_{uuid4().hex}"))
    migrate(database)
    ahead, behind = time.time() + 3600, time.time() - 3600
    assert wake(database, "job-1", behind)
    assert take(database, "turn-1", behind)
    assert not take(database, "turn-2", ahead)
    assert not is_quiet(database, ahead)
    assert not wake(database, "job-2", ahead)
    with database.write() as connection:
        assert lanes.renew(connection, "lane", "turn-1", ahead, SECONDS)
        lanes.release(connection, "lane", "turn-1")
    assert wake(database, "job-3", behind)
    with database.read() as connection:
        assert lanes.wakes_before(connection, ahead, SECONDS) == []
        assert len(lanes.wakes_before(connection, behind, -SECONDS)) == 1
    database.close()


def test_an_office_is_one_s_until_it_lapses_or_is_left(database: Database) -> None:
    def hold(holder: str, now: float) -> bool:
        with database.write() as connection:
            return offices.hold(connection, offices.CLOCK, holder, now, SECONDS)

    assert hold("one", 1.0)
    assert not hold("two", 2.0)
    assert hold("one", 9.0)
    assert not hold("two", 12.0)
    assert hold("two", 19.0)
    with database.write() as connection:
        offices.leave(connection, offices.CLOCK, "one")
    assert not hold("one", 20.0)
    with database.write() as connection:
        offices.leave(connection, offices.CLOCK, "two")
    assert hold("one", 20.0)
