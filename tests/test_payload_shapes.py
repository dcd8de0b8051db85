"""The shapes that vendors have published over the years: all are taken, and all say the same.

Each body goes through the real receiver, ledger, rules and engine; what came
of it is read from a message, as a marketer would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from redis import Redis

from bridge.config import Config, load
from bridge.engine import assemble
from bridge.engine.queue import LaneQueue
from bridge.engine.turns import Turns
from bridge.engine.wake import Waker
from bridge.ledger.alerts import end_unreadable, open_alerts
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from bridge.ledger.lanes import occupied
from bridge.ledger.migrate import migrate
from bridge.ledger.stories import Story, story
from bridge.web.app import create_app
from tests.conftest import Now

ORDER, OTHER = "4d-77aa-4c1e-9d02-6b1f00d5e9c3", "90-51c0-4f7e-8aa1-2f3e4d5c6b7a"

BRIDGE_YAML = """
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}, organization: "77"}
  showpad: {secrets: {env: SHOWPAD_SECRETS}}
accounts: {hubspot: , slack: , mailchimp: }
"""
RULES_YAML = """
rules:
  - name: Told
    when: {source: showpass, event: "invoice.*"}
    do:
      - slack.post_message:
          channel: "#all"
          text: >-
            {{ order.id }} {{ order.total | money if order.total else 'no total' }}
            {{ order.currency or '-' }} net {{ order.gross_revenue | money }}
            fees {{ order.fees | money }} tax {{ order.tax | money }}
            off {{ order.discounts | money }}
            {{ order.payment_type or '-' }} {{ order.invoice_type or '-' }}
            at {{ order.organization }} by {{ contact.name or 'nobody' }}
            {{ contact.first_name or '-' }}/{{ contact.last_name or '-' }}
            <{{ contact.email or '-' }}> {{ contact.phone or '-' }};
            {{ tickets | length }}:
            {{ tickets[0].id }} {{ tickets[0].kind }} {{ tickets[0].status }}
            {{ tickets[0].type }} {{ tickets[0].type_id }} {{ tickets[0].event_id }}
            {{ tickets[0].holder_name or '-' }} {{ tickets[0].holder_email or '-' }};
            {{ tickets[0].starts_on | date }}
            {{ items[0].quantity }} {{ items[0].kind }} {{ items[0].total | money }}
            {{ items[0].id }}
      - hubspot.upsert_contact: {email: "{{ contact.email }}"}
      - mailchimp.subscribe: {audience: news, email: "{{ contact.email }}"}
  - name: Asked
    when:
      source: showpass
      event: invoice.purchase
      where:
        order.total: {at_least: 48.3, at_most: 48.30}
        order.payment_type: credit
        order.invoice_type: sale
        order.organization: "77"
        tickets.status: issued
        tickets.kind: ticket
        tickets.event_id: "9001"
        items.quantity: {at_least: 2}
    do:
      - slack.post_message: {channel: "#sold", text: "{{ order.id }}"}
  - name: Joined
    when: {source: showpad, event: shared-space-user-added}
    do:
      - hubspot.upsert_contact: {email: "{{ invitee.email }}"}
      - slack.post_message:
          channel: "#all"
          text: >-
            {{ inviter.email or 'somebody' }} invited {{ invitee.email or 'somebody' }}
            to {{ space.name or 'a space' }} {{ 'then' if occurred_at else 'some day' }}
"""
TOLD = (
    f"{ORDER} 48.30 CAD net 41.50 fees 2.30 tax 2.00 off 0.00 credit sale at 77 "
    "by Mina Okonkwo-Bell Mina/Okonkwo-Bell <mina@example.net> +1 587 555 0199; "
    "2: 7001 ticket issued Balcony 31 9001 Mina Okonkwo-Bell mina@example.net; "
    "6 May 2028, 02:00 UTC 2 ticket 48.30 8001"
)

Spell = Callable[[str], Any]
"""How one published version writes a value that another one writes otherwise."""


@dataclass
class Bridge:
    """Takes webhooks and does all that is due, in preview."""

    config: Config
    database: Database
    client: FlaskClient
    turns: Turns
    waker: Waker
    now: Now
    number: int = 0

    def receive(self, source: str, payload: Any) -> Story:
        """The webhook's story, after seeing that it was accepted and routed."""
        body = json.dumps(payload).encode()
        configured = self.config.sources[source]
        signed = configured.source.sign(body, configured.secrets[0], self.now())
        answer = self.client.post(f"/hooks/{source}", data=body, headers=dict(signed))
        assert (answer.status_code, answer.get_json()) == (200, {"result": "accepted"})
        self.number += 1
        self._work()
        with self.database.read() as connection:
            found = story(connection, self.number)
        assert found is not None
        assert (found.state, found.reason) == ("routed", None)
        return found

    def alerts(self) -> str:
        with self.database.read() as connection:
            return "\n".join(alert.text for alert in open_alerts(connection))

    def _work(self) -> None:
        while lanes := self._due():
            for lane in lanes:
                self.waker.wake(lane)
                self.turns.take(lane)
            self.now.advance(2)

    def _due(self) -> list[str]:
        with self.database.read() as connection:
            return sorted({*due_lanes(connection, self.now()), *occupied(connection, self.now())})


