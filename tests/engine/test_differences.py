"""What other rules would have done: compared by what is done, over a period as it went."""

from __future__ import annotations

import pytest

from bridge.engine.differences import changed_fields
from tests.engine.differing import (
    BEGAN,
    DAY,
    Shop,
    compare,
    compiled,
    kinds,
    of,
    rule,
    standings,
    the_example,
)

TICKETS = [
    {"id": "1", "ticket_type_name": "VIP"},
    {"id": "2", "ticket_type_name": "Standing"},
    {"id": "3", "ticket_type_name": "VIP"},
]


@pytest.fixture
def shop() -> Shop:
    """Two purchases, of 20 and of 200."""
    return Shop().bought(net_sales="20.00").bought(net_sales="200.00")


def test_the_same_rules_make_no_difference(shop: Shop) -> None:
    found = compare([rule()], [rule()], shop)
    assert (found.events, found.different) == (2, 0)
    assert standings(found) == [("same", "A rule")]
    assert (of(found, "A rule").matched_before, of(found, "A rule").matched_after) == (2, 2)


def test_what_a_wider_condition_lets_in_is_added_with_the_reason_that_kept_it_out(
    shop: Shop,
) -> None:
    before = rule(where="{order.total: {at_least: 100}}")
    found = compare([before], [rule(where="{order.total: {at_least: 10}}")], shop)
    assert (found.different, kinds(found)) == (1, (1, 0, 0))
    example = the_example(found)
    assert (example.about.id, example.about.who) == ("1", "ana@example.com")
    assert example.why_not == "order.total is 20.00, not at least 100"
    assert example.difference.before is None
    assert (of(found, "A rule").matched_before, of(found, "A rule").matched_after) == (1, 2)


def test_what_a_narrower_condition_keeps_out_is_removed_with_the_reason(shop: Shop) -> None:
    after = rule(where="{order.total: {at_most: 100}}")
    found = compare([rule()], [after], shop)
    assert (found.different, kinds(found)) == (1, (0, 1, 0))
    assert the_example(found).why_not == "order.total is 200.00, not at most 100"
    assert the_example(found).about.id == "2"


def test_another_text_is_changed_field_by_field(shop: Shop) -> None:
    before = rule(do='board.post: {room: hall, text: "{{ order.total }}", tags: {a: x, b: y}}')
    after = rule(do='board.post: {room: hall, text: "{{ order.total }}!", tags: {a: z}}')
    found = compare([before], [after], shop, examples=1)
    assert (found.different, kinds(found)) == (2, (0, 0, 2))
    difference = the_example(found).difference
    assert difference.before is not None
    assert difference.after is not None
    told = [vars(each) for each in changed_fields(difference.before, difference.after)]
    assert told == [
        {"name": "text", "before": "20.00", "after": "20.00!"},
        {"name": "tags.a", "before": "x", "after": "z"},
        {"name": "tags.b", "before": "y", "after": None},
    ]


def test_a_new_rule_adds_and_a_rule_that_is_gone_removes(shop: Shop) -> None:
    gone, new = rule("Gone", "board.post: {text: a}"), rule("New", "other.mail: {to: a@b.ca}")
    found = compare([gone], [new], shop)
    assert standings(found) == [("added", "New"), ("removed", "Gone")]
    assert (kinds(found, "New"), kinds(found, "Gone")) == ((2, 0, 0), (0, 2, 0))
    assert found.different == 2
    assert of(found, "New").examples[0].why_not == ""


def test_a_rule_under_another_name_is_renamed_and_makes_no_difference(shop: Shop) -> None:
    found = compare([rule("Old name")], [rule("New name")], shop)
    assert standings(found) == [("renamed", "New name")]
    assert (found.different, kinds(found, "New name")) == (0, (0, 0, 0))


def test_a_rule_with_another_name_and_other_conditions_is_renamed_too(shop: Shop) -> None:
    other = rule("New name", where="{order.total: {at_least: 100}}")
    found = compare([rule("Old name")], [other], shop)
    assert standings(found) == [("renamed", "New name")]
    assert kinds(found, "New name") == (0, 1, 0)


def test_a_rule_with_another_name_and_another_text_is_renamed_and_changed(shop: Shop) -> None:
    found = compare([rule("Old name")], [rule("New name", "board.post: {text: bye}")], shop)
    assert standings(found) == [("renamed", "New name")]
    assert kinds(found, "New name") == (0, 0, 2)


