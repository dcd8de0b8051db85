"""A refund that names another transaction's tickets: each attack by each switch."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from bridge.ledger.alerts import open_alerts
from bridge.ledger.replay import replay_webhook
from bridge.sources.showpass import Showpass, ShowpassSettings
from tests.engine import test_turns
from tests.engine.test_forged_endings import asked
from tests.engine.test_later import DAY, RULES, UNLESS, work
from tests.engine.test_turns import Engine

Switch = Literal["alert", "accept", "quarantine"]
SWITCHES: tuple[Switch, ...] = ("alert", "accept", "quarantine")
STOLEN, VICTIM = "T-stolen", "T-victim"

engine = test_turns.engine


@pytest.fixture
def bench(engine: Engine) -> Engine:
    engine.write_rules(RULES.replace("UNLESS", UNLESS))
    return engine


def switch(bench: Engine, value: Switch) -> None:
    settings = ShowpassSettings(ticket_mismatch=value)
    bench.turns.sources = {"showpass": Showpass(settings, ["secret"])}


def receive(bench: Engine, event_type: str, signed: str, named: str = "", **data: Any) -> None:
    """`signed` is the id that the signature covers, `named` the transaction in the data."""
    tickets = [{"id": each} for each in data.pop("tickets", [7])]
    invoice = {"transaction_id": named or signed, "ticket_items": tickets, **data}
    key = f"{event_type} {signed} {named} {tickets}"
    bench.receive(key, event_type=f"invoice.{event_type}", id=signed, data=invoice)
    work(bench)


def alerts(bench: Engine) -> list[str]:
    with bench.database.read() as connection:
        return [each.text for each in open_alerts(connection) if each.kind == "ticket-mismatch"]


def what_is_sent(bench: Engine) -> list[str]:
    bench.now.advance(2 * DAY)
    return work(bench)


FORGERIES = {
    "a range of ticket numbers": {"tickets": range(1, 101)},
    "the victim's transaction in the data": {"named": VICTIM, "tickets": []},
    "both": {"named": VICTIM, "tickets": range(1, 101)},
}
# By what the switch says: is the victim's reminder sent, is the refund itself processed?
TOLD: dict[Switch, tuple[bool, bool]] = {
    "alert": (True, True),
    "accept": (False, True),
    "quarantine": (True, False),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.parametrize("value", SWITCHES)
def test_a_refund_signed_for_another_transaction_after_the_purchase(
    bench: Engine, value: Switch, forgery: dict[str, Any]
) -> None:
    switch(bench, value)
    receive(bench, "purchase", VICTIM)
    receive(bench, "refund", STOLEN, **forgery)
    sent = what_is_sent(bench)
    assert (f"{VICTIM} thanks" in sent, f"{STOLEN} refunded" in sent) == TOLD[value]
    assert len(alerts(bench)) == (value != "accept")


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.parametrize("value", SWITCHES)
def test_a_refund_signed_for_another_transaction_before_the_purchase(
    bench: Engine, value: Switch, forgery: dict[str, Any]
) -> None:
    """Nothing is held then: nobody knows yet whose tickets they are."""
    switch(bench, value)
    receive(bench, "refund", STOLEN, **forgery)
    receive(bench, "purchase", VICTIM)
    assert (f"{VICTIM} thanks" in what_is_sent(bench)) == (value != "accept")
    assert len(alerts(bench)) == (value != "accept")
    remarks = " ".join(bench.story(2).events[0].remarks)
    assert ("event 1 names its tickets" in remarks) == (value != "accept")


@pytest.mark.parametrize("first", ["purchase", "refund"])
@pytest.mark.parametrize("value", SWITCHES)
def test_a_refund_signed_for_the_purchase_s_transaction_cancels_by_every_switch(
    bench: Engine, value: Switch, first: str
) -> None:
    switch(bench, value)
    for each in (first, "refund" if first == "purchase" else "purchase"):
        receive(bench, each, VICTIM, tickets=[7] if each == "purchase" else [8])
    assert what_is_sent(bench) == [f"{VICTIM} refunded"]
    assert alerts(bench) == []


@pytest.mark.parametrize("value", SWITCHES)
def test_a_refund_in_another_name_cancels_by_no_switch(bench: Engine, value: Switch) -> None:
    switch(bench, value)
    receive(bench, "purchase", VICTIM)
    receive(bench, "refund", STOLEN, VICTIM, customer_email="mallory@example.com")
    assert f"{VICTIM} thanks" in what_is_sent(bench)
    assert alerts(bench) == []


@pytest.mark.parametrize("value", SWITCHES)
def test_a_made_up_purchase_lets_no_stolen_signature_cancel_the_victim_s(
    bench: Engine, value: Switch
) -> None:
    """Else the forged pair of purchase and refund would vouch for the tickets."""
    switch(bench, value)
    receive(bench, "purchase", VICTIM)
    receive(bench, "purchase", STOLEN)
    receive(bench, "refund", STOLEN)
    assert (f"{VICTIM} thanks" in what_is_sent(bench)) == (value != "accept")


@pytest.mark.parametrize("first", ["purchase", "refund"])
def test_both_in_one_round_are_told_apart_as_well(bench: Engine, first: str) -> None:
    for name in (first, "refund" if first == "purchase" else "purchase"):
        signed = VICTIM if name == "purchase" else STOLEN
        data = {"transaction_id": signed, "ticket_items": [{"id": 7}]}
        bench.receive(name, event_type=f"invoice.{name}", id=signed, data=data)
    work(bench)
    assert f"{VICTIM} thanks" in what_is_sent(bench)
    assert len(alerts(bench)) == 1


def test_the_alert_names_the_switch_and_what_to_do_by_hand(bench: Engine) -> None:
    receive(bench, "purchase", VICTIM)
    receive(bench, "refund", STOLEN)
    (text,) = alerts(bench)
    assert text.startswith("Event 2 names tickets of event 1, but its signature is for another ")
    assert "`ticket_mismatch: accept`" in text
    assert "`showbridge replay 2`" in text
    assert "ana@" not in text


def test_the_alert_s_advice_cancels_it(bench: Engine) -> None:
    receive(bench, "purchase", VICTIM)
    receive(bench, "refund", STOLEN)
    switch(bench, "accept")
    replay(bench, 2)
    assert f"{VICTIM} thanks" not in what_is_sent(bench)


def test_a_replay_accepts_what_was_kept_aside(bench: Engine) -> None:
    switch(bench, "quarantine")
    receive(bench, "purchase", VICTIM)
    receive(bench, "refund", STOLEN)
    assert (bench.story(2).state, bench.story(2).reason) == ("quarantined", "ticket-mismatch")
    replay(bench, 2)
    assert what_is_sent(bench) == [f"{STOLEN} refunded"]


@pytest.mark.parametrize("value", ["alert", "quarantine"])
def test_a_replay_of_what_was_not_kept_aside_accepts_nothing(bench: Engine, value: Switch) -> None:
    switch(bench, value)
    receive(bench, "refund", STOLEN)
    receive(bench, "purchase", VICTIM)
    replay(bench, 1)
    assert f"{VICTIM} thanks" in what_is_sent(bench)


def test_claims_made_under_alert_are_no_ends_once_the_switch_says_accept(bench: Engine) -> None:
    """A forger's claims from before would cancel all that comes afterwards."""
    receive(bench, "refund", STOLEN)
    switch(bench, "accept")
    receive(bench, "purchase", VICTIM)
    assert f"{VICTIM} thanks" in what_is_sent(bench)
    assert len(alerts(bench)) == 1


