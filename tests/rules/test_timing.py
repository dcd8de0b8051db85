"""When what a rule does is due: after, at, and outside quiet hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import rules
from bridge.event import Event
from bridge.rules.seen import Seen
from bridge.rules.timing import QuietHours, TimeOfDay, Timing, TooLate
from bridge.rules.values import view

Compiled = Callable[[str], rules.RuleSet]

# A Friday in Edmonton: 08:00.
RECEIVED = datetime(2027, 6, 25, 14, 0, tzinfo=UTC).timestamp()
STARTS = datetime(2027, 7, 3, 1, 30, tzinfo=UTC)


@pytest.fixture
def event(order: Event) -> Event:
    return replace(order, received_at=RECEIVED)


def due(
    compiled: Compiled, event: Event, options: str, now: float = RECEIVED, zone: str = ""
) -> datetime | None:
    """None: now."""
    made = compiled(
        f"time_zone: {zone or 'America/Edmonton'}\n"
        "rules:\n- name: A rule\n  when: {source: shop, event: order.*}\n"
        f"  {options}\n  do: [{{chat.post_message: {{channel: here, text: hello}}}}]\n"
    )
    timing = made.rules[0].timing
    assert timing is not None
    at = timing.due(Seen(view(event)), RECEIVED, now)
    return datetime.fromtimestamp(at, UTC) if at else None


def utc(day: int, hour: int, minute: int = 0, month: int = 6) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("after: 2 days", utc(27, 14)),
        ("after: 90 minutes", utc(25, 15, 30)),
        ("after: 1.5 hours", utc(25, 15, 30)),
        ('at: "09:00"', utc(25, 15)),
        ('at: "9:00"', utc(25, 15)),
        ('at: "07:59"', utc(26, 13, 59)),
        ('at: "08:00"', None),
        ('at: "09:00 event local"', utc(25, 15)),
        ('at: "09:00 America/Halifax"', utc(26, 12)),
        ('{after: 2 days, at: "09:00"}', utc(27, 15)),
        ('{after: 2 days, at: "07:00"}', utc(27, 13)),
        ('{after: 3 hours, at: "09:00"}', utc(26, 15)),
        ("after: 1 day after tickets.starts_on", utc(4, 1, 30, month=7)),
        ("after: 2 hours before tickets.starts_on", utc(2, 23, 30, month=7)),
        ('{after: 1 day before tickets.starts_on, at: "09:00"}', utc(1, 15, month=7)),
        ('{after: 1 day after tickets.starts_on, at: "09:00"}', utc(3, 15, month=7)),
    ],
)
def test_it_is_due_then(
    compiled: Compiled, event: Event, options: str, expected: datetime | None
) -> None:
    inner = options[1:-1].replace(", at", "\n  at") if options.startswith("{") else options
    assert due(compiled, event, inner) == expected


@pytest.mark.parametrize(
    ("quiet", "now", "expected"),
    [
        ('{from: "22:00", to: "09:00"}', RECEIVED, utc(25, 15)),
        ('{from: "22:00", to: "08:00"}', RECEIVED, None),
        ('{from: "08:00", to: "08:30"}', RECEIVED, utc(25, 14, 30)),
        ('{from: "08:01", to: "08:30"}', RECEIVED, None),
        ('{from: "07:00", to: "12:00", time_zone: UTC}', RECEIVED, None),
        # Routed late, in the quiet hours: they begin at 22:00 of that day.
        ('{from: "22:00", to: "09:00"}', utc(26, 4).timestamp(), utc(26, 15)),
    ],
)
def test_quiet_hours_are_waited_for(
    compiled: Compiled, event: Event, quiet: str, now: float, expected: datetime | None
) -> None:
    assert due(compiled, event, f"quiet_hours: {quiet}", now) == expected


def test_what_is_due_in_quiet_hours_waits_for_their_end(compiled: Compiled, event: Event) -> None:
    options = 'after: 15 hours\n  quiet_hours: {from: "22:00", to: "08:00"}'
    assert due(compiled, event, options) == utc(26, 14)


def test_what_was_due_before_it_is_routed_is_due_now(compiled: Compiled, event: Event) -> None:
    assert due(compiled, event, "after: 2 days", now=utc(28, 0).timestamp()) is None


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (
            "after: 30 days before tickets.starts_on",
            "its time, 3 June 2027, 01:30 UTC, was over when the event came in",
        ),
        (
            "after: 1 day before raw.unheard_of",
            "raw.unheard_of is not known, so nothing says when",
        ),
    ],
)
def test_a_time_that_is_over_or_unknown_is_told(
    compiled: Compiled, event: Event, option: str, why: str
) -> None:
    with pytest.raises(TooLate) as told:
        due(compiled, event, option)
    assert str(told.value) == why


def test_of_several_shows_the_first_counts_before_and_the_last_after(
    compiled: Compiled, event: Event
) -> None:
    tickets = [{"starts_on": STARTS}, {"starts_on": utc(20, 1, month=7)}]
    event = replace(event, facts={"tickets": tickets})
    assert due(compiled, event, "after: 1 day before tickets.starts_on") == utc(2, 1, 30, month=7)
    assert due(compiled, event, "after: 1 day after tickets.starts_on") == utc(21, 1, month=7)


def test_a_day_later_is_the_same_time_of_day_where_the_clocks_change(
    compiled: Compiled, event: Event
) -> None:
    """In Edmonton they go forward on 14 March 2027 at 02:00."""
    starts = datetime(2027, 3, 14, 2, 30, tzinfo=UTC)
    event = replace(event, facts={"tickets": [{"starts_on": starts}]}, received_at=0.0)
    made = compiled(
        "time_zone: America/Edmonton\n"
        "rules:\n- name: A rule\n  when: {source: shop, event: order.*}\n"
        '  after: 1 day after tickets.starts_on\n  at: "09:00"\n'
        "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
    )
    timing = made.rules[0].timing
    assert timing is not None
    at = timing.due(Seen(view(event)), 0.0, 0.0)
    assert datetime.fromtimestamp(at, UTC) == datetime(2027, 3, 14, 15, 0, tzinfo=UTC)


times = st.times().map(lambda one: one.replace(second=0, microsecond=0))
zones = st.timezones(no_cache=False)
moments = st.integers(1_000_000_000, 7_000_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


def test_quiet_hours_that_end_in_the_hour_that_comes_twice_end_in_the_second() -> None:
    quiet = QuietHours(time(22), time(1, 30), ZoneInfo("America/Edmonton"))
    second = datetime(2026, 11, 1, 8, 24, tzinfo=UTC)
    assert quiet.over(second).timestamp() == second.timestamp() + 6 * 60
    first = datetime(2026, 11, 1, 7, 24, tzinfo=UTC)
    assert quiet.over(first).timestamp() == first.timestamp() + 6 * 60


@pytest.mark.parametrize("starts", ["9999-01-01T00:00:00Z", "9999-12-31T23:59:00Z"])
def test_what_no_clock_could_show_is_told(compiled: Compiled, event: Event, starts: str) -> None:
    far = replace(event, raw={"starts": starts})
    with pytest.raises(TooLate, match="its time is out of any calendar"):
        due(compiled, far, "after: 1 hour after raw.starts")


@given(clock=times, zone=zones, moment=moments)
def test_a_time_of_day_comes_within_a_day_and_never_before(
    clock: datetime, zone: object, moment: datetime
) -> None:
    found = TimeOfDay(clock, zone).next(moment)  # type: ignore[arg-type]
    ahead = found.timestamp() - moment.timestamp()
    assert -3600 * 3 <= ahead <= 86400 + 3600 * 3


@given(start=times, end=times, zone=zones, moment=moments)
def test_after_quiet_hours_it_is_not_quiet(
    start: datetime, end: datetime, zone: object, moment: datetime
) -> None:
    if start == end:
        return
    quiet = QuietHours(start, end, zone)  # type: ignore[arg-type]
    found = quiet.over(moment)
    assert found.timestamp() >= moment.timestamp()
    assert found == moment or found.timetz().replace(tzinfo=None) == end


def test_without_anything_to_wait_for_it_is_due_now(event: Event) -> None:
    assert Timing().due(Seen(view(event)), RECEIVED, RECEIVED) == 0.0