def test_what_has_no_address_is_left_out_and_counted() -> None:
    shop = Shop().bought(customer_name="x")
    nobody = rule(do='board.mail: {to: "{{ contact.name }}"}')
    found = compare([rule(do='board.mail: {to: "{{ contact.email }}"}')], [nobody], shop)
    assert (kinds(found), of(found, "A rule").after.fates["idle"]) == ((0, 1, 0), 1)


def test_two_rules_that_do_the_same_change_places_with_no_difference(shop: Shop) -> None:
    one, other = rule("One", "board.post: {text: a}"), rule("Other", "board.post: {text: b}")
    found = compare([one, other], [other, one], shop)
    assert found.pairing.is_reordered
    assert found.different == 0
    assert not compare([one, other], [one, other], shop).pairing.is_reordered


def test_what_another_rule_does_now_is_no_difference(shop: Shop) -> None:
    one = rule("One", "board.post: {text: a}\nboard.mail: {to: a@b.ca}")
    parts = [rule("One", "board.post: {text: a}"), rule("Two", "board.mail: {to: a@b.ca}")]
    found = compare([one], parts, shop)
    assert (found.different, standings(found)) == (0, [("changed", "One"), ("added", "Two")])


def test_twice_the_same_is_once_more_than_once(shop: Shop) -> None:
    twice = rule(do="board.post: {text: a}\nboard.post: {text: a}")
    found = compare([rule(do="board.post: {text: a}")], [twice], shop)
    assert kinds(found) == (2, 0, 0)


def test_half_of_it_the_same_in_another_rule_is_changed_and_less_is_not(shop: Shop) -> None:
    old = rule("Old", "board.post: {room: hall, text: a}", where="{order.total: 20}")
    near = rule("New", "board.post: {room: hall, text: b}", where="{order.total: {at_most: 20}}")
    far = near.replace("hall", "attic")
    assert kinds(compare([old], [near], shop), "New") == (0, 0, 1)
    found = compare([old], [far], shop)
    assert (kinds(found, "New"), kinds(found, "Old")) == ((1, 0, 0), (0, 1, 0))


@pytest.mark.parametrize(
    ("one", "other"), [("1", "true"), ('"100"', '"100.00"'), ('"1"', "1"), ("1", "1.0")]
)
def test_what_only_looks_alike_is_another_value(one: str, other: str) -> None:
    before, after = (
        compiled(rule(do=f"board.post: {{text: hello, extra: {each}}}")) for each in (one, other)
    )
    found = compare(before, after, Shop().bought())
    assert kinds(found) == (0, 0, 1)
    difference = the_example(found).difference
    assert difference.before is not None
    assert difference.after is not None
    [change] = changed_fields(difference.before, difference.after)
    assert change.name == "extra"


def test_the_same_by_another_account_is_another_thing(shop: Shop) -> None:
    other = rule(do="other.post: {text: hello}")
    assert kinds(compare([rule()], [other], shop)) == (2, 2, 0)


def test_the_same_text_at_another_time_is_the_same_message_later() -> None:
    steps = ("board.post: {text: a}", "board.post: {text: b}")
    swapped = rule(do="\n".join(steps[::-1]), options="after: 2 days")
    found = compare([rule(do="\n".join(steps))], [swapped], Shop().bought())
    assert kinds(found) == (0, 0, 2)
    for example in of(found, "A rule").examples:
        difference = example.difference
        assert difference.before is not None
        assert difference.after is not None
        assert changed_fields(difference.before, difference.after) == []


def test_a_rule_that_stops_takes_away_what_later_rules_do(shop: Shop) -> None:
    first, second = (
        rule("First", "board.post: {text: a}"),
        rule("Second", "board.mail: {to: a@b.ca}"),
    )
    stopping = rule("First", "board.post: {text: a}", "stop: true", "{order.total: 200}")
    found = compare([first, second], [stopping, second], shop)
    assert kinds(found, "Second") == (0, 1, 0)
    assert the_example(found, "Second").why_not == "not asked: “First” matched and stops"
    assert standings(found) == [("changed", "First"), ("same", "Second")]


def test_going_through_tickets_adds_one_for_each_that_fits() -> None:
    shop = Shop().bought(ticket_items=TICKETS)
    before = rule(do="board.post: {text: VIP}", where="{tickets.type: VIP}")
    after = rule(
        do='board.post: {text: "{{ ticket.type }}"}',
        options="for_each: tickets",
        where="{ticket.type: VIP}",
    )
    found = compare([before], [after], shop)
    assert kinds(found) == (1, 0, 0)
    assert (found.different, of(found, "A rule").matched_after) == (1, 1)


