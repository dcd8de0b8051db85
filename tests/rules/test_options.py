"""What a rule says beside its conditions: for each, stop, enabled, only between, sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge import rules
from bridge.errors import ConfigurationError
from bridge.event import Contact, Event
from bridge.rules.seen import Seen
from bridge.rules.values import view

Compiled = Callable[[str], rules.RuleSet]

DO = "  do: [{chat.post_message: {channel: here, text: hello}}]\n"
RECEIVED = datetime(2027, 6, 25, 14, 0, tzinfo=UTC).timestamp()


def a_rule(options: str, name: str = "A rule") -> str:
    return f"- name: {name}\n  when: {{source: shop, event: order.*}}\n  {options}\n{DO}"


def verdicts(compiled: Compiled, event: Event, *written: str) -> list[rules.Verdict]:
    found = rules.judge(compiled("rules:\n" + "".join(written)), event)
    return list(found)


def test_for_each_matches_the_members_that_fit(compiled: Compiled, order: Event) -> None:
    where = "where: {ticket.seats: {present: true}, order.currency: CAD}"
    text = a_rule("for_each: tickets").replace("order.*}", f"order.*, {where}}}")
    assert verdicts(compiled, order, text) == [rules.Verdict("A rule", True, members=(1, 2))]


def test_for_each_says_the_nearest_miss(compiled: Compiled, order: Event) -> None:
    where = "where: {ticket.type: Standing, ticket.seats: 7}"
    text = a_rule("for_each: tickets").replace("order.*}", f"order.*, {where}}}")
    [found] = verdicts(compiled, order, text)
    assert found.why_not == "ticket 2, the nearest of 3: ticket.seats is 1, not 7"


def test_for_each_of_nothing_does_not_match(compiled: Compiled, order: Event) -> None:
    [found] = verdicts(compiled, replace(order, facts={}), a_rule("for_each: tickets"))
    assert (found.matched, found.why_not) == (False, "there are no tickets")


def test_a_step_of_each_is_filled_in_by_its_member(compiled: Compiled, order: Event) -> None:
    text = a_rule("for_each: tickets").replace("text: hello", 'text: "{{ ticket.type }}"')
    step = compiled("rules:\n" + text).rules[0].steps[0]
    seen = Seen(view(order))
    each = [
        rules.fill(step, order, seen.with_member("ticket", one)) for one in seen.find("tickets")
    ]
    assert [vars(one)["text"] for one in each] == ["VIP", "Standing", ""]


def test_after_a_rule_that_stops_no_later_one_is_asked(compiled: Compiled, order: Event) -> None:
    found = verdicts(
        compiled, order, a_rule("stop: true", "First"), a_rule("stop: false", "Second")
    )
    assert [(one.matched, one.why_not) for one in found] == [
        (True, ""),
        (False, "not asked: “First” matched and stops"),
    ]


def test_a_rule_that_does_not_match_stops_nothing(compiled: Compiled, order: Event) -> None:
    first = a_rule("stop: true", "First").replace("order.*}", "order.*, where: {order.total: 1}}")
    assert [one.matched for one in verdicts(compiled, order, first, a_rule("stop: true"))] == [
        False,
        True,
    ]


def test_a_rule_that_is_switched_off_does_not_match(compiled: Compiled, order: Event) -> None:
    [found] = verdicts(compiled, order, a_rule("enabled: false"))
    assert found.why_not == "it is switched off (`enabled: false`)"


@pytest.mark.parametrize(
    ("days", "matched"),
    [
        ("from: 2027-06-25", True),
        ("from: 2027-06-26", False),
        ("to: 2027-06-25", True),
        ("to: 2027-06-24", False),
        ("from: 2027-06-25, to: 2027-06-25", True),
    ],
)
def test_only_between_two_days_both_of_which_count(
    compiled: Compiled, order: Event, days: str, matched: bool
) -> None:
    event = replace(order, received_at=RECEIVED)
    [found] = verdicts(compiled, event, a_rule(f"only_between: {{{days}}}"))
    assert found.matched is matched
    assert matched or found.why_not.startswith("it holds ")


def test_days_are_those_of_the_time_zone(compiled: Compiled, order: Event) -> None:
    late = replace(order, received_at=datetime(2027, 6, 26, 5, 59, tzinfo=UTC).timestamp())
    text = "time_zone: America/Edmonton\nrules:\n" + a_rule("only_between: {to: 2027-06-25}")
    assert rules.judge(compiled(text), late)[0].matched


@pytest.mark.parametrize("zone", ["UTC", "America/Edmonton", "Australia/Sydney"])
@pytest.mark.parametrize(
    ("days", "matched"),
    [
        ("to: 9999-12-31", True),
        ("from: 0001-01-01", True),
        ("from: 0001-01-01, to: 9999-12-31", True),
        ("from: 9999-12-31", False),
        ("to: 0001-01-01", False),
    ],
)
def test_days_at_the_ends_of_the_calendar_stand_for_always_and_never(
    compiled: Compiled, order: Event, zone: str, days: str, matched: bool
) -> None:
    event = replace(order, received_at=RECEIVED)
    text = f"time_zone: {zone}\nrules:\n" + a_rule(f"only_between: {{{days}}}")
    assert rules.judge(compiled(text), event)[0].matched is matched


def test_a_sample_is_always_the_same_people_and_about_that_many(
    compiled: Compiled, order: Event
) -> None:
    made = compiled("rules:\n" + a_rule("sample: 25%"))
    people = [replace(order, contact=Contact(email=f"p{n}@example.com")) for n in range(2000)]
    chosen = [rules.judge(made, one)[0].matched for one in people]
    assert chosen == [rules.judge(made, one)[0].matched for one in people]
    assert 400 < sum(chosen) < 600


def test_two_rules_sample_different_people(compiled: Compiled, order: Event) -> None:
    made = compiled("rules:\n" + a_rule("sample: 50%", "One") + a_rule("sample: 50%", "Other"))
    people = [replace(order, contact=Contact(email=f"p{n}@example.com")) for n in range(200)]
    pairs = {tuple(one.matched for one in rules.judge(made, each)) for each in people}
    assert len(pairs) == 4


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("{tickets.starts_on: {within: 8 days}}", True),
        ("{tickets.starts_on: {within: 7 days}}", False),
        ("{event.time: {within: 8 days before tickets.starts_on}}", True),
        ("{event.time: {within: 8 days after tickets.starts_on}}", False),
        ("{event.time: {within: 8 days of tickets.starts_on}}", True),
        ("{tickets.starts_on: {after: now}}", True),
        ("{tickets.starts_on: {before: now}}", False),
        ("{tickets.starts_on: {after: in 7 days, before: in 8 days}}", True),
        ("{event.time: {after: 9 days before tickets.starts_on}}", True),
        ("{event.time: {before: 9 days before tickets.starts_on}}", False),
        ("{raw.since: {after: 2 days ago}}", True),
        ("{contact.first_name: {exactly: Priya}}", True),
        ("{contact.first_name: {exactly: priya}}", False),
    ],
)
def test_times_count_from_when_it_came_in(
    where: Compiled, order: Event, condition: str, holds: bool
) -> None:
    event = replace(order, received_at=RECEIVED, raw={"since": "2027-06-24T00:00:00Z"})
    [found] = rules.judge(where(condition), event)
    assert found.matched is holds
    assert holds == rules.examine(where(condition).rules[0], event).matched


def test_one_of_may_name_a_list(compiled: Compiled, order: Event) -> None:
    where = "order.*, where: {tickets.type: {one_of: vips}}}"
    text = "lists: {vips: [vip, backstage]}\nrules:\n" + a_rule("stop: true")
    made = compiled(text.replace("order.*}", where))
    assert rules.judge(made, order)[0].matched
    other = replace(order, facts={"tickets": [{"type": "Standing"}]})
    assert rules.judge(made, other)[0].why_not == (
        "tickets.type is “Standing”, not one of vips (“vip”, “backstage”)"
    )


def test_a_rule_says_all_that_it_does_in_sentences(compiled: Compiled) -> None:
    options = (
        "for_each: tickets\n  only_between: {from: 2027-01-01}\n  sample: 10%\n"
        "  once_per: {of: contact, within: 30 days}\n  after: 2 days\n"
        '  quiet_hours: {from: "22:00", to: "08:00"}\n  unless: order.refunded\n  stop: true'
    )
    assert rules.explain(compiled("rules:\n" + a_rule(options)).rules[0]) == (
        "When shop sends order.*, for each ticket: chat.post_message. Only from 2027-01-01 in UTC. "
        "Only for 10% of people. Once for each contact in 30 days; if an "
        "event does not say which, it is done each time. 2 days later, not between "
        "22:00 and 08:00 in UTC. Unless order.refunded comes first, of the same transaction. "
        "Then no later rule is asked."
    )


def test_several_files_are_one_set_in_their_order(world: rules.World, order: Event) -> None:
    files = {
        "rules.yaml": "lists: {vips: [VIP]}\nrules:\n" + a_rule("stop: false", "First"),
        "rules/late.yaml": "rules:\n" + a_rule("stop: false", "Second"),
    }
    made = rules.compile_files(files, world, "config")
    assert [(one.name, one.file) for one in made.rules] == [
        ("First", "config/rules.yaml"),
        ("Second", "config/rules/late.yaml"),
    ]
    renamed = {name.replace("late", "later"): text for name, text in files.items()}
    assert rules.compile_files(renamed, world).version != made.version
    assert rules.compile_files(files, world, "elsewhere").version == made.version


TEXTS = """\
time_zone: America/Edmonton
texts:
  thanks: "Thank you, {{ contact.name }}!"
  sign: Bo
