"""Custom events through HubSpot's own SDK: once for each delivery, and plainly refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.connector import Delivered, Halted, Rejected, Retry
from bridge.testing.probes import HOSTILE
from bridge.testing.vendor import Answer, Silence
from connectors.hubspot.events import LogEvent
from tests.connectors.hubspot_bench import BARRED, LIMITED, Hub, HubSpotConformance, hub
from tests.connectors.hubspot_crm import Crm

SEND = "POST /events/v3/send"
PEOPLE = [f"POST /crm/v3/objects/contacts/batch/{name}" for name in ("read", "create")]
EVENT = {"event": {"id": "e1", "time": "2026-03-01T10:00:00+00:00", "type": "x", "source": "y"}}


@pytest.fixture
def there() -> Iterator[Hub]:
    with hub(Crm()) as found:
        yield found


def bought(delivery: str = "0" * 24, **fields: Any) -> LogEvent:
    told = {"name": "pe123_ticket_bought", "email": "ada@example.com", **fields}
    return LogEvent.model_validate(told).for_delivery(delivery, event=EVENT)


class TestConformance(HubSpotConformance):
    action = "log_event"

    def item(self, action: str) -> Mapping[str, Any]:
        return {
            "name": "pe123_ticket_bought",
            "email": "ada+tag@example.com",
            "properties": {"ticket_type": "VIP"},
            "time": "2026-03-01",
        }

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {**self.item(action), "properties": {"ticket_type": "poison"}}


def test_an_event_is_logged_for_the_contact(there: Hub) -> None:
    contact = there.crm.account.add("ada@example.com")
    item = bought(properties={"ticket_type": "VIP", "seats": 2, "empty": " "})
    assert there.one("log_event", item) == Delivered()
    ((uuid, sent),) = there.crm.events.items()
    assert sent == {
        "eventName": "pe123_ticket_bought",
        "objectId": contact,
        "properties": {"ticket_type": "VIP", "seats": "2"},
        "occurredAt": "2026-03-01T10:00:00.000Z",
        "uuid": uuid,
    }
    assert there.calls() == [PEOPLE[0], SEND]


def test_the_same_delivery_is_one_event_and_another_is_another(there: Hub) -> None:
    for delivery in ("0" * 24, "0" * 24, "1" * 24):
        assert there.one("log_event", bought(delivery)) == Delivered()
    assert len(there.crm.events) == 2


def test_an_event_that_hubspot_says_it_has_is_delivered(there: Hub) -> None:
    there.instead("/send", Answer(409, {"status": "error", "category": "CONFLICT"}))
    assert there.one("log_event", bought()) == Delivered(remark="HubSpot had this event already")


def test_who_is_no_contact_yet_becomes_a_bare_one(there: Hub) -> None:
    there.one("log_event", bought())
    assert there.calls() == [*PEOPLE, SEND]


@pytest.mark.parametrize("status", [402, 403])
def test_a_plan_without_custom_events_refuses_the_event_and_not_the_account(
    there: Hub, status: int
) -> None:
    there.instead("/send", Answer(status, BARRED.body))
    assert there.one("log_event", bought()) == Rejected(
        "HubSpot does not let this account log custom events: they need an Enterprise plan, "
        "and the access token the scope analytics.behavioral_events.send"
    )


def test_an_event_that_is_not_defined_is_named(there: Hub) -> None:
    assert there.one("log_event", bought(name="pe123_other")) == Rejected(
        "HubSpot has no custom event `pe123_other`; define it there, "
        "under Data Management, Event Management"
    )


@pytest.mark.parametrize("name", ["ticket bought", "pe_x", "pe12", "PE12_x", "pe12_x/../y"])
def test_only_an_internal_name_is_one(name: str) -> None:
    with pytest.raises(ValidationError, match="internal name, such as"):
        bought(name=name)


@pytest.mark.parametrize(
    "reply", [Silence.DROP, Answer(500), Answer(429, LIMITED), Answer(200, "<html>")], ids=repr
)
@pytest.mark.parametrize("path", ["batch/read", "batch/create", "/send"])
def test_whatever_passes_is_tried_again(there: Hub, path: str, reply: Any) -> None:
    there.instead(path, reply)
    assert isinstance(there.one("log_event", bought()), Retry)
    assert there.one("log_event", bought()) == Delivered()


def test_a_token_that_is_refused_halts_the_account(there: Hub) -> None:
    there.instead("/send", Answer(401, {"status": "error", "category": "INVALID_AUTHENTICATION"}))
    with pytest.raises(Halted, match="does not accept the access token"):
        there.one("log_event", bought())


@examples(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.one_of(st.text(max_size=200), st.sampled_from(HOSTILE)))
def test_no_text_breaks_out_of_its_place(there: Hub, text: str) -> None:
    there.crm.events.clear()
    outcome = there.one("log_event", bought(properties={"ticket_type": text}, time=text))
    assert isinstance(outcome, Delivered | Rejected)
    for sent in there.crm.events.values():
        assert set(sent["properties"]) <= {"ticket_type"}
        assert "\0" not in sent["properties"].get("ticket_type", "")
