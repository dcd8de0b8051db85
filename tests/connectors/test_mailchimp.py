"""Mailchimp through its own SDK, against a server on this machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bridge.connector import (
    Action,
    Connector,
    Delivered,
    Halted,
    OptIn,
    Outcome,
    Pacer,
    Rejected,
    Retry,
    Suppressed,
    Unpaced,
)
from bridge.testing.bench import PATIENCE
from bridge.testing.connectors import ConnectorConformance
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.mailchimp import Mailchimp, MailchimpSettings, Subscribe, Unsubscribe
from connectors.mailchimp.calls import Line
from tests.connectors.mailchimp_api.checking import MailchimpServer, assert_valid
from tests.connectors.mailchimp_audience import Audience, a_field

KEY = "0123456789abcdefsecret-us6"
LIST = "a36b032126"
ADA = "Ada@Example.com"
MEMBER_PATH = f"/3.0/lists/{LIST}/members/{hashlib.md5(b'ada@example.com').hexdigest()}"
INSTANCE = "14c40d88-9b23-1adf-9d0b-bb2996468021"


# As Mailchimp answers, with other people in it.
def member(status: str) -> Answer:
    body = {
        "id": "5eb0d793a5aa4f1b9fd29305d6afbf7c",
        "email_address": "ada@example.com",
        "contact_id": "93b835cc104791040b356ff76030415d",
        "web_id": 400751728,
        "status": status,
        "merge_fields": {"FNAME": "Ada"},
        "list_id": LIST,
    }
    return Answer(200, body, {"Content-Type": "application/json; charset=utf-8"})


def problem(status: int, title: str, detail: str = "", **more: Any) -> Answer:
    body = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": INSTANCE,
        **more,
    }
    return Answer(status, body, {"Content-Type": "application/problem+json; charset=utf-8"})


ABSENT = problem(404, "Resource Not Found", "The requested resource could not be found.")
SEEN = Answer(200, {"status": "subscribed"})
PENDING = member("pending")
TAGGED = Answer(204, None, {"Content-Type": "application/json; charset=utf-8"})
EXISTS = problem(
    400,
    "Member Exists",
    "ada@example.com is already a list member. Use PUT to insert or update list members.",
)
COMPLIANCE = problem(
    400,
    "Member In Compliance State",
    "ada@example.com is in a compliance state due to unsubscribe, bounce, or compliance review "
    "and cannot be subscribed.",
)
FORGOTTEN = problem(
    400,
    "Forgotten Email Not Subscribed",
    "ada@example.com was permanently deleted and cannot be re-imported.",
)
NOT_A_NUMBER = problem(
    400,
    "Invalid Resource",
    "Your merge fields were invalid.",
    errors=[{"field": "LTV", "message": "Please enter a number"}],
)
BAD_KEY = problem(401, "API Key Invalid", "Your API key may be invalid, or you've attempted to ...")


FIELDS = Answer(
    200,
    {
        "merge_fields": [
            {"tag": "FNAME", "name": "First Name", "type": "text", "options": {"size": 25}},
            {"tag": "LNAME", "name": "Last Name", "type": "text", "options": {"size": 25}},
            {"tag": "LTV", "name": "Lifetime value", "type": "number", "options": {}},
        ]
    },
)


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with MailchimpServer() as server:
        yield server


OPT_IN = OptIn(wording="Send me the newsletter", version="2026-01")


def settings(base_url: str, timeout: float = 5.0, **more: Any) -> MailchimpSettings:
    names = {"newsletter": LIST}
    return MailchimpSettings(
        api_key=SecretStr(KEY), base_url=base_url, timeout=timeout, audiences=names, **more
    )


def subscribe(
    vendor: VendorServer, *replies: Reply, audience: str = "newsletter", **fields: Any
) -> Outcome:
    vendor.script(*replies)
    item = Subscribe(audience=audience, email=ADA, **fields)
    [outcome] = Mailchimp(settings(vendor.url)).subscribe([item])
    return outcome


def unsubscribe(vendor: VendorServer, *replies: Reply, audience: str = LIST) -> Outcome:
    vendor.script(*replies)
    item = Unsubscribe(audience=audience, email=ADA)
    [outcome] = Mailchimp(settings(vendor.url)).unsubscribe([item])
    return outcome


def methods(vendor: VendorServer) -> list[str]:
    return [request.method for request in vendor.requests]


def in_bulk(members: Sequence[Mapping[str, Any]]) -> Answer:
    """Everybody is created but for `refused@`."""
    wrong = [one for one in members if "refused@" in one["email_address"]]
    said = "refused@example.com looks fake or invalid, please enter a real email address."
    errors = [
        {"email_address": one["email_address"], "error": said, "error_code": "ERROR_GENERIC"}
        for one in wrong
    ]
    created = [{**one, "contact_id": "1", "web_id": 1} for one in members if one not in wrong]
    return Answer(200, {"new_members": created, "errors": errors})


class TestConformance(ConnectorConformance):
    connector = Mailchimp
    unauthorised = BAD_KEY
    throttled = problem(429, "Too Many Requests", "You have exceeded the limit of 10 connections.")
    harmless_first = frozenset({"log_event"})

    def settings(self, base_url: str, timeout: float) -> MailchimpSettings:
        return settings(base_url, timeout)

    def item(self, action: str) -> Mapping[str, Any]:
        """Of somebody new; but only who waits for a mail is unsubscribed before the archive."""
        who = {"audience": "Newsletter", "email": ADA}
        more: Mapping[str, Any] = {
            "subscribe": {
                "merge_fields": {"FNAME": "Ada"},
                "tags": ["Jazz Night"],
                "remove_tags": ["Rock"],
                "groups": {"Interests": ["Concerts"]},
                "permissions": ["Email"],
                "language": "fr",
            },
            "add_tags": {"tags": ["Jazz Night"]},
            "log_event": {"name": "bought", "properties": {"event": "Jazz Night"}},
        }
        orders: Mapping[str, Any] = {
            "add_order": {"email": ADA, "order_id": "T-1", "total": "9.50", "currency": "CAD"},
            "refund_order": {"order_id": "T-1", "amount": "4"},
        }
        if action in orders:
            return {"store": "Box office", **orders[action]}
        return {**who, **more.get(action, {})}

    def refused_item(self, action: str) -> Mapping[str, Any]:
        if action in ("add_order", "refund_order"):
            return {**self.item(action), "store": "Bakery"}
        return {**self.item(action), "email": "refused@example.com"}

    def vendor(self, action: str, request: Request) -> Reply:
        audience = Audience(fields=[a_field("FNAME")])
        if action != "subscribe":
            audience.add(ADA, "pending" if action == "archive" else "subscribed")
        audience.add("somebody@example.com", "subscribed")
        if action == "refund_order":
            audience.shop.customers["1"] = {"email_address": ADA}
            audience.shop.orders["T-1"] = {
                "id": "T-1",
                "order_total": 9.5,
                "customer": {"id": "1"},
            }
        return self._others(audience, action, request) or audience.answer(request)

    def _others(self, audience: Audience, action: str, request: Request) -> Reply | None:
        """Everybody is like Ada, but for the refused; and each request finds a new Mailchimp."""
        if hashlib.md5(b"refused@example.com").hexdigest() in request.path:
            if action == "subscribe" and request.method == "GET":
                return ABSENT
            return problem(400, "Invalid Resource", "refused@example.com looks fake or invalid.")
        if request.path == f"/3.0/lists/{LIST}" and request.method == "POST":
            return in_bulk(request.body["members"])
        if request.method == "DELETE":
            return Answer(204)
        if action == "add_order" and request.path.endswith("/orders"):
            return Answer(200, request.body)
        name = re.search(r"/members/([0-9a-f]{32})", request.path)
        if name and (action != "subscribe" or request.path.endswith("/tags")):
            audience.members[name[1]] = audience.one(
                "somebody@example.com" if action == "subscribe" else ADA
            )
        return None

    @contextmanager
    def _serving(
        self, action: Action, timeout: float = PATIENCE, pacer: Pacer | None = None
    ) -> Iterator[tuple[Connector, VendorServer]]:
        with super()._serving(action, timeout, pacer) as (connector, server):
            yield connector, server
            assert_valid(server)


# Subscribing


def test_somebody_new_is_asked_to_confirm(vendor: VendorServer) -> None:
    written = {"FNAME": "Ada", "LNAME": ""}
    outcome = subscribe(vendor, FIELDS, ABSENT, PENDING, merge_fields=written)
    assert outcome == Delivered(
        reference="93b835cc104791040b356ff76030415d",
        link="https://us6.admin.mailchimp.com/lists/members/view?id=400751728",
        remark="waits until this person confirms by mail",
    )
    _, asked, put = vendor.requests
    assert (asked.method, asked.path, asked.query) == ("GET", MEMBER_PATH, {"fields": "status"})
    assert (put.method, put.path) == ("PUT", MEMBER_PATH)
    assert put.body == {
        "email_address": ADA,
        "status_if_new": "pending",
        "merge_fields": {"FNAME": "Ada"},
    }
    assert put.headers["authorization"].startswith("Basic ")


def test_an_express_opt_in_subscribes_at_once(vendor: VendorServer) -> None:
    vendor.script(ABSENT, member("subscribed"))
    mailchimp = Mailchimp(settings(vendor.url, opt_in=OPT_IN, double_opt_in=False))
    [outcome] = mailchimp.subscribe([Subscribe(audience=LIST, email=ADA)])
    assert isinstance(outcome, Delivered)
    assert outcome.remark == ""
    assert vendor.requests[1].body == {"email_address": ADA, "status_if_new": "subscribed"}


def test_a_wording_alone_leaves_the_confirmation_mail(vendor: VendorServer) -> None:
    vendor.script(ABSENT, PENDING)
    Mailchimp(settings(vendor.url, opt_in=OPT_IN)).subscribe([Subscribe(audience=LIST, email=ADA)])
    assert vendor.requests[1].body["status_if_new"] == "pending"


def test_without_a_wording_nobody_is_subscribed_at_once() -> None:
    with pytest.raises(ValidationError, match="what they agree to"):
        MailchimpSettings(double_opt_in=False)


@pytest.mark.parametrize("status", ["subscribed", "pending"])
def test_somebody_who_is_there_is_brought_up_to_date(vendor: VendorServer, status: str) -> None:
    outcome = subscribe(vendor, Answer(200, {"status": status}), member(status))
    assert isinstance(outcome, Delivered)
    assert methods(vendor) == ["GET", "PUT"]
    assert "status" not in vendor.requests[1].body


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("unsubscribed", "has unsubscribed"),
        ("cleaned", "bounced"),
        ("archived", "archived"),
        ("something new", "nobody else may subscribe"),
    ],
)
def test_somebody_who_has_left_is_left_alone(vendor: VendorServer, status: str, words: str) -> None:
    outcome = subscribe(vendor, Answer(200, {"status": status}), tags=["VIP"])
    assert isinstance(outcome, Suppressed)
    assert words in outcome.reason
    assert methods(vendor) == ["GET"]


def test_somebody_who_leaves_in_between_is_not_tagged(vendor: VendorServer) -> None:
    outcome = subscribe(vendor, SEEN, member("unsubscribed"), tags=["VIP"])
    assert isinstance(outcome, Suppressed)
    assert methods(vendor) == ["GET", "PUT"]


@pytest.mark.parametrize("answer", [COMPLIANCE, FORGOTTEN])
def test_a_no_of_the_law_is_no_error(vendor: VendorServer, answer: Answer) -> None:
    outcome = subscribe(vendor, ABSENT, answer)
    assert isinstance(outcome, Suppressed)
    assert "only they themselves" in outcome.reason
    assert methods(vendor) == ["GET", "PUT"]


def test_somebody_who_subscribes_in_between_is_updated_once(vendor: VendorServer) -> None:
    outcome = subscribe(vendor, ABSENT, EXISTS, member("subscribed"))
    assert isinstance(outcome, Delivered)
    assert methods(vendor) == ["GET", "PUT", "PUT"]
    assert vendor.requests[2].body == {"email_address": ADA}


def test_a_race_that_goes_on_is_not_fought(vendor: VendorServer) -> None:
    assert isinstance(subscribe(vendor, ABSENT, EXISTS), Rejected)
    assert methods(vendor) == ["GET", "PUT", "PUT"]


def test_tags_follow_the_person(vendor: VendorServer) -> None:
    tags = ["Jazz Night", "", "  ", "Jazz Night", "V\0IP", "x" * 150]
    assert isinstance(subscribe(vendor, ABSENT, PENDING, TAGGED, tags=tags), Delivered)
    last = vendor.requests[2]
    assert (last.method, last.path) == ("POST", f"{MEMBER_PATH}/tags")
    assert last.body == {
        "tags": [
            {"name": "Jazz Night", "status": "active"},
            {"name": "VIP", "status": "active"},
            {"name": "x" * 100, "status": "active"},
        ]
    }


@pytest.mark.parametrize("reply", [Answer(500), Answer(200, "<html>hotel</html>"), Silence.DROP])
def test_tags_that_fail_are_tried_again_with_the_person(vendor: VendorServer, reply: Reply) -> None:
    assert isinstance(subscribe(vendor, ABSENT, PENDING, reply, tags=["VIP"]), Retry)


def test_a_refused_merge_field_is_named_and_not_told(vendor: VendorServer) -> None:
    outcome = subscribe(vendor, FIELDS, SEEN, NOT_A_NUMBER, merge_fields={"LTV": "12"})
    assert outcome == Rejected(
        f"Mailchimp refuses the data because of LTV (400 Invalid Resource, instance {INSTANCE})"
    )


def test_an_address_that_looks_fake_is_rejected(vendor: VendorServer) -> None:
    detail = "ada@example.com looks fake or invalid, please enter a real email address."
    outcome = subscribe(vendor, ABSENT, problem(400, "Invalid Resource", detail))
    assert isinstance(outcome, Rejected)
    assert "fake" in outcome.reason


@pytest.mark.parametrize(
    ("detail", "errors", "words"),
    [
        ("Please provide a valid email address.", [], "no e-mail address"),
        ("You have exceeded the contact limit of your plan.", [], "plan's limits"),
        ("?", [{"field": "CITY", "message": "Please enter a value"}], "requires CITY"),
        ("?", [{"field": "<b>", "message": "ada@example.com"}, "?"], "refuses the data (400"),
        ("?", "?", "refuses the data (400"),
    ],
)
def test_refusals_are_told_in_a_marketers_words(
    vendor: VendorServer, detail: str, errors: Any, words: str
) -> None:
    refused = problem(400, "Invalid Resource", detail, errors=errors)
    outcome = subscribe(vendor, ABSENT, refused)
    assert isinstance(outcome, Rejected)
    assert words in outcome.reason
    assert "example.com" not in outcome.reason


# Customers who have never subscribed


CUSTOMER = Answer(200, {"status": "transactional"})


@pytest.mark.parametrize("seen", [CUSTOMER, ABSENT], ids=["before", "in between"])
def test_a_customer_who_agrees_for_the_first_time_is_asked_to_confirm(
    vendor: VendorServer, seen: Answer
) -> None:
    first = [seen] if seen is CUSTOMER else [seen, member("transactional")]
    outcome = subscribe(vendor, *first, PENDING, TAGGED, tags=["VIP"])
    assert isinstance(outcome, Delivered)
    welcomed, _ = vendor.requests[-2:]
    assert (welcomed.method, welcomed.path) == ("PATCH", MEMBER_PATH)
    assert welcomed.body == {"email_address": ADA, "status": "pending"}


def test_a_customer_who_left_meanwhile_stays_away(vendor: VendorServer) -> None:
    assert isinstance(subscribe(vendor, CUSTOMER, COMPLIANCE, tags=["VIP"]), Suppressed)
    assert isinstance(subscribe(vendor, CUSTOMER, member("archived"), tags=["VIP"]), Suppressed)
    assert "POST" not in methods(vendor)


def test_somebody_who_signs_up_everywhere_is_tried_much_later(vendor: VendorServer) -> None:
    detail = (
        "ada@example.com has signed up to a lot of lists very recently; "
        "we're not allowing more signups for now"
    )
    outcome = subscribe(vendor, ABSENT, problem(400, "Invalid Resource", detail))
    assert isinstance(outcome, Retry)
    assert outcome.after == 3600


def test_an_audience_that_is_not_there_is_named(vendor: VendorServer) -> None:
    outcome = subscribe(vendor, Answer(200, {"lists": []}), audience="gazette")
    assert isinstance(outcome, Rejected)
    assert "no audience `gazette`" in outcome.reason
    assert "audiences:" in outcome.reason
    assert [request.path for request in vendor.requests] == ["/3.0/lists"]


def test_an_audience_that_is_gone_is_named(vendor: VendorServer) -> None:
    outcome = subscribe(vendor, ABSENT, audience="deadbeef00")
    assert isinstance(outcome, Rejected)
    assert "no audience `deadbeef00`" in outcome.reason


@pytest.mark.parametrize("audience", ["../campaigns", "a/b", "..", "ada@b.ex", "{{ 7 }}"])
def test_what_can_be_no_audience_stands_in_no_path(vendor: VendorServer, audience: str) -> None:
    evil = Answer(200, {"lists": [{"id": audience, "name": audience}]})
    assert isinstance(subscribe(vendor, evil, audience=audience), Rejected)
    assert isinstance(unsubscribe(vendor, evil, audience=audience), Rejected)
    assert {request.path for request in vendor.requests} == {"/3.0/lists"}
    preview = Mailchimp.actions()["subscribe"].preview
    calls = preview(settings(vendor.url), Subscribe(audience=audience, email=ADA))
    assert not any(audience in call.path for call in calls)


def test_the_word_server_in_an_audience_stays(vendor: VendorServer) -> None:
    known = Answer(200, {"lists": [{"id": "server1", "name": "S"}]})
    subscribe(vendor, known, ABSENT, PENDING, audience="server1")
    assert vendor.requests[1].path.startswith("/3.0/lists/server1/members/")


def test_a_merge_field_is_one_value() -> None:
    for wrong in (True, ["a"], {"zip": [1]}):
        with pytest.raises(ValidationError, match="one text or number"):
            Subscribe.model_validate(
                {"audience": LIST, "email": ADA, "merge_fields": {"ADDRESS": wrong}}
            )


# Refusals that are the same for every call


@pytest.mark.parametrize(
    "answer",
    [
        BAD_KEY,
        problem(401, "API Key Missing"),
        Answer(401),
        problem(403, "User Disabled"),
        problem(403, "Wrong Datacenter"),
        problem(403, "Forbidden"),
    ],
)
def test_a_refused_key_halts_the_account(vendor: VendorServer, answer: Answer) -> None:
    with pytest.raises(Halted, match="refuses the API key"):
        subscribe(vendor, answer)
    with pytest.raises(Halted, match="refuses the API key"):
        unsubscribe(vendor, answer)


def test_an_account_that_mailchimp_barred_halts(vendor: VendorServer) -> None:
    with pytest.raises(Halted, match="has barred this account"):
        subscribe(vendor, problem(503, "Compliance Related", "This method has been disabled."))


def test_another_forbidden_thing_is_rejected(vendor: VendorServer) -> None:
    assert isinstance(subscribe(vendor, problem(403, "Feature Not Available")), Rejected)


@pytest.mark.parametrize(
    ("answer", "crowded"),
    [
        (Answer(403), True),
        (Answer(403, "<html>Request blocked</html>", {"Content-Type": "text/html"}), True),
        (Answer(429), True),
        (problem(429, "Too Many Requests"), True),
        (Answer(503, "<html>Request Blocked.</html>"), True),
        (Answer(500), False),
        (problem(429, "Too Many Requests", "", errors=7), True),
        (problem(500, "Internal Server Error"), False),
        (Answer(502, b"\xff\xfe"), False),
        (Answer(400), False),
        (Answer(200, {"status": None}), False),
    ],
)
def test_passing_troubles_are_retried(vendor: VendorServer, answer: Answer, crowded: bool) -> None:
    outcome = subscribe(vendor, answer)
    assert isinstance(outcome, Retry)
    assert outcome.whole_account is crowded
    assert outcome.after == (10.0 if crowded else None)
    assert methods(vendor) == ["GET"]


def test_a_connection_that_breaks_between_two_calls_is_retried(vendor: VendorServer) -> None:
    assert isinstance(subscribe(vendor, ABSENT, Silence.DROP), Retry)
    assert methods(vendor) == ["GET", "PUT"]


def test_a_host_that_is_not_there_rests_the_whole_account() -> None:
    mailchimp = Mailchimp(settings("http://mailchimp.invalid"))
    [outcome] = mailchimp.subscribe([Subscribe(audience=LIST, email=ADA)])
    assert outcome == Retry("Mailchimp could not be reached", whole_account=True)


def test_without_a_key_the_account_halts() -> None:
    with pytest.raises(Halted, match="no API key"):
        Mailchimp(MailchimpSettings()).subscribe([Subscribe(audience=LIST, email=ADA)])


@pytest.mark.parametrize("key", ["0123456789abcdefsecret", "secret-", "-us6", "secret-us6-"])
def test_a_key_without_its_data_centre_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValidationError, match="like `-us6`") as caught:
        MailchimpSettings.model_validate({"api_key": key})
    assert "secret" not in str(caught.value)


def test_the_key_says_where_to_call() -> None:
    key = SecretStr(" 0123456789abcdef-us21\n")
    line = Line(MailchimpSettings(api_key=key), Unpaced())
    assert line._client.api_client.host == "https://us21.api.mailchimp.com/3.0"
