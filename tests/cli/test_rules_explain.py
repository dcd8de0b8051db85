"""`showbridge rules explain`: the rules in plain sentences."""

from __future__ import annotations

import json

from tests.cli.house import RULES, House, Ledger
from tests.cli.trying import DRAFT, line_of, lines, refused, run, told


def explained(house: House, *arguments: str) -> str:
    house.write("rules.yaml", DRAFT)
    return told(house, "rules", "explain", *arguments)


def test_conditions_are_a_list_with_the_members_of_named_lists(house: House) -> None:
    shown = explained(house, "Large orders")
    assert shown.startswith("Large orders config/rules.yaml:5")
    assert (
        "When showpass sends invoice.purchase, and all of these hold: "
        "- order.total is at least 1000 "
        "- tickets.type is one of favourites (“VIPP”, “Backstage”) "
        "- order.currency is “CAD” "
        "- one of these holds: - contact.consent is true - order.total is at most 5 "
        "- none of these holds: - order.currency is “CAD” - order.currency is “USD” "
        "then:"
    ) in shown


def test_one_condition_is_no_list_of_all(house: House) -> None:
    shown = explained(house, "reminder")
    assert "for each ticket (of tickets) that fits, and this holds: - ticket.type is “VIP”" in shown


def test_steps_say_what_they_do_and_their_fields_as_written(house: House) -> None:
    shown = explained(house, "Reminder")
    assert "1. hubspot.upsert_contact Create the contact with this e-mail address" in shown
    assert "email: {{ contact.email }}" in shown
    assert "2. slack.post_message Post a message" in shown
    assert "channel: #vip text: {{ ticket.type }}" in shown


def test_options_are_sentences(house: House) -> None:
    shown = explained(house, "Reminder")
    assert "2 days later at 09:00 in America/Edmonton." in shown
    assert "Unless invoice.refund comes first, of the same transaction." in shown
    assert "Then no later rule is asked." in shown
    off = explained(house, "Not now")
    assert "Switched off: when showpass sends invoice.refund, and this holds:" in off
    assert "Only to 2020-12-31 in America/Edmonton." in off


def test_all_rules_in_their_order_and_how_texts_are_compared_once(house: House) -> None:
    shown = explained(house)
    assert "4 rules in config/rules.yaml, asked in this order" in shown
    order = [shown.index(f"{name} config/") for name in _NAMES]
    assert order == sorted(order)
    assert shown.count("Capitals do not matter") == 1
    assert "Capitals" not in explained(house, "After the stop")


_NAMES = ("Large orders", "Reminder", "After the stop", "Not now")


def test_groups_and_lists_of_fields_are_shown_as_they_are(house: House) -> None:
    house.write("rules.yaml", _DEEP)
    shown = told(house, "rules", "explain")
    assert "properties: firstname: {{ contact.first_name }} lifecyclestage: customer" in shown
    assert "When showpass or showpad sends any event:" in shown


_DEEP = """\
rules:
  - name: Deep
    when: {source: [showpass, showpad]}
    do:
      - hubspot.upsert_contact:
          email: "{{ contact.email }}"
          properties: {firstname: "{{ contact.first_name }}", lifecyclestage: customer}
"""


def test_a_draft_and_what_is_live(house: House, ledger: Ledger) -> None:
    ledger.route()
    (house.folder / "draft.yaml").write_text(DRAFT)
    shown = told(house, "rules", "explain", "draft.yaml", "Not now")
    assert f"Not now draft.yaml:{line_of(DRAFT, 'Not now')}" in shown
    assert "Buyers version" in told(house, "rules", "explain", "live")


def test_json_has_each_rule_in_parts(house: House) -> None:
    house.write("rules.yaml", DRAFT)
    first, *_, last = lines(house, "rules", "explain")
    assert first["rule"] == "Large orders"
    assert first["conditions"][3] == {
        "words": "one of these holds",
        "parts": [
            {"words": "contact.consent is true", "parts": []},
            {"words": "order.total is at most 5", "parts": []},
        ],
    }
    assert first["do"][0]["fields"] == {"channel": "#vip", "text": "hello {{ contact.name }}"}
    assert (last["enabled"], last["options"]) == (
        False,
        ["Only to 2020-12-31 in America/Edmonton."],
    )


def test_an_unknown_rule_and_mistakes(house: House) -> None:
    house.write("rules.yaml", DRAFT)
    assert "did you mean `Reminder`?" in refused(house, "rules", "explain", "Remindr")
    house.write("rules.yaml", DRAFT.replace("for_each: tickets", "for_each: tickts"))
    result = run(house, "rules", "explain")
    assert result.exit_code == 1
    assert "did you mean `tickets`?" in result.stdout
    told = run(house, "rules", "explain", "--json")
    assert json.loads(told.stdout)["ok"] is False


def test_a_draft_stands_where_all_commands_about_rules_take_it(house: House) -> None:
    """First, and without an option: the same word leads from one command to the next."""
    (house.folder / "draft.yaml").write_text(RULES.replace("Buyers", "Drafted"))
    for command in ("check", "test", "explain", "diff --samples", "try"):
        name, *options = command.split()
        tried = ["invoice.purchase"] if name == "try" else []
        result = house.run("rules", name, "draft.yaml", *tried, *options)
        assert result.exit_code in (0, 2), result.output
        assert "no such option" not in result.output.lower()
        assert "[RULES]" in house.run("rules", name, "--help").stdout
    assert "[RULES]" in house.run("rules", "publish", "--help").stdout
    whole = house.run("rules", "explain", "draft.yaml").stdout
    assert "Drafted" in whole
    assert "Refunds" in whole
    alone = house.run("rules", "explain", "draft.yaml", "drafted").stdout
    assert "Drafted" in alone
    assert "Refunds" not in alone
    assert "Buyers" in house.run("rules", "explain", "buyers").stdout
    assert house.run("rules", "explain", "draft.yaml", "Drafted", "more").exit_code == 2
