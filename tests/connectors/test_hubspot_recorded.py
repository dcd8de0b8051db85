"""What the real HubSpot has answered, each to its outcome.

The answers are those of recordings of the live API
(github.com/grouparoo/grouparoo, MIT), shortened, with other people in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.connector import Delivered, Outcome, Rejected, Retry, Seen
from bridge.testing.vendor import Answer, Reply, Request, VendorServer
from connectors.hubspot import CONTACTS, HubSpot, HubSpotSettings, UpsertContact

ADA, BOB = "ada@demo.example", "bob@demo.example"
JSON = {
    "Content-Type": "application/json;charset=utf-8",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "Access-Control-Allow-Credentials": "false",
    "X-HubSpot-Correlation-Id": "c3bbc329-d148-4d53-b3a2-824ec9576aca",
    "Server": "cloudflare",
}
LIMIT = "X-HubSpot-RateLimit-"
DAILY = {f"{LIMIT}Daily": "250000", f"{LIMIT}Daily-Remaining": "248684"}
WINDOW = {
    f"{LIMIT}Interval-Milliseconds": "10000",
    f"{LIMIT}Max": "100",
    f"{LIMIT}Remaining": "83",
    f"{LIMIT}Secondly": "10",
    f"{LIMIT}Secondly-Remaining": "8",
}


def contact(number: str, properties: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "id": number,
        "properties": {"createdate": "2022-02-14T21:36:07.649Z", **properties},
        "createdAt": "2022-02-14T21:36:07.649Z",
        "updatedAt": "2022-02-14T21:36:16.420Z",
        "archived": False,
    }


ADA_NOW: Mapping[str, str | None] = {
    "date_field": None,
    "email": ADA,
    "firstname": "John",
    "hs_object_id": "286101",
    "lastname": None,
    "number_field": None,
    "text_field": None,
}
KNOWN = contact("286101", ADA_NOW)
FOUND = Answer(200, {"total": 1, "results": [KNOWN]}, {**JSON, **DAILY})
ONE = Answer(200, KNOWN, {**JSON, **DAILY, **WINDOW})
TIMES = {
    "startedAt": "2022-02-17T19:22:45.502Z",
    "completedAt": "2022-02-17T19:22:45.818Z",
}
MADE = {
    "email": BOB,
    "firstname": "John",
    "hs_all_contact_vids": "290201",
    "hs_email_domain": "demo.example",
    "hs_is_contact": "true",
    "hs_is_unworked": "true",
    "hs_object_id": "290201",
    "hs_pipeline": "contacts-lifecycle-pipeline",
    "lastmodifieddate": "2022-02-17T19:22:45.581Z",
}
CREATED = Answer(
    201,
    {"status": "COMPLETE", "results": [contact("290201", MADE)], **TIMES},
    {**JSON, **DAILY, **WINDOW},
)
CHANGED = {
    "email": ADA,
    "firstname": "John",
    "hs_email_domain": "demo.example",
    "lastmodifieddate": "2022-02-17T19:23:18.734Z",
    "lastname": "Doe",
    "number_field": "3039",
}
UPDATED = Answer(
    200,
    {"status": "COMPLETE", "results": [contact("286101", CHANGED)], **TIMES},
    {**JSON, **DAILY, **WINDOW},
)
EMPTY = Answer(204, None, {**DAILY, **WINDOW})
OF_VERSION_1 = Answer(200, {"vid": 289651, "isNew": True}, {**JSON, **DAILY, **WINDOW})
CROWDED = Answer(
    429,
    {
        "status": "error",
        "message": "You have reached your secondly limit.",
        "correlationId": "de61843f-b3ab-4bc1-8c54-358e37eb0621",
        "category": "RATE_LIMITS",
    },
    {**JSON, **DAILY},
)
TRACE = "2352fe7e-c7e2-40af-acf3-a734f3be9431"


def refused(headers: Mapping[str, str], **problem: str) -> Answer:
    body = {
        "validationResults": [{"isValid": False, **problem}],
        "status": "error",
        "message": "Property values were not valid",
        "correlationId": TRACE,
    }
    return Answer(400, body, {**JSON, **headers})


NO_LONG = {"message": "asd000 was not a valid long.", "error": "INVALID_LONG", "name": "closedate"}
NO_ADDRESS = {
    "message": f"Email address {ADA} is invalid",
    "error": "INVALID_EMAIL",
    "name": "email",
}
BAD_DATE = refused({**DAILY, **WINDOW}, **NO_LONG)
BAD_DATE_WITHOUT_THE_DAY = refused(WINDOW, **NO_LONG)
BAD_ADDRESS = refused({**DAILY, **WINDOW}, **NO_ADDRESS)

# As a token without that scope is answered: nothing is known of properties then.
UNREADABLE = Answer(403, {"status": "error", "category": "MISSING_SCOPES"})
NO_PIPELINES = Answer(200, {"results": []})


class Listening:
    """Lets every call through, and keeps what the answers told of the account's limits."""

    def __init__(self) -> None:
        self.learnt: list[Seen] = []

    def call(self, lane: str = "") -> AbstractContextManager[None]:
        return nullcontext()

    def learn(self, seen: Sequence[Seen]) -> None:
        self.learnt += seen


