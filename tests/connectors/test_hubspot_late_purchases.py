"""A refund that comes before its purchase has the last word on the deal too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from bridge.testing.vendor import VendorServer
from tests.connectors.hubspot_bridge import bridge_with
from tests.connectors.hubspot_crm import Crm
from tests.test_previewed_is_sent import Bridge, purchase, samples

RULES = """
rules:
  - name: Orders
    when: {source: showpass, event: invoice.purchase}
    do:
      - hubspot.upsert_contact: {email: "{{ contact.email }}"}
      - hubspot.upsert_deal:
          id_property: order_number
          id: "{{ order.id }}"
          stage: Closed won
          amount: "{{ order.total }}"
          email: "{{ contact.email }}"
  - name: Refunds
    when: {source: showpass, event: invoice.refund}
    do:
      - hubspot.move_deal: {id_property: order_number, id: "{{ order.id }}", stage: Closed lost}
"""


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def bridge(tmp_path: Path, redis: Redis, crm: Crm) -> Iterator[Bridge]:
    with (
        VendorServer(handler=crm.answer) as vendor,
        bridge_with(RULES, tmp_path, redis, vendor) as running,
    ):
        yield running
    assert not crm.broken


def refund() -> tuple[str, bytes]:
    """Of the purchase that ships."""
    bought, back = (json.loads(body) for _, body in samples()[:2])
    assert back["event_type"] == "invoice.refund"
    back["id"] = back["data"]["transaction_id"] = bought["id"]
    back["data"]["customer_email"] = bought["data"]["customer_email"]
    return "showpass", json.dumps(back).encode()


def play(bridge: Bridge, body: tuple[str, bytes]) -> list[tuple[str, str]]:
    bridge.receive(body)
    bridge.work()
    return [(each.action, each.state) for each in bridge.deliveries()]


def test_a_refund_moves_the_deal_of_its_purchase(bridge: Bridge, crm: Crm) -> None:
    play(bridge, purchase())
    play(bridge, refund())
    (deal,) = crm.deals.values()
    assert (deal["dealstage"], deal["amount"]) == ("closedlost", "236.25")


def test_a_refund_that_comes_first_is_done_once_more_behind_the_purchase(
    bridge: Bridge, crm: Crm
) -> None:
    assert play(bridge, refund()) == [("move_deal", "rejected")]
    assert play(bridge, purchase()) == [
        ("upsert_contact", "delivered"),
        ("upsert_deal", "delivered"),
        ("move_deal", "delivered"),
    ]
    (deal,) = crm.deals.values()
    assert deal["dealstage"] == "closedlost"
