"""What a day is, in every zone: across midnight, across daylight saving, at the calendar's ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import days

EDMONTON, VANCOUVER = ZoneInfo("America/Edmonton"), ZoneInfo("America/Vancouver")
SYDNEY, TORONTO = ZoneInfo("Australia/Sydney"), ZoneInfo("America/Toronto")
ZONES = [EDMONTON, VANCOUVER, SYDNEY, TORONTO, ZoneInfo("Pacific/Kiritimati"), UTC]

SENTINELS = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-12:00",
    "0001-01-01",
    "9999-12-31",
]
NONSENSE: list[Any] = [
    *(None, True, 0, 20270702, 1e300, b"2027-07-02", [], {}, ["2027-07-02"], object()),
    *("", "soon", "0000-00-00", "0000-00-00T00:00:00Z", "2027-15-30", "2027-02-29", "NaN"),
    *("2027-07-02T25:00", "2027-07-02T19:30+99:00", "02/07/2027", "\0", "9" * 5_000),
]


@pytest.mark.parametrize(
    ("written", "zone", "day"),
    [
        ("2027-07-03T01:30:00Z", EDMONTON, date(2027, 7, 2)),
        ("2027-07-03T01:30:00Z", SYDNEY, date(2027, 7, 3)),
        ("2027-07-02T14:30:00Z", SYDNEY, date(2027, 7, 3)),
        ("2027-07-02T19:30:00-06:00", UTC, date(2027, 7, 3)),
        ("2027-07-03T07:00:00Z", VANCOUVER, date(2027, 7, 3)),
        ("2027-07-03T06:59:59Z", VANCOUVER, date(2027, 7, 2)),
        # Winter time: an hour later in UTC than in summer.
        ("2027-12-02T06:59:59Z", EDMONTON, date(2027, 12, 1)),
        ("2027-07-02", EDMONTON, date(2027, 7, 2)),
        ("2027-07-02", SYDNEY, date(2027, 7, 2)),
        (" 2027-07-02 ", SYDNEY, date(2027, 7, 2)),
        ("20270702", SYDNEY, date(2027, 7, 2)),
        (date(2027, 7, 2), VANCOUVER, date(2027, 7, 2)),
    ],
)
def test_a_day_is_one_of_the_zones_calendar(written: Any, zone: tzinfo, day: date) -> None:
    """A day without a time is often kept as midnight in UTC, and shown as the day before.

    https://github.com/ynput/ayon-frontend/pull/1972
    """
    assert days.day_in(written, zone) == day


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2027, 3, 14), EDMONTON, 23),
        (date(2027, 11, 7), EDMONTON, 25),
        (date(2027, 10, 3), SYDNEY, 23),
        (date(2027, 4, 4), SYDNEY, 25),
        # The clocks there are put forward at midnight: the day has no 00:00.
        (date(2027, 3, 14), ZoneInfo("America/Havana"), 23),
        (date(2027, 7, 2), VANCOUVER, 24),
    ],
)
def test_a_day_is_as_long_as_it_is_there(day: date, zone: tzinfo, hours: int) -> None:
    first, last = days.span_of_day(day, zone)
    assert last - first + timedelta(microseconds=1) == timedelta(hours=hours)
    assert days.day_in(first, zone) == days.day_in(last, zone) == day


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("sentinel", SENTINELS)
def test_the_ends_of_the_calendar_raise_in_no_zone(sentinel: str, zone: tzinfo) -> None:
    """Year 1 is what .NET and Go send for no date, and it cannot be shown west of Greenwich.

    https://github.com/notatallshaw/nab/pull/947
    """
    when = days.moment(sentinel, zone)
    assert when is not None
    assert days.local(when, zone).year in (1, 9999)
    assert str(days.day_in(sentinel, zone))[-10:] == sentinel[:10]


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: repr(value)[:20])
def test_what_is_no_date_is_none(value: Any) -> None:
    assert days.moment(value) is None
    assert days.bare_day(value) is None
    assert days.day_in(value, SYDNEY) is None


def test_a_time_that_names_no_zone_is_of_the_given_one() -> None:
    assert days.moment("2027-07-02T19:30", EDMONTON) == datetime(2027, 7, 3, 1, 30, tzinfo=UTC)


@given(st.datetimes(timezones=st.timezones()), st.timezones())
def test_each_time_is_in_exactly_its_own_day(when: datetime, zone: tzinfo) -> None:
    day = days.day_in(when, zone)
    assert day is not None
    if when.year in (1, 9999):
        return
    first, last = days.span_of_day(day, zone)
    assert first <= when <= last
