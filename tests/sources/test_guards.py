"""Each guard against a leaked signature, by attack and switch: what it stops, in every spelling."""

import hmac
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.event import Event, Webhook
from bridge.rules.conditions import glob
from bridge.sources import lenient
from bridge.sources.showpad import Showpad, ShowpadSettings
from bridge.sources.showpass import Showpass, ShowpassSettings

SECRET = "Jefe"
LEAKED = "7c-41d9"
OURS, THEIRS = "5150", "6000"

PLAIN = "invoice.purchase"
SPELLINGS = [
    PLAIN,
    "INVOICE.PURCHASE",
    "Invoice.Purchase",
    "iNVOICE.purchase",
    " invoice.purchase",
    "invoice.purchase\n",
    "\t\u3000invoice.purchase\u2003",
    "\0invoice.purchase",
    "in\0voice.purchase",
    "ｉｎｖｏｉｃｅ．ｐｕｒｃｈａｓｅ",
    "ＩＮＶＯＩＣＥ.PURCHASE",
    "invoice.purcha\u017fe",
    "invoice\u2024purchase",
    "𝐢𝐧𝐯𝐨𝐢𝐜𝐞.purchase",
]
# Near to it for the eye, and another type for guards and rules alike.
STRANGERS = [
    "İnvoice.purchase",
    "ınvoice.purchase",
    "in\u200bvoice.purchase",
    "\u202einvoice.purchase",
    "\u0456nvoice.purchase",
    "invoice purchase",
    "invoice",
    "x.invoice.purchase",
]
ANY_CHARACTER = st.characters(exclude_categories=["Cs"])


def receive(payload: dict[str, Any], **switches: Any) -> tuple[str | None, Event]:
    """Why it is quarantined, and the event that rules would be asked about."""
    source = Showpass(ShowpassSettings(**switches), (SECRET,))
    signature = hmac.digest(SECRET.encode(), str(payload["id"]).encode(), "sha1").hex()
    body = json.dumps(payload).encode()
    webhook = Webhook("tickets", body, {"x-showpass-signature": signature}, received_at=0)
    source.verify(webhook)
    [event] = source.normalise(webhook)
    identity = source.identify(webhook)
    assert identity.event_type == event.type
    return identity.quarantine, event


def forged(event_type: str = PLAIN, *, signed: Any = LEAKED, **data: Any) -> dict[str, Any]:
    known = {"transaction_id": LEAKED, "showpass_organization_id": OURS, **data}
    return {"id": signed, "webhook_event_uuid": "u", "event_type": event_type, "data": known}


@pytest.mark.parametrize("event_type", SPELLINGS)
def test_every_spelling_of_a_type_is_the_same_type(event_type: str) -> None:
    reason, event = receive(forged(event_type))
    assert (reason, event.type) == (None, PLAIN)
    assert event.facts["order"]["id"] == LEAKED


@pytest.mark.parametrize("event_type", STRANGERS)
def test_what_only_looks_like_a_type_is_one_that_nobody_knows(event_type: str) -> None:
    _, event = receive(forged(event_type))
    assert event.facts == {}
    assert not glob(event.type, "invoice.*")


@pytest.mark.parametrize("event_type", [*SPELLINGS, *STRANGERS, "invoice.exchanged", "ticket.scan"])
@pytest.mark.parametrize(
    "transaction",
    ["SOMEBODY-ELSES", 4711, " OTHER ", LEAKED.upper(), f"{LEAKED}\0", "7c\u201041d9"],
)
def test_another_transaction_is_put_aside_under_every_type(
    event_type: str, transaction: Any
) -> None:
    payload = forged(event_type, transaction_id=transaction)
    assert receive(payload, transaction_mismatch="quarantine")[0] == "transaction-mismatch"
    assert receive(payload)[0] is None


@pytest.mark.parametrize("event_type", SPELLINGS)
@pytest.mark.parametrize("transaction", [None, True, [LEAKED], {"id": LEAKED}, "", 7.0])
def test_an_invoice_without_a_readable_transaction_is_put_aside(
    event_type: str, transaction: Any
) -> None:
    payload = forged(event_type, signed=7, transaction_id=transaction)
    assert receive(payload, transaction_mismatch="quarantine")[0] == "transaction-mismatch"


