"""The alerts of what waits: raised once, renewed, ended, whoever looks; on both databases."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from redis import Redis

from bridge.engine.heartbeat import beat
from bridge.engine.lookout import Lookout
from bridge.engine.notify import LEDGER_SECONDS, Notifier
from bridge.engine.queue import LaneQueue
from bridge.engine.unrouted import FEWEST, Unrouted
from bridge.engine.watchdog import Watchdog
from bridge.ledger import accounts, offices
from bridge.ledger.alerts import Alert, clear_seen, note_told, open_alerts, to_tell
from bridge.ledger.database import Database
from bridge.ledger.plan import Plan, PlannedEvent, record, waiting
from bridge.ledger.waiting import heads, oldest
from bridge.web.refusals import RefusedSources
from bridge.web.standby import MISSED_SECONDS, Standby
from tests.conftest import Now
from tests.engine.test_heartbeat import KEY
from tests.ledger.records import LANE, accept, arrival, delivery, plan_all

DAY = 86400.0


@dataclass
class Post:
    """A lookout whose time is the test's."""

    database: Database
    redis: Redis
    now: Now
    lookout: Lookout

    def look(self, seconds: int) -> None:
        """So long, with a worker that is heard of."""
        for _ in range(0, seconds, 3):
            beat(self.redis, KEY)
            self.now.advance(3)
            self.lookout.look()

    def alerts(self) -> list[Alert]:
        with self.database.read() as connection:
            return open_alerts(connection)

    def kinds(self) -> list[tuple[str, str]]:
        return [(each.kind, each.subject) for each in self.alerts()]


def lookout(database: Database, redis: Redis, now: Now, *, clock: bool = True) -> Lookout:
    unrouted = Unrouted(database, ["showpass"], DAY, now)
    return Lookout(database, LaneQueue(redis), Watchdog(30.0), unrouted, now, clock, now)


@pytest.fixture
def post(database: Database, redis: Redis, now: Now) -> Post:
    return Post(database, redis, now, lookout(database, redis, now))


def test_what_nobody_gets_on_with_is_told_once_and_its_end_too(post: Post) -> None:
    accept(post.database, arrival(at=post.now()))
    post.look(60)
    (alert,) = post.alerts()
    assert (alert.kind, alert.subject, alert.count) == ("waiting", "the inbox", 1)
    with post.database.write() as connection:
        note_told(connection, [alert], post.now())
        record(connection, [Plan(1, "unrouted", "v1")], post.now())
    post.look(6)
    assert post.alerts() == []
    with post.database.read() as connection:
        (over,) = to_tell(connection, post.now(), DAY)
    assert over.over


def test_its_numbers_are_renewed_without_being_told_again(post: Post) -> None:
    accept(post.database, arrival(at=post.now()))
    post.look(60)
    accept(post.database, *(arrival(f"more-{n}", at=post.now()) for n in range(9)))
    post.look(400)
    (alert,) = post.alerts()
    assert (alert.count, "10 webhooks to go" in alert.text) == (1, True)


def test_deliveries_that_wait_on_purpose_are_no_alert(post: Post) -> None:
    now = post.now()
    later = delivery("b", lane="hubspot.upsert_contact", account="hubspot", due_at=now + 900)
    plan_all(post.database, [delivery("a"), later], now)
    with post.database.write() as connection:
        accounts.rest(connection, "slack", "its limit", now + 600, now)
    post.look(120)
    assert post.kinds() == []
    with post.database.read() as connection:
        assert oldest(connection, post.now()) == []


def test_when_a_rest_is_over_its_time_begins_anew(post: Post) -> None:
    now = post.now()
    plan_all(post.database, [delivery("a")], now)
    with post.database.write() as connection:
        accounts.rest(connection, "slack", "its limit", now + 60, now)
    post.look(75)
    assert post.kinds() == []
    post.look(30)
    assert post.kinds() == [("waiting", "slack")]


def test_what_comes_first_is_found_in_each_lane(database: Database) -> None:
    plan_all(database, [delivery("a"), delivery("b"), delivery("c", lane="email.send")], 10.0)
    accept(database, arrival("new", at=12.0))
    with database.read() as connection:
        found = {each.lane: each for each in heads(connection, 100.0)}
        ages = {each.account: each.since for each in oldest(connection, 100.0)}
    assert set(found) == {"inbox", "email.send", LANE}
    assert found[LANE].mark == "a:0/"
    assert ages == {"": 12.0, "email": 10.0, "slack": 10.0}


def test_a_source_for_which_no_rule_does_anything_is_told_until_one_does(post: Post) -> None:
    def route(count: int, state: str) -> None:
        accept(post.database, *(arrival(f"{post.now()}-{n}", at=post.now()) for n in range(count)))
        with post.database.write() as connection:
            plans = [
                Plan(each.number, state, "v1", events=[PlannedEvent(1, "x", None, [], [])])
                for each in waiting(connection, 100)
            ]
            record(connection, plans, post.now())

    route(FEWEST - 1, "unrouted")
    post.look(6)
    assert post.kinds() == []
    route(1, "unrouted")
    post.look(6)
    assert post.kinds() == [("unrouted", "showpass")]
    assert f"showbridge why {FEWEST}" in post.alerts()[0].text
    with post.database.write() as connection:
        clear_seen(connection, open_alerts(connection))
    route(5, "unrouted")
    post.look(6)
    assert post.kinds() == [], "what was seen is left alone for a day"
    route(1, "routed")
    post.look(6)
    post.now.advance(2 * DAY)
    route(5, "unrouted")
    post.look(6)
    assert post.kinds() == [], "one of the newest was routed"


def test_while_no_clock_runs_one_web_process_watches_in_its_place(
    database: Database, redis: Redis, now: Now
) -> None:
    told: list[str] = []

    class Letters:
        name, account = "letters", None

        def tell(self, subject: str, text: str) -> str:
            told.append(text)
            return ""

    def make() -> tuple[Lookout, Notifier]:
        watching = lookout(database, redis, now, clock=False)
        return watching, Notifier(database, [Letters()], DAY, now, now)

    standbys = [Standby(database, RefusedSources(now), make, now, now) for _ in range(2)]
    for _ in range(30):
        beat(redis, KEY)
        now.advance(2)
        for each in standbys:
            each.look()
    assert len(told) == 1
    assert "No clock runs" in told[0]
    with database.write() as connection:
        offices.hold(connection, offices.CLOCK, "a clock", now(), 60.0)
    made = sum(each._made is not None for each in standbys)
    for each in standbys:
        each.look()
    assert (made, [each._made for each in standbys]) == (1, [None, None])
    assert MISSED_SECONDS > 5.0


def test_a_ledger_that_takes_no_writes_is_told_without_it_once_each_time(now: Now) -> None:
    told: list[str] = []

    class Letters:
        name, account = "letters", None

        def tell(self, subject: str, text: str) -> str:
            told.append(subject)
            return ""

    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    notifier = Notifier(away, [Letters()], DAY, now, now, machine="tickets-1")
    for _ in range(60):
        notifier.tell_of_ledger(away=True)
        now.advance(2)
    assert told == ["Showbridge on tickets-1: ledger"]
    notifier.tell_of_ledger(away=False)
    notifier.tell_of_ledger(away=False)
    assert told[1:] == ["Showbridge on tickets-1: the ledger works again"]
    notifier.tell_of_ledger(away=True)
    now.advance(LEDGER_SECONDS - 1)
    notifier.tell_of_ledger(away=True)
    notifier.tell_of_ledger(away=False)
    assert len(told) == 2