def test_another_ticket_that_fits_is_a_difference() -> None:
    shop = Shop().bought(ticket_items=TICKETS)
    one, other = (
        rule(
            do='board.post: {text: "{{ ticket.type }}"}',
            options="for_each: tickets",
            where=f"{{ticket.type: {kind}}}",
        )
        for kind in ("VIP", "[VIP, Standing]")
    )
    assert kinds(compare([one], [other], shop)) == (1, 0, 0)


def test_what_waits_now_is_changed_in_its_time_alone() -> None:
    found = compare([rule()], [rule(options="after: 2 days")], Shop().bought(days=1))
    assert kinds(found) == (0, 0, 1)
    difference = the_example(found).difference
    assert difference.after is not None
    assert difference.before is not None
    assert (difference.before.due_at, difference.after.due_at) == (0.0, BEGAN + 3 * DAY)
    waits = of(found, "A rule").after.waits
    assert (waits.count, waits.shortest, waits.longest) == (1, 2 * DAY, 2 * DAY)
    assert of(found, "A rule").before.waits.count == 0


def test_a_refund_in_time_calls_off_what_waits() -> None:
    shop = Shop().bought(transaction_id="a").bought(transaction_id="b").bought(transaction_id="c")
    shop.sent("invoice.refund", days=1, transaction_id="a")
    shop.sent("invoice.refund", days=3, transaction_id="b")
    before = rule(where="{event.type: invoice.purchase}")
    after = rule(
        options="after: 2 days\nunless: invoice.refund", where="{event.type: invoice.purchase}"
    )
    found = compare([before], [after], shop)
    assert kinds(found) == (0, 1, 2)
    [removed] = [one for one in of(found, "A rule").examples if one.difference.kind == "removed"]
    assert removed.about.id == "1"
    assert removed.why_not == "cancelled: invoice.refund came first (event 4)"
    assert dict(of(found, "A rule").after.fates) == {"cancelled": 1, "later": 2}


def test_a_refund_that_came_before_its_purchase_calls_it_off() -> None:
    shop = Shop().sent("invoice.refund", transaction_id="a").bought(days=1, transaction_id="a")
    where = "{event.type: invoice.purchase}"
    after = rule(options="after: 2 days\nunless: invoice.refund", where=where)
    found = compare([rule(where=where)], [after], shop)
    assert kinds(found) == (0, 1, 0)


def test_whoever_it_names_only_a_refund_of_the_same_transaction_calls_off_what_waits() -> None:
    shop = Shop().bought(transaction_id="a").bought(transaction_id="b")
    shop.sent("invoice.refund", days=1, transaction_id="a", customer_email="bo@example.com")
    where = "{event.type: invoice.purchase}"
    waiting = rule(options="after: 2 days", where=where)
    found = compare(
        [waiting], [waiting.replace("2 days", "2 days\n    unless: invoice.refund")], shop
    )
    assert found.different == 1
    [removed] = [one for one in of(found, "A rule").examples if one.difference.kind == "removed"]
    assert removed.about.id == "1"


def test_what_would_be_done_once_is_held_back_in_the_order_of_receipt() -> None:
    shop = Shop().bought().bought(days=1).bought(days=2, customer_email="bo@example.com")
    found = compare([rule()], [rule(options="once_per: contact")], shop)
    assert kinds(found) == (0, 1, 0)
    example = the_example(found)
    assert (example.about.id, example.why_not) == ("2", "once per contact: event 1 did it")
    assert of(found, "A rule").after.fates["once"] == 1


def test_once_within_a_period_is_done_again_after_it() -> None:
    shop = Shop().bought().bought(days=1).bought(days=9)
    once = "once_per: {of: contact, within: 7 days}"
    found = compare([rule()], [rule(options=once)], shop)
    assert [one.about.id for one in of(found, "A rule").examples] == ["2"]
    assert kinds(found) == (0, 1, 0)


def test_all_steps_of_the_one_event_are_done_once() -> None:
    steps = "board.post: {text: a}\nboard.mail: {to: a@b.ca}"
    shop = Shop().bought().bought(days=1)
    found = compare([rule(do=steps)], [rule(do=steps, options="once_per: contact")], shop)
    assert kinds(found) == (0, 2, 0)
    assert {one.about.id for one in of(found, "A rule").examples} == {"2"}


