"""What was sent and cannot be read is unknown, with a remark: nothing is guessed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.event import Webhook
from bridge.sources import lenient
from bridge.sources.reading import MAX_REMARKS, Reading
from bridge.sources.showpad import Showpad
from tests.sources.test_showpass import event, invoice


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1,234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("1,234,567.89", "1234567.89"),
        ("1.234,50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234,50", "1234.50"),
        ("1\u202f234.50", "1234.50"),
        ("1 234", "1234"),
        ("1'234.50", "1234.50"),
        ("1’234.50", "1234.50"),
        ("1,23,456.00", "123456.00"),
        ("20,00", "20.00"),
        ("20,5", "20.5"),
        (".50", "0.50"),
        ("$20.00", "20.00"),
        ("$ 20.00", "20.00"),
        ("CA$20.00", "20.00"),
        ("-$20.00", "-20.00"),
        ("$-20.00", "-20.00"),
        ("−20.00", "-20.00"),
        ("(20.00)", "-20.00"),
        ("($1,234.50)", "-1234.50"),
        ("CAD 20.00", "20.00"),
        ("20.00 CAD", "20.00"),
        ("20,00 €", "20.00"),
        ("€20", "20"),
        ("£1,234.50", "1234.50"),
        ("＄２０.００", "20.00"),
        ("1234.567", "1234.567"),
        ("1.234", "1.234"),
    ],
)
def test_an_amount_is_read_where_it_can_mean_one_thing_only(written: str, amount: str) -> None:
    """Other programs take it for nothing, for zero, or for a thousandth.

    https://github.com/creditdatamw/zerocell/pull/31
    https://github.com/reactioncommerce/reaction/issues/5191
    """
    assert lenient.money(written) == Decimal(amount)


@pytest.mark.parametrize(
    "written",
    [
        *("1,234", "$1,234", "1,234 CAD", "-1,234", "12,345"),
        *("1,2,3", "1,23,45", "1,234,56", "1.234.56", "1,234.567.8", "12,34,567,89"),
        *("NaN", "Infinity", "-inf", "1e5", "1e999999999", "0x10", "1_000", "٣"),
        *("free", "CAD", "$", "-", ".", ",", "20.00-", "--20", "-$-20", "20%", "20.00 incl. tax"),
        *("USD 20.00 CAD", "20.00 20.00", "1 23", "1  234", "½", "20.00\0", "9" * 16, "9" * 5_001),
    ],
)
def test_an_amount_that_may_be_another_is_unknown_with_a_remark(written: str) -> None:
    """A thousand and one, or one and a bit: nobody can tell.

    https://github.com/mktj/parsecurrency/issues/14
    """
    assert lenient.money(written) is None
    found = event(invoice(data={"net_sales": written}))
    assert found.facts["order"]["total"] is None
    if len(written) <= 5_000:
        assert found.unread == ("net_sales",)
        assert "`net_sales` cannot be read as an amount" in found.remarks[0]
    else:
        assert found.left_out


def test_the_remark_repeats_what_cannot_be_a_persons() -> None:
    said = event(invoice(data={"net_sales": "1,234", "total_tax": "of ana@example.com"})).remarks
    assert said == (
        "`net_sales` cannot be read as an amount (“1,234”): it is unknown",
        "`total_tax` cannot be read as an amount: it is unknown",
    )


@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}])
def test_what_says_that_there_is_nothing_is_no_mistake(nothing: Any) -> None:
    names = ("net_sales", "customer_email", "subscribe_to_venue", "ticket_items", "currency")
    found = event(invoice(data=dict.fromkeys(names, nothing)))
    assert (found.remarks, found.unread) == ((), ())


@pytest.mark.parametrize(
    ("name", "sent", "wanted"),
    [
        ("customer_email", ["ana@example.com"], "a text"),
        ("customer_name", {"first": "Ana"}, "a text"),
        ("customer_phone_number", 4.5, "a text"),
        ("subscribe_to_venue", "true", "true or false"),
        ("subscribe_to_venue", 1, "true or false"),
        ("currency", True, "a text"),
        ("payment_type", ["credit"], "a text"),
        ("gross_revenue", {"amount": 5}, "an amount"),
        ("ticket_items", {"1": {"id": 1}}, "a list"),
        ("ticket_items", "two", "a list"),
        ("ticket_items", ["VIP", {"id": 1}], "a group"),
        ("invoice_items", 7, "a list"),
    ],
)
def test_what_is_of_another_kind_is_unknown_with_a_remark(
    name: str, sent: Any, wanted: str
) -> None:
    """An amount, an address or a yes that came otherwise was nothing, and nobody was told.

    https://github.com/voxpupuli/webhook-go/issues/183
    """
    found = event(invoice(data={name: sent}))
    assert found.unread == (name,)
    assert found.remarks == (f"`{name}` cannot be read as {wanted}: it is unknown",)
    assert "ana@example.com" not in repr(found.remarks)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("2027-07-02", date(2027, 7, 2)),
        (" 2027-07-02 ", date(2027, 7, 2)),
        ("2027-07-02T19:30:00-06:00", datetime(2027, 7, 3, 1, 30, tzinfo=UTC)),
        ("2027-07-02 19:30:00+10:00", datetime(2027, 7, 2, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_day_without_a_time_stays_a_day(sent: str, found: date) -> None:
    """As midnight in UTC it was the evening before, west of Greenwich.

    https://github.com/ynput/ayon-frontend/pull/1972
    """
    (ticket,) = event(invoice(data={"ticket_items": [{"event_starts_on": sent}]})).facts["tickets"]
    assert ticket["starts_on"] == found
    assert isinstance(ticket["starts_on"], datetime) == ("T" in sent or ":" in sent)


@pytest.mark.parametrize("sent", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "0001-01-01"])
def test_the_year_one_stands_for_no_date(sent: str) -> None:
    """https://github.com/webhookdb/webhookdb/issues/622"""
    found = event(invoice(data={"ticket_items": [{"event_starts_on": sent}]}))
    assert found.facts["tickets"][0]["starts_on"] is None
    assert found.unread == ("ticket_items.event_starts_on",)
    assert f"is {sent}, which stands for no date" in found.remarks[0]


