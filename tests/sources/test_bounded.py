"""What a hostile body becomes: an event within bounds, which says what was left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.event import Event, Webhook
from bridge.source import Source
from bridge.sources.bounded import MAX_ENTRIES, MAX_SIZE, MAX_TEXT, MAX_VALUES, bounded
from bridge.sources.showpad import Showpad
from bridge.sources.showpass import Showpass
from tests.sources.test_showpass import TRANSACTION, event, invoice


def size(value: Any) -> int:
    return len(json.dumps(value, default=str))


def test_of_nine_thousand_empty_tickets_two_thousand_are_kept_and_told() -> None:
    found = event(invoice(data={"ticket_items": [{}] * 9_000}))
    assert len(found.facts["tickets"]) == len(found.raw["ticket_items"]) == MAX_ENTRIES
    (remark,) = found.remarks
    assert remark.startswith("of 9,000 entries of `ticket_items` only the first 2,000 were kept")
    assert "what rules count, sum up" in remark


def test_lines_of_the_invoice_are_bounded_alike() -> None:
    found = event(invoice(data={"invoice_items": [{}] * 3_000}))
    assert len(found.facts["items"]) == MAX_ENTRIES


def test_the_largest_real_order_is_kept_whole_and_nothing_is_said() -> None:
    ticket = {"id": 1, "ticket_type_name": "x" * 100, "name_on_ticket": "y" * 400}
    data = {"transaction_id": TRANSACTION, "ticket_items": [ticket] * 500}
    found = event(invoice(data=data))
    assert found.raw == data
    assert found.remarks == ()


def test_a_long_text_is_cut_and_told() -> None:
    found = event(invoice(data={"customer_name": "a " * 50_000}))
    assert found.contact.name is not None
    assert len(found.contact.name) <= MAX_TEXT
    assert "1 of the texts in `customer_name` were cut to 5,000 characters" in found.remarks[0]


@pytest.mark.parametrize(("length", "known"), [(254, True), (255, False)])
def test_an_address_that_is_too_long_is_none_and_told(length: int, known: bool) -> None:
    address = "a" * (length - len("@example.com")) + "@example.com"
    data = {"customer_email": address, "ticket_items": [{"email_on_ticket": address}]}
    found = event(invoice(data=data))
    assert (found.contact.email is not None) is known
    assert (found.facts["tickets"][0]["holder_email"] is not None) is known
    told = () if known else ("2 e-mail addresses of more than 254 characters count as none",)
    assert found.remarks == told


HOSTILE = {
    "lists in lists": [[[]] * 1_500] * 1_500,
    "many keys": {f"k{number}": number for number in range(150_000)},
    "long keys": {"k" * 100_000 + str(number): 1 for number in range(9)},
    "long texts": ["t" * 100_000] * 900,
    "groups": [{"a": {"b": [{}] * 200}} for _ in range(1_900)],
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_is_sent_is_within_the_bounds_and_says_so(value: Any) -> None:
    kept, remarks = bounded({"data": value})
    assert size(kept) <= MAX_SIZE + 8 * MAX_VALUES
    assert 1 <= len(remarks) <= 12
    assert sum(map(len, remarks)) < 3_000


def test_a_name_that_could_be_anything_is_not_repeated() -> None:
    _, remarks = bounded({"ana@example.com\x1b": ["x"] * 3_000})
    assert "ana@" not in remarks[0]


def test_people_in_a_shared_space_are_bounded_and_the_first_event_tells() -> None:
    people = [{"email": f"p{number}@example.com"} for number in range(5_000)]
    found = showpad(people)
    assert len(found) == MAX_ENTRIES
    assert "5,000 entries of `data`" in found[0].remarks[0] or found[0].remarks
    assert found[1].remarks == ()


def test_a_showpad_address_that_is_too_long_is_none_and_told() -> None:
    (found,) = showpad({"invitee": {"email": "a" * 300 + "@example.com"}})
    assert found.contact.email is None
    assert "more than 254 characters" in found.remarks[0]


def showpad(data: Any) -> tuple[Event, ...]:
    source: Source = Showpad(Showpad.Settings(), ["secret"])
    body = json.dumps({"id": "1", "type": "shared-space-user-added", "data": data}).encode()
    return source.normalise(Webhook("showpad", body, {}, 0.0))


def test_the_parsed_body_is_not_changed() -> None:
    """Redeliveries are compared with it."""
    body = invoice(data={"ticket_items": [{}] * 3_000})
    webhook = Webhook("tickets", body, {}, 0.0)
    Showpass(Showpass.Settings(), ["secret"]).normalise(webhook)
    assert len(webhook.json["data"]["ticket_items"]) == 3_000
