"""Decisions are kept: each once, on its own words, and longer than deliveries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from bridge.ledger import consents
from bridge.ledger.consents import Consent
from bridge.ledger.database import Database
from bridge.ledger.owed import owe
from bridge.ledger.plan import Plan, PlannedConsent, PlannedDelivery, record, waiting
from bridge.ledger.prune import drop_records
from bridge.ledger.tables import deliveries
from bridge.settings import RetentionConfig
from tests.ledger.records import accept, arrival, delivery, plan

ANA = "ana@example.com"
YES = PlannedConsent(ANA, "subscribe", flag=True, wording="2026-01")
LEAVES = PlannedConsent(ANA, "unsubscribe", flag=None, wording=None)


def keep(database: Database, owed: PlannedDelivery, key: str = "key-1", **changes: Any) -> int:
    accept(database, arrival(key))
    with database.write() as connection:
        number = waiting(connection, 1)[0].number
        record(connection, [replace(plan(number, owed), **changes)], 10.0)
    return number


def of_ana(database: Database) -> list[Consent]:
    with database.read() as connection:
        return consents.of_person(connection, ANA.upper())


def test_the_same_plan_twice_is_one_decision(database: Database) -> None:
    number = keep(database, delivery("d", consent=YES))
    with database.write() as connection:
        record(connection, [plan(number, delivery("d", consent=YES))], 99.0)
    (found,) = of_ana(database)
    assert (found.decided_at, found.flag, found.wording) == (10.0, True, "2026-01")


@pytest.mark.parametrize(("state", "wording"), [("delivered", "2026-01"), ("dead", "2026-02")])
def test_a_replay_decides_anew_only_what_did_not_arrive(
    database: Database, state: str, wording: str
) -> None:
    number = keep(database, delivery("d", consent=YES))
    with database.write() as connection:
        connection.execute(update(deliveries).values(state=state))
    keep(database, delivery("other", consent=replace(YES, address="ben@example.com")), "other")
    with database.write() as connection:
        again = delivery("d", consent=replace(YES, wording="2026-02"))
        record(connection, [plan(number, again, replayed=True)], 99.0)
    assert [each.wording for each in of_ana(database)] == [wording]


def test_what_is_done_once_more_is_the_last_decision(database: Database) -> None:
    """A refund that came before its purchase takes the person off behind it."""
    keep(database, delivery("refund", consent=LEAVES), "refund")
    number = keep(database, delivery("purchase", consent=YES), "purchase")
    again = delivery("again", repeats="refund", place=1)
    with database.write() as connection:
        owe(connection, Plan(number, "routed", "v1", deliveries=[again]), 20.0)
    decided = [each.decision for each in of_ana(database)]
    assert decided == ["unsubscribe", "subscribe", "unsubscribe"]


def test_what_is_sent_again_after_its_record_is_gone_is_another_decision(
    database: Database,
) -> None:
    keep(database, delivery("d", consent=replace(YES, flag=False), state="suppressed"))
    with database.write() as connection:
        assert drop_records(connection, 1e9, RetentionConfig(1.0, 1.0), 0, 10).count == 1
    keep(database, delivery("d", consent=YES))
    with database.write() as connection:
        connection.execute(update(deliveries).values(state="delivered", settled_at=20.0))
        assert drop_records(connection, 2e9, RetentionConfig(1.0, 1.0), 0, 10).count == 1
    ended = [(each.flag, each.outcome) for each in of_ana(database)]
    assert ended == [(False, "suppressed"), (True, "delivered")]


def test_everybody_is_read_a_portion_at_a_time(database: Database) -> None:
    for number in range(5):
        keep(database, delivery(f"d{number}", consent=YES), f"key-{number}")
    with database.read() as connection:
        first = consents.after(connection, 0, 3)
        rest = consents.after(connection, first[-1].number, 3)
    assert (len(first), len(rest)) == (3, 2)


def test_an_address_of_any_length_is_found_again(database: Database) -> None:
    long = f"{'a' * 400}@example.com"
    keep(database, delivery("d", consent=replace(YES, address=consents.stored(long))))
    with database.read() as connection:
        assert len(consents.of_person(connection, long)) == 1
