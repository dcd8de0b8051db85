"""Random histories: a batch leaves what one call after the other would, and nobody comes back.

Nobody is subscribed either without a JSON `true` in the very event: events go
through the source and the consent gate, as in the bridge, to all actions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bridge.connector import Item, OptIn, Outcome, Retry
from bridge.engine.consent import refusal
from bridge.event import Contact, Webhook
from bridge.sources.showpass import Showpass
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.mailchimp import (
    AddOrder,
    AddTags,
    Archive,
    LogEvent,
    Mailchimp,
    MailchimpSettings,
    RefundOrder,
    Subscribe,
    Unsubscribe,
)
from tests.connectors.mailchimp_api.checking import MailchimpServer
from tests.connectors.mailchimp_audience import LIST, REFUSED_FIELD, Audience, member_name

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
LEFT = ("unsubscribed", "cleaned", "archived")

Batch = Sequence[Item]

addresses = st.builds(
    lambda name, shout: f"{name.upper() if shout else name}@example.com",
    st.sampled_from(NAMES),
    st.booleans(),
)
TAGS = ("Jazz", "Rock", "VIP", "jazz")
tags = st.lists(st.sampled_from(TAGS), max_size=2)
who = {"audience": st.just(LIST), "email": addresses}
# A wrong value in a field of its own: no later item could put it right.
fields = st.dictionaries(
    st.sampled_from(["FNAME", "CITY", "LTV", REFUSED_FIELD, "NOWHERE"]),
    st.sampled_from(["a", "7"]),
    max_size=2,
)
groups = st.sampled_from([{}, {}, {"Interests": ["Concerts"]}, {"Interests": ["Nothing"]}])
subscriptions = st.builds(
    Subscribe,
    audience=st.sampled_from([LIST, LIST, "newsletter"]),
    email=addresses,
    merge_fields=fields,
    tags=tags,
    remove_tags=tags,
    groups=groups,
    permissions=st.sampled_from([[], [], [], ["Email"]]),
)
goodbyes = st.builds(Unsubscribe, **who)
archivings = st.builds(Archive, **who)
taggings = st.builds(
    AddTags, **who, tags=st.lists(st.sampled_from(TAGS), min_size=1, max_size=2), remove_tags=tags
)
histories = st.lists(
    st.lists(subscriptions, min_size=1, max_size=8)
    | st.lists(subscriptions, min_size=1, max_size=8)
    | st.lists(goodbyes, min_size=1, max_size=3)
    | st.lists(archivings, min_size=1, max_size=3)
    | st.lists(taggings, min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)
audiences = st.builds(
    lambda standings, page, tags: (dict(zip(NAMES, standings, strict=True)), page, tags),
    st.tuples(*[st.sampled_from(STANDINGS)] * len(NAMES)),
    st.sampled_from([0, 1000]),
    st.booleans(),
)
METHODS: Mapping[type[Item], str] = {
    Subscribe: "subscribe",
    Unsubscribe: "unsubscribe",
    Archive: "archive",
    AddTags: "add_tags",
    LogEvent: "log_event",
    AddOrder: "add_order",
    RefundOrder: "refund_order",
}


@dataclass
class Place:
    """A connector and the audience that it speaks to, over HTTP."""

    server: VendorServer
    mailchimp: Mailchimp

    def start(self, audience: Audience, **more: Any) -> None:
        """As after a restart: nothing is remembered."""
        self.server.handler = audience.answer
        self.mailchimp = connector(self.server, **more)

    def do(self, batch: Batch) -> list[Outcome]:
        outcomes: list[Outcome] = getattr(self.mailchimp, METHODS[type(batch[0])])(batch)
        return outcomes


def connector(server: VendorServer, **more: Any) -> Mailchimp:
    key = SecretStr("0123456789abcdefsecret-us6")
    return Mailchimp(MailchimpSettings(api_key=key, base_url=server.url, **more))


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with MailchimpServer() as server:
        yield Place(server, connector(server))


def audience_of(standings: dict[str, str], page: int, tags_in_bulk: bool) -> Audience:
    audience = Audience(page=page, tags_in_bulk=tags_in_bulk)
    audience.add("somebody@example.com", "subscribed")
    for name, standing in standings.items():
        audience.add(f"{name}@example.com", standing)
    return audience


often = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@often
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


@often
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
        assert_nobody_came_back(audience, before, named)


def assert_nobody_came_back(
    audience: Audience, before: Mapping[str, Any], agreed: set[str]
) -> None:
    """Whoever is new among the subscribers is one of those who `agreed`."""
    for member, now in audience.members.items():
        standing = before[member]["status"] if member in before else "absent"
        if now["status"] in STAYING and standing not in STAYING:
            assert standing in ("absent", "transactional")
            assert now["email_address"].lower() in agreed
        if standing in LEFT:
            assert now["status"] in LEFT
        if standing in ("archived", "cleaned"):
            assert now["status"] == standing
    addresses = {one["email_address"].lower() for one in audience.members.values()}
    assert not addresses & audience.forgotten


# All actions, with events, consent and failures

YES: tuple[Any, ...] = (True, False, None, "true", 1, "yes", [True], {})


@dataclass(frozen=True)
class Happened:
    """One event, as the source makes it of what was sent, and what the rules want of it."""

    contact: Contact
    items: Sequence[Item]


@dataclass
class Weather:
    """What becomes of each request, in turn: done and answered, lost before, or lost after."""

    audience: Audience
    fates: list[tuple[str, Reply]] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        with self.audience.lock:
            when, reply = self.fates.pop() if self.fates else ("never", Answer(500))
            if when == "before":
                return reply
            answer = self.audience.answer(request)
            return reply if when == "after" else answer


HTML = Answer(403, "<html><body>Request blocked</body></html>", {"Content-Type": "text/html"})
troubles = st.sampled_from(
    [Answer(500), Answer(503), Answer(429), HTML, Silence.DROP, Answer(200, "<html>hotel</html>")]
)
fates = st.lists(
    st.tuples(st.sampled_from(["never", "never", "never", "before", "after"]), troubles),
    max_size=40,
)


@st.composite
def happenings(draw: st.DrawFn) -> Happened:
    """A purchase or a refund with any flag, and any of the actions for the buyer."""
    kind = draw(st.sampled_from(["invoice.purchase", "invoice.purchase", "invoice.refund"]))
    email = draw(addresses)
    event = event_of(kind, email, draw(st.sampled_from(YES)))
    other = draw(st.sampled_from([email, email, draw(addresses)]))
    order = {"store": "box-1", "order_id": draw(st.sampled_from("123"))}
    wanted = draw(
        st.lists(
            subscriptions.map(lambda item: item.model_copy(update={"email": other}))
            | st.builds(Unsubscribe, audience=st.just(LIST), email=st.just(other))
            | st.builds(Archive, audience=st.just(LIST), email=st.just(other))
            | st.builds(AddTags, audience=st.just(LIST), email=st.just(other), tags=st.just(["x"]))
            | st.just(LogEvent(audience=LIST, email=other, name="bought"))
            | st.just(AddOrder.model_validate({**order, "email": other, "total": 9, **CAD}))
            | st.just(RefundOrder.model_validate(order)),
            min_size=1,
            max_size=4,
        )
    )
    return Happened(event, wanted)


CAD = {"currency": "CAD"}


def event_of(kind: str, email: str, flag: Any) -> Contact:
    """The contact, from the source's own reading of its sample."""
    (sample,) = [each for each in Showpass.samples() if f'"{kind}"' in each.text][:1]
    payload = json.loads(sample.text.replace("{{ uuid }}", "0" * 8))
    payload["data"] |= {"customer_email": email, "subscribe_to_venue": flag}
    made = Showpass(Showpass.Settings(), [])
    webhook = Webhook("showpass", json.dumps(payload).encode(), {}, 1_780_000_000.0)
    return made.normalise(webhook)[0].contact


