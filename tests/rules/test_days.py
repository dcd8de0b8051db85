"""Days in rules are days of the rules' time zone: in conditions, texts, and times to wait for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bridge import rules
from bridge.event import Event
from bridge.rules.examine import examine
from bridge.rules.explain import explain
from bridge.rules.fill import fill
from bridge.rules.seen import Seen
from bridge.rules.timing import TooLate
from bridge.rules.values import view

Compiled = Callable[[str], rules.RuleSet]

# 2 July, 19:30 in Edmonton; the morning of the 3rd in Sydney.
EVENING = datetime(2027, 7, 3, 1, 30, tzinfo=UTC)


def starting(event: Event, starts_on: Any) -> Event:
    return replace(event, facts={**event.facts, "tickets": [{"starts_on": starts_on}]})


def one_rule(compiled: Compiled, zone: str, where: str, text: str = "hello") -> rules.RuleSet:
    named = f"time_zone: {zone}\n" if zone else ""
    quoted = text.replace("'", "''")
    return compiled(
        f"{named}rules:\n- name: A rule\n  when: {{source: shop, event: order.*, where: {where}}}\n"
        f"  do: [{{chat.post_message: {{channel: here, text: '{quoted}'}}}}]\n"
    )


def matched(compiled: Compiled, zone: str, where: str, event: Event) -> bool:
    made = one_rule(compiled, zone, where)
    ((verdict),) = rules.judge(made, event)
    seen = examine(made.rules[0], event)
    assert seen.matched == verdict.matched
    return verdict.matched


@pytest.mark.parametrize(
    ("where", "edmonton", "sydney"),
    [
        ("{tickets.starts_on: 2027-07-02}", True, False),
        ("{tickets.starts_on: 2027-07-03}", False, True),
        ("{tickets.starts_on: {is: 2027-07-02}}", True, False),
        ("{tickets.starts_on: {is_not: 2027-07-02}}", False, True),
        ("{tickets.starts_on: [2027-07-01, 2027-07-02]}", True, False),
        ("{tickets.starts_on: {one_of: [2027-07-01, 2027-07-02]}}", True, False),
        ("{tickets.starts_on: {before: 2027-07-03}}", True, False),
        ("{tickets.starts_on: {after: 2027-07-02}}", False, True),
        ("{tickets.starts_on: {any: [2027-07-01, 2027-07-02]}}", True, False),
        ("{not: {tickets.starts_on: 2027-07-02}}", False, True),
        ("{tickets.starts_on: {after: 2027-07-02T19:00, before: 2027-07-02T20:00}}", True, False),
        ("{tickets.starts_on: 2027-07-02T19:30}", True, False),
        ("{tickets.starts_on: 2027-07-02T19:30:00-06:00}", True, True),
        ("{raw.when: 2027-07-02}", True, False),
        ("{raw.when: {before: 2027-07-03}}", True, False),
        ("{event.time: {before: 2027-07-03}}", True, False),
        ("{event.time: 2027-07-02}", True, False),
    ],
)
def test_a_day_in_a_condition_is_one_of_the_rules_zone(
    compiled: Compiled, order: Event, where: str, edmonton: bool, sydney: bool
) -> None:
    """Days elsewhere end in the afternoon too, where they are days of UTC.

    https://github.com/home-assistant/core/issues/23720
    """
    event = replace(
        starting(order, EVENING), received_at=EVENING.timestamp(), raw={"when": EVENING.isoformat()}
    )
    assert matched(compiled, "America/Edmonton", where, event) == edmonton
    assert matched(compiled, "Australia/Sydney", where, event) == sydney


@pytest.mark.parametrize("zone", ["America/Vancouver", "Australia/Sydney", "Asia/Kolkata", ""])
@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ("{tickets.starts_on: 2027-07-02}", True),
        ("{tickets.starts_on: {is_not: 2027-07-02}}", False),
        ("{tickets.starts_on: {before: 2027-07-03}}", True),
        ("{tickets.starts_on: {before: 2027-07-02}}", False),
        ("{tickets.starts_on: {after: 2027-07-01}}", True),
        ("{tickets.starts_on: {after: 2027-07-02}}", False),
        ("{raw.when: 2027-07-02}", True),
        ("{raw.when: {before: 2027-07-03}}", True),
        ("{raw.when: {after: 2027-07-02}}", False),
    ],
)
def test_a_day_without_a_time_is_that_day_in_every_zone(
    compiled: Compiled, order: Event, zone: str, where: str, holds: bool
) -> None:
    """https://github.com/home-assistant/core/issues/25814"""
    event = replace(starting(order, date(2027, 7, 2)), raw={"when": "2027-07-02"})
    assert matched(compiled, zone, where, event) == holds


