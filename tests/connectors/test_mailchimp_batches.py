"""Several people at once at Mailchimp: few calls, side by side, and nobody comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Barrier, Lock
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.connector import (
    Delivered,
    Halted,
    NotNow,
    OptIn,
    Outcome,
    Pacer,
    Rejected,
    Retry,
    Seen,
    Suppressed,
)
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.mailchimp import Mailchimp, MailchimpSettings, Subscribe, Unsubscribe
from tests.connectors.mailchimp_api.checking import MailchimpServer
from tests.connectors.mailchimp_audience import (
    LIST,
    REFUSED_FIELD,
    Audience,
    member_name,
    problem,
)

BULK = f"/3.0/lists/{LIST}"
LISTED = f"/3.0/lists/{LIST}/members"


@pytest.fixture
def audience() -> Audience:
    return Audience()


@pytest.fixture
def vendor(audience: Audience) -> Iterator[VendorServer]:
    with MailchimpServer(handler=audience.answer) as server:
        yield server


def mailchimp(vendor: VendorServer, pacer: Pacer | None = None, **more: Any) -> Mailchimp:
    key = SecretStr("0123456789abcdefsecret-us6")
    settings = {"timeout": 5.0, **more}
    return Mailchimp(MailchimpSettings(api_key=key, base_url=vendor.url, **settings), pacer)


def person(name: str, **fields: Any) -> Subscribe:
    return Subscribe(audience=LIST, email=f"{name}@example.com", **fields)


def people(count: int) -> list[Subscribe]:
    return [person(f"buyer{number}", tags=["Jazz"]) for number in range(count)]


def calls(vendor: VendorServer) -> list[str]:
    return [f"{request.method} {request.path.removeprefix(BULK)}" for request in vendor.requests]


def kinds(outcomes: Sequence[Outcome]) -> list[type[Outcome]]:
    return [type(outcome) for outcome in outcomes]


def instead(
    audience: Audience, matches: Callable[[Request], bool], reply: Reply
) -> Callable[[Request], Reply]:
    """The audience, but for the requests that match."""
    return lambda request: reply if matches(request) else audience.answer(request)


def is_bulk(request: Request) -> bool:
    return request.method == "POST" and request.path == BULK


def is_listed(request: Request) -> bool:
    return request.path == LISTED and "status" in request.query


def test_a_hundred_new_people_are_two_calls(vendor: VendorServer, audience: Audience) -> None:
    outcomes = mailchimp(vendor).subscribe(people(100))
    assert kinds(outcomes) == [Delivered] * 100
    assert calls(vendor) == ["GET /members", "POST "]
    assert {one["status"] for one in audience.members.values()} == {"pending"}
    assert all(one["tags"] == ["Jazz"] for one in audience.members.values())


def test_a_bulk_creation_says_who_is_new_and_how(vendor: VendorServer) -> None:
    ada = person("Ada", merge_fields={"FNAME": "Ada"}, tags=["VIP"])
    outcome, _ = mailchimp(vendor).subscribe([ada, person("bob")])
    fields, listed, bulk = vendor.requests
    assert fields.path == f"{BULK}/merge-fields"
    assert listed.query == {
        "status": "archived",
        "count": "1000",
        "fields": "members.id,total_items",
    }
    assert bulk.body == {
        "members": [
            {
                "email_address": "Ada@example.com",
                "merge_fields": {"FNAME": "Ada"},
                "status": "pending",
                "tags": ["VIP"],
            },
            {"email_address": "bob@example.com", "status": "pending"},
        ],
        "update_existing": False,
    }
    assert isinstance(outcome, Delivered)
    assert outcome.link == "https://us6.admin.mailchimp.com/lists/members/view?id=7"
    assert outcome.remark == "waits until this person confirms by mail"


def test_an_express_opt_in_subscribes_in_bulk_too(vendor: VendorServer, audience: Audience) -> None:
    agreed = OptIn(wording="Send me news", version="1")
    mailchimp(vendor, opt_in=agreed, double_opt_in=False).subscribe(people(2))
    assert {one["status"] for one in audience.members.values()} == {"subscribed"}


def test_tags_that_a_bulk_creation_ignores_follow(vendor: VendorServer, audience: Audience) -> None:
    audience.tags_in_bulk = False
    assert kinds(mailchimp(vendor).subscribe(people(3))) == [Delivered] * 3
    assert sorted(call.split("/")[-1] for call in calls(vendor)[2:]) == ["tags"] * 3
    assert all(one["tags"] == ["Jazz"] for one in audience.members.values())


def test_only_the_tags_that_are_missing_follow(vendor: VendorServer, audience: Audience) -> None:
    made = {"email_address": "ada@example.com", "status": "pending", "tags": [{"name": "jazz"}]}
    vendor.handler = instead(audience, is_bulk, Answer(200, {"new_members": [made]}))
    audience.add("ada@example.com", "pending")
    mailchimp(vendor).subscribe([person("ada", tags=["Jazz", "VIP"]), person("bob")])
    [tagged] = [request for request in vendor.requests if request.path.endswith("/tags")]
    assert tagged.body == {"tags": [{"name": "VIP", "status": "active"}]}


def test_tags_that_fail_are_tried_again(vendor: VendorServer, audience: Audience) -> None:
    audience.tags_in_bulk = False
    vendor.handler = instead(audience, lambda request: "tags" in request.path, Answer(500))
    assert kinds(mailchimp(vendor).subscribe(people(2))) == [Retry, Retry]


def test_those_who_are_there_are_brought_up_to_date(
    vendor: VendorServer, audience: Audience
) -> None:
    audience.add("ada@example.com", "subscribed")
    ada = person("ada", merge_fields={"FNAME": "Ada"}, tags=["VIP"])
    assert kinds(mailchimp(vendor).subscribe([ada, person("bob")])) == [Delivered, Delivered]
    member = next(iter(audience.members.values()))
    assert (member["status"], member["merge_fields"]) == ("subscribed", {"FNAME": "Ada"})
    assert member["tags"] == ["VIP"]
    assert [call.split()[0] for call in calls(vendor)] == [
        *["GET", "GET", "POST"],
        *["GET", "PUT", "POST"],
    ]


LEFT = ["unsubscribed", "cleaned", "archived", "forgotten"]


@pytest.mark.parametrize("page", [1000, 0], ids=["few archived", "many archived"])
def test_nobody_who_has_left_comes_back(
    vendor: VendorServer, audience: Audience, page: int
) -> None:
    audience.page = page
    for status in LEFT:
        audience.add(f"{status}@example.com", status)
    before = {name: dict(one) for name, one in audience.members.items()}
    everybody = [person(status, tags=["VIP"]) for status in LEFT]
    outcomes = mailchimp(vendor).subscribe([*everybody, person("new")])
    assert kinds(outcomes) == [Suppressed] * len(LEFT) + [Delivered]
    assert outcomes[0] == Suppressed("this person has unsubscribed")
    left = {name: one for name, one in audience.members.items() if name in before}
    assert left == before
    assert len(audience.members) == len(before) + 1


def test_where_more_are_archived_than_a_page_holds_each_is_looked_up(
    vendor: VendorServer, audience: Audience
) -> None:
    audience.page = 1
    for number in range(2):
        audience.add(f"old{number}@example.com", "archived")
    old, new = [person("old1")], people(3)
    assert kinds(mailchimp(vendor).subscribe([*old, *new])) == [Suppressed] + [Delivered] * 3
    methods = [request.method for request in vendor.requests]
    assert methods == ["GET"] * 5 + ["POST"]


@pytest.mark.parametrize(
    "reply", [Answer(404), Answer(200, {"members": None}), Answer(500), Silence.DROP]
)
def test_where_the_archived_cannot_be_listed_each_is_looked_up(
    vendor: VendorServer, audience: Audience, reply: Reply
) -> None:
    audience.add("old@example.com", "archived")
    vendor.handler = instead(audience, is_listed, reply)
    outcomes = mailchimp(vendor).subscribe([person("old"), person("new")])
    assert kinds(outcomes) == [Suppressed, Delivered]
    assert audience.status("old@example.com") == "archived"


# Several items of one person


def test_what_is_wanted_of_one_person_is_written_once(
    vendor: VendorServer, audience: Audience
) -> None:
    first = person("ada", merge_fields={"FNAME": "A", "CITY": "Ely"}, tags=["Jazz", "VIP"])
    second = person("ADA", merge_fields={"FNAME": "Ada"}, tags=["Rock", "VIP"])
    outcomes = mailchimp(vendor).subscribe([first, person("bob"), second])
    assert kinds(outcomes) == [Delivered] * 3
    assert calls(vendor) == ["GET /merge-fields", "GET /members", "POST "]
    ada = next(iter(audience.members.values()))
    assert ada["merge_fields"] == {"FNAME": "Ada", "CITY": "Ely"}
    assert ada["tags"] == ["Jazz", "Rock", "VIP"]


@pytest.mark.parametrize("others", [[], [person("bob")]], ids=["alone", "among others"])
def test_one_wrong_item_of_a_person_does_not_spoil_the_other(
    vendor: VendorServer, audience: Audience, others: list[Subscribe]
) -> None:
    wrong = person("ada", merge_fields={REFUSED_FIELD: "x"}, tags=["Wrong"])
    right = person("ada", merge_fields={"FNAME": "Ada"}, tags=["Right"])
    outcomes = mailchimp(vendor).subscribe([wrong, right, *others])
    assert kinds(outcomes) == [Rejected, Delivered] + [Delivered] * len(others)
    ada = audience.members[next(reversed(audience.members))]
    assert (ada["merge_fields"], ada["tags"]) == ({"FNAME": "Ada"}, ["Right"])


def test_nothing_of_a_person_is_sent_after_what_has_to_be_tried_again(
    vendor: VendorServer, audience: Audience
) -> None:
    wrong = person("ada", merge_fields={REFUSED_FIELD: "x"})
    slow, late = person("ada", tags=["first"]), person("ada", tags=["second"])
    no_tags = instead(audience, lambda request: "tags" in request.path, Answer(500))
    vendor.handler = no_tags
    outcomes = mailchimp(vendor).subscribe([wrong, slow, late])
    assert kinds(outcomes) == [Rejected, Retry, Retry]
    tagged = [request.body for request in vendor.requests if "tags" in request.path]
    assert tagged == [{"tags": [{"name": "first", "status": "active"}]}]


def test_nothing_of_a_person_is_sent_to_another_audience_either(
    vendor: VendorServer, audience: Audience
) -> None:
    other = Subscribe(audience="b17c943aa0", email="ada@example.com")
    no_tags = instead(audience, lambda request: "tags" in request.path, Answer(500))
    vendor.handler = no_tags
    outcomes = mailchimp(vendor).subscribe([person("ada", tags=["first"]), other])
    assert kinds(outcomes) == [Retry, Retry]
    assert not [request for request in vendor.requests if "b17c943aa0" in request.path]


def test_a_name_and_an_id_of_one_audience_are_one_person(
    vendor: VendorServer, audience: Audience
) -> None:
    named = Subscribe(audience="newsletter", email="ada@example.com", tags=["VIP"])
    outcomes = mailchimp(vendor).subscribe([person("ada", tags=["Jazz"]), named])
    assert kinds(outcomes) == [Delivered, Delivered]
    assert calls(vendor) == ["GET /3.0/lists", *calls(vendor)[1:]]
    assert [request.method for request in vendor.requests] == ["GET", "GET", "PUT", "POST"]
    assert audience.one("ada@example.com")["tags"] == ["Jazz", "VIP"]


def test_a_value_that_does_not_fit_is_named_and_the_other_item_sent(
    vendor: VendorServer, audience: Audience
) -> None:
    wrong = person("ada", merge_fields={"LTV": "a lot"})
    right = person("ada", merge_fields={"ltv": "1,250.50", "first name": "Ada"})
    outcomes = mailchimp(vendor).subscribe([wrong, right, person("bob")])
    assert outcomes[0] == Rejected("the merge field `LTV` takes a number")
    assert kinds(outcomes[1:]) == [Delivered, Delivered]
    assert audience.one("ada@example.com")["merge_fields"] == {"LTV": 1250.5, "FNAME": "Ada"}


def test_what_is_added_and_taken_away_ends_as_the_last_item_says(
    vendor: VendorServer, audience: Audience
) -> None:
    audience.add("ada@example.com", "subscribed")
    items = [
        person("ada", tags=["Jazz", "VIP"]),
        person("ada", remove_tags=["jazz"]),
        person("ada", tags=["Rock"], remove_tags=["rock", "VIP"]),
    ]
    assert kinds(mailchimp(vendor).subscribe(items)) == [Delivered] * 3
    assert audience.one("ada@example.com")["tags"] == ["Rock"]
    tagged = [request.body for request in vendor.requests if "tags" in request.path]
    assert len(tagged) == 1


def test_people_with_permissions_are_in_no_bulk_creation(
    vendor: VendorServer, audience: Audience
) -> None:
    audience.add("somebody@example.com", "subscribed")
    ada = person("ada", permissions=["Email"])
    assert kinds(mailchimp(vendor).subscribe([ada, *people(3)])) == [Delivered] * 4
    assert audience.one("ada@example.com")["permissions"] == {"2a4819ebc7"}
    (bulk,) = [request for request in vendor.requests if is_bulk(request)]
    assert len(bulk.body["members"]) == 3


# Refusals


def test_a_refused_person_does_not_spoil_the_others(vendor: VendorServer) -> None:
    wrong = person("wrong", merge_fields={REFUSED_FIELD: "x"})
    ada, refused, bob = mailchimp(vendor).subscribe([person("ada"), wrong, person("bob")])
    assert kinds([ada, bob]) == [Delivered, Delivered]
    assert refused == Rejected("Mailchimp refuses the data because of BAD (400 Invalid Resource)")
    assert calls(vendor) == ["GET /merge-fields", "GET /members", "POST "]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("{} was permanently deleted and cannot be re-imported.", Suppressed),
        ("{} is in a compliance state due to unsubscribe, bounce, or ...", Suppressed),
        ("{} has signed up to a lot of lists very recently; we're not allowing more", Retry),
        ("{} looks fake or invalid, please enter a real email address.", Rejected),
        ("Please provide a valid email address.", Rejected),
    ],
)
def test_what_a_bulk_creation_says_of_somebody(
    vendor: VendorServer, audience: Audience, said: str, outcome: type[Outcome]
) -> None:
    error = {
        "email_address": '"ADA@example.com"',
        "error": said.format("ada@example.com"),
        "error_code": "ERROR_GENERIC",
    }
    vendor.handler = instead(audience, is_bulk, Answer(200, {"errors": [error]}))
    ada, bob = mailchimp(vendor).subscribe([person("ada"), person("bob")])
    assert isinstance(ada, outcome)
    assert "example.com" not in str(ada)
    assert isinstance(bob, Delivered), "nothing was said of bob, so he is asked about"


@pytest.mark.parametrize(
    "reply",
    [
        problem(400, "Invalid Resource", "The resource submitted could not be validated."),
        Answer(200, {"errors": [{"email_address": "buyer0@example.com", "error": "?"}]}),
        Answer(200, {"errors": "?", "new_members": [None, 7]}),
        Answer(200, "<html>Welcome to our hotel</html>"),
        Answer(500),
        Silence.DROP,
    ],
)
def test_where_a_bulk_creation_fails_each_person_is_subscribed_alone(
    vendor: VendorServer, audience: Audience, reply: Reply
) -> None:
    vendor.handler = instead(audience, is_bulk, reply)
    assert kinds(mailchimp(vendor).subscribe(people(3))) == [Delivered] * 3
    assert len(audience.members) == 3


@pytest.mark.parametrize("where", [is_listed, is_bulk])
def test_too_many_calls_stop_the_whole_batch(
    vendor: VendorServer, audience: Audience, where: Callable[[Request], bool]
) -> None:
    vendor.handler = instead(audience, where, Answer(429))
    outcomes = mailchimp(vendor).subscribe(people(20))
    assert all(isinstance(outcome, Retry) and outcome.whole_account for outcome in outcomes)
    assert where(vendor.requests[-1]), "the wall was run into again"


def test_too_many_calls_stop_the_people_who_are_left(
    vendor: VendorServer, audience: Audience
) -> None:
    crowded = instead(audience, lambda request: not is_listed(request), Answer(403))
    vendor.handler = lambda request: Answer(500) if is_listed(request) else crowded(request)
    outcomes = mailchimp(vendor).subscribe(people(50))
    assert all(isinstance(outcome, Retry) and outcome.whole_account for outcome in outcomes)
    assert len(vendor.requests) <= 1 + 2 * Mailchimp.concurrency


def test_too_many_calls_while_people_are_looked_up_leave_out_the_bulk(
    vendor: VendorServer, audience: Audience
) -> None:
    crowded = _looked_up(person("ada"))
    listed = instead(audience, crowded, Answer(429))
    vendor.handler = lambda request: Answer(500) if is_listed(request) else listed(request)
    outcomes = mailchimp(vendor).subscribe([person("ada"), person("bob")])
    assert all(isinstance(outcome, Retry) and outcome.whole_account for outcome in outcomes)
    assert not any(is_bulk(request) for request in vendor.requests)


def _looked_up(item: Subscribe) -> Callable[[Request], bool]:
    return lambda request: request.path == f"{LISTED}/{member_name(item.email)}"


def test_a_mailchimp_that_fails_again_and_again_is_let_alone(vendor: VendorServer) -> None:
    vendor.script(Answer(500))
    outcomes = mailchimp(vendor).subscribe(people(100))
    assert kinds(outcomes) == [Retry] * 100
    rests = [
        outcome for outcome in outcomes if isinstance(outcome, Retry) and outcome.whole_account
    ]
    assert len(rests) >= 90
    assert len(vendor.requests) <= 2 + 2 * Mailchimp.concurrency


def test_a_hanging_mailchimp_is_waited_for_three_times_at_most(vendor: VendorServer) -> None:
    vendor.script(Silence.HANG)
    outcomes = mailchimp(vendor, timeout=0.1).subscribe(people(100))
    assert kinds(outcomes) == [Retry] * 100
    assert len(vendor.requests) <= 1 + 2 * Mailchimp.concurrency


@pytest.mark.parametrize("where", [is_listed, is_bulk, lambda request: True])
def test_a_refused_key_halts_the_account(
    vendor: VendorServer, audience: Audience, where: Callable[[Request], bool]
) -> None:
    vendor.handler = instead(audience, where, problem(401, "API Key Invalid"))
    with pytest.raises(Halted, match="refuses the API key"):
        mailchimp(vendor).subscribe(people(3))


def test_a_key_that_is_refused_in_the_middle_stops_the_rest(
    vendor: VendorServer, audience: Audience
) -> None:
    audience.page = 0
    audience.add("old@example.com", "archived")
    invalid = problem(401, "API Key Invalid")
    vendor.handler = instead(audience, lambda request: not is_listed(request), invalid)
    with pytest.raises(Halted):
        mailchimp(vendor).subscribe(people(50))
    assert len(vendor.requests) < 50


def test_an_audience_that_is_not_there_is_named_to_everybody(vendor: VendorServer) -> None:
    vendor.script(problem(404, "Resource Not Found"))
    outcomes = mailchimp(vendor).subscribe(people(2))
    assert all("no audience" in str(outcome) for outcome in outcomes)
    assert kinds(outcomes) == [Rejected, Rejected]


def test_another_audience_is_another_person(vendor: VendorServer, audience: Audience) -> None:
    elsewhere = Subscribe(audience="../x", email="ada@example.com")
    outcomes = mailchimp(vendor).subscribe([person("ada"), elsewhere, person("bob")])
    assert kinds(outcomes) == [Delivered, Rejected, Delivered]
    assert len(audience.members) == 2


# Side by side, and at the account's pace


class Counting:
    """A pacer that grants so many calls, and knows how many were under way at once."""

    def __init__(self, grants: int = 1000) -> None:
        self._lock = Lock()
        self._left = grants
        self._under_way = 0
        self.taken = 0
        self.peak = 0

    @contextmanager
    def call(self, lane: str = "") -> Iterator[None]:
        with self._lock:
            if not self._left:
                raise NotNow(7.0)
            self._left -= 1
            self.taken += 1
            self._under_way += 1
            self.peak = max(self.peak, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def learn(self, seen: Sequence[Seen]) -> None:
        """Mailchimp's headers tell nothing."""