@pytest.fixture
def bridge(tmp_path: Path, redis: Redis, now: Now) -> Iterator[Bridge]:
    (tmp_path / "bridge.yaml").write_text(BRIDGE_YAML)
    (tmp_path / "rules.yaml").write_text(RULES_YAML)
    secrets = {"SHOWPASS_SECRETS": "for-showpass", "SHOWPAD_SECRETS": "for-showpad"}
    config = load({**secrets, "SHOWBRIDGE_DATA": str(tmp_path)}, tmp_path)
    database, queue = Database(config.database_url), LaneQueue(redis)
    migrate(database)
    app = create_app(config, database, redis, now)
    turns = assemble.turns(config, database, queue, now)
    yield Bridge(config, database, app.test_client(), turns, Waker(database, queue, now), now)
    app.extensions["bell"].stop()
    database.close()


def message(told: Story, channel: str = "#all") -> str:
    """The text in one channel."""
    (item,) = [
        delivery.item
        for delivery in told.events[0].deliveries
        if delivery.item.get("channel") == channel
    ]
    return str(item["text"])


def states(told: Story) -> dict[str, tuple[str, str | None]]:
    return {
        f"{delivery.rule}/{delivery.account}": (delivery.state, delivery.reason)
        for delivery in told.events[0].deliveries
    }


def number(text: str) -> Any:
    """`48.30` as 48.3, `2.00` as 2."""
    value = float(text)
    return int(value) if value.is_integer() else value


def purchase(
    money: Spell = str, ids: Spell = str, case: Callable[[str], str] = str, **data: Any
) -> dict[str, Any]:
    """One order in one spelling; `data` is put over it."""
    sums = {
        "discounts": money("0.00"),
        "net_sales": money("48.30"),
        "service_fees": money("2.30"),
        "account_credit_applied": money("0.00"),
        "gross_revenue": money("41.50"),
        "organizer_fees": money("0.00"),
        "total_tax": money("2.00"),
    }
    whose = {"event_id": ids("9001"), "event_name": "Night Market", "ticket_type_id": ids("31")}
    ticket = {
        **whose,
        "event_starts_on": "2028-05-06T02:00:00Z",
        "event_ends_on": "2028-05-06T06:00:00Z",
        "ticket_type_name": "Balcony",
        "ticket_item_type": case("ticket"),
        "ticket_status": case("issued"),
        "ticket_status_code": ids("2"),
        "barcode_string": "ZZTOP0001",
        "created_by_transfer": False,
        "name_on_ticket": "Mina Okonkwo-Bell",
        "email_on_ticket": "mina@example.net",
        "phone_number_on_ticket": None,
    }
    return {
        "id": ORDER,
        "event_type": "invoice.purchase",
        "webhook_event_uuid": str(uuid4()),
        "data": {
            "transaction_id": ORDER,
            "showpass_organization_id": ids("77"),
            "customer_name": "Mina Okonkwo-Bell",
            "customer_email": "mina@example.net",
            "customer_phone_number": "+1 587 555 0199",
            "subscribe_to_venue": True,
            "payment_type": case("credit"),
            "other_payment_type": None,
            "currency": "CAD",
            "account_credit_type": None,
            "invoice_type": case("sale"),
            "invoice_type_id": ids("101"),
            **sums,
            "ticket_items": [{"id": 7001, **ticket}, {"id": 7002, **ticket}],
            "invoice_items": [
                {
                    "id": 8001,
                    "invoice_item_type": case("ticket"),
                    "quantity": 2,
                    "ticket_type_name": "Balcony",
                    "event_facebook_id": None,
                    "product_id": None,
                    **whose,
                    **sums,
                }
            ],
            **data,
        },
    }