def test_a_day_without_a_time_has_neither_passed_nor_begun_before_it_is_over(
    compiled: Compiled, order: Event
) -> None:
    """A membership that is good until 2 July is good in the evening of 2 July."""
    event = replace(starting(order, date(2027, 7, 2)), received_at=EVENING.timestamp())
    for where, holds in (
        ("{tickets.starts_on: {before: now}}", False),
        ("{tickets.starts_on: {after: now}}", False),
        ("{tickets.starts_on: {after: 1 day ago}}", True),
        ("{tickets.starts_on: {within: 1 hour}}", True),
        ("{tickets.starts_on: {within: 1 hour before event.time}}", True),
    ):
        assert matched(compiled, "America/Edmonton", where, event) == holds, where
        tomorrow = replace(event, received_at=EVENING.timestamp() + 86400)
        assert not matched(
            compiled, "America/Edmonton", "{tickets.starts_on: {after: 1 hour ago}}", tomorrow
        )


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        ("America/Edmonton", "2027-03-14", "2027-03-14T07:00Z", "2027-03-15T05:59:59Z"),
        ("America/Edmonton", "2027-11-07", "2027-11-07T06:00Z", "2027-11-08T06:59:59Z"),
        ("Australia/Sydney", "2027-10-03", "2027-10-02T14:00Z", "2027-10-03T12:59:59Z"),
        ("Australia/Sydney", "2027-04-04", "2027-04-03T13:00Z", "2027-04-04T13:59:59Z"),
    ],
)
def test_a_day_on_which_the_clocks_change_is_whole(
    compiled: Compiled, order: Event, zone: str, day: str, first: str, last: str
) -> None:
    """https://github.com/aceinnolab/Inkycal/pull/185"""
    for when, holds in ((first, True), (last, True)):
        event = starting(order, datetime.fromisoformat(when))
        assert matched(compiled, zone, f"{{tickets.starts_on: {day}}}", event) == holds
    hour = 3600
    for when, away in ((first, -hour), (last, hour)):
        shifted = datetime.fromtimestamp(datetime.fromisoformat(when).timestamp() + away, UTC)
        assert not matched(
            compiled, zone, f"{{tickets.starts_on: {day}}}", starting(order, shifted)
        )


def test_the_zone_is_said_where_a_day_decides(compiled: Compiled, order: Event) -> None:
    made = one_rule(compiled, "America/Edmonton", "{tickets.starts_on: {after: 2027-07-02}}")
    event = starting(order, EVENING)
    assert "tickets.starts_on is after 2027-07-02 in America/Edmonton" in explain(made.rules[0])
    (verdict,) = rules.judge(made, event)
    assert verdict.why_not == (
        "tickets.starts_on is 2027-07-02 19:30 MDT, not after 2027-07-02 in America/Edmonton"
    )
    (asked,) = examine(made.rules[0], event).asked
    assert asked.found == "2027-07-02 19:30 MDT"
    assert asked.nearest == "4 hours too early"


def test_rules_of_another_zone_share_no_answer(compiled: Compiled, order: Event) -> None:
    """Questions that read alike are asked once for all rules, but not for those of other zones."""
    sets = [
        one_rule(compiled, zone, "{tickets.starts_on: 2027-07-02}")
        for zone in ("America/Edmonton", "Australia/Sydney", "")
    ]
    event = starting(order, EVENING)
    assert [rules.judge(one, event)[0].matched for one in sets] == [True, False, False]


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/Edmonton", "2027-07-02T19:30:00-06:00"),
        ("Australia/Sydney", "2027-07-03T11:30:00+10:00"),
        ("", "2027-07-03T01:30:00+00:00"),
    ],
)
def test_a_time_in_a_text_is_shown_by_the_rules_clocks(
    compiled: Compiled, order: Event, zone: str, shown: str
) -> None:
    """What takes the day from it, such as a date field of a vendor, gets the right one."""
    text = "{{ tickets[0].starts_on }} {{ tickets | map(attribute='starts_on') | join }}"
    made = one_rule(compiled, zone, "{contact.email: {present: true}}", text)
    item = fill(made.rules[0].steps[0], starting(order, EVENING))
    assert item.model_dump()["text"] == f"{shown} {shown}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ tickets[0].starts_on | date }}", "2 July 2027"),
        ("{{ tickets[0].starts_on | date('Pacific/Kiritimati') }}", "2 July 2027"),
        ("{{ tickets[0].starts_on | date('%d.%m.%Y') }}", "02.07.2027"),
        ("{{ tickets[0].starts_on }}", "2027-07-02"),
    ],
)
@pytest.mark.parametrize("zone", ["America/Vancouver", "Australia/Sydney"])
def test_a_text_shows_a_day_without_a_time_as_that_day(
    compiled: Compiled, order: Event, zone: str, text: str, shown: str
) -> None:
    made = one_rule(compiled, zone, "{contact.email: {present: true}}", text)
    item = fill(made.rules[0].steps[0], starting(order, date(2027, 7, 2)))
    assert item.model_dump()["text"] == shown


