"""How much one webhook may add to the ledger, and what tells that it wanted more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.connector import Call
from bridge.engine.calling import MAX_CALL, MAX_CALLS, calls_of
from bridge.engine.room import MAX_CANCELLERS, MAX_DELIVERIES, MAX_PLANNED, Room
from bridge.engine.route import Router
from bridge.event import Webhook
from bridge.ledger.alerts import open_alerts
from bridge.ledger.claim import Batch, claim
from bridge.ledger.database import Database
from bridge.ledger.lanes import INBOX
from bridge.ledger.plan import Plan, Waiting, record
from bridge.ledger.settle import Settlement, settle
from bridge.ledger.stories import story
from bridge.rules import World, compile_rules
from bridge.sources.showpass import Showpass, ShowpassSettings
from tests.engine import test_turns
from tests.engine.scripted import Scripted
from tests.engine.test_forged_endings import asked
from tests.engine.test_turns import Engine
from tests.ledger.records import LANE, accept, arrival, delivery
from tests.ledger.records import plan as ledger_plan
from tests.web.conftest import purchase

WORLD = World(sources={"showpass": Showpass}, accounts={"scripted": Scripted})
TEXT = "{{ order.id }}"

engine = test_turns.engine


def planned(rules: int, options: str = "", text: str = TEXT, **data: Any) -> Plan:
    """So many rules about one purchase, each with one step."""
    written = "rules:\n" + "".join(
        f"- name: Rule {number}\n  when: {{source: showpass}}\n{options}"
        f"  do: [{{scripted.send: {{text: '{text}'}}}}]\n"
        for number in range(rules)
    )
    router = Router(
        sources={"showpass": Showpass(ShowpassSettings(ticket_mismatch="accept"), [])},
        accounts={"scripted": Scripted},
        rules=compile_rules(written, "rules.yaml", WORLD),
    )
    webhook = Webhook("showpass", purchase(data=data), {}, 1_800_000_000.0)
    return router.plan(Waiting(1, "key", webhook, replayed=False), 1_800_000_000.0)


def length(made: Plan) -> int:
    rows = [[dict(each.item), each.event, each.reason] for each in made.deliveries]
    return len(json.dumps(rows)) + len(json.dumps(made.events[0].verdicts))


def tickets(count: int) -> list[dict[str, Any]]:
    return [{"id": number} for number in range(count)]


def test_a_real_order_of_five_hundred_tickets_has_room_for_three_rules_of_each() -> None:
    ticket = {"ticket_type_name": "Standing, all ages", "event_name": "Bow River Folk Night"}
    items = [{**ticket, "id": each, "name_on_ticket": "Ana Perez"} for each in range(500)]
    made = planned(3, "  for_each: tickets\n", ticket_items=items)
    assert len(made.deliveries) == 1_500
    assert {each.state for each in made.deliveries} == {"waiting"}
    assert made.too_much == ""


def test_no_webhook_is_planned_more_deliveries_than_the_bound() -> None:
    items = [{"id": number, "event_name": "x" * 100} for number in range(1_000)]
    made = planned(5, "  for_each: tickets\n", ticket_items=items)
    assert len(made.deliveries) == MAX_DELIVERIES
    assert "3,000 deliveries were left out" in made.events[0].remarks[-1]
    assert made.too_much in made.events[0].remarks[-1]


def test_a_small_webhook_becomes_no_large_plan() -> None:
    made = planned(
        40,
        text="{% for t in tickets %}{{ raw.note }}{% endfor %}",
        note="n" * 4_000,
        ticket_items=tickets(25),
    )
    assert length(made) < 2_000_000
    refused = [each for each in made.deliveries if each.state == "rejected"]
    assert refused
    assert all(each.item == {} and each.event is None for each in refused)
    assert "would come to more in the ledger" in str(refused[0].reason)
    assert "rejected for what they are filled in with" in made.too_much


def test_what_there_is_no_room_for_does_not_keep_its_neighbours_away() -> None:
    made = planned(
        40,
        text="{% for t in tickets %}{{ raw.note }}{% endfor %}",
        note="n" * 4_000,
        ticket_items=tickets(20),
    )
    states = [each.state for each in made.deliveries]
    assert states[0] == "waiting"
    assert "rejected" in states
    assert len(states) == 40


def test_what_is_small_goes_on_behind_what_there_is_no_room_for() -> None:
    room = Room(sent=1_000)
    large = [delivery(f"large-{each}", item={"text": "x" * 90_000}) for each in range(9)]
    owed = [*large, delivery("small")]
    states = [each.state for each in room.within(iter(owed), len(owed))]
    assert states[-2:] == ["rejected", "waiting"]
    assert "3 deliveries were rejected" in room.remarks[0]


def test_no_webhook_becomes_more_than_the_largest_plan() -> None:
    made = planned(
        200,
        text="{% for t in tickets %}{{ raw.note }}{% endfor %}",
        note="n" * 4_900,
        ticket_items=tickets(19),
        more=["x" * 4_900] * 160,
    )
    assert length(made) < MAX_PLANNED


def test_so_much_can_be_called_off_by_so_many_keys_only() -> None:
    made = planned(
        2,
        "  for_each: tickets\n  after: 1 day\n  unless: invoice.refund\n",
        ticket_items=[{"id": each, "event_name": "x" * 100} for each in range(1_000)],
    )
    keys = [
        len(each.unless.keys) + len(each.unless.claims) for each in made.deliveries if each.unless
    ]
    assert len(keys) > 1_000
    assert sum(keys) <= MAX_CANCELLERS
    assert min(keys) >= 4


def test_all_texts_for_one_webhook_share_a_bound_of_work() -> None:
    text = "{% for t in tickets %}{% if t.id == order.id %}x{% endif %}{% endfor %}a"
    made = planned(1, "  for_each: tickets\n", text, ticket_items=tickets(1_000))
    reasons = {str(each.reason) for each in made.deliveries if each.state == "rejected"}
    assert any("take too much work together" in each for each in reasons)
    assert made.deliveries[0].state == "waiting"


def test_an_alert_says_what_was_left_out_and_what_to_do(database: Database) -> None:
    accept(database, arrival())
    items = [{"id": number, "event_name": "x" * 100} for number in range(1_000)]
    made = planned(3, "  for_each: tickets\n", ticket_items=items)
    with database.write() as connection:
        record(connection, [made], 1.0)
        (alert,) = [each for each in open_alerts(connection) if each.kind == "too-much"]
    assert "1,000 deliveries were left out" in alert.text
    assert "`showbridge replay 1`" in alert.text


@pytest.mark.parametrize("count", [1, 500])
def test_a_recorded_call_is_short_and_says_what_is_missing(count: int) -> None:
    def preview() -> list[Call]:
        return [Call("POST", "/x" * 5_000, {"q": "z" * 9_000}, {"text": "y" * 200_000})] * count

    made = calls_of(Scripted.actions()["send"], preview)
    assert len(made) == min(count, MAX_CALLS)
    assert all(len(json.dumps(each)) <= MAX_CALL for each in made)
    assert made[0]["body"]["cut"].startswith("200,012 characters")


def test_long_calls_are_kept_of_the_last_attempt_alone(database: Database) -> None:
    accept(database, arrival())
    with database.write() as connection:
        record(connection, [ledger_plan(1, delivery("d1"))], 1.0)
    for number in (1, 2, 3):
        with database.write() as connection:
            claim(connection, LANE, "turn", 10, Batch, 10.0 * number)
            tried = Settlement(
                webhook=1,
                delivery="d1",
                attempt=number,
                outcome="retry",
                state="waiting",
                due_at=0.0,
                failures=number,
                calls=[{"body": "x" * 10_000, "path": "/"}],
            )
            settle(connection, [tried], "turn", 10.0 * number)
    with database.read() as connection:
        told = story(connection, 1)
    assert told is not None
    (only,) = told.events[0].deliveries
    assert [bool(each.calls) for each in only.attempts] == [False, False, True]


EACH = """
rules:
  - name: Each
    when: {source: showpass}
    for_each: tickets
    do: [{scripted.send: {text: "{{ ticket.id }}"}}]
