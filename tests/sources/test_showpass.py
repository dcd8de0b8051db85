import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import strict_json
from bridge.errors import Malformed, VerificationFailed
from bridge.event import Event, Identity, Webhook
from bridge.sources.showpass import Showpass, ShowpassSettings

SECRET = "Jefe"
# RFC 2202, second test case, for this very key and text.
KNOWN_ID = "what do ya want for nothing?"
KNOWN_SIGNATURE = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
TRANSACTION = "f1-1068-4af6-be8f-1222417da0f2"

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**60), 10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


def showpass(*secrets: str, **setting: Any) -> Showpass:
    return Showpass(ShowpassSettings(**setting), secrets or (SECRET,))


def arrival(body: bytes, signature: str | None = None) -> Webhook:
    if signature is None:
        signature = showpass().sign(body, SECRET, now=0)["X-SHOWPASS-SIGNATURE"]
    return Webhook("tickets", body, {"x-showpass-signature": signature}, received_at=0)


def invoice(event_type: Any = "invoice.purchase", data: Any = None, **envelope: Any) -> bytes:
    if data is None:
        data = {"transaction_id": TRANSACTION}
    elif isinstance(data, Mapping):
        data = {"transaction_id": TRANSACTION, **data}
    whole = {
        "id": TRANSACTION,
        "event_type": event_type,
        "webhook_event_uuid": "09117c09-e1f8-4913-b2f5-52cc161cf5f7",
        "data": data,
        **envelope,
    }
    return json.dumps(whole).encode()


def without(body: bytes, name: str) -> bytes:
    payload = json.loads(body)
    del payload[name]
    return json.dumps(payload).encode()


def identity(body: bytes, **setting: Any) -> Identity:
    return showpass(**setting).identify(arrival(body))


def event(body: bytes, **setting: Any) -> Event:
    [only] = showpass(**setting).normalise(arrival(body))
    return only


def sample(name: str) -> Event:
    text = next(shipped.text for shipped in Showpass.samples() if shipped.name == name)
    return event(text.encode())


# The signature


def test_a_known_signature_is_verified() -> None:
    body = json.dumps({"id": KNOWN_ID}).encode()
    showpass().verify(arrival(body, KNOWN_SIGNATURE))


def test_an_integer_id_is_signed_as_its_decimal_text() -> None:
    # printf 4711 | openssl dgst -sha1 -hmac Jefe
    showpass().verify(arrival(b'{"id": 4711}', "08e198db99166245fa44c1aee7241afb7cd8211a"))


def test_signing_gives_the_header_that_showpass_sends() -> None:
    body = json.dumps({"id": KNOWN_ID}).encode()
    assert showpass().sign(body, SECRET, now=0) == {"X-SHOWPASS-SIGNATURE": KNOWN_SIGNATURE}


def test_an_id_that_looks_like_a_uuid_but_is_none_is_verified() -> None:
    showpass().verify(arrival(invoice()))


def test_upper_case_is_accepted() -> None:
    body = json.dumps({"id": KNOWN_ID}).encode()
    showpass().verify(arrival(body, KNOWN_SIGNATURE.upper()))


def test_one_pair_of_quotes_is_accepted() -> None:
    body = json.dumps({"id": KNOWN_ID}).encode()
    showpass().verify(arrival(body, f'"{KNOWN_SIGNATURE}"'))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        KNOWN_SIGNATURE[:-1],
        KNOWN_SIGNATURE + "0",
        f"sha1={KNOWN_SIGNATURE}",
        f'"{KNOWN_SIGNATURE}',
        f'{KNOWN_SIGNATURE}"',
        f'""{KNOWN_SIGNATURE}""',
        f"'{KNOWN_SIGNATURE}'",
        f"{KNOWN_SIGNATURE}\n",
        KNOWN_SIGNATURE[:-1] + "é",
        KNOWN_SIGNATURE[:-1] + "９",
        KNOWN_SIGNATURE[:-1] + "g",
        f"{KNOWN_SIGNATURE}, {'0' * 40}",
        f"{'0' * 40},{KNOWN_SIGNATURE}",
        "0" * 40,
    ],
)
def test_any_other_form_of_the_signature_is_refused(signature: str) -> None:
    body = json.dumps({"id": KNOWN_ID}).encode()
    with pytest.raises(VerificationFailed):
        showpass().verify(arrival(body, signature))


