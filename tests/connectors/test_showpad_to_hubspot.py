"""The recipe of docs/showpad-to-hubspot.md: Showpad's samples become deals, contacts and notes.

From the signed webhook through receiver, ledger, rules and engine to the real
SDK's calls, against a HubSpot in memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from redis import Redis

from bridge.cli.uses import uses_of
from bridge.connector import Delivered
from bridge.rules import World, compile_rules
from bridge.sources.showpad import Showpad
from bridge.testing.vendor import VendorServer
from connectors.hubspot import HubSpot
from connectors.hubspot.deals import UpsertDeal
from tests.connectors.hubspot_bench import settings
from tests.connectors.hubspot_bridge import bridge_with
from tests.connectors.hubspot_crm import Crm, pipeline, prop
from tests.test_previewed_is_sent import SHIPPED, Bridge

PAGE = SHIPPED.parent / "docs" / "showpad-to-hubspot.md"
SPACE = "5d1f0a2b6c7e4f3a9b8c7d6e5f4a3b2c"
PRIYA = "priya.raghunathan@example.com"
APPOINTMENT, QUALIFIED, PRESENTED, WON = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "closedwon",
)


def recipe() -> str:
    (rules,) = re.findall(r"^```yaml\n(rules:.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    return str(rules)


def account() -> Crm:
    """As HubSpot sells it, with the one property that the recipe needs."""
    stages = {
        APPOINTMENT: "Appointment Scheduled",
        QUALIFIED: "Qualified To Buy",
        PRESENTED: "Presentation Scheduled",
        WON: "Closed Won",
    }
    plain = [prop("dealname"), prop("dealstage", "enumeration"), prop("pipeline", "enumeration")]
    return Crm(
        properties=[*plain, prop("showpad_space", hasUniqueValue=True)],
        pipelines=[pipeline("default", "Sales Pipeline", 0, **stages)],
    )


@pytest.fixture
def crm() -> Crm:
    return account()


@pytest.fixture
def vendor(crm: Crm) -> Iterator[VendorServer]:
    with VendorServer(handler=crm.answer) as server:
        yield server
    assert not crm.broken


@pytest.fixture
def bridge(tmp_path: Path, redis: Redis, vendor: VendorServer) -> Iterator[Bridge]:
    with bridge_with(recipe(), tmp_path, redis, vendor) as running:
        yield running


_numbers = iter(range(1, 10_000))


def sample(name: str, change: Callable[[dict[str, Any]], None] = lambda _: None) -> bytes:
    """A shipped sample with an id of its own, and with changes to its data."""
    (text,) = [each.text for each in Showpad.samples() if json.loads(each.text)["type"] == name]
    payload = json.loads(text.replace("{{ uuid }}", str(UUID(int=next(_numbers)))))
    change(payload["data"])
    return json.dumps(payload).encode()


def joined(email: str) -> bytes:
    def change(data: dict[str, Any]) -> None:
        data["invitee"]["email"] = email

    return sample("shared-space-user-added", change)


def content(kind: str, *, in_space: bool = True) -> bytes:
    """As such events are expected to look: nobody publishes it."""
    told: dict[str, Any] = {
        "type": kind,
        "specversion": "1",
        "id": str(UUID(int=next(_numbers))),
        "time": "2027-03-11T08:00:00.000Z",
        "data": {
            "participant": {"email": PRIYA},
            "content": {"id": "c1", "name": "Seating plan <VIP>"},
        },
    }
    if in_space:
        told["data"]["sharedSpace"] = {"id": SPACE, "name": "Bow River Folk Night"}
    return json.dumps(told).encode()


def play(bridge: Bridge, *bodies: bytes) -> None:
    for body in bodies:
        bridge.receive(("showpad", body))
    bridge.work()


def states(bridge: Bridge) -> list[tuple[str, str]]:
    """Of the last webhook."""
    return [(each.action, each.state) for each in bridge.deliveries()]


def deal(crm: Crm) -> dict[str, str]:
    (found,) = [each for each in crm.deals.values() if each["showpad_space"] == SPACE]
    return found


def told(crm: Crm, email: str = PRIYA) -> list[str]:
    """The texts of a contact's notes, without their feet."""
    return [each["hs_note_body"].partition("<br><br>")[0] for each in crm.notes_of(email)]


def test_the_samples_become_a_deal_its_contact_and_a_note_on_both(bridge: Bridge, crm: Crm) -> None:
    play(bridge, sample("shared-space-created"))
    assert deal(crm)["dealstage"] == APPOINTMENT
    assert not crm.account.contacts, "a colleague is no customer"
    play(bridge, sample("shared-space-user-added"))
    assert states(bridge) == [
        ("upsert_contact", "delivered"),
        ("upsert_deal", "delivered"),
        ("add_note", "delivered"),
    ]
    assert deal(crm) == {
        "showpad_space": SPACE,
        "dealname": "Bow River Folk Night: group bookings",
        "dealstage": QUALIFIED,
        "pipeline": "default",
    }
    assert list(crm.account.people()) == [PRIYA]
    ((key, contact),) = crm.links
    (note,) = crm.notes.values()
    assert (note["contacts"], note["deals"]) == ([contact], [key])
    assert note["hs_timestamp"] == "2027-03-09T16:45:00.250Z"
    (text,) = told(crm)
    assert text.startswith("Joined the Shared Space “Bow River Folk Night: group bookings”")
    assert text.endswith(", invited by marc.tremblay@example.org")