@pytest.mark.parametrize("value", ["alert", "quarantine"])
def test_ends_made_under_accept_stay_ends_whatever_the_switch_says_later(
    bench: Engine, value: Switch
) -> None:
    switch(bench, "accept")
    receive(bench, "refund", STOLEN)
    switch(bench, value)
    receive(bench, "purchase", VICTIM)
    assert f"{VICTIM} thanks" not in what_is_sent(bench)
    assert alerts(bench) == []


def released(bench: Engine) -> None:
    """A purchase, a refund that was kept aside for it, and a person's replay of that."""
    switch(bench, "quarantine")
    receive(bench, "purchase", VICTIM)
    receive(bench, "refund", STOLEN)
    replay(bench, 2)
    assert bench.story(2).state == "routed"


def told(bench: Engine) -> int:
    with bench.database.read() as connection:
        found = [each for each in open_alerts(connection) if each.kind == "ticket-mismatch"]
    return sum(each.count for each in found)


def test_what_a_person_accepted_cancels_the_purchase_also_in_its_replay(bench: Engine) -> None:
    released(bench)
    before = told(bench)
    replay(bench, 1)
    assert f"{VICTIM} thanks" not in what_is_sent(bench)
    assert told(bench) == before
    assert "nothing is cancelled" not in " ".join(bench.story(1).events[0].remarks)


