"""What an account's objects can hold: read at the account's pace, remembered, read anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.connector import Halted, Unpaced
from bridge.testing.batches import CountingPacer
from bridge.testing.vendor import Answer, Reply, Silence, VendorServer
from connectors.hubspot import HubSpotSettings
from connectors.hubspot.calls import Line
from connectors.hubspot.schema import FRESH, PATIENT, NotRead, Option, Property, Schema, Stage
from tests.conftest import Now

TIER = {
    "name": "vip_tier",
    "label": "VIP tier",
    "type": "enumeration",
    "fieldType": "select",
    "options": [
        {"label": "Bronze", "value": "b", "displayOrder": 2, "hidden": False},
        {"label": "Silver", "value": "s", "displayOrder": 1, "hidden": False},
    ],
    "modificationMetadata": {"readOnlyValue": False},
    "hasUniqueValue": False,
}
ORDER = {"name": "order_id", "type": "string", "fieldType": "text", "hasUniqueValue": True}
SCORE = {"name": "score", "type": "number", "fieldType": "number", "calculated": True}
TOLD = Answer(200, {"results": [TIER, ORDER, SCORE, "nonsense", {"name": None}]})
PIPELINES = Answer(
    200,
    {
        "results": [
            {"id": "2", "label": "Renewals", "displayOrder": 1, "stages": []},
            {
                "id": "default",
                "label": "Sales",
                "displayOrder": 0,
                "stages": [
                    {
                        "id": "closedwon",
                        "label": "Closed won",
                        "displayOrder": 1,
                        "metadata": {"isClosed": "true", "probability": "1.0"},
                    },
                    {"id": "new", "label": "New", "displayOrder": 0, "metadata": None},
                ],
            },
        ]
    },
)
FORBIDDEN = Answer(403, {"status": "error", "category": "MISSING_SCOPES"})


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with VendorServer() as server:
        yield server


def schema(vendor: VendorServer, now: Now, *replies: Reply, pacer: Any = None) -> Schema:
    vendor.script(*replies)
    settings = HubSpotSettings(access_token=SecretStr("pat-1"), base_url=vendor.url, timeout=1)
    return Schema(Line(settings, pacer or Unpaced()), now)


def test_properties_are_told_with_type_options_and_what_may_be_written(
    vendor: VendorServer, now: Now
) -> None:
    known = schema(vendor, now, TOLD)
    assert known.property("contacts", "vip_tier") == Property(
        "vip_tier",
        "VIP tier",
        "enumeration",
        "select",
        (Option("Silver", "s"), Option("Bronze", "b")),
    )
    order, score = known.property("contacts", "order_id"), known.property("contacts", "score")
    assert order is not None
    assert score is not None
    assert (order.unique, score.read_only) == (True, True)
    assert [each.path for each in vendor.requests] == ["/crm/v3/properties/contacts"]


def test_pipelines_come_in_their_order_with_stages_by_label_or_id(
    vendor: VendorServer, now: Now
) -> None:
    known = schema(vendor, now, PIPELINES)
    assert [each.label for each in known.pipelines("deals") or ()] == ["Sales", "Renewals"]
    won = Stage("closedwon", "Closed won", 1, closed=True, probability=1.0)
    assert known.stage("deals", "sales", "CLOSED WON ") == won
    assert known.stage("deals", "default", "closedwon") == won
    assert known.stage("deals", "default", "Lost") is None
    assert known.stage("deals", "Nowhere", "New") is None


def test_what_was_read_is_believed_for_some_minutes(vendor: VendorServer, now: Now) -> None:
    known = schema(vendor, now, TOLD)
    known.property("contacts", "vip_tier")
    now.advance(FRESH - 1)
    known.property("contacts", "vip_tier")
    assert len(vendor.requests) == 1
    now.advance(2)
    known.property("contacts", "vip_tier")
    assert len(vendor.requests) == 2


def test_before_a_name_is_said_to_be_missing_it_is_read_anew_once(
    vendor: VendorServer, now: Now
) -> None:
    known = schema(vendor, now, Answer(200, {"results": []}), TOLD)
    assert known.property("contacts", "vip_tier") is None
    now.advance(PATIENT - 1)
    assert known.property("contacts", "vip_tier") is None
    assert len(vendor.requests) == 1
    now.advance(2)
    assert known.property("contacts", "vip_tier") is not None
    assert known.property("contacts", "no_such") is None
    assert len(vendor.requests) == 2


def test_what_the_token_may_not_read_is_unknown_and_not_missing(
    vendor: VendorServer, now: Now
) -> None:
    known = schema(vendor, now, FORBIDDEN)
    assert not known.is_known("contacts")
    assert known.property("contacts", "vip_tier") is None
    assert known.pipelines("deals") is None


@pytest.mark.parametrize(
    "reply",
    [
        Answer(429, {"message": "secondly"}),
        Answer(500, {"status": "error"}),
        Answer(403, "<html>Attention</html>"),
        Answer(200, "<html>Welcome</html>"),
        Answer(200, {"results": "many"}),
        Silence.DROP,
    ],
    ids=["429", "500", "403 in HTML", "HTML", "no list", "silence"],
)
def test_where_hubspot_cannot_be_asked_what_was_read_before_is_believed(
    vendor: VendorServer, now: Now, reply: Reply
) -> None:
    with pytest.raises(NotRead):
        schema(vendor, now, reply).property("contacts", "vip_tier")
    known = schema(vendor, now, TOLD, reply)
    known.property("contacts", "vip_tier")
    now.advance(FRESH + 1)
    assert known.property("contacts", "vip_tier") is not None
    assert len(vendor.requests) == 3


def test_a_refused_token_halts(vendor: VendorServer, now: Now) -> None:
    with pytest.raises(Halted):
        schema(vendor, now, Answer(401, {"category": "INVALID_AUTHENTICATION"})).pipelines("deals")


def test_reading_keeps_to_the_pace(vendor: VendorServer, now: Now) -> None:
    with pytest.raises(NotRead) as caught:
        schema(vendor, now, TOLD, pacer=CountingPacer(0)).is_known("contacts")
    assert caught.value.retry.whole_account
    assert not vendor.requests
