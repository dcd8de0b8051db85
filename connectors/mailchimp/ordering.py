"""Telling Mailchimp of orders and refunds, so that nobody is subscribed or brought back by them.

An order brings back a buyer who was archived
(https://github.com/mailchimp/mc-magento2/issues/1381): it is not told then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridge.connector import Delivered, Outcome, Rejected, Retry, Suppressed
from connectors.mailchimp.answers import Answer, kept_out, refusal
from connectors.mailchimp.directory import Directory, Store, Unresolved
from connectors.mailchimp.members import member_hash
from connectors.mailchimp.orders import (
    PARTIALLY_REFUNDED,
    REFUNDED,
    AddOrder,
    RefundOrder,
    customer,
    identity,
    order,
    products,
)

Product = Mapping[str, Any]


@dataclass(frozen=True)
class Ordering:
    """One account's. Products that are known to be there are not asked for again."""

    ask: Callable[..., Answer]
    directory: Directory
    _there: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, item: AddOrder) -> Outcome:
        """Raises Halted."""
        try:
            store = self.directory.store(item.store)
        except Unresolved as why:
            return why.outcome
        return (
            self._archived(store, item.email)
            or self._customer(store, item)
            or self._products(store, item)
            or self._order(store, item)
        )

    def refund(self, item: RefundOrder) -> Outcome:
        """Raises Halted."""
        try:
            store = self.directory.store(item.store)
        except Unresolved as why:
            return why.outcome
        name = (store.id, identity(item.order_id))
        parts = ["order_total", "customer.email_address"]
        known = self.ask("ecommerce.get_order", *name, fields=parts)
        if known.status == 404:
            return Suppressed("Mailchimp has no such order in this store, so there is no refund")
        total = known.body.get("order_total")
        if not known.ok or not isinstance(total, int | float):
            return self._refused(known)
        buyer = known.body.get("customer")
        email = buyer.get("email_address") if isinstance(buyer, Mapping) else None
        barrier = self._archived(store, email) if isinstance(email, str) else None
        return barrier or self._refund(name, refunded(item, total))

    def _refund(self, name: tuple[str, str], told: Mapping[str, str]) -> Outcome:
        answer = self.ask("ecommerce.update_order", *name, told)
        return Delivered(name[1]) if _is(answer, name[1]) else self._refused(answer)

    def _archived(self, store: Store, email: str) -> Outcome | None:
        """None for everybody else, also for those who have unsubscribed: that stays as it is."""
        who = (store.list_id, member_hash(email))
        seen = self.ask("lists.get_list_member", *who, fields=["status"])
        if seen.status == 404:
            return None
        status = seen.body.get("status")
        if seen.ok and isinstance(status, str) and status != "archived":
            return None
        return kept_out(seen, "")

    def _customer(self, store: Store, item: AddOrder) -> Outcome | None:
        told = customer(item)
        answer = self.ask("ecommerce.set_store_customer", store.id, told["id"], told)
        return None if _is(answer, told["id"]) else self._refused(answer)

    def _products(self, store: Store, item: AddOrder) -> Outcome | None:
        for product in products(item):
            if not self._names(store, product) <= self._there:
                failed = self._product(store, product)
                if failed:
                    return failed
                self._there.update(self._names(store, product))
        return None

    def _names(self, store: Store, product: Product) -> set[tuple[str, str, str]]:
        return {(store.id, product["id"], variant["id"]) for variant in product["variants"]}

    def _product(self, store: Store, product: Product) -> Outcome | None:
        """A product that is there keeps its title, and gets the variants that it lacks."""
        parts = ["id", "variants.id"]
        seen = self.ask("ecommerce.get_store_product", store.id, product["id"], fields=parts)
        if seen.status == 404:
            made = self.ask("ecommerce.add_store_product", store.id, product)
            return None if _is(made, product["id"]) else self._refused(made)
        variants = seen.body.get("variants")
        if not (seen.ok and isinstance(variants, list)):
            return self._refused(seen)
        there = {one.get("id") for one in variants if isinstance(one, dict)}
        for variant in product["variants"]:
            if variant["id"] not in there:
                name = (store.id, product["id"], variant["id"])
                made = self.ask("ecommerce.add_product_variant", *name, variant)
                if not _is(made, variant["id"]):
                    return self._refused(made)
        return None

    def _order(self, store: Store, item: AddOrder) -> Outcome:
        told = order(item)
        answer = self.ask("ecommerce.add_store_order", store.id, told)
        if _is(answer, told["id"]):
            return Delivered(told["id"])
        if answer.status == 400 and _lacks_product(answer):
            self._there.clear()
            return Retry("Mailchimp misses a product of this order; it is added again")
        if answer.status == 400 and self._exists(store, told["id"]):
            return Delivered(told["id"], remark="this order was there before")
        return self._refused(answer)

    def _exists(self, store: Store, name: str) -> bool:
        return _is(self.ask("ecommerce.get_order", store.id, name, fields=["id"]), name)

    def _refused(self, answer: Answer) -> Outcome:
        if answer.status == 404 and answer.title:
            return Rejected("this store is not in Mailchimp any more; write another into the rule")
        return refusal(answer, "")


def refunded(item: RefundOrder, total: float) -> dict[str, str]:
    """What a PATCH says; the same however often it is sent."""
    is_whole = item.amount is None or abs(item.amount) >= Decimal(str(total))
    return {"financial_status": REFUNDED if is_whole else PARTIALLY_REFUNDED}


def _is(answer: Answer, name: str) -> bool:
    return answer.ok and answer.body.get("id") == name


def _lacks_product(answer: Answer) -> bool:
    """Mailchimp says "A product with the provided ID does not exist in the account ..."."""
    return re.search(r"product .*does not exist", answer.detail) is not None
