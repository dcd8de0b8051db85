"""The alarm: lanes are woken at their moment, in the order of the moments."""

from __future__ import annotations

import queue
import time

from bridge.engine.alarm import Alarm
from bridge.errors import LedgerUnavailable
from tests.servers import START_SECONDS


def test_lanes_are_woken_in_the_order_of_their_moments_and_not_before() -> None:
    woken: queue.Queue[tuple[str, float]] = queue.Queue()
    alarm = Alarm(lambda lane: woken.put((lane, time.monotonic())))
    began = time.monotonic()
    alarm.set("late", 2.0)
    alarm.set("soon", 0.05)
    first, second = woken.get(timeout=START_SECONDS), woken.get(timeout=START_SECONDS)
    alarm.stop()
    assert (first[0], second[0]) == ("soon", "late")
    assert first[1] - began >= 0.05
    assert second[1] - began >= 2.0


def test_a_ledger_that_is_away_does_not_end_the_alarm() -> None:
    woken: queue.Queue[str] = queue.Queue()

    def wake(lane: str) -> None:
        woken.put(lane)
        if lane == "first":
            raise LedgerUnavailable("away")

    alarm = Alarm(wake)
    alarm.set("first", 0)
    assert woken.get(timeout=START_SECONDS) == "first"
    alarm.set("second", 0)
    assert woken.get(timeout=START_SECONDS) == "second"
    alarm.stop()


def test_a_lane_that_is_set_is_not_set_again() -> None:
    woken: queue.Queue[str] = queue.Queue()
    alarm = Alarm(woken.put)
    for _ in range(5):
        alarm.set("lane", 1.0)
    alarm.set("another", 2.0)
    assert [woken.get(timeout=START_SECONDS) for _ in range(2)] == ["lane", "another"]
    alarm.stop()


def test_what_is_set_when_it_stops_is_left_alone() -> None:
    woken: queue.Queue[str] = queue.Queue()
    alarm = Alarm(woken.put)
    alarm.set("far", 3600)
    alarm.stop()
    assert woken.empty()