def test_a_missing_signature_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="signature-missing"):
        showpass().verify(Webhook("tickets", invoice(), {}, received_at=0))


@pytest.mark.parametrize("secrets", [(SECRET, "new"), ("new", SECRET)])
def test_either_secret_is_accepted_during_a_rotation(secrets: tuple[str, str]) -> None:
    showpass(*secrets).verify(arrival(invoice()))


def test_the_secret_is_utf_8() -> None:
    body = invoice()
    signature = showpass().sign(body, "clé ☃", now=0)["X-SHOWPASS-SIGNATURE"]
    showpass("clé ☃").verify(arrival(body, signature))


@pytest.mark.parametrize(
    "given_id",
    [1.5, True, False, None, [], ["a"], {}, "", "x" * 129, "é", "a\nb", "\0"],
)
def test_an_id_that_cannot_be_signed_is_malformed(given_id: Any) -> None:
    body = json.dumps({"id": given_id}).encode()
    with pytest.raises(Malformed, match="id-missing-or-unusable"):
        showpass().verify(arrival(body, KNOWN_SIGNATURE))


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7", b"true"])
def test_a_body_that_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="not-an-object"):
        showpass().verify(arrival(body, KNOWN_SIGNATURE))


@pytest.mark.parametrize("body", [b"", b"{", b'{"id": NaN}', b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        showpass().verify(arrival(body, KNOWN_SIGNATURE))


def test_a_body_is_not_read_where_the_header_alone_is_wrong() -> None:
    webhook = arrival(b"{", "sha1=no")
    with pytest.raises(VerificationFailed):
        showpass().verify(webhook)


# The identity


def test_the_key_is_the_signed_id_with_the_webhook_event_uuid() -> None:
    found = identity(invoice(webhook_event_uuid="abc-1"))
    assert found.idempotency_key == f"{TRANSACTION}/abc-1"
    assert (found.former_key, found.signed_part) == ("abc-1", TRANSACTION)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b/c"), ("a/b", "c")),
        (("a", "b"), ("a/b", "")),
        (("a" * 100, "b" * 100), ("a" * 100, "b" * 99)),
        (("7", "u"), ("77", "u")),
    ],
)
def test_no_two_ids_and_uuids_make_the_same_key(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    keys = {
        identity(invoice(id=name, webhook_event_uuid=uuid)).idempotency_key
        for name, uuid in (one, other)
    }
    assert len(keys) == 2
    assert all(0 < len(key) <= 128 for key in keys)


def test_a_number_and_its_text_are_one_id() -> None:
    assert identity(invoice(id=7)).idempotency_key == identity(invoice(id="7")).idempotency_key


def test_a_key_made_without_a_uuid_is_what_it_always_was() -> None:
    body = b'{"id": 7, "event_type": "Invoice.Void", "data": {"a": 1}}'
    written = b'[7,"Invoice.Void",{"a":1}]'
    assert identity(body).idempotency_key == f"sha256:{hashlib.sha256(written).hexdigest()}"


@pytest.mark.parametrize("given_uuid", [None, "", "é", "x" * 129, "a\nb", 7, ["a"]])
def test_without_a_usable_uuid_the_key_is_a_hash_and_an_alert_is_raised(given_uuid: Any) -> None:
    found = identity(invoice(webhook_event_uuid=given_uuid))
    assert found.idempotency_key.startswith("sha256:")
    assert "webhook_event_uuid" in found.alerts[0]
    assert found.quarantine is None


def test_without_a_uuid_the_same_content_in_another_key_order_has_the_same_key() -> None:
    body = without(invoice(), "webhook_event_uuid")
    turned = json.dumps(dict(reversed(json.loads(body).items()))).encode()
    assert identity(body).idempotency_key == identity(turned).idempotency_key


@pytest.mark.parametrize("change", [{"id": "T-2"}, {"event_type": "invoice.void"}, {"data": {}}])
def test_without_a_uuid_another_id_type_or_data_has_another_key(change: dict[str, Any]) -> None:
    body = without(invoice(), "webhook_event_uuid")
    other = json.dumps({**json.loads(body), **change}).encode()
    assert identity(body).idempotency_key != identity(other).idempotency_key


def test_the_events_of_one_transaction_share_a_signature_and_no_key() -> None:
    purchase = arrival(invoice(webhook_event_uuid="a"))
    refund = arrival(invoice("invoice.refund", webhook_event_uuid="b"))
    assert purchase.headers == refund.headers
    assert showpass().identify(purchase) != showpass().identify(refund)


def test_neither_key_order_nor_white_space_is_content() -> None:
    body = invoice()
    turned = json.dumps(dict(reversed(json.loads(body).items())), indent=3).encode()
    assert identity(body).fingerprint == identity(turned).fingerprint


def test_changed_data_is_another_content() -> None:
    one, other = invoice(data={"net_sales": "1.00"}), invoice(data={"net_sales": "1.01"})
    assert identity(one).fingerprint != identity(other).fingerprint


@pytest.mark.parametrize("event_type", [None, "", " ", "\0", 7, ["invoice.purchase"]])
def test_a_signed_webhook_without_a_type_is_quarantined(event_type: Any) -> None:
    found = identity(invoice(event_type))
    assert found.quarantine == "event-type-missing"
    assert found.event_type == "unknown"


@pytest.mark.parametrize("data", ["text", 7, [], True])
def test_an_invoice_whose_data_is_no_object_is_quarantined(data: Any) -> None:
    assert identity(invoice(data=data)).quarantine == "data-not-an-object"


def test_an_invoice_without_data_is_quarantined() -> None:
    assert identity(without(invoice(), "data")).quarantine == "data-not-an-object"


@pytest.mark.parametrize("data", ["text", 7, [], {}, True])
def test_a_test_webhook_may_hold_anything(data: Any) -> None:
    assert identity(invoice("webhook.test", data)).quarantine is None


def test_an_event_type_is_kept_short_and_storable() -> None:
    assert identity(invoice("a\0b" + "c" * 500)).event_type == "ab" + "c" * 198


def test_an_unknown_type_is_not_quarantined() -> None:
    assert identity(invoice("invoice.exchanged")).quarantine is None


@pytest.mark.parametrize("organization", ["5796", 5796])
@pytest.mark.parametrize("sent", ["5796", 5796])
def test_the_organization_is_compared_as_text(organization: Any, sent: Any) -> None:
    found = identity(invoice(data={"showpass_organization_id": sent}), organization=organization)
    assert found.quarantine is None


@pytest.mark.parametrize("data", [{"showpass_organization_id": "20"}, {}])
def test_an_invoice_of_another_organization_is_quarantined(data: dict[str, Any]) -> None:
    assert identity(invoice(data=data), organization="5796").quarantine == "organization-mismatch"


def test_a_test_webhook_need_not_name_the_organization() -> None:
    assert identity(invoice("webhook.test", {}), organization="5796").quarantine is None


def test_without_the_setting_any_organization_is_accepted() -> None:
    assert identity(invoice(data={"showpass_organization_id": "20"})).quarantine is None


def test_an_invoice_of_another_transaction_is_accepted_with_an_alert_and_a_remark() -> None:
    body = invoice(data={"transaction_id": "b3-3eb2"})
    [alert] = identity(body).alerts
    assert "transaction" in alert
    assert identity(body).quarantine is None
    assert event(body).remarks == (alert,)


@pytest.mark.parametrize("transaction", ["b3-3eb2", None])
def test_an_invoice_of_another_transaction_is_quarantined_where_the_operator_says_so(
    transaction: str | None,
) -> None:
    body = invoice(data={"transaction_id": transaction})
    found = identity(body, transaction_mismatch="quarantine")
    assert found.quarantine == "transaction-mismatch"
    assert found.alerts == ()


def test_a_transaction_is_compared_as_text() -> None:
    assert identity(invoice(data={"transaction_id": 7}, id="7")).alerts == ()


def test_a_test_webhook_need_not_name_the_transaction() -> None:
    body = invoice("webhook.test", {"transaction_id": "b3"})
    assert identity(body, transaction_mismatch="quarantine").quarantine is None


# The contact


@pytest.mark.parametrize("name", ["No Name", " no name ", "NO  NAME", "", "  ", None, 7.5, []])
def test_an_unknown_name_is_none(name: Any) -> None:
    contact = event(invoice(data={"customer_name": name})).contact
    assert (contact.name, contact.first_name, contact.last_name) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Étienne Gagnon", "Étienne", "Gagnon"),
        (" Anna  van der Berg ", "Anna", "van der Berg"),
        ("Cher", "Cher", None),
        ("No Nameless", "No", "Nameless"),
    ],
)
def test_the_first_word_is_the_first_name(name: str, first: str, last: str | None) -> None:
    contact = event(invoice(data={"customer_name": name})).contact
    assert (contact.name, contact.first_name, contact.last_name) == (name.strip(), first, last)


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        (" A@B.CA ", "A@B.CA"),
        ("not-an-email", "not-an-email"),
        ("", None),
        (" ", None),
        (None, None),
        ({}, None),
    ],
)
def test_an_address_is_trimmed_and_a_blank_one_is_none(sent: Any, address: str | None) -> None:
    assert event(invoice(data={"customer_email": sent})).contact.email == address