class Bench:
    """A connector, whose calls get these answers in order, but for those about properties."""

    def __init__(self, server: VendorServer) -> None:
        self.server = server
        self.pacer = Listening()
        settings = HubSpotSettings(access_token=SecretStr("pat-na1-1"), base_url=server.url)
        self.hubspot = HubSpot(settings, self.pacer)

    def answering(self, *answers: Answer) -> None:
        waiting = list(answers)

        def answer(request: Request) -> Reply:
            if "/properties/" in request.path:
                return UNREADABLE
            if "/pipelines/" in request.path:
                return NO_PIPELINES
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

        self.server.handler = answer

    def do(self, action: str, *items: Mapping[str, Any]) -> list[Outcome]:
        model = HubSpot.actions()[action].item
        made = [model.model_validate(fields).for_delivery("0123456789abcdef") for fields in items]
        outcomes: list[Outcome] = getattr(self.hubspot, action)(made)
        return outcomes

    @property
    def sent(self) -> list[Request]:
        """The requests without those that read properties and pipelines."""
        told = ("/properties/", "/pipelines/")
        return [
            each for each in self.server.requests if not any(part in each.path for part in told)
        ]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with VendorServer() as server:
        yield Bench(server)


PERSON = {"email": ADA, "properties": {"firstname": "John", "closedate": "asd000"}}
DEAL = {"id_property": "showpass_order", "id": "7c-41", "stage": "closedwon"}
ITEMS: Mapping[str, Mapping[str, Any]] = {
    "upsert_contact": PERSON,
    "upsert_deal": {**DEAL, "email": ADA},
    "move_deal": DEAL,
    "add_note": {"email": ADA, "text": "Bought a ticket"},
    "add_to_list": {"list": "Buyers", "email": ADA},
    "remove_from_list": {"list": "Buyers", "email": ADA},
    "log_event": {"name": "pe12345678_ticket_bought", "email": ADA},
    "subscribe": {"email": ADA, "subscription": "Newsletter"},
}


# The limit of which HubSpot tells neither when it ends nor what is left of it


@pytest.mark.parametrize("action", HubSpot.actions())
def test_a_full_second_stops_the_whole_account_for_a_second(bench: Bench, action: str) -> None:
    bench.answering(CROWDED)
    [outcome] = bench.do(action, ITEMS[action])
    assert isinstance(outcome, Retry)
    assert (outcome.after, outcome.whole_account) == (1.0, True)
    assert "limit per second" in outcome.reason
    assert len(bench.sent) == 1


def test_a_full_second_within_a_batch_leaves_the_rest_for_later(bench: Bench) -> None:
    bench.answering(FOUND, CROWDED)
    outcomes = bench.do("upsert_contact", PERSON, {**PERSON, "email": BOB})
    assert [type(each) for each in outcomes] == [Retry, Retry]
    assert all(isinstance(each, Retry) and each.whole_account for each in outcomes)
    assert len(bench.sent) == 2


# What was wrong with a value


@pytest.mark.parametrize("answer", [BAD_DATE, BAD_DATE_WITHOUT_THE_DAY], ids=["day", "no day"])
def test_a_value_that_is_no_number_is_told_by_its_property(bench: Bench, answer: Answer) -> None:
    bench.answering(answer)
    assert bench.do("upsert_contact", PERSON) == [
        Rejected(
            "HubSpot refuses the contact because of closedate "
            f"(400, correlation id {TRACE}: INVALID_LONG)"
        )
    ]


