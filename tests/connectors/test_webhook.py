"""Webhooks: what is sent, what proves it, and what a receiver's answers mean."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bridge.connector import Delivered, Halted, Item, Outcome, Rejected, Retry
from bridge.testing.connectors import ConnectorConformance
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.webhook import Post, Webhook, WebhookSettings
from connectors.webhook.answers import LONGEST_PAUSE, pause
from connectors.webhook.body import LONGEST, content, path_of

DELIVERY = "0123456789abcdef01234567"
SIGNING = "whsec_" + base64.b64encode(b"s" * 32).decode()
HOOK = "/hooks/catch/1234567/secret-4711"
EVENT = {
    "event": {
        "id": "e0e1",
        "type": "invoice.purchase",
        "source": "showpass",
        "time": "2027-07-03T01:30:00+00:00",
    },
    "contact": {"email": "ada@example.com", "name": "Ada"},
    "order": {"id": "T-1", "total": "236.25"},
}


def settings(base_url: str, **more: Any) -> WebhookSettings:
    return WebhookSettings(url=SecretStr(base_url + HOOK), allow_private=("127.0.0.1",), **more)


def item(event: Mapping[str, Any] | None = None, **fields: Any) -> Post:
    return Post.model_validate(fields).for_delivery(
        DELIVERY, event=EVENT if event is None else event
    )


def send(to: WebhookSettings, one: Post | None = None) -> Outcome:
    [outcome] = Webhook(to).post([one or item()])
    return outcome


@pytest.fixture
def receiver() -> Iterator[VendorServer]:
    with VendorServer() as server:
        yield server


class WebhookConformance(ConnectorConformance):
    connector = Webhook

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {**self.item(action), "body": {"note": "refused"}}

    def vendor(self, action: str, request: Request) -> Reply:
        return Answer(422) if "refused" in str(request) else Answer(202, "Accepted")

    def test_nonsense_is_no_delivery(self) -> None:
        """Other vendors have answers of their own; of a receiver the status is the answer."""
        for action in self._actions():
            for body in ("<html>Welcome</html>", [1, 2], b"{\xff", "null", None):
                outcome, _ = self._against(action, Answer(200, body))
                assert outcome == Delivered()


class TestConformance(WebhookConformance):
    def settings(self, base_url: str, timeout: float) -> WebhookSettings:
        return settings(base_url, timeout=timeout)

    def item(self, action: str) -> Mapping[str, Any]:
        return {"body": {"email": "ada@example.com", "total": 236.25, "tags": ["vip", 1, None]}}


class TestSignedCloudEventsConformance(WebhookConformance):
    def settings(self, base_url: str, timeout: float) -> WebhookSettings:
        return WebhookSettings(
            url=SecretStr(base_url + HOOK),
            signing_secret=SecretStr(SIGNING),
            secret_headers={"Authorization": SecretStr("Bearer token-4711")},
            allow_private=("127.0.0.0/8",),
            method="PUT",
            timeout=timeout,
        )

    def item(self, action: str) -> Mapping[str, Any]:
        return {
            "body": {"email": "ada@example.com"},
            "format": "cloudevents",
            "subject": "order 1",
            "path": "orders/1 é",
        }


# What is sent


def test_a_body_goes_out_as_the_rule_types_it(receiver: VendorServer) -> None:
    body = {"text": "236.25", "number": 3, "share": 0.5, "yes": True, "none": None, "list": ["a"]}
    assert send(settings(receiver.url), item(body=body)) == Delivered()
    [request] = receiver.requests
    assert (request.method, request.path) == ("POST", HOOK)
    assert json.dumps(request.body) == json.dumps(body)
    assert request.headers["content-type"] == "application/json"


def test_without_a_body_the_event_goes_out(receiver: VendorServer) -> None:
    send(settings(receiver.url))
    assert receiver.requests[0].body == EVENT


def test_a_cloud_event_has_the_attributes_of_the_specification(receiver: VendorServer) -> None:
    send(settings(receiver.url), item(format="cloudevents", subject="T-1"))
    [request] = receiver.requests
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.body == {
        "specversion": "1.0",
        "id": "e0e1",
        "source": "/showbridge/showpass",
        "type": "invoice.purchase",
        "time": "2027-07-03T01:30:00+00:00",
        "subject": "T-1",
        "datacontenttype": "application/json",
        "data": EVENT,
    }


def test_a_cloud_event_holds_the_body_where_there_is_one() -> None:
    sent = json.loads(content(item(format="cloudevents", body={"a": 1})))
    assert sent["data"] == {"a": 1}
    assert "subject" not in sent, "an empty attribute is not allowed"


@given(st.text(), st.text(), st.text())
def test_no_attribute_of_a_cloud_event_is_empty_or_holds_control_characters(
    subject: str, kind: str, source: str
) -> None:
    event = {"event": {"id": "\0", "type": kind, "source": source, "time": None}}
    sent = json.loads(content(item(event, format="cloudevents", subject=subject)))
    for name in set(sent) - {"data"}:
        assert sent[name]
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in sent[name])
    assert {"specversion", "id", "source", "type", "data"} <= set(sent)


def test_the_id_is_the_same_on_every_attempt_and_the_delivery_s(receiver: VendorServer) -> None:
    receiver.script(Answer(500), Answer(200))
    one = item()
    assert isinstance(send(settings(receiver.url), one), Retry)
    assert send(settings(receiver.url), one) == Delivered()
    assert [request.headers["webhook-id"] for request in receiver.requests] == [DELIVERY] * 2


@pytest.mark.parametrize("body", [{"name": "Zoë \U0001f39f \u202e\0"}, None, ["\ud800"], "text"])
def test_the_official_library_accepts_the_signature(receiver: VendorServer, body: Any) -> None:
    raw: list[bytes] = []
    one = item(body=body)
    send(settings(receiver.url, signing_secret=SecretStr(SIGNING)), one)
    raw.append(content(one))
    headers = dict(receiver.requests[0].headers)
    assert receiver.requests[0].body == json.loads(raw[0])
    verifier = standardwebhooks.Webhook(SIGNING)
    assert verifier.verify(raw[0], headers) == json.loads(raw[0])
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verifier.verify(raw[0] + b" ", headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verifier.verify(raw[0], {**headers, "webhook-id": "another"})


def test_without_a_signing_secret_nothing_claims_to_be_signed(receiver: VendorServer) -> None:
    send(settings(receiver.url))
    assert "webhook-signature" not in receiver.requests[0].headers


def test_own_headers_are_sent_and_secret_ones_are_shown_nowhere(receiver: VendorServer) -> None:
    own = settings(
        receiver.url,
        headers={"X-Shop": "north"},
        secret_headers={"X-Api-Key": SecretStr("key-4711")},
    )
    send(own)
    headers = receiver.requests[0].headers
    assert (headers["x-shop"], headers["x-api-key"]) == ("north", "key-4711")
    assert "key-4711" not in f"{own!r} {own}"
    assert "4711" not in repr(Webhook.actions()["post"].preview(own, item()))


def test_a_path_and_a_query_are_put_together(receiver: VendorServer) -> None:
    own = WebhookSettings(
        url=SecretStr(f"{receiver.url}/base/?key=s-4711&b="), allow_private=("127.0.0.1",)
    )
    send(own, item(path="/orders/T 1?x=../2#3/"))
    [request] = receiver.requests
    assert request.path == "/base/orders/T%201%3Fx%3D../2%233"
    assert request.query == {"key": "s-4711", "b": ""}
    [call] = Webhook.actions()["post"].preview(own, item(path="orders/1"))
    assert (call.path, call.query) == ("/***/orders/1", {"key": "***", "b": "***"})


@pytest.mark.parametrize("path", ["..", "a/../b", "./a", "a//b", "https://evil.example/", "a/ /b"])
def test_a_path_never_leads_elsewhere(path: str) -> None:
    with pytest.raises(ValidationError, match="a path has no empty parts"):
        Post(path=path)


@given(st.text(min_size=1))
def test_whatever_the_path_the_request_stays_below_the_account_s(path: str) -> None:
    try:
        one = Post(path=path)
    except ValidationError:
        return
    sent = path_of(one, HOOK)
    assert sent == HOOK or sent.startswith(f"{HOOK}/")
    assert sent.isascii()
    assert not set(sent) & set(" ?#\\\r\n\0")
    assert ".." not in sent.split("/")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), [1, {"a": float("-inf")}]])
def test_what_json_cannot_say_is_refused(number: Any) -> None:
    with pytest.raises(ValidationError, match="JSON cannot say"):
        Post(body=number)


def test_a_subject_belongs_into_an_envelope() -> None:
    with pytest.raises(ValidationError, match="format: cloudevents"):
        Post(body={}, subject="x")


def test_a_message_that_nobody_wants_is_not_sent(receiver: VendorServer) -> None:
    outcome = send(settings(receiver.url), item(body=["x" * LONGEST]))
    assert isinstance(outcome, Rejected)
    assert "longer than 1,000,000 bytes" in outcome.reason
    assert not receiver.requests


HOSTILE = st.one_of(
    st.sampled_from(
        [
            "<!channel>",
            "=HYPERLINK(1)",
            "\r\nX-Injected: 1\r\n\r\n",
            "\u202e\0",
            "{{ 7 * 7 }}{% for %}",
            "x" * 100_000,
            '"}],"a":{"',
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_values_arrive_as_they_are_and_change_nothing_else(
    one: str, two: str, three: str
) -> None:
    body = {"fixed": 1, "one": one, "more": [two, {"deep": three}]}
    assert json.loads(content(item(body=body))) == body
    enveloped = json.loads(content(item(body=body, format="cloudevents", subject=one)))
    assert enveloped["data"] == body


# What the answers mean


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_good_status_is_all_that_counts(receiver: VendorServer, status: int) -> None:
    receiver.script(Answer(status))
    assert send(settings(receiver.url)) == Delivered()


@pytest.mark.parametrize(
    ("status", "whole"),
    [(408, False), (425, False), (500, False), (502, True), (503, True), (504, True), (599, False)],
)
def test_what_may_pass_is_tried_again(receiver: VendorServer, status: int, whole: bool) -> None:
    receiver.script(Answer(status, headers={"Retry-After": "7"}))
    reason = f"the receiver has a problem ({status})"
    assert send(settings(receiver.url)) == Retry(reason, 7.0, whole_account=whole)


def test_too_many_requests_make_the_account_wait(receiver: VendorServer) -> None:
    receiver.script(Answer(429, headers={"Retry-After": "30"}))
    outcome = send(settings(receiver.url))
    assert isinstance(outcome, Retry)
    assert (outcome.after, outcome.whole_account) == (30.0, True)


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 415, 418, 422])
def test_other_refusals_are_final(receiver: VendorServer, status: int) -> None:
    receiver.script(Answer(status, {"error": "ada@example.com is odd"}))
    outcome = send(settings(receiver.url))
    assert isinstance(outcome, Rejected)
    assert f"({status})" in outcome.reason
    assert "ada" not in outcome.reason


@pytest.mark.parametrize(
    ("status", "words"), [(401, "let us in"), (403, "let us in"), (410, "wants no more messages")]
)
def test_who_is_not_wanted_stops(receiver: VendorServer, status: int, words: str) -> None:
    receiver.script(Answer(status))
    with pytest.raises(Halted, match=words):
        send(settings(receiver.url))


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(receiver: VendorServer, status: int) -> None:
    receiver.script(Answer(status, headers={"Location": "http://169.254.169.254/latest/"}))
    outcome = send(settings(receiver.url))
    assert isinstance(outcome, Rejected)
    assert "redirects to another address" in outcome.reason
    assert len(receiver.requests) == 1


def test_the_account_decides_what_statuses_mean(receiver: VendorServer) -> None:
    own = settings(receiver.url, success=("200", "409"), retry=("404", "429"), halt=("500-502",))
    receiver.script(Answer(409), Answer(404), Answer(201), Answer(503), Answer(501))
    kinds = [type(send(own)) for _ in range(4)]
    assert kinds == [Delivered, Retry, Rejected, Rejected]
    with pytest.raises(Halted):
        send(own)


NOW = datetime(2027, 7, 3, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("999999999", LONGEST_PAUSE),
        ("Sat, 03 Jul 2027 01:31:00 GMT", 60.0),
        ("Sat, 03 Jul 2027 01:29:00 GMT", 0.0),
        ("Sat, 03 Jul 2337 01:29:00 GMT", LONGEST_PAUSE),
        ("Sat, 03 Jul 2027 01:31:00 -0000", 60.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("٣", None),
        ("Sat, 99 Jul 99999 01:31:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(asked: str, seconds: float | None) -> None:
    assert pause(asked, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_does_harm(asked: str) -> None:
    seconds = pause(asked, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_PAUSE


def test_a_dropped_connection_says_that_the_receiver_can_tell(receiver: VendorServer) -> None:
    receiver.script(Silence.DROP)
    outcome = send(settings(receiver.url))
    assert isinstance(outcome, Retry)
    assert "same webhook-id" in outcome.reason


def test_the_action_keeps_each_path_to_itself() -> None:
    action = Webhook.actions()["post"]
    assert (action.lane, action.idempotent, action.event) == ("path", True, True)
    assert issubclass(action.item, Item)