"""


def texted(compiled: Compiled, text: str) -> rules.Step:
    step = a_rule("stop: false").replace("text: hello", f"text: '{text}'")
    return compiled(TEXTS + "rules:\n" + step).rules[0].steps[0]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{ texts.thanks }} {{ texts.sign }}", "Thank you, Priya &lt;b&gt;! Bo"),
        ("{{ texts.sign | upper }}", "BO"),
        ("{{ tickets[0].starts_on | date }}", "2 July 2027, 19:30 MDT"),
    ],
)
def test_named_texts_and_the_time_zone_reach_the_texts_of_steps(
    compiled: Compiled, order: Event, text: str, filled: str
) -> None:
    assert vars(rules.fill(texted(compiled, text), order))["text"] == filled


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ texts.thank }}", "there is no field `texts.thank`; did you mean `texts.thanks`?"),
        ("{{ texts.thanks | upper }}", "the text `thanks` holds {{ }} itself"),
    ],
)
def test_a_text_that_cannot_be_inserted_is_a_mistake(
    compiled: Compiled, text: str, why: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        texted(compiled, text)
    assert why in str(raised.value)


def test_what_is_wrong_in_a_named_text_is_told_where_it_is_inserted(compiled: Compiled) -> None:
    broken = TEXTS.replace("contact.name", "contact.nam") + "rules:\n"
    with pytest.raises(ConfigurationError) as raised:
        compiled(broken + a_rule("stop: false").replace("hello", "'{{ texts.thanks }}'"))
    assert "in what it inserts, there is no field `contact.nam`" in str(raised.value)