"""


def test_what_comes_to_very_many_deliveries_is_written_down_in_portions(engine: Engine) -> None:
    """All that is planned is in memory until then."""
    engine.write_rules(EACH)
    items = [{"id": number, "event_name": "x" * 20} for number in range(600)]
    for name in ("one", "two", "three"):
        engine.receive(name, data={"ticket_items": items})
    engine.clock.tick()
    with asked(engine.database) as sent:
        engine.turns.take(INBOX)
    planned = [each for each, _ in sent if each.startswith("INSERT INTO deliveries")]
    assert len(planned) >= 2
    assert engine.states() == {"waiting": 1_800}


LESS = {
    "too many tickets": ({"ticket_items": tickets(2_100)}, "", "of 2,100 entries"),
    "a long text": ({"notes": "n" * 6_000}, "", "the longest from 6,000"),
    "a long address": ({"customer_email": "a" * 300}, "", "1 e-mail address of more than 254"),
    "no room": ({"notes": ["n" * 5_000] * 201}, "", "more values were left out"),
    "too many to go through": (
        {"ticket_items": tickets(1_200)},
        "  for_each: tickets\n",
        "rules go through the first",
    ),
}


@pytest.mark.parametrize(("data", "options", "said"), LESS.values(), ids=LESS)
def test_what_an_event_holds_less_than_was_sent_is_a_remark_and_an_alert(
    database: Database, data: dict[str, Any], options: str, said: str
) -> None:
    accept(database, arrival("key"))
    made = planned(1, options, **data)
    with database.write() as connection:
        record(connection, [made], 2.0)
    with database.read() as connection:
        told = story(connection, 1)
        [alert] = [each for each in open_alerts(connection) if each.kind == "too-much"]
    assert told is not None
    assert said in " ".join(told.events[0].remarks)
    assert said in alert.text
