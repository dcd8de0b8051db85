"""Hostile values in every field of every action: nothing breaks out, and nobody else is touched.

The fields are those that the items' models have, however deep, and what the
event itself holds where an action reads it. Each value goes through Mailchimp's
SDK to a server that holds each request against Mailchimp's own API file.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from bridge.connector import Delivered, EmailAddress, Item, Outcome, Retry, Unknown
from bridge.testing.vendor import Request, VendorServer
from connectors.mailchimp import Mailchimp, MailchimpSettings
from tests.connectors.mailchimp_api.checking import MailchimpServer, mistakes
from tests.connectors.mailchimp_audience import FIELDS, LIST, Audience, a_field

KEY = "0123456789abcdefsecret-us6"
ADA, EVE = "Ada@Example.com", "eve@example.org"
ORDER = "7c-41"
ACTIONS = Mailchimp.actions()

HOSTILE = (
    "<!channel>",
    "<http://evil.example|Pay>",
    '=HYPERLINK("http://evil.example")',
    "\u202ecod.exe\u202c",
    "\0",
    "a\0b",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "x" * 100_000,
    "{{ 7 * 7 }} {% raw %} {0} *|FNAME|*",
    "one\r\nX-Injected: yes\r\n\r\ntwo",
    "../../eve",
    "..",
    "a/b?c=d&status=subscribed#e",
    "%2e%2e%2f %s %(x)s %n",
    "\"quotes\" 'too' `and` \\",
    " ",
)
anything = st.one_of(
    st.lists(st.sampled_from(["a", "/", "%", *(text for text in HOSTILE if len(text) < 99)])).map(
        "".join
    ),
    st.text(st.characters(codec="utf-8"), max_size=60),
)

_PART = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,49}"
_NAME = r"(?P<member>[0-9a-f]{32})"
EXPECTED = re.compile(
    r"/3\.0/lists"
    rf"|/3\.0/lists/{LIST}(/merge-fields|/interest-categories(/c1/interests)?|/members)?"
    rf"|/3\.0/lists/{LIST}/members/{_NAME}(/tags|/events)?"
    rf"|/3\.0/ecommerce/stores(/box-1/(products|orders)(/{_PART}(/variants/{_PART})?)?)?"
    r"|/3\.0/ecommerce/stores/box-1/customers/(?P<customer>[0-9a-f]{32})"
)

ADDRESS = {"addr1": "1 Long Street", "city": "Oslo", "state": "-", "zip": "0150"}
OF_ALL_KINDS = {
    "FNAME": "Ada",
    "LTV": "12.5",
    "HOME": ADDRESS,
    "BORN": "05/31",
    "SINCE": "2026-05-31",
    "PHONE": "212-555-0100",
    "ZIP": "10001",
    "PAGE": "https://ada.example",
    "SEAT": "Stalls",
}
KINDS = [
    a_field("HOME", "address"),
    a_field("BORN", "birthday", date_format="MM/DD"),
    a_field("SINCE", "date", date_format="MM/DD/YYYY"),
    a_field("PHONE", "phone", phone_format="US"),
    a_field("ZIP", "zip"),
    a_field("PAGE", "url"),
    a_field("SEAT", "dropdown", choices=["Stalls", "Balcony"]),
]
USUAL: Mapping[str, Any] = {
    "audience": "Newsletter",
    "email": ADA,
    "merge_fields": OF_ALL_KINDS,
    "tags": ["buyer"],
    "remove_tags": ["lapsed"],
    "groups": {"Interests": ["Concerts"]},
    "permissions": ["Email"],
    "language": "fr",
    "name": "bought_tickets",
    "properties": {"event": "Folk Night"},
    "store": "Box office",
    "order_id": ORDER,
    "total": "173.25",
    "currency": "CAD",
}
"""Values for fields, where their action has them."""
BOUGHT: Mapping[str, Any] = {
    "id": "553",
    "quantity": 2,
    "type": "VIP",
    "type_id": "3301",
    "event_id": "820",
    "event_name": "Folk Night",
    "product": "Tote bag",
    "total": "157.50",
}

Put = Callable[[str], Any]


@dataclass(frozen=True)
class Spot:
    """One place for a text: what an item's fields are, and its event's item, with it there."""

    action: str
    name: str
    fields: Put
    bought: Put = lambda text: BOUGHT


def places(of: Any, usual: Any) -> Iterator[tuple[str, Put]]:
    """Wherever a value of this type can hold a text, beside what is usual."""
    origin, args = get_origin(of), get_args(of)
    if of in (str, int, Decimal):
        yield "", lambda text: text
    elif origin is Annotated:
        yield from places(args[0], usual)
    elif origin in (Union, UnionType):
        arms = [arm for arm in args if arm is not NoneType]
        alike = [arm for arm in arms if isinstance(usual, get_origin(arm) or object)]
        yield from (each for arm in alike[-1:] or arms for each in places(arm, usual))
    elif origin is list:
        for name, put in places(args[0], next(iter(usual or []), None)):
            yield f"[]{name}", lambda text, put=put: [put(text)]  # type: ignore[misc]
    elif origin is dict:
        yield from _places_of_dict(args[1], usual or {"x": None})
    elif issubclass(of, BaseModel):
        yield from places_of_model(of)
    else:
        raise TypeError(f"nobody knows how to put a text into {of}")


def _places_of_dict(of: Any, usual: Mapping[str, Any]) -> Iterator[tuple[str, Put]]:
    some = next(iter(usual.values())) or "x"
    yield "{}", lambda text: {**usual, text: some}
    for key, value in usual.items():
        for name, put in places(of, value):
            yield (
                f".{key}{name}",
                lambda text, key=key, put=put: {**usual, key: put(text)},  # type: ignore[misc]
            )


def places_of_model(model: type[BaseModel]) -> Iterator[tuple[str, Put]]:
    usual = {
        name: USUAL.get(name, "x")
        for name, field in model.model_fields.items()
        if name in USUAL or field.is_required()
    }
    for name, field in model.model_fields.items():
        for deeper, put in _places_of_field(field, usual.get(name)):
            yield (
                f".{name}{deeper}",
                lambda text, name=name, put=put: {**usual, name: put(text)},  # type: ignore[misc]
            )


def _places_of_field(field: FieldInfo, usual: Any) -> Iterator[tuple[str, Put]]:
    yield from places(field.annotation, usual)
    if get_args(EmailAddress)[1] in field.metadata:
        yield "[local]", lambda text: f"{text}@example.com"
        yield "[domain]", lambda text: f"ada@{text}.example"
        yield "[quoted]", lambda text: f'"{text}"@example.com'


def spots() -> Iterator[Spot]:
    for action in ACTIONS.values():
        for name, put in places_of_model(action.item):
            yield Spot(action.name, f"{action.name}{name}", put)
        for name in BOUGHT if action.event else ():
            usual = {key: USUAL[key] for key in action.item.model_fields if key in USUAL}
            yield Spot(
                action.name,
                f"{action.name} event.{name}",
                lambda text, usual=usual: usual,  # type: ignore[misc]
                lambda text, name=name: {**BOUGHT, name: text},  # type: ignore[misc]
            )


SPOTS = {spot.name: spot for spot in spots()}


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with MailchimpServer() as started:
        yield started


def an_audience() -> Audience:
    audience = Audience(fields=[*FIELDS, *KINDS])
    audience.add(ADA, "subscribed")
    audience.add(EVE, "subscribed")
    return audience


@dataclass(frozen=True)
class Sent:
    """What became of one item, and of whom Mailchimp was told."""

    item: Item
    outcome: Outcome
    requests: Sequence[Request]
    audience: Audience


def sent(server: VendorServer, spot: Spot, text: str) -> Sent | None:
    """None where the text makes no item: nothing is sent then."""
    action = ACTIONS[spot.action]
    try:
        item = action.item.model_validate(spot.fields(text))
    except ValidationError as refused:
        _names_nobody(str(refused))
        return None
    item = item.model_validate(json.loads(json.dumps(item.model_dump(mode="json"))))
    audience = an_audience()
    server.handler = audience.answer
    mailchimp = Mailchimp(MailchimpSettings(api_key=SecretStr(KEY), base_url=server.url))
    if spot.action == "refund_order":
        _bought_before(mailchimp, item)
    server.requests.clear()
    event = {
        "event": {"id": "e", "time": "2026-05-31T08:00:00+00:00"},
        "items": [spot.bought(text)],
    }
    item = item.for_delivery("d1", event=event)
    [outcome] = getattr(mailchimp, spot.action)([item])
    requests = list(server.requests)
    server.requests.clear()
    return Sent(item, outcome, requests, audience)


def _bought_before(mailchimp: Mailchimp, refund: Item) -> None:
    fields = {name: USUAL[name] for name in ("store", "email", "total", "currency")}
    order_id = refund.model_dump()["order_id"]
    order = ACTIONS["add_order"].item.model_validate({**fields, "order_id": order_id})
    [outcome] = mailchimp.add_order([order])
    assert isinstance(outcome, Delivered)


def member_name(item: Item) -> str:
    address: str = item.model_dump().get("email", ADA)
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


def stays_within(server: VendorServer, done: Sent) -> None:
    for request in done.requests:
        _only_where_it_should(server, request, done.item)
    assert done.audience.one(EVE) == an_audience().one(EVE)
    assert isinstance(done.outcome, Outcome)
    assert not isinstance(done.outcome, Retry | Unknown), done.outcome
    _tells_nothing(done)


def _only_where_it_should(server: VendorServer, request: Request, item: Item) -> None:
    found = EXPECTED.fullmatch(request.path)
    assert found, request.path
    assert {found["member"], found["customer"]} <= {member_name(item), None}
    assert request.headers["host"] == urlsplit(server.url).netloc
    assert "x-injected" not in request.headers
    assert not mistakes(request)
    body = request.body if isinstance(request.body, dict) else {}
    if "email_address" in body:
        assert body["email_address"] == item.model_dump()["email"]


def _tells_nothing(done: Sent) -> None:
    told = " ".join(map(str, asdict(done.outcome).values()))
    _names_nobody(told)
    assert not set(told) & set('<>{}@"\0\r\n\u202e')
    assert len(told) < 500


def _names_nobody(told: str) -> None:
    for private in (KEY, ADA, EVE, "@example.com"):
        assert private.lower() not in told.lower()


@pytest.mark.parametrize("name", SPOTS)
def test_no_value_breaks_out(server: VendorServer, name: str) -> None:
    for text in HOSTILE:
        if done := sent(server, SPOTS[name], text):
            stays_within(server, done)


@settings(deadline=None, max_examples=15)
@given(data=st.data())
@pytest.mark.parametrize("action", ACTIONS)
def test_no_value_at_all_breaks_out(server: VendorServer, action: str, data: st.DataObject) -> None:
    of_action = [spot for spot in SPOTS.values() if spot.action == action]
    spot = data.draw(st.sampled_from(of_action))
    if done := sent(server, spot, data.draw(anything)):
        stays_within(server, done)


# That the above looks at all


@pytest.mark.parametrize("action", ACTIONS)
def test_without_anything_hostile_it_is_delivered(server: VendorServer, action: str) -> None:
    first = next(spot for spot in SPOTS.values() if spot.action == action)
    usual = {key: USUAL[key] for key in ACTIONS[action].item.model_fields if key in USUAL}
    done = sent(server, Spot(action, first.name, lambda text: copy.deepcopy(usual)), "")
    assert done is not None
    assert isinstance(done.outcome, Delivered)
    assert any(request.method != "GET" for request in done.requests)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_field_of_every_action_has_its_spot(action: str) -> None:
    for field in ACTIONS[action].item.model_fields:
        assert any(name.startswith(f"{action}.{field}") for name in SPOTS)


@pytest.mark.parametrize(
    "name",
    [
        "subscribe.merge_fields.FNAME",
        "subscribe.merge_fields.HOME.city",
        "subscribe.tags[]",
        "subscribe.remove_tags[]",
        "subscribe.email[local]",
        "add_tags.tags[]",
        "log_event.name",
        "log_event.properties{}",
        "log_event.properties.event",
        "add_order.first_name",
        "add_order.lines[].product",
        "add_order.lines[].variant",
        "add_order event.event_name",
    ],
)
def test_a_value_does_arrive(server: VendorServer, name: str) -> None:
    done = sent(server, SPOTS[name], "Zoë")
    assert done is not None
    assert isinstance(done.outcome, Delivered)
    assert "Zoë" in str([request.body for request in done.requests])
