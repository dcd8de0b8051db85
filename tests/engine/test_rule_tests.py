"""Tests beside rules pass where the rules do what they say, and else tell what is different."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge import config, rules
from bridge.engine.expecting import Complaint
from bridge.engine.rehearse import Stage
from bridge.engine.rule_tests import Result, rehearsed, run_tests, sampled
from bridge.event import Identity, Webhook
from bridge.ledger.accept import Arrival, keep
from bridge.ledger.database import Database
from bridge.ledger.plan import record, waiting
from bridge.ledger.prune import empty_bodies
from bridge.rules.expected import Given

BRIDGE = """\
sources:
  showpass: {}
  showpad: {}
accounts:
  hubspot: {}
  slack: {}
  mailchimp: {}
"""
RULES = """\
time_zone: America/Edmonton
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - hubspot.upsert_contact:
          email: "{{ contact.email }}"
          properties: {firstname: "{{ contact.first_name }}", tier: gold}
      - slack.post_message: {channel: "#tickets", text: "{{ contact.name }} bought"}
  - name: VIPs
    when:
      source: showpass
      event: invoice.purchase
      where:
        order.total: {at_least: 100}
        tickets.type: VIP
    do:
      - slack.post_message: {channel: "#vip", text: "{{ order.total | money('CAD') }}"}
  - name: List
    when: {source: showpass, event: invoice.refund}
    do:
      - mailchimp.subscribe: {audience: news, email: "{{ contact.email }}", tags: [One, Two]}
  - name: Reminder
    when: {source: showpass, event: invoice.transfer}
    after: 1 day before tickets.starts_on
    at: "09:00"
    do:
      - slack.post_message: {channel: "#doors", text: "Tomorrow"}
"""


@pytest.fixture
def configured(tmp_path: Path) -> config.Config:
    (tmp_path / "bridge.yaml").write_text(BRIDGE)
    return config.load({"SHOWBRIDGE_DATA": str(tmp_path / "data")}, tmp_path)


class Bench:
    """Runs one test, which is given as YAML below `- name: One`."""

    def __init__(self, configured: config.Config) -> None:
        self.config = configured

    def result(self, test: str, text: str = RULES, database: Database | None = None) -> Result:
        lines = "\n".join(f"    {line}" for line in test.strip().splitlines())
        whole = f"{text}tests:\n  - name: One\n{lines}\n"
        compiled = rules.compile_rules(whole, "rules.yaml", config.world(self.config))
        (result,) = run_tests(compiled, self.config, database)
        return result

    def passes(self, test: str, text: str = RULES) -> None:
        result = self.result(test, text)
        assert result.state == "passed", result.complaints

    def complaints(self, test: str, text: str = RULES) -> Sequence[Complaint]:
        result = self.result(test, text)
        assert result.state == "failed"
        return result.complaints

    def complaint(self, test: str, text: str = RULES) -> Complaint:
        (complaint,) = self.complaints(test, text)
        return complaint


@pytest.fixture
def bench(configured: config.Config) -> Bench:
    return Bench(configured)


def test_what_is_done_is_as_expected(bench: Bench) -> None:
    bench.passes("""
given: {sample: invoice.purchase}
expect:
  - hubspot.upsert_contact:
      email: priya.raghunathan@example.com
      properties: {firstname: Priya}
  - slack.post_message: {channel: "#tickets", text: {ends_with: bought}}
  - slack.post_message: {channel: "#vip"}
""")


def test_nothing_may_be_expected(bench: Bench) -> None:
    bench.passes("given: {sample: webhook.test}\nexpect: nothing")


def test_what_is_done_beyond_that_is_unexpected(bench: Bench) -> None:
    found, hint = bench.complaints("""
given: {sample: invoice.purchase}
expect:
  - hubspot.upsert_contact
  - slack.post_message: {channel: "#tickets"}
""")
    assert found.kind == "unexpected"
    assert hint.what == "if this test is about one rule, write `only: Buyers` below its name"
    assert found.what == "slack.post_message of “VIPs” is done, and is not expected"
    assert found.rule == "VIPs"
    assert "channel: #vip" in found.came


def test_what_is_missing_says_each_condition_that_failed(bench: Bench) -> None:
    found = bench.complaint("""
given:
  sample: invoice.purchase
  with: {order.total: 90, tickets.type: Balcony}
