"""What the real Mailchimp has answered, each to its outcome; and each request as its API file says.

The answers are those of recordings of the live API
(github.com/grouparoo/grouparoo, MIT), with other people in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.connector import Delivered, Outcome, Rejected, Retry, Suppressed
from bridge.testing.vendor import Answer, Request, VendorServer
from connectors.mailchimp import AddTags, Archive, Mailchimp, MailchimpSettings, Subscribe
from tests.connectors.mailchimp_api.checking import MailchimpServer, mistakes

LIST = "a36b032126"
ADA = "ada@example.com"
JSON = {"Server": "openresty", "Content-Type": "application/json; charset=utf-8"}
PROBLEM = {"Server": "openresty", "Content-Type": "application/problem+json; charset=utf-8"}
ERRORS = "https://mailchimp.com/developer/marketing/docs/errors/"


def a_field(number: int, tag: str, name: str, kind: str, **options: Any) -> dict[str, Any]:
    return {
        "merge_id": number,
        "tag": tag,
        "name": name,
        "type": kind,
        "required": False,
        "default_value": "",
        "public": True,
        "display_order": number + 1,
        "options": options,
        "help_text": "",
        "list_id": LIST,
    }


FIELDS = Answer(
    200,
    {
        "merge_fields": [
            a_field(3, "ADDRESS", "Address", "address", default_country=164),
            a_field(1, "FNAME", "First Name", "text", size=25),
            a_field(8, "JOINED_AT", "JOINED_AT", "date", date_format="MM/DD/YYYY"),
            a_field(2, "LNAME", "Last Name", "text", size=25),
            a_field(6, "LTV", "LTV", "number"),
            a_field(4, "PHONE", "Phone Number", "phone", phone_format="none"),
        ],
        "list_id": LIST,
        "total_items": 6,
    },
    JSON,
)
MEMBER = Answer(
    200,
    {
        "id": "5eb0d793a5aa4f1b9fd29305d6afbf7c",
        "email_address": ADA,
        "unique_email_id": "7ee8f2229e",
        "contact_id": "93b835cc104791040b356ff76030415d",
        "full_name": "Test",
        "web_id": 400751728,
        "email_type": "html",
        "status": "subscribed",
        "consents_to_one_to_one_messaging": True,
        "merge_fields": {"ADDRESS": "", "FNAME": "Test", "LNAME": "", "LTV": "", "PHONE": ""},
        "interests": {},
        "list_id": LIST,
        "tags_count": 0,
        "tags": [],
    },
    JSON,
)
DONE = Answer(204, None, JSON)


def problem(status: int, title: str, detail: str, **more: Any) -> Answer:
    instance = "14c40d88-9b23-1adf-9d0b-bb2996468021"
    body = {"type": ERRORS, "title": title, "status": status, "detail": detail}
    return Answer(status, {**body, "instance": instance, **more}, PROBLEM)


ABSENT = problem(404, "Resource Not Found", "The requested resource could not be found.")
NOT_ALLOWED = problem(
    405,
    "Method Not Allowed",
    "This list member cannot be removed. "
    "Can not archive a contact that is bounced, pending or archived",
)
EXISTS = Answer(
    400,
    {
        "title": "Member Exists",
        "status": 400,
        "detail": f"{ADA} is already a list member. Use PUT to insert or update list members.",
        "instance": "c70d656a-9180-6140-4ace-d011c655279f",
    },
    PROBLEM,
)
NOT_A_NUMBER = problem(
    400,
    "Invalid Resource",
    "Your merge fields were invalid.",
    errors=[{"field": "LTV", "message": "Please enter a number"}],
)
NO_ADDRESS = problem(400, "Invalid Resource", "Please provide a valid email address.")
FAKE = problem(
    400,
    "Invalid Resource",
    f"{ADA} looks fake or invalid, please enter a real email address.",
)
CROWDED = Answer(429, "", {"Server": "openresty", "Content-Type": "text/html"})
BLOCKED = Answer(
    403, "<html><head><title>403 Forbidden</title></head></html>", {"Content-Type": "text/html"}
)


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with MailchimpServer() as server:
        yield server


@pytest.fixture
def mailchimp(vendor: VendorServer) -> Mailchimp:
    key = SecretStr("0123456789abcdefsecret-us3")
    return Mailchimp(MailchimpSettings(api_key=key, base_url=vendor.url))


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([ABSENT, MEMBER], Delivered),
        ([MEMBER, MEMBER], Delivered),
        ([ABSENT, EXISTS, MEMBER], Delivered),
        ([ABSENT, EXISTS, EXISTS], Rejected),
        ([MEMBER, NOT_A_NUMBER], Rejected),
        ([ABSENT, NO_ADDRESS], Rejected),
        ([ABSENT, FAKE], Rejected),
        ([CROWDED], Retry),
        ([BLOCKED], Retry),
        ([ABSENT, CROWDED], Retry),
        ([ABSENT, BLOCKED], Retry),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_was_answered_to_a_subscription(
    mailchimp: Mailchimp, vendor: VendorServer, answers: list[Answer], outcome: type[Outcome]
) -> None:
    vendor.script(FIELDS, *answers)
    fields = {"FNAME": "Test", "JOINED_AT": "2021-11-23T22:51:56Z", "LTV": "12.5", "ADDRESS": ""}
    item = Subscribe(audience=LIST, email=ADA, merge_fields={**fields})
    [got] = mailchimp.subscribe([item])
    assert isinstance(got, outcome)
    assert ADA not in str(got)
    assert len(vendor.requests) == 1 + len(answers)
    if isinstance(got, Retry):
        assert (got.after, got.whole_account) == (10.0, True)
    if isinstance(got, Delivered):
        assert got.link.endswith("view?id=400751728")


@pytest.mark.parametrize(
    ("answer", "outcome"), [(DONE, Delivered), (NOT_ALLOWED, Suppressed), (ABSENT, Suppressed)]
)
def test_what_was_answered_to_an_archiving(
    mailchimp: Mailchimp, vendor: VendorServer, answer: Answer, outcome: type[Outcome]
) -> None:
    vendor.script(MEMBER, answer)
    [got] = mailchimp.archive([Archive(audience=LIST, email=ADA)])
    assert isinstance(got, outcome)


@pytest.mark.parametrize(("answer", "outcome"), [(DONE, Delivered), (ABSENT, Suppressed)])
def test_what_was_answered_to_tags(
    mailchimp: Mailchimp, vendor: VendorServer, answer: Answer, outcome: type[Outcome]
) -> None:
    vendor.script(MEMBER, answer)
    [got] = mailchimp.add_tags([AddTags(audience=LIST, email=ADA, tags=["list one"])])
    assert isinstance(got, outcome)


# The look at requests itself


def a_request(method: str, path: str, body: Any = None, **query: str) -> Request:
    return Request(method, f"/3.0{path}", query, {}, body)


MEMBER_PATH = f"/lists/{LIST}/members/5eb0d793a5aa4f1b9fd29305d6afbf7c"
ORDER: dict[str, Any] = {
    "id": "1",
    "customer": {"id": "c"},
    "currency_code": "CAD",
    "order_total": 9.5,
    "lines": [],
}


@pytest.mark.parametrize(
    "request_",
    [
        a_request("GET", "/ping", count="1"),
        a_request("GET", "/pong"),
        a_request("GET", f"{MEMBER_PATH}/x"),
        a_request("PUT", MEMBER_PATH, {"status_if_new": "pending"}),
        a_request("PUT", MEMBER_PATH, {"email_address": ADA, "status_if_new": "archived"}),
        a_request("PUT", MEMBER_PATH, {"email_address": ADA, "tags": ["x"]}),
        a_request("PUT", MEMBER_PATH, {"email_address": ADA, "merge_fields": {"A": ""}}),
        a_request("PUT", MEMBER_PATH, {"email_address": ADA, "interests": {"a": "yes"}}),
        a_request("POST", f"{MEMBER_PATH}/tags", [{"name": "x", "status": "active"}]),
        a_request("POST", f"{MEMBER_PATH}/tags", {"tags": [{"name": "x", "status": "on"}]}),
        a_request("POST", f"{MEMBER_PATH}/events", {"properties": {"a": "b"}}),
        a_request("POST", f"{MEMBER_PATH}/events", {"name": "a", "properties": {"a": 1}}),
        a_request("POST", f"{MEMBER_PATH}/events", {"name": "a", "occurred_at": "today"}),
        a_request("DELETE", MEMBER_PATH, {"status": "archived"}),
        a_request("POST", f"/lists/{LIST}", {"members": [{"status": "nobody"}]}),
        a_request("GET", f"/lists/{LIST}/members", status="gone"),
        a_request("POST", "/ecommerce/stores/s/orders", {**ORDER, "order_total": "9.5"}),
        a_request("POST", "/ecommerce/stores/s/orders", {**ORDER, "customer": {}}),
        a_request("PUT", "/ecommerce/stores/s/customers/c", {"id": "c", "email_address": ADA}),
    ],
    ids=lambda one: f"{one.method} {one.path[-24:]}",
)
def test_a_wrong_request_is_seen(request_: Request) -> None:
    assert mistakes(request_)


def test_a_right_request_is_let_through() -> None:
    assert not mistakes(a_request("POST", "/ecommerce/stores/s/orders", ORDER))
    told = {"email_address": ADA, "status_if_new": "pending", "merge_fields": {"A": 1, "B": "x"}}
    assert not mistakes(a_request("PUT", MEMBER_PATH, told))


def test_a_vendor_that_got_a_wrong_request_fails() -> None:
    server = MailchimpServer()
    server.__enter__()
    server.take(a_request("GET", "/pong"))
    with pytest.raises(AssertionError, match="no such call"):
        server.close()
