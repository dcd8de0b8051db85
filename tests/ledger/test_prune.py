"""What is old and finished goes, bodies first; what somebody may still need stays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from bridge.engine.housekeeping import Housekeeping
from bridge.ledger import books, prune, shrink
from bridge.ledger.accept import Acceptance
from bridge.ledger.claim import Batch, claim
from bridge.ledger.database import Database
from bridge.ledger.migrate import migrate
from bridge.ledger.plan import Plan, record
from bridge.ledger.replay import replay_webhook
from bridge.ledger.settle import Settlement, settle
from bridge.ledger.stories import story
from bridge.ledger.tables import deliveries, endings, webhooks
from bridge.ledger.verify import verify
from bridge.settings import RetentionConfig
from tests.conftest import Now
from tests.ledger.records import LANE, accept, arrival, delivery, plan, plan_all

DAY = 86400.0
RETENTION = RetentionConfig(bodies_seconds=90 * DAY, finished_seconds=400 * DAY)


def settled(database: Database, name: str, state: str, at: float) -> None:
    """A webhook of its own for the delivery, planned and ended at that time."""
    plan_all(database, [delivery(name)], at)
    with database.write() as connection:
        taken = claim(connection, LANE, "turn", 100, Batch, at).deliveries
        ends = [
            Settlement(each.webhook, each.id, each.attempt, state, state, at, 1) for each in taken
        ]
        settle(connection, ends, "turn", at)


def empty_bodies(database: Database, now: float, after: int = 0, limit: int = 100) -> int:
    with database.write() as connection:
        return prune.empty_bodies(connection, now, RETENTION, after, limit).count


def drop_records(database: Database, now: float, after: int = 0, limit: int = 100) -> int:
    with database.write() as connection:
        return prune.drop_records(connection, now, RETENTION, after, limit).count


def numbers(database: Database) -> list[int]:
    with database.read() as connection:
        query = select(webhooks.c.number).order_by(webhooks.c.number)
        return list(connection.execute(query).scalars())


def is_right(database: Database) -> bool:
    with database.snapshot() as connection:
        verdict = verify(connection, lambda _done, _total: None)
    assert verdict.is_right, verdict
    return verdict.is_right


def test_a_body_goes_when_all_has_been_done_for_long_enough(database: Database) -> None:
    settled(database, "a", "delivered", 10 * DAY)
    assert empty_bodies(database, 99 * DAY) == 0
    assert empty_bodies(database, 101 * DAY) == 1
    assert empty_bodies(database, 102 * DAY) == 0
    with database.read() as connection:
        found = story(connection, 1)
        assert found is not None
        assert (found.body, found.headers) == (b"", {})
        assert prune.pruned_at(connection, 1) == 101 * DAY
        assert len(found.events[0].deliveries[0].attempts) == 1
    assert is_right(database)


def test_a_redelivery_of_a_pruned_webhook_is_still_recognised(database: Database) -> None:
    settled(database, "a", "delivered", 10 * DAY)
    empty_bodies(database, 101 * DAY)
    assert accept(database, arrival("for-a")) == [Acceptance.DUPLICATE]
    # Whether the contents differ cannot be told any more.
    assert accept(database, arrival("for-a", fingerprint="other")) == [Acceptance.DUPLICATE]
    assert numbers(database) == [1]


def test_a_pruned_webhook_cannot_be_replayed(database: Database) -> None:
    settled(database, "a", "delivered", 10 * DAY)
    empty_bodies(database, 101 * DAY)
    with database.write() as connection:
        assert not replay_webhook(connection, 1)
        assert connection.execute(select(webhooks.c.state)).scalar_one() == "routed"


def test_the_whole_record_goes_much_later(database: Database) -> None:
    settled(database, "a", "delivered", 10 * DAY)
    settled(database, "b", "delivered", 20 * DAY)
    assert drop_records(database, 409 * DAY) == 0
    assert drop_records(database, 411 * DAY) == 1
    assert numbers(database) == [2]
    with database.read() as connection:
        balance = books.books(connection)
        assert (balance.webhooks.pruned, balance.deliveries.pruned) == (1, 1)
    assert is_right(database)


@pytest.mark.parametrize("state", ["waiting", "sending", "dead"])
def test_what_is_not_done_stays_with_its_body(database: Database, state: str) -> None:
    settled(database, "a", "delivered", 10 * DAY)
    accept(database, arrival("two"))
    with database.write() as connection:
        record(connection, [plan(2, delivery("b"), delivery("c", place=1))], 10 * DAY)
        ends = {"state": state, "settled_at": 10 * DAY if state == "dead" else None}
        connection.execute(update(deliveries).where(deliveries.c.id == "b").values(**ends))
        done = {"state": "suppressed", "settled_at": 10 * DAY}
        connection.execute(update(deliveries).where(deliveries.c.id == "c").values(**done))
    assert empty_bodies(database, 900 * DAY) == 1
    assert drop_records(database, 900 * DAY) == 1
    assert numbers(database) == [2]


def test_what_is_kept_aside_or_not_routed_stays(database: Database) -> None:
    accept(database, arrival("a", quarantine="stale-timestamp"), arrival("b"))
    assert empty_bodies(database, 900 * DAY) == 0
    assert drop_records(database, 900 * DAY) == 0
    assert numbers(database) == [1, 2]


def test_what_no_rule_matched_goes_by_when_it_was_routed(database: Database) -> None:
    accept(database, arrival())
    with database.write() as connection:
        planned = plan(1)
        unrouted = Plan(1, "unrouted", "v1", events=planned.events)
        record(connection, [unrouted], 10 * DAY)
    assert empty_bodies(database, 99 * DAY) == 0
    assert empty_bodies(database, 101 * DAY) == 1
    assert drop_records(database, 411 * DAY) == 1


def test_what_was_done_again_counts_from_then(database: Database) -> None:
    settled(database, "a", "delivered", 10 * DAY)
    with database.write() as connection:
        connection.execute(update(deliveries).values(settled_at=300 * DAY))
    assert empty_bodies(database, 301 * DAY) == 0
    assert drop_records(database, 500 * DAY) == 0
    assert drop_records(database, 701 * DAY) == 1


def test_never_is_never(database: Database) -> None:
    settled(database, "a", "delivered", 10 * DAY)
    never = RetentionConfig(math.inf, math.inf)
    with database.write() as connection:
        assert prune.empty_bodies(connection, 9e9, never, 0, 10).count == 0
        assert prune.drop_records(connection, 9e9, never, 0, 10).count == 0


def test_portions_go_on_after_what_stays(database: Database) -> None:
    states = ["dead", "dead", "delivered", "dead", "delivered"]
    for number, state in enumerate(states):
        settled(database, str(number), state, 10 * DAY)
    seen: list[tuple[int, int | None]] = []
    after: int | None = 0
    while after is not None:
        with database.write() as connection:
            done = prune.drop_records(connection, 900 * DAY, RETENTION, after, 2)
        seen.append((done.count, done.after))
        after = done.after
    assert seen == [(0, 2), (1, 4), (1, None)]
    assert numbers(database) == [1, 2, 4]


@pytest.fixture
def keeping(database: Database, now: Now) -> Housekeeping:
    """Its own time stands still, so that every portion takes none."""
    return Housekeeping(database, RETENTION, now, elapsed=now)


def test_a_round_prunes_all_that_is_old_and_then_rests(
    database: Database, keeping: Housekeeping, now: Now
) -> None:
    for number in range(50):
        settled(database, str(number), "delivered", now() - 100 * DAY)
    plan_all(database, [delivery("open")], now() - 100 * DAY)
    for _ in range(20):
        keeping.tick()
    with database.read() as connection:
        bodies = select(webhooks.c.number).where(webhooks.c.body != b"")
        assert list(connection.execute(bodies).scalars()) == [51]
    settled(database, "another", "delivered", now() - 100 * DAY)
    for _ in range(20):
        keeping.tick()
    with database.read() as connection:
        assert prune.pruned_at(connection, 52) is None
    now.advance(3600)
    keeping.tick()
    with database.read() as connection:
        assert prune.pruned_at(connection, 52) is not None


def test_old_endings_are_forgotten(database: Database, keeping: Housekeeping, now: Now) -> None:
    row = {"webhook": 1, "position": 1}
    with database.write() as connection:
        for matter, age in (("old", 500 * DAY), ("young", 10 * DAY)):
            known = {**row, "known_by": matter, "known_since": now() - age}
            connection.execute(insert(endings).values(**known))
    for _ in range(20):
        keeping.tick()
    with database.read() as connection:
        assert list(connection.execute(select(endings.c.known_by)).scalars()) == ["young"]


def test_one_tick_is_one_small_portion(database: Database, keeping: Housekeeping, now: Now) -> None:
    for number in range(50):
        settled(database, str(number), "delivered", now() - 500 * DAY)
    keeping.tick()
    with database.read() as connection:
        done = select(webhooks.c.number).where(webhooks.c.pruned_at.is_not(None))
        assert 0 < len(connection.execute(done).all()) < 50


def test_a_slow_disk_gets_smaller_portions_and_longer_rests(database: Database) -> None:
    times: Iterator[float] = iter([1000.0, 1000.5, 1000.5, 1001.0, 1001.5])
    keeping = Housekeeping(database, RETENTION, lambda: 9e9, elapsed=lambda: next(times))
    for number in range(30):
        settled(database, str(number), "delivered", DAY)
    keeping.tick()
    keeping.tick()
    with database.read() as connection:
        done = select(webhooks.c.number).where(webhooks.c.pruned_at.is_not(None))
        assert len(connection.execute(done).all()) == 20


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(database)
    yield database
    database.close()


def test_a_new_file_can_give_pages_back(file: Database) -> None:
    with file.read() as connection:
        assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_the_file_becomes_smaller_when_much_was_pruned(file: Database, tmp_path: Path) -> None:
    large = arrival("large")
    large.webhook.__dict__["body"] = b"x" * (shrink.KEPT_PAGES * 4096 * 4)
    accept(file, large)
    with file.write() as connection:
        connection.execute(update(webhooks).values(body=b""))
    assert file.shorten_journal()
    before = (tmp_path / "ledger.db").stat().st_size
    steps = 0
    while True:
        with file.write() as connection:
            steps += 1
            if not shrink.give_back(connection, 500):
                break
    assert file.shorten_journal()
    # Three times as many pages as are kept, by 500 each.
    assert 10 <= steps <= 15
    after = (tmp_path / "ledger.db").stat().st_size
    assert after < before / 2
    # What comes next finds free pages.
    assert after > shrink.KEPT_PAGES * 4096


def test_the_journal_is_emptied_when_it_has_grown_long(file: Database, tmp_path: Path) -> None:
    large = arrival("large")
    large.webhook.__dict__["body"] = b"x" * (shrink.LONG_JOURNAL + 1)
    accept(file, large)
    journal = tmp_path / "ledger.db-wal"
    assert journal.stat().st_size > shrink.LONG_JOURNAL
    with file.read() as connection:
        connection.execute(select(webhooks.c.number)).all()
        accept(file, arrival("small"))
        # Somebody reads what was before; nobody waits for long.
        assert not shrink.shorten_journal(file)
    assert shrink.shorten_journal(file)
    assert journal.stat().st_size == 0
