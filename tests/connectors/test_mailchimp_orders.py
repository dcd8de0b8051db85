"""Orders and refunds: told once, and nobody is subscribed or brought back by them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bridge.connector import Delivered, Outcome, Rejected, Retry, Suppressed
from bridge.testing.probes import HOSTILE
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.mailchimp import AddOrder, Mailchimp, MailchimpSettings, RefundOrder
from connectors.mailchimp.orders import identity, lines_of
from tests.connectors.mailchimp_api.checking import MailchimpServer
from tests.connectors.mailchimp_audience import LIST, Audience, problem

ADA = "Ada@Example.com"
ADA_ID = hashlib.md5(b"ada@example.com").hexdigest()
STORE = "/3.0/ecommerce/stores/box-1"
TIME = "2026-05-31T08:00:00+00:00"
BOUGHT = {
    "event": {"id": "e", "time": TIME},
    "items": [
        {
            "id": "553",
            "quantity": 2,
            "type": "VIP",
            "type_id": "3301",
            "event_id": "820",
            "event_name": "Folk Night",
            "product": None,
            "total": "157.50",
        },
        {"id": "554", "quantity": None, "type": None, "product": "Tote bag", "total": "15.75"},
    ],
}


@pytest.fixture
def audience() -> Audience:
    return Audience()


@pytest.fixture
def vendor(audience: Audience) -> Iterator[VendorServer]:
    with MailchimpServer(handler=audience.answer) as server:
        yield server


@pytest.fixture
def mailchimp(vendor: VendorServer) -> Mailchimp:
    key = SecretStr("0123456789abcdefsecret-us6")
    return Mailchimp(MailchimpSettings(api_key=key, base_url=vendor.url))


def an_order(**fields: Any) -> AddOrder:
    told = {
        "store": "box office",
        "email": ADA,
        "order_id": "7c-41",
        "total": "173.25",
        "currency": "cad",
        "tax": "8.25",
        "discount": "",
        "first_name": "Ada",
        "last_name": "",
    }
    return AddOrder.model_validate({**told, **fields}).for_delivery("d1", event=BOUGHT)


def add(mailchimp: Mailchimp, **fields: Any) -> Outcome:
    [outcome] = mailchimp.add_order([an_order(**fields)])
    return outcome


def refund(mailchimp: Mailchimp, amount: str = "", order_id: str = "7c-41") -> Outcome:
    item = RefundOrder.model_validate({"store": "box-1", "order_id": order_id, "amount": amount})
    [outcome] = mailchimp.refund_order([item])
    return outcome


def written(vendor: VendorServer) -> list[Request]:
    return [request for request in vendor.requests if request.method != "GET"]


def test_an_order_is_told_with_its_buyer_and_products(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    assert add(mailchimp) == Delivered("7c-41")
    buyer, night, bag, order = written(vendor)
    assert (buyer.method, buyer.path) == ("PUT", f"{STORE}/customers/{ADA_ID}")
    assert buyer.body == {
        "id": ADA_ID,
        "email_address": ADA,
        "opt_in_status": False,
        "first_name": "Ada",
    }
    assert (night.method, night.path) == ("POST", f"{STORE}/products")
    assert night.body == {
        "id": "820",
        "title": "Folk Night",
        "variants": [{"id": "3301", "title": "VIP", "price": 78.75}],
    }
    assert bag.body["title"] == "Tote bag"
    assert (order.method, order.path) == ("POST", f"{STORE}/orders")
    bag_id, bag_variant = bag.body["id"], bag.body["variants"][0]["id"]
    assert order.body == {
        "id": "7c-41",
        "customer": {"id": ADA_ID},
        "financial_status": "paid",
        "currency_code": "CAD",
        "order_total": 173.25,
        "tax_total": 8.25,
        "processed_at_foreign": TIME,
        "lines": [
            {
                "id": "553",
                "product_id": "820",
                "product_variant_id": "3301",
                "quantity": 2,
                "price": 78.75,
            },
            {
                "id": "554",
                "product_id": bag_id,
                "product_variant_id": bag_variant,
                "quantity": 1,
                "price": 15.75,
            },
        ],
    }


STAYS = ("subscribed", "pending", "unsubscribed", "cleaned", "transactional")


@pytest.mark.parametrize("status", STAYS)
def test_an_order_leaves_everybody_as_they_are(
    mailchimp: Mailchimp, audience: Audience, status: str
) -> None:
    audience.add(ADA, status)
    assert isinstance(add(mailchimp), Delivered)
    assert isinstance(refund(mailchimp), Delivered)
    assert audience.status(ADA) == status


def test_a_new_buyer_is_a_customer_and_no_subscriber(
    mailchimp: Mailchimp, audience: Audience
) -> None:
    add(mailchimp)
    assert audience.status(ADA) == "transactional"


@pytest.mark.parametrize("status", ["archived", "forgotten"])
def test_whoever_was_archived_or_deleted_is_not_brought_back_by_buying(
    mailchimp: Mailchimp, audience: Audience, status: str
) -> None:
    audience.add(ADA, status)
    assert isinstance(add(mailchimp), Suppressed)
    assert audience.status(ADA) == ("archived" if status == "archived" else "absent")
    assert not audience.shop.orders


def test_a_refund_brings_nobody_back(
    mailchimp: Mailchimp, vendor: VendorServer, audience: Audience
) -> None:
    add(mailchimp)
    audience.one(ADA)["status"] = "archived"
    vendor.requests.clear()
    assert isinstance(refund(mailchimp), Suppressed)
    assert not written(vendor)


def test_the_same_order_twice_is_one(mailchimp: Mailchimp, audience: Audience) -> None:
    add(mailchimp)
    refund(mailchimp)
    assert add(mailchimp) == Delivered("7c-41", remark="this order was there before")
    assert list(audience.shop.orders) == ["7c-41"]
    assert audience.shop.orders["7c-41"]["financial_status"] == "refunded"


def test_products_that_are_known_are_not_asked_for_again(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    add(mailchimp)
    vendor.requests.clear()
    add(mailchimp, order_id="7c-42")
    assert [request.method for request in vendor.requests] == ["GET", "PUT", "POST"]


def test_a_product_gets_the_variant_that_it_lacks(mailchimp: Mailchimp, audience: Audience) -> None:
    jazz = {"product": "Jazz Night", "variant": "VIP", "price": "20"}
    add(mailchimp, lines=[jazz])
    other = {**jazz, "variant": "Standing", "quantity": 3}
    add(mailchimp, lines=[jazz, other], order_id="7c-42")
    (product,) = audience.shop.products.values()
    assert [one["title"] for one in product["variants"]] == ["VIP", "Standing"]


def test_a_product_that_is_gone_is_added_again(
    mailchimp: Mailchimp, vendor: VendorServer, audience: Audience
) -> None:
    add(mailchimp)
    audience.shop.products.clear()
    assert isinstance(add(mailchimp, order_id="7c-42"), Retry)
    assert isinstance(add(mailchimp, order_id="7c-42"), Delivered)


def test_an_event_without_items_is_one_line(mailchimp: Mailchimp, audience: Audience) -> None:
    item = an_order().for_delivery("d1", event={"items": None})
    assert isinstance(mailchimp.add_order([item])[0], Delivered)
    (line,) = audience.shop.orders["7c-41"]["lines"]
    assert (line["quantity"], line["price"]) == (1, 173.25)


@pytest.mark.parametrize(
    ("amount", "status"),
    [("", "refunded"), ("63", "partially_refunded"), ("173.25", "refunded"), ("-200", "refunded")],
)
def test_a_refund_says_how_much_of_the_order_it_is(
    mailchimp: Mailchimp, vendor: VendorServer, audience: Audience, amount: str, status: str
) -> None:
    add(mailchimp)
    assert isinstance(refund(mailchimp, amount), Delivered)
    assert audience.shop.orders["7c-41"]["financial_status"] == status
    assert vendor.requests[-1].body == {"financial_status": status}


def test_a_refund_of_an_order_that_nobody_told_is_nothing(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    outcome = refund(mailchimp)
    assert isinstance(outcome, Suppressed)
    assert "no such order" in outcome.reason
    assert not written(vendor)


def test_a_store_that_is_not_there_is_named(mailchimp: Mailchimp) -> None:
    outcome = add(mailchimp, store="Bakery")
    assert isinstance(outcome, Rejected)
    assert "no store `Bakery`" in outcome.reason


def test_a_store_that_is_gone_is_named(
    mailchimp: Mailchimp, vendor: VendorServer, audience: Audience
) -> None:
    gone = problem(404, "Resource Not Found")
    vendor.handler = lambda request: (
        gone if "customers" in request.path else audience.answer(request)
    )
    outcome = add(mailchimp)
    assert isinstance(outcome, Rejected)
    assert "not in Mailchimp any more" in outcome.reason


ENDINGS = ["/stores", f"/members/{ADA_ID}", f"/customers/{ADA_ID}", "/products/820"]
ENDINGS += ["/products", "/orders"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("reply", [Answer(500), Answer(429), Silence.DROP], ids=repr)
def test_wherever_it_breaks_it_is_tried_again_and_told_once(
    mailchimp: Mailchimp, vendor: VendorServer, audience: Audience, ending: str, reply: Reply
) -> None:
    """Also where it was done and the answer was lost."""
    broken = [1]

    def answer(request: Request) -> Reply:
        done = audience.answer(request)
        if request.path.endswith(ending) and broken:
            broken.pop()
            return reply
        return done

    vendor.handler = answer
    outcomes = [add(mailchimp)]
    mailchimp._directory.now = lambda: 1e9  # what failed is asked for again
    while isinstance(outcomes[-1], Retry) and len(outcomes) < 4:
        outcomes.append(add(mailchimp))
    assert [type(each) for each in outcomes] == [Retry, Delivered]
    assert list(audience.shop.orders) == ["7c-41"]
    assert len(audience.shop.products) == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"total": ""}, "what the order came to"),
        ({"currency": None}, "the currency"),
        ({"order_id": " "}, "does not name an order"),
        ({"total": "a lot"}, "a number such as"),
        ({"total": "NaN"}, "a number such as"),
        ({"currency": "dollars"}, "three letters"),
    ],
)
def test_what_the_event_does_not_say_is_named(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        an_order(**fields)


texts = st.text(max_size=80) | st.sampled_from(HOSTILE)


@given(order_id=texts, product=texts, kind=texts, name=texts, event_id=texts)
def test_whatever_is_sold_ids_are_one_part_of_a_path(
    order_id: str, product: str, kind: str, name: str, event_id: str
) -> None:
    one = {"event_name": product, "type": kind, "event_id": event_id, "id": name, "total": name}
    item = an_order().for_delivery("d", event={"items": [one, {**one, "quantity": 0}]})
    for line in lines_of(item):
        for part in (line.id, line.product_id, line.variant_id, identity(order_id)):
            assert len(part) <= 50
            assert part.replace("-", "").replace("_", "").isalnum()
            assert part.isascii()


def test_the_audience_of_the_store_is_asked_about_the_buyer(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    add(mailchimp)
    assert vendor.requests[1].path == f"/3.0/lists/{LIST}/members/{ADA_ID}"
