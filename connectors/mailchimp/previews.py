"""The calls that each action makes for one item, without asking Mailchimp anything.

`***` stands for what only Mailchimp knows: the id of an audience that a rule
names by its name, of a group, of a permission, of a store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.connector import Call
from connectors.mailchimp.directory import (
    AUDIENCES,
    CATEGORIES,
    FIELDS,
    GROUPS,
    PERMISSIONS,
    STORES,
    Shelf,
    is_list_id,
)
from connectors.mailchimp.items import (
    AddTags,
    Archive,
    LogEvent,
    Member,
    Subscribe,
    Unsubscribe,
    tag_changes,
)
from connectors.mailchimp.leaving import LEAVING
from connectors.mailchimp.marking import Happening
from connectors.mailchimp.members import Wanted, member_hash, newcomer, tagging
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
from connectors.mailchimp.settings import MailchimpSettings

HIDDEN = "***"
REMEMBERED = "unless it was read within the last ten minutes"
"""When what an account has is asked for."""
STAYING = "unless this person has left the audience"
AFTER = "after that"

_SEEN = {"fields": "status,contact_id,web_id"}
_STATUS = {"fields": "status"}
_STORE = f"/3.0/ecommerce/stores/{HIDDEN}"


def subscribe(settings: MailchimpSettings, item: Subscribe) -> list[Call]:
    path = _path(settings, item)
    calls = [*_audience(settings, item), *_names(settings, item)]
    calls.append(Call("GET", path, _STATUS))
    calls.append(Call("PUT", path, body=_told(settings, item), when=STAYING))
    tags = tag_changes(item.tags, item.remove_tags)
    if tags:
        calls.append(Call("POST", f"{path}/tags", body=tagging(tags), when=AFTER))
    return calls


def unsubscribe(settings: MailchimpSettings, item: Unsubscribe) -> list[Call]:
    path = _path(settings, item)
    leaving = Call("PATCH", path, body=LEAVING, when="if this person is there")
    return [*_audience(settings, item), Call("GET", path, _SEEN), leaving]


def archive(settings: MailchimpSettings, item: Archive) -> list[Call]:
    path = _path(settings, item)
    waiting = "if this person has not confirmed yet"
    return [
        *_audience(settings, item),
        Call("GET", path, _SEEN),
        Call("PATCH", path, body=LEAVING, when=waiting),
        Call("DELETE", path, when="if this person is there"),
    ]


def add_tags(settings: MailchimpSettings, item: AddTags) -> list[Call]:
    path, told = _path(settings, item), tagging(tag_changes(item.tags, item.remove_tags))
    tags = Call("POST", f"{path}/tags", body=told, when=STAYING)
    return [*_audience(settings, item), Call("GET", path, _SEEN), tags]


def log_event(settings: MailchimpSettings, item: LogEvent) -> list[Call]:
    path, told = _path(settings, item), happening(item).told()
    event = Call("POST", f"{path}/events", body=told, when=STAYING)
    return [*_audience(settings, item), Call("GET", path, _SEEN), event]


def happening(item: LogEvent) -> Happening:
    told = item.event.get("event")
    time = told.get("time") if isinstance(told, Mapping) else None
    at = time if isinstance(time, str) else ""
    return Happening(item.name, item.properties, at, item.sent_as)


def add_order(settings: MailchimpSettings, item: AddOrder) -> list[Call]:
    buyer = customer(item)
    member = f"/3.0/lists/{HIDDEN}/members/{member_hash(item.email)}"
    return [
        _stores(),
        Call("GET", member, _STATUS),
        Call("PUT", f"{_STORE}/customers/{buyer['id']}", body=buyer, when="unless archived"),
        *(call for product in products(item) for call in _product(product)),
        Call("POST", f"{_STORE}/orders", body=order(item), when=AFTER),
    ]


def refund_order(settings: MailchimpSettings, item: RefundOrder) -> list[Call]:
    path = f"{_STORE}/orders/{identity(item.order_id)}"
    status = REFUNDED if item.amount is None else HIDDEN
    return [
        _stores(),
        Call("GET", path, {"fields": "order_total,customer.email_address"}),
        Call("GET", f"/3.0/lists/{HIDDEN}/members/{HIDDEN}", _STATUS),
        Call("PATCH", path, body={"financial_status": status}, when=_REFUND),
    ]


_REFUND = f"unless the buyer was archived; {PARTIALLY_REFUNDED} or {REFUNDED}, as the total tells"


def _path(settings: MailchimpSettings, item: Member) -> str:
    return f"{_list(settings, item)}/members/{member_hash(item.email)}"


def _list(settings: MailchimpSettings, item: Member) -> str:
    named = settings.audience(item.audience)
    return f"/3.0/lists/{named if is_list_id(named) else HIDDEN}"


def _audience(settings: MailchimpSettings, item: Member) -> Iterator[Call]:
    if not is_list_id(settings.audience(item.audience)):
        yield _reading("/3.0/lists", AUDIENCES)


def _names(settings: MailchimpSettings, item: Subscribe) -> Iterator[Call]:
    path = _list(settings, item)
    if item.merge_fields:
        yield _reading(f"{path}/merge-fields", FIELDS)
    categories = f"{path}/interest-categories"
    if item.groups:
        yield _reading(categories, CATEGORIES)
    for _ in item.groups:
        yield _reading(f"{categories}/{HIDDEN}/interests", GROUPS)
    if item.permissions:
        yield _reading(f"{path}/members", PERMISSIONS)


def _reading(path: str, shelf: Shelf) -> Call:
    query = {"fields": ",".join(shelf.asked["fields"]), "count": str(shelf.count)}
    return Call("GET", path, query, when=REMEMBERED)


def _told(settings: MailchimpSettings, item: Subscribe) -> dict[str, Any]:
    """With the merge fields as the rule names them: their types are Mailchimp's to tell."""
    wanted = Wanted(
        item.email,
        item.merge_fields,
        permissions=[HIDDEN for _ in item.permissions],
        language=item.language,
    )
    told = newcomer(settings, wanted)
    return told | {"interests": HIDDEN} if item.groups else told


def _stores() -> Call:
    return _reading("/3.0/ecommerce/stores", STORES)


def _product(product: Mapping[str, Any]) -> Iterator[Call]:
    path = f"{_STORE}/products"
    known = "unless this worker added it before"
    yield Call("GET", f"{path}/{product['id']}", {"fields": "id,variants.id"}, when=known)
    adding = "if it is not there; else the variants that it lacks are added"
    yield Call("POST", path, body=product, when=adding)
