"""What routing makes of one webhook, beside what the turns' tests show."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.connector import Gist, Item
from bridge.engine.calling import item_of
from bridge.engine.route import Router
from bridge.event import Webhook
from bridge.ledger.claim import Claimed
from bridge.ledger.plan import Plan, PlannedDelivery, Waiting
from bridge.rules import World, compile_rules
from bridge.sources.showpass import Showpass
from tests.engine.scripted import Scripted
from tests.web.conftest import purchase

RULES = """
rules:
  - name: Everything
    when: {source: showpass}
    do:
      - scripted.send: {text: sent}
      - scripted.post: {text: posted}
"""


def plan(**changes: Any) -> Plan:
    world = World(sources={"showpass": Showpass}, accounts={"scripted": Scripted})
    router = Router(
        sources={"showpass": Showpass(Showpass.Settings(), [])},
        accounts={"scripted": Scripted},
        rules=compile_rules(RULES, "rules.yaml", world),
    )
    webhook = Webhook("showpass", purchase(**changes), {}, 1.0)
    return router.plan(Waiting(1, "key", webhook, replayed=False), 1.0)


def gist_of(posted: PlannedDelivery) -> Gist | None:
    """As the connector gets it."""
    claimed = Claimed(
        posted.id, 1, "scripted", "post", "", posted.item, 1, 0, False, 1.0, gist=posted.gist
    )
    item = item_of(Scripted.actions()["post"], claimed)
    assert isinstance(item, Item)
    return item.gist


@pytest.mark.parametrize(
    ("data", "amount"),
    [({"net_sales": "63.10"}, "63.10"), ({"net_sales": 0}, "0"), ({"net_sales": None}, "")],
)
def test_a_digest_learns_what_the_event_comes_to(data: dict[str, Any], amount: str) -> None:
    _, posted = plan(event_type="invoice.refund", data=data).deliveries
    assert posted.gist == {"what": "refund", "amount": amount, "currency": "CAD"}


def test_the_gist_reaches_the_connector_as_it_was_planned() -> None:
    _, posted = plan(data={"net_sales": None}).deliveries
    assert gist_of(posted) == Gist("purchase", None, "CAD")


def test_only_what_may_become_part_of_a_digest_has_a_gist() -> None:
    sent, posted = plan().deliveries
    assert (sent.gist, posted.gist is None) == (None, False)


def test_of_an_unknown_type_there_is_no_gist() -> None:
    _, posted = plan(event_type="invoice.unheard-of").deliveries
    assert posted.gist is None


def test_matters_are_short_enough_for_an_index_and_hold_no_nul() -> None:
    (event,) = plan(data={"transaction_id": "\0x" * 2500}).events
    assert len(event.claims) == 2
    assert all(len(each) < 200 and "\0" not in each for each in (*event.begins, *event.claims))
