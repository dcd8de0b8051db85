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
    (remark,) = found.left_out
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
    assert found.left_out == ()


def test_a_long_text_is_cut_and_told() -> None:
    found = event(invoice(data={"customer_name": "a " * 50_000}))
    assert found.contact.name is not None
    assert len(found.contact.name) == MAX_TEXT + 1
    assert found.contact.name.endswith("…")
    assert "1 of the texts in `customer_name` were cut to 5,000 characters" in found.left_out[0]
    assert "the longest from 100,000" in found.left_out[0]


@pytest.mark.parametrize(("length", "known"), [(254, True), (255, False)])
def test_an_address_that_is_too_long_is_none_and_told(length: int, known: bool) -> None:
    address = "a" * (length - len("@example.com")) + "@example.com"
    data = {"customer_email": address, "ticket_items": [{"email_on_ticket": address}]}
    found = event(invoice(data=data))
    assert (found.contact.email is not None) is known
    assert (found.facts["tickets"][0]["holder_email"] is not None) is known
    told = () if known else ("2 e-mail addresses of more than 254 characters count as none",)
    assert found.left_out == told


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
    assert "5,000 entries of what was sent" in found[0].left_out[0]
    assert found[1].left_out == ()


def test_a_showpad_address_that_is_too_long_is_none_and_told() -> None:
    (found,) = showpad({"invitee": {"email": "a" * 300 + "@example.com"}})
    assert found.contact.email is None
    assert "more than 254 characters" in found.left_out[0]


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


def filled(fill: int) -> Event:
    """An order whose notes leave room for less and less of what stands behind them."""
    data = {
        "notes": ["x" * MAX_TEXT] * (MAX_SIZE // MAX_TEXT - 1) + ["y" * fill],
        "net_sales": "1236.25",
        "customer_email": "ann@example.community",
        "customer_phone_number": "+14035550142",
        "ticket_items": [{"id": "9021000147"}],
    }
    return event(invoice(data=data))


def test_what_does_not_fit_any_more_is_left_out_and_never_made_another() -> None:
    seen = set()
    for fill in range(MAX_TEXT - 150, MAX_TEXT + 1):
        found = filled(fill)
        tickets = [each["id"] for each in found.facts["tickets"]]
        said = (str(found.amount), found.contact.email, found.contact.phone, *tickets)
        whole = ("1236.25", "ann@example.community", "+14035550142", "9021000147")
        for each in said:
            assert each in (*whole, None, "None")
        assert said == whole or found.left_out
        assert not any("cut to" in each for each in found.left_out)
        seen |= set(said)
    assert {"1236.25", "ann@example.community", None, "None"} <= seen


@pytest.mark.parametrize("space", [MAX_TEXT - 2, MAX_TEXT + 10])
def test_an_id_an_amount_or_an_address_that_is_too_long_is_none(space: int) -> None:
    padded = " " * space
    data = {
        "net_sales": padded + "1236.25",
        "customer_email": padded + "ann@example.community",
        "customer_phone_number": padded + "+14035550142",
        "ticket_items": [{"id": padded + "90210001", "event_starts_on": padded + "2027-07-03T01"}],
        "invoice_items": [{"quantity": padded + "250", "invoice_item_type": padded + "ticket"}],
    }
    found = event(invoice(data=data))
    [ticket], [item] = found.facts["tickets"], found.facts["items"]
    said = [found.amount, found.contact.email, found.contact.phone, ticket["id"]]
    said += [ticket["starts_on"], item["quantity"], item["kind"]]
    assert said == [None] * 7
    assert f"the longest from {space + 13:,}" in " ".join(found.left_out)
    assert not any("ticket " in each for each in found.claims)
