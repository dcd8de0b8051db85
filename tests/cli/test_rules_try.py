"""`showbridge rules try`: what rules would do, and why or why not, with nothing sent or written."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from bridge.config import world
from bridge.engine import late
from bridge.engine.rehearse import Stage
from bridge.ledger.plan import waiting
from bridge.ledger.tables import deliveries, events, webhooks
from bridge.rule_files import read_files
from bridge.sources.showpass import Showpass
from tests.cli.house import RULES, House, Ledger
from tests.cli.trying import DRAFT, ONCE, flat, line_of, lines, refused, run, told


@pytest.fixture
def draft(house: House) -> House:
    (house.folder / "draft.yaml").write_text(DRAFT)
    return house


def one(house: House, *arguments: str) -> Any:
    [found] = lines(house, "rules", "try", *arguments)
    return found


def rule(found: Mapping[str, Any], name: str) -> Any:
    return next(each for each in found["rules"] if each["rule"] == name)


def record(ledger: Ledger) -> None:
    """Route as a worker does, who knows what was done once."""
    rules = read_files(ledger.config.folder).compiled(world(ledger.config))
    stage = Stage.of(ledger.config, rules)
    with ledger.database.write() as connection:
        plans = [stage.rehearse(each, time.time()).plan for each in waiting(connection, 100)]
        before = late.look(connection, plans)
        late.record(connection, plans, before, lambda delivery: False, time.time())


def test_a_sample_is_tried_before_anything_ever_came_in(house: House) -> None:
    shown = told(house, "rules", "try", "invoice.purchase")
    assert "The sample invoice.purchase of showpass" in shown
    assert "✓ Buyers config/rules.yaml:2 matches" in shown
    assert "1 rule about other events: “Refunds”" in shown
    assert "2 deliveries (a try: nothing is sent)" in shown
    assert not (house.folder / "data").exists()


def test_each_condition_says_why_or_why_not(draft: House) -> None:
    shown = told(draft, "rules", "try", "draft.yaml", "invoice.purchase")
    assert "✗ Large orders draft.yaml:5 3 of 5 conditions do not hold" in shown
    assert "✗ order.total is at least 1000 (line 10)" in shown
    assert "order.total is 236.25, not at least 1000; 763.75 too little" in shown
    assert "✗ tickets.type is one of favourites (“VIPP”, “Backstage”) (line 11)" in shown
    assert "“VIP” is almost “VIPP”" in shown
    assert "✓ order.currency is “CAD” (“CAD”)" in shown
    assert "✓ one of these holds: ✓ contact.consent is true (true) ✗ order.total" in shown
    line = line_of(DRAFT, "- order.currency: CAD")
    assert f"✗ none of these holds: (line {line}) · order.currency is “CAD” (is so)" in shown
    assert "· order.currency is “USD” (is not so)" in shown


def test_those_that_match_come_first_then_those_that_fit_most(draft: House) -> None:
    shown = told(draft, "rules", "try", "draft.yaml", "invoice.purchase")
    order = ("✓ Reminder", "✗ After the stop", "✗ Large orders", "other events: “Not now”")
    places = [shown.index(each) for each in order]
    assert places == sorted(places)


def test_what_a_rule_with_stop_keeps_from_being_asked(draft: House) -> None:
    shown = told(draft, "rules", "try", "draft.yaml", "invoice.purchase")
    place = f"draft.yaml:{line_of(DRAFT, 'After the stop')}"
    assert f"After the stop {place} not asked: “Reminder” matched and stops" in shown
    found = one(draft, "draft.yaml", "invoice.purchase")
    stopped = rule(found, "After the stop")
    assert (stopped["stopped_by"], stopped["matched"]) == ("Reminder", False)
    assert {each["rule"] for each in found["deliveries"]} == {"Reminder"}


def test_a_rule_that_matched_and_does_not_stop_keeps_nobody_from_being_asked(
    house: House,
) -> None:
    house.write("rules.yaml", RULES + _unfitting(1))
    shown = told(house, "rules", "try", "invoice.purchase")
    assert "✓ Buyers" in shown
    assert "✗ Rule 1 config/rules.yaml:11 1 of 1 condition does not hold" in shown
    assert "not asked" not in shown


def test_what_keeps_an_event_from_a_rule_beside_its_conditions(draft: House) -> None:
    shown = told(draft, "rules", "try", "draft.yaml", "invoice.refund")
    assert "it is switched off (`enabled: false`)" in shown
    assert "it holds to 2020-12-31 in America/Edmonton only" in shown


def test_entries_that_fit_are_named_and_each_delivery_says_which_it_is_for(draft: House) -> None:
    shown = told(draft, "rules", "try", "draft.yaml", "invoice.purchase")
    assert "matches for ticket 1" in shown
    assert "rule Reminder, step 2 for ticket 1" in shown
    found = one(draft, "draft.yaml", "invoice.purchase")
    assert rule(found, "Reminder")["members"] == [1]
    assert [each["member"] for each in found["deliveries"]] == [1, 1]
    all_fit = DRAFT.replace(", where: {ticket.type: VIP}", "")
    (draft.folder / "draft.yaml").write_text(all_fit)
    found = one(draft, "draft.yaml", "invoice.purchase")
    assert [each["member"] for each in found["deliveries"]] == [1, 1, 2, 2, 3, 3]


def test_the_nearest_entry_is_told_of_where_none_fits(draft: House) -> None:
    shown = told(draft, "rules", "try", "draft.yaml", "invoice.purchase", "--rule", "reminder")
    assert "other events" not in shown
    (draft.folder / "draft.yaml").write_text(DRAFT.replace("{ticket.type: VIP}", _TWO))
    shown = told(draft, "rules", "try", "draft.yaml", "invoice.purchase", "--rule", "reminder")
    assert "1 of 2 conditions does not hold for ticket 2, the nearest" in shown
    assert "ticket.type is “General admission”, not “Balcony”" in shown


_TWO = "{ticket.type: Balcony, ticket.id: '90210002'}"


def test_deliveries_show_when_what_cancels_them_and_their_calls(draft: House) -> None:
    shown = told(draft, "rules", "try", "draft.yaml", "invoice.purchase")
    assert "1. hubspot.upsert_contact would be sent later, in preview" in shown
    assert "later: " in shown
    assert ", 09:00 M" in shown
    assert "unless invoice.refund of the same transaction comes before it is sent" in shown
    assert "POST /api/chat.postMessage" in shown
    assert '"text": "VIP"' in shown


def test_the_calls_are_those_that_the_connectors_preview(house: House) -> None:
    found = one(house, "invoice.purchase")
    [contact, message] = found["deliveries"]
    assert contact["item"]["email"] == "priya.raghunathan@example.com"
    assert message["calls"][0]["path"] == "/api/chat.postMessage"
    assert message["calls"][0]["body"]["text"] == "Priya Raghunathan bought"
    assert message["state"] == "waiting"


def test_a_refusal_for_want_of_consent_is_shown(house: House, ledger: Ledger) -> None:
    bridge = (house.folder / "config/bridge.yaml").read_text()
    house.write("bridge.yaml", bridge + "  mailchimp: {api_key: {env: MAILCHIMP_API_KEY}}\n")
    house.write("rules.yaml", _NEWSLETTER)
    number = ledger.receive("invoice.purchase", subscribe_to_venue=False)
    shown = told(house, "rules", "try", str(number))
    assert "mailchimp.subscribe would be suppressed" in shown
    assert "reason no consent: " in shown
    assert one(house, str(number))["deliveries"][0]["calls"] == []


_NEWSLETTER = """\
rules:
  - name: Newsletter
    when: {source: showpass, event: invoice.purchase}
    do:
      - mailchimp.subscribe: {audience: newsletter, email: "{{ contact.email }}"}