def test_views_move_the_deal_on_and_shares_are_told(bridge: Bridge, crm: Crm) -> None:
    play(bridge, sample("shared-space-user-added"), content("CONTENT_SHARED"))
    assert deal(crm)["dealstage"] == QUALIFIED
    play(bridge, content("CONTENT_VIEWED"))
    assert deal(crm)["dealstage"] == PRESENTED
    assert told(crm)[1:] == [
        "Was sent “Seating plan &lt;VIP&gt;” in Showpad",
        "Viewed “Seating plan &lt;VIP&gt;” in Showpad",
    ]
    assert {len(note["deals"]) for note in crm.notes.values()} == {1}


def test_content_outside_of_spaces_is_told_on_the_contact_alone(bridge: Bridge, crm: Crm) -> None:
    play(bridge, content("shared-content-viewed", in_space=False))
    assert states(bridge) == [
        ("upsert_contact", "delivered"),
        ("upsert_deal", "suppressed"),
        ("add_note", "delivered"),
    ]
    assert not crm.deals
    assert [note["deals"] for note in crm.notes_of(PRIYA)] == [[]]


def test_events_in_another_order_end_at_the_same_stage(bridge: Bridge, crm: Crm) -> None:
    play(bridge, content("content-viewed"))
    play(bridge, sample("shared-space-user-added"))
    play(bridge, sample("shared-space-created"))
    assert deal(crm)["dealstage"] == PRESENTED
    (last,) = bridge.deliveries()
    assert last.reason == "the deal stays at “Presentation Scheduled”, which comes later"


def test_a_deal_that_sales_has_won_stays_won(bridge: Bridge, crm: Crm) -> None:
    play(bridge, sample("shared-space-created"))
    deal(crm)["dealstage"] = WON
    play(bridge, joined("kim@example.com"), content("content-viewed"))
    assert deal(crm)["dealstage"] == WON
    assert crm.notes_of("kim@example.com")


def test_several_who_join_are_on_one_deal(bridge: Bridge, crm: Crm) -> None:
    people = [f"guest{number}@example.com" for number in range(8)]
    play(bridge, *map(joined, people))
    (key,) = crm.deals
    contacts = crm.account.contacts
    linked = [contacts[contact]["email"] for one, contact in crm.links if one == key]
    assert sorted(linked) == people
    assert all(len(crm.notes_of(email)) == 1 for email in people)


def test_many_who_join_many_spaces_take_few_calls(
    bridge: Bridge, crm: Crm, vendor: VendorServer
) -> None:
    """Each person's steps stay in order, and the same steps of many people go together."""

    def of_space(number: int) -> Callable[[dict[str, Any]], None]:
        def change(data: dict[str, Any]) -> None:
            data["invitee"]["email"] = f"guest{number}@example.com"
            data["sharedSpace"]["id"] = f"space-{number}"

        return change

    play(bridge, *(sample("shared-space-user-added", of_space(number)) for number in range(40)))
    assert (len(crm.deals), len(crm.links), len(crm.notes)) == (40, 40, 40)
    calls = [each.path.removeprefix("/crm/v3/objects/") for each in vendor.requests]
    assert calls.count("contacts/batch/create") <= HubSpot.actions()["upsert_contact"].shards
    assert calls.count("deals/batch/upsert") <= HubSpot.actions()["upsert_deal"].shards
    assert calls.count("notes") == 40


def test_the_steps_for_one_person_are_done_in_their_order(
    bridge: Bridge, vendor: VendorServer
) -> None:
    play(bridge, sample("shared-space-user-added"), content("content-viewed"))
    written = [
        path
        for each in vendor.requests
        if (path := each.path.removeprefix("/crm/v3/objects/")) in ("notes", "deals/batch/upsert")
    ]
    assert written == ["deals/batch/upsert", "notes"] * 2


def test_colleagues_who_are_invited_become_no_contacts(bridge: Bridge, crm: Crm) -> None:
    bridge.receive(("showpad", joined("lena.okafor@example.org")))
    bridge.work()
    assert not crm.account.contacts
    assert not crm.notes


def test_a_redelivery_changes_nothing(bridge: Bridge, crm: Crm, vendor: VendorServer) -> None:
    body = sample("shared-space-user-added")
    play(bridge, body)
    before = len(vendor.requests)
    source = bridge.config.sources["showpad"]
    signed = dict(source.source.sign(body, source.secrets[0], bridge.now()))
    answer = bridge.client.post("/hooks/showpad", data=body, headers=signed)
    assert answer.get_json()["result"] == "duplicate"
    bridge.work()
    assert len(vendor.requests) == before
    assert (len(crm.deals), len(crm.notes)) == (1, 1)


def test_what_the_recipe_needs_is_made_by_the_setup() -> None:
    world = World(sources={"showpad": Showpad}, accounts={"hubspot": HubSpot})
    uses = uses_of(compile_rules(recipe(), "recipe", world), "hubspot")
    crm = account()
    crm.properties.pop()
    with VendorServer(handler=crm.answer) as server:
        changes = HubSpot(settings(server.url)).changes(uses)
        assert changes[-1].what == "create the deal property `showpad_space` (text, unique values)"
        assert [change.make() for change in changes] == [None, None]
        item = UpsertDeal(id_property="showpad_space", id=SPACE, stage="Closed won")
        assert isinstance(HubSpot(settings(server.url)).upsert_deal([item])[0], Delivered)
    assert not crm.broken
    assert deal(crm)["dealstage"] == WON
