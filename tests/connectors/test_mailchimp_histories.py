"""Random histories: a batch leaves what one call after the other would, and nobody comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bridge.connector import Outcome
from bridge.testing.vendor import VendorServer
from connectors.mailchimp import Mailchimp, MailchimpSettings, Subscribe, Unsubscribe
from tests.connectors.mailchimp_audience import LIST, REFUSED_FIELD, Audience

NAMES = ("ada", "bob", "cem", "dot", "eve")
STANDINGS = (
    "absent",
    "absent",
    "subscribed",
    "pending",
    "unsubscribed",
    "cleaned",
    "archived",
    "transactional",
    "forgotten",
)
STAYING = ("subscribed", "pending")

Batch = Sequence[Subscribe | Unsubscribe]

addresses = st.builds(
    lambda name, shout: f"{name.upper() if shout else name}@example.com",
    st.sampled_from(NAMES),
    st.booleans(),
)
# A wrong value in a field of its own: no later item could put it right.
fields = st.dictionaries(
    st.sampled_from(["FNAME", "CITY", "LTV", REFUSED_FIELD]), st.sampled_from("abc"), max_size=2
)
subscriptions = st.lists(
    st.builds(
        Subscribe,
        audience=st.just(LIST),
        email=addresses,
        merge_fields=fields,
        tags=st.lists(st.sampled_from(["Jazz", "Rock", "VIP"]), max_size=2),
    ),
    min_size=1,
    max_size=8,
)
goodbyes = st.lists(
    st.builds(Unsubscribe, audience=st.just(LIST), email=addresses), min_size=1, max_size=3
)
histories = st.lists(subscriptions | subscriptions | goodbyes, min_size=1, max_size=4)
audiences = st.builds(
    lambda standings, page, tags: (dict(zip(NAMES, standings, strict=True)), page, tags),
    st.tuples(*[st.sampled_from(STANDINGS)] * len(NAMES)),
    st.sampled_from([0, 1000]),
    st.booleans(),
)


@dataclass
class Place:
    """A connector and the audience that it speaks to, over HTTP."""

    server: VendorServer
    mailchimp: Mailchimp

    def start(self, audience: Audience) -> None:
        self.server.requests.clear()
        self.server.handler = audience.answer

    def do(self, batch: Batch) -> list[Outcome]:
        method = "subscribe" if isinstance(batch[0], Subscribe) else "unsubscribe"
        outcomes: list[Outcome] = getattr(self.mailchimp, method)(batch)
        return outcomes


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with VendorServer() as server:
        key = SecretStr("0123456789abcdefsecret-us6")
        yield Place(server, Mailchimp(MailchimpSettings(api_key=key, base_url=server.url)))


def audience_of(standings: dict[str, str], page: int, tags_in_bulk: bool) -> Audience:
    audience = Audience(page=page, tags_in_bulk=tags_in_bulk)
    for name, standing in standings.items():
        audience.add(f"{name}@example.com", standing)
    return audience


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(start=audiences, history=histories)
def test_a_batch_leaves_what_its_items_one_by_one_would_leave(
    place: Place, start: tuple[dict[str, str], int, bool], history: list[Batch]
) -> None:
    together, one_by_one = audience_of(*start), audience_of(*start)
    for batch in history:
        place.start(together)
        outcomes = place.do(batch)
        place.start(one_by_one)
        single = [place.do([item])[0] for item in batch]
        assert [type(outcome) for outcome in outcomes] == [type(outcome) for outcome in single]
        assert together.members == one_by_one.members


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(start=audiences, history=histories)
def test_nobody_comes_back_and_nobody_is_there_whom_no_item_named(
    place: Place, start: tuple[dict[str, str], int, bool], history: list[Batch]
) -> None:
    audience = audience_of(*start)
    place.start(audience)
    for batch in history:
        before = deepcopy(audience.members)
        place.do(batch)
        named = {item.email.lower() for item in batch if isinstance(item, Subscribe)}
        for member, now in audience.members.items():
            if now["status"] in STAYING and member not in before:
                assert now["email_address"].lower() in named
            if now["status"] in STAYING and member in before:
                assert before[member]["status"] in STAYING
    assert not {one["email_address"].lower() for one in audience.members.values()} & (
        audience.forgotten
    )