@pytest.mark.parametrize("zone", ["America/Edmonton", "Australia/Sydney", "UTC"])
@pytest.mark.parametrize(
    "far",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01",
        "9999-12-31",
    ],
)
def test_the_ends_of_the_calendar_make_nothing_raise(
    compiled: Compiled, order: Event, zone: str, far: str
) -> None:
    """https://github.com/stub42/pytz/issues/108"""
    text = "{{ tickets[0].starts_on | date }}, {{ tickets[0].starts_on }}, {{ raw.when | date }}"
    where = (
        "{any: [{tickets.starts_on: 2027-07-02}, {tickets.starts_on: {before: 0001-01-01}}, "
        "{tickets.starts_on: {after: 9999-12-31}}, {tickets.starts_on: {within: 7 days}}, "
        "{tickets.starts_on: {after: 2 days before raw.when}}, {contact.email: {present: true}}]}"
    )
    value = date.fromisoformat(far) if len(far) == 10 else datetime.fromisoformat(far)
    event = replace(starting(order, value), raw={"when": far}, received_at=EVENING.timestamp())
    made = one_rule(compiled, zone, where, text)
    assert rules.judge(made, event)[0].matched
    assert examine(made.rules[0], event).matched
    assert ("1 January 1" if far[0] == "0" else "31 December 9999") in fill(
        made.rules[0].steps[0], event
    ).model_dump()["text"]


@pytest.mark.parametrize("zone", ["America/Edmonton", "Australia/Sydney"])
@pytest.mark.parametrize("far", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("options", ["after: 1 day before tickets.starts_on", "at: '09:00'"])
def test_what_waits_for_the_end_of_the_calendar_is_left_out_and_says_so(
    compiled: Compiled, order: Event, zone: str, far: str, options: str
) -> None:
    made = compiled(
        f"time_zone: {zone}\nrules:\n- name: A rule\n  when: {{source: shop, event: order.*}}\n"
        f"  after: 1 day before tickets.starts_on\n  {options if options[:2] == 'at' else ''}\n"
        "  quiet_hours: {from: '22:00', to: '08:00'}\n"
        "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
    )
    event = starting(order, datetime.fromisoformat(far))
    timing = made.rules[0].timing
    assert timing is not None
    with pytest.raises(TooLate):
        timing.due(Seen(view(event)), EVENING.timestamp(), EVENING.timestamp())


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("America/Vancouver", "2027-07-01T16:00Z"),
        ("America/Edmonton", "2027-07-01T15:00Z"),
        ("Australia/Sydney", "2027-06-30T23:00Z"),
    ],
)
def test_a_reminder_of_a_day_without_a_time_is_of_the_day_before(
    compiled: Compiled, order: Event, zone: str, due: str
) -> None:
    made = compiled(
        f"time_zone: {zone}\nrules:\n- name: A rule\n  when: {{source: shop, event: order.*}}\n"
        "  after: 1 day before tickets.starts_on\n  at: '09:00'\n"
        "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
    )
    timing = made.rules[0].timing
    assert timing is not None
    event = starting(order, date(2027, 7, 2))
    at = timing.due(Seen(view(event)), 0.0, 0.0)
    assert datetime.fromtimestamp(at, UTC) == datetime.fromisoformat(due)


def test_a_day_of_a_list_is_one_of_the_rules_zone(compiled: Compiled, order: Event) -> None:
    made = compiled(
        "time_zone: America/Edmonton\nlists: {festival: [2027-07-01, 2027-07-02]}\n"
        "rules:\n- name: A rule\n  when: {source: shop, event: order.*, "
        "where: {tickets.starts_on: {one_of: festival}}}\n"
        "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
    )
    assert rules.judge(made, starting(order, EVENING))[0].matched


@pytest.mark.parametrize("zone", ["America/Edmonton", "Australia/Sydney"])
def test_a_day_without_a_time_that_another_field_holds_is_one_of_the_rules_zone(
    compiled: Compiled, order: Event, zone: str
) -> None:
    noon = datetime.fromisoformat("2027-07-02T12:00:00-06:00")
    tickets = [{"starts_on": noon}, {"starts_on": date(2027, 7, 5)}]
    event = replace(order, facts={**order.facts, "tickets": tickets}, raw={"day": "2027-07-03"})
    expected = zone == "Australia/Sydney"
    for one, other in (("tickets.starts_on", "raw.day"), ("raw.day", "tickets.starts_on")):
        where = f"{{{one}: {{is: {{field: {other}}}}}}}"
        assert matched(compiled, zone, where, event) == expected
        denied = f"{{{one}: {{is_not: {{field: {other}}}}}}}"
        assert matched(compiled, zone, denied, event) != expected


def test_digits_alone_are_a_number_though_they_could_be_a_day(
    compiled: Compiled, order: Event
) -> None:
    event = replace(order, raw={"id": 20270701, "of": "20270701", "other": "20270702"})
    assert matched(compiled, "America/Edmonton", "{raw.id: {is: {field: raw.of}}}", event)
    assert matched(compiled, "America/Edmonton", "{raw.of: {is: {field: raw.id}}}", event)
    assert not matched(compiled, "America/Edmonton", "{raw.id: {is: {field: raw.other}}}", event)
