"""A refund that comes before its purchase: it has the last word all the same."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from bridge.connector import Rejected
from bridge.event import Event, Webhook
from bridge.ledger import endings, tables
from bridge.ledger.database import Database
from bridge.ledger.endings import Ending
from bridge.ledger.replay import replay_webhook
from bridge.ledger.stories import DeliveryRecord
from bridge.sources.showpass import Showpass, ShowpassSettings
from tests.engine import test_turns
from tests.engine.test_turns import Engine

RULES = """
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - scripted.ACTION: {text: "{{ order.id }} bought"}
  - name: Refunds
    when: {source: showpass, event: [invoice.refund, invoice.void]}
    do:
      - scripted.ACTION: {text: "{{ order.id }} refunded"}
"""
TOLD = "it was undone before it came, by event"

engine = test_turns.engine


@pytest.fixture
def bench(engine: Engine) -> Engine:
    engine.write_rules(RULES.replace("ACTION", "send"))
    return engine


def order(number: str, *tickets: int, **data: Any) -> dict[str, Any]:
    items = [{"id": each} for each in tickets]
    return {"id": number, "data": {"transaction_id": number, "ticket_items": items, **data}}


def receive(bench: Engine, event_type: str, number: str, *tickets: int, **data: Any) -> None:
    key = f"{event_type} {number} {tickets} {data}"
    bench.receive(key, event_type=f"invoice.{event_type}", **order(number, *tickets, **data))


def take_tickets_word(bench: Engine) -> None:
    """For refunds that carry a transaction of their own."""
    settings = ShowpassSettings(ticket_mismatch="accept")
    bench.turns.sources = {"showpass": Showpass(settings, ["secret"])}


def work(bench: Engine) -> list[str]:
    bench.clock.tick()
    bench.work()
    return bench.script.sent


def replay(bench: Engine, number: int) -> None:
    with bench.database.write() as connection:
        replay_webhook(connection, number)


def owed(bench: Engine, number: int) -> list[DeliveryRecord]:
    return list(bench.story(number).events[0].deliveries)


def remarks(bench: Engine, number: int) -> str:
    return " ".join(bench.story(number).events[0].remarks)


@pytest.mark.parametrize("ending", ["refund", "void"])
def test_a_late_purchase_ends_in_the_refunded_state(bench: Engine, ending: str) -> None:
    receive(bench, ending, "T1")
    work(bench)
    receive(bench, "purchase", "T1")
    assert work(bench) == ["T1 refunded", "T1 bought", "T1 refunded"]
    assert f"{TOLD} 1: " in remarks(bench, 2)
    assert owed(bench, 2)[1].rule == "Refunds"


def test_it_does_so_where_both_are_routed_at_once(bench: Engine) -> None:
    receive(bench, "refund", "T1")
    receive(bench, "purchase", "T1")
    assert work(bench)[-2:] == ["T1 bought", "T1 refunded"]


def test_in_the_usual_order_nothing_is_repeated(bench: Engine) -> None:
    receive(bench, "purchase", "T1", 7)
    receive(bench, "refund", "T1", 7)
    assert work(bench) == ["T1 bought", "T1 refunded"]
    receive(bench, "purchase", "T2", 8)
    assert work(bench)[2:] == ["T2 bought"]
    assert not remarks(bench, 1)
    assert not remarks(bench, 3)


def test_a_refund_with_a_transaction_of_its_own_is_known_by_its_tickets(bench: Engine) -> None:
    take_tickets_word(bench)
    receive(bench, "refund", "R9", 7)
    work(bench)
    receive(bench, "purchase", "T1", 6, 7)
    assert work(bench)[-2:] == ["T1 bought", "R9 refunded"]


def test_the_refunds_of_single_tickets_are_repeated_in_their_order(bench: Engine) -> None:
    take_tickets_word(bench)
    receive(bench, "refund", "R1", 6)
    receive(bench, "refund", "R2", 7)
    receive(bench, "refund", "T1", 8)
    work(bench)
    receive(bench, "purchase", "T1", 6, 7, 8)
    assert work(bench)[3:] == ["T1 bought", "R1 refunded", "R2 refunded", "T1 refunded"]
    assert f"{TOLD}s 1, 2, 3: " in remarks(bench, 4)


def test_another_source_s_refund_is_another_matter(bench: Engine) -> None:
    bench.turns.sources = {**bench.turns.sources, "other": bench.turns.sources["showpass"]}
    bench.receive("r", source="other", event_type="invoice.refund", **order("T1"))
    work(bench)
    receive(bench, "purchase", "T1")
    assert work(bench) == ["T1 bought"]


def test_routing_it_again_repeats_nothing(bench: Engine) -> None:
    receive(bench, "refund", "T1")
    receive(bench, "purchase", "T1")
    work(bench)
    for _ in range(2):
        replay(bench, 2)
        assert len(work(bench)) == 3
        assert f"{TOLD} 1: " in remarks(bench, 2)


def test_the_refund_waits_behind_its_late_purchase(bench: Engine) -> None:
    receive(bench, "refund", "T1")
    work(bench)
    bench.script.answers = [RuntimeError("busy")]
    receive(bench, "purchase", "T1")
    assert work(bench)[1:] == ["T1 bought"]
    bench.now.advance(60)
    assert work(bench)[2:] == ["T1 bought", "T1 refunded"]


def test_an_old_purchase_that_is_replayed_after_its_refund_does_not_win(bench: Engine) -> None:
    bench.script.answers = [Rejected("no"), Rejected("no")]
    receive(bench, "purchase", "T1")
    work(bench)
    receive(bench, "refund", "T1")
    work(bench)
    replay(bench, 1)
    assert work(bench)[2:] == ["T1 bought", "T1 refunded"]


def test_each_further_replay_has_the_refund_behind_it_again(bench: Engine) -> None:
    receive(bench, "refund", "T1")
    work(bench)
    bench.script.answers = [Rejected("no")]
    receive(bench, "purchase", "T1")
    work(bench)
    replay(bench, 2)
    assert work(bench)[3:] == ["T1 bought", "T1 refunded"]


def test_a_refund_that_never_arrived_is_still_owed_after_the_purchase(bench: Engine) -> None:
    bench.script.answers = [Rejected("no such contact")]
    receive(bench, "refund", "T1")
    work(bench)
    receive(bench, "purchase", "T1")
    assert work(bench)[1:] == ["T1 bought", "T1 refunded"]


def test_messages_are_not_posted_a_second_time(bench: Engine) -> None:
    bench.write_rules(RULES.replace("ACTION", "post"))
    receive(bench, "refund", "T1")
    receive(bench, "purchase", "T1")
    assert work(bench) == ["T1 refunded", "T1 bought"]
    assert "nothing is done once more" in remarks(bench, 2)


def test_a_refund_of_another_address_is_not_repeated_and_the_story_says_so(bench: Engine) -> None:
    receive(bench, "refund", "T1", customer_email=None)
    receive(bench, "purchase", "T1")
    assert sorted(work(bench)) == ["T1 bought", "T1 refunded"]
    assert "nothing is done once more" in remarks(bench, 2)


def test_a_merging_action_gets_the_purchase_and_its_refund_in_one_call(bench: Engine) -> None:
    bench.write_rules(RULES.replace("ACTION", "merge"))
    receive(bench, "refund", "T1")
    work(bench)
    receive(bench, "purchase", "T1")
    work(bench)
    assert bench.script.batches == [["T1 refunded"], ["T1 bought", "T1 refunded"]]


def test_purchases_of_more_tickets_than_one_query_takes_are_matched(bench: Engine) -> None:
    take_tickets_word(bench)
    receive(bench, "refund", "R1", 699)
    for first in range(100, 700, 90):
        receive(bench, "purchase", f"T{first}", *range(first, first + 90))
    assert work(bench)[-2:] == ["T640 bought", "R1 refunded"]


def test_a_worker_that_has_lost_the_inbox_writes_nothing_down(bench: Engine) -> None:
    """Else an ending that the next one wrote down meanwhile would be missed."""
    database = bench.database

    class Slow(Showpass):
        def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
            with database.write() as connection:
                connection.execute(update(tables.lanes).values(leased_by="another"))
            return super().normalise(webhook)

    bench.turns.sources = {"showpass": Slow(Showpass.Settings(), [])}
    receive(bench, "purchase", "T1")
    assert work(bench) == []
    assert bench.story(1).state == "waiting"


def test_endings_are_forgotten_by_their_age_a_portion_at_a_time(database: Database) -> None:
    young = Ending("s", (2, 1), "ana", ["transaction B"])
    with database.write() as connection:
        endings.keep(connection, [Ending("s", (1, 1), "", ["transaction A", "ticket 1"])], 10.0)
        endings.keep(connection, [young], 20.0)
        assert [endings.forget(connection, 20.0, limit=1) for _ in range(3)] == [1, 1, 0]
        keys = [endings.key_of("s", "transaction A"), *young.keys, *young.keys_of_anybody]
        assert set(endings.known(connection, keys)) == {*young.keys, *young.keys_of_anybody}
