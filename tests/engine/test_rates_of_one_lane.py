"""A rate that counts the calls of one lane alone, such as those of one method."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis import Redis

from bridge.connector import Rate, Seen
from bridge.engine.drain import Drain
from bridge.engine.estimate import cost_of
from bridge.engine.lease import Lease
from bridge.ledger import lanes
from bridge.ledger.database import Database
from tests.conftest import Now
from tests.engine.scripted import Script, Settings, destination, patience
from tests.engine.test_estimate import ByRoom, load
from tests.engine.test_limits import pacer
from tests.ledger.records import delivery, plan_all

METHOD = Rate(1, 20.0, lane="reactions.add")
POST = "scripted.post"


def test_it_counts_no_other_calls(redis: Redis) -> None:
    paced = pacer(redis, rates=(METHOD, Rate(1, 20.0, lane="chat.update")))
    with paced.call("reactions.add"):
        pass
    assert paced.wait("reactions.add") > 20.0
    assert paced.wait("chat.update") == 0
    assert paced.wait() == 0


def test_it_counts_beside_the_pace_of_each_lane(redis: Redis) -> None:
    paced = pacer(redis, rates=(Rate(1, 1.0, per_lane=True), METHOD))
    with paced.call("#sales"):
        pass
    assert 0.5 < paced.wait("#sales") < 2.0
    assert paced.wait("reactions.add") == 0


def test_what_the_vendor_says_of_its_limits_is_not_about_it(redis: Redis) -> None:
    paced = pacer(redis, rates=(METHOD,))
    paced.learn([Seen(1, 20.0, 0)])
    assert paced.wait() == 0
    assert paced.wait("reactions.add") == 0


def test_a_lane_is_not_behind_because_of_another_lanes_pace(database: Database, now: Now) -> None:
    script = Script()
    to = destination(script)
    slow = type("Slow", (to.kind,), {"rates": (METHOD,)})
    to = replace(to, kind=slow, connector=slow(Settings()))
    owed = [
        delivery(text, lane=POST, account="scripted", action="post", item={"text": text})
        for text in ("one", "two", "three")
    ]
    plan_all(database, owed, now())
    with database.write() as connection:
        lanes.wake(connection, POST, "job", now())
        assert lanes.take(connection, POST, "turn", now(), 30.0)
    with Lease(database, POST, "turn", 30.0, now, now()) as lease:
        Drain(database, to, patience(), now).run(lease, lambda: False)
    assert script.sent == ["one", "two", "three"]


def test_an_estimate_goes_by_the_paces_of_what_is_owed() -> None:
    owed = [load("pin", {"board.pin:hall": 40})]
    limited = type("Limited", (ByRoom,), {"rates": (*ByRoom.rates, Rate(1, 3600.0, lane="x"))})
    assert cost_of(limited, owed, 10_000) == cost_of(ByRoom, owed, 10_000)
    assert cost_of(ByRoom, owed, 10_000).seconds == pytest.approx(40 / 0.9, rel=0.1)
