"""Many refusals of one source are one alert, which costs a stranger nothing to try to abuse."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bridge.ledger.alerts import Alert, open_alerts
from bridge.ledger.database import Database
from bridge.web.refusals import (
    FEWEST,
    MANY,
    MANY_SECONDS,
    QUIET_SECONDS,
    TELL_SECONDS,
    RefusedSources,
    end_refused,
)
from tests.conftest import Now
from tests.ledger.records import accept, arrival
from tests.web.conftest import Receiver, purchase

MISMATCH = "signature-mismatch"


@pytest.fixture
def refused(now: Now) -> RefusedSources:
    return RefusedSources(now)


def alerts(database: Database) -> list[Alert]:
    with database.read() as connection:
        return [each for each in open_alerts(connection) if each.kind == "refused"]


def refuse(refused: RefusedSources, count: int = FEWEST, source: str = "showpass") -> None:
    for _ in range(count):
        refused.refused(source, "signature", MISMATCH)


def test_where_none_is_taken_a_few_refusals_are_told(
    refused: RefusedSources, database: Database, now: Now
) -> None:
    """https://github.com/webhookdb/webhookdb/issues/896"""
    refuse(refused, FEWEST - 1)
    refused.look(database)
    assert alerts(database) == []
    refuse(refused, 1)
    refused.look(database)
    (alert,) = alerts(database)
    assert (alert.subject, alert.count) == ("showpass: signature", FEWEST)
    assert "wrong or lost secret" in alert.text
    assert "and none was taken" in alert.text


def test_a_secret_that_was_changed_at_the_sender_is_told_within_a_minute(
    refused: RefusedSources, database: Database, now: Now
) -> None:
    """https://github.com/wso2/labs-agentic-engineer/issues/421"""
    accept(database, arrival(at=now()))
    refused.taken("showpass")
    now.advance(1)
    refuse(refused)
    refused.look(database)
    assert alerts(database) == []
    now.advance(QUIET_SECONDS)
    refused.look(database)
    (alert,) = alerts(database)
    assert "the last one was taken at 2023-11-14 22:13:20 UTC" in alert.text


def test_a_stranger_among_genuine_webhooks_raises_no_alarm(
    refused: RefusedSources, database: Database, now: Now
) -> None:
    for _ in range(10):
        refuse(refused, FEWEST)
        refused.taken("showpass")
        now.advance(5)
        refused.look(database)
        now.advance(60)
        refused.look(database)
    assert alerts(database) == []


def test_many_among_genuine_ones_are_told_as_what_they_are(
    refused: RefusedSources, database: Database, now: Now
) -> None:
    refuse(refused, MANY)
    now.advance(1)
    accept(database, arrival(at=now()))
    refused.taken("showpass")
    refused.look(database)
    assert "strangers may be trying" in alerts(database)[0].text


def test_what_another_web_process_takes_is_no_outage(
    refused: RefusedSources, database: Database, now: Now
) -> None:
    refuse(refused)
    now.advance(1)
    accept(database, arrival(at=now()))
    refused.look(database)
    assert alerts(database) == []


def test_a_secret_that_is_lost_later_is_told_although_another_process_took_some_before(
    refused: RefusedSources, database: Database, now: Now
) -> None:
    refuse(refused, 1)
    now.advance(60)
    accept(database, arrival(at=now()))
    for _ in range(3):
        now.advance(60)
        refuse(refused, FEWEST)
        refused.look(database)
    assert [alert.subject for alert in alerts(database)] == ["showpass: signature"]


def test_a_flood_is_one_alert_and_a_write_a_minute(
    refused: RefusedSources, database: Database, now: Now
) -> None:
    counts = []
    for _ in range(120):
        refuse(refused, 1_000)
        refused.look(database)
        counts.append(alerts(database)[0].count)
        now.advance(1)
    assert len(alerts(database)) == 1
    assert sum(before != after for before, after in pairwise(counts)) <= 120 / TELL_SECONDS


def test_it_ends_when_one_is_taken_and_none_is_refused_for_a_while(
    refused: RefusedSources, database: Database, now: Now
) -> None:
    refuse(refused)
    refused.look(database)
    now.advance(10)
    accept(database, arrival(at=now()))
    end_refused(database, now())
    assert len(alerts(database)) == 1
    now.advance(MANY_SECONDS)
    end_refused(database, now())
    assert alerts(database) == []


def test_it_does_not_end_because_nobody_sends_any_more(
    refused: RefusedSources, database: Database, now: Now
) -> None:
    refuse(refused)
    refused.look(database)
    now.advance(10 * MANY_SECONDS)
    end_refused(database, now())
    assert len(alerts(database)) == 1


def test_the_receiver_counts_by_source_and_says_what_is_likely(receiver: Receiver) -> None:
    for _ in range(FEWEST):
        receiver.post("showpass", purchase(), {"X-SHOWPASS-SIGNATURE": "0" * 40})
        receiver.post("showpad", b"{}", {})
        # Neither who may not send on purpose nor what is no source.
        receiver.post("nobody", b"{}", {})
        receiver.post("elsewhere", b"{}", {})
    standby = receiver.client.application.extensions["standby"]
    standby.refused.look(receiver.database)
    found = {each.subject for each in alerts(receiver.database)}
    assert found == {"showpass: signature", "showpad: signature"}
