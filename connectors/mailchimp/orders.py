"""Orders of a store in Mailchimp, as rules ask for them and as Mailchimp is told of them.

https://mailchimp.com/developer/marketing/docs/e-commerce/. A customer's `opt_in_status`
is always false: nobody is subscribed by buying something.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from bridge.connector import EmailAddress, Field, Item, NonEmpty, Skipped
from connectors.mailchimp.members import member_hash

LONGEST_ID = 50
LONGEST_TEXT = 255

PAID = "paid"
REFUNDED = "refunded"
PARTIALLY_REFUNDED = "partially_refunded"
"""As https://github.com/mailchimp/mc-magento writes it."""


def _money(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,12}(\.\d{1,6})?\s*", value) is None:
        raise ValueError("an amount is a number such as 236.25")
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("an amount is a number such as 236.25") from error


def _total(value: Any) -> Any:
    amount = _money(value)
    if amount is None:
        raise Skipped("the event does not say what the order came to")
    return amount


def _currency(value: Any) -> Any:
    text = value.strip().upper() if isinstance(value, str) else value
    if not text:
        raise Skipped("the event does not name the currency of the order")
    if not isinstance(text, str) or not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError("a currency is a code of three letters, such as CAD")
    return text


def _order_id(value: Any) -> Any:
    text = value.replace("\0", "").strip() if isinstance(value, str) else value
    if not text:
        raise Skipped("the event does not name an order")
    return text


def _short(value: Any) -> Any:
    return value.replace("\0", "").strip()[:LONGEST_TEXT] if isinstance(value, str) else value


Money = Annotated[Decimal | None, BeforeValidator(_money)]
Total = Annotated[Decimal, BeforeValidator(_total)]
Short = Annotated[str, BeforeValidator(_short)]
OrderId = Annotated[str, BeforeValidator(_order_id)]


class OrderLine(BaseModel):
    """One line of an order, where a rule writes the lines itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    product: NonEmpty = Field(description="What was bought, such as the name of the event.")
    variant: Short = Field(default="", description="The kind of it, such as the ticket type.")
    quantity: int = Field(default=1, ge=1, description="How many.")
    price: Money = Field(default=None, description="The price of one, in the order's currency.")


class AddOrder(Item):
    """An order, which is told once: its id is the transaction's."""

    example: ClassVar[Mapping[str, Any]] = {
        "store": "Box office",
        "email": "{{ contact.email }}",
        "order_id": "{{ order.id }}",
        "total": "{{ order.total }}",
        "currency": "{{ order.currency }}",
        "first_name": "{{ contact.first_name }}",
        "last_name": "{{ contact.last_name }}",
    }

    store: NonEmpty = Field(description="The store in Mailchimp: its name or its id.")
    email: EmailAddress = Field(description="The buyer's e-mail address.")
    order_id: OrderId = Field(description="The order's id: the transaction's, one order for each.")
    total: Total = Field(description="What the order came to.")
    currency: Annotated[str, BeforeValidator(_currency)] = Field(
        description="The currency of the amounts, as a code such as CAD."
    )
    tax: Money = Field(default=None, description="The tax in the total.")
    discount: Money = Field(default=None, description="The discounts on the order.")
    first_name: Short = Field(default="", description="The buyer's first name.")
    last_name: Short = Field(default="", description="The buyer's last name.")
    lines: list[OrderLine] = Field(
        default_factory=list,
        description="What was bought. Left out: the order's items, as the event tells them.",
    )


class RefundOrder(Item):
    """A refund of an order that was told before."""

    example: ClassVar[Mapping[str, Any]] = {
        "store": "Box office",
        "order_id": "{{ order.id }}",
        "amount": "{{ order.total }}",
    }

    store: NonEmpty = Field(description="The store in Mailchimp: its name or its id.")
    order_id: OrderId = Field(description="The order's id, as it was added.")
    amount: Money = Field(
        default=None,
        description="What was paid back. Less than the order came to: it is partially refunded. "
        "Left out: it is refunded.",
    )