only: VIPs
expect: [slack.post_message]
""")
    assert found.kind == "missing"
    assert found.what == "slack.post_message is expected, and is not done"
    (why,) = found.why
    assert why.rule == "VIPs"
    assert why.reasons == (
        "order.total is 90, not at least 100 (line 15)",
        "tickets.type is “Balcony”, not “VIP” (line 16)",
    )


def test_the_rules_that_are_nearest_are_told_first(bench: Bench) -> None:
    found = bench.complaint(
        """
given: {sample: invoice.purchase, with: {order.total: 90}}
expect: [hubspot.upsert_contact, slack.post_message, slack.post_message]
""",
    )
    assert [why.rule for why in found.why] == ["Buyers", "VIPs"]
    assert found.why[0].reasons == ("it is done, and another entry of `expect` is about that",)


def test_of_rules_that_fail_those_with_fewer_reasons_are_told_first(bench: Bench) -> None:
    nearer = """\
  - name: Nearer
    when: {source: showpass, event: invoice.purchase, where: {order.total: {at_least: 95}}}
    do: [{slack.post_message: {channel: "#x", text: x}}]
"""
    found = bench.complaint(
        """
given: {sample: invoice.purchase, with: {order.total: 90, tickets.type: Balcony}}
expect: [hubspot.upsert_contact, slack.post_message, slack.post_message]
""",
        RULES + nearer,
    )
    assert [why.rule for why in found.why] == ["Buyers", "Nearer", "VIPs"]


def test_a_rule_about_other_events_says_so(bench: Bench) -> None:
    found = bench.complaint("given: {sample: invoice.void}\nexpect: [mailchimp.subscribe]")
    (why,) = found.why
    assert why.rule == "List"
    assert why.reasons == ("the event is invoice.void, not invoice.refund",)


def test_what_no_rule_does_says_so(bench: Bench) -> None:
    found = bench.complaint("given: {sample: invoice.void}\nexpect: [mailchimp.add_tags]")
    assert found.why[0].reasons == ("no rule has such a step",)


def test_a_rule_that_another_one_stops_says_so(bench: Bench) -> None:
    text = RULES.replace("- name: Buyers\n", "- name: Buyers\n    stop: true\n")
    found = bench.complaint(
        "given: {sample: invoice.purchase}\nonly: VIPs\nexpect: [slack.post_message]", text
    )
    assert found.why[0].reasons == ("not asked: “Buyers” matched and stops",)


def test_a_rule_that_is_switched_off_says_so(bench: Bench) -> None:
    text = RULES.replace("- name: VIPs\n", "- name: VIPs\n    enabled: false\n")
    found = bench.complaint(
        "given: {sample: invoice.purchase}\nonly: VIPs\nexpect: [slack.post_message]", text
    )
    assert found.why[0].reasons == ("it is switched off (`enabled: false`)",)


def test_a_field_that_differs_is_told_with_both_values(bench: Bench) -> None:
    found = bench.complaint("""
given: {sample: invoice.purchase}
only: VIPs
expect:
  - slack.post_message: {channel: "#vip-sales", text: 236.25 CAD}
""")
    assert found.kind == "differs"
    assert found.what == "slack.post_message of “VIPs”: `channel` is another one"
    assert (found.field, found.expected, found.came) == ("channel", "#vip-sales", "#vip")
    assert found.line == 34


def test_a_condition_that_does_not_hold_is_told_in_words(bench: Bench) -> None:
    found = bench.complaint("""
given: {sample: invoice.purchase}
only: Buyers
expect:
  - hubspot.upsert_contact: {properties: {tier: {one_of: [silver, bronze]}}}
  - slack.post_message
""")
    assert found.field == "properties.tier"
    assert found.expected == "tier is one of “silver”, “bronze”"
    assert found.came == "gold"


@pytest.mark.parametrize(
    ("field", "holds"),
    [
        ("properties: {tier: gold}", True),
        ("properties: {tier: Gold}", False),
        ("properties: {tier: {is: GOLD}}", True),
        ("properties: {tier: {any: [{contains: ol}, {is: x}]}}", True),
        ("properties: {tier: {not: {contains: ol}}}", False),
        ("properties: {}", True),
        ("properties: {town: }", True),
        ("properties: {town: {present: false}}", True),
        ("properties: {town: {present: true}}", False),
        ("append: {}", True),
    ],
)
def test_values_keep_their_capitals_and_conditions_ignore_them(
    bench: Bench, field: str, holds: bool
) -> None:
    result = bench.result(f"""
given: {{sample: invoice.purchase}}
only: Buyers
expect:
  - hubspot.upsert_contact: {{{field}}}
  - slack.post_message
