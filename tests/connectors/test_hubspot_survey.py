"""Whether the token is good and what rules name is there; what is missing, and how it is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hubspot.crm.properties import PropertyCreate, PropertyGroupCreate
from pydantic import SecretStr

from bridge.connector import Change, Checked, Halted, Use
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.hubspot import HubSpot, HubSpotSettings
from tests.connectors.hubspot_account import definition

TOKEN = "pat-na1-secret-0001"
SCOPES = ["crm.objects.contacts.read", "crm.objects.contacts.write", "oauth"]
FORBIDDEN = Answer(403, {"status": "error", "category": "MISSING_SCOPES"})
ABSENT = Answer(404, {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "no"})
GROUPS = "/crm/v3/properties/contacts/groups"
STAGES = [
    {"id": "new", "label": "New", "displayOrder": 0},
    {"id": "won", "label": "Closed won", "displayOrder": 1},
]


class Bench:
    """An account of which every page is answered as it stands in `pages`."""

    def __init__(self, server: VendorServer) -> None:
        self.server = server
        server.handler = self.answer
        settings = HubSpotSettings(access_token=SecretStr(TOKEN), base_url=server.url, timeout=1)
        self.hubspot = HubSpot(settings)
        self.made: list[tuple[str, Any]] = []
        self.pages: dict[str, Reply] = {
            "/oauth/v2/private-apps/get/access-token-info": Answer(
                200, {"userId": 1, "hubId": 62515, "appId": 2, "scopes": SCOPES}
            ),
            "/crm/v3/properties/contacts": told(
                definition("firstname"),
                definition("visits", "number"),
                definition("interests", options=["jazz", "rock"]),
            ),
            "/crm/v3/properties/deals": told(
                definition("dealname"),
                {**definition("showpass_order"), "hasUniqueValue": True},
            ),
            "/crm/v3/pipelines/deals": told(
                {"id": "default", "label": "Sales", "displayOrder": 0, "stages": STAGES}
            ),
            GROUPS: told({"name": "contactinformation", "label": "Contact information"}),
        }

    def answer(self, request: Request) -> Reply:
        if request.method == "POST" and "properties" in request.path:
            self.made.append((request.path, request.body))
            return self.pages.get(f"POST {request.path}", Answer(201, request.body))
        return self.pages.get(request.path, ABSENT)

    def survey(self, *uses: Use) -> list[Checked]:
        return list(self.hubspot.survey(uses))

    def changes(self, *uses: Use) -> list[Change]:
        return list(self.hubspot.changes(uses))


def told(*results: Any) -> Answer:
    return Answer(200, {"results": list(results)})


def contact(**fields: Any) -> Use:
    return Use("Buyers", "upsert_contact", {"email": "{{ contact.email }}", **fields})


def deal(**fields: Any) -> Use:
    fields = {"id_property": "showpass_order", "id": "{{ order.id }}", "stage": "New"} | fields
    return Use("Deals", "upsert_deal", fields)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with VendorServer() as server:
        yield Bench(server)


def of(found: list[Checked], what: str) -> Checked:
    (one,) = [each for each in found if each.what == what]
    return one


# The token


def test_a_good_token_is_told_with_its_account_and_scopes(bench: Bench) -> None:
    assert bench.survey(contact()) == [
        Checked("the access token of the HubSpot account 62515", "right"),
        Checked("the scope `crm.objects.contacts.read`", "right"),
        Checked("the scope `crm.objects.contacts.write`", "right"),
    ]
    asked = bench.server.requests[0]
    assert (asked.method, asked.body) == ("POST", {"tokenKey": TOKEN})


def test_a_scope_that_is_not_granted_is_wrong(bench: Bench) -> None:
    missing = of(bench.survey(deal()), "the scope `crm.objects.deals.write`")
    assert (missing.state, missing.advice) == ("wrong", "add it to the Service Key in HubSpot")


@pytest.mark.parametrize(
    ("info", "details", "state"),
    [
        (Answer(401, {"category": "EXPIRED_AUTHENTICATION"}), Answer(401, {}), "wrong"),
        (ABSENT, Answer(401, {"category": "INVALID_AUTHENTICATION"}), "wrong"),
        (ABSENT, Answer(200, {"portalId": 62515}), "right"),
        (ABSENT, FORBIDDEN, "right"),
        (Answer(200, "<html>"), Answer(503), "unknown"),
        (Silence.DROP, Silence.DROP, "unknown"),
    ],
    ids=["401", "401 only there", "200 only there", "403", "no sense", "silence"],
)
def test_where_nothing_is_told_of_the_token_the_account_is_asked(
    bench: Bench, info: Reply, details: Reply, state: str
) -> None:
    bench.pages["/oauth/v2/private-apps/get/access-token-info"] = info
    bench.pages["/account-info/v3/details"] = details
    token, *others = bench.survey(contact())
    assert token.state == state
    assert {each.state for each in others} == (set() if state == "wrong" else {"unknown"})
    assert TOKEN not in str([token, *others])


def test_without_a_token_that_is_wrong(bench: Bench) -> None:
    [checked] = HubSpot(HubSpotSettings()).survey([contact()])
    assert checked.state == "wrong"


# Properties


def test_properties_are_there_or_can_be_made(bench: Bench) -> None:
    found = bench.survey(contact(properties={"firstname": "x", "vip_tier": "Gold"}))
    assert of(found, "the contact property `firstname`").state == "right"
    assert of(found, "the contact property `vip_tier`") == Checked(
        "the contact property `vip_tier`",
        "wrong",
        "HubSpot has no such property; `showbridge hubspot setup` can create it",
    )


def test_a_slip_of_the_pen_is_asked_about(bench: Bench) -> None:
    found = of(
        bench.survey(contact(properties={"first_name": "x"})), "the contact property `first_name`"
    )
    assert "did you mean `firstname`?" in found.advice


@pytest.mark.parametrize(
    ("fields", "name", "advice"),
    [
        ({"increment": {"firstname": 1}}, "firstname", "`increment` needs a property of the type"),
        ({"append": {"firstname": "x"}}, "firstname", "`append` needs a property of multiple"),
        ({"append": {"interests": ["Jazz", "polka"]}}, "interests", "has no option “polka”"),
        ({"properties": {"visits": "many"}}, "visits", "takes a number"),
        ({"properties": {"visits": "{{ order.total }}"}}, "visits", ""),
        ({"append": {"interests": "{{ tickets[0].type }}"}}, "interests", ""),
        ({"increment": {"visits": "{{ tickets | length }}"}}, "visits", ""),
    ],
    ids=repr,
)
def test_what_rules_do_with_a_property_must_suit_it(
    bench: Bench, fields: dict[str, Any], name: str, advice: str
) -> None:
    found = of(bench.survey(contact(**fields)), f"the contact property `{name}`")
    assert found.state == ("wrong" if advice else "right")
    assert advice in found.advice


def test_adding_needs_the_property_that_remembers(bench: Bench) -> None:
    found = bench.survey(contact(increment={"visits": 1}))
    assert of(found, "the contact property `showbridge_counted`").state == "wrong"


def test_what_a_deal_is_known_by_must_be_unique(bench: Bench) -> None:
    right = of(bench.survey(deal()), "the deal property `showpass_order`")
    wrong = of(bench.survey(deal(id_property="dealname")), "the deal property `dealname`")
    assert (right.state, wrong.state) == ("right", "wrong")
    assert "unique" in wrong.advice


@pytest.mark.parametrize("page", [FORBIDDEN, Answer(503), Silence.DROP], ids=["403", "503", "-"])
def test_what_cannot_be_asked_is_unknown(bench: Bench, page: Reply) -> None:
    bench.pages["/crm/v3/properties/contacts"] = page
    found = of(bench.survey(contact(properties={"city": "x"})), "the contact property `city`")
    assert found.state == "unknown"
    assert found.advice


# Pipelines and lists


@pytest.mark.parametrize(
    ("fields", "what", "advice"),
    [
        ({}, "the deal stage “New”", ""),
        ({"stage": "closed WON"}, "the deal stage “closed WON”", ""),
        ({"stage": "Lost"}, "the deal stage “Lost”", "it has New, Closed won"),
        (
            {"pipeline": "Sales", "stage": "Lost"},
            "the deal stage “Lost” of the pipeline “Sales”",
            "this pipeline has no such stage; it has New, Closed won",
        ),
        (
            {"pipeline": "Renewals"},
            "the deal stage “New” of the pipeline “Renewals”",
            "HubSpot has no such pipeline; it has Sales",
        ),
    ],
    ids=repr,
)
def test_stages_are_known_by_their_labels(
    bench: Bench, fields: dict[str, Any], what: str, advice: str
) -> None:
    found = of(bench.survey(deal(**fields)), what)
    assert found.state == ("wrong" if advice else "right")
    assert advice in found.advice


def test_a_stage_that_differs_from_event_to_event_is_not_asked_about(bench: Bench) -> None:
    found = bench.survey(deal(stage="{{ order.status }}"))
    assert not [each for each in found if "stage" in each.what]


def test_lists_are_static_and_there(bench: Bench) -> None:
    by_name = "/crm/v3/lists/object-type-id/0-1/name/"
    static = {"listId": "7", "name": "VIPs", "processingType": "MANUAL", "objectTypeId": "0-1"}
    bench.pages[f"{by_name}VIPs"] = Answer(200, {"list": static})
    active = {**static, "name": "Active", "processingType": "DYNAMIC"}
    bench.pages[f"{by_name}Active"] = Answer(200, {"list": active})
    names = ["VIPs", "Active", "Nobody", "{{ event.name }}"]
    found = bench.survey(*[Use("Lists", "add_to_list", {"list": name}) for name in names])
    assert of(found, "the list “VIPs”").state == "right"
    assert "fills the list" in of(found, "the list “Active”").advice
    assert of(found, "the list “Nobody”").state == "wrong"
    assert not [each for each in found if "event.name" in each.what]


def test_subscription_types_are_known_by_their_names(bench: Bench) -> None:
    definitions = [{"id": "5", "name": "Newsletter"}]
    page = Answer(200, {"subscriptionDefinitions": definitions})
    bench.pages["/communication-preferences/v3/definitions"] = page
    uses = [
        Use("News", "subscribe", {"email": "{{ contact.email }}", "subscription": name})
        for name in ("newsletter", "Offers")
    ]
    found = bench.survey(*uses)
    assert of(found, "the subscription type “newsletter”").state == "right"
    assert "it has “Newsletter”" in of(found, "the subscription type “Offers”").advice
    assert of(found, "the scope `communication_preferences.read_write`").state == "wrong"


# What is made


def test_what_is_missing_is_made_with_the_type_that_its_use_tells(bench: Bench) -> None:
    changes = bench.changes(
        contact(properties={"firstname": "x", "vip": True, "rank": 3, "note": "{{ order.id }}"}),
        contact(increment={"tickets_bought": 1}, append={"genres": ["Jazz", "Opera; Rock"]}),
    )
    assert [each.what for each in changes] == [
        "create the contact property group “Showbridge”",
        "create the contact property `vip` (yes or no)",
        "create the contact property `rank` (number)",
        "create the contact property `note` (text)",
        "create the contact property `tickets_bought` (number)",
        "create the contact property `showbridge_counted` (text)",
        "create the contact property `genres` (checkboxes: Jazz, Opera, Rock)",
    ]
    assert bench.made == [], "something was made before it was asked for"
    assert [each.make() for each in changes] == [None] * 7
    types = {body["name"]: (body.get("type"), body.get("fieldType")) for _, body in bench.made}
    assert types == {
        "showbridge": (None, None),
        "vip": ("bool", "booleancheckbox"),
        "rank": ("number", "number"),
        "note": ("string", "text"),
        "tickets_bought": ("number", "number"),
        "showbridge_counted": ("string", "text"),
        "genres": ("enumeration", "checkbox"),
    }


def test_each_request_is_one_that_the_sdk_knows(bench: Bench) -> None:
    uses = (
        contact(properties={"vip": False, "note": "x"}, append={"genres": "Jazz"}),
        deal(id_property="order_number"),
    )
    for change in bench.changes(*uses):
        assert change.make() is None
    for path, body in bench.made:
        model = PropertyGroupCreate if path.endswith("/groups") else PropertyCreate
        names = {wire: name for name, wire in model.attribute_map.items()}
        model(**{names[wire]: value for wire, value in body.items()})
    (unique,) = [body for path, body in bench.made if body["name"] == "order_number"]
    assert (unique["hasUniqueValue"], unique["groupName"]) == (True, "showbridge")
    (genres,) = [body for path, body in bench.made if body["name"] == "genres"]
    assert genres["options"] == [
        {"label": "Jazz", "value": "Jazz", "displayOrder": 0, "hidden": False}
    ]
    assert genres["label"] == "Genres"


def test_where_all_is_there_nothing_is_to_be_made(bench: Bench) -> None:
    assert bench.changes(contact(properties={"firstname": "x"}), deal()) == []


def test_a_group_that_is_there_is_not_made_again(bench: Bench) -> None:
    bench.pages[GROUPS] = told({"name": "showbridge", "label": "Showbridge"})
    [change] = bench.changes(contact(properties={"note": "x"}))
    assert change.what == "create the contact property `note` (text)"


def test_two_rules_that_use_one_property_make_it_once_for_both(bench: Bench) -> None:
    bench.pages[GROUPS] = told({"name": "showbridge"})
    changes = bench.changes(
        contact(properties={"genres": "{{ order.id }}", "orders": "{{ order.id }}"}),
        contact(append={"genres": ["Rock", "Jazz"]}, increment={"orders": 1}),
        contact(append={"genres": "Jazz"}),
    )
    assert [each.what for each in changes[:2]] == [
        "create the contact property `genres` (checkboxes: Rock, Jazz)",
        "create the contact property `orders` (number)",
    ]


def test_a_name_like_one_that_is_there_is_doubted(bench: Bench) -> None:
    what = bench.changes(contact(properties={"first_name": "x"}))[-1].what
    assert what.endswith("`first_name` (text); HubSpot has `firstname`: is that meant?")


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        ({"properties": {"VIP tier": "x"}}, "small letters, figures and underscores"),
        ({"properties": {"hs_mine": "x"}}, "not with hs_"),
        ({"append": {"genres": "{{ tickets[0].type }}"}}, "create it in HubSpot"),
    ],
    ids=repr,
)
def test_what_cannot_be_made_says_why_and_asks_nothing(
    bench: Bench, fields: dict[str, Any], failure: str
) -> None:
    told = bench.changes(contact(**fields))[-1].make()
    assert failure in (told or "")
    assert bench.made == []


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (Answer(409, {"category": "OBJECT_ALREADY_EXISTS"}), None),
        (FORBIDDEN, "the access token may not do this; grant it crm.schemas.contacts.write"),
        (Answer(401, {}), "HubSpot does not accept the access token"),
        (Answer(400, {"category": "VALIDATION_ERROR", "message": TOKEN}), "400 VALIDATION_ERROR"),
        (Answer(500, "<html>"), "HubSpot refuses it (500)"),
        (Silence.DROP, "HubSpot did not answer in time"),
    ],
    ids=["409", "403", "401", "400", "500", "silence"],
)
def test_why_something_was_not_made_is_told(
    bench: Bench, reply: Reply, failure: str | None
) -> None:
    bench.pages["POST /crm/v3/properties/contacts"] = reply
    told = bench.changes(contact(properties={"note": "x"}))[-1].make()
    assert told is None if failure is None else failure in (told or "")
    assert TOKEN not in str(told)


@pytest.mark.parametrize("page", [FORBIDDEN, Answer(503)], ids=["403", "503"])
def test_without_knowing_what_is_there_nothing_is_made(bench: Bench, page: Reply) -> None:
    bench.pages["/crm/v3/properties/contacts"] = page
    with pytest.raises(Halted, match="properties"):
        bench.changes(contact(properties={"note": "x"}))