@pytest.mark.parametrize("signed", [7, "7"])
@pytest.mark.parametrize("transaction", [7, "7", " 7\n"])
def test_a_transaction_is_the_same_as_number_and_as_text(signed: Any, transaction: Any) -> None:
    payload = forged(signed=signed, transaction_id=transaction)
    assert receive(payload, transaction_mismatch="quarantine")[0] is None


@pytest.mark.parametrize("event_type", [*SPELLINGS, *STRANGERS, "invoice.exchanged", "ticket.scan"])
@pytest.mark.parametrize(
    "organization", [THEIRS, int(THEIRS), None, [OURS], True, 5150.0, "5150\0"]
)
def test_another_organization_is_put_aside_under_every_type(
    event_type: str, organization: Any
) -> None:
    payload = forged(event_type, showpass_organization_id=organization)
    assert receive(payload, organization=OURS)[0] == "organization-mismatch"
    assert receive(payload)[0] is None


@pytest.mark.parametrize("configured", [OURS, int(OURS), f" {OURS} "])
@pytest.mark.parametrize("sent", [OURS, int(OURS), f" {OURS}\n"])
def test_our_organization_is_the_same_as_number_and_as_text(configured: Any, sent: Any) -> None:
    payload = forged(showpass_organization_id=sent)
    assert receive(payload, organization=configured)[0] is None


@pytest.mark.parametrize("event_type", SPELLINGS)
@pytest.mark.parametrize("name", ["Data", "DATA", " data", "d\0ata", "dat\u0430"])
def test_data_by_another_name_is_no_data(event_type: str, name: str) -> None:
    payload = forged(event_type, transaction_id="OTHER")
    payload[name] = payload.pop("data")
    reason, event = receive(payload)
    assert (reason, event.contact.email) == ("data-not-an-object", None)


@pytest.mark.parametrize("event_type", ["webhook.test", "WEBHOOK.TEST", "webhook\u2024te\u017ft "])
def test_a_test_event_passes_every_guard_and_is_about_nobody(event_type: str) -> None:
    payload = forged(event_type, transaction_id="OTHER", customer_email="victim@example.com")
    reason, event = receive(payload, organization=OURS, transaction_mismatch="quarantine")
    assert (reason, event.contact.email, event.order_key) == (None, None, LEAKED)


@given(st.text(ANY_CHARACTER, max_size=3), st.text(ANY_CHARACTER, max_size=3), st.data())
@settings(deadline=None, max_examples=500)
@example("\u017f", "\u212a", None)
def test_rules_take_for_an_invoice_what_the_guards_take_for_one(
    before: str, after: str, data: st.DataObject | None
) -> None:
    cut = data.draw(st.integers(0, len(PLAIN))) if data else 3
    for sent in (before + PLAIN + after, PLAIN[:cut] + before + PLAIN[cut + len(after) :]):
        found = lenient.event_type(sent)
        assert glob(found, "invoice.*") == found.startswith("invoice.")
        assert glob(found, PLAIN) == (found == PLAIN)


def test_no_character_makes_a_spelling_that_only_rules_know() -> None:
    for point in (*range(0xD800), *range(0xE000, 0x110000)):
        found = lenient.event_type(f"invoice.{chr(point)}")
        assert found.casefold() == found, hex(point)


@pytest.mark.parametrize(
    "event_type", ["COURSE_COMPLETED", "course＿completed", " Course-Completed\0"]
)
def test_a_showpad_type_has_one_spelling(event_type: str) -> None:
    source = Showpad(ShowpadSettings(), (SECRET,))
    webhook = Webhook("showpad", json.dumps({"id": "1", "type": event_type}).encode(), {}, 0)
    assert source.identify(webhook).event_type == "course-completed"
    assert {event.type for event in source.normalise(webhook)} == {"course-completed"}