def test_calls_run_side_by_side_up_to_the_accounts_share(vendor: VendorServer) -> None:
    together = Barrier(Mailchimp.concurrency, timeout=5.0)

    def answer(request: Request) -> Reply:
        together.wait()
        return Answer(200, {"status": "unsubscribed"})

    vendor.handler = answer
    pacer = Counting()
    everybody = [
        Unsubscribe(audience=LIST, email=f"buyer{number}@example.com")
        for number in range(2 * Mailchimp.concurrency)
    ]
    assert kinds(mailchimp(vendor, pacer).unsubscribe(everybody)) == [Delivered] * len(everybody)
    assert pacer.peak == Mailchimp.concurrency


def test_every_call_is_paced(vendor: VendorServer, audience: Audience) -> None:
    audience.add("buyer1@example.com", "subscribed")
    pacer = Counting()
    mailchimp(vendor, pacer).subscribe(people(3))
    assert pacer.taken == len(vendor.requests) == 5


@pytest.mark.parametrize("grants", range(5))
def test_what_the_limits_do_not_allow_waits(
    vendor: VendorServer, audience: Audience, grants: int
) -> None:
    for item in people(8)[4:]:
        audience.add(item.email, "subscribed")
    outcomes = mailchimp(vendor, Counting(grants)).subscribe(people(8))
    waiting = [outcome for outcome in outcomes if isinstance(outcome, Retry)]
    assert len(waiting) == (8 if grants < 2 else 4)
    assert all(wait.whole_account and wait.after == 7.0 for wait in waiting)
    assert len(vendor.requests) == grants


# Unsubscribing


def test_several_unsubscriptions_are_settled_each_by_itself(
    vendor: VendorServer, audience: Audience
) -> None:
    audience.add("ada@example.com", "subscribed")
    who = ["ada", "nobody", "Ada"]
    items = [Unsubscribe(audience=LIST, email=f"{name}@example.com") for name in who]
    outcomes = mailchimp(vendor).unsubscribe(items)
    assert kinds(outcomes) == [Delivered, Suppressed, Delivered]
    assert audience.status("ada@example.com") == "unsubscribed"
    assert sorted(call[:3] for call in calls(vendor)) == ["GET", "GET", "GET", "PAT"]