"""


def test_what_was_done_once_is_held_back_and_says_by_which_event(
    house: House, ledger: Ledger
) -> None:
    house.write("rules.yaml", ONCE)
    ledger.receive()
    record(ledger)
    number = ledger.receive()
    shown = told(house, "rules", "try", str(number))
    assert "would be suppressed" in shown
    assert "reason once per contact: event 1 did it on" in shown
    again = told(house, "rules", "try", "1")
    assert "would be sent, in preview" in again
    assert "once once per contact: nothing of it was done before" in again


def test_whom_nobody_knows_is_told_beside_what_is_done_once(house: House) -> None:
    everybody = ONCE.replace("contact\n", "'{{ raw.data.nobody }}'\n")
    (house.folder / "draft.yaml").write_text(everybody)
    shown = told(house, "rules", "try", "draft.yaml", "invoice.purchase")
    assert "remark `once_per` of “Welcome” is not known here, so it is done each time" in shown
    assert (
        "once once per {{ raw.data.nobody }}: this event does not say which, "
        "so it is done each time"
    ) in shown


def test_what_cannot_be_read_of_an_event_is_told(house: House) -> None:
    """Beside the conditions that it fails, or nobody sees why."""
    body = {**_BODY, "data": {"transaction_id": "1", "net_sales": "about 20"}}
    (house.folder / "odd.json").write_text(json.dumps(body))
    shown = told(house, "rules", "try", "--file", "odd.json", "--source", "showpass")
    assert "remark `net_sales` cannot be read as an amount: it is unknown" in shown
    [found] = lines(house, "rules", "try", "--file", "odd.json", "--source", "showpass")
    assert found["remarks"] == ["`net_sales` cannot be read as an amount: it is unknown"]


def test_a_sample_is_tried_as_if_nothing_of_it_came_before(house: House, ledger: Ledger) -> None:
    """Other samples of its transaction came, and say nothing of real purchases."""
    within = ONCE.replace("once_per: contact", "once_per: {of: contact, within: 1 day}")
    house.write("rules.yaml", within + DRAFT[DRAFT.index("  - name: Reminder") :])
    ledger.receive()
    ledger.receive("invoice.refund")
    record(ledger)
    recorded, sampled = (told(house, "rules", "try", each) for each in ("1", "invoice.purchase"))
    assert "but cancelled: invoice.refund came first (event 2)" in recorded
    assert "cancelled" not in sampled
    assert "event 1 did it on" not in sampled
    assert "nothing of it was done before" in sampled


def test_a_body_of_ones_own_is_tried_with_what_came_before(house: House, ledger: Ledger) -> None:
    within = ONCE.replace("once_per: contact", "once_per: {of: contact, within: 1 day}")
    house.write("rules.yaml", within)
    ledger.receive()
    record(ledger)
    [sample] = [each for each in Showpass.samples() if each.name == "invoice.purchase"]
    (house.folder / "body.json").write_text(sample.text)
    shown = told(house, "rules", "try", "--file", "body.json", "--source", "showpass")
    assert "event 1 did it on" in shown


def test_what_came_already_and_would_cancel_it_is_named(draft: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.receive("invoice.refund")
    record(ledger)
    shown = told(draft, "rules", "try", "draft.yaml", "1")
    assert "but cancelled: invoice.refund came first (event 2)" in shown


def test_an_old_event_is_tried_as_if_it_came_in_then(draft: House, ledger: Ledger) -> None:
    ledger.receive()
    then = time.time() - 30 * 86400
    with ledger.database.write() as connection:
        connection.execute(update(webhooks).values(received_at=then))
    delivery = one(draft, "draft.yaml", "1")["deliveries"][0]
    assert delivery["state"] == "scheduled"
    day = time.strftime("%Y-%m", time.gmtime(then + 2 * 86400))
    assert delivery["due_at"].startswith(day)


def test_nothing_is_written(draft: House, ledger: Ledger) -> None:
    ledger.receive()
    told(draft, "rules", "try", "draft.yaml", "1")
    told(draft, "rules", "try", "draft.yaml", "--last", "10")
    with ledger.database.read() as connection:
        assert connection.execute(select(events)).all() == []
        assert connection.execute(select(deliveries)).all() == []


def test_the_live_rules_and_a_version_can_be_tried(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.route()
    version = read_files(house.folder / "config").version
    house.write("rules.yaml", RULES.replace("Buyers", "People"))
    assert "✓ People" in told(house, "rules", "try", "1")
    assert "✓ People" in told(house, "rules", "try", ".", "1")
    shown = told(house, "rules", "try", "live", "1")
    assert f"by the live version {version}" in shown
    assert "✓ Buyers" in shown
    assert "✓ Buyers" in told(house, "rules", "try", version[:8], "1")


def test_a_body_of_ones_own(house: House) -> None:
    (house.folder / "body.json").write_text(json.dumps(_BODY))
    shown = told(house, "rules", "try", "--file", "body.json", "--source", "showpass")
    assert "The body in body.json invoice.refund from showpass" in shown
    assert "✓ Refunds" in shown


_BODY = {
    "id": "1",
    "webhook_event_uuid": str(uuid4()),
    "event_type": "invoice.refund",
    "data": {"id": 1},
}


def test_each_of_several_events_of_a_webhook(house: House, ledger: Ledger) -> None:
    house.write("rules.yaml", _COURSES)
    ledger.keep("showpad", _course("a@example.com", "b@example.com"))
    found = lines(house, "rules", "try", "1")
    assert [each["event"] for each in found] == ["event 1", "event 1-2"]
    texts = [[owed["item"]["text"] for owed in each["deliveries"]] for each in found]
    assert texts == [["a@example.com"], ["b@example.com"]]
    [second] = lines(house, "rules", "try", "1-2")
    assert second["position"] == 2
    assert "there is no event 1-3: 1 has 2 events" in refused(house, "rules", "try", "1-3")


_COURSES = """\
rules:
  - name: Courses
    when: {source: showpad, event: course-completed}
    do:
      - slack.post_message: {channel: "#all", text: "{{ contact.email }}"}