def test_the_contact_is_the_buyer_and_never_the_ticket_holder() -> None:
    ticket = {"name_on_ticket": "Lena Okafor", "email_on_ticket": "lena@example.org"}
    contact = event(invoice(data={"ticket_items": [ticket]})).contact
    assert (contact.email, contact.name) == (None, None)


@pytest.mark.parametrize(
    ("sent", "consent"),
    [
        (True, True),
        (False, False),
        ("true", None),
        ("True", None),
        (1, None),
        (None, None),
        ([True], None),
    ],
)
def test_only_a_json_true_is_consent(sent: Any, consent: bool | None) -> None:
    assert event(invoice(data={"subscribe_to_venue": sent})).contact.consent is consent


def test_a_missing_flag_says_nothing_of_consent() -> None:
    assert event(invoice()).contact.consent is None


@pytest.mark.parametrize("event_type", sorted({*Showpass.event_types} - {"invoice.purchase"}))
@pytest.mark.parametrize("sent", [True, False])
def test_only_a_purchase_asks_for_consent(event_type: str, sent: bool) -> None:
    found = event(invoice(event_type, {"subscribe_to_venue": sent}))
    assert found.contact.consent is None


def test_strange_characters_are_kept_as_received() -> None:
    name = "<script>\u202e=HYPERLINK() <!channel> 🎟\0" + "x" * 300
    assert event(invoice(data={"customer_name": name})).contact.name == name


