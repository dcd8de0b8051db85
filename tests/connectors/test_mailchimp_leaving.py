"""Unsubscribing, archiving, tags and events: only for those who are there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bridge.connector import Delivered, Outcome, Rejected, Retry, Suppressed, Unknown
from bridge.testing.vendor import Answer, Reply, Silence, VendorServer
from connectors.mailchimp import (
    AddTags,
    Archive,
    LogEvent,
    Mailchimp,
    MailchimpSettings,
    Unsubscribe,
)
from tests.connectors.mailchimp_api.checking import MailchimpServer
from tests.connectors.mailchimp_audience import ABSENT, LIST, Audience, problem

ADA = "ada@example.com"
EVERY = ("subscribed", "pending", "unsubscribed", "cleaned", "archived", "transactional", "absent")


@pytest.fixture
def audience() -> Audience:
    return Audience()


@pytest.fixture
def vendor(audience: Audience) -> Iterator[VendorServer]:
    with MailchimpServer(handler=audience.answer) as server:
        yield server


@pytest.fixture
def mailchimp(vendor: VendorServer) -> Mailchimp:
    key = SecretStr("0123456789abcdefsecret-us6")
    return Mailchimp(MailchimpSettings(api_key=key, base_url=vendor.url))


def methods(vendor: VendorServer) -> list[str]:
    return [request.method for request in vendor.requests]


def unsubscribe(mailchimp: Mailchimp) -> Outcome:
    [outcome] = mailchimp.unsubscribe([Unsubscribe(audience=LIST, email=ADA)])
    return outcome


def archive(mailchimp: Mailchimp) -> Outcome:
    [outcome] = mailchimp.archive([Archive(audience=LIST, email=ADA)])
    return outcome


def tag(mailchimp: Mailchimp, **fields: Any) -> Outcome:
    [outcome] = mailchimp.add_tags([AddTags(audience=LIST, email=ADA, **fields)])
    return outcome


def an_event(**fields: Any) -> LogEvent:
    return LogEvent(audience=LIST, email=ADA, name="bought", **fields).for_delivery(
        "d1", event={"event": {"time": datetime(2026, 5, 31, tzinfo=UTC).isoformat()}}
    )


def log(mailchimp: Mailchimp, item: LogEvent) -> Outcome:
    [outcome] = mailchimp.log_event([item])
    return outcome


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        ("subscribed", "unsubscribed", Delivered),
        ("pending", "unsubscribed", Delivered),
        ("transactional", "unsubscribed", Delivered),
        ("unsubscribed", "unsubscribed", Delivered),
        ("cleaned", "cleaned", Suppressed),
        ("archived", "archived", Suppressed),
        ("absent", "absent", Suppressed),
    ],
)
def test_only_who_is_there_is_unsubscribed(
    mailchimp: Mailchimp, audience: Audience, before: str, after: str, outcome: type[Outcome]
) -> None:
    audience.add(ADA, before)
    assert isinstance(unsubscribe(mailchimp), outcome)
    assert audience.status(ADA) == after


@pytest.mark.parametrize(
    ("before", "after", "outcome", "calls"),
    [
        ("subscribed", "archived", Delivered, ["GET", "DELETE"]),
        ("unsubscribed", "archived", Delivered, ["GET", "DELETE"]),
        ("transactional", "archived", Delivered, ["GET", "DELETE"]),
        ("pending", "archived", Delivered, ["GET", "PATCH", "DELETE"]),
        ("archived", "archived", Delivered, ["GET"]),
        ("cleaned", "cleaned", Suppressed, ["GET"]),
        ("absent", "absent", Suppressed, ["GET"]),
    ],
)
def test_whoever_can_be_archived_is(
    mailchimp: Mailchimp,
    vendor: VendorServer,
    audience: Audience,
    before: str,
    after: str,
    outcome: type[Outcome],
    calls: list[str],
) -> None:
    audience.add(ADA, before)
    assert isinstance(archive(mailchimp), outcome)
    assert audience.status(ADA) == after
    assert methods(vendor) == calls


def test_whoever_cannot_be_archived_after_all_is_let_alone(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    refused = problem(405, "Method Not Allowed", "Can not archive a contact that is bounced ...")
    vendor.script(Answer(200, {"status": "subscribed"}), refused)
    assert isinstance(archive(mailchimp), Suppressed)
    vendor.script(Answer(200, {"status": "subscribed"}), ABSENT)
    assert isinstance(archive(mailchimp), Suppressed)


def test_an_unsubscription_that_is_not_confirmed_is_retried(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    vendor.script(Answer(200, {"status": "subscribed"}))
    assert isinstance(unsubscribe(mailchimp), Retry)


@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.parametrize("reply", [Answer(500), Answer(200, "<html>"), Silence.DROP], ids=repr)
def test_leaving_that_fails_is_tried_again(
    mailchimp: Mailchimp, vendor: VendorServer, reply: Reply, where: int
) -> None:
    for leave in (unsubscribe, archive):
        vendor.script(*[Answer(200, {"status": "subscribed"})] * where, reply)
        assert isinstance(leave(mailchimp), Retry)


# Tags


@pytest.mark.parametrize("status", EVERY)
def test_only_who_is_there_is_tagged(mailchimp: Mailchimp, audience: Audience, status: str) -> None:
    audience.add(ADA, status)
    outcome = tag(mailchimp, tags=["VIP"])
    is_there = status in ("subscribed", "pending", "transactional")
    assert isinstance(outcome, Delivered if is_there else Suppressed)
    assert audience.status(ADA) == status
    if status != "absent":
        assert audience.one(ADA)["tags"] == (["VIP"] if is_there else [])


def test_tags_come_and_go(mailchimp: Mailchimp, vendor: VendorServer, audience: Audience) -> None:
    audience.add(ADA, "subscribed")
    audience.one(ADA)["tags"] = ["Jazz", "Rock"]
    outcome = tag(mailchimp, tags=["VIP", "rock"], remove_tags=["jazz", "ROCK", ""])
    assert isinstance(outcome, Delivered)
    assert outcome.link == "https://us6.admin.mailchimp.com/lists/members/view?id=7"
    assert audience.one(ADA)["tags"] == ["Rock", "VIP"]
    assert vendor.requests[-1].body["tags"] == [
        {"name": "jazz", "status": "inactive"},
        {"name": "VIP", "status": "active"},
        {"name": "rock", "status": "active"},
    ]


def test_without_a_tag_there_is_nothing_to_do() -> None:
    with pytest.raises(ValidationError, match="no tag"):
        AddTags(audience=LIST, email=ADA, tags=["", " "])


def test_nothing_of_a_person_is_tagged_after_what_has_to_be_tried_again(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    vendor.script(Answer(200, {"status": "subscribed"}), Answer(500))
    items = [AddTags(audience=LIST, email=ADA, tags=[name]) for name in ("a", "b")]
    outcomes = mailchimp.add_tags(items)
    assert [type(each) for each in outcomes] == [Retry, Retry]
    assert methods(vendor) == ["GET", "POST"]


# Events


@pytest.mark.parametrize("status", EVERY)
def test_only_of_who_is_there_events_are_logged(
    mailchimp: Mailchimp, audience: Audience, status: str
) -> None:
    audience.add(ADA, status)
    outcome = log(mailchimp, an_event(properties={"event": "Jazz Night", "empty": ""}))
    is_there = status in ("subscribed", "pending", "transactional")
    assert isinstance(outcome, Delivered if is_there else Suppressed)
    assert audience.status(ADA) == status
    if is_there:
        assert audience.one(ADA)["events"] == [
            {
                "name": "bought",
                "properties": {"event": "Jazz Night", "delivery": "d1"},
                "occurred_at": "2026-05-31T00:00:00+00:00",
            }
        ]


@pytest.mark.parametrize("silence", list(Silence))
def test_an_event_whose_answer_is_lost_may_have_been_logged(
    vendor: VendorServer, silence: Silence
) -> None:
    key = SecretStr("0123456789abcdefsecret-us6")
    mailchimp = Mailchimp(MailchimpSettings(api_key=key, base_url=vendor.url, timeout=0.2))
    vendor.script(Answer(200, {"status": "subscribed"}), silence)
    assert isinstance(log(mailchimp, an_event()), Unknown)


def test_an_event_that_was_logged_is_found(mailchimp: Mailchimp, audience: Audience) -> None:
    audience.add(ADA, "subscribed")
    assert mailchimp.find("log_event", an_event()) is None
    log(mailchimp, an_event())
    assert mailchimp.find("log_event", an_event()) == Delivered()
    other = an_event().for_delivery("d2")
    assert mailchimp.find("log_event", other) is None


def test_of_whoever_is_gone_nothing_was_logged(mailchimp: Mailchimp) -> None:
    assert mailchimp.find("log_event", an_event()) is None


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(500), Retry),
        (problem(401, "API Key Invalid"), Unknown),
        (problem(400, "Bad Request"), Unknown),
        (Answer(200, {"events": None}), Retry),
    ],
)
def test_where_events_cannot_be_read_nobody_can_tell(
    mailchimp: Mailchimp, vendor: VendorServer, answer: Answer, outcome: type[Outcome]
) -> None:
    vendor.script(answer)
    assert isinstance(mailchimp.find("log_event", an_event()), outcome)


def test_everything_else_may_be_done_twice(mailchimp: Mailchimp) -> None:
    item = Archive(audience=LIST, email=ADA)
    assert isinstance(mailchimp.find("archive", item), Unknown)


@pytest.mark.parametrize("name", ["", "x", "y" * 31])
def test_the_name_of_an_event_has_2_to_30_characters(name: str) -> None:
    with pytest.raises(ValidationError):
        LogEvent(audience=LIST, email=ADA, name=name)


def test_an_audience_that_is_not_there_is_named_for_every_action(mailchimp: Mailchimp) -> None:
    who: dict[str, Any] = {"audience": "nowhere", "email": ADA}
    outcomes = [
        *mailchimp.unsubscribe([Unsubscribe(**who)]),
        *mailchimp.archive([Archive(**who)]),
        *mailchimp.add_tags([AddTags(**who, tags=["x"])]),
        *mailchimp.log_event([LogEvent(**who, name="bought")]),
    ]
    assert all(isinstance(each, Rejected) and "`nowhere`" in each.reason for each in outcomes)
