"""Static lists through HubSpot's own SDK: by name, in batches, never a dynamic one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.connector import Delivered, Halted, Rejected, Retry
from bridge.testing.vendor import Answer, Silence
from connectors.hubspot.lists import AddToList, RemoveFromList
from tests.connectors.hubspot_bench import BARRED, LIMITED, Hub, HubSpotConformance, hub
from tests.connectors.hubspot_crm import Crm

BY_NAME = "GET /crm/v3/lists/object-type-id/0-1/name/"
PEOPLE = [f"POST /crm/v3/objects/contacts/batch/{name}" for name in ("read", "create")]
ADD, REMOVE = (f"PUT /crm/v3/lists/9001/memberships/{how}" for how in ("add", "remove"))


@pytest.fixture
def there() -> Iterator[Hub]:
    """With one list, whose id is 9001."""
    crm = Crm()
    crm.list_of("Buyers")
    with hub(crm) as found:
        yield found


def add(email: str = "ada@example.com", named: str = "Buyers") -> AddToList:
    return AddToList(list=named, email=email)


def remove(email: str = "ada@example.com", named: str = "Buyers") -> RemoveFromList:
    return RemoveFromList(list=named, email=email)


class TestAddConformance(HubSpotConformance):
    action = "add_to_list"

    def prepare(self, crm: Crm) -> None:
        crm.list_of("Buyers 2027 & friends/guests")
        crm.list_of("Active", kind="DYNAMIC")

    def item(self, action: str) -> Mapping[str, Any]:
        return {"list": "Buyers 2027 & friends/guests", "email": "ada+tag@example.com"}

    def refused_item(self, action: str) -> Mapping[str, Any]:
        return {"list": "Active", "email": "refused@example.com"}


class TestRemoveConformance(TestAddConformance):
    action = "remove_from_list"

    def prepare(self, crm: Crm) -> None:
        super().prepare(crm)
        for number in ("", "1", "2", "3"):
            crm.account.add(f"ada+tag{number}@example.com")


def members(there: Hub) -> set[str]:
    people = there.crm.account.contacts
    return {people[contact]["email"] for contact in there.crm.members["9001"]}


def test_a_contact_is_put_on_the_list_of_that_name(there: Hub) -> None:
    contact = there.crm.account.add("ada@example.com")
    assert there.one("add_to_list", add("Ada@Example.com")) == Delivered(contact)
    assert members(there) == {"ada@example.com"}
    assert there.calls() == [f"{BY_NAME}Buyers", PEOPLE[0], ADD]


def test_who_is_no_contact_yet_becomes_a_bare_one(there: Hub) -> None:
    there.one("add_to_list", add())
    assert there.crm.account.people() == {"ada@example.com": {"email": "ada@example.com"}}
    assert members(there) == {"ada@example.com"}


def test_twice_is_once(there: Hub) -> None:
    there.one("add_to_list", add())
    again = there.one("add_to_list", add())
    assert isinstance(again, Delivered)
    assert again.remark == "nothing had to be changed"
    assert members(there) == {"ada@example.com"}


def test_a_contact_is_taken_off_and_stays_a_contact(there: Hub) -> None:
    there.one("add_to_list", add())
    outcomes = [there.one("remove_from_list", remove()) for _ in range(2)]
    assert [each.remark for each in outcomes if isinstance(each, Delivered)] == [
        "",
        "nothing had to be changed",
    ]
    assert members(there) == set()
    assert there.crm.account.people()


def test_nobody_is_made_in_order_to_be_taken_off(there: Hub) -> None:
    assert there.one("remove_from_list", remove()) == Delivered(remark="there is no such contact")
    assert not there.crm.account.contacts
    assert there.calls() == [f"{BY_NAME}Buyers", PEOPLE[0]]


def test_a_list_may_be_named_by_its_id(there: Hub) -> None:
    assert isinstance(there.one("add_to_list", add(named="9001")), Delivered)
    assert members(there) == {"ada@example.com"}


def test_a_list_whose_name_is_a_number_is_found(there: Hub) -> None:
    key = there.crm.list_of("2027")
    assert isinstance(there.one("add_to_list", add(named="2027")), Delivered)
    assert len(there.crm.members[key]) == 1


@pytest.mark.parametrize("named", ["..", "a/../b", "100% ?x=1#y", "Ärzte"])
def test_whatever_a_list_is_called_is_one_part_of_the_path(there: Hub, named: str) -> None:
    assert isinstance(there.one("add_to_list", add(named=named)), Rejected)
    there.crm.list_of(named)
    with hub(there.crm) as anew:
        assert isinstance(anew.one("add_to_list", add(named=named)), Delivered)


def test_a_list_that_hubspot_fills_is_refused_with_words(there: Hub) -> None:
    there.crm.list_of("Active", kind="DYNAMIC")
    for action, item in (("add_to_list", add), ("remove_from_list", remove)):
        assert there.one(action, item(named="Active")) == Rejected(
            "HubSpot fills the list “Active” by itself, so that nobody can be put on it "
            "or taken off; name a static list"
        )
    assert not there.crm.account.contacts


def test_a_list_that_was_filled_once_can_be_changed(there: Hub) -> None:
    there.crm.list_of("Frozen", kind="SNAPSHOT")
    assert isinstance(there.one("add_to_list", add(named="Frozen")), Delivered)


def test_a_list_that_is_not_there_or_not_of_contacts_is_refused(there: Hub) -> None:
    companies = there.crm.list_of("Companies", holds="0-2")
    assert there.one("add_to_list", add(named="Nobody")) == Rejected(
        "HubSpot has no list “Nobody”; make a static one of that name there"
    )
    assert there.one("add_to_list", add(named=companies)) == Rejected(
        "HubSpot's list “Companies” is not one of contacts"
    )


def test_a_list_is_asked_for_once_in_ten_minutes_and_a_missing_one_more_often(there: Hub) -> None:
    now = [0.0]
    there.hubspot._lists.remembered.now = lambda: now[0]
    for at in (0.0, 599.0, 601.0):
        now[0] = at
        there.one("add_to_list", add())
    assert there.calls().count(f"{BY_NAME}Buyers") == 2
    there.one("add_to_list", add(named="New"))
    there.crm.list_of("New")
    assert isinstance(there.one("add_to_list", add(named="New")), Rejected)
    now[0] += 31.0
    assert isinstance(there.one("add_to_list", add(named="New")), Delivered)


def test_a_hundred_people_take_three_calls_and_one_for_each_list(there: Hub) -> None:
    there.crm.list_of("VIP")
    items = [add(f"ada{n}@example.com") for n in range(99)] + [add(named="VIP")]
    assert all(isinstance(each, Delivered) for each in there.do("add_to_list", *items))
    assert len(members(there)) == 99
    calls = there.calls()
    assert len(calls) == 8
    assert calls.count(ADD) == 1


def test_a_contact_that_makes_the_call_fail_fails_alone(there: Hub) -> None:
    refused = Answer(400, {"status": "error", "category": "VALIDATION_ERROR"})
    there.instead("memberships/add", refused, refused)
    kinds = [type(each) for each in there.do("add_to_list", add("a@b.example"), add("c@d.example"))]
    assert kinds == [Rejected, Delivered]
    assert members(there) == {"c@d.example"}


@pytest.mark.parametrize("path", ["name/Buyers", "batch/read", "batch/create", "memberships/add"])
@pytest.mark.parametrize(
    "reply", [Silence.DROP, Answer(500), Answer(429, LIMITED), Answer(200, "<html>")], ids=repr
)
def test_whatever_passes_is_tried_again(there: Hub, path: str, reply: Any) -> None:
    there.instead(path, reply)
    assert isinstance(there.one("add_to_list", add()), Retry)
    assert there.requests[-1].path.endswith(path)
    assert isinstance(there.one("add_to_list", add()), Delivered)


def test_a_contact_that_was_merged_away_in_between_is_tried_again(there: Hub) -> None:
    missing = {"recordsIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": ["101"]}
    there.instead("memberships/add", Answer(200, missing))
    assert there.one("add_to_list", add()) == Retry("HubSpot did not find the contact any more")


@pytest.mark.parametrize("path", ["name/Buyers", "memberships/add"])
def test_a_token_without_the_scopes_halts_the_account(there: Hub, path: str) -> None:
    there.instead(path, BARRED)
    with pytest.raises(Halted, match=r"crm\.lists\.write"):
        there.one("add_to_list", add())


def test_no_list_has_such_a_name() -> None:
    with pytest.raises(ValidationError):
        add(named="x" * 251)
