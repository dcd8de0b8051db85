"""What a test sets on an event is set, everywhere that it names, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.event import Event
from bridge.rules.changes import CannotSet, changed
from bridge.rules.expected import Change
from bridge.rules.relative import relative

RECEIVED = datetime(2027, 6, 1, 12, tzinfo=UTC)


def with_changes(event: Event, *changes: tuple[str, object]) -> Event:
    received = replace(event, received_at=RECEIVED.timestamp())
    return changed(received, [Change(path, value) for path, value in changes])


def test_a_fact_is_set_and_the_others_stay(order: Event) -> None:
    after = with_changes(order, ("order.total", Decimal(5)))
    assert after.facts["order"] == {**order.facts["order"], "total": Decimal(5)}
    assert after.facts["tickets"] == order.facts["tickets"]


def test_the_event_itself_stays_as_it_is(order: Event) -> None:
    before = order.facts["order"]["total"]
    with_changes(order, ("order.total", Decimal(5)), ("tickets.type", "x"), ("raw.id", 8))
    with_changes(order, ("raw.deep.list.colour", "green"))
    assert order.facts["order"]["total"] == before
    assert order.facts["tickets"][0]["type"] == "VIP"
    assert order.raw["id"] == 7
    assert order.raw["deep"]["list"][0]["colour"] == "red"


def test_a_path_through_a_list_means_every_entry(order: Event) -> None:
    after = with_changes(order, ("tickets.type", "Balcony"))
    assert [each["type"] for each in after.facts["tickets"]] == ["Balcony"] * 3
    assert [each["seats"] for each in after.facts["tickets"]] == [2, 1, None]


def test_a_list_is_replaced_and_its_new_entries_changed(order: Event) -> None:
    entries = [{"type": None, "seats": 1}, {"type": None, "seats": 2}]
    after = with_changes(order, ("tickets", entries), ("tickets.type", "VIP"))
    assert after.facts["tickets"] == [{"type": "VIP", "seats": 1}, {"type": "VIP", "seats": 2}]
    assert entries[0]["type"] is None


def test_the_last_of_two_changes_holds(order: Event) -> None:
    after = with_changes(order, ("tickets.type", "VIP"), ("tickets", [{"type": "x"}]))
    assert after.facts["tickets"] == [{"type": "x"}]


def test_the_contact_can_be_changed(order: Event) -> None:
    after = with_changes(order, ("contact.consent", False), ("contact.email", None))
    assert after.contact.consent is False
    assert after.contact.email is None
    assert after.contact.first_name == "Priya"


def test_what_the_sender_sent_can_be_changed(order: Event) -> None:
    after = with_changes(order, ("raw.deep.list.colour", "green"), ("raw.new.name", 1))
    assert after.raw["deep"]["list"] == [{"colour": "green"}, {"colour": "green"}]
    assert after.raw["new"] == {"name": 1}


def test_a_group_that_was_missing_is_made(order: Event) -> None:
    bare = replace(order, facts={"tickets": []})
    assert with_changes(bare, ("order.total", Decimal(5))).facts["order"] == {"total": Decimal(5)}


def test_what_no_entry_can_take_is_refused(order: Event) -> None:
    bare = replace(order, facts={"tickets": []})
    with pytest.raises(CannotSet, match=r"there are no tickets here, so `tickets.type`"):
        with_changes(bare, ("tickets.type", "VIP"))


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("now", RECEIVED),
        ("in 3 days", RECEIVED + timedelta(days=3)),
        ("2 hours ago", RECEIVED - timedelta(hours=2)),
        ("1 day after tickets.starts_on", datetime(2027, 7, 4, 1, 30, tzinfo=UTC)),
    ],
)
def test_times_may_count_from_when_it_came_in(order: Event, said: str, moment: datetime) -> None:
    after = with_changes(order, ("order.paid_on", relative(said)))
    assert after.facts["order"]["paid_on"] == moment


def test_a_time_that_counts_from_nothing_is_refused(order: Event) -> None:
    with pytest.raises(CannotSet, match=r"`order.paid_on` counts from `order.made_on`, which"):
        with_changes(order, ("order.paid_on", relative("1 day after order.made_on")))
