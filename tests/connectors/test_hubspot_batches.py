"""Batches of contacts through HubSpot's SDK, against an account in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.connector import Delivered, Halted, NotNow, Outcome, Rejected, Retry, Seen
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.hubspot import CONTACTS, HubSpot, HubSpotSettings, UpsertContact
from connectors.hubspot.writes import Write
from tests.connectors.hubspot_account import CORRELATION, PROPERTIES, Account

THERE = "the contact was there already"
GOOD, BAD = "20260101", "asd000"


def person(email: str, **properties: str) -> UpsertContact:
    return UpsertContact(email=email, properties=properties)


def people(count: int, **properties: str) -> list[UpsertContact]:
    return [person(f"p{number}@example.com", **properties) for number in range(count)]


def kinds(outcomes: Sequence[Outcome]) -> str:
    """A letter for each: delivered, rejected, retry."""
    return "".join({Delivered: "d", Rejected: "x", Retry: "r"}[type(one)] for one in outcomes)


Odd = Callable[[Request], Reply | None]


class Bench:
    """A connector, and the account that it speaks to."""

    def __init__(self, server: VendorServer) -> None:
        self.server = server
        self.account = Account()
        self.odd: Odd = lambda request: None
        server.handler = self.answer
        self.settings = HubSpotSettings(access_token=SecretStr("pat-1"), base_url=server.url)

    def answer(self, request: Request) -> Reply:
        odd = None if request.path == PROPERTIES else self.odd(request)
        return odd or self.account.answer(request)

    def send(self, items: Sequence[UpsertContact], pacer: Any = None) -> list[Outcome]:
        self.server.requests.clear()
        return HubSpot(self.settings, pacer).upsert_contact(items)

    @property
    def calls(self) -> list[str]:
        """`read`, `create` and `update` are batches; single calls go by their methods."""
        return [called(request) for request in self.sent]

    @property
    def sent(self) -> list[Request]:
        """The requests without the one that reads the properties."""
        return [each for each in self.server.requests if each.path != PROPERTIES]

    def inputs(self, call: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sent[call].body["inputs"]
        return found


def called(request: Request) -> str:
    name = request.path.removeprefix(CONTACTS).strip("/")
    return name.removeprefix("batch/") if name.startswith("batch/") else request.method


def answering(call: str, *replies: Reply | None) -> Odd:
    """To calls of this kind in order; None, and all that come later, are answered as usual."""
    waiting = list(replies)

    def odd(request: Request) -> Reply | None:
        return waiting.pop(0) if waiting and called(request) == call else None

    return odd


@pytest.fixture
def bench() -> Iterator[Bench]:
    with VendorServer() as server:
        yield Bench(server)


# As many calls as are needed


def test_a_hundred_contacts_take_three_calls(bench: Bench) -> None:
    items = people(100, firstname="Ada")
    known = [bench.account.add(item.email) for item in items[:50]]
    outcomes = bench.send(items)
    assert bench.calls == ["read", "create", "update"]
    assert [each.reference for each in outcomes if isinstance(each, Delivered)][:50] == known
    assert kinds(outcomes) == "d" * 100
    assert {contact["firstname"] for contact in bench.account.people().values()} == {"Ada"}


def test_of_the_contacts_only_their_addresses_are_read(bench: Bench) -> None:
    bench.send(people(2, firstname="Ada"))
    assert bench.sent[0].body == {
        "idProperty": "email",
        "properties": ["email", "hs_additional_emails"],
        "inputs": [{"id": "p0@example.com"}, {"id": "p1@example.com"}],
    }


@pytest.mark.parametrize(("known", "call"), [(True, "update"), (False, "create")])
def test_where_all_are_known_or_all_are_new_two_calls_do(
    bench: Bench, known: bool, call: str
) -> None:
    items = people(3, firstname="Ada")
    for item in items if known else []:
        bench.account.add(item.email)
    assert kinds(bench.send(items)) == "ddd"
    assert bench.calls == ["read", call]


def test_items_of_one_contact_become_one_write(bench: Bench) -> None:
    items = [
        person("ada@example.com", firstname="A.", city="Paris"),
        person("bob@example.com", firstname="Bob"),
        person("Ada@Example.com ", firstname="Ada", phone="1"),
    ]
    first, _, last = bench.send(items)
    assert first == last
    assert bench.calls == ["read", "create"]
    ada = {"email": "ada@example.com", "firstname": "Ada", "city": "Paris", "phone": "1"}
    assert bench.account.people()["ada@example.com"] == ada


def test_items_of_a_single_contact_need_no_batch(bench: Bench) -> None:
    bench.account.add("ada@example.com")
    items = [person("ada@example.com", city="Paris"), person("ADA@example.com", city="Rome")]
    assert kinds(bench.send(items)) == "dd"
    assert bench.calls == ["PATCH"]
    assert bench.sent[0].body == {"properties": {"city": "Rome"}}


def test_items_without_properties_leave_known_contacts_alone(bench: Bench) -> None:
    known = bench.account.add("p0@example.com")
    outcomes = bench.send(people(2))
    assert outcomes[0] == Delivered(known, remark=THERE)
    assert kinds(outcomes) == "dd"
    assert bench.calls == ["read", "create"]
    assert [each["properties"] for each in bench.inputs(1)] == [{"email": "p1@example.com"}]


def test_every_input_has_a_name_of_its_own(bench: Bench) -> None:
    bench.account.add("p0@example.com")
    bench.account.add("p1@example.com")
    bench.send([*people(4, n="1"), *people(4, n="2")])
    assert [each["objectWriteTraceId"] for each in bench.inputs(1)] == ["2", "3"]
    assert [each["objectWriteTraceId"] for each in bench.inputs(2)] == ["0", "1"]


# What HubSpot refuses


@pytest.mark.parametrize("known", [True, False])
def test_a_poisoned_contact_that_is_named_costs_no_call(bench: Bench, known: bool) -> None:
    items = people(100, closedate=GOOD)
    items[41] = person("p41@example.com", closedate=BAD)
    for item in items if known else []:
        bench.account.add(item.email)
    outcomes = bench.send(items)
    assert kinds(outcomes) == "d" * 41 + "x" + "d" * 58
    assert outcomes[41] == Rejected(
        "HubSpot refuses the contact because of closedate (400 VALIDATION_ERROR: INVALID_LONG)"
    )
    assert len(bench.calls) == 2


@pytest.mark.parametrize("known", [True, False])
def test_a_poisoned_contact_that_is_not_named_is_found_by_halving(
    bench: Bench, known: bool
) -> None:
    items = people(100, closedate=GOOD)
    items[41] = person("p41@example.com", closedate=BAD)
    for item in items if known else []:
        bench.account.add(item.email)
    bench.account.names_culprits = False
    assert kinds(bench.send(items)) == "d" * 41 + "x" + "d" * 58
    assert len(bench.calls) <= 2 + 2 * 7


def test_where_all_are_poisoned_halving_stays_bounded(bench: Bench) -> None:
    bench.account.names_culprits = False
    assert kinds(bench.send(people(100, closedate=BAD))) == "x" * 100
    assert len(bench.calls) <= 1 + 2 * 100


def test_a_refused_batch_that_names_the_culprit_is_sent_again_without_it(bench: Bench) -> None:
    error = {"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": ["1"]}}
    refusal = Answer(400, {"status": "error", "message": "no", "errors": [error]})
    bench.odd = answering("create", refusal)
    assert kinds(bench.send(people(4, n="1"))) == "dxdd"
    assert bench.calls == ["read", "create", "create"]


def test_only_the_guilty_event_of_a_contact_is_rejected(bench: Bench) -> None:
    items = [
        person("ada@example.com", city="Paris", step="1"),
        person("ada@example.com", city="Rome", step="2"),
        person("bob@example.com", city="Oslo"),
        person("ada@example.com", city="Bern", closedate=BAD),
        person("ada@example.com", phone="1", step="4"),
    ]
    assert kinds(bench.send(items)) == "dddxd"
    ada = {"email": "ada@example.com", "city": "Rome", "step": "4", "phone": "1"}
    assert bench.account.people()["ada@example.com"] == ada
    singles = [request.body for request in bench.sent[2:]]
    steps = [body["properties"]["step"] for body in singles if "step" in body["properties"]]
    assert steps == sorted(steps), "an earlier event was applied after a later one"


@pytest.mark.parametrize("guilty", [{0}, {1}, {3}, {0, 2}, {1, 2, 3}])
def test_without_the_events_whose_values_are_named_a_contact_is_written_once(
    bench: Bench, guilty: set[int]
) -> None:
    bench.account.add("ada@example.com")
    items = [
        person("ada@example.com", step=str(step), **({"closedate": BAD} if step in guilty else {}))
        for step in range(4)
    ]
    assert kinds(bench.send(items)) == "".join("x" if step in guilty else "d" for step in range(4))
    assert len(bench.calls) == len(guilty) + 1
    last = max({0, 1, 2, 3} - guilty)
    assert bench.account.people()["ada@example.com"]["step"] == str(last)


def test_an_earlier_value_of_what_is_named_is_not_to_blame(bench: Bench) -> None:
    bench.account.add("ada@example.com")
    dates = [GOOD, BAD, "7"]
    items = [person("ada@example.com", closedate=date) for date in dates]
    assert kinds(bench.send(items[:2])) == "dx"
    assert bench.account.people()["ada@example.com"]["closedate"] == GOOD
    assert kinds(bench.send(items)) == "ddd", "what is written over is not asked about"


@pytest.mark.parametrize("section", ["append", "only_if_empty"])
def test_where_a_value_is_made_of_several_nobody_is_blamed(section: str) -> None:
    fields = {"email": "ada@example.com", section: {"city": "Rome"}}
    step = UpsertContact.model_validate(fields)
    write = Write({0: person("ada@example.com", city="Paris", step="1"), 1: step})
    assert write.last_to_set(["city"]) is None
    assert write.last_to_set(["city", "step"]) == 0
    assert write.last_to_set(["phone"]) is None
    assert write.last_to_set([]) is None


def test_of_several_values_that_are_named_the_last_is_left_out_first() -> None:
    items = [
        person("ada@example.com", city="Paris"),
        person("ada@example.com", closedate=BAD),
        person("ada@example.com", step=BAD),
        person("ada@example.com", city="Rome"),
    ]
    write = Write(dict(enumerate(items)))
    assert write.last_to_set(["closedate", "step"]) == 2
    assert write.without(2).last_to_set(["closedate"]) == 1


def test_a_contact_of_many_events_is_halved_where_no_value_is_named(bench: Bench) -> None:
    bench.account.names_values = False
    bench.account.add("ada@example.com")
    items = [person("ada@example.com", step=str(step)) for step in range(64)]
    items[40] = person("ada@example.com", closedate=BAD)
    assert kinds(bench.send(items)) == "d" * 40 + "x" + "d" * 23
    assert len(bench.calls) <= 1 + 2 * 6
    assert bench.account.people()["ada@example.com"]["step"] == "63"


def test_an_error_that_names_nobody_is_looked_into_one_by_one(bench: Bench) -> None:
    nameless = {"status": "error", "category": "VALIDATION_ERROR", "context": {"ids": [""]}}
    partly = Answer(207, {"status": "COMPLETE", "results": [], "errors": [nameless]})
    bench.odd = answering("create", partly)
    assert kinds(bench.send([*people(1, closedate=BAD), person("b@example.com", n="1")])) == "xd"


def test_an_error_of_an_unknown_kind_is_looked_into_by_a_call_of_its_own(bench: Bench) -> None:
    error = {"category": "WEATHER", "context": {"objectWriteTraceId": ["0"]}}
    bench.odd = answering("create", Answer(207, {"results": [], "errors": [error]}))
    assert kinds(bench.send(people(2, n="1"))) == "dr"
    assert bench.calls == ["read", "create", "PATCH", "POST"]


def test_an_address_that_cannot_be_looked_up_does_not_hinder_others(bench: Bench) -> None:
    bench.account.add("p1@example.com")

    def odd(request: Request) -> Reply | None:
        asked = called(request) == "read" and "p0@" in str(request)
        return Answer(400, {"category": "VALIDATION_ERROR"}) if asked else None

    bench.odd = odd
    assert kinds(bench.send(people(4, n="1"))) == "dddd"
    assert bench.calls == ["read"] * 5 + ["create", "update"]


def test_a_batch_that_is_too_large_for_one_request_is_sent_in_parts(bench: Bench) -> None:
    def odd(request: Request) -> Reply | None:
        is_large = called(request) == "create" and len(request.body["inputs"]) > 2
        return Answer(413, "<html>Request Entity Too Large</html>") if is_large else None

    bench.odd = odd
    assert kinds(bench.send(people(4, n="1"))) == "dddd"
    assert bench.calls == ["read", "create", "create", "create"]


# Who is who


def test_two_addresses_of_one_contact_become_one_write_in_the_order_of_receipt(
    bench: Bench,
) -> None:
    ada = bench.account.add("ada@example.com")
    bench.account.give(ada, "lovelace@example.com")
    bench.account.add("bob@example.com")
    items = [
        person("ada@example.com", city="Paris", phone="1"),
        person("Lovelace@example.com", city="Rome"),
        person("ada@example.com", city="Bern"),
        person("bob@example.com", city="Oslo"),
    ]
    assert bench.send(items)[:3] == [Delivered(ada)] * 3
    assert bench.calls == ["read", "update"]
    known = bench.account.contacts[ada]
    assert (known["city"], known["phone"]) == ("Bern", "1")


def test_whom_the_reading_does_not_find_is_updated_where_creating_does(bench: Bench) -> None:
    """As with a second address, or where somebody created the contact in between."""
    ada = bench.account.add("ada@example.com")
    bench.account.give(ada, "lovelace@example.com")
    shown = Answer(200, {"results": [{"id": ada, "properties": {"email": "ada@example.com"}}]})
    bench.odd = answering("read", shown)
    items = [person("ada@example.com", city="Paris"), person("lovelace@example.com", city="Rome")]
    assert bench.send(items) == [Delivered(ada)] * 2
    assert bench.calls == ["read", "create", "update"]
    assert bench.account.contacts[ada]["city"] == "Rome"


def test_a_known_contact_that_creating_finds_is_left_alone_by_items_without_properties(
    bench: Bench,
) -> None:
    ada = bench.account.add("p0@example.com")
    bench.odd = answering("read", Answer(200, {"results": []}))
    assert bench.send(people(2))[0] == Delivered(ada, remark=THERE)
    assert bench.calls == ["read", "create"]


def test_whoever_the_answer_leaves_out_is_retried(bench: Bench) -> None:
    """HubSpot does so with a contact that was merged into another one meanwhile."""
    known = [bench.account.add(item.email) for item in people(3)]
    bench.odd = answering("update", Answer(200, {"results": [{"id": known[1]}, {"id": "9"}, 7]}))
    assert kinds(bench.send(people(3, n="1"))) == "rdr"


def test_a_contact_deleted_in_between_is_retried_and_then_created(bench: Bench) -> None:
    gone = bench.account.add("p0@example.com")
    bench.account.add("p1@example.com")

    def odd(request: Request) -> None:
        if called(request) == "update" and gone in bench.account.contacts:
            bench.account.drop(gone)

    bench.odd = odd
    assert kinds(bench.send(people(2, n="1"))) == "rd"
    assert kinds(bench.send(people(2, n="1"))) == "dd"


def test_an_error_may_name_a_contact_by_its_id(bench: Bench) -> None:
    gone, known = [bench.account.add(item.email) for item in people(2)]
    error = {"category": "OBJECT_NOT_FOUND", "context": {"ids": [gone]}}
    bench.odd = answering("update", Answer(207, {"results": [{"id": known}], "errors": [error]}))
    assert kinds(bench.send(people(2, n="1"))) == "rd"
    assert bench.calls == ["read", "update"]


@pytest.mark.parametrize("body", [{"id": "286101"}, {"results": "many"}, [1], "<html>", None])
@pytest.mark.parametrize("call", ["read", "create", "update"])
def test_an_answer_that_makes_no_sense_delivers_nothing(bench: Bench, call: str, body: Any) -> None:
    bench.account.add("p0@example.com")
    bench.odd = answering(call, Answer(200, body))
    expected = {"read": "rr", "create": "dr", "update": "rd"}
    assert kinds(bench.send(people(2, n="1"))) == expected[call]


# The lifecycle stage


def test_the_lifecycle_stage_ends_where_it_would_have_ended_one_by_one(bench: Bench) -> None:
    stages = ["lead", "customer", "lead"]
    items = [
        person(email, lifecyclestage=stage, visits=str(visit))
        for visit, stage in enumerate(stages)
        for email in ("new@example.com", "known@example.com")
    ]
    bench.account.add("known@example.com", lifecyclestage="subscriber")
    assert kinds(bench.send(items)) == "dddddd"
    assert bench.calls == ["read", "create", "update", "update", "update"]
    for contact in bench.account.people().values():
        assert (contact["lifecyclestage"], contact["visits"]) == ("customer", "2")


# What passes


def test_what_cannot_be_created_now_does_not_hinder_the_update(bench: Bench) -> None:
    bench.account.add("p1@example.com")
    bench.odd = answering("create", Silence.DROP)
    assert kinds(bench.send(people(3, n="1"))) == "rdr"


def test_after_a_second_silence_nothing_more_is_sent(bench: Bench) -> None:
    bench.account.names_culprits = False
    bench.odd = answering("create", None, None, Silence.DROP, Silence.DROP)
    assert kinds(bench.send(people(8, closedate=BAD))) == "r" * 8
    assert bench.calls == ["read", "create", "create", "create", "create"]


@pytest.mark.parametrize(
    "answer",
    [Answer(429, {"message": "You have reached your ten_secondly limit."}), Answer(503)],
)
@pytest.mark.parametrize(
    ("call", "expected"), [("read", "rrr"), ("create", "rrr"), ("update", "rdd")]
)
def test_where_the_account_has_to_wait_nothing_more_is_sent(
    bench: Bench, answer: Answer, call: str, expected: str
) -> None:
    bench.account.add("p0@example.com")
    bench.odd = answering(call, answer)
    outcomes = bench.send(people(3, n="1"))
    assert kinds(outcomes) == expected
    assert bench.calls[-1] == call
    assert all(each.whole_account for each in outcomes if isinstance(each, Retry))


def test_behind_an_event_to_be_retried_none_of_the_same_contact_is_sent(bench: Bench) -> None:
    items = [person("ada@example.com", step=str(step)) for step in range(4)]
    items[3] = person("ada@example.com", closedate=BAD)
    bench.odd = answering("PATCH", None, Answer(500, {"status": "error"}))
    bench.account.add("ada@example.com")
    assert kinds(bench.send(items)) == "rrrx"
    assert bench.calls == ["PATCH", "PATCH"]


def test_behind_a_half_to_be_retried_none_of_the_same_contact_is_sent(bench: Bench) -> None:
    bench.account.names_values = False
    items = [person("ada@example.com", step=str(step)) for step in range(4)]
    items[3] = person("ada@example.com", closedate=BAD)
    bench.odd = answering("PATCH", None, Answer(500, {"status": "error"}))
    bench.account.add("ada@example.com")
    assert kinds(bench.send(items)) == "rrrr"
    assert bench.calls == ["PATCH", "PATCH"]


def test_a_refused_token_halts_the_account(bench: Bench) -> None:
    bench.odd = answering("create", Answer(401, {"category": "INVALID_AUTHENTICATION"}))
    with pytest.raises(Halted, match="does not accept the access token"):
        bench.send(people(2, n="1"))


# The pace


class Pacer:
    """Lets `most` calls through, and counts; knows whether one is under way."""

    def __init__(self, most: int = 99) -> None:
        self.most = most
        self.entered = 0
        self.is_open = False
        self.learnt: list[Seen] = []

    @contextmanager
    def call(self, lane: str = "") -> Iterator[None]:
        if self.entered >= self.most:
            raise NotNow(7.5)
        self.entered += 1
        self.is_open = True
        yield
        self.is_open = False

    def learn(self, seen: Sequence[Seen]) -> None:
        self.learnt += seen


def test_each_request_is_made_in_its_turn(bench: Bench) -> None:
    pacer = Pacer()
    paced: list[bool] = []
    bench.odd = lambda request: paced.append(pacer.is_open)
    bench.account.names_culprits = False
    bench.send([*people(4, n="1"), *people(2, closedate=BAD)], pacer)
    assert all(paced)
    assert len(paced) > 3
    assert len(bench.server.requests) == pacer.entered


@pytest.mark.parametrize(("most", "expected"), [(0, "rrr"), (1, "rrr"), (2, "rrr"), (3, "rdd")])
def test_what_finds_no_turn_is_retried_when_the_pacer_says(
    bench: Bench, most: int, expected: str
) -> None:
    bench.account.add("p0@example.com")
    outcomes = bench.send(people(3, n="1"), Pacer(most))
    assert kinds(outcomes) == expected
    assert len(bench.server.requests) == most
    for outcome in outcomes:
        if isinstance(outcome, Retry):
            assert (outcome.after, outcome.whole_account) == (7.5, True)
            assert "limits" in outcome.reason


@pytest.mark.parametrize("status", [200, 429])
def test_the_limits_that_an_answer_tells_are_passed_on(bench: Bench, status: int) -> None:
    headers = {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": "17",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Daily": "650000",
        "X-HubSpot-RateLimit-Daily-Remaining": "649999",
    }
    bench.odd = lambda request: Answer(status, {"results": []}, headers)
    pacer = Pacer()
    bench.send(people(2), pacer)
    assert pacer.learnt[:2] == [Seen(190, 10.0, 17), Seen(650_000, 86_400.0, 649_999)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-HubSpot-RateLimit-Max": "190", "X-HubSpot-RateLimit-Remaining": "17"},
        {"X-HubSpot-RateLimit-Max": "many", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"},
        {"X-HubSpot-RateLimit-Daily-Remaining": "5"},
    ],
)
def test_limits_that_are_told_by_half_are_not_passed_on(
    bench: Bench, headers: dict[str, str]
) -> None:
    bench.odd = lambda request: Answer(200, {"results": []}, headers)
    pacer = Pacer()
    bench.send(people(2), pacer)
    assert pacer.learnt == []


def test_no_reason_tells_an_address(bench: Bench) -> None:
    message = f"p0@example.com is not valid {CORRELATION}"
    error = {"category": "VALIDATION_ERROR", "message": message}
    named = {**error, "context": {"objectWriteTraceId": ["0", "1"]}}
    bench.odd = answering("create", Answer(207, json.loads(json.dumps({"errors": [named]}))))
    outcomes = bench.send(people(2))
    assert kinds(outcomes) == "xx"
    assert "example.com" not in repr(outcomes)
