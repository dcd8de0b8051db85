"""A day in one message: when it comes, what it adds up, and that what is previewed is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.connector import Delivered, Halted
from bridge.engine.lane_names import lane_of
from bridge.testing.vendor import Answer, VendorServer
from connectors.slack import DailyDigest, Slack, SlackSettings
from connectors.slack.daily import GROUPS_SHOWN, not_before, summed_up
from tests.connectors.slack_workspace import HOOK, POSTED, REFERENCE, Paced, Workspace, bot, hook

BERLIN = ZoneInfo("Europe/Berlin")
NAME = "digest-0123456789abcdef"


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with Workspace(POSTED) as server:
        yield server


def entry(group: str = "Winter Jazz", amount: str = "100", **fields: Any) -> DailyDigest:
    said = {"channel": "#sales", "time_zone": "Europe/Berlin", "currency": "CAD"}
    return DailyDigest.model_validate({**said, "group_by": group, "amount": amount, **fields})


def at(moment: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=zone)


def lines(items: Sequence[DailyDigest]) -> list[str]:
    """What the sections say, line by line."""
    blocks, _ = summed_up(items)
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    return [line for text in texts for line in text.splitlines()]


# When it comes


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2027-03-09T08:59:59", "2027-03-09T09:00"),
        ("2027-03-09T09:00:00", "2027-03-10T09:00"),
        ("2027-03-09T23:59:00", "2027-03-10T09:00"),
        ("2027-12-31T10:00:00", "2028-01-01T09:00"),
        # The clocks were put forward, and back, in the night between.
        ("2027-03-27T10:00:00", "2027-03-28T09:00"),
        ("2027-10-30T10:00:00", "2027-10-31T09:00"),
    ],
)
def test_it_comes_at_the_next_such_time(received: str, due: str) -> None:
    assert not_before(entry(at="09:00"), at(received)) == at(due)


def test_what_covers_yesterday_comes_the_day_after() -> None:
    item = entry(at="9:00", covers="yesterday")
    assert not_before(item, at("2027-03-09T00:00:00")) == at("2027-03-10T09:00")
    assert not_before(item, at("2027-03-09T23:59:59")) == at("2027-03-10T09:00")


def test_a_time_that_the_clock_skips_comes_an_hour_later() -> None:
    due = not_before(entry(at="02:30"), at("2027-03-27T12:00:00"))
    assert due == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert due.astimezone(BERLIN).hour == 3


def test_a_time_that_the_clock_shows_twice_counts_once() -> None:
    first = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert not_before(entry(at="02:30"), at("2027-10-30T12:00:00")) == first
    assert not_before(entry(at="02:30"), first) == at("2027-11-01T02:30")


moments = st.integers(1_577_836_800, 2_051_222_400).map(lambda at: datetime.fromtimestamp(at, UTC))
zones = st.sampled_from(
    ["Europe/Berlin", "America/Edmonton", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
)


@given(moments, zones, st.times(), st.sampled_from(["since the last one", "yesterday"]))
def test_it_never_comes_before_and_within_two_days(
    received: datetime, zone: str, clock: Any, covers: str
) -> None:
    item = entry(at=f"{clock:%H:%M}", time_zone=zone, covers=covers)
    due = not_before(item, received)
    days = 2 if covers == "since the last one" else 3
    assert received < due <= received + timedelta(days=days)
    if covers == "yesterday":
        local = ZoneInfo(zone)
        assert due.astimezone(local).date() > received.astimezone(local).date()
    assert due.second == 0


@given(moments, zones)
def test_all_that_come_between_two_messages_come_in_one(received: datetime, zone: str) -> None:
    item = entry(at="09:00", time_zone=zone)
    due = not_before(item, received)
    assert not_before(item, due - timedelta(seconds=1)) == due
    assert not_before(item, due) > due


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"at": "25:00"}, 'write a time such as "09:00"'),
        ({"time_zone": "Berlin"}, "no such time zone"),
        ({"time_zone": "../etc/passwd"}, "no such time zone"),
        ({"kind": "sold"}, "'sale' or 'refund'"),
    ],
)
def test_what_is_no_time_or_zone_is_refused(fields: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        entry(**fields)


def test_what_comes_in_one_message_has_one_lane() -> None:
    action = Slack.actions()["post_daily_digest"]
    lanes = {
        lane_of("slack", action, item, "")
        for item in (entry(), entry("Other", kind="refund"), entry(currency="USD", at="9:00"))
    }
    assert len(lanes) == 1
    others = (
        entry(at="10:00"),
        entry(title="Other"),
        entry(time_zone="UTC"),
        entry(channel="#ops"),
        entry(covers="yesterday"),
    )
    assert len(lanes | {lane_of("slack", action, item, "") for item in others}) == 6


# What it says


def test_a_day_is_added_up_by_groups_and_currencies() -> None:
    items = [
        *[entry("Winter Jazz", "100.50")] * 3,
        entry("Winter Jazz", "20", currency="usd"),
        entry("R&amp;D Night", "1,000"),
        entry("Winter Jazz", "100.50", kind="refund"),
        entry("R&amp;D Night", "-40", kind="refund"),
    ]
    assert lines(items) == [
        (
            "• *Winter Jazz:* 4 sales, CAD 301.50 + USD 20.00 · 1 refund, CAD 100.50"
            " · CAD 201.00 + USD 20.00 left"
        ),
        "• *R&amp;D Night:* 1 sale, CAD 1,000.00 · 1 refund, CAD 40.00 · CAD 960.00 left",
        (
            "*All together:* 5 sales, CAD 1,301.50 + USD 20.00 · 2 refunds, CAD 140.50"
            " · CAD 1,161.00 + USD 20.00 left"
        ),
    ]


def test_a_single_group_needs_no_sum_of_all() -> None:
    assert lines([entry()] * 2) == ["• *Winter Jazz:* 2 sales, CAD 200.00"]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"amount": ""}, "• *Winter Jazz:* 1 sale"),
        ({"amount": "", "kind": "refund"}, "• *Winter Jazz:* 1 refund"),
        ({"noun": "entry", "amount": ""}, "• *Winter Jazz:* 1 entry"),
        ({"currency": ""}, "• *Winter Jazz:* 1 sale, 100.00"),
        ({"group_by": " "}, "• *without a name:* 1 sale, CAD 100.00"),
        ({"amount": "1" * 40}, "• *Winter Jazz:* 1 sale"),
        ({"currency": "&lt;!here&gt;"}, "• *Winter Jazz:* 1 sale, &lt;!H 100.00"),
    ],
)
def test_what_is_missing_is_left_out(fields: dict[str, str], line: str) -> None:
    assert lines([entry(**fields)]) == [line]


def test_the_largest_groups_come_first_and_the_others_are_counted() -> None:
    items = [entry(f"Event {n:02}") for n in range(30) for _ in range(n + 1)]
    told = lines(items)
    assert told[0].startswith("• *Event 29:* 30 sales")
    assert told[GROUPS_SHOWN] == "and 10 more groups with 55 entries"
    assert told[-1].startswith("*All together:* 465 sales, CAD 46,500.00")


def test_the_reader_is_told_of_when_it_is_and_what_could_not_be_read() -> None:
    times = ["2027-03-09T08:03:00+00:00", "2027-03-10T07:58:00+00:00"]
    events = [{"event": {"time": when}} for when in times]
    items = [entry(amount="free").for_delivery("d", event=event) for event in events]
    context = summed_up(items)[0][-1]
    assert [one["text"] for one in context["elements"]] == [
        "Received from 9 March 09:03 to 10 March 08:58 (Europe/Berlin)",
        "Without 2 amounts that could not be read",
    ]


# What is sent


def prepared(count: int) -> list[DailyDigest]:
    event = {"event": {"time": "2027-03-09T08:03:00+00:00"}}
    return [
        entry(f"Event {n % 40}").for_delivery(f"d{n}", sent_as=NAME, event=event)
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [1, 3, 5_000])
@pytest.mark.parametrize("by_webhook", [False, True])
def test_what_is_previewed_is_sent(vendor: VendorServer, count: int, by_webhook: bool) -> None:
    if by_webhook:
        vendor.script(Answer(200, "ok"))
    settings: SlackSettings = (hook if by_webhook else bot)(vendor.url)
    digest = Slack.actions()["post_daily_digest"].digest
    assert digest is not None
    assert digest.always
    items = prepared(count)
    [call] = digest.preview(settings, items, 90_000.0)
    outcome = getattr(Slack(settings), digest.method)(items, 90_000.0)
    assert outcome == (Delivered() if by_webhook else Delivered(f"{REFERENCE}+"))
    [request] = vendor.requests
    assert request.path == (HOOK if by_webhook else call.path)
    assert request.body == call.body


def test_it_is_paced_by_its_channel(vendor: VendorServer) -> None:
    pacer = Paced()
    Slack(bot(vendor.url), pacer).post_daily(prepared(2), 1.0)
    assert pacer.lanes == ["#sales"]


def test_it_is_looked_for_since_it_was_planned_for(vendor: VendorServer) -> None:
    payload = {"event_type": "showbridge_delivery", "event_payload": {"delivery_id": NAME}}
    posted: Mapping[str, Any] = {"ts": "1700000000.000200", "metadata": payload}
    vendor.script(Answer(200, {"ok": True, "messages": [posted]}))
    slack = Slack(bot(vendor.url))
    planned = at("2027-03-10T09:00").timestamp()
    item = entry(channel="C0123456789").for_delivery("d", sent_as=NAME, planned_at=planned)
    assert slack.find("post_daily_digest", item) == Delivered("C0123456789:1700000000.000200+")
    assert float(vendor.requests[0].body["oldest"]) == planned - 300


def test_it_halts_with_the_account() -> None:
    with pytest.raises(Halted):
        Slack(SlackSettings()).post_daily([entry()], 1.0)