""")
    assert (result.state == "passed") is holds


@pytest.mark.parametrize(
    ("tags", "holds"),
    [
        ("[One, Two]", True),
        ("[One]", False),
        ("[Two, One]", False),
        ("[one, two]", False),
        ("{contains: tw}", True),
        ("{contains: three}", False),
    ],
)
def test_lists_are_compared_entry_by_entry(bench: Bench, tags: str, holds: bool) -> None:
    text = RULES.replace("event: invoice.refund", "event: invoice.purchase")
    result = bench.result(
        f"""
given: {{sample: invoice.purchase}}
only: List
expect: [{{mailchimp.subscribe: {{tags: {tags}}}}}]
""",
        text,
    )
    assert (result.state == "passed") is holds


@pytest.mark.parametrize(
    "field", ["remove_tags: ", "remove_tags: []", "language: ", 'language: ""']
)
def test_what_is_empty_is_nothing(bench: Bench, field: str) -> None:
    text = RULES.replace("event: invoice.refund", "event: invoice.purchase")
    bench.passes(
        f"""
given: {{sample: invoice.purchase}}
only: List
expect: [{{mailchimp.subscribe: {{{field}}}}}]
""",
        text,
    )
    assert (
        bench.complaint(
            """
given: {sample: invoice.purchase}
only: List
expect: [{mailchimp.subscribe: {tags: , remove_tags: }}]
""",
            text,
        ).expected
        == "nothing"
    )


def test_the_order_counts(bench: Bench) -> None:
    found = bench.complaint("""
given: {sample: invoice.purchase}
only: Buyers
expect: [slack.post_message, hubspot.upsert_contact]
""")
    assert found.kind == "order"
    assert found.expected == "slack.post_message, hubspot.upsert_contact"
    assert found.came == "hubspot.upsert_contact of “Buyers”, slack.post_message of “Buyers”"


def test_what_says_more_finds_its_own_among_several(bench: Bench) -> None:
    """Though what says nothing would fit it too, and stands before it."""
    found = bench.complaint("""
given: {sample: invoice.purchase}
expect:
  - hubspot.upsert_contact
  - slack.post_message
  - slack.post_message: {channel: "#tickets"}
""")
    assert found.kind == "order"


def test_only_one_rule_may_be_looked_at(bench: Bench) -> None:
    bench.passes("given: {sample: invoice.purchase}\nonly: VIPs\nexpect: [slack.post_message]")


@pytest.mark.parametrize(
    ("flag", "reason"),
    [("false", "did not agree"), ("", "does not say whether"), ("false", "NO CONSENT")],
)
def test_what_is_left_out_may_be_expected_with_its_reason(
    bench: Bench, flag: str, reason: str
) -> None:
    bench.passes(f"""
given: {{sample: invoice.refund, with: {{contact.consent: {flag}}}}}
expect:
  - mailchimp.subscribe:
    suppressed: {reason}
""")


def test_capitals_of_a_reason_do_not_matter(bench: Bench) -> None:
    bench.passes("""
given: {sample: invoice.transfer, received: 2027-07-02T10:00}
expect: [{slack.post_message: , suppressed: 1 july}]
""")


def test_what_is_left_out_for_another_reason_is_told(bench: Bench) -> None:
    found = bench.complaint("""
given: {sample: invoice.refund}
expect: [{mailchimp.subscribe: {}, suppressed: wrong address}]
""")
    assert found.expected == "wrong address"
    assert found.came.startswith("no consent: ")


def test_what_is_sent_is_not_suppressed(bench: Bench) -> None:
    result = bench.result("""
given: {sample: invoice.refund, with: {contact.consent: true}}
expect: [{mailchimp.subscribe: {}, suppressed: true}]
""")
    kinds = {each.kind for each in result.complaints}
    assert kinds == {"not suppressed", "unexpected"}


def test_what_is_not_planned_at_all_is_not_suppressed(bench: Bench) -> None:
    found = bench.complaint("""
