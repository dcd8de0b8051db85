"""Rules that wait: real rules, a real source, the clock that promotes, and workers that send."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import update

from bridge.engine.clock import Clock
from bridge.errors import LedgerUnavailable
from bridge.ledger import accounts, tables
from bridge.ledger.database import Connection, Database
from bridge.ledger.replay import replay_webhook
from tests.engine import test_turns
from tests.engine.test_endings import order
from tests.engine.test_turns import Engine

DAY = 86400.0
RULES = """
rules:
  - name: Thanks
    when: {source: showpass, event: invoice.purchase}
    after: 2 days
    UNLESS
    do:
      - scripted.send: {text: "{{ order.id }} thanks"}
  - name: Refunds
    when: {source: showpass, event: invoice.refund}
    do:
      - scripted.send: {text: "{{ order.id }} refunded"}
"""
UNLESS = "unless: invoice.refund"

engine = test_turns.engine


@pytest.fixture
def bench(engine: Engine) -> Engine:
    engine.write_rules(RULES.replace("UNLESS", UNLESS))
    return engine


def receive(bench: Engine, event_type: str, number: str = "T1", **data: Any) -> None:
    key = f"{event_type} {number} {data}"
    bench.receive(key, event_type=f"invoice.{event_type}", **order(number, **data))


def work(bench: Engine) -> list[str]:
    bench.clock.tick()
    bench.work()
    return bench.script.sent


def reason(bench: Engine, number: int = 1) -> str | None:
    return bench.story(number).events[0].deliveries[0].reason


def test_what_waits_is_sent_when_its_time_has_come(bench: Engine) -> None:
    receive(bench, "purchase")
    assert work(bench) == []
    assert bench.states() == {"scheduled": 1}
    bench.now.advance(2 * DAY - 1)
    assert work(bench) == []
    bench.now.advance(1)
    assert work(bench) == ["T1 thanks"]
    assert bench.states() == {"delivered": 1}


def test_a_refund_that_comes_meanwhile_calls_it_off(bench: Engine) -> None:
    receive(bench, "purchase")
    receive(bench, "purchase", "T2")
    work(bench)
    bench.now.advance(DAY)
    receive(bench, "refund")
    work(bench)
    bench.now.advance(DAY)
    assert work(bench) == ["T1 refunded", "T2 thanks"]
    assert reason(bench) == "cancelled: invoice.refund came first (event 3)"


def test_a_refund_that_came_before_its_purchase_does_too(bench: Engine) -> None:
    receive(bench, "refund")
    work(bench)
    receive(bench, "purchase")
    work(bench)
    bench.now.advance(2 * DAY)
    assert work(bench) == ["T1 refunded"]
    assert reason(bench, 2) == "cancelled: invoice.refund came first (event 1)"


@pytest.mark.parametrize("address", [None, "", "ana.new@example.com", ["ana@example.com"]])
@pytest.mark.parametrize("order_of", [("purchase", "refund"), ("refund", "purchase")])
def test_a_refund_of_the_signed_transaction_counts_whoever_it_names(
    bench: Engine, order_of: tuple[str, str], address: Any
) -> None:
    """Addresses are corrected between a purchase and its refund, or are missing."""
    for each in order_of:
        receive(bench, each, **({"customer_email": address} if each == "refund" else {}))
        work(bench)
    bench.now.advance(2 * DAY)
    assert work(bench) == ["T1 refunded"]


@pytest.mark.parametrize("order_of", [("purchase", "refund"), ("refund", "purchase")])
def test_somebody_else_s_refund_of_another_transaction_does_not(
    bench: Engine, order_of: tuple[str, str]
) -> None:
    for each in order_of:
        if each == "refund":
            other = "mallory@example.com"
            receive(bench, each, "T2", customer_email=other, transaction_id="T1")
        else:
            receive(bench, each)
        work(bench)
    bench.now.advance(2 * DAY)
    assert work(bench)[-1] == "T1 thanks"


def test_without_unless_the_refund_has_the_last_word(bench: Engine) -> None:
    bench.write_rules(RULES.replace("UNLESS", ""))
    receive(bench, "purchase")
    receive(bench, "refund")
    work(bench)
    bench.now.advance(2 * DAY)
    assert work(bench) == ["T1 refunded", "T1 thanks", "T1 refunded"]


@pytest.mark.parametrize("change", ["removed", "renamed", "for each"])
def test_a_replay_calls_off_what_no_rule_plans_any_more(bench: Engine, change: str) -> None:
    receive(bench, "purchase")
    receive(bench, "purchase", "T2")
    work(bench)
    new = {
        "removed": RULES.replace("name: Thanks", "name: Thanks\n    enabled: false"),
        "renamed": RULES.replace("name: Thanks", "name: Thank you"),
        "for each": RULES.replace("    UNLESS", "    for_each: tickets\n    UNLESS"),
    }
    bench.write_rules(new[change].replace("UNLESS", UNLESS))
    with bench.database.write() as connection:
        replay_webhook(connection, 1)
    work(bench)
    reasons = [each.reason for each in bench.story(1).events[0].deliveries]
    assert any(str(each).startswith("cancelled: replayed, and rules ") for each in reasons)
    bench.now.advance(2 * DAY)
    sent = work(bench)
    assert sent.count("T1 thanks") == (1 if change == "renamed" else 0)
    # What nobody replays was decided when it came in.
    assert sent.count("T2 thanks") == 1


def test_what_comes_late_to_its_time_keeps_its_quiet_hours(bench: Engine) -> None:
    """Received at 22:13 in UTC, due two days later, but the clock stood until the night."""
    quiet = 'quiet_hours: {from: "23:00", to: "08:00"}'
    bench.write_rules(RULES.replace("UNLESS", quiet))
    receive(bench, "purchase")
    work(bench)
    bench.now.advance(2 * DAY + 3600)
    assert work(bench) == []
    assert bench.states() == {"scheduled": 1}
    bench.now.advance(8 * 3600)
    assert work(bench) == []
    bench.now.advance(3600)
    assert work(bench) == ["T1 thanks"]


def test_what_an_account_at_rest_has_not_taken_is_called_off(bench: Engine) -> None:
    receive(bench, "purchase")
    work(bench)
    with bench.database.write() as connection:
        accounts.halt(connection, "scripted", "refused", "f", bench.now())
    bench.now.advance(2 * DAY)
    assert work(bench) == []
    assert bench.states() == {"waiting": 1}
    receive(bench, "refund")
    work(bench)
    with bench.database.write() as connection:
        accounts.resume(connection, "scripted")
    assert work(bench) == ["T1 refunded"]


def test_a_replay_after_a_change_of_the_rules_takes_their_words(bench: Engine) -> None:
    receive(bench, "purchase")
    work(bench)
    bench.write_rules(RULES.replace("UNLESS", UNLESS).replace("thanks", "many thanks"))
    with bench.database.write() as connection:
        replay_webhook(connection, 1)
    work(bench)
    assert bench.states() == {"scheduled": 1}
    bench.now.advance(2 * DAY)
    assert work(bench) == ["T1 many thanks"]


def test_what_is_done_once_per_contact_is_done_for_the_first(bench: Engine) -> None:
    bench.write_rules(RULES.replace("UNLESS", "once_per: contact"))
    receive(bench, "purchase", "T1")
    receive(bench, "purchase", "T2")
    receive(bench, "purchase", "T3", customer_email="bo@example.com")
    work(bench)
    bench.now.advance(2 * DAY)
    assert work(bench) == ["T1 thanks", "T3 thanks"]
    assert (reason(bench, 2) or "").startswith("once per contact: event 1 did it on ")


def test_many_that_are_due_at_once_are_promoted_in_one_tick(bench: Engine) -> None:
    schedule(bench, 250)
    assert bench.states() == {"scheduled": 250}
    bench.now.advance(2 * DAY)
    bench.clock.elapsed = lambda: 0.0
    bench.clock.tick()
    assert bench.states() == {"waiting": 250}


def test_a_clock_that_has_been_away_long_lets_others_have_their_turn(bench: Engine) -> None:
    """Each tick takes so long at most, and the next goes on."""
    schedule(bench, 250)
    bench.now.advance(2 * DAY)
    times = iter(range(10**6))
    bench.clock.elapsed = lambda: float(next(times))
    bench.clock.tick()
    assert bench.states() == {"waiting": 100, "scheduled": 150}
    bench.clock.tick()
    bench.clock.tick()
    assert bench.states() == {"waiting": 250}


def schedule(bench: Engine, count: int) -> None:
    for number in range(count):
        receive(bench, "purchase", f"T{number}")
    while bench.states().get("scheduled", 0) < count:
        work(bench)


def test_one_that_cannot_be_promoted_keeps_back_no_other(
    bench: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        receive(bench, "purchase", f"T{number}")
    work(bench)
    broken = tables.events.c.webhook == 2
    with bench.database.write() as connection:
        connection.execute(update(tables.events).where(broken).values(begins=7))
    bench.now.advance(2 * DAY)
    with caplog.at_level(logging.ERROR):
        assert sorted(work(bench)) == ["T0 thanks", "T2 thanks"]
    assert "cannot be promoted" in caplog.text
    assert bench.states() == {"delivered": 2, "scheduled": 1}


def test_a_clock_that_stands_by_promotes_nothing(bench: Engine) -> None:
    receive(bench, "purchase")
    work(bench)
    bench.clock.leave()
    other = Clock(bench.database, bench.queue, bench.turns.waker, lambda _: False, bench.now)
    bench.now.advance(2 * DAY - 1)
    other.tick()
    bench.now.advance(1)
    bench.clock.tick()
    assert bench.states() == {"scheduled": 1}
    other.tick()
    assert bench.states() == {"waiting": 1}


class Dying(Database):
    """Its server is killed at the end of one transaction, just before it is kept."""

    until: int = 10**6

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
            self.until -= 1
            if self.until == 0:
                raise LedgerUnavailable("killed")


@pytest.fixture
def dying(database_url: str) -> Iterator[Dying]:
    made = Dying(database_url, keeps_time=False)
    yield made
    made.close()


@pytest.mark.parametrize("until", [1, 2, 3])
def test_killed_while_a_refund_is_routed_it_calls_off_once_or_not_yet(
    bench: Engine, dying: Dying, until: int
) -> None:
    receive(bench, "purchase")
    work(bench)
    receive(bench, "refund")
    whole, bench.turns.database, dying.until = bench.database, dying, until
    work(bench)
    bench.turns.database = whole
    bench.now.advance(60)
    work(bench)
    bench.now.advance(2 * DAY)
    assert work(bench) == ["T1 refunded"]
    assert bench.states() == {"suppressed": 1, "delivered": 1}


@pytest.mark.parametrize("until", [1, 2, 3])
def test_killed_while_what_is_done_once_is_planned_it_is_done_once(
    bench: Engine, dying: Dying, until: int
) -> None:
    bench.write_rules(RULES.replace("UNLESS", "once_per: contact"))
    receive(bench, "purchase", "T1")
    whole, bench.turns.database, dying.until = bench.database, dying, until
    work(bench)
    bench.turns.database = whole
    bench.now.advance(60)
    receive(bench, "purchase", "T2")
    work(bench)
    bench.now.advance(2 * DAY)
    assert work(bench) == ["T1 thanks"]


@pytest.mark.parametrize("until", [1, 2])
def test_a_clock_killed_while_it_promotes_has_promoted_or_not(
    bench: Engine, dying: Dying, until: int
) -> None:
    receive(bench, "purchase")
    work(bench)
    bench.now.advance(2 * DAY)
    bench.clock.leave()
    whole, bench.clock.database, dying.until = bench.database, dying, until
    work(bench)
    assert bench.states() == {"scheduled": 1}
    bench.clock.database = whole
    bench.now.advance(60)
    assert work(bench) == ["T1 thanks"]
    bench.now.advance(60)
    assert work(bench) == ["T1 thanks"]