@dataclass(frozen=True)
class Line:
    """A line, with the ids by which Mailchimp knows its product and the variant of it."""

    id: str
    product_id: str
    product: str
    variant_id: str
    variant: str
    quantity: int
    price: Decimal

    def told(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "product_id": self.product_id,
            "product_variant_id": self.variant_id,
            "quantity": self.quantity,
            "price": float(self.price),
        }

    def told_variant(self) -> dict[str, Any]:
        return {"id": self.variant_id, "title": self.variant, "price": float(self.price)}


def identity(text: str) -> str:
    """The same id for the same text: what no path can carry, or is too long, is hashed."""
    if re.fullmatch(rf"\w[\w-]{{0,{LONGEST_ID - 1}}}", text, re.ASCII):
        return text
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]


def lines_of(item: AddOrder) -> list[Line]:
    """As the rule writes them, else as the event does, else one for the whole order."""
    found = [_written(number, line) for number, line in enumerate(item.lines, 1)]
    if not found:
        bought = item.event.get("items")
        found = [
            _bought(number, one)
            for number, one in enumerate(bought if isinstance(bought, list) else [], 1)
            if isinstance(one, Mapping)
        ]
    return found or [_line("1", ("", "Order"), ("", "Order"), 1, item.total)]


def _written(number: int, line: OrderLine) -> Line:
    product, price = line.product[:LONGEST_TEXT], line.price or Decimal(0)
    return _line(str(number), ("", product), ("", line.variant or product), line.quantity, price)


def _bought(number: int, one: Mapping[str, Any]) -> Line:
    """Of an item of the event, any part of which may be unknown."""
    product = str(one.get("event_name") or one.get("product") or "Ticket")[:LONGEST_TEXT]
    variant = str(one.get("type") or product)[:LONGEST_TEXT]
    quantity = one.get("quantity")
    count = quantity if isinstance(quantity, int) and quantity > 0 else 1
    try:
        price = (_money(str(one.get("total") or "0")) or Decimal(0)) / count
    except ValueError:
        price = Decimal(0)
    ids = [str(one.get(name) or "") for name in ("id", "event_id", "type_id")]
    return _line(ids[0] or str(number), (ids[1], product), (ids[2], variant), count, price)


def _line(
    name: str, product: tuple[str, str], variant: tuple[str, str], count: int, price: Decimal
) -> Line:
    """Products and variants by id and title; without an id the title stands for one."""
    product_id = identity(product[0] or product[1])
    variant_id = identity(variant[0] or f"{product_id} {variant[1]}")
    cents = price.quantize(Decimal("0.01"))
    return Line(identity(name), product_id, product[1], variant_id, variant[1], count, cents)


def customer(item: AddOrder) -> dict[str, Any]:
    """For a PUT; `false` never changes the status of somebody who is there."""
    named = {"first_name": item.first_name, "last_name": item.last_name}
    return {
        "id": member_hash(item.email),
        "email_address": item.email,
        "opt_in_status": False,
        **{name: text for name, text in named.items() if text},
    }


def order(item: AddOrder) -> dict[str, Any]:
    """For a POST. Of a customer who is known only the id may be named."""
    told: dict[str, Any] = {
        "id": identity(item.order_id),
        "customer": {"id": member_hash(item.email)},
        "financial_status": PAID,
        "currency_code": item.currency,
        "order_total": float(item.total),
        "lines": [line.told() for line in lines_of(item)],
    }
    if item.tax is not None:
        told["tax_total"] = float(item.tax)
    if item.discount is not None:
        told["discount_total"] = float(item.discount)
    happened = item.event.get("event")
    time = happened.get("time") if isinstance(happened, Mapping) else None
    return told | ({"processed_at_foreign": time} if isinstance(time, str) else {})


def products(item: AddOrder) -> list[dict[str, Any]]:
    """For POSTs: each product once, with the variants that the order names."""
    grouped: dict[str, dict[str, Line]] = {}
    for line in lines_of(item):
        grouped.setdefault(line.product_id, {}).setdefault(line.variant_id, line)
    return [_product(list(variants.values())) for variants in grouped.values()]


def _product(lines: Sequence[Line]) -> dict[str, Any]:
    first = lines[0]
    variants = [line.told_variant() for line in lines]
    return {"id": first.product_id, "title": first.product, "variants": variants}
