"""An account to which nothing gets through for long is an alert, until something does."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import pytest

from bridge.connector import Delivered, Halted, Outcome, Retry
from bridge.engine.backoff import Patience
from bridge.engine.drain import Drain
from bridge.engine.lease import Lease
from bridge.engine.outages import RENEW_SECONDS, Outages
from bridge.ledger import accounts, lanes
from bridge.ledger.alerts import Alert, note_told, open_alerts, to_tell
from bridge.ledger.database import Database
from tests.conftest import Now
from tests.engine.scripted import Script, destination, patience
from tests.ledger.records import delivery, plan_all

LANE = "scripted.send"
AWAY = Retry("the vendor is away", whole_account=True)


@dataclass
class Outage:
    """One account, its vendor, and the clock that looks on."""

    database: Database
    now: Now
    script: Script = field(default_factory=Script)
    planned: int = 0
    patience: Patience = field(default_factory=lambda: patience(max_age=inf, attempts=10_000))

    def __post_init__(self) -> None:
        self.outages = Outages(self.database, ["scripted"], 900.0, self.now)

    def plan(self, count: int) -> None:
        names = [f"{self.planned + number}" for number in range(count)]
        self.planned += count
        owed = [
            delivery(name, lane=LANE, account="scripted", action="send", item={"text": name})
            for name in names
        ]
        plan_all(self.database, owed, self.now())

    def drain(self, *answers: Outcome | Halted) -> None:
        self.script.answers = list(answers)
        with self.database.write() as connection:
            lanes.wake(connection, LANE, "job", self.now())
            assert lanes.take(connection, LANE, "turn", self.now(), 30.0)
        with Lease(self.database, LANE, "turn", 30.0, self.now, self.now(), self.now) as lease:
            drain = Drain(self.database, destination(self.script), self.patience, self.now, 60.0)
            drain.run(lease, lambda: False)

    def goes_on(self, minutes: int, *answers: Outcome) -> None:
        """A try each minute, which is longer than each rest."""
        for _ in range(minutes):
            self.drain(*(answers or [AWAY] * 10))
            self.look()
            self.now.advance(61)

    def look(self) -> list[Alert]:
        self.outages.look()
        with self.database.read() as connection:
            return open_alerts(connection)


@pytest.fixture
def outage(database: Database, now: Now) -> Outage:
    found = Outage(database, now)
    found.plan(2)
    return found


def test_nothing_taken_for_a_quarter_of_an_hour_is_one_alert(outage: Outage) -> None:
    outage.goes_on(14)
    assert outage.look() == []
    outage.goes_on(16)
    (alert,) = outage.look()
    assert (alert.kind, alert.subject, alert.count) == ("resting", "scripted", 1)
    assert alert.first_at == 1_700_000_000.0
    assert alert.text.startswith(
        "Nothing has got through to the account scripted since 2023-11-14 22:13 UTC: "
        "the vendor is away. 2 deliveries wait for it."
    )


def test_one_long_rest_is_an_alert_while_it_lasts(outage: Outage) -> None:
    outage.drain(Retry("too many calls", 3000.0, whole_account=True), AWAY)
    outage.now.advance(899)
    assert outage.look() == []
    outage.now.advance(1)
    assert len(outage.look()) == 1


def test_the_first_success_ends_it_and_who_was_told_is_told(outage: Outage) -> None:
    outage.goes_on(20)
    told = outage.look()
    with outage.database.write() as connection:
        note_told(connection, told, outage.now())
    outage.drain()
    assert outage.look() == []
    with outage.database.read() as connection:
        assert [each.over for each in to_tell(connection, outage.now(), 86400.0)] == [True]


def test_a_vendor_that_takes_some_and_then_no_more_is_none(outage: Outage) -> None:
    outage.plan(40)
    outage.goes_on(30, Delivered(), AWAY, *[AWAY] * 8)
    assert outage.look() == []


def test_a_rest_that_began_with_a_success_ends_it_too(outage: Outage) -> None:
    outage.goes_on(20)
    assert len(outage.look()) == 1
    with outage.database.write() as connection:
        until = outage.now() + 60
        accounts.rest(connection, "scripted", "limit", until, outage.now(), reached=True)
    assert outage.look() == []


def test_a_success_of_another_call_during_a_rest_counts(outage: Outage) -> None:
    outage.goes_on(20)
    outage.drain(AWAY, AWAY)
    assert len(outage.look()) == 1
    with outage.database.write() as connection:
        accounts.note_success(connection, "scripted", "f", outage.now())
        known = accounts.standing(connection, "scripted")
    assert known is not None
    assert known.rest_until > outage.now()
    assert outage.look() == []
    outage.goes_on(14)
    assert outage.look() == []


def test_a_rest_says_nothing_of_the_quiet_hours_before_it(outage: Outage) -> None:
    outage.drain(AWAY, AWAY)
    outage.now.advance(6 * 3600)
    outage.drain(AWAY, AWAY)
    assert outage.look() == []


def test_after_a_rest_with_nothing_to_send_nobody_is_worried(outage: Outage) -> None:
    outage.drain(AWAY, AWAY)
    outage.now.advance(3600)
    assert outage.look() == []


def test_a_halt_takes_its_place(outage: Outage) -> None:
    outage.goes_on(20)
    with outage.database.write() as connection:
        note_told(connection, open_alerts(connection), outage.now())
    outage.drain(Halted("token revoked"))
    assert [alert.kind for alert in outage.look()] == ["halted"]
    with outage.database.read() as connection:
        assert not any(each.over for each in to_tell(connection, outage.now(), 86400.0))


def test_resuming_ends_it(outage: Outage) -> None:
    outage.goes_on(20)
    with outage.database.write() as connection:
        accounts.resume(connection, "scripted")
    assert outage.look() == []


def test_its_numbers_are_renewed_each_hour_and_it_stays_one_alert(outage: Outage) -> None:
    outage.goes_on(20)
    outage.plan(3)
    assert "2 deliveries" in outage.look()[0].text
    outage.now.advance(RENEW_SECONDS)
    outage.goes_on(20)
    (alert,) = outage.look()
    assert "since 2023-11-14 22:13 UTC" in alert.text
    assert "5 deliveries wait" in alert.text
    assert alert.count == 1


def test_an_account_that_is_not_configured_any_more_is_let_be(outage: Outage) -> None:
    outage.goes_on(20)
    assert len(outage.look()) == 1
    outage.outages = Outages(outage.database, [], 900.0, outage.now)
    assert outage.look() == []
