"""`showbridge rules fields`: what rules can name, with examples from what came in."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import update

from bridge.ledger.tables import webhooks
from tests.cli.house import RULES, House, Ledger
from tests.cli.trying import DRAFT, lines, refused, told


def fields(house: House, *arguments: str) -> dict[str, Any]:
    found = lines(house, "rules", "fields", *arguments)
    return {each["field"]: each for each in found if "field" in each}


def test_without_a_ledger_examples_are_those_of_the_documents(house: House) -> None:
    shown = told(house, "rules", "fields", "invoice.purchase")
    assert "showpass invoice.purchase" in shown
    assert "order.total amount net sales" in shown
    assert "“priya@example.com” for example" in shown
    assert not (house.folder / "data").exists()


def test_examples_are_of_the_newest_event_that_has_the_field(house: House, ledger: Ledger) -> None:
    ledger.receive(payment_type="cash")
    ledger.receive(payment_type="")
    ledger.receive("invoice.refund", payment_type="credit")
    found = fields(house, "invoice.purchase")
    assert found["order.payment_type"]["example"] == "“cash”"
    assert found["order.payment_type"]["from_event"] == "1"
    assert found["order.total"]["from_event"] == "2"
    assert fields(house, "invoice.*")["order.total"]["from_event"] == "3"
    assert "“cash” event 1" in told(house, "rules", "fields", "invoice.purchase")


def test_who_somebody_is_stays_hidden_unless_it_is_asked_for(house: House, ledger: Ledger) -> None:
    ledger.receive(customer_email="bo@example.com", customer_name="Bo Real")
    masked = told(house, "rules", "fields", "invoice.purchase")
    assert "bo@example.com" not in masked
    assert "Bo Real" not in masked
    assert "true event 1" in masked
    shown = told(house, "rules", "fields", "invoice.purchase", "--show-personal")
    assert "“bo@example.com” event 1" in shown
    assert "“Bo Real” event 1" in shown


def test_only_what_events_of_the_type_carry_is_listed(house: House) -> None:
    assert "order.total" not in fields(house, "webhook.test")
    assert {"contact.email", "event.time", "raw"} <= fields(house, "webhook.test").keys()
    assert {"order.total", "tickets.type"} <= fields(house, "invoice.void").keys()
    assert "space.name" not in fields(house, "invoice.void")


def test_one_event_by_its_id(house: House, ledger: Ledger) -> None:
    ledger.receive()
    ledger.receive("invoice.refund")
    found = fields(house, "1")
    assert found["event.type"]["example"] == "“invoice.purchase”"
    assert {each["from_event"] for each in found.values()} == {"1", None}
    assert "showpass invoice.purchase contact" in told(house, "rules", "fields", "1")


def test_all_fields_of_all_sources_with_filters_lists_and_texts(house: House) -> None:
    house.write("rules.yaml", f'{DRAFT}texts:\n  thanks: "Thank you, {{{{ contact.name }}}}"\n')
    shown = told(house, "rules", "fields")
    for source in ("showpass invoice.purchase, invoice.refund", "showpad shared-space-created"):
        assert source in shown
    assert "and types that are not published" in shown
    assert "order with invoice.*" in shown
    assert "tickets with invoice.*, a list; with `for_each: tickets` one of it is `ticket`" in shown
    assert "{{ tickets | plural('ticket', 'tickets') }} → 3 tickets" in shown
    assert "Lists, for one_of favourites “VIPP”, “Backstage”" in shown
    assert "Texts, as {{ texts.NAME }} thanks Thank you, {{ contact.name }}" in shown
    found = lines(house, "rules", "fields")
    assert {"lists": {"favourites": ["VIPP", "Backstage"]}} in found
    assert any(each.get("filter") == "money([currency])" for each in found)


def test_one_source_alone(house: House) -> None:
    shown = told(house, "rules", "fields", "--source", "showpad")
    assert "space.name" in shown
    assert "order.gross_revenue" not in shown
    assert "Filters" in shown


def test_mistaken_rules_hide_nothing_else(house: House) -> None:
    house.write("rules.yaml", RULES.replace("slack", "slak"))
    shown = told(house, "rules", "fields")
    assert "order.total" in shown
    assert "the rules have mistakes; `showbridge rules check` says which" in shown


def test_slips_are_explained(house: House, ledger: Ledger) -> None:
    assert "did you mean `invoice.purchase`?" in refused(
        house, "rules", "fields", "invoice.purchas"
    )
    assert "there is no source `x`" in refused(house, "rules", "fields", "--source", "x")
    wrong = refused(house, "rules", "fields", "invoice.void", "--source", "showpad")
    assert "showpad does not publish `invoice.void`" in wrong
    assert "there is no event 9" in refused(house, "rules", "fields", "9")


def test_a_deleted_body_gives_no_example(house: House, ledger: Ledger) -> None:
    ledger.receive()
    with ledger.database.write() as connection:
        connection.execute(update(webhooks).values(body=b"", pruned_at=time.time()))
    assert fields(house, "invoice.purchase")["order.total"]["from_event"] is None
    assert "was deleted for its age" in refused(house, "rules", "fields", "1")


def test_hostile_values_move_no_cursor(house: House, ledger: Ledger) -> None:
    ledger.receive(payment_type="\x1b[2J\x1b]0;x\x07")
    assert "\x1b" not in house.run("rules", "fields", "invoice.purchase").stdout