@pytest.mark.parametrize(
    "sent",
    [
        *("2027-15-30T06:45:00.250Z", "2027-02-29", "02/07/2027", "July 2nd", "0000-00-00"),
        *(1814578200, 0, True, ["2027-07-02"], "9999-12-31T25:00:00Z", "2027-07-02T19:30+99:00"),
    ],
)
def test_a_date_that_is_none_is_unknown_with_a_remark(sent: Any) -> None:
    """https://github.com/bzkf/obds-to-fhir/issues/452"""
    found = event(invoice(data={"ticket_items": [{"event_starts_on": sent}] * 3}))
    assert [each["starts_on"] for each in found.facts["tickets"]] == [None] * 3
    assert found.unread == ("ticket_items.event_starts_on",)
    assert found.remarks[0].endswith(", in 3 places: it is unknown")


@pytest.mark.parametrize("sent", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00"])
def test_the_last_year_is_a_date_like_others(sent: str) -> None:
    found = event(invoice(data={"ticket_items": [{"event_ends_on": sent}]}))
    assert found.facts["tickets"][0]["ends_on"] == datetime.fromisoformat(sent)
    assert found.unread == ()


def test_a_time_that_names_no_zone_is_taken_as_utc_with_a_remark() -> None:
    tickets = [{"event_starts_on": "2027-07-02T19:30:00"}] * 2
    found = event(invoice(data={"ticket_items": tickets}))
    assert found.facts["tickets"][0]["starts_on"] == datetime(2027, 7, 2, 19, 30, tzinfo=UTC)
    assert found.unread == ()
    (remark,) = found.remarks
    assert remark.startswith("`ticket_items.event_starts_on` names no time zone, in 2 places")


@pytest.mark.parametrize(
    ("sent", "quantity"), [(2.0, 2), ("2.0", 2), ("2", 2), (2.5, None), ("1,000", None), (-1, None)]
)
def test_a_whole_number_may_have_a_point_and_zeros(sent: Any, quantity: int | None) -> None:
    found = event(invoice(data={"invoice_items": [{"quantity": sent}]}))
    assert found.facts["items"][0]["quantity"] == quantity
    assert found.unread == (() if quantity else ("invoice_items.quantity",))


@pytest.mark.parametrize(
    ("data", "unread"),
    [
        ({"sharedSpace": "Partners"}, ("sharedSpace",)),
        ({"sharedSpace": {"id": 4.5, "name": ["x"]}}, ("sharedSpace.id", "sharedSpace.name")),
        ({"invitee": ["mina@example.net"]}, ("invitee",)),
        ({"invitee": {"email": {"value": "mina@example.net"}}}, ("invitee.email",)),
        ({"user": {"email": 0.5}}, ("user.email",)),
        ({"course": 7}, ("course",)),
    ],
)
def test_showpads_data_is_read_with_remarks_too(data: Any, unread: tuple[str, ...]) -> None:
    body = json.dumps({"id": "1", "type": "shared-space-user-added", "data": data}).encode()
    source = Showpad(Showpad.Settings(), ["secret"])
    (found,) = source.normalise(Webhook("showpad", body, {}, 0.0))
    assert found.unread == unread
    assert len(found.remarks) == len(unread)
    assert "mina@example.net" not in repr(found.remarks)


def test_remarks_are_bounded() -> None:
    reading = Reading({f"field {number}": [1] for number in range(50)})
    for number in range(50):
        assert reading.money(f"field {number}") is None
    assert len(reading.remarks) == MAX_REMARKS + 1
    assert reading.remarks[-1] == "30 more could not be read"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    | st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31", "1,234", "$5", "NaN", "(1)"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(json_values)
def test_whatever_is_sent_is_read_or_told_and_raises_nothing(value: Any) -> None:
    for kind in ("text", "name", "address", "lowered", "flag", "count", "money", "moment"):
        reading = Reading({"it": value})
        found = getattr(reading, kind)("it")
        is_blank = value in (None, [], {}) or (isinstance(value, str) and not value.strip())
        assert (found is None) == (is_blank or reading.unread == ("it",))
        assert bool(reading.unread) <= bool(reading.remarks)
