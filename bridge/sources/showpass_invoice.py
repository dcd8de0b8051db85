"""What a Showpass invoice says, in our shape: the buyer, the order, the tickets, the items.

Ids come as texts or numbers, money as texts or numbers, enumerations in any
case; all are read alike, and nothing is recomputed: the vendor's own sums do
not add up. https://dev.showpass.com/webhooks/05-webhooks-payload-invoice-object
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bridge.event import Contact
from bridge.source import Field, FieldKind
from bridge.sources import lenient
from bridge.sources.reading import Reading

Json = Mapping[str, Any]

# A body made up to do harm may name hundreds of thousands.
MAX_CLAIMS = 100


def buyer(event_type: str, invoice: Reading) -> Contact:
    """Who bought, which need not be who comes: ticket holders are in `tickets`.

    Consent is read from `invoice.purchase` alone, and only a JSON true is one.
    A refund or a void repeats the flag of an earlier purchase, and the person
    may have unsubscribed since. On a transfer nobody has been asked: the
    recipient has bought nothing, and the flag is the original buyer's.
    """
    name, first_name, last_name = _names(invoice.text("customer_name"))
    asked = event_type == "invoice.purchase"
    return Contact(
        email=invoice.address("customer_email"),
        name=name,
        first_name=first_name,
        last_name=last_name,
        phone=invoice.name("customer_phone_number"),
        consent=invoice.flag("subscribe_to_venue") if asked else None,
    )


def long_addresses(invoice: Json) -> tuple[str, ...]:
    """A remark where an address is too long to be one."""
    tickets = lenient.mappings(invoice.get("ticket_items"))
    given = [invoice.get("customer_email"), *(each.get("email_on_ticket") for each in tickets)]
    too_long = sum(1 for each in map(lenient.text, given) if each and lenient.address(each) is None)
    if not too_long:
        return ()
    said = f"{too_long:,} e-mail address{'es' if too_long > 1 else ''}"
    return (f"{said} of more than {lenient.MAX_ADDRESS} characters count as none",)


def facts(payload: Json, invoice: Reading) -> dict[str, Any]:
    """Every field that FIELDS declares, None where it is not known."""
    return {
        "order": _order(payload, invoice),
        "tickets": [_ticket(ticket) for ticket in invoice.groups("ticket_items")],
        "items": [_item(item) for item in invoice.groups("invoice_items")],
    }


def signed_matters(payload: Json) -> tuple[str, ...]:
    """By what a refund surely knows its purchase: the id that the signature covers."""
    name = lenient.name(payload.get("id"))
    return (f"transaction {name}",) if name else ()


def claimed_matters(payload: Json, invoice: Json) -> tuple[str, ...]:
    """By what it may be known besides: unsigned, so anybody with one signature can name them.

    A genuine refund may carry another transaction than its purchase, but not other tickets.
    The two ids of a webhook should be the same; published samples differ there.
    """
    transactions = [payload.get("id"), invoice.get("transaction_id")]
    tickets = [ticket.get("id") for ticket in lenient.mappings(invoice.get("ticket_items"))]
    found = [f"named transaction {name}" for name in map(lenient.name, transactions) if name]
    found += [f"ticket {name}" for name in map(lenient.name, tickets) if name]
    return tuple(dict.fromkeys(found))[:MAX_CLAIMS]


def without_barcodes(value: Any) -> Any:
    """A copy without what admits to the event: whoever reads a barcode can print the ticket."""
    if isinstance(value, dict):
        return {
            name: without_barcodes(member)
            for name, member in value.items()
            if "barcode" not in name.casefold()
        }
    if isinstance(value, list):
        return [without_barcodes(member) for member in value]
    return value


def _names(name: str | None) -> tuple[str | None, str | None, str | None]:
    """Full, first and last name; Showpass writes "No Name" where it knows none.

    The first word is the first name and the rest the last name: wrong for some
    people, but nothing is lost, and the full name is there as it was sent.
    """
    words = name.split() if name else []
    if name is None or [word.casefold() for word in words] == ["no", "name"]:
        return None, None, None
    return name, words[0], " ".join(words[1:]) or None


def _order(payload: Json, invoice: Reading) -> dict[str, Any]:
    return {
        # What is signed: deals and orders at vendors are found by it.
        "id": lenient.name(payload.get("id")),
        "total": invoice.money("net_sales"),
        "currency": invoice.name("currency"),
        "gross_revenue": invoice.money("gross_revenue"),
        "fees": invoice.money("service_fees"),
        "tax": invoice.money("total_tax"),
        "discounts": invoice.money("discounts"),
        "payment_type": invoice.lowered("payment_type"),
        "invoice_type": invoice.lowered("invoice_type"),
        "organization": invoice.name("showpass_organization_id"),
    }


def _ticket(ticket: Reading) -> dict[str, Any]:
    return {
        "id": ticket.name("id"),
        "type": ticket.text("ticket_type_name"),
        "type_id": ticket.name("ticket_type_id"),
        "kind": ticket.lowered("ticket_item_type"),
        "status": ticket.lowered("ticket_status"),
        "event_id": ticket.name("event_id"),
        "event_name": ticket.text("event_name"),
        "starts_on": ticket.moment("event_starts_on"),
        "ends_on": ticket.moment("event_ends_on"),
        "product": ticket.text("product_name"),
        "transferred": ticket.flag("created_by_transfer"),
        "holder_name": _names(ticket.text("name_on_ticket"))[0],
        "holder_email": ticket.address("email_on_ticket"),
        "holder_phone": ticket.name("phone_number_on_ticket"),
    }


def _item(item: Reading) -> dict[str, Any]:
    return {
        "id": item.name("id"),
        "kind": item.lowered("invoice_item_type"),
        "quantity": item.count("quantity"),
        "type": item.text("ticket_type_name"),
        "type_id": item.name("ticket_type_id"),
        "event_id": item.name("event_id"),
        "event_name": item.text("event_name"),
        "product": item.text("product_name"),
        "total": item.money("net_sales"),
        "discounts": item.money("discounts"),
    }


def _field(path: str, kind: FieldKind, about: str, example: Any) -> Field:
    return Field(path, kind, about, example, events=("invoice.*",))


FIELDS = (
    _field("order.id", "text", "the transaction id", "7c-41d9-4be2-9a55-c0ffee120703"),
    _field("order.total", "money", "net sales: nearest to what the buyer paid", Decimal("236.25")),
    _field("order.currency", "text", "the currency of all the order's amounts", "CAD"),
    _field(
        "order.gross_revenue", "money", "what is left for the organizer, after fees", Decimal(210)
    ),
    _field("order.fees", "money", "the service fees", Decimal("15.00")),
    _field("order.tax", "money", "the taxes", Decimal("11.25")),
    _field("order.discounts", "money", "what was taken off the price", Decimal("20.00")),
    _field(
        "order.payment_type",
        "text",
        "how it was paid, in lower case: credit, cash, interac, complimentary, free ...",
        "credit",
    ),
    _field("order.invoice_type", "text", "sale or refund, in lower case", "sale"),
    _field("order.organization", "text", "the Showpass id of the organization", "5150"),
    _field("tickets", "list", "one entry for each ticket, membership or product", []),
    _field("tickets.id", "text", "the ticket's number", "90210001"),
    _field("tickets.type", "text", "the ticket type's name", "VIP"),
    _field("tickets.type_id", "text", "the ticket type's number", "330101"),
    _field("tickets.kind", "text", "ticket, membership or product", "ticket"),
    _field("tickets.status", "text", "pending, issued, voided or transferred", "issued"),
    _field("tickets.event_id", "text", "the show's number at Showpass", "820045"),
    _field("tickets.event_name", "text", "the show's name", "Bow River Folk Night"),
    _field(
        "tickets.starts_on", "date", "when the show starts", datetime(2027, 7, 3, 1, 30, 0, 0, UTC)
    ),
    _field("tickets.ends_on", "date", "when the show ends", datetime(2027, 7, 3, 5, 0, 0, 0, UTC)),
    _field("tickets.product", "text", "the product's name, where it is a product", "Tote bag"),
    _field("tickets.transferred", "yes/no", "whether somebody passed the ticket on", False),
    _field("tickets.holder_name", "text", "who comes; not always the buyer", "Priya Raghunathan"),
    _field("tickets.holder_email", "text", "the ticket holder's address", "priya@example.com"),
    _field("tickets.holder_phone", "text", "the ticket holder's telephone", "+1 403 555 0142"),
    _field("items", "list", "one entry for each line of the invoice", []),
    _field("items.id", "text", "the line's number", "55310001"),
    _field("items.kind", "text", "ticket, membership or product", "ticket"),
    _field("items.quantity", "number", "how many of it", 2),
    _field("items.type", "text", "the ticket type's name", "VIP"),
    _field("items.type_id", "text", "the ticket type's number", "330101"),
    _field("items.event_id", "text", "the show's number at Showpass", "820045"),
    _field("items.event_name", "text", "the show's name", "Bow River Folk Night"),
    _field("items.product", "text", "the product's name, where it is a product", "Tote bag"),
    _field("items.total", "money", "the line's net sales", Decimal("157.50")),
    _field("items.discounts", "money", "what was taken off the line's price", Decimal("20.00")),
)
