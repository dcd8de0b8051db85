"""Limits: no window of a vendor's ever holds more calls than it allows."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from bridge.connector import Connector, ConnectorSettings, NotNow, Rate, Seen
from bridge.engine.limits import LONGEST_WAIT, AccountPacer, Limits
from bridge.engine.pace import Alone, bucket
from bridge.engine.queue import connect
from tests.servers import running_redis


class Vendor(Connector):
    name = "vendor"
    title = "Vendor"
    Settings = ConnectorSettings
    rates: ClassVar[tuple[Rate, ...]] = (Rate(100, 10.0),)


class Sleeps:
    """Sleeps that are written down and not slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def pacer(redis: Redis, sleeps: Sleeps | None = None, **changes: object) -> AccountPacer:
    kind = type("Changed", (Vendor,), changes)
    limits = Limits(redis, sleep=sleeps or Sleeps())
    return limits.pacer("account", kind, 1.0)


@given(
    st.integers(1, 2000),
    st.sampled_from([1.0, 10.0, 60.0]),
    st.lists(st.floats(0, 3), min_size=1, max_size=300),
)
def test_no_window_holds_more_calls_than_the_limit(
    calls: int, seconds: float, pauses: list[float]
) -> None:
    """GCRA, run in numbers: callers who come after any pauses."""
    rate = Rate(calls, seconds)
    paced = bucket("key", rate)
    granted: list[float] = []
    now, tat = 0.0, 0.0
    for pause in pauses:
        now += pause * paced.interval
        tat = max(tat, now)
        at = max(now, tat - paced.tolerance)
        tat = max(tat, at) + paced.interval
        granted.append(at)
    for index, start in enumerate(granted):
        within = sum(1 for at in granted[index:] if at < start + seconds * 1_000_000)
        assert within <= calls


def test_the_first_calls_of_an_unknown_account_come_at_the_steady_pace(redis: Redis) -> None:
    sleeps = Sleeps()
    paced = pacer(redis, sleeps)
    for _ in range(5):
        with paced.call():
            pass
    # Nothing is slept, so each waits for all before it: a ninth of a second more each time.
    assert sleeps.slept == pytest.approx([0.11, 0.22, 0.33, 0.44], abs=0.05)


def test_processes_share_a_pace(redis: Redis) -> None:
    sleeps = Sleeps()
    for paced in (pacer(redis, sleeps), pacer(redis, sleeps), pacer(redis, sleeps)):
        with paced.call():
            pass
    assert sleeps.slept == pytest.approx([0.11, 0.22], abs=0.05)


def test_a_wait_that_is_too_long_is_refused_and_costs_nothing(redis: Redis) -> None:
    paced = pacer(redis, rates=(Rate(1, 600.0),))
    with paced.call():
        pass
    for _ in range(3):
        with pytest.raises(NotNow) as refused, paced.call():
            pass
        assert LONGEST_WAIT < refused.value.after < 670


def test_asking_how_long_takes_nothing(redis: Redis) -> None:
    sleeps = Sleeps()
    paced = pacer(redis, sleeps)
    for _ in range(50):
        assert paced.wait() == 0
    with paced.call():
        pass
    assert sleeps.slept == []


def test_each_lane_has_a_pace_of_its_own(redis: Redis) -> None:
    paced = pacer(redis, rates=(Rate(1, 1.0, per_lane=True),))
    with paced.call("#sales"):
        pass
    assert paced.wait("#sales") > 1.0
    assert paced.wait("#ops") == 0
    assert paced.wait() == 0


def test_the_smallest_of_several_windows_counts(redis: Redis) -> None:
    paced = pacer(redis, rates=(Rate(1000, 1.0), Rate(6, 60.0)))
    with paced.call():
        pass
    assert paced.wait() == pytest.approx(60 / 5.4, abs=0.5)


def test_what_the_vendor_says_of_its_limit_replaces_what_is_published(redis: Redis) -> None:
    paced = pacer(redis)
    paced.learn([Seen(190, 10.0, 150)])
    with paced.call():
        pass
    assert paced.wait() == pytest.approx(10 / 171, abs=0.02)


def test_where_others_have_used_up_the_window_we_wait(redis: Redis) -> None:
    paced = pacer(redis)
    assert paced.wait() == 0
    paced.learn([Seen(100, 10.0, 0)])
    assert paced.wait() > 0.9


def test_a_used_up_day_is_waited_for_elsewhere(redis: Redis) -> None:
    paced = pacer(redis, rates=(Rate(250_000, 86_400.0),))
    paced.learn([Seen(250_000, 86_400.0, 0)])
    assert paced.wait() > 0.5
    paced.learn([Seen(250_000, 86_400.0, 249_000)])


def test_no_more_calls_at_once_than_the_vendor_allows(redis: Redis) -> None:
    paced = pacer(redis, rates=(), concurrency=2)
    inside = threading.Semaphore(0)
    leave = threading.Event()

    def call() -> None:
        with paced.call():
            inside.release()
            leave.wait(20)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=10)
    assert inside.acquire(timeout=10)
    assert redis.zcard("showbridge:calls:account") == 2
    assert not paced._has_entered("third", 2)
    leave.set()
    for thread in threads:
        thread.join()
    assert redis.zcard("showbridge:calls:account") == 0


def test_a_failed_call_gives_its_slot_back(redis: Redis) -> None:
    paced = pacer(redis, rates=(), concurrency=1)
    for _ in range(3):
        with pytest.raises(RuntimeError), paced.call():
            raise RuntimeError
    assert redis.zcard("showbridge:calls:account") == 0


def test_a_wiped_redis_means_no_second_burst(redis: Redis) -> None:
    sleeps = Sleeps()
    paced = pacer(redis, sleeps)
    with paced.call():
        pass
    redis.flushall()
    for _ in range(3):
        with paced.call():
            pass
    assert sum(1 for slept in sleeps.slept if slept > 0) == 2


def test_without_redis_each_process_goes_on_at_a_share_of_the_pace(tmp_path: Path) -> None:
    sleeps = Sleeps()
    with running_redis(tmp_path) as url:
        paced = pacer(connect(url), sleeps, concurrency=3)
        with paced.call():
            pass
    with paced.call():
        pass
    with paced.call():
        pass
    assert sleeps.slept == pytest.approx([0.89, 1.78], abs=0.1)


def test_alone_a_process_makes_one_call_at_a_time() -> None:
    alone = Alone(lambda: 0.0)
    assert alone.enter("one")
    assert not alone.enter("two")
    assert alone.leave("one")
    assert alone.enter("two")


@pytest.mark.parametrize("value", ["nan", "-nan", "inf", "no number", ""])
def test_a_value_in_redis_that_is_no_number_lifts_no_limit(redis: Redis, value: str) -> None:
    limits = Limits(redis)
    one = [1_000_000, 0, 0]
    redis.set("showbridge:limit:a:1", value)
    for _ in range(2):
        limits.take(keys=["showbridge:limit:a:1"], args=[*one, 0])
    granted, wait = limits.take(keys=["showbridge:limit:a:1"], args=[*one, 0])
    assert granted == 0
    assert 0 < wait <= 12_000_000


def test_slots_that_never_lapse_hold_no_account(redis: Redis) -> None:
    limits = Limits(redis)
    redis.zadd("showbridge:calls:a", {f"held-{n}": float("inf") for n in range(9)})
    assert limits.enter(keys=["showbridge:calls:a"], args=["mine", 5, 20]) == 1