@pytest.mark.parametrize("money", [str, number, float], ids=["texts", "numbers", "floats"])
@pytest.mark.parametrize("ids", [str, int], ids=["text ids", "number ids"])
@pytest.mark.parametrize("case", [str.lower, str.title, str.upper])
def test_every_spelling_of_an_order_says_the_same(
    bridge: Bridge, money: Spell, ids: Spell, case: Callable[[str], str]
) -> None:
    told = bridge.receive("showpass", purchase(money, ids, case))
    assert message(told) == TOLD
    assert message(told, "#sold") == ORDER
    assert told.events[0].who == "mina@example.net"
    assert bridge.alerts() == ""


def test_an_id_that_is_not_the_transaction_s_is_routed_and_remarked(bridge: Bridge) -> None:
    told = bridge.receive("showpass", {**purchase(), "id": OTHER})
    # By what is signed: what the data says anybody with one signature can write.
    assert message(told).startswith(OTHER)
    assert "does not name the transaction which its signature covers" in bridge.alerts()
    assert "does not name the transaction" in told.events[0].remarks[0]


@pytest.mark.parametrize("named", ["No Name", "no name", " No  Name ", None, "", "  "])
def test_nobody_is_called_no_name(bridge: Bridge, named: str | None) -> None:
    told = bridge.receive("showpass", purchase(customer_name=named))
    assert " by nobody -/- <" in message(told)


@pytest.mark.parametrize("address", [None, "", "  "])
def test_without_an_address_the_message_goes_and_the_contact_waits_for_none(
    bridge: Bridge, address: str | None
) -> None:
    tickets = [{**purchase()["data"]["ticket_items"][0], "id": 7001, "email_on_ticket": None}]
    told = bridge.receive("showpass", purchase(customer_email=address, ticket_items=tickets))
    lacking = ("suppressed", "the event has no e-mail address")
    assert states(told) == {
        "Told/slack": ("previewed", None),
        "Told/hubspot": lacking,
        "Told/mailchimp": lacking,
        "Asked/slack": ("previewed", None),
    }
    assert "<-> " in message(told)
    assert "1: 7001 ticket issued Balcony 31 9001 Mina Okonkwo-Bell -;" in message(told)
    assert told.events[0].who == "Mina Okonkwo-Bell"


@pytest.mark.parametrize("nothing", [None, "", "n/a", [], {}, True])
def test_a_sum_that_is_none_is_not_zero(bridge: Bridge, nothing: object) -> None:
    told = bridge.receive("showpass", purchase(net_sales=nothing))
    assert message(told).startswith(f"{ORDER} no total CAD")
    assert "Asked/slack" not in states(told)


def test_an_order_with_nothing_but_its_ids_is_routed(bridge: Bridge) -> None:
    payload = purchase()
    payload["data"] = {"transaction_id": ORDER, "showpass_organization_id": 77}
    told = bridge.receive("showpass", payload)
    assert message(told).startswith(f"{ORDER} no total -")
    assert states(told)["Told/hubspot"][0] == "suppressed"


@pytest.mark.parametrize(
    ("said", "state"), [(True, "previewed"), (False, "suppressed"), ("true", "suppressed")]
)
def test_only_a_true_is_consent(bridge: Bridge, said: object, state: str) -> None:
    told = bridge.receive("showpass", purchase(subscribe_to_venue=said))
    assert states(told)["Told/mailchimp"][0] == state


@pytest.mark.parametrize("kind", ["refund", "void", "transfer", "transferred"])
def test_the_other_events_of_an_order_have_its_shape(bridge: Bridge, kind: str) -> None:
    payload = {**purchase(number, int, str.title), "event_type": f"invoice.{kind}"}
    told = bridge.receive("showpass", payload)
    assert message(told).startswith(f"{ORDER} 48.30 CAD")
    assert states(told)["Told/mailchimp"][0] == "suppressed"


# Showpad


def envelope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "shared-space-user-added",
        "specversion": "1",
        "id": str(uuid4()),
        "time": "2028-02-29T23:59:59.999Z",
        "data": {
            "inviter": {"userId": "u1", "shareActorId": "a1", "email": "leo@example.net"},
            "invitee": {"userId": "u2", "shareActorId": "a2", "email": "mina@example.net"},
            "sharedSpace": {"id": "s1", "name": "Night Market partners"},
        },
        **changes,
    }


EMPTY: dict[str, Any] = {"inviter": {}, "invitee": {}, "sharedSpace": {}}


