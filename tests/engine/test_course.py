"""What is remembered over a long period: as much as may still matter, and no more."""

from __future__ import annotations

import weakref

import pytest

from bridge.engine.course import Arrivals, Course, Owed
from bridge.ledger.cancellers import Came
from bridge.ledger.plan import Once, PlannedDelivery, Unless
from tests.ledger.records import delivery

DAY = 86_400.0
MANY = 5_001
"""So many events later what is over has been looked for."""


@pytest.fixture
def course() -> Course:
    return Course(Arrivals(["refund"]))


def once(name: str, period: float | None) -> PlannedDelivery:
    return delivery(name, once=Once("ana", period, "once per contact"))


def scheduled(name: str, due_at: float, period: float | None = None) -> PlannedDelivery:
    return delivery(
        name,
        state="scheduled",
        due_at=due_at,
        once=Once("ana", period, "once per contact"),
        unless=Unless(("refund",), ("order 7",)),
    )


def take(course: Course, planned: PlannedDelivery, number: int, at: float) -> Owed:
    [owed] = course.take([planned], (number, 1), at)
    return owed


def let_pass(course: Course, at: float) -> None:
    for number in range(MANY):
        course.take([], (100 + number, 1), at)


def refund(course: Course, number: int, at: float) -> None:
    course.call_off({"order 7": Came((number, 1), "refund", ends=True)}, at)


def test_what_is_done_once_for_ever_is_never_forgotten(course: Course) -> None:
    take(course, once("one", None), 1, 0.0)
    let_pass(course, 300 * DAY)
    assert take(course, once("two", None), 9_000, 300 * DAY).fate == "once"


def test_what_is_done_once_in_a_period_is_remembered_so_long(course: Course) -> None:
    take(course, once("one", 7 * DAY), 1, 0.0)
    let_pass(course, 6 * DAY)
    assert take(course, once("two", 7 * DAY), 9_000, 6 * DAY).fate == "once"


def test_what_may_still_be_called_off_is_not_forgotten(course: Course) -> None:
    owed = take(course, scheduled("one", 5 * DAY), 1, 0.0)
    let_pass(course, 1 * DAY)
    refund(course, 9_000, 2 * DAY)
    assert (owed.fate, owed.reason) == (
        "cancelled",
        "cancelled: refund came first (event 9000)",
    )
    assert take(course, once("two", None), 9_001, 3 * DAY).fate == "now"


def test_what_was_sent_keeps_its_occasion_when_its_delivery_is_forgotten(course: Course) -> None:
    take(course, scheduled("one", 1 * DAY), 1, 0.0)
    let_pass(course, 2 * DAY)
    refund(course, 9_000, 3 * DAY)
    assert take(course, once("two", None), 9_001, 4 * DAY).fate == "once"


def test_what_was_sent_counts_though_the_rest_of_its_event_is_called_off(course: Course) -> None:
    early, late = scheduled("early", 1 * DAY), scheduled("late", 5 * DAY)
    course.take([early, late], (1, 1), 0.0)
    let_pass(course, 2 * DAY)
    refund(course, 9_000, 3 * DAY)
    assert take(course, once("two", None), 9_001, 4 * DAY).fate == "once"


@pytest.mark.parametrize("period", [None, 7 * DAY], ids=["for-ever", "a-week"])
def test_deliveries_that_are_over_take_no_memory(course: Course, period: float | None) -> None:
    known = weakref.ref(take(course, scheduled("one", 1 * DAY, period), 1, 0.0).planned)
    assert known() is not None
    let_pass(course, 30 * DAY)
    assert known() is None
