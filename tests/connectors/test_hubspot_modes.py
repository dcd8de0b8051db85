"""What is set only where there is nothing, added, appended, and named as wrong before any call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bridge.connector import Call, Delivered, Outcome, Rejected, Retry
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.hubspot import CONTACTS, HubSpot, HubSpotSettings, UpsertContact
from connectors.hubspot.schema import PATIENT
from connectors.hubspot.writes import MOST_COUNTED
from tests.conftest import Now
from tests.connectors.hubspot_account import (
    CORRELATION,
    DEFINITIONS,
    PROPERTIES,
    Account,
    definition,
)
from tests.connectors.hubspot_models import assert_valid

ADA = "ada@example.com"
COUNTED = "showbridge_counted"


class Bench:
    """One connector, kept for all that is sent, and an account whose properties can be read."""

    def __init__(self, server: VendorServer) -> None:
        self.server = server
        self.account = Account(definitions=[*DEFINITIONS])
        self.troubles: dict[str, Reply] = {}
        server.handler = self.answer
        settings = HubSpotSettings(access_token=SecretStr("pat-1"), base_url=server.url)
        self.hubspot = HubSpot(settings)

    def answer(self, request: Request) -> Reply:
        """What befalls a request of its kind once comes after the work."""
        answer = self.account.answer(request)
        return self.troubles.pop(called(request), answer)

    def send(self, *items: UpsertContact) -> list[Outcome]:
        self.server.requests.clear()
        outcomes = self.hubspot.upsert_contact(items)
        for request in self.server.requests:
            assert_valid(request)
        return outcomes

    @property
    def calls(self) -> list[str]:
        return [called(each) for each in self.server.requests]

    @property
    def ada(self) -> dict[str, str]:
        return self.account.people()[ADA]


def called(request: Request) -> str:
    if request.path == PROPERTIES:
        return "properties"
    name = request.path.removeprefix(CONTACTS).strip("/")
    return name.removeprefix("batch/") if name.startswith("batch/") else request.method


@pytest.fixture
def bench() -> Iterator[Bench]:
    with VendorServer() as server:
        yield Bench(server)


def item(delivery: str = "", email: str = ADA, **fields: Any) -> UpsertContact:
    return UpsertContact(email=email, **fields).for_delivery(delivery)


def others(count: int) -> list[UpsertContact]:
    """So that it is a batch."""
    return [
        item(email=f"p{number}@example.com", properties={"city": "Oslo"}) for number in range(count)
    ]


def reasons(outcomes: Sequence[Outcome]) -> list[str]:
    return [each.reason for each in outcomes if isinstance(each, Rejected)]


# Only where there is nothing


def test_what_is_empty_is_set_and_what_is_filled_is_left_alone(bench: Bench) -> None:
    known = bench.account.add(ADA, city="Paris")
    seldom = {"city": "Rome", "firstname": "Ada"}
    assert bench.send(item(only_if_empty=seldom)) == [Delivered(known)]
    assert (bench.ada["city"], bench.ada["firstname"]) == ("Paris", "Ada")
    assert bench.calls == ["properties", "GET", "PATCH"]
    assert bench.server.requests[1].query == {"idProperty": "email", "properties": "city,firstname"}
    assert bench.server.requests[2].body == {"properties": {"firstname": "Ada"}}


def test_where_nothing_is_to_be_changed_nothing_is_sent(bench: Bench) -> None:
    known = bench.account.add(ADA, city="Paris")
    told = bench.send(item(only_if_empty={"city": "Rome"}))
    assert told == [Delivered(known, remark="the contact had all of it already")]
    assert bench.calls == ["properties", "GET"]


def test_of_several_events_the_first_fills_what_is_empty(bench: Bench) -> None:
    bench.send(
        item("1", only_if_empty={"city": "Rome"}),
        item("2", only_if_empty={"city": "Oslo"}, properties={"step": "2"}),
        item("3", properties={"city": ""}),
        *others(2),
    )
    assert bench.ada["city"] == "Rome"


# Adding


def test_numbers_are_added_to_what_is_there(bench: Bench) -> None:
    bench.account.add(ADA, visits="41", spent="10.25")
    bench.send(item("d1", increment={"visits": 1, "spent": "1,234.50"}))
    assert (bench.ada["visits"], bench.ada["spent"]) == ("42", "1244.75")


def test_adding_begins_with_nothing(bench: Bench) -> None:
    bench.send(item("d1", increment={"visits": "2"}))
    assert (bench.ada["visits"], bench.ada[COUNTED]) == ("2", "d1")
    assert bench.calls == ["properties", "GET", "POST"]


def test_a_batch_with_everything_takes_three_calls(bench: Bench) -> None:
    for number in range(50):
        bench.account.add(f"p{number}@example.com", visits="1", lifecyclestage="customer")
    items = [
        item(
            f"d{number}",
            email=f"p{number}@example.com",
            properties={"lifecyclestage": "lead"},
            only_if_empty={"city": "Rome"},
            increment={"visits": 1},
            append={"interests": "jazz"},
        )
        for number in range(100)
    ]
    assert all(isinstance(each, Delivered) for each in bench.send(*items))
    assert bench.calls == ["properties", "read", "create", "update"]
    people = bench.account.people()
    assert people["p0@example.com"]["visits"] == "2"
    assert people["p99@example.com"]["visits"] == "1"
    assert people["p0@example.com"]["lifecyclestage"] == "customer"
    bench.send(*items[:2])
    assert bench.calls == ["read", "update"], "the properties are remembered"


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("trouble", [Silence.DROP, Answer(500, {"status": "error"})], ids=repr)
def test_what_was_added_while_the_answer_was_lost_is_not_added_again(
    bench: Bench, known: bool, alone: bool, trouble: Reply
) -> None:
    if known:
        bench.account.add(ADA, visits="5")
    items = [item("d1", increment={"visits": 1}), item("d2", increment={"visits": 2})]
    items += [] if alone else others(2)
    bench.troubles = dict.fromkeys(["PATCH", "update"] if known else ["POST", "create"], trouble)
    first = bench.send(*items)
    assert isinstance(first[0], Retry)
    assert bench.ada["visits"] == ("8" if known else "3"), "the trouble came before the work"
    assert all(isinstance(each, Delivered) for each in bench.send(*items))
    assert bench.ada["visits"] == ("8" if known else "3")
    bench.send(item("d3", increment={"visits": 1}))
    assert bench.ada["visits"] == ("9" if known else "4")


def test_only_the_last_deliveries_are_remembered(bench: Bench) -> None:
    bench.account.add(ADA)
    for number in range(MOST_COUNTED + 5):
        bench.send(item(f"{number}_{number:016x}", increment={"visits": 1}))
    assert bench.ada["visits"] == str(MOST_COUNTED + 5)
    counted = bench.ada[COUNTED].split()
    assert len(counted) == MOST_COUNTED
    assert counted[-1] == f"{MOST_COUNTED + 4:012x}"


def test_what_a_refused_event_would_have_added_is_not_added(bench: Bench) -> None:
    bench.account.add(ADA, visits="1")
    outcomes = bench.send(
        item("d1", increment={"visits": 1}),
        item("d2", increment={"visits": 10}, properties={"closedate": "asd000"}),
        item("d3", increment={"visits": 100}),
        *others(1),
    )
    assert [type(each) for each in outcomes] == [Delivered, Rejected, Delivered, Delivered]
    assert bench.ada["visits"] == "102"


def test_whom_only_creating_finds_is_read_before_anything_is_added(bench: Bench) -> None:
    """A second address that the reading did not tell."""
    ada = bench.account.add(ADA, visits="5", city="Paris")
    bench.account.give(ada, "lovelace@example.com")
    shown = Answer(200, {"results": []})
    bench.troubles = {"read": shown}
    second = item(
        "d1", email="lovelace@example.com", increment={"visits": 1}, only_if_empty={"city": "Rome"}
    )
    assert bench.send(second, *others(1))[0] == Delivered(ada)
    assert (bench.ada["visits"], bench.ada["city"]) == ("6", "Paris")


def test_who_was_created_in_between_is_read_before_anything_is_added(bench: Bench) -> None:
    known = bench.account.add(ADA, visits="5")
    bench.troubles = {"GET": Answer(404, {"category": "OBJECT_NOT_FOUND"})}
    assert bench.send(item("d1", increment={"visits": 1})) == [Delivered(known)]
    assert bench.calls == ["properties", "GET", "POST", "GET", "PATCH"]
    assert bench.ada["visits"] == "6"


def test_of_whom_only_creating_finds_nothing_is_assumed_after_a_first_write(bench: Bench) -> None:
    bench.account.definitions = None  # so that each stage goes by itself
    ada = bench.account.add(ADA, visits="5")
    bench.troubles = {"read": Answer(200, {"results": []})}
    outcomes = bench.send(
        item("d1", properties={"lifecyclestage": "lead"}),
        item("d2", properties={"lifecyclestage": "customer"}, increment={"visits": 1}),
        *others(1),
    )
    assert outcomes[:2] == [Delivered(ada)] * 2
    assert bench.ada["visits"] == "6"


def test_to_what_is_no_number_nothing_is_added(bench: Bench) -> None:
    bench.account.definitions = None
    bench.account.add(ADA, visits="many")
    refused = "holds no number for this contact"
    adding, city = item("d1", increment={"visits": 1}), item("d2", properties={"city": "Rome"})
    for items in ([adding, city], [adding, city, *others(1)]):
        first, *rest = bench.send(*items)
        assert isinstance(first, Rejected)
        assert refused in first.reason
        assert all(isinstance(each, Delivered) for each in rest)
    assert (bench.ada["visits"], bench.ada["city"]) == ("many", "Rome")


# Appending


def test_options_are_ticked_beside_those_that_are_ticked(bench: Bench) -> None:
    bench.account.add(ADA, interests="jazz")
    bench.send(item(append={"interests": ["Rock", "jazz"]}))
    assert bench.ada["interests"] == "jazz;rock"
    assert bench.calls == ["properties", "PATCH"]
    assert bench.server.requests[1].body == {"properties": {"interests": ";rock;jazz"}}


def test_a_new_contact_gets_the_options_alone(bench: Bench) -> None:
    bench.send(item(append={"interests": "opera; rock"}))
    assert bench.server.requests[-1].body["properties"]["interests"] == "opera;rock"


def test_options_are_appended_to_what_an_earlier_event_sets(bench: Bench) -> None:
    bench.account.add(ADA, interests="jazz")
    bench.send(
        item("1", properties={"interests": "opera"}),
        item("2", append={"interests": "rock"}),
        item("3", append={"interests": "opera"}),
        *others(1),
    )
    assert bench.ada["interests"] == "opera;rock"


# The lifecycle stage


def test_the_stage_goes_forward_only_in_the_accounts_own_order(bench: Bench) -> None:
    stages = ["customer", "customized", "lead"]
    bench.account.definitions = [definition("lifecyclestage", options=stages), definition("city")]
    bench.account.add(ADA, lifecyclestage="lead")
    bench.send(
        item("1", properties={"lifecyclestage": "Customized"}),
        item("2", properties={"lifecyclestage": "Customer"}),
        *others(1),
    )
    assert bench.ada["lifecyclestage"] == "lead"
    assert "update" not in bench.calls


def test_stages_whose_order_is_known_need_no_call_of_their_own(bench: Bench) -> None:
    bench.account.add(ADA, lifecyclestage="subscriber")
    stages = ["lead", "Customer", "lead"]
    bench.send(*[item(properties={"lifecyclestage": each}) for each in stages], *others(1))
    assert bench.calls == ["properties", "read", "create", "update"]
    assert bench.ada["lifecyclestage"] == "customer"


# What does not fit


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"properties": {"vip_tier": "Gold"}},
            "HubSpot has no property `vip_tier`; `showbridge hubspot setup` can create it",
        ),
        (
            {"properties": {"interests": "polka"}},
            "HubSpot's property `interests` has no option “polka”; it has Jazz, Opera, Rock",
        ),
        ({"only_if_empty": {"visits": "many"}}, "HubSpot's property `visits` takes a number"),
        ({"increment": {"city": 1}}, "HubSpot's property `city` holds no number"),
        ({"append": {"city": "Oslo"}}, "HubSpot's property `city` takes one value only"),
        ({"append": {"interests": "polka"}}, "has no option “polka”"),
        ({"properties": {"score": "1"}}, "HubSpot sets the property `score` by itself"),
        ({"increment": {"score": "1"}}, "HubSpot sets the property `score` by itself"),
    ],
    ids=repr,
)
def test_a_mistake_is_named_before_any_call(
    bench: Bench, fields: dict[str, Any], reason: str
) -> None:
    read_only = {**definition("score", "number"), "modificationMetadata": {"readOnlyValue": True}}
    bench.account.definitions = [*DEFINITIONS, read_only]
    outcomes = bench.send(item(**fields), *others(1))
    assert [type(each) for each in outcomes] == [Rejected, Delivered]
    assert reason in reasons(outcomes)[0]
    assert ADA not in str([each.body for each in bench.server.requests])


def test_adding_needs_the_property_that_remembers_it(bench: Bench) -> None:
    bench.account.definitions = [definition("visits", "number")]
    assert reasons(bench.send(item("d1", increment={"visits": 1}))) == [
        "HubSpot has no property `showbridge_counted`; `showbridge hubspot setup` can create it"
    ]


def test_an_option_that_was_added_meanwhile_is_found(bench: Bench, now: Now) -> None:
    bench.hubspot._schema.now = now
    assert reasons(bench.send(item(properties={"interests": "polka"})))
    bench.account.definitions = [definition("interests", options=["jazz", "polka"])]
    now.advance(PATIENT + 1)
    assert isinstance(bench.send(item(properties={"interests": "polka"}))[0], Delivered)


def test_without_the_right_to_read_properties_texts_go_as_they_are(bench: Bench) -> None:
    bench.account.definitions = None
    bench.send(item(properties={"agreed": "Yes", "interests": "Jazz"}))
    assert (bench.ada["agreed"], bench.ada["interests"]) == ("Yes", "Jazz")


def test_while_the_properties_cannot_be_read_everything_waits(bench: Bench) -> None:
    bench.troubles = {"properties": Answer(503)}
    outcomes = bench.send(item(properties={"city": "Rome"}), *others(1))
    assert all(isinstance(each, Retry) and each.whole_account for each in outcomes)
    assert bench.calls == ["properties"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("PROPERTY_DOESNT_EXIST", "HubSpot has no property `vip_tier`; `showbridge hubspot setup`"),
        ("READ_ONLY_VALUE", "HubSpot sets the property `vip_tier` by itself"),
        ("INVALID_OPTION", "HubSpot's property `vip_tier` has no such option"),
    ],
)
@pytest.mark.parametrize("shape", ["in the message", "in errors"])
def test_what_hubspot_refuses_is_told_in_words(
    bench: Bench, error: str, reason: str, shape: str
) -> None:
    bench.account.definitions = None
    problem = (
        f'[{{"isValid":false,"message":"\\"x\\" is wrong","error":"{error}","name":"vip_tier"}}]'
    )
    body: dict[str, Any] = {"status": "error", "category": "VALIDATION_ERROR"}
    if shape == "in the message":
        body["message"] = f"Property values were not valid: {problem}"
    else:
        detail = {"message": "wrong", "code": error, "context": {"propertyName": ["vip_tier"]}}
        body |= {"message": "no", "errors": [detail], "correlationId": CORRELATION}
    bench.troubles = {"PATCH": Answer(400, body)}
    [refused] = reasons(bench.send(item(properties={"vip_tier": "Gold"})))
    assert reason in refused
    assert "VALIDATION" not in refused


# What rules may write


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"increment": {"visits": "some"}}, "`visits` must be a number to add"),
        ({"increment": {"visits": "1,234"}}, "`visits` must be a number to add"),
        ({"increment": {"visits": True}}, "`visits` must be a number to add"),
        ({"increment": {"email": 1}}, "belongs into `email:`"),
        ({"properties": {COUNTED: "x"}}, "is kept by the bridge itself"),
        ({"append": {"interests": {"a": "b"}}}, "`interests` must be one text"),
        (
            {"properties": {"visits": "1"}, "increment": {"visits": 1}},
            "`visits` stands under `properties` already",
        ),
        (
            {"only_if_empty": {"city": "1"}, "append": {"city": "x"}},
            "`city` stands under `only_if_empty` already",
        ),
    ],
    ids=repr,
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        UpsertContact(email=ADA, **fields)


def test_what_is_empty_or_zero_is_left_out() -> None:
    fields: dict[str, Any] = {
        "only_if_empty": {"city": " "},
        "increment": {"a": "", "b": 0},
        "append": {"c": [""]},
    }
    assert not UpsertContact(email=ADA, **fields).names()


def test_the_preview_shows_what_a_new_contact_gets(bench: Bench) -> None:
    one = item("d" * 24, increment={"visits": 2}, append={"interests": "jazz"})
    preview = HubSpot.actions()["upsert_contact"].preview(bench.hubspot.settings, one)
    assert [(call.method, call.path) for call in preview] == [
        ("GET", "/crm/v3/properties/contacts"),
        ("GET", f"{CONTACTS}/ada%40example.com"),
        ("POST", CONTACTS),
    ]
    bench.send(one)
    assert [Call(each.method, "", each.query, each.body) for each in bench.server.requests] == [
        Call(call.method, "", dict(call.query), call.body) for call in preview
    ]