@pytest.mark.parametrize("version", ["1", 1, 1.0, "1.0", None])
@pytest.mark.parametrize("kind", ["shared-space-user-added", "SHARED_SPACE_USER_ADDED"])
def test_every_spelling_of_an_invitation_says_the_same(
    bridge: Bridge, version: object, kind: str
) -> None:
    told = bridge.receive("showpad", envelope(specversion=version, type=kind))
    said = "leo@example.net invited mina@example.net to Night Market partners then"
    assert message(told) == said
    assert states(told)["Joined/hubspot"] == ("previewed", None)


@pytest.mark.parametrize("time", ["2022-15-30T06:45:00.250Z", "2028-02-30T00:00:00Z", "", 7, None])
def test_a_time_that_is_none_stops_no_invitation(bridge: Bridge, time: object) -> None:
    told = bridge.receive("showpad", envelope(time=time))
    assert message(told).endswith(" some day")
    assert bool(told.events[0].remarks) == (time is not None)


def test_empty_objects_and_the_fifteenth_month_are_routed(bridge: Bridge) -> None:
    published = envelope(specversion=1, time="2027-15-30T06:45:00.250Z", data=EMPTY)
    told = bridge.receive("showpad", published)
    assert message(told) == "somebody invited somebody to a space some day"
    assert states(told)["Joined/hubspot"] == ("suppressed", "the event has no e-mail address")
    assert told.events[0].remarks == ['the time "2027-15-30T06:45:00.250Z" cannot be read']
    assert bridge.alerts() == ""


@pytest.mark.parametrize("data", [None, [], {}, "x", 7, {"invitee": None}, {"invitee": []}])
def test_data_of_another_shape_is_routed(bridge: Bridge, data: object) -> None:
    told = bridge.receive("showpad", envelope(data=data))
    assert message(told) == "somebody invited somebody to a space then"


def test_an_invitee_without_an_address_is_no_contact(bridge: Bridge) -> None:
    people = {"invitee": {"shareActorId": "a2", "email": None}, "inviter": {"email": " "}}
    told = bridge.receive("showpad", envelope(data={**EMPTY, **people}))
    assert states(told)["Joined/hubspot"][0] == "suppressed"


def sold(**data: Any) -> dict[str, Any]:
    whole = purchase()
    return {**whole, "data": {**whole["data"], **data}}


def unreadable(bridge: Bridge) -> dict[str, int]:
    """How often each place could not be read, by the open alerts."""
    with bridge.database.read() as connection:
        found = [alert for alert in open_alerts(connection) if alert.kind == "unreadable"]
    return {alert.subject: alert.count for alert in found}


@pytest.mark.parametrize("written", ["1,234.50", "$1,234.50", "1.234,50", "CAD 1 234,50"])
def test_an_amount_as_people_write_it_is_that_amount(bridge: Bridge, written: str) -> None:
    told = bridge.receive("showpass", sold(net_sales=written))
    assert message(told).startswith(f"{ORDER} 1,234.50 CAD")
    assert (told.events[0].remarks, bridge.alerts()) == ([], "")


def test_an_amount_that_may_be_another_is_told_once_for_each_field(bridge: Bridge) -> None:
    first = bridge.receive("showpass", sold(net_sales="1,234"))
    assert message(first).startswith(f"{ORDER} no total CAD")
    assert first.events[0].remarks == [
        "`net_sales` cannot be read as an amount (“1,234”): it is unknown"
    ]
    bridge.receive("showpass", sold(net_sales="2,345", total_tax="free"))
    bridge.receive("showpass", sold())
    assert unreadable(bridge) == {"showpass net_sales": 2, "showpass total_tax": 1}
    assert "`showbridge event 2` says how it was written" in bridge.alerts()


def test_nobody_needs_to_close_an_alert_of_what_is_read_again(bridge: Bridge) -> None:
    bridge.receive("showpass", sold(net_sales="1,234"))
    week = 7 * 86400
    for seconds, expected in ((week - 60, 1), (120, 0)):
        bridge.now.advance(seconds)
        with bridge.database.write() as connection:
            end_unreadable(connection, bridge.now())
        assert len(unreadable(bridge)) == expected


@pytest.mark.parametrize("far", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01"])
def test_a_date_from_the_ends_of_the_calendar_costs_no_message(bridge: Bridge, far: str) -> None:
    ticket = {"id": 7001, "event_starts_on": far, "event_ends_on": far}
    told = bridge.receive("showpass", sold(ticket_items=[ticket]))
    assert {state for state, _ in states(told).values()} == {"previewed"}
