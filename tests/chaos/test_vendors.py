"""The vendors' simulator, asked by the connectors as the bridge asks the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import urllib3
from pydantic import SecretStr

from bridge.connector import Delivered, OptIn, Retry, Suppressed, Unknown
from connectors.hubspot import CONTACTS, HubSpot, HubSpotSettings, UpsertContact
from connectors.mailchimp import Mailchimp, MailchimpSettings, Subscribe
from connectors.slack import PostMessage, Slack, SlackSettings
from tests.chaos.simulator import Simulator, running_vendors

QUIET = {"before": 0, "after": 0, "reset": 0, "slow": 0, "throttle": 0, "latency": 0}


@pytest.fixture(scope="module")
def process() -> Iterator[Simulator]:
    with running_vendors(1, "--hubspot-calls", "20") as started:
        yield started


@pytest.fixture
def vendors(process: Simulator) -> Simulator:
    process.set_faults({"all": QUIET})
    process.reset()
    return process


def hubspot(vendors: Simulator) -> HubSpot:
    return HubSpot(HubSpotSettings(access_token=SecretStr("pat-test"), base_url=vendors.url))


def slack(vendors: Simulator) -> Slack:
    return Slack(SlackSettings(bot_token=SecretStr("xoxb-test"), base_url=vendors.url))


def mailchimp(vendors: Simulator) -> Mailchimp:
    settings = MailchimpSettings(
        api_key=SecretStr("key-us6"),
        base_url=vendors.url,
        opt_in=OptIn(wording="Send me news", version="1"),
        double_opt_in=False,
    )
    return Mailchimp(settings)


def contact(email: str, **properties: str) -> UpsertContact:
    return UpsertContact(email=email, properties=properties)


def message(delivery: str, channel: str = "#sales-001") -> PostMessage:
    return PostMessage(channel=channel, text="hello").for_delivery(delivery)


def person(email: str) -> Subscribe:
    return Subscribe(audience="a1b2c3d4e5", email=email, merge_fields={"LAST": "1"}, tags=["VIP"])


def batch(vendors: Simulator, kind: str, inputs: list[Any], **more: Any) -> Mapping[str, Any]:
    answer = urllib3.request(
        "POST",
        f"{vendors.url}{CONTACTS}/batch/{kind}",
        json={"inputs": inputs, **more},
        headers={"Authorization": "Bearer pat-test"},
    )
    return {"status_code": answer.status, **answer.json()}


def test_hubspot_makes_a_contact_once_and_then_changes_it(vendors: Simulator) -> None:
    connector = hubspot(vendors)
    for value in ("1", "2"):
        [outcome] = connector.upsert_contact([contact("Ada@example.com", last_event=value)])
        assert isinstance(outcome, Delivered)
    done = [(each["kind"], each["key"], each["value"]) for each in vendors.effects()]
    assert [(kind, key, value["last_event"]) for kind, key, value in done] == [
        ("create", "ada@example.com", "1"),
        ("update", "ada@example.com", "2"),
    ]


def test_hubspot_refuses_more_calls_than_its_window_takes(vendors: Simulator) -> None:
    connector = hubspot(vendors)
    vendors.add_people({"hubspot": ["ada@example.com"]})
    outcomes = [
        connector.upsert_contact([contact("ada@example.com", last_event=str(number))])[0]
        for number in range(25)
    ]
    assert [isinstance(outcome, Delivered) for outcome in outcomes] == [True] * 20 + [False] * 5
    assert vendors.counters()["over_limit"] == {"hubspot window": 5}


def test_hubspot_tells_of_each_input_that_has_a_trace_id_of_its_own(vendors: Simulator) -> None:
    inputs = [
        {"properties": {"email": f"{name}@example.com", **more}, "objectWriteTraceId": name}
        for name, more in (("ada", {}), ("eve", {"poison": "yes"}), ("bo", {}))
    ]
    answer = batch(vendors, "create", inputs)
    assert answer["status_code"] == 207
    assert [each["objectWriteTraceId"] for each in answer["results"]] == ["ada", "bo"]
    assert [each["context"] for each in answer["errors"]] == [{"objectWriteTraceId": ["eve"]}]


@pytest.mark.parametrize("broken", ["no trace ids", "twins"])
def test_hubspot_refuses_a_batch_whole(vendors: Simulator, broken: str) -> None:
    second = (
        {"email": "ada@example.com"} if broken == "twins" else {"email": "e@f.g", "poison": "1"}
    )
    inputs = [{"properties": {"email": "ada@example.com"}}, {"properties": second}]
    answer = batch(vendors, "create", inputs)
    assert (answer["status_code"], answer["category"]) == (400, "VALIDATION_ERROR")
    assert vendors.effects() == []


def test_hubspot_finds_in_bulk_by_address_and_updates_by_id(vendors: Simulator) -> None:
    vendors.add_people({"hubspot": ["ada@example.com"]})
    wanted = [{"id": "ADA@example.com"}, {"id": "new@example.com"}]
    answer = batch(vendors, "read", wanted, idProperty="email")
    assert answer["status_code"] == 207
    [found] = answer["results"]
    batch(vendors, "update", [{"id": found["id"], "properties": {"last_event": "7"}}])
    [effect] = vendors.effects()
    assert (effect["key"], effect["value"]) == ("ada@example.com", {"last_event": "7"})


def test_slack_shows_in_its_history_which_delivery_a_message_was(vendors: Simulator) -> None:
    connector = slack(vendors)
    vendors.set_faults({"slack": {"reset": 1.0}})
    [outcome] = connector.post_message([message("d-1")])
    assert isinstance(outcome, Unknown)
    vendors.set_faults({"slack": QUIET})
    assert isinstance(connector.find("post_message", message("d-1")), Delivered)
    assert connector.find("post_message", message("d-2")) is None
    [effect] = vendors.effects()
    assert effect["value"]["deliveries"] == ["d-1"]


def test_slack_takes_a_burst_and_then_one_message_a_second(vendors: Simulator) -> None:
    connector = slack(vendors)
    outcomes = [connector.post_message([message(f"d-{number}")])[0] for number in range(7)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Retry)]
    assert 1 <= len(refused) <= 2
    assert refused[0].after == 1.0
    assert isinstance(connector.post_message([message("d-9", "#sales-002")])[0], Delivered)


def test_mailchimp_leaves_those_alone_who_have_left(vendors: Simulator) -> None:
    vendors.add_people(
        {"mailchimp": {"a1b2c3d4e5": {"left@example.com": "unsubscribed", "x@y.z": "forgotten"}}}
    )
    connector = mailchimp(vendors)
    outcomes = [
        connector.subscribe([person(email)])[0]
        for email in ("new@example.com", "left@example.com", "x@y.z")
    ]
    assert isinstance(outcomes[0], Delivered)
    assert all(isinstance(outcome, Suppressed) for outcome in outcomes[1:])
    assert {(each["kind"], each["key"]) for each in vendors.effects()} == {
        ("subscribe", "new@example.com"),
        ("tag", "new@example.com"),
    }


def test_mailchimp_notes_a_status_that_is_put(vendors: Simulator) -> None:
    url = f"{vendors.url}/3.0/lists/a1b2c3d4e5/members/{'0' * 32}"
    member = {"email_address": "a@b.ca", "status": "subscribed"}
    urllib3.request("PUT", url, json=member, headers={"Authorization": "Basic key"})
    assert vendors.counters()["violations"] == 1


def test_mailchimp_creates_in_bulk_and_names_those_who_are_there(vendors: Simulator) -> None:
    vendors.add_people({"mailchimp": {"a1b2c3d4e5": {"ada@example.com": "subscribed"}}})
    members = [
        {"email_address": email, "status": "subscribed"}
        for email in ("ada@example.com", "new@example.com")
    ]
    answer = urllib3.request(
        "POST",
        f"{vendors.url}/3.0/lists/a1b2c3d4e5",
        json={"members": members, "update_existing": False},
        headers={"Authorization": "Basic key"},
    ).json()
    assert (answer["total_created"], answer["error_count"]) == (1, 1)
    assert answer["errors"][0]["error_code"] == "ERROR_CONTACT_EXISTS"


@pytest.mark.parametrize(("fault", "done"), [("before", 0), ("after", 1), ("reset", 1)])
def test_a_fault_comes_before_or_after_the_work(vendors: Simulator, fault: str, done: int) -> None:
    vendors.add_people({"hubspot": ["ada@example.com"]})
    vendors.set_faults({"hubspot": {fault: 1.0}})
    [outcome] = hubspot(vendors).upsert_contact([contact("ada@example.com", last_event="1")])
    assert isinstance(outcome, Retry)
    assert len(vendors.effects()) == done


def test_a_forced_429_is_not_counted_as_one_over_the_limit(vendors: Simulator) -> None:
    vendors.set_faults({"mailchimp": {"throttle": 1.0}})
    [outcome] = mailchimp(vendors).subscribe([person("a@b.ca")])
    assert isinstance(outcome, Retry)
    counters = vendors.counters()
    assert (counters["over_limit"], counters["faults"]) == ({}, {"mailchimp throttle": 1})


def test_the_same_seed_draws_the_same_faults(vendors: Simulator) -> None:
    vendors.set_faults({"hubspot": {"before": 0.3, "after": 0.3}})
    drawn = []
    for _ in range(2):
        vendors.reset()
        vendors.add_people({"hubspot": ["ada@example.com"]})
        connector = hubspot(vendors)
        drawn.append(
            [
                connector.upsert_contact([contact("ada@example.com", last_event="1")])[0]
                for _ in range(15)
            ]
        )
    assert drawn[0] == drawn[1]
    assert len({type(outcome) for outcome in drawn[0]}) == 2
