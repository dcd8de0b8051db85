"""Points in time as people type them."""

from __future__ import annotations

from datetime import datetime

import pytest

from bridge.cli.moment import parse

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 seconds", 90),
        ("2 hours", 7200),
        ("2h", 7200),
        ("1.5 Hours ago", 5400),
        ("10 min", 600),
        ("10m", 600),
        ("3 days", 259_200),
        ("1 week", 604_800),
    ],
)
def test_a_duration_counts_back_from_now(text: str, seconds: float) -> None:
    assert parse(text, NOW) == NOW - seconds


def test_a_time_with_a_zone_is_exact() -> None:
    assert parse("1970-01-01T01:00:00+01:00", NOW) == 0
    assert parse("1970-01-01T00:00:10Z", NOW) == 10


def test_a_time_without_a_zone_is_local() -> None:
    local = datetime(2027, 3, 9, 14, 30).astimezone()
    assert parse("2027-03-09 14:30", NOW) == local.timestamp()


def local(*parts: int) -> float:
    return datetime(*parts).astimezone().timestamp()  # type: ignore[arg-type]  # no zone in them


@pytest.mark.parametrize(
    ("text", "day", "hour"),
    [
        ("today", 15, 0),
        ("yesterday", 14, 0),
        ("Yesterday 14:30", 14, 14.5),
        ("today at 09:00", 15, 9),
        ("thursday", 14, 0),
        ("mon", 11, 0),
        ("Friday", 8, 0),
        ("tues 23:30", 12, 23.5),
        ("saturday", 9, 0),
    ],
)
def test_a_day_is_named_as_people_name_it(text: str, day: int, hour: float) -> None:
    """A Friday is meant, the 15th; the same day's name is that of a week ago.

    The kind: https://github.com/psss/did/issues/79 (no such word), and
    https://github.com/szymonkozak/tempomat/pull/23 and https://github.com/abrt/faf/issues/185
    (it began at another hour, or on another day).
    """
    friday = local(2027, 1, 15, 16, 0)
    assert parse(text, friday) == local(2027, 1, day, int(hour), round(hour % 1 * 60))


def test_now_and_an_hour_are_times() -> None:
    assert parse("now", NOW) == NOW
    assert parse("an hour ago", NOW) == NOW - 3600
    assert parse("a week", NOW) == NOW - 604_800


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "yesterday 25:00",
        "tomorrow",
        "yesterday noon",
        "2 fortnights",
        "2027-13-01",
        "-1 h",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(text, NOW)