def test_what_a_person_accepted_cancels_a_purchase_that_comes_later(bench: Engine) -> None:
    released(bench)
    before = told(bench)
    receive(bench, "purchase", "T-late")
    assert "T-late thanks" not in what_is_sent(bench)
    assert told(bench) == before


def test_what_a_person_accepted_once_is_not_put_aside_by_the_next_replay(bench: Engine) -> None:
    released(bench)
    replay(bench, 1)
    receive(bench, "purchase", "T-late")
    before = told(bench)
    for _ in range(2):
        replay(bench, 2)
        assert bench.story(2).state == "routed"
    assert told(bench) == before


def test_many_that_claim_the_same_ticket_do_not_hide_the_purchase(bench: Engine) -> None:
    switch(bench, "quarantine")
    receive(bench, "purchase", VICTIM)
    rules = RULES.replace("UNLESS", "unless: invoice.void")
    bench.write_rules(rules)
    for number in range(110):
        data = {"transaction_id": f"F{number}", "ticket_items": [{"id": 7}]}
        bench.receive(f"f{number}", event_type="invoice.purchase", id=f"F{number}", data=data)
    work(bench)
    receive(bench, "refund", STOLEN)
    assert (bench.story(112).state, bench.story(112).reason) == ("quarantined", "ticket-mismatch")
    assert alerts(bench)[0].startswith("Event 112 names tickets of event 1, ")


def replay(bench: Engine, number: int) -> None:
    with bench.database.write() as connection:
        replay_webhook(connection, number)
    work(bench)


def test_what_was_scheduled_before_the_signature_counted_is_doubted_too(bench: Engine) -> None:
    """Tickets are known by the same keys as in ledgers of earlier versions."""
    switch(bench, "accept")
    receive(bench, "purchase", VICTIM)
    switch(bench, "alert")
    receive(bench, "refund", STOLEN)
    assert f"{VICTIM} thanks" in what_is_sent(bench)
    assert len(alerts(bench)) == 1


def test_once_per_transaction_goes_by_the_signed_id(bench: Engine) -> None:
    bench.write_rules(
        "rules:\n- name: A\n  when: {event: invoice.purchase}\n  once_per: transaction\n"
        "  do: [{scripted.send: {text: '{{ order.id }}'}}]\n"
    )
    receive(bench, "purchase", STOLEN, VICTIM)
    receive(bench, "purchase", VICTIM)
    assert bench.script.sent == [STOLEN, VICTIM]


def test_a_hundred_ticket_numbers_cost_no_more_statements_than_one(bench: Engine) -> None:
    receive(bench, "purchase", VICTIM)
    counts = []
    for number, tickets in enumerate((range(100, 101), range(1, 101))):
        with asked(bench.database) as sent:
            receive(bench, "refund", f"{STOLEN}{number}", tickets=tickets)
        counts.append(sum("cancellers" in statement for statement, _ in sent))
    assert counts[0] == counts[1]
