"""Audiences, merge fields, groups, permissions and stores by their names; and asking for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.connector import Delivered, Outcome, Rejected, Retry, Use
from bridge.testing.vendor import Answer, VendorServer
from connectors.mailchimp import Mailchimp, MailchimpSettings, Subscribe
from tests.connectors.mailchimp_api.checking import MailchimpServer
from tests.connectors.mailchimp_audience import ABSENT, LIST, Audience, a_field, problem

ADA = "ada@example.com"


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def audience() -> Audience:
    audience = Audience()
    audience.add("somebody@example.com", "subscribed")
    return audience


@pytest.fixture
def vendor(audience: Audience) -> Iterator[VendorServer]:
    with MailchimpServer(handler=audience.answer) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mailchimp(vendor: VendorServer, clock: Clock) -> Mailchimp:
    settings = MailchimpSettings(
        api_key=SecretStr("0123456789abcdefsecret-us6"),
        base_url=vendor.url,
        audiences={"news": "Newsletter", "ours": LIST},
    )
    connector = Mailchimp(settings)
    connector._directory.now = clock
    return connector


def subscribe(mailchimp: Mailchimp, audience: str = LIST, **fields: Any) -> Outcome:
    [outcome] = mailchimp.subscribe([Subscribe(audience=audience, email=ADA, **fields)])
    return outcome


def asked(vendor: VendorServer, ending: str) -> int:
    return sum(request.path.endswith(ending) for request in vendor.requests)


@pytest.mark.parametrize("name", ["Newsletter", " newsletter ", "news", "ours", LIST])
def test_an_audience_has_many_names(mailchimp: Mailchimp, audience: Audience, name: str) -> None:
    assert isinstance(subscribe(mailchimp, name), Delivered)
    assert audience.status(ADA) == "pending"


def test_an_id_is_not_looked_up(mailchimp: Mailchimp, vendor: VendorServer) -> None:
    subscribe(mailchimp, "ours")
    assert asked(vendor, "/lists") == 0


def test_what_was_read_is_remembered_for_ten_minutes(
    mailchimp: Mailchimp, vendor: VendorServer, clock: Clock
) -> None:
    for _ in range(3):
        subscribe(mailchimp, "news", merge_fields={"FNAME": "A"}, groups={"interests": "theatre"})
    endings = ("/lists", "/merge-fields", "/interest-categories", "/interests")
    assert [asked(vendor, ending) for ending in endings] == [1, 1, 1, 1]
    clock.time += 601
    subscribe(mailchimp, "news", merge_fields={"FNAME": "A"}, groups={"interests": "theatre"})
    assert [asked(vendor, ending) for ending in endings] == [2, 2, 2, 2]


def test_what_is_new_is_found_without_waiting(
    mailchimp: Mailchimp, audience: Audience, clock: Clock
) -> None:
    assert isinstance(subscribe(mailchimp, merge_fields={"SHIRT": "S"}), Rejected)
    audience.fields.append(a_field("SHIRT", "dropdown", choices=["S", "M"]))
    clock.time += 31
    assert isinstance(subscribe(mailchimp, merge_fields={"SHIRT": "s"}), Delivered)
    assert audience.one(ADA)["merge_fields"] == {"SHIRT": "S"}


def test_a_name_that_is_nowhere_is_not_asked_for_each_time(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    for _ in range(5):
        assert isinstance(subscribe(mailchimp, merge_fields={"NOWHERE": "x"}), Rejected)
    assert asked(vendor, "/merge-fields") == 1


def test_what_was_known_is_believed_while_mailchimp_is_away(
    mailchimp: Mailchimp, vendor: VendorServer, audience: Audience, clock: Clock
) -> None:
    subscribe(mailchimp, merge_fields={"FNAME": "A"})
    clock.time += 601
    vendor.handler = lambda request: (
        Answer(500) if request.path.endswith("/merge-fields") else audience.answer(request)
    )
    assert isinstance(subscribe(mailchimp, merge_fields={"FNAME": "Ada"}), Delivered)
    assert isinstance(subscribe(mailchimp, merge_fields={"NEW": "Ada"}), Retry)


def test_what_cannot_be_read_is_asked_for_once_in_a_batch(
    mailchimp: Mailchimp, vendor: VendorServer, audience: Audience
) -> None:
    vendor.handler = lambda request: (
        Answer(500) if request.path.endswith("/merge-fields") else audience.answer(request)
    )
    named = [
        Subscribe(audience=LIST, email=f"{n}@example.com", merge_fields={"FNAME": "A"})
        for n in range(20)
    ]
    plain = Subscribe(audience=LIST, email=ADA)
    outcomes = mailchimp.subscribe([*named, plain])
    assert [type(each) for each in outcomes] == [Retry] * 20 + [Delivered]
    assert asked(vendor, "/merge-fields") == 1


@pytest.mark.parametrize("crowded", [Answer(429), Answer(403, "<html>Forbidden</html>")])
def test_a_crowded_mailchimp_is_asked_nothing_more(
    mailchimp: Mailchimp, vendor: VendorServer, crowded: Answer
) -> None:
    vendor.script(crowded)
    items = [Subscribe(audience=str(n), email=f"{n}@example.com") for n in range(9)]
    outcomes = mailchimp.subscribe(items)
    assert all(isinstance(each, Retry) and each.whole_account for each in outcomes)
    assert len(vendor.requests) == 1


def test_two_audiences_with_one_name_are_told_apart_by_id(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    both = [{"id": "a36b032126", "name": "News"}, {"id": "b17c943aa0", "name": "news"}]
    vendor.script(Answer(200, {"lists": both}))
    outcome = subscribe(mailchimp, "NEWS")
    assert isinstance(outcome, Rejected)
    assert "several audiences" in outcome.reason


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"merge_fields": {"SHOE": "42"}}, "no merge field `SHOE`"),
        ({"merge_fields": {"<!channel>": "42"}}, "no merge field `…`"),
        ({"groups": {"Hobbies": ["Jazz"]}}, "no group category `Hobbies`"),
        ({"groups": {"Interests": ["Jazz"]}}, "`Interests` has no group `Jazz`"),
        ({"permissions": ["Fax"]}, "no marketing permission `Fax`"),
    ],
)
def test_a_name_that_is_nowhere_is_named_before_anything_is_written(
    mailchimp: Mailchimp, vendor: VendorServer, fields: Mapping[str, Any], words: str
) -> None:
    outcome = subscribe(mailchimp, **fields)
    assert isinstance(outcome, Rejected)
    assert words in outcome.reason
    assert {request.method for request in vendor.requests} == {"GET"}


def test_groups_language_and_permissions_are_written_by_their_names(
    mailchimp: Mailchimp, audience: Audience
) -> None:
    outcome = subscribe(
        mailchimp,
        groups={"interests": ["Concerts", "", "concerts"]},
        permissions=["email", " Direct  mail"],
        language="pt-pt",
    )
    assert isinstance(outcome, Delivered)
    ada = audience.one(ADA)
    assert ada["interests"] == {"9143cf3bd1": True}
    assert ada["permissions"] == {"2a4819ebc7", "4256fc7dc5"}
    assert ada["language"] == "pt_PT"


def test_whoever_is_there_keeps_the_permissions_that_they_chose(
    mailchimp: Mailchimp, audience: Audience
) -> None:
    audience.add(ADA, "subscribed")
    assert isinstance(subscribe(mailchimp, permissions=["Email"]), Delivered)
    assert audience.one(ADA)["permissions"] == set()


def test_an_audience_without_contacts_shows_no_permissions(
    mailchimp: Mailchimp, audience: Audience
) -> None:
    audience.members.clear()
    outcome = subscribe(mailchimp, permissions=["Email"])
    assert isinstance(outcome, Rejected)
    assert "add one contact" in outcome.reason


# The survey


def survey(mailchimp: Mailchimp, *uses: Use) -> list[tuple[str, str]]:
    return [(each.what, each.state) for each in mailchimp.survey(uses)]


def use(action: str = "subscribe", **fields: Any) -> Use:
    return Use("Buyers", action, {"audience": "news", "email": "{{ contact.email }}", **fields})


def test_a_survey_asks_for_all_that_the_rules_name(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    first = use(
        merge_fields={"FNAME": "{{ contact.first_name }}", "LTV": "much", "SHOE": "42"},
        groups={"Interests": ["Concerts", "{{ tickets[0].type }}"], "Hobbies": ["Jazz"]},
        permissions=["Email", "Fax"],
    )
    orders = Use("Orders", "add_order", {"store": "Box Office", "order_id": "{{ order.id }}"})
    baker = Use("Bread", "refund_order", {"store": "Bakery"})
    found = survey(mailchimp, first, use(), use(audience="nowhere"), orders, baker)
    assert found == [
        ("the API key", "right"),
        ("the audience `news`", "right"),
        ("the merge field `FNAME` of the audience `news`", "right"),
        ("the merge field `LTV` of the audience `news`", "wrong"),
        ("the merge field `SHOE` of the audience `news`", "wrong"),
        ("the group `Concerts` in `Interests` of the audience `news`", "right"),
        ("the group `Jazz` in `Hobbies` of the audience `news`", "wrong"),
        ("the marketing permission `Email` of the audience `news`", "right"),
        ("the marketing permission `Fax` of the audience `news`", "wrong"),
        ("the audience `nowhere`", "wrong"),
        ("the store `Box Office`", "right"),
        ("the store `Bakery`", "wrong"),
    ]
    assert all(each.advice for each in mailchimp.survey([first]) if each.state == "wrong")
    assert {request.method for request in vendor.requests} == {"GET"}


def test_a_survey_sees_that_an_id_is_none(mailchimp: Mailchimp) -> None:
    assert survey(mailchimp, use("add_tags", audience="0123456789"))[1][1] == "wrong"


def test_what_the_event_fills_in_is_not_asked_for(
    mailchimp: Mailchimp, vendor: VendorServer
) -> None:
    assert survey(mailchimp, use(audience="{{ order.currency }}")) == [("the API key", "right")]
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (problem(401, "API Key Invalid"), "wrong"),
        (problem(403, "User Disabled"), "wrong"),
        (Answer(500), "unknown"),
        (Answer(200, "<html>Welcome to our hotel</html>"), "unknown"),
    ],
)
def test_a_key_that_is_refused_ends_the_survey(
    mailchimp: Mailchimp, vendor: VendorServer, answer: Answer, state: str
) -> None:
    vendor.script(answer)
    [checked] = mailchimp.survey([use()])
    assert (checked.what, checked.state) == ("the API key", state)
    assert checked.advice


def test_without_a_key_the_survey_says_so() -> None:
    [checked] = Mailchimp(MailchimpSettings()).survey([use()])
    assert checked.state == "wrong"
    assert "no API key" in checked.advice


def test_what_cannot_be_asked_is_unknown(mailchimp: Mailchimp, vendor: VendorServer) -> None:
    vendor.script(Answer(200, {"health_status": "Everything's Chimpy!"}), Answer(500))
    assert survey(mailchimp, use())[1] == ("the audience `news`", "unknown")


def test_a_list_that_is_gone_is_no_audience(mailchimp: Mailchimp, vendor: VendorServer) -> None:
    vendor.script(ABSENT)
    outcome = subscribe(mailchimp, merge_fields={"FNAME": "A"})
    assert isinstance(outcome, Rejected)
    assert "no audience" in outcome.reason