def allowed(happened: Happened) -> list[Item]:
    """What the consent gate lets through."""
    actions = Mailchimp.actions()
    return [
        item
        for item in happened.items
        if refusal(actions[METHODS[type(item)]], item, happened.contact) is None
    ]


def batches_of(events: Sequence[Happened]) -> Sequence[Batch]:
    """In order, what follows each other with the same action together, as lanes do it."""
    batches: list[list[Item]] = []
    for item in (item for event in events for item in allowed(event)):
        if batches and type(batches[-1][0]) is type(item):
            batches[-1].append(item)
        else:
            batches.append([item])
    return batches


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    start=audiences,
    history=st.lists(st.lists(happenings(), min_size=1, max_size=6), min_size=1, max_size=4),
    weather=st.lists(fates, max_size=4),
    at_once=st.booleans(),
)
def test_no_history_subscribes_without_a_yes_or_brings_anybody_back(
    place: Place,
    start: tuple[dict[str, str], int, bool],
    history: list[list[Happened]],
    weather: list[list[tuple[str, Reply]]],
    at_once: bool,
) -> None:
    audience = audience_of(*start)
    agreed = OptIn(wording="Yes, send me news", version="1")
    place.start(audience, opt_in=agreed, double_opt_in=not at_once)
    sky = Weather(audience)
    place.server.handler = sky.answer
    for events in history:
        sky.fates = list(weather.pop()) if weather else []
        for batch in batches_of(events):
            before = deepcopy(audience.members)
            done(place, batch)
            said_yes = {
                str(event.contact.email).lower()
                for event in events
                if event.contact.consent is True
            }
            assert_nobody_came_back(audience, before, said_yes)


def done(place: Place, batch: Batch) -> None:
    """Tried again while it has to be, as the engine does, a few times."""
    for _ in range(4):
        outcomes = place.do(batch)
        assert len(outcomes) == len(batch)
        batch = [
            item
            for item, outcome in zip(batch, outcomes, strict=True)
            if isinstance(outcome, Retry)
        ]
        if not batch:
            return


def test_a_true_of_the_event_is_what_subscribes(place: Place) -> None:
    """Without it the histories would prove nothing."""
    audience = Audience()
    place.start(audience)
    item = Subscribe(audience=LIST, email="ada@example.com")
    for flag in YES:
        happened = Happened(event_of("invoice.purchase", "ada@example.com", flag), [item])
        assert bool(allowed(happened)) is (flag is True)
    place.do([item])
    assert audience.members[member_name("ada@example.com")]["status"] == "pending"