def test_a_property_that_was_not_sent_is_not_named(bench: Bench) -> None:
    bench.answering(BAD_DATE)
    [outcome] = bench.do("upsert_contact", {"email": ADA, "properties": {"firstname": "John"}})
    assert isinstance(outcome, Rejected)
    assert not re.search("closedate|asd000", outcome.reason)


@pytest.mark.parametrize("action", ["upsert_contact", "add_note", "log_event"])
def test_an_address_that_hubspot_finds_invalid(bench: Bench, action: str) -> None:
    bench.answering(BAD_ADDRESS)
    assert bench.do(action, ITEMS[action]) == [
        Rejected("HubSpot does not take this e-mail address")
    ]


def test_a_batch_that_is_refused_without_a_name_is_halved_until_the_culprit_is_alone(
    bench: Bench,
) -> None:
    """The answer to the batch says what is wrong, and not whose."""
    nobody = Answer(200, {"status": "COMPLETE", "results": [], **TIMES}, {**JSON, **DAILY})
    bench.answering(nobody, BAD_DATE, BAD_DATE, CREATED)
    culprit, other = bench.do("upsert_contact", PERSON, {**PERSON, "email": BOB})
    assert isinstance(culprit, Rejected)
    assert "closedate" in culprit.reason
    assert other == Delivered("290201")
    assert [len(each.body["inputs"]) for each in bench.sent] == [2, 2, 1, 1]


# What was done


def test_a_contact_without_values_counts_as_empty(bench: Bench) -> None:
    """`null` is what HubSpot says of a property that holds nothing."""
    bench.answering(ONE)
    fields = {
        "email": ADA,
        "only_if_empty": {"firstname": "Ada", "lastname": "Doe"},
        "increment": {"number_field": "3039"},
    }
    assert bench.do("upsert_contact", fields) == [Delivered("286101")]
    read, written = bench.sent
    assert (read.method, written.method) == ("GET", "PATCH")
    assert written.body["properties"] == {
        "lastname": "Doe",
        "number_field": "3039",
        "showbridge_counted": "456789abcdef",
    }


def test_of_two_contacts_the_known_one_is_updated_and_the_new_one_made(bench: Bench) -> None:
    bench.answering(FOUND, CREATED, UPDATED)
    outcomes = bench.do("upsert_contact", PERSON, {**PERSON, "email": BOB})
    assert outcomes == [Delivered("286101"), Delivered("290201")]
    assert [each.path.removeprefix(f"{CONTACTS}/batch/") for each in bench.sent] == [
        "read",
        "create",
        "update",
    ]


def test_what_hubspot_made_for_somebody_else_is_no_delivery_of_ours(bench: Bench) -> None:
    bench.answering(FOUND, UPDATED, CREATED)
    outcomes = bench.do("upsert_contact", PERSON, {**PERSON, "email": BOB})
    assert [type(each) for each in outcomes] == [Retry, Retry]


def test_a_note_goes_to_the_contact_that_was_found(bench: Bench) -> None:
    bench.answering(FOUND, ONE)
    assert bench.do("add_note", ITEMS["add_note"]) == [Delivered("286101")]
    assert bench.sent[1].body["associations"][0]["to"] == {"id": "286101"}


def test_an_empty_answer_is_what_an_event_gets_and_a_contact_does_not(bench: Bench) -> None:
    bench.answering(FOUND, EMPTY)
    assert bench.do("log_event", ITEMS["log_event"]) == [Delivered()]
    bench.answering(EMPTY)
    assert bench.do("upsert_contact", PERSON) == [Retry("HubSpot answered without a contact")]


def test_the_answer_of_an_older_version_is_no_delivery(bench: Bench) -> None:
    bench.answering(OF_VERSION_1)
    assert bench.do("upsert_contact", PERSON) == [Retry("HubSpot answered without a contact")]


# What the headers told


OF_THE_DAY = Seen(250_000, 86_400.0, 248_684)
OF_TEN_SECONDS = Seen(100, 10.0, 83)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ONE, [OF_TEN_SECONDS, OF_THE_DAY]),
        (CROWDED, [OF_THE_DAY]),
        (BAD_DATE_WITHOUT_THE_DAY, [OF_TEN_SECONDS]),
    ],
    ids=["both", "the day", "ten seconds"],
)
def test_the_limits_that_an_answer_tells_are_passed_on(
    bench: Bench, answer: Answer, told: list[Seen]
) -> None:
    bench.answering(answer)
    bench.hubspot.upsert_contact([UpsertContact.model_validate(PERSON)])
    assert bench.pacer.learnt == told
