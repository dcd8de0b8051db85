"""`showbridge rules test`: each test with its mark, and what is different where one fails."""

from __future__ import annotations

import json

from rich.cells import cell_len

from tests.cli.house import RULES, House, Ledger

PASSING = """\
tests:
  - name: Buyers are told of
    given: {sample: invoice.purchase, with: {contact.name: Ana}}
    only: Buyers
    expect:
      - hubspot.upsert_contact
      - slack.post_message: {channel: "#sales", text: Ana bought}
"""
FAILING = (
    PASSING
    + """\
  - name: Refunds are told in another channel
    given: {sample: invoice.refund}
    expect:
      - slack.post_message: {channel: "#refunds and everything else that is given back to people"}
  - name: Purchases are refunds
    given: {sample: invoice.purchase}
    only: Refunds
    expect: [slack.post_message]
"""
)


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_tests_that_pass_are_ticked_off(house: House) -> None:
    house.write("rules.yaml", RULES + PASSING)
    result = house.run("rules", "test")
    assert result.exit_code == 0, result.output
    assert lines(result.stdout) == ["✓ Buyers are told of", "", "1 test: 1 passed"]


def test_what_is_different_stands_below_the_test_that_fails(house: House) -> None:
    house.write("rules.yaml", RULES + FAILING)
    result = house.run("rules", "test")
    assert result.exit_code == 1
    shown = lines(result.stdout.replace(str(house.folder), "."))
    assert shown == [
        "✓ Buyers are told of",
        "✗ Refunds are told in another channel",
        "  ./config/rules.yaml:18",
        "    slack.post_message of “Refunds”: `channel` is another one",
        "      expected  #refunds and everything else that is given back to people",
        "      came      #sales",
        "✗ Purchases are refunds",
        "  ./config/rules.yaml:22",
        "    slack.post_message is expected, and is not done",
        "      “Refunds” does not do it:",
        "        the event is invoice.purchase, not invoice.refund",
        "",
        "3 tests: 1 passed, 2 failed",
    ]


def test_it_is_readable_in_80_columns(house: House) -> None:
    long = FAILING.replace("other: x", "x").replace("is given back", "is given back " * 12)
    house.write("rules.yaml", RULES + long)
    shown = house.run("rules", "test").stdout.replace(str(house.folder), ".").splitlines()
    assert max(map(cell_len, shown)) <= 80
    begun = next(line for line in shown if "expected  #" in line)
    follows = shown[shown.index(begun) + 1]
    assert len(follows) - len(follows.lstrip()) == begun.index("#")


