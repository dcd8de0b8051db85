"""Deals through HubSpot's own SDK: found by a unique property, moved by label, never back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.connector import Delivered, Halted, Rejected, Retry, Use
from bridge.testing.probes import HOSTILE
from bridge.testing.vendor import Answer, Silence
from connectors.hubspot.deals import MoveDeal, UpsertDeal, needed
from tests.connectors.hubspot_account import CORRELATION
from tests.connectors.hubspot_bench import BARRED, LIMITED, Hub, HubSpotConformance, hub
from tests.connectors.hubspot_crm import Crm, options, prop

READ, UPSERT, UPDATE = (
    f"POST /crm/v3/objects/deals/batch/{name}" for name in ("read", "upsert", "update")
)
PEOPLE = [f"POST /crm/v3/objects/contacts/batch/{name}" for name in ("read", "create")]
LINK = "POST /crm/v4/associations/deals/contacts/batch/associate/default"


@pytest.fixture
def there() -> Iterator[Hub]:
    with hub(Crm()) as found:
        yield found


def deal(order: str = "A-1", stage: str = "closed won", **fields: Any) -> UpsertDeal:
    return UpsertDeal(id_property="order_number", id=order, stage=stage, **fields)


def moved(order: str = "A-1", stage: str = "Closed lost", **fields: Any) -> MoveDeal:
    return MoveDeal(id_property="order_number", id=order, stage=stage, **fields)


class TestUpsertConformance(HubSpotConformance):
    action = "upsert_deal"

    def item(self, action: str) -> Mapping[str, Any]:
        return {
            "id_property": "order_number",
            "id": "A-1",
            "stage": "closedwon",
            "pipeline": "default",
            "name": "Ada, A-1",
            "amount": "236.25",
            "email": "ada+tag@example.com",
            "properties": {"remark": "front row"},
        }

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {**self.item(action), "id": "B-2", "properties": {"remark": "poison"}}


class TestMoveConformance(HubSpotConformance):
    action = "move_deal"

    def prepare(self, crm: Crm) -> None:
        for order in ("A-1", "B-2"):
            crm.deal(order, pipeline="default", dealstage="appointmentscheduled")

    def item(self, action: str) -> Mapping[str, Any]:
        return {
            "id_property": "order_number",
            "id": "A-1",
            "stage": "closedwon",
            "pipeline": "default",
            "properties": {"remark": "front row"},
        }

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {**self.item(action), "id": "B-2", "properties": {"remark": "poison"}}


# Creating and updating


def test_a_new_deal_is_made_with_all_that_the_rule_says(there: Hub) -> None:
    item = deal(
        name="Ada, A-1",
        amount="1,236.50",
        close_date="2027-03-09T20:00:00+02:00",
        email="Ada@Example.com",
        properties={"seats": 4, "venue": "garden", "remark": "  "},
    )
    assert isinstance(there.one("upsert_deal", item), Delivered)
    assert there.crm.known("A-1") == {
        "order_number": "A-1",
        "dealname": "Ada, A-1",
        "dealstage": "closedwon",
        "pipeline": "default",
        "amount": "1236.5",
        "closedate": "2027-03-09T18:00:00.000Z",
        "seats": "4",
        "venue": "Garden",
    }
    assert there.crm.linked("A-1") == ["ada@example.com"]
    assert there.calls() == [READ, *PEOPLE, UPSERT, LINK]


def test_twice_is_once(there: Hub) -> None:
    outcomes = [there.one("upsert_deal", deal(email="ada@example.com")) for _ in range(2)]
    assert outcomes == [Delivered(next(iter(there.crm.deals)))] * 2
    assert len(there.crm.deals) == 1
    assert len(there.crm.account.contacts) == 1


def test_a_deal_that_another_has_made_a_moment_ago_is_not_made_again(there: Hub) -> None:
    """It was not there when it was asked for; the upsert itself sees to it."""
    there.crm.deal("A-1", pipeline="default", dealstage="contractsent")
    there.instead("batch/read", Answer(200, {"results": [], "status": "COMPLETE"}))
    assert isinstance(there.one("upsert_deal", deal()), Delivered)
    assert len(there.crm.deals) == 1


def test_a_deal_without_a_name_is_named_by_its_id_once(there: Hub) -> None:
    there.one("upsert_deal", deal())
    assert there.crm.known("A-1")["dealname"] == "A-1"
    there.crm.known("A-1")["dealname"] = "renamed by a colleague"
    there.one("upsert_deal", deal())
    assert there.crm.known("A-1")["dealname"] == "renamed by a colleague"


def test_what_a_rule_leaves_empty_is_left_alone(there: Hub) -> None:
    key = there.crm.deal("A-1", pipeline="default", dealstage="closedwon", amount="80", remark="x")
    there.one("upsert_deal", deal(amount="", close_date="", properties={"remark": None}))
    assert there.crm.deals[key]["amount"] == "80"
    assert there.crm.deals[key]["remark"] == "x"


def test_a_deal_without_an_address_is_linked_to_nobody(there: Hub) -> None:
    for email in ("", None, "nobody"):
        assert isinstance(there.one("upsert_deal", deal(email=email)), Delivered)
    assert there.crm.linked("A-1") == []
    assert not there.crm.account.contacts


def test_a_contact_that_is_there_is_linked_and_not_touched(there: Hub) -> None:
    there.crm.account.add("ada@example.com", firstname="Ada")
    there.one("upsert_deal", deal(email="ada@example.com"))
    assert there.crm.linked("A-1") == ["ada@example.com"]
    assert there.crm.account.people()["ada@example.com"]["firstname"] == "Ada"
    assert there.calls() == [READ, PEOPLE[0], UPSERT, LINK]


def test_where_hubspot_refuses_the_address_the_deal_is_made_all_the_same(there: Hub) -> None:
    refused = Answer(400, {"status": "error", "category": "VALIDATION_ERROR"})
    there.instead("contacts/batch/create", refused)
    outcome = there.one("upsert_deal", deal(email="ada@localhost"))
    assert outcome == Delivered(
        "9001", remark="HubSpot does not take the address, so the deal is linked to nobody"
    )


# Stages


@pytest.mark.parametrize(
    ("stage", "pipeline", "place"),
    [
        ("Closed won", "", ("default", "closedwon")),
        (" CLOSED WON ", "sales pipeline", ("default", "closedwon")),
        ("closedwon", "default", ("default", "closedwon")),
        ("Offered", "Group bookings", ("7001", "g2")),
        ("g2", "7001", ("7001", "g2")),
        ("g2", "", ("7001", "g2")),
    ],
)
def test_stages_and_pipelines_go_by_label_or_id(
    there: Hub, stage: str, pipeline: str, place: tuple[str, str]
) -> None:
    there.one("upsert_deal", deal(stage=stage, pipeline=pipeline))
    known = there.crm.known("A-1")
    assert (known["pipeline"], known["dealstage"]) == place


@pytest.mark.parametrize(
    ("stage", "pipeline", "reason"),
    [
        (
            "Won",
            "",
            (
                "HubSpot's pipeline “Sales Pipeline” has no stage “Won”; it has “Appointment "
                "scheduled”, “Contract sent”, “Closed won”, “Closed lost”"
            ),
        ),
        (
            "Offered",
            "Festivals",
            "HubSpot has no deal pipeline “Festivals”; it has “Sales Pipeline”, “Group bookings”",
        ),
    ],
)
def test_a_stage_or_pipeline_that_is_not_there_is_named_with_what_is(
    there: Hub, stage: str, pipeline: str, reason: str
) -> None:
    assert there.one("upsert_deal", deal(stage=stage, pipeline=pipeline)) == Rejected(reason)
    assert not there.crm.deals


def test_a_stage_that_was_added_a_moment_ago_is_found(there: Hub) -> None:
    now = [0.0]
    there.hubspot._schema.now = lambda: now[0]
    there.one("upsert_deal", deal())
    stages = there.crm.pipelines[1]["stages"]
    stages.append({"id": "new", "label": "Refunded", "displayOrder": 9, "metadata": {}})
    now[0] = 60.0
    assert isinstance(there.one("move_deal", moved(stage="Refunded")), Delivered)
    assert there.crm.known("A-1")["dealstage"] == "new"


def test_a_deal_is_not_moved_back(there: Hub) -> None:
    there.crm.deal("A-1", pipeline="default", dealstage="closedlost")
    outcome = there.one("upsert_deal", deal(amount="10"))
    assert outcome == Delivered("9001", remark="the deal stays at “Closed lost”, which comes later")
    known = there.crm.known("A-1")
    assert (known["dealstage"], known["amount"]) == ("closedlost", "10")


def test_a_deal_is_moved_back_where_the_rule_says_so(there: Hub) -> None:
    there.crm.deal("A-1", pipeline="default", dealstage="closedlost")
    assert there.one("upsert_deal", deal(backwards=True)) == Delivered("9001")
    assert there.crm.known("A-1")["dealstage"] == "closedwon"


def test_a_deal_that_somebody_put_into_another_pipeline_stays_there(there: Hub) -> None:
    there.crm.deal("A-1", pipeline="7001", dealstage="g1")
    outcome = there.one("upsert_deal", deal(pipeline="Sales Pipeline"))
    assert outcome == Delivered("9001", remark="the deal stays in the pipeline “Group bookings”")
    assert there.crm.known("A-1")["pipeline"] == "7001"


def test_a_stage_without_a_pipeline_is_of_the_deals_own(there: Hub) -> None:
    there.crm.deal("A-1", pipeline="7001", dealstage="g1")
    assert there.one("move_deal", moved(stage="Booked")) == Delivered("9001")
    assert there.crm.known("A-1")["dealstage"] == "g3"


def test_a_deal_that_is_at_its_stage_already_is_not_written(there: Hub) -> None:
    there.crm.deal("A-1", pipeline="default", dealstage="closedlost")
    assert there.one("move_deal", moved()) == Delivered("9001")
    assert there.calls() == [READ]


def test_moving_makes_no_deal(there: Hub) -> None:
    assert there.one("move_deal", moved()) == Rejected(
        "HubSpot has no deal whose `order_number` is this event's; "
        "let `upsert_deal` create it before"
    )
    assert not there.crm.deals


# Properties


def test_a_property_that_is_missing_or_not_unique_is_no_name_for_a_deal(there: Hub) -> None:
    item = deal().model_copy(update={"id_property": "order_no"})
    assert there.one("upsert_deal", item) == Rejected(
        "HubSpot's deals have no property `order_no`; `showbridge hubspot setup` can create it"
    )
    item = deal().model_copy(update={"id_property": "remark"})
    refused = there.one("upsert_deal", item)
    assert isinstance(refused, Rejected)
    assert "lets two deals have the same `remark`" in refused.reason
    assert there.calls() == []


def test_values_are_refused_before_any_call_that_writes(there: Hub) -> None:
    unknown = there.one("upsert_deal", deal(properties={"vip_tier": "gold"}))
    assert unknown == Rejected(
        "HubSpot's deals have no property `vip_tier`; `showbridge hubspot setup` can create it"
    )
    wrong = there.one("upsert_deal", deal(properties={"seats": "four"}))
    assert isinstance(wrong, Rejected)
    assert "`seats` takes a number" in wrong.reason
    assert set(there.calls()) == {READ}


def test_a_currency_has_to_be_one_of_the_accounts(there: Hub) -> None:
    refused = there.one("upsert_deal", deal(currency="cad"))
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("this HubSpot account does not know the currency CAD")
    currencies = options("CAD", "EUR")
    there.crm.properties.append(
        prop("deal_currency_code", "enumeration", "select", options=currencies)
    )
    with hub(there.crm) as anew:
        assert isinstance(anew.one("upsert_deal", deal(currency="cad")), Delivered)
        assert there.crm.known("A-1")["deal_currency_code"] == "CAD"
        assert isinstance(anew.one("upsert_deal", deal(currency="JPY")), Rejected)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "CA$ 12"}, "plain number"),
        ({"amount": True}, "plain number"),
        ({"currency": "dollars"}, "three letters"),
        ({"properties": {"dealstage": "x"}}, "belongs into `stage:`"),
        ({"properties": {"Amount": "1"}}, "belongs into `amount:`"),
        ({"properties": {"tags": ["a"]}}, "one text"),
    ],
)
def test_mistakes_are_named_with_the_rule(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        deal(**fields)


def test_an_event_without_an_id_for_the_deal_is_skipped() -> None:
    with pytest.raises(ValidationError, match="nothing that the deal is known by"):
        deal(order="  ")


# Many at once


def test_a_hundred_deals_take_five_calls(there: Hub) -> None:
    items = [deal(f"A-{n}", email=f"ada{n}@example.com", amount=n) for n in range(100)]
    assert all(isinstance(each, Delivered) for each in there.do("upsert_deal", *items))
    assert there.calls() == [READ, *PEOPLE, UPSERT, LINK]
    assert there.crm.known("A-99")["amount"] == "99"
    assert there.crm.linked("A-99") == ["ada99@example.com"]


def test_items_of_one_deal_are_done_in_their_order(there: Hub) -> None:
    items = [
        deal("A-1", "Contract sent", amount="1"),
        deal("B-2", amount="2"),
        deal("a-1", "Closed won", amount="3", email="eve@example.com"),
    ]
    outcomes = there.do("upsert_deal", *items)
    assert [type(each) for each in outcomes] == [Delivered] * 3
    assert there.calls()[:2] == [READ, UPSERT]


def test_behind_an_item_that_is_retried_nothing_is_sent_of_its_deal(there: Hub) -> None:
    there.instead("batch/upsert", Answer(500))
    outcomes = there.do("upsert_deal", deal(amount="1"), deal(amount="2"))
    assert [type(each) for each in outcomes] == [Retry, Retry]
    assert there.calls() == [READ, UPSERT]


def test_a_poisoned_deal_fails_alone_also_where_hubspot_names_nobody(there: Hub) -> None:
    items = [deal(f"A-{n}", properties={"remark": "fine"}) for n in range(4)]
    items[2] = deal("A-2", properties={"remark": "poison"})
    nameless = Answer(400, {"status": "error", "category": "VALIDATION_ERROR"})
    there.instead("batch/upsert", nameless)
    kinds = [type(each) for each in there.do("upsert_deal", *items)]
    assert kinds == [Delivered, Delivered, Rejected, Delivered]


def test_answers_without_traces_are_told_apart_by_the_deals_id(there: Hub) -> None:
    there.crm.traces = False
    outcomes = there.do("upsert_deal", deal("A-1"), deal("B-2"))
    assert outcomes == [Delivered("9001"), Delivered("9002")]
    assert there.crm.deals["9002"]["order_number"] == "B-2"


# What HubSpot says beside


def test_a_deal_that_somebody_else_writes_at_the_same_moment_is_tried_again(there: Hub) -> None:
    there.instead("batch/upsert", Answer(409, {"status": "error", "category": "CONFLICT"}))
    assert there.one("upsert_deal", deal()) == Retry(
        "HubSpot is writing this very deal for somebody else"
    )


@pytest.mark.parametrize(
    "path",
    ["properties/deals", "pipelines/deals", "deals/batch/read", "contacts/batch/read",
     "contacts/batch/create", "batch/upsert", "associate/default"],
)  # fmt: skip
def test_a_limit_at_any_call_is_a_retry_and_ends_the_calls(there: Hub, path: str) -> None:
    there.instead(path, Answer(429, LIMITED))
    outcomes = there.do("upsert_deal", deal(email="ada@example.com"), deal("B-2"))
    assert isinstance(outcomes[0], Retry)
    assert outcomes[0].whole_account
    assert there.requests[-1].path.endswith(path)
    there.do("upsert_deal", deal(email="ada@example.com"), deal("B-2"))
    assert there.crm.linked("A-1") == ["ada@example.com"]
    assert len(there.crm.deals) == 2


@pytest.mark.parametrize("path", ["deals/batch/read", "batch/upsert", "associate/default"])
def test_a_token_without_the_scopes_halts_the_account(there: Hub, path: str) -> None:
    there.instead(path, BARRED)
    with pytest.raises(Halted, match=r"crm\.objects\.deals\.write"):
        there.one("upsert_deal", deal(email="ada@example.com"))


def test_without_the_right_to_read_pipelines_the_account_waits(there: Hub) -> None:
    there.instead("pipelines/deals", BARRED)
    with pytest.raises(Halted, match=r"may not read the deal pipelines; grant it crm\.schemas"):
        there.one("upsert_deal", deal())


def test_without_the_right_to_read_properties_values_go_as_they_are(there: Hub) -> None:
    there.instead("properties/deals", BARRED)
    assert isinstance(there.one("upsert_deal", deal(amount="3.10")), Delivered)
    assert there.crm.known("A-1")["amount"] == "3.1"


@pytest.mark.parametrize("reply", [Silence.DROP, Answer(500), Answer(200, "<html>")], ids=repr)
def test_a_link_that_is_not_made_is_made_later(there: Hub, reply: Any) -> None:
    there.instead("associate/default", reply)
    assert isinstance(there.one("upsert_deal", deal(email="ada@example.com")), Retry)
    assert isinstance(there.one("upsert_deal", deal(email="ada@example.com")), Delivered)
    assert there.crm.linked("A-1") == ["ada@example.com"]
    assert len(there.crm.deals) == 1


def test_a_link_that_is_refused_is_told(there: Hub) -> None:
    body = {"status": "error", "category": "VALIDATION_ERROR", "correlationId": CORRELATION}
    there.instead("associate/default", Answer(400, body))
    assert there.one("upsert_deal", deal(email="ada@example.com")) == Rejected(
        "HubSpot refuses the link of the deal to the contact "
        f"(400 VALIDATION_ERROR, correlation id {CORRELATION})"
    )


# What rules need


def test_setup_learns_which_property_must_be_unique() -> None:
    fields = {"id_property": "order_number", "id": "{{ order.id }}", "properties": {"seats": 4}}
    assert needed(Use("a rule", "upsert_deal", fields)) == [
        ("deals", "order_number", "string", True),
        ("deals", "seats", "string", False),
    ]
    note = {"deal_id_property": "order_number", "deal_id": "x", "properties": {"no": 1}}
    assert needed(Use("a rule", "add_note", note)) == [("deals", "order_number", "string", True)]
    assert needed(Use("a rule", "upsert_contact", fields)) == []
    assert needed(Use("a rule", "move_deal", {"id_property": "{{ x }}"})) == []


@examples(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.one_of(st.text(max_size=200), st.sampled_from(HOSTILE)).filter(
        lambda text: bool(text.replace("\0", "").strip())
    )
)
def test_no_text_breaks_out_of_its_place(there: Hub, text: str) -> None:
    """Whatever an event holds becomes one value, or is refused; the deal is one."""
    there.crm.deals.clear()
    item = deal(order="A-1", name=text, email=text, properties={"remark": text})
    (outcome,) = there.do("upsert_deal", item)
    assert isinstance(outcome, Delivered | Rejected)
    assert there.crm.known("A-1")["dealname"][:100] == text.replace("\0", "").strip()[:100]