def test_another_ticket_of_the_same_event_does_it_no_more() -> None:
    shop = Shop().bought(ticket_items=TICKETS)
    each = "for_each: tickets"
    found = compare([rule(options=each)], [rule(options=f"{each}\nonce_per: contact")], shop)
    assert dict(of(found, "A rule").after.fates) == {"now": 1, "once": 2}


def test_what_was_sent_before_the_refund_came_was_done() -> None:
    shop = Shop().bought(transaction_id="a")
    shop.sent("invoice.refund", days=3, transaction_id="a").bought(days=4)
    where = "{event.type: invoice.purchase}"
    options = "after: 2 days\nunless: invoice.refund\nonce_per: contact"
    found = compare([rule(where=where)], [rule(options=options, where=where)], shop)
    assert kinds(found) == (0, 1, 1)
    removed = next(one for one in of(found, "A rule").examples if one.difference.kind == "removed")
    assert removed.why_not == "once per contact: event 1 did it"


def test_what_was_called_off_did_not_do_it() -> None:
    shop = Shop().bought(transaction_id="a")
    shop.sent("invoice.refund", days=1, transaction_id="a").bought(days=2)
    where = "{event.type: invoice.purchase}"
    options = "after: 2 days\nunless: invoice.refund\nonce_per: contact"
    found = compare([rule(where=where)], [rule(options=options, where=where)], shop)
    assert [one.about.id for one in of(found, "A rule").examples] == ["1", "3"]
    assert kinds(found) == (0, 1, 1)


def test_who_is_kept_out_by_a_condition_leaves_the_once_to_the_next() -> None:
    """The same rule but for a condition: what is done once is another event's."""
    shop = Shop().bought(net_sales="20.00").bought(days=1, net_sales="200.00")
    before = rule(options="once_per: contact")
    found = compare([before], [rule(options="once_per: contact", where="{order.total: 200}")], shop)
    assert kinds(found) == (1, 1, 0)
    assert [one.about.id for one in of(found, "A rule").examples] == ["1", "2"]


def test_what_an_earlier_rule_stops_changes_who_is_first_too() -> None:
    shop = Shop().bought(net_sales="20.00").bought(days=1, net_sales="200.00")
    once = rule("Once", "board.mail: {to: a@b.ca}", "once_per: contact")
    stop = rule("Stop", "board.post: {text: a}", "stop: true", "{order.total: 20}")
    asks = rule("Stop", "board.post: {text: a}", where="{order.total: 20}")
    assert kinds(compare([asks, once], [stop, once], shop), "Once") == (1, 1, 0)


def test_who_did_not_agree_is_refused_and_counted() -> None:
    shop = Shop().bought(customer_email="a@example.com", subscribe_to_venue=True)
    shop.bought(customer_email="b@example.com", subscribe_to_venue=False)
    after = rule(do='board.subscribe: {email: "{{ contact.email }}"}')
    found = compare([rule(do="board.post: {text: a}")], [after], shop)
    counts = found.actions["board", "subscribe"]
    assert (counts.kinds["added"], counts.after.fates["consent"]) == (1, 1)
    assert (counts.more, counts.fewer) == (1, 0)
    assert found.different == 2


def test_what_is_lawful_only_now_and_refused_only_now_is_told_apart() -> None:
    shop = Shop().bought(subscribe_to_venue=True)
    theirs = rule(do='board.subscribe: {email: "{{ contact.email }}"}')
    somebodys = rule(do="board.subscribe: {email: friend@example.com}")
    now = compare([somebodys], [theirs], shop)
    assert (of(now, "A rule").lawful, of(now, "A rule").refused) == (1, 0)
    assert the_example(now).why_not.startswith("no consent: only the address of the person")
    then = compare([theirs], [somebodys], shop)
    assert (of(then, "A rule").lawful, of(then, "A rule").refused) == (0, 1)


def test_only_a_refusal_more_is_a_different_handling() -> None:
    shop = Shop().bought(subscribe_to_venue=False)
    more = rule(do='board.post: {text: hello}\nboard.subscribe: {email: "{{ contact.email }}"}')
    found = compare([rule()], [more], shop)
    assert (found.different, kinds(found)) == (1, (0, 0, 0))


def test_what_cannot_be_filled_in_is_counted() -> None:
    shop = Shop().bought(customer_name="x")
    wrong = rule(do='board.post: {text: hello, count: "{{ contact.name }}"}')
    found = compare([rule()], [wrong], shop)
    assert (kinds(found), of(found, "A rule").after.fates["rejected"]) == ((0, 1, 0), 1)


