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


@pytest.mark.parametrize("text", ["", "soon", "2 fortnights", "2027-13-01", "-1 h"])
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(text, NOW)