# The facts


@pytest.mark.parametrize(
    ("sent", "amount"),
    [
        ("5.84", Decimal("5.84")),
        (" 107 ", Decimal(107)),
        (107, Decimal(107)),
        (0, Decimal(0)),
        (0.1, Decimal("0.1")),
        ("-63.00", Decimal("-63.00")),
        ("", None),
        (None, None),
        (True, None),
        ("free", None),
        ("1_000", None),
        ("1,000.00", Decimal("1000.00")),
        ("1,000", None),
        ("NaN", None),
        ("1e5", None),
        ("٣", None),
        (1e300, None),
        (10**40, None),
        (["5.84"], None),
    ],
)
def test_money_is_a_decimal_or_none(sent: Any, amount: Decimal | None) -> None:
    assert event(invoice(data={"net_sales": sent})).facts["order"]["total"] == amount


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("2026-12-02T04:00:00Z", datetime(2026, 12, 2, 4, tzinfo=UTC)),
        ("2026-12-01T21:00:00-07:00", datetime(2026, 12, 2, 4, tzinfo=UTC)),
        ("2026-12-02T04:00:00", datetime(2026, 12, 2, 4, tzinfo=UTC)),
        ("2026-15-30T06:45:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("soon", None),
        ("", None),
        (None, None),
        (1669302166, None),
    ],
)
def test_a_date_is_in_utc_or_none(sent: Any, found: datetime | None) -> None:
    tickets = event(invoice(data={"ticket_items": [{"event_starts_on": sent}]})).facts["tickets"]
    assert tickets[0]["starts_on"] == found