def test_people_are_counted_once_however_often_it_is_done() -> None:
    shop = Shop().bought().bought().bought(customer_email="bo@example.com")
    found = compare([rule()], [rule(), rule("More", "board.post: {room: hall, text: b}")], shop)
    counts = found.actions["board", "post"]
    assert (counts.kinds["added"], counts.more, counts.fewer) == (3, 2, 0)


def test_people_for_whom_less_is_done_are_counted_apart() -> None:
    shop = Shop().bought().bought(customer_email="bo@example.com")
    more = rule("More", "board.post: {room: hall, text: b}")
    bos = rule(
        "More", "board.post: {room: hall, text: b}", where="{contact.email: ana@example.com}"
    )
    counts = compare([rule(), more], [rule(), bos], shop).actions["board", "post"]
    assert (counts.more, counts.fewer) == (0, 1)


def test_who_gets_as_much_as_before_is_not_counted() -> None:
    """One rule gives what the other takes."""
    shop = Shop().bought(net_sales="20.00").bought(net_sales="200.00")
    one = rule(where="{order.total: 20}")
    counts = compare([one], [rule(where="{order.total: 200}")], shop).actions["board", "post"]
    assert (counts.kinds["added"], counts.kinds["removed"]) == (1, 1)
    assert (counts.more, counts.fewer) == (0, 0)


def test_costs_are_those_of_all_that_is_done_before_and_after(shop: Shop) -> None:
    same = rule("Same", "board.post: {text: a}")
    before = [same, rule(do="board.mail: {to: a@b.ca}", where="{order.total: 20}")]
    found = compare(before, [same, rule(do="board.mail: {to: a@b.ca}")], shop)
    old, new = found.costs["board"]
    assert old is not None
    assert new is not None
    assert (old.calls, new.calls) == (2 + 2, 2 + 4)
    assert not found.is_estimated


def test_an_account_of_which_nothing_was_asked_costs_nothing_before(shop: Shop) -> None:
    found = compare([rule()], [rule(), rule("More", "other.post: {text: b}")], shop)
    old, new = found.costs["other"]
    assert old is None
    assert new is not None
    assert new.calls == 2


def test_the_costs_of_very_many_alike_are_told_by_some_of_them() -> None:
    shop = Shop()
    for _ in range(500):
        shop.bought()
    found = compare([rule("Same")], [rule("Same"), rule("New", "other.post: {text: b}")], shop)
    assert found.is_estimated
    old, _ = found.costs["board"]
    assert old is not None
    assert old.calls == 500


def test_what_cannot_be_read_is_counted_and_left_out() -> None:
    shop = Shop().bought()
    webhook = shop.webhooks[0].webhook
    object.__setattr__(webhook, "body", b"no JSON")
    found = compare([rule()], [rule(do="board.post: {text: bye}")], shop)
    assert (found.unreadable, found.events, found.different) == (1, 0, 0)


def test_only_so_many_examples_of_each_kind_are_kept() -> None:
    shop = Shop()
    for number in range(10):
        shop.bought(net_sales=f"{number}.00")
    after = rule(do="board.post: {text: bye}", where="{order.total: {at_least: 5}}")
    found = compare([rule()], [after], shop, examples=2)
    assert kinds(found) == (0, 5, 5)
    kept = [one.difference.kind for one in of(found, "A rule").examples]
    assert kept == ["removed", "removed", "changed", "changed"]


def test_another_time_zone_of_the_rules_changes_the_times_that_are_said() -> None:
    shop = Shop().bought()
    at = rule(options='after: 1 day\nat: "09:00"')
    found = compare(
        compiled(at, head="time_zone: UTC"), compiled(at, head="time_zone: Asia/Tokyo"), shop
    )
    assert kinds(found) == (0, 0, 1)


def test_another_time_zone_changes_the_dates_in_texts() -> None:
    said = rule(do="board.post: {text: \"{{ event.time | date('%H:%M') }}\"}")
    one, other = (compiled(said, head=f"time_zone: {zone}") for zone in ("UTC", "Asia/Tokyo"))
    assert kinds(compare(one, other, Shop().bought())) == (0, 0, 1)


def test_a_sample_under_another_name_is_of_other_people() -> None:
    shop = Shop()
    for number in range(40):
        shop.bought(customer_email=f"p{number}@example.com")
    found = compare(
        [rule("Old", options="sample: 50%")], [rule("New", options="sample: 50%")], shop
    )
    added, removed, _ = kinds(found, "New")
    assert standings(found) == [("renamed", "New")]
    assert added > 0
    assert removed > 0
