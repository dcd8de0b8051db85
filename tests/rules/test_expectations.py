"""Tests beside rules are read whole, and every mistake in them says what would be right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from bridge.errors import ConfigurationError
from bridge.rules import RuleSet, World, compile_files
from bridge.rules.expected import Change, Expectation
from bridge.rules.relative import Relative

Compiled = Callable[[str], RuleSet]

RULES = """\
lists: {kinds: [VIP, Standing]}
rules:
  - name: Buyers
    when: {source: shop, event: order.paid}
    do:
      - chat.post_message: {channel: here, text: hello}
"""
GIVEN = "{sample: order.paid}"


def one(compiled: Compiled, given: str = GIVEN, expect: str = "nothing", more: str = "") -> str:
    """What is wrong with one test, without its file; empty: nothing."""
    text = f"{RULES}tests:\n  - name: One\n    given: {given}\n    expect: {expect}\n{more}"
    try:
        compiled(text)
    except ConfigurationError as error:
        return str(error).replace("rules.yaml:", "")
    return ""


def read(compiled: Compiled, given: str = GIVEN, expect: str = "nothing") -> Expectation:
    text = f"{RULES}tests:\n  - name: One\n    given: {given}\n    expect: {expect}\n"
    (test,) = compiled(text).tests
    return test


def changes(compiled: Compiled, given_with: str) -> dict[str, object]:
    test = read(compiled, f"{{sample: order.paid, with: {given_with}}}")
    return {each.path: each.value for each in test.given.changes}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "{sample: order.payed}",
            "9:21: there is no sample `order.payed`; did you mean `order.paid`?",
        ),
        (
            "{sample: order.paid, source: shap}",
            "9:41: there is no source `shap`; did you mean `shop`?",
        ),
        (
            "{sample: course-completed, source: shop}",
            (
                "9:21: shop has no sample `course-completed`; "
                "there is `order.paid`, `order.refunded`, `shop.test`"
            ),
        ),
        (
            "{with: {}}",
            (
                "9:5: `given` needs a `sample` or an `event`, one of the two; "
                "write `sample: order.paid`"
            ),
        ),
        (
            "{sample: order.paid, event: 12}",
            (
                "9:5: `given` needs a `sample` or an `event`, one of the two; "
                "write `sample: order.paid`"
            ),
        ),
        (
            "{event: 12x}",
            (
                "9:20: `12x` is no event's number; write one like 1042, as `showbridge events` "
                "lists them"
            ),
        ),
        (
            "{event: 12, source: shop}",
            "9:32: an `event` has a source of its own; leave `source` out",
        ),
        (
            "{sample: order.paid, received: yesterday}",
            (
                "9:43: `yesterday` is no time; write it like 2027-07-01T10:00, or "
                "2027-07-01T10:00:00-06:00"
            ),
        ),
        ("{sampel: order.paid}", "9:13: `given.sampel` is not known here; did you mean `sample`?"),
    ],
)
def test_what_comes_in_is_there(compiled: Compiled, given: str, said: str) -> None:
    assert one(compiled, given) == said


@pytest.mark.parametrize(
    ("given_with", "said"),
    [
        (
            "{order.totel: 5}",
            "there is no field `order.totel` in order.paid of shop; did you mean `order.total`?",
        ),
        (
            "{order.total: much}",
            "`order.total` must be an amount; write 100 or 99.50, without a currency",
        ),
        ("{order.total: true}", "`order.total` must be an amount; write 100 or 99.50"),
        ("{order.total: [1]}", "`order.total` must be an amount; write 100 or 99.50"),
        ("{order.gift: maybe}", "`order.gift` must be true or false"),
        ("{tickets.seats: many}", "`tickets.seats` must be a number; write 3, without quotes"),
        (
            "{tickets.starts_on: soon}",
            "`tickets.starts_on` must be a date; write 2027-07-03T19:30:00-06:00, or in 3 days",
        ),
        ("{contact.name: true}", "`contact.name` must be a text; put quotes around it"),
        (
            "{order: 5}",
            "`order` is a group; name one of its fields: `order.total`, `order.currency`",
        ),
        (
            "{event.time: 2027-01-01}",
            "`event.time` cannot be set; write `received:` beside `with` instead",
        ),
        ("{event.type: order.paid}", "`event.type` cannot be set; choose another sample"),
        ("{raw: {a: b}}", "`raw` cannot be set; name one of its fields: `raw.name`"),
        (
            "{course.name: x}",
            "`course.name` does not come with order.paid of shop; academy sends it",
        ),
        ("{tickets: 2}", "`tickets` must be a list of groups; write [{type: ...}, {type: ...}]"),
        (
            "{tickets: [{typ: VIP}]}",
            "an entry of `tickets` has no field `typ`; did you mean `type`?",
        ),
        ("{tickets: [{seats: many}]}", "`tickets.seats` must be a number; write 3"),
    ],
)
def test_what_is_different_in_it_is_a_field_of_its_kind(
    compiled: Compiled, given_with: str, said: str
) -> None:
    found = one(compiled, f"{{sample: order.paid, with: {given_with}}}")
    place, _, words = found.partition(" ")
    assert place.startswith("9:")
    assert words.startswith(said)
    assert "\n" not in found


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        (
            "[chat.post_mesage]",
            "10:14: `chat` has no action `post_mesage`; did you mean `chat.post_message`?",
        ),
        ("[{chta.post_message: {}}]", "10:15: there is no account `chta`; did you mean `chat`?"),
        (
            "[{chat.post_message: {chanel: x}}]",
            "10:35: chat.post_message has no field `chanel`; did you mean `channel`?",
        ),
        (
            "[{chat.post_message: {at: 2027-01-01}}]",
            (
                "10:35: chat.post_message has no field `at`; write `at` exactly below "
                "`chat.post_message`, not further to the right"
            ),
        ),
        (
            "[{chat.post_message: {text: {contain: x}}}]",
            "10:42: there is no operator `contain`; did you mean `contains`?",
        ),
        (
            '[{chat.post_message: {text: "{{ x }}"}}]',
            (
                "10:41: a test compares with what comes out, not with {{ }}; compare with what "
                "the text becomes then, or with a part of it: {contains: ...}"
            ),
        ),
        (
            "[{crm.upsert_contact: {properties: {a: {one_of: kind}}}}]",
            "10:61: there is no list `kind` in `lists:`; did you mean `kinds`?",
        ),
        (
            "[{chat.post_message: {}, att: 5}]",
            "10:38: `att` is not known here; did you mean `at`?",
        ),
        (
            "[{chat.post_message: {}, channel: x}]",
            "10:38: `channel` is not known here; fields of the action are indented further than it",
        ),
        (
            "[{chat.post_message: {}, at: soon}]",
            "10:42: `soon` is no time; write 2027-07-03T09:00, or 2027-07-03T09:00:00-06:00",
        ),
        (
            "[{chat.post_message: {}, after: soon}]",
            "10:45: `soon` is no time to wait; write 2 days",
        ),
        (
            "[{chat.post_message: {text: x}, suppressed: y}]",
            (
                "10:45: what is suppressed is not filled in: it has neither fields nor a time; "
                "leave one of the two out"
            ),
        ),
        (
            "[{chat.post_message: {}, suppressed: false}]",
            "10:50: `suppressed` is true, or a part of the reason; leave it out for what is sent",
        ),
        ("[nothing]", "10:14: `nothing` stands alone; write `expect: nothing`"),
        ("[{at: 2027-01-01}]", "10:14: an entry of `expect` names one action; begin each"),
        (
            "[{chat.post_message: {}, crm.upsert_contact: {}}]",
            "10:14: an entry of `expect` names one action; begin each action with `- `",
        ),
        ("[5]", "10:14: this must be an action, such as slack.post_message; write"),
        (
            "[{chat.post_message: hi}]",
            "10:34: the fields of chat.post_message must be `name: value` lines",
        ),
        ("[]", "10:13: `expect` must be a list of what is done, or nothing; write `- slack"),
        ("", "10:12: `expect` must be a list of what is done, or nothing; write `- slack"),
        ("none", "10:13: `expect` must be a list of what is done, or nothing; write `- slack"),
    ],
)
def test_what_is_expected_can_be_done(compiled: Compiled, expect: str, said: str) -> None:
    found = one(compiled, expect=expect)
    assert found.startswith(said)
    assert "\n" not in found


def test_the_one_rule_to_look_at_is_there(compiled: Compiled) -> None:
    found = one(compiled, more="    only: Buyer\n")
    assert found == "11:11: there is no rule `Buyer`; did you mean `Buyers`?"
    assert one(compiled, more="    only: Buyers\n") == ""


def test_two_tests_cannot_have_one_name_in_whatever_file(world: World) -> None:
    test = "tests:\n  - {name: %s, given: {sample: order.paid}, expect: nothing}\n"
    files = {"rules.yaml": RULES + test % "One", "rules/more.yaml": test % "ONE"}
    with pytest.raises(ConfigurationError) as raised:
        compile_files(files, world)
    assert str(raised.value) == (
        "rules/more.yaml:2:12: two tests are called `ONE`: this one and the one in rules.yaml, "
        "line 8; give each test a name of its own"
    )


def test_a_sample_is_of_a_kind_however_many_sources_have_it(world: World) -> None:
    """A second source of a kind makes no mistake of a test that was right before."""
    shop = world.sources["shop"]
    rules = RULES.replace("source: shop", "source: '*'")
    test = "tests:\n  - {name: One, given: {sample: order.paid%s}, expect: nothing}\n"
    for names, chosen in ((["a", "shop", "b"], "shop"), (["b", "a"], "b")):
        several = World(dict.fromkeys(names, shop), world.accounts)
        compiled = compile_files({"rules.yaml": rules + test % ""}, several)
        assert compiled.tests[0].given.source == chosen
        compiled = compile_files({"rules.yaml": rules + test % ", source: b"}, several)
        assert compiled.tests[0].given.source == "b"


def test_a_sample_of_sources_of_several_kinds_needs_its_source(world: World) -> None:
    shop = world.sources["shop"]
    other = type("Other", (shop,), {"kind": "other", "samples": shop.samples})
    two = World({"shop": shop, "other": other}, world.accounts)
    rules = RULES.replace("source: shop", "source: other")
    test = "tests:\n  - {name: One, given: {sample: order.paid%s}, expect: nothing}\n"
    with pytest.raises(ConfigurationError) as raised:
        compile_files({"rules.yaml": rules + test % ""}, two)
    assert str(raised.value) == (
        "rules.yaml:8:33: several sources have a sample `order.paid`; add a line `source: shop`"
    )
    compiled = compile_files({"rules.yaml": rules + test % ", source: other"}, two)
    assert compiled.tests[0].given.source == "other"


def test_mistakes_of_all_tests_are_told_at_once(compiled: Compiled) -> None:
    more = (
        "  - name: Two\n    given: {sample: x, with: {}}\n    expect: [chat.x, chta.y]\n"
        "  - naem: Three\n    given: {sample: order.paid}\n    expect: nothing\n"
    )
    found = one(compiled, given="{sample: y}", more=more).splitlines()
    assert [line.partition(": ")[0] for line in found[:4]] == ["9:21", "12:21", "13:14", "13:22"]
    assert any("`naem` is not known here; did you mean `name`?" in line for line in found)


def test_facts_are_of_the_kind_that_events_have(compiled: Compiled) -> None:
    found = changes(
        compiled,
        "{order.total: 250, order.currency: 5, order.gift: yes, tickets.seats: '3', "
        "tickets.starts_on: 2027-07-03T19:30, contact.consent: false, contact.name: }",
    )
    assert found == {
        "order.total": Decimal(250),
        "order.currency": "5",
        "order.gift": True,
        "tickets.seats": 3,
        "tickets.starts_on": datetime(2027, 7, 3, 19, 30, tzinfo=UTC),
        "contact.consent": False,
        "contact.name": None,
    }
    assert type(found["tickets.seats"]) is int
    assert isinstance(found["order.total"], Decimal)


def test_a_date_may_count_from_another_time(compiled: Compiled) -> None:
    found = changes(compiled, "{tickets.starts_on: in 3 days}")
    assert found["tickets.starts_on"] == Relative(3 * 86400, "event.time", "in 3 days")


@pytest.mark.parametrize("far", ["9999-12-31T23:59:59-12:00", "0001-01-01"])
def test_no_test_is_at_the_end_of_the_calendar(compiled: Compiled, far: str) -> None:
    found = one(compiled, f"{{sample: order.paid, received: '{far}'}}")
    assert found.startswith(f"9:43: `{far}` is no time")
    assert "is no time" in one(compiled, expect=f"[{{chat.post_message: , at: '{far}'}}]")
    assert "must be a date" in one(
        compiled, f"{{sample: order.paid, with: {{tickets.starts_on: '{far}'}}}}"
    )


def test_a_list_is_replaced_by_whole_entries(compiled: Compiled) -> None:
    found = changes(compiled, "{tickets: [{type: VIP, seats: 2}, {}]}")
    assert found["tickets"] == [
        {"type": "VIP", "seats": 2, "starts_on": None},
        {"type": None, "seats": None, "starts_on": None},
    ]


def test_times_without_a_zone_are_in_the_zone_of_the_files(world: World) -> None:
    text = (
        "time_zone: America/Edmonton\n" + RULES + "tests:\n  - name: One\n"
        "    given: {sample: order.paid, received: 2027-07-01T10:00, "
        "with: {tickets.starts_on: 2027-07-03}}\n"
        "    expect: [{chat.post_message: {}, at: 2027-07-02T09:00}]\n"
    )
    (test,) = compile_files({"rules.yaml": text}, world).tests
    zone = timezone(timedelta(hours=-6))
    assert test.given.received == datetime(2027, 7, 1, 10, tzinfo=zone)
    assert test.given.changes == (Change("tickets.starts_on", date(2027, 7, 3)),)
    assert test.expect[0].at == datetime(2027, 7, 2, 9, tzinfo=zone)


def test_an_offset_is_kept(compiled: Compiled) -> None:
    test = read(compiled, "{sample: order.paid, received: '2027-07-01T10:00:00+02:00'}")
    assert test.given.received == datetime(2027, 7, 1, 8, tzinfo=UTC)


def test_an_event_of_the_ledger_may_be_named_with_its_position(compiled: Compiled) -> None:
    assert read(compiled, "{event: 1042}").given.event == "1042"
    assert read(compiled, "{event: 1042-2, with: {order.total: 5}}").given.event == "1042-2"


def test_entries_of_expect_are_read_in_their_order(compiled: Compiled) -> None:
    test = read(
        compiled,
        expect="[chat.post_message, {crm.upsert_contact: {properties: {tier: gold, "
        "town: {contains: bow}}, tags: [a, b]}, after: 2 days}, "
        "{chat.post_message: , suppressed: no consent}]",
    )
    plain, contact, left_out = test.expect
    assert (plain.step, plain.fields, plain.suppressed) == ("chat.post_message", (), None)
    assert [field.path for field in contact.fields] == [
        ("properties", "tier"),
        ("properties", "town"),
        ("tags",),
    ]
    assert contact.fields[0].value == "gold"
    assert contact.fields[1].conditions
    assert contact.fields[2].value == ["a", "b"]
    assert contact.after == 2 * 86400
    assert left_out.suppressed == "no consent"


def test_nothing_is_no_delivery(compiled: Compiled) -> None:
    assert read(compiled).expect == ()
