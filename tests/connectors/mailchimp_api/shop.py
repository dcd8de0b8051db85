"""A store in Mailchimp: customers, products and orders, with a memory.

https://mailchimp.com/developer/marketing/docs/e-commerce/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.testing.vendor import Answer, Request

STORES = "/3.0/ecommerce/stores"
LIST = "a36b032126"
STORE = {"id": "box-1", "list_id": LIST, "name": "Box office"}


def _no(status: int, title: str, detail: str) -> Answer:
    body = {"type": "https://mailchimp.com/", "title": title, "status": status, "detail": detail}
    return Answer(status, body, {"Content-Type": "application/problem+json; charset=utf-8"})


NOWHERE = _no(404, "Resource Not Found", "The requested resource could not be found.")


@dataclass
class Shop:
    """`buy(address, opted_in)` says why somebody cannot be a customer, or makes them one."""

    buy: Callable[[str, bool], Answer | None]
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    products: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        if request.path == STORES:
            return Answer(200, {"stores": [STORE]})
        parts = request.path.removeprefix(f"{STORES}/{STORE['id']}/").split("/")
        kind = {"customers": self._customer, "products": self._product, "orders": self._order}
        return kind[parts[0]](request, parts[1:]) if parts[0] in kind else NOWHERE

    def _customer(self, request: Request, name: list[str]) -> Answer:
        told = request.body
        refused = self.buy(told["email_address"], told["opt_in_status"])
        if refused:
            return refused
        self.customers.setdefault(name[0], {}).update(told)
        return Answer(200, told)

    def _product(self, request: Request, name: list[str]) -> Answer:
        if request.method == "POST":
            told = request.body
            if told["id"] in self.products:
                return _no(400, "Bad Request", "A product with the provided ID already exists")
            self.products[told["id"]] = told
            return Answer(200, told)
        product = self.products.get(name[0])
        if product is None:
            return NOWHERE
        if request.method == "PUT":
            product["variants"].append(request.body)
            return Answer(200, request.body)
        ids = [{"id": one["id"]} for one in product["variants"]]
        return Answer(200, {"id": product["id"], "variants": ids})

    def _order(self, request: Request, name: list[str]) -> Answer:
        if request.method == "POST":
            return self._new(request.body)
        order = self.orders.get(name[0])
        if order is None:
            return NOWHERE
        if request.method == "PATCH":
            order.update(request.body)
        buyer = self.customers[order["customer"]["id"]]
        return Answer(200, {**order, "customer": {"email_address": buyer["email_address"]}})

    def _new(self, told: dict[str, Any]) -> Answer:
        if told["id"] in self.orders:
            said = "An order with the provided ID already exists in the account."
            return _no(400, "Bad Request", said)
        if any(line["product_id"] not in self.products for line in told["lines"]):
            said = "A product with the provided ID does not exist in the account for this list."
            return _no(400, "Bad Request", said)
        refused = self.buy(self.customers[told["customer"]["id"]]["email_address"], False)
        if refused:
            return refused
        self.orders[told["id"]] = dict(told)
        return Answer(200, told)