given: {sample: invoice.void}
expect: [{mailchimp.subscribe: {}, suppressed: true}]
""")
    assert (
        found.what == "mailchimp.subscribe is expected to be suppressed, and is not planned at all"
    )
    assert found.why[0].rule == "List"


def test_what_is_left_out_need_not_be_named(bench: Bench) -> None:
    bench.passes("given: {sample: invoice.refund}\nexpect: nothing")


def test_what_is_expected_and_left_out_says_why(bench: Bench) -> None:
    found = bench.complaint("given: {sample: invoice.refund}\nexpect: [mailchimp.subscribe]")
    assert found.why[0].reasons[0].startswith("it is suppressed: no consent: ")


def test_what_cannot_be_filled_in_fails_whatever_is_expected(bench: Bench) -> None:
    text = RULES.replace("text: Tomorrow", "text: x").replace(
        '"{{ contact.name }} bought"', "\"{{ tickets | select('lt') | length }}\""
    )
    result = bench.result(
        "given: {sample: invoice.purchase}\nonly: Buyers\nexpect: [hubspot.upsert_contact]", text
    )
    (found,) = result.complaints
    assert found.kind == "cannot be filled in"
    assert found.what.startswith("slack.post_message of “Buyers” cannot be filled in: `text`")


@pytest.mark.parametrize(
    ("due", "holds"),
    [
        ("at: 2027-07-01T09:00", True),
        ("at: '2027-07-01T15:00:00+00:00'", True),
        ("at: 2027-07-01T09:30", False),
        ("after: 1 day", False),
    ],
)
def test_when_it_is_due_is_compared(bench: Bench, due: str, holds: bool) -> None:
    result = bench.result(f"""
given: {{sample: invoice.transfer}}
expect:
  - slack.post_message: {{channel: "#doors"}}
    {due}
""")
    assert (result.state == "passed") is holds


def test_a_time_that_differs_is_told_in_the_zone_of_the_files(bench: Bench) -> None:
    found = bench.complaint("""
given: {sample: invoice.transfer}
expect: [{slack.post_message: {}, at: 2027-07-02T10:00}]
""")
    assert found.what == "slack.post_message of “Reminder”: its time is another one"
    assert found.expected == "2027-07-02 10:00 MDT"
    assert found.came == "2027-07-01 09:00 MDT"


def test_how_long_it_waits_counts_from_when_it_came_in(bench: Bench) -> None:
    text = RULES.replace('after: 1 day before tickets.starts_on\n    at: "09:00"', "after: 2 days")
    bench.passes(
        "given: {sample: invoice.transfer}\nexpect: [{slack.post_message: {}, after: 48 hours}]",
        text,
    )


def test_what_waits_for_nothing_is_due_at_once(bench: Bench) -> None:
    test = "given: {sample: invoice.purchase}\nonly: VIPs\nexpect:\n  - slack.post_message:\n"
    bench.passes(f"{test}    after: 0 seconds")
    assert bench.complaint(f"{test}    after: 1 day").kind == "differs"


def test_a_sample_comes_in_at_a_time_that_never_changes(bench: Bench) -> None:
    """Near the times in it, so that a reminder for its show is neither late nor years ahead."""
    for _ in range(2):
        bench.passes(
            """
given: {sample: invoice.purchase, with: {tickets.starts_on: 2027-06-01T12:30:00Z}}
only: Soon
expect: [slack.post_message]
""",
            RULES
            + """\
  - name: Soon
    when:
      source: showpass
      where: {tickets.starts_on: {within: 30 minutes}}
    do: [{slack.post_message: {channel: "#x", text: x}}]
""",
        )


def test_when_it_comes_in_can_be_said(bench: Bench) -> None:
    found = bench.complaint("""
given: {sample: invoice.transfer, received: 2027-07-02T10:00}
expect: [slack.post_message]
""")
    (why,) = found.why
    assert why.reasons[0].startswith("it is suppressed: its time, 1 July 2027, 09:00 MDT, was over")


def test_what_comes_in_unchanged_is_planned_as_it_would_be_live(
    bench: Bench, configured: config.Config
) -> None:
    text = RULES.replace("- name: VIPs\n", "- name: VIPs\n    once_per: event\n")
    compiled = rules.compile_rules(text, "rules.yaml", config.world(configured))
    stage = Stage.of(configured, compiled)
    given = Given("showpass", "invoice.purchase")
    waiting_one = sampled("showpass", configured.sources["showpass"].source, given)
    live = stage.router.plan(waiting_one, waiting_one.webhook.received_at)
    assert live.deliveries[-1].once
    assert rehearsed(stage, given, waiting_one).plan == live


def test_what_cannot_be_set_fails_and_says_why(bench: Bench) -> None:
    found = bench.complaint("""