"""


def _course(*people: str) -> bytes:
    data = [{"user": {"email": person}} for person in people]
    return json.dumps({"id": str(uuid4()), "type": "COURSE_COMPLETED", "data": data}).encode()


def test_what_is_kept_for_a_person_says_so(house: House, ledger: Ledger) -> None:
    ledger.keep("showpad", b"no json")
    said = refused(house, "rules", "try", "1")
    assert "event 1 holds no event: it is kept for a person: unparsable" in said


def test_a_deleted_body_says_when_and_what_else_there_is(house: House, ledger: Ledger) -> None:
    ledger.receive()
    with ledger.database.write() as connection:
        connection.execute(update(webhooks).values(body=b"", pruned_at=time.time()))
    said = refused(house, "rules", "try", "1")
    assert "the body of event 1 was deleted for its age on" in said
    assert "showbridge why 1" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["invoice.purchas"], "there is no sample `invoice.purchas`; did you mean `invoice.purch"),
        (["zzz"], "events are numbers, as `showbridge events` lists them"),
        (["99"], "there is no event 99"),
        (["draft.yaml"], "try them with what? Give an event's id, a sample, --file or --last"),
        ([], "try them with what?"),
        (["nothing.yaml", "99"], "there is no file or folder nothing.yaml"),
        (["abcdef", "99"], "there is no version `abcdef` of the rules"),
        (["a", "b", "c"], "give the rules and one event or sample"),
        (["draft.yaml", "1", "--last", "5"], "give the rules and one event or sample"),
        (["draft.yaml", "invoice.void", "--rule", "Remindr"], "did you mean `Reminder`?"),
        (["draft.yaml", "invoice.void", "--source", "x"], "there is no source `x`"),
        (["draft.yaml", "--file", "none.json"], "none.json cannot be read"),
        (["draft.yaml", "--file", "draft.yaml", "--source", "showpass"], "would be refused it"),
    ],
    ids=range(13),
)
def test_slips_are_explained(draft: House, ledger: Ledger, arguments: list[str], said: str) -> None:
    assert said in refused(draft, "rules", "try", *arguments)


def test_mistakes_in_a_draft_are_shown_as_check_shows_them(draft: House) -> None:
    (draft.folder / "bad.yaml").write_text(DRAFT.replace("slack.post_message", "slack.post", 1))
    result = run(draft, "rules", "try", "bad.yaml", "invoice.purchase")
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 1
    shown = flat(result.stdout)
    assert "bad.yaml:21:9: `slack` has no action `post`" in shown
    assert "did you mean `slack.post_message`?" in shown
    assert "1 mistake" in shown
    told = run(draft, "rules", "try", "bad.yaml", "invoice.purchase", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["mistakes"][0]["line"] == 21


def test_of_very_many_rules_those_that_fit_least_are_only_counted(house: House) -> None:
    house.write("rules.yaml", "rules:\n" + "".join(map(_unfitting, range(1, 31))))
    shown = told(house, "rules", "try", "invoice.purchase")
    assert shown.count("of 1 condition does not hold") + shown.count("do not hold") == 20
    assert "✗ Rule 1 " in shown
    assert "and 10 rules that fit less: --rule NAME shows one" in shown
    assert len(one(house, "invoice.purchase")["rules"]) == 30


def _unfitting(number: int) -> str:
    return (
        f"  - name: Rule {number}\n    when: {{source: showpass, event: invoice.purchase, "
        f"where: {{order.total: {{at_least: {1000 * number}}}}}}}\n"
        '    do: [{slack.post_message: {channel: "#x", text: x}}]\n'
    )


def test_of_the_newest_events_each_rule_is_counted(draft: House, ledger: Ledger) -> None:
    for sample in ("invoice.purchase", "invoice.purchase", "invoice.refund", "webhook.test"):
        ledger.receive(sample)
    shown = told(draft, "rules", "try", "draft.yaml", "--last", "100")
    assert "The newest 4 events by draft.yaml" in shown
    assert "✗ Large orders draft.yaml:5 matches 0 of 2 such events" in shown
    assert "2 × not: order.total is at least 1000, such as 2" in shown
    place = f"draft.yaml:{line_of(DRAFT, 'Reminder')}"
    assert f"✓ Reminder {place} matches 2 of 2 such events: 2, 1" in shown
    assert "2 × hubspot.upsert_contact would be sent" in shown
    assert "matches 1 of 3 such events: 3" in shown
    assert "2 × not asked: “Reminder” matched and stops" in shown
    assert "nothing is sent" in shown


def test_of_the_newest_events_only_so_many(draft: House, ledger: Ledger) -> None:
    for _ in range(3):
        ledger.receive()
    found = one(draft, "draft.yaml", "--last", "2")
    assert found["events"] == 2
    assert rule_of(found, "Reminder")["examples"] == ["3", "2"]


def rule_of(found: Mapping[str, Any], name: str) -> Any:
    named: Sequence[Any] = found["rules"]
    return next(each for each in named if each["rule"] == name)


def test_of_a_webhook_only_the_events_that_are_among_the_newest(
    house: House, ledger: Ledger
) -> None:
    house.write("rules.yaml", _COURSES)
    ledger.keep("showpad", _course("a@example.com", "b@example.com"))
    ledger.route()
    assert one(house, "--last", "1")["rules"][0]["examples"] == ["1-2"]
    assert one(house, "--last", "2")["rules"][0]["examples"] == ["1-2", "1"]


def test_a_condition_that_alone_keeps_events_away_is_told(house: House, ledger: Ledger) -> None:
    house.write("rules.yaml", "rules:\n" + _unfitting(1))
    ledger.receive()
    ledger.receive()
    shown = told(house, "rules", "try", "--last", "5")
    assert "2 × not: order.total is at least 1000, 2 × for that alone" in shown
    [why] = one(house, "--last", "5")["rules"][0]["why_not"]
    assert (why["count"], why["alone"], why["example"]) == (2, 2, "2")
    assert why["words"] == "order.total is 236.25, not at least 1000"


def test_over_the_newest_events_once_counts_from_one_to_the_next(
    house: House, ledger: Ledger
) -> None:
    house.write("rules.yaml", ONCE)
    for _ in range(3):
        ledger.receive()
    [welcome] = one(house, "--last", "10")["rules"]
    assert welcome["would_be_sent"] == {"hubspot.upsert_contact": 1}
    [held] = welcome["would_not_be_sent"]
    assert held["count"] == 2
    assert held["reason"].startswith("once per contact: event 1 did it on")


def test_what_cannot_be_tried_is_counted(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.receive()
    ledger.keep("showpad", b"no json")
    with ledger.database.write() as connection:
        first = update(webhooks).where(webhooks.c.number == 1)
        connection.execute(first.values(body=b"", pruned_at=time.time()))
    found = one(house, "--last", "10")
    assert (found["events"], found["bodies_deleted"], found["unusable"]) == (1, 1, 1)
    shown = told(house, "rules", "try", "--last", "10")
    assert "1 more left out: their bodies were deleted for their age" in shown
    assert "1 webhook left out that cannot be read or hold nothing" in shown


def test_one_rule_over_the_newest_events(draft: House, ledger: Ledger) -> None:
    ledger.receive()
    shown = told(draft, "rules", "try", "draft.yaml", "--last", "9", "--rule", "not now")
    assert f"✗ Not now draft.yaml:{line_of(DRAFT, 'Not now')} matches 0 of 0 such events" in shown
    assert "Reminder" not in shown