@pytest.mark.parametrize("sent", [21110231, "21110231"])
def test_ids_are_texts_however_they_are_sent(sent: Any) -> None:
    assert event(invoice(data={"ticket_items": [{"id": sent}]})).facts["tickets"][0]["id"] == (
        "21110231"
    )


def test_enumerations_are_in_lower_case() -> None:
    data = {"payment_type": "Credit", "invoice_type": "Sale", "ticket_items": [
        {"ticket_status": "Issued", "ticket_item_type": "Ticket"}]}  # fmt: skip
    facts = event(invoice(data=data)).facts
    assert (facts["order"]["payment_type"], facts["order"]["invoice_type"]) == ("credit", "sale")
    assert (facts["tickets"][0]["status"], facts["tickets"][0]["kind"]) == ("issued", "ticket")


@pytest.mark.parametrize(
    ("sent", "quantity"), [(2, 2), ("2", 2), (0, 0), (-1, None), (1.5, None), (True, None)]
)
def test_a_quantity_is_a_whole_number_or_none(sent: Any, quantity: int | None) -> None:
    items = event(invoice(data={"invoice_items": [{"quantity": sent}]})).facts["items"]
    assert items[0]["quantity"] == quantity


def test_what_is_no_ticket_is_left_out() -> None:
    assert event(invoice(data={"ticket_items": [None, 7, {"id": 1}]})).facts["tickets"][0][
        "id"
    ] == ("1")


def test_what_an_event_is_about_is_what_was_signed() -> None:
    """Else one signature would do to answer in the threads of others."""
    assert event(invoice(data={"transaction_id": "b3-3eb2"})).subject == TRANSACTION


def test_without_a_transaction_id_the_order_is_named_by_the_signed_id() -> None:
    found = event(invoice(data={"transaction_id": None}))
    assert found.facts["order"]["id"] == found.subject == TRANSACTION


def test_a_ticket_barcode_is_nowhere_in_the_event() -> None:
    data = {"ticket_items": [{"barcode_string": "5GHOEEHUG"}], "Barcode_String": {"x": "5GHOEEHUG"}}
    assert "5GHOEEHUG" not in repr(event(invoice(data=data)))


def test_five_hundred_tickets_are_five_hundred_entries() -> None:
    data = {"ticket_items": [{"id": number} for number in range(500)]}
    assert len(event(invoice(data=data)).facts["tickets"]) == 500


def test_an_unknown_type_keeps_what_was_sent() -> None:
    found = event(invoice("gift.sent", {"card": 7}))
    assert (found.type, found.facts) == ("gift.sent", {})
    assert found.raw == {"transaction_id": TRANSACTION, "card": 7}


def test_data_that_is_no_object_is_kept_under_its_name() -> None:
    assert event(invoice("webhook.test", [1, 2])).raw == {"data": [1, 2]}


# What is summed up, and what belongs together


@pytest.mark.parametrize(
    ("event_type", "noun"),
    [
        ("invoice.purchase", "purchase"),
        ("invoice.refund", "refund"),
        ("invoice.void", "void"),
        ("invoice.transfer", "transfer"),
        ("invoice.transferred", "outgoing transfer"),
        ("invoice.unheard-of", ""),
    ],
)
def test_a_digest_counts_each_type_by_its_noun(event_type: str, noun: str) -> None:
    found = event(invoice(event_type, {"net_sales": "5.84", "currency": "CAD"}))
    assert (found.noun, found.amount, found.currency) == (noun, Decimal("5.84"), "CAD")


def test_what_is_no_amount_is_not_summed_up() -> None:
    found = event(invoice(data={"net_sales": "free", "currency": None}))
    assert (found.amount, found.currency) == (None, "")


SIGNED = (f"transaction {TRANSACTION}",)
CLAIMED = (f"named transaction {TRANSACTION}", "ticket 7", "ticket 8")
TICKETS = [{"id": 7}, {"id": "8"}, {"id": 7}, {"id": None}]