given: {sample: invoice.purchase, with: {tickets: [], tickets.type: VIP}}
expect: nothing
""")
    assert found.kind == "given"
    assert found.what.startswith("there are no tickets here, so `tickets.type` cannot be set")


def test_each_test_has_its_result_in_their_order(configured: config.Config) -> None:
    tests = "".join(
        f"  - name: {name}\n    given: {{sample: {sample}}}\n    expect: nothing\n"
        for name, sample in (("B", "webhook.test"), ("A", "invoice.purchase"))
    )
    world = config.world(configured)
    compiled = rules.compile_rules(f"{RULES}tests:\n{tests}", "rules.yaml", world)
    results = run_tests(compiled, configured)
    assert [(each.test.name, each.state) for each in results] == [("B", "passed"), ("A", "failed")]


def test_a_signature_that_is_not_there_keeps_no_sample_out(
    tmp_path: Path, configured: config.Config
) -> None:
    """Nor does another organization than the samples': tests are about rules."""
    text = BRIDGE.replace("{}", "{organization: '7'}", 1)
    (tmp_path / "bridge.yaml").write_text(text)
    other = config.load({"SHOWBRIDGE_DATA": str(tmp_path / "data")}, tmp_path)
    Bench(other).passes(
        "given: {sample: invoice.purchase}\nonly: VIPs\nexpect: [slack.post_message]"
    )


def recorded(
    database: Database, configured: config.Config, at: float, sample: str = "invoice.transfer"
) -> None:
    source = configured.sources["showpass"].source
    text = next(each.text for each in source.samples() if each.name == sample)
    webhook = Webhook("showpass", text.encode(), {}, at)
    with database.write() as connection:
        keep(connection, [Arrival(webhook, source.identify(webhook))])


AT = 1_814_000_000.0


def test_an_event_of_the_ledger_comes_in_as_it_did(
    bench: Bench, configured: config.Config, database: Database
) -> None:
    recorded(database, configured, AT)
    test = """
given: {event: 1%s}
expect: [{slack.post_message: {channel: "#doors"}, at: %s}]
"""
    soon = "2027-07-01T09:00"
    assert bench.result(test % ("", soon), database=database).state == "passed"
    assert bench.result(test % ("-1", soon), database=database).state == "passed"
    later = test % (", received: 2027-07-02T10:00", soon)
    assert bench.result(later, database=database).state == "failed"


def test_a_position_that_the_event_does_not_have_holds_nothing(
    bench: Bench, configured: config.Config, database: Database
) -> None:
    recorded(database, configured, AT)
    result = bench.result("given: {event: 1-2}\nexpect: nothing", database=database)
    assert result.state == "skipped"
    assert result.reason == "there is no event 1-2 in what came in as event 1"


def test_an_event_that_is_not_there_is_not_run(bench: Bench, database: Database) -> None:
    test = "given: {event: 7}\nexpect: nothing"
    assert bench.result(test, database=database).reason == "event 7 is not in the ledger"
    without = bench.result(test)
    assert without.state == "skipped"
    assert without.reason == "there is no ledger here that could hold its event"


def test_an_event_that_is_no_longer_kept_is_not_run(
    bench: Bench, configured: config.Config, database: Database
) -> None:
    recorded(database, configured, AT, "webhook.test")
    emptied(database, configured)
    result = bench.result("given: {event: 1}\nexpect: nothing", database=database)
    assert result.state == "skipped"
    assert result.reason == "what came in as event 1 is no longer kept; use a sample"


def emptied(database: Database, configured: config.Config) -> None:
    """Routed, which comes to nothing, and forgotten after a long time."""
    empty = rules.compile_rules(RULES, "rules.yaml", config.world(configured))
    router = Stage.of(configured, empty).router
    with database.write() as connection:
        record(connection, [router.plan(each, AT) for each in waiting(connection, 10)], AT)
        empty_bodies(connection, AT + 1e9, configured.retention, 0, 10)


def test_a_source_that_is_no_longer_configured_is_not_asked(
    bench: Bench, configured: config.Config, database: Database, tmp_path: Path
) -> None:
    recorded(database, configured, AT)
    (tmp_path / "bridge.yaml").write_text(BRIDGE.replace("showpass: {}", "other: {kind: showpass}"))
    without = config.load({"SHOWBRIDGE_DATA": str(tmp_path / "data")}, tmp_path)
    text = RULES.replace("source: showpass", "source: other")
    result = Bench(without).result("given: {event: 1}\nexpect: nothing", text, database)
    assert result.reason == "the source showpass is no longer configured"


def test_what_cannot_be_read_is_not_run(bench: Bench, database: Database) -> None:
    webhook = Webhook("showpass", b"[]", {}, AT)
    with database.write() as connection:
        keep(connection, [Arrival(webhook, Identity("a key", "unknown", "x"))])
    result = bench.result("given: {event: 1}\nexpect: nothing", database=database)
    assert result.state == "skipped"
    assert result.reason == "what came in cannot be read: not-an-object"
