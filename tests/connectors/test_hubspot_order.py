"""However items are batched, and whatever fails in between: HubSpot ends as if one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bridge.connector import Delivered, Outcome, Rejected, Retry
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.hubspot import HubSpot, HubSpotSettings, UpsertContact
from tests.connectors.hubspot_account import DEFINITIONS, STAGES, Account

KNOWN = {"ada@example.com": "lead", "bob@example.com": "customer"}
SECOND = ("countess@example.com", "ada@example.com")
"""An address that is Ada's too."""

ENOUGH = 20
"""Turns, after which the troubles are over and nothing may wait."""

TROUBLES: dict[str, tuple[bool, Reply]] = {
    "lost before": (False, Silence.DROP),
    "lost after": (True, Silence.DROP),
    "failed": (False, Answer(500, {"status": "error"})),
    "failed after": (True, Answer(500, {"status": "error"})),
    "away": (False, Answer(503)),
    "too many": (False, Answer(429, {"status": "error", "message": "secondly"})),
}
"""Whether the work is done, and what is answered."""


@dataclass
class Vendor:
    """An account on a server; `troubles` befall the next requests, in order."""

    server: VendorServer
    account: Account = field(default_factory=Account)
    troubles: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        trouble = self.troubles.pop(0) if self.troubles else ""
        is_done, reply = TROUBLES.get(trouble, (True, None))
        answer = self.account.answer(request) if is_done else None
        return reply or answer or Silence.DROP

    def reset(self, troubles: Sequence[str], names_culprits: bool, tells: bool) -> None:
        self.account = known_account(names_culprits)
        self.account.definitions = DEFINITIONS if tells else None
        self.troubles = list(troubles)


def known_account(names_culprits: bool = True) -> Account:
    account = Account(names_culprits)
    for email, stage in KNOWN.items():
        account.add(email, lifecyclestage=stage)
    address, owner = SECOND
    account.give(account.addresses[owner], address)
    return account


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with VendorServer() as server:
        vendor = Vendor(server)
        server.handler = vendor.answer
        yield vendor


def one_by_one(items: Sequence[UpsertContact]) -> tuple[dict[str, dict[str, str]], list[type]]:
    """The model: the people and the outcomes, where each item is applied by itself, in order."""
    people = known_account().people()
    came_to: list[type] = []
    for item in items:
        address = item.email.lower()
        if not item.properties.get("closedate", "0").isdigit():
            came_to.append(Rejected)
            continue
        owner = SECOND[1] if address == SECOND[0] else address
        contact = people.setdefault(owner, {"email": address})
        stages = [contact.get("lifecyclestage"), item.properties.get("lifecyclestage")]
        contact |= item.properties
        for name, value in item.only_if_empty.items():
            contact.setdefault(name, value)
        for name, amount in item.increment.items():
            contact[name] = str(int(contact.get(name, "0")) + int(amount))
        for name, options in item.append.items():
            ticked = [*contact.get(name, "").split(";"), *options]
            contact[name] = ";".join(dict.fromkeys(filter(None, ticked)))
        if reached := max(filter(None, stages), key=STAGES.index, default=None):
            contact["lifecyclestage"] = reached
        came_to.append(Delivered)
    return people, came_to


def in_batches(
    vendor: Vendor, items: Sequence[UpsertContact], sizes: Sequence[int]
) -> list[Outcome]:
    """As the engine does: from the oldest on, and what is to be retried keeps its place."""
    url = vendor.server.url
    hubspot = HubSpot(HubSpotSettings(access_token=SecretStr("pat-1"), base_url=url))
    ended: dict[int, Outcome] = {}
    waiting = list(range(len(items)))
    for size in [*sizes, *[len(items)] * ENOUGH]:
        taken = waiting[:size]
        outcomes = hubspot.upsert_contact([items[place] for place in taken])
        assert len(outcomes) == len(taken)
        ended |= dict(zip(taken, outcomes, strict=True))
        waiting = [place for place in waiting if isinstance(ended.get(place), Retry | None)]
        if not waiting:
            break
    return [ended[place] for place in range(len(items))]


# Few people and few properties: so their items meet in batches, and set the same anew.
ADDRESSES = [*KNOWN, SECOND[0], "new@example.com", "New@Example.com"]
RIGHT = st.fixed_dictionaries(
    {"city": st.sampled_from(["Oslo", "Rome", "Bern", "Lima"])},
    optional={
        "firstname": st.sampled_from(["A", "B", "C"]),
        "lifecyclestage": st.sampled_from(STAGES),
    },
)
# Always wrong: a wrong value that a right one replaces is never sent.
WRONG = RIGHT.map(lambda properties: {**properties, "closedate": "asd000"})
PROPERTIES = st.sampled_from([RIGHT] * 5 + [WRONG, st.just({})]).flatmap(lambda kind: kind)
SELDOM = st.sampled_from([{}, {"step": "1"}, {"step": "2"}, {"firstname": "D"}])
SUMS = st.sampled_from([{}, {}, {"visits": 1}, {"visits": 2, "spent": -3}])
TICKS = st.sampled_from([{}, {}, {"interests": "jazz"}, {"interests": ["rock", "opera"]}])


def item(properties: dict[str, str], only_if_empty: dict[str, str], **others: Any) -> UpsertContact:
    """A property stands under one section alone."""
    seldom = {name: text for name, text in only_if_empty.items() if name not in properties}
    return UpsertContact(properties=properties, only_if_empty=seldom, **others)


ITEMS = st.lists(
    st.builds(
        item,
        email=st.sampled_from(ADDRESSES),
        properties=PROPERTIES,
        only_if_empty=SELDOM,
        increment=SUMS,
        append=TICKS,
    ),
    min_size=4,
    max_size=20,
)


@settings(deadline=None, max_examples=100)
@given(
    items=ITEMS,
    sizes=st.lists(st.integers(1, 20), max_size=6),
    troubles=st.lists(st.sampled_from([""] * 6 + [*TROUBLES]), max_size=10),
    names_culprits=st.booleans(),
    tells=st.booleans(),
)
def test_batches_end_as_one_by_one(
    vendor: Vendor,
    items: list[UpsertContact],
    sizes: list[int],
    troubles: list[str],
    names_culprits: bool,
    tells: bool,
) -> None:
    vendor.reset(troubles, names_culprits, tells)
    people, came_to = one_by_one(items)
    delivered = [item.for_delivery(f"{place:012}") for place, item in enumerate(items)]
    outcomes = in_batches(vendor, delivered, sizes)
    assert [type(outcome) for outcome in outcomes] == came_to
    ended = vendor.account.people()
    for contact in ended.values():
        contact.pop("showbridge_counted", None)
    ended["ada@example.com"].pop("hs_additional_emails")
    people["ada@example.com"].pop("hs_additional_emails")
    assert ended == people