def test_scripts_get_one_object(house: House) -> None:
    house.write("rules.yaml", RULES + FAILING)
    result = house.run("rules", "test", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert [each["state"] for each in told["tests"]] == ["passed", "failed", "failed"]
    (complaint,) = told["tests"][1]["complaints"]
    assert complaint["kind"] == "differs"
    assert complaint["came"] == "#sales"
    assert told["tests"][2]["complaints"][0]["why"][0]["rule"] == "Refunds"


def test_a_draft_is_tested_instead_of_the_files(house: House) -> None:
    house.write("rules.yaml", RULES + PASSING)
    draft = house.folder / "draft.yaml"
    draft.write_text(RULES.replace("#sales", "#other") + PASSING)
    result = house.run("rules", "test", str(draft))
    assert result.exit_code == 1
    assert f"{draft.name}:12" in result.stdout.replace("\n", "")
    assert house.run("rules", "test").exit_code == 0


def test_the_file_of_a_rule_is_named_where_it_is_another_one(house: House) -> None:
    (house.folder / "config" / "rules").mkdir()
    house.write("rules/tests.yaml", FAILING)
    shown = "".join(house.run("rules", "test").stdout.split())
    assert f"“Refunds”({house.folder}/config/rules.yaml)doesnotdoit" in shown


def test_mistakes_are_told_as_check_tells_them(house: House) -> None:
    house.write(
        "rules.yaml", RULES + PASSING.replace("#sales", "#sales").replace("Ana}", "Ana, x: 1}")
    )
    result = house.run("rules", "test")
    assert result.exit_code == 1
    assert "there is no field `x`" in result.stdout
    assert "1 mistake" in result.stdout
    told = json.loads(house.run("rules", "test", "--json").stdout)
    assert told["ok"] is False
    assert len(told["mistakes"]) == 1


def test_without_tests_it_shows_one_that_holds(house: House) -> None:
    result = house.run("rules", "test")
    assert result.exit_code == 0
    assert "There are no tests yet." in result.stdout
    example = result.stdout[result.stdout.index("tests:") : result.stdout.index("\n\n`with:`")]
    assert 'channel: "#sales"' in example
    house.write("rules.yaml", f"{RULES}{example}\n")
    after = house.run("rules", "test")
    assert after.exit_code == 0, after.output
    assert "1 test: 1 passed" in after.stdout
    house.write(
        "rules.yaml",
        f"{RULES}{example}\n".replace(
            'channel: "#sales", text: "{{ c', 'channel: "#x", text: "{{ c'
        ),
    )
    assert house.run("rules", "test").exit_code == 1


def test_the_one_it_shows_holds_where_no_sample_fits_the_rules(house: House) -> None:
    rules = RULES.replace(
        "event: invoice.purchase", "event: invoice.purchase, where: {order.total: 1}"
    )
    rules = rules.replace("invoice.refund", "invoice.refund, where: {order.total: 1}")
    house.write("rules.yaml", rules)
    shown = house.run("rules", "test").stdout
    example = shown[shown.index("tests:") : shown.index("\n\n`with:`")]
    assert "expect: nothing" in example
    house.write("rules.yaml", f"{rules}{example}\n")
    assert house.run("rules", "test").exit_code == 0


def test_an_event_of_the_ledger_can_be_given(house: House, ledger: Ledger) -> None:
    number = ledger.receive("invoice.purchase", customer_name="Ana Lima")
    test = PASSING.replace("sample: invoice.purchase, with: {contact.name: Ana}", "event: %s")
    text = test.replace("Ana bought", "Ana Lima bought")
    house.write("rules.yaml", RULES + text % number)
    result = house.run("rules", "test")
    assert result.exit_code == 0, result.output
    assert "1 test: 1 passed" in result.stdout
    house.write("rules.yaml", RULES + text % 999)
    missing = house.run("rules", "test")
    assert missing.exit_code == 0
    assert "– Buyers are told of" in missing.stdout
    assert "not run: event 999 is not in the ledger" in missing.stdout
    assert "1 test: 1 not run" in missing.stdout


def test_without_a_ledger_no_file_is_made_for_one(house: House) -> None:
    house.write("rules.yaml", RULES + PASSING.replace("sample: invoice.purchase", "event: 1"))
    result = house.run("rules", "test")
    assert "there is no ledger here" in result.stdout
    assert not (house.folder / "data").exists()


def test_check_runs_them_too(house: House) -> None:
    house.write("rules.yaml", RULES + FAILING)
    result = house.run("rules", "check")
    assert result.exit_code == 1
    assert "Refunds are told in another channel" in result.stdout
    assert "expected  #refunds" in result.stdout
    assert "2 tests failed" in result.stdout
    assert len(json.loads(house.run("rules", "check", "--json").stdout)["failed_tests"]) == 2


def test_rules_of_which_a_test_fails_are_not_published(house: House, ledger: Ledger) -> None:
    house.write("rules.yaml", RULES + FAILING)
    refused = house.run("rules", "publish")
    assert refused.exit_code == 1
    assert "Purchases are refunds" in refused.stdout
    assert "Nothing was changed" in refused.stdout
    assert house.run("rules", "publish", "--even-if-tests-fail").exit_code == 0


def test_publishing_asks_the_ledger_for_events(house: House, ledger: Ledger) -> None:
    number = ledger.receive("invoice.refund")
    test = FAILING.replace("sample: invoice.refund", f"event: {number}")
    house.write("rules.yaml", RULES + test)
    assert "#sales" in house.run("rules", "publish").stdout


MANY = "".join(
    f"""\
  - name: Other {number}
    when: {{source: showpass, event: invoice.purchase}}
    do:
      - slack.post_message: {{channel: "#other", text: "{{{{ contact.name }}}} {number}"}}
"""
    for number in range(20)
)


def test_a_test_that_forgot_the_other_rules_says_how_to_leave_them_out(house: House) -> None:
    test = """\
tests:
  - name: One
    given: {sample: invoice.refund}
    expect: [slack.post_message]
"""
    rules = RULES + MANY.replace("invoice.purchase", "invoice.refund")
    house.write("rules.yaml", rules + test)
    result = house.run("rules", "test")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) < 15
    said = " ".join(result.stdout.split())
    assert "20 deliveries are done, and are not expected: by “Other 0”, “Other 1”" in said
    assert "if this test is about one rule, write `only: Refunds` below its name" in said
    house.write("rules.yaml", rules + test.replace("One\n", "One\n    only: Refunds\n"))
    assert house.run("rules", "test").exit_code == 0
