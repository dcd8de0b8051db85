"""HubSpot through its own SDK, against a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bridge.connector import Action, Delivered, Halted, Outcome, Rejected, Retry
from bridge.testing.connectors import ConnectorConformance
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer, scripted
from connectors.hubspot import HubSpot, HubSpotSettings, UpsertContact
from tests.connectors.hubspot_account import PROPERTIES, Account

TOKEN = "pat-na1-secret-0001"
CORRELATION = "de61843f-b3ab-4bc1-8c54-358e37eb0621"

# As HubSpot answers, with other people in it.
CONTACT = {
    "id": "286101",
    "properties": {"email": "ada@example.com", "firstname": "Ada", "hs_object_id": "286101"},
    "createdAt": "2022-02-14T21:36:07.649Z",
    "updatedAt": "2022-02-14T21:36:16.420Z",
    "archived": False,
}
FOUND = Answer(200, CONTACT)
CREATED = Answer(201, CONTACT)
ABSENT = Answer(
    404,
    {
        "status": "error",
        "message": "resource not found",
        "correlationId": CORRELATION,
        "category": "OBJECT_NOT_FOUND",
    },
)
TAKEN = Answer(
    409,
    {
        "status": "error",
        "message": "Contact already exists. Existing ID: 286101",
        "correlationId": CORRELATION,
        "category": "CONFLICT",
    },
)
INVALID = Answer(
    400,
    {
        "status": "error",
        "message": (
            "Property values were not valid: "
            '[{"isValid":false,"message":"asd000 was not a valid long.",'
            '"error":"INVALID_LONG","name":"closedate"}]'
        ),
        "correlationId": CORRELATION,
        "category": "VALIDATION_ERROR",
    },
)
UNREADABLE = Answer(403, {"status": "error", "category": "MISSING_SCOPES"})
SECONDLY = Answer(
    429,
    {
        "status": "error",
        "message": "You have reached your secondly limit.",
        "correlationId": CORRELATION,
        "category": "RATE_LIMITS",
    },
    {"X-HubSpot-RateLimit-Daily": "250000", "X-HubSpot-RateLimit-Daily-Remaining": "248684"},
)


def limited(policy: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "policyName": policy,
        "correlationId": CORRELATION,
    }
    return Answer(429, body, headers or {})


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with VendorServer() as server:
        yield server


def settings(base_url: str, timeout: float = 5.0) -> HubSpotSettings:
    return HubSpotSettings(access_token=SecretStr(TOKEN), base_url=base_url, timeout=timeout)


def upsert(vendor: VendorServer, *replies: Reply, **properties: Any) -> Outcome:
    """By a token that may not read the properties; that it was refused is not on record."""
    answer = scripted(*replies)
    asked: list[Request] = []

    def handler(request: Request) -> Reply:
        asked.append(request)
        return UNREADABLE if request.path == PROPERTIES else answer(request)

    vendor.handler = handler
    item = UpsertContact(email="ada@example.com", properties=properties)
    try:
        [outcome] = HubSpot(settings(vendor.url)).upsert_contact([item])
    finally:
        vendor.requests[:] = [each for each in asked if each.path != PROPERTIES]
    return outcome


class TestConformance(ConnectorConformance):
    connector = HubSpot
    throttled = SECONDLY

    def _actions(self) -> list[Action]:
        return [self.connector.actions()["upsert_contact"]]

    def settings(self, base_url: str, timeout: float) -> HubSpotSettings:
        return settings(base_url, timeout)

    def item(self, action: str) -> Mapping[str, Any]:
        properties = {"firstname": "Ada", "lifecyclestage": "customer"}
        return {"email": "ada+tag@example.com", "properties": properties}

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {"email": "refused@example.com", "properties": {"closedate": "asd000"}}

    def setup_method(self) -> None:
        self.account = Account()

    def vendor(self, action: str, request: Request) -> Reply:
        return self.account.answer(request)


def test_a_known_contact_is_updated_in_one_call(vendor: VendorServer) -> None:
    assert upsert(vendor, FOUND, firstname="Ada") == Delivered("286101")
    [request] = vendor.requests
    assert request.method == "PATCH"
    assert request.path == "/crm/v3/objects/contacts/ada%40example.com"
    assert request.query == {"idProperty": "email"}
    assert request.body == {"properties": {"firstname": "Ada"}}
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


def test_an_unknown_contact_is_created(vendor: VendorServer) -> None:
    assert upsert(vendor, ABSENT, CREATED, firstname="Ada") == Delivered("286101")
    assert vendor.requests[1].path == "/crm/v3/objects/contacts"
    assert vendor.requests[1].body == {
        "properties": {"email": "ada@example.com", "firstname": "Ada"}
    }


def test_a_contact_created_in_between_is_updated_by_its_id(vendor: VendorServer) -> None:
    assert upsert(vendor, ABSENT, TAKEN, FOUND, firstname="Ada") == Delivered("286101")
    last = vendor.requests[2]
    assert (last.method, last.path, last.query) == (
        "PATCH",
        "/crm/v3/objects/contacts/286101",
        {},
    )
    assert last.body == {"properties": {"firstname": "Ada"}}


def test_an_item_without_properties_only_makes_sure_that_the_contact_is_there(
    vendor: VendorServer,
) -> None:
    outcome = upsert(vendor, TAKEN)
    assert outcome == Delivered("286101", remark="the contact was there already")
    assert [request.method for request in vendor.requests] == ["POST"]


def test_empty_values_are_not_sent_and_zero_characters_removed() -> None:
    given = {"firstname": "A\0da", "lastname": "", "phone": None, "city": "  ", "vip": True, "n": 3}
    item = UpsertContact.model_validate({"email": "ada@example.com", "properties": given})
    assert item.properties == {"firstname": "Ada", "vip": "true", "n": "3"}


def test_a_list_is_no_property() -> None:
    with pytest.raises(ValidationError, match="`tags` must be one text"):
        UpsertContact.model_validate({"email": "ada@example.com", "properties": {"tags": ["a"]}})


def test_the_address_has_one_place_only() -> None:
    with pytest.raises(ValidationError, match="belongs into `email:`"):
        UpsertContact.model_validate({"email": "a@b.example", "properties": {"Email": "c@d.ex"}})


def test_a_refused_value_is_named_by_its_property_and_not_told(vendor: VendorServer) -> None:
    outcome = upsert(vendor, INVALID, closedate="asd000")
    assert outcome == Rejected(
        "HubSpot refuses the contact because of closedate "
        f"(400 VALIDATION_ERROR, correlation id {CORRELATION}: INVALID_LONG)"
    )


def test_an_address_that_hubspot_finds_invalid_is_told_without_it(vendor: VendorServer) -> None:
    problem = {
        "isValid": False,
        "message": "Email address ada@example.com is invalid",
        "error": "INVALID_EMAIL",
        "name": "email",
    }
    body = {"validationResults": [problem], "status": "error", "correlationId": CORRELATION}
    assert upsert(vendor, Answer(400, body), n="1") == Rejected(
        "HubSpot does not take this e-mail address"
    )


def test_an_address_that_is_too_long_for_a_path_is_refused_for_good(vendor: VendorServer) -> None:
    outcome = upsert(vendor, Answer(414, "<html>URI Too Long</html>"), n="1")
    assert outcome == Rejected("HubSpot refuses the contact (414)")


def test_a_refusal_with_next_to_nothing_in_it_is_still_a_refusal(vendor: VendorServer) -> None:
    assert upsert(vendor, Answer(400, {"status": "error"}), n="1") == Rejected(
        "HubSpot refuses the contact (400)"
    )


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (SECONDLY, 1.0),
        (limited("SECONDLY"), 1.0),
        (limited("TEN_SECONDLY_ROLLING"), 10.0),
        (limited("TEN_SECONDLY_ROLLING", {"Retry-After": "3"}), 3.0),
        (limited("DAILY"), 3600.0),
        (limited("DAILY", {"Retry-After": "3"}), 3600.0),
        (Answer(429, None, {"X-HubSpot-RateLimit-Daily-Remaining": "0"}), 3600.0),
        (Answer(429, None, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), 10.0),
    ],
)
def test_each_limit_has_its_pause(vendor: VendorServer, answer: Answer, after: float) -> None:
    outcome = upsert(vendor, answer, firstname="Ada")
    assert isinstance(outcome, Retry)
    assert (outcome.after, outcome.whole_account) == (after, True)
    assert len(vendor.requests) == 1


def test_a_token_that_may_not_write_contacts_halts_the_account(vendor: VendorServer) -> None:
    body = {"status": "error", "category": "MISSING_SCOPES", "correlationId": CORRELATION}
    with pytest.raises(Halted, match=r"MISSING_SCOPES.*crm\.objects\.contacts\.write"):
        upsert(vendor, Answer(403, body), firstname="Ada")


def test_a_refused_token_halts_the_account(vendor: VendorServer) -> None:
    body = {"status": "error", "category": "INVALID_AUTHENTICATION", "message": "expired"}
    with pytest.raises(Halted, match="does not accept the access token"):
        upsert(vendor, ABSENT, Answer(401, body), firstname="Ada")


def test_without_a_token_the_account_halts() -> None:
    with pytest.raises(Halted, match="no access token"):
        HubSpot(HubSpotSettings()).upsert_contact([UpsertContact(email="ada@example.com")])


@pytest.mark.parametrize(
    ("answer", "outage"),
    [
        (Answer(500, {"status": "error", "correlationId": CORRELATION}), False),
        (Answer(502, "<html>bad gateway</html>"), True),
        (Answer(503), True),
        (Answer(504, "upstream request timeout"), True),
        (Answer(408, {"status": "error"}), False),
        (Answer(423, {"status": "error", "message": "locked"}), False),
        (Answer(477, {"status": "error"}), False),
        (Answer(403, "<html>Attention Required</html>"), True),
        (Answer(400, b"\xff\xfe"), False),
        (Answer(302, None, {"Location": "/elsewhere"}), False),
    ],
)
def test_passing_troubles_are_retried(vendor: VendorServer, answer: Answer, outage: bool) -> None:
    outcome = upsert(vendor, answer, firstname="Ada")
    assert isinstance(outcome, Retry)
    assert outcome.whole_account is outage
    assert len(vendor.requests) == 1


def test_a_pause_asked_for_by_a_failing_server_is_kept(vendor: VendorServer) -> None:
    outcome = upsert(vendor, Answer(477, {"status": "error"}, {"Retry-After": "86400"}), n="1")
    assert isinstance(outcome, Retry)
    assert outcome.after == 86400


def test_a_connection_that_breaks_between_two_calls_is_retried(vendor: VendorServer) -> None:
    outcome = upsert(vendor, ABSENT, Silence.DROP, firstname="Ada")
    assert isinstance(outcome, Retry)
    assert len(vendor.requests) == 2


def test_a_contact_that_is_merged_away_in_between_is_retried(vendor: VendorServer) -> None:
    assert isinstance(upsert(vendor, ABSENT, TAKEN, ABSENT, firstname="Ada"), Retry)


@pytest.mark.parametrize("token", ["pat-na1-se cret", "pat-na1-secret…", "pat-na1\x00secret"])
def test_a_token_that_was_copied_badly_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValidationError, match="not copied well") as caught:
        HubSpotSettings.model_validate({"access_token": token})
    assert "na1" not in str(caught.value)


def test_a_blank_token_is_none_and_blanks_around_one_are_cut() -> None:
    assert HubSpotSettings.model_validate({"access_token": " \n"}).access_token is None
    trimmed = HubSpotSettings.model_validate({"access_token": f" {TOKEN}\n"}).access_token
    assert trimmed == SecretStr(TOKEN)


def test_an_answer_without_a_contact_is_no_delivery(vendor: VendorServer) -> None:
    assert upsert(vendor, Answer(200, {"id": None}), n="1") == Retry(
        "HubSpot answered without a contact"
    )


def test_the_sdk_objects_are_made_once(vendor: VendorServer) -> None:
    line = HubSpot(settings(vendor.url))._line
    assert line.one_by_one is line.one_by_one
    assert line.in_batches is line.in_batches
