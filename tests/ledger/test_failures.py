"""Rejected and dead deliveries are alerts: one for each action and reason until all are handled."""

from __future__ import annotations

from bridge.ledger.alerts import Alert, clear_seen, open_alerts, to_tell
from bridge.ledger.claim import recover
from bridge.ledger.database import Database
from bridge.ledger.failures import forget_handled
from bridge.ledger.plan import record
from bridge.ledger.replay import replay_deliveries, replay_webhook
from tests.ledger.records import LANE, accept, arrival, delivery, plan, plan_all
from tests.ledger.test_deliveries import NOW, end, take

NO_CHANNEL = "Slack knows no such channel (channel_not_found), request {}: is it spelled right?"


def alerts(database: Database) -> list[Alert]:
    with database.read() as connection:
        return sorted(open_alerts(connection), key=lambda alert: alert.subject)


def handled(database: Database) -> int:
    with database.write() as connection:
        return forget_handled(connection)


def fail(database: Database, *names: str, state: str = "rejected", reason: str = "") -> None:
    plan_all(database, [delivery(name) for name in names])
    for each in take(database):
        number = f"{hash(each.id) % 10**9 + 10**9}"
        end(database, each, state, reason=reason or NO_CHANNEL.format(number))


def test_many_rejections_for_one_reason_are_one_alert_that_counts(database: Database) -> None:
    fail(database, "a", "b", "c")
    (alert,) = alerts(database)
    assert (alert.kind, alert.count, alert.last_at) == ("rejected", 3, NOW)
    assert "slack.post_message" in alert.text
    assert "channel_not_found" in alert.text
    assert "showbridge dead --rejected" in alert.text
    with database.read() as connection:
        assert to_tell(connection, NOW, 86400.0) == [alert]


def test_another_reason_is_another_alert(database: Database) -> None:
    fail(database, "a")
    fail(database, "b", reason="the text is too long")
    fail(database, "c", state="dead", reason="gave up after 12 attempts: Slack is away (503)")
    assert [(each.kind, each.count) for each in alerts(database)] == [
        ("rejected", 1),
        ("dead", 1),
        ("rejected", 1),
    ]


def test_what_a_rule_could_not_fill_in_is_told_too(database: Database) -> None:
    accept(database, arrival())
    rejected = delivery("a", state="rejected", reason="order.tax is unknown")
    for later in range(2):
        with database.write() as connection:
            record(connection, [plan(1, rejected)], NOW + later)
    (alert,) = alerts(database)
    assert "order.tax is unknown" in alert.text
    assert alert.count == 1, "the second time nothing was planned that was not there"


def test_a_delivery_that_killed_its_workers_is_told(database: Database) -> None:
    plan_all(database, [delivery("a")])
    for number in range(3):
        take(database, turn=f"dead-{number}")
        with database.write() as connection:
            recover(connection, LANE, 3, 0.0, NOW)
    (alert,) = alerts(database)
    assert (alert.kind, alert.count) == ("dead", 1)


def test_the_alert_ends_when_the_last_of_them_was_replayed(database: Database) -> None:
    fail(database, "a", "b")
    for name, closed in (("a", 0), ("b", 1)):
        with database.write() as connection:
            replay_deliveries(connection, [name], NOW + 1, lambda _: False)
        assert handled(database) == closed
    assert alerts(database) == []


def test_what_is_planned_afresh_by_a_replay_ends_it_too(database: Database) -> None:
    fail(database, "a")
    with database.write() as connection:
        replay_webhook(connection, 1)
        record(connection, [plan(1, delivery("a"), replayed=True)], NOW + 1)
    assert handled(database) == 1


def test_what_was_seen_is_no_alert_until_it_happens_again(database: Database) -> None:
    fail(database, "a")
    with database.write() as connection:
        clear_seen(connection, open_alerts(connection))
    assert handled(database) == 0
    assert alerts(database) == []
    fail(database, "b")
    assert [each.count for each in alerts(database)] == [1]