@pytest.mark.parametrize(
    ("event_type", "begins", "ends"),
    [
        ("invoice.purchase", SIGNED, ()),
        ("invoice.refund", (), SIGNED),
        ("invoice.void", (), SIGNED),
        ("invoice.transfer", (), ()),
        ("invoice.transferred", (), ()),
    ],
)
def test_refunds_and_voids_end_what_a_purchase_begins(
    event_type: str, begins: tuple[str, ...], ends: tuple[str, ...]
) -> None:
    found = event(invoice(event_type, {"ticket_items": TICKETS}))
    assert (found.begins, found.ends) == (begins, ends)
    assert found.claims == (CLAIMED if begins or ends else ())


def test_what_is_not_signed_is_believed_only_where_the_switch_says_so() -> None:
    body = invoice("invoice.refund", {"transaction_id": "T-2", "ticket_items": TICKETS})
    assert event(body).ends == SIGNED
    assert not event(body).holds_claims
    held = event(body, ticket_mismatch="quarantine")
    assert (held.ends, held.holds_claims) == (SIGNED, True)
    believed = event(body, ticket_mismatch="accept")
    assert believed.ends == (*SIGNED, *event(body).claims)
    assert "named transaction T-2" in believed.ends
    assert believed.claims == ()


def test_an_order_is_known_by_the_signed_id_whatever_the_data_says() -> None:
    """Deals and orders at vendors are found by it."""
    found = event(invoice("invoice.refund", {"transaction_id": "T-2"}))
    assert found.facts["order"]["id"] == TRANSACTION


def test_of_endless_tickets_only_the_first_count() -> None:
    found = event(invoice(data={"ticket_items": [{"id": each} for each in range(5000)]}))
    assert len(found.claims) == 100


# The samples


def test_the_purchase_sample_is_of_three_things_of_which_one_is_vip() -> None:
    found = sample("invoice.purchase")
    assert [ticket["type"] for ticket in found.facts["tickets"]] == [
        "VIP",
        "General admission",
        None,
    ]
    assert found.contact.consent is True


def test_the_refund_sample_is_of_the_purchase() -> None:
    assert sample("invoice.refund").subject == sample("invoice.purchase").subject


def test_the_refund_sample_ends_what_the_purchase_sample_begins() -> None:
    assert set(sample("invoice.refund").ends) & set(sample("invoice.purchase").begins)


def test_the_samples_raise_no_alert() -> None:
    for shipped in Showpass.samples():
        found = identity(shipped.text.encode().replace(b"{{ uuid }}", b"1"), organization="5150")
        assert (found.quarantine, found.alerts) == (None, ())


# Anything at all


@given(json_values, json_values, json_values, json_values)
@settings(deadline=None)
def test_no_value_stops_a_signed_webhook(
    event_type: Any, event_uuid: Any, data: Any, member: Any
) -> None:
    if isinstance(data, dict):
        data = {
            "ticket_items": [member, data],
            "invoice_items": member,
            "customer_name": member,
            "net_sales": member,
            "showpass_organization_id": member,
            **data,
        }
    envelope = {"id": 1, "event_type": event_type, "webhook_event_uuid": event_uuid, "data": data}
    body = json.dumps(envelope).encode()
    source, webhook = showpass(organization="5150"), arrival(body)
    source.verify(webhook)
    assert source.identify(webhook).idempotency_key
    assert len(source.normalise(webhook)) == 1


@given(st.binary(), st.text() | st.just(KNOWN_SIGNATURE))
@settings(deadline=None)
def test_no_bytes_and_no_header_raise_anything_undocumented(body: bytes, header: str) -> None:
    webhook = arrival(body, header)
    with suppress(Malformed, VerificationFailed):
        showpass().verify(webhook)
    with suppress(Malformed):
        showpass().identify(webhook)


@given(json_values)
@settings(deadline=None)
def test_no_json_body_raises_anything_undocumented(value: Any) -> None:
    webhook = arrival(strict_json.canonical(value), KNOWN_SIGNATURE)
    with suppress(Malformed, VerificationFailed):
        showpass().verify(webhook)
    with suppress(Malformed):
        showpass().identify(webhook)
        showpass().normalise(webhook)
