"""Turns at the inbox and at delivery lanes, with real Redis, real rules and a real source."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from bridge.connector import Retry
from bridge.engine.alarm import Alarm
from bridge.engine.clock import PATIENCE, Clock
from bridge.engine.late import repeatable
from bridge.engine.live_rules import LiveRules
from bridge.engine.queue import LaneQueue
from bridge.engine.rules_watch import Watch
from bridge.engine.turns import Turns
from bridge.engine.wake import Waker
from bridge.event import Event, Webhook
from bridge.ledger import accounts, lanes
from bridge.ledger.accept import Arrival, keep
from bridge.ledger.alerts import open_alerts
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from bridge.ledger.lanes import INBOX
from bridge.ledger.look_up import totals
from bridge.ledger.plan import waiting
from bridge.ledger.replay import replay_deliveries, replay_webhook
from bridge.ledger.stories import Story, story
from bridge.rules import World
from bridge.sources.showpass import Showpass
from tests.conftest import Now
from tests.engine.scripted import Script, destination, patience
from tests.ledger.records import accept, arrival, delivery, plan_all
from tests.web.conftest import purchase

RULES = """
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - scripted.send: {text: "{{ contact.name }} paid {{ order.total }}"}
  - name: Big orders
    when:
      source: showpass
      event: invoice.purchase
      where: {order.total: {at_least: 1000}}
    do:
      - scripted.post: {text: "big"}
"""


@dataclass
class Engine:
    """A worker's turns and a clock, moved by hand; jobs stay in Redis until they are taken."""

    turns: Turns
    clock: Clock
    database: Database
    queue: LaneQueue
    script: Script
    now: Now
    rules: Path

    def receive(self, key: str, source: str = "showpass", **changes: Any) -> None:
        body = purchase(webhook_event_uuid=key, **changes)
        webhook = Webhook(source, body, {}, self.now())
        identity = Showpass(Showpass.Settings(), []).identify(webhook)
        with self.database.write() as connection:
            keep(connection, [Arrival(webhook, identity)])

    def write_rules(self, text: str) -> None:
        """A while ago, so that nobody is still writing."""
        self.rules.write_text(text)
        self.now.advance(10)
        os.utime(self.rules, (self.now() - 5, self.now() - 5))

    def restart(self) -> None:
        """What a process knows of the rules is gone."""
        before = self.turns.live_rules._watch
        watch = Watch(before.folder, before.world, self.database, self.now)
        self.turns.live_rules = LiveRules(watch, self.database, self.now)

    def work(self) -> list[str]:
        """Take all turns that wait in Redis, and those they ask for; the lanes, in order."""
        taken = []
        while jobs := [*self.queue.inbox.jobs, *self.queue.deliveries.jobs]:
            job = jobs[0]
            job.delete()
            taken.append(job.args[0])
            assert len(taken) < 50, "lanes are woken again and again"
            self.turns.take(job.args[0])
        return taken

    def story(self, number: int = 1) -> Story:
        with self.database.read() as connection:
            found = story(connection, number)
        assert found is not None
        return found

    def states(self) -> dict[str, int]:
        with self.database.read() as connection:
            return dict(totals(connection).deliveries)

    def alerts(self) -> list[str]:
        with self.database.read() as connection:
            return [alert.text for alert in open_alerts(connection)]


@pytest.fixture
def engine(database: Database, redis: Redis, now: Now, tmp_path: Path) -> Engine:
    script = Script()
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    account = destination(script)
    world = World(sources={"showpass": Showpass}, accounts={"scripted": account.kind})
    queue = LaneQueue(redis)
    waker = Waker(database, queue, now)
    turns = Turns(
        database=database,
        waker=waker,
        sources={"showpass": Showpass(Showpass.Settings(), ["secret"])},
        destinations={"scripted": account},
        live_rules=LiveRules(Watch(tmp_path, world, database, now), database, now),
        patience=patience(),
        lease_seconds=30.0,
        digest_after=60.0,
        alarm=Alarm(waker.wake),
        now=now,
    )
    clock = Clock(database, queue, waker, repeatable({"scripted": account.kind}), now)
    return Engine(turns, clock, database, queue, script, now, rules)


def test_a_webhook_is_routed_and_delivered_after_one_wake(engine: Engine) -> None:
    engine.receive("one")
    engine.turns.waker.wake(INBOX)
    assert engine.work() == [INBOX, "scripted.send"]
    assert engine.script.sent == ["Ana Díaz paid 107.00"]


def test_the_story_says_which_rule_matched_and_why_another_did_not(engine: Engine) -> None:
    engine.receive("one")
    engine.clock.tick()
    engine.work()
    buyers, big = engine.story().events[0].verdicts
    assert (buyers["rule"], buyers["matched"]) == ("Buyers", True)
    assert not big["matched"]
    assert "order.total" in big["why_not"]


def test_an_event_that_no_rule_matches_is_unrouted(engine: Engine) -> None:
    engine.receive("one", event_type="invoice.void")
    engine.clock.tick()
    engine.work()
    assert engine.story().state == "unrouted"


def test_a_webhook_of_a_source_that_is_gone_is_kept_aside(engine: Engine) -> None:
    engine.receive("one", source="former")
    engine.clock.tick()
    engine.work()
    found = engine.story()
    assert (found.state, found.reason) == ("quarantined", "this source is no longer configured")


def test_routing_again_plans_nothing_new(engine: Engine) -> None:
    engine.receive("one")
    engine.clock.tick()
    engine.work()
    with engine.database.write() as connection:
        replay_webhook(connection, 1)
    engine.clock.tick()
    engine.work()
    assert engine.states() == {"delivered": 1}
    assert len(engine.script.sent) == 1


def test_the_clock_wakes_what_nobody_was_told_of(engine: Engine) -> None:
    engine.receive("one")
    engine.clock.tick()
    engine.clock.tick()
    assert engine.work() == [INBOX, "scripted.send"]


def test_a_wiped_redis_is_noticed_and_the_lane_woken_again(engine: Engine, redis: Redis) -> None:
    engine.receive("one")
    engine.turns.waker.wake(INBOX)
    redis.flushall()
    engine.clock.tick()
    assert engine.work() == []
    engine.now.advance(PATIENCE + 1)
    engine.clock.tick()
    assert engine.work() == [INBOX, "scripted.send"]


def test_a_job_that_waits_long_is_not_queued_twice(engine: Engine) -> None:
    engine.receive("one")
    engine.turns.waker.wake(INBOX)
    engine.now.advance(60)
    engine.clock.tick()
    assert len(engine.queue.inbox) == 1


def test_a_person_s_retry_does_not_keep_the_lane_busy(engine: Engine) -> None:
    engine.script.answers = [Retry("busy", after=60)]
    engine.receive("one")
    engine.receive("two")
    engine.clock.tick()
    assert engine.work() == [INBOX, "scripted.send"]
    engine.clock.tick()
    assert engine.work() == []
    engine.now.advance(60)
    engine.clock.tick()
    engine.work()
    assert engine.states() == {"delivered": 2}


def test_deliveries_of_an_account_that_is_gone_wait_and_a_person_is_told(engine: Engine) -> None:
    engine.receive("one")
    engine.clock.tick()
    engine.turns.take(INBOX)
    engine.turns.destinations = {}
    engine.work()
    assert engine.states() == {"waiting": 1}
    assert "no account scripted" in engine.alerts()[0]
    with engine.database.read() as connection:
        assert due_lanes(connection, engine.now()) == []


def test_a_resting_account_keeps_no_lane_busy(engine: Engine) -> None:
    engine.receive("one")
    with engine.database.write() as connection:
        accounts.rest(connection, "scripted", "limit", engine.now() + 60, engine.now())
    engine.clock.tick()
    engine.work()
    engine.clock.tick()
    assert engine.work() == []
    assert engine.states() == {"waiting": 1}


def test_a_corrected_rules_file_is_live_at_the_next_turn(engine: Engine) -> None:
    engine.receive("one")
    engine.clock.tick()
    engine.work()
    engine.write_rules(RULES.replace("paid", "has paid"))
    engine.receive("two")
    engine.clock.tick()
    engine.work()
    assert engine.script.sent[-1] == "Ana Díaz has paid 107.00"


def test_a_bad_rules_file_leaves_the_last_good_version_live_and_says_so(engine: Engine) -> None:
    engine.receive("one")
    engine.clock.tick()
    engine.work()
    engine.write_rules(RULES.replace("scripted.send", "scripted.sned"))
    engine.receive("two")
    engine.clock.tick()
    engine.work()
    assert engine.states() == {"delivered": 2}
    assert "did you mean" in engine.alerts()[0]
    engine.write_rules(RULES)
    engine.receive("three")
    engine.clock.tick()
    engine.work()
    assert engine.alerts() == []


def test_the_last_good_version_outlives_a_restart(engine: Engine) -> None:
    engine.receive("one")
    engine.clock.tick()
    engine.work()
    engine.write_rules("rules: [\n")
    engine.restart()
    engine.receive("two")
    engine.clock.tick()
    engine.work()
    assert engine.states() == {"delivered": 2}


def test_a_file_that_is_still_being_written_is_not_live_yet(engine: Engine) -> None:
    engine.receive("one")
    engine.clock.tick()
    engine.work()
    engine.write_rules("rules: []\n")
    os.utime(engine.rules, (engine.now(), engine.now()))
    engine.receive("two")
    engine.clock.tick()
    engine.work()
    assert engine.story(2).state == "routed"


def test_without_any_good_rules_webhooks_wait(engine: Engine) -> None:
    engine.write_rules("rules: [\n")
    engine.receive("one")
    engine.clock.tick()
    assert engine.work() == [INBOX]
    assert engine.story().state == "waiting"
    engine.write_rules(RULES)
    engine.clock.tick()
    engine.work()
    assert engine.states() == {"delivered": 1}


def test_a_turn_at_a_lane_that_somebody_has_does_nothing(engine: Engine) -> None:
    engine.receive("one")
    engine.turns.waker.wake(INBOX)
    with engine.database.write() as connection:
        lanes.take(connection, INBOX, "somebody", engine.now(), 30.0)
    assert engine.work() == [INBOX]
    assert engine.story().state == "waiting"


def test_a_plan_that_cannot_be_made_is_kept_aside_and_its_neighbours_are_routed(
    engine: Engine,
) -> None:
    class Broken(Showpass):
        def normalise(self, webhook: Webhook) -> tuple[Event, ...]:
            if b'"bad"' in webhook.body:
                raise AssertionError("a bug")
            return super().normalise(webhook)

    engine.turns.sources = {"showpass": Broken(Showpass.Settings(), [])}
    engine.receive("bad")
    engine.receive("good")
    engine.clock.tick()
    engine.work()
    assert engine.story(1).reason == "cannot be routed: AssertionError"
    assert engine.story(2).state == "routed"
    assert "showbridge replay 1" in engine.alerts()[0]


def test_a_text_that_cannot_be_filled_in_is_only_its_own_step_s_failure(engine: Engine) -> None:
    many = "{% for a in contact.name %}"
    too_long = f"{many}{many}{'x' * 5_000}{'{% endfor %}' * 2}"
    engine.write_rules(RULES.replace("{{ contact.name }}", too_long))
    engine.receive("one", data={"net_sales": "2000.00"})
    engine.clock.tick()
    engine.work()
    assert engine.states() == {"rejected": 1, "delivered": 1}


def test_an_event_replayed_after_steps_were_moved_sends_nothing_twice(engine: Engine) -> None:
    engine.receive("one", data={"net_sales": "2000.00"})
    engine.clock.tick()
    engine.work()
    moved = RULES.replace(
        "      - scripted.send:", '      - scripted.post: {text: "first"}\n      - scripted.send:'
    )
    engine.write_rules(moved)
    with engine.database.write() as connection:
        replay_webhook(connection, 1)
    engine.clock.tick()
    engine.work()
    assert sorted(engine.script.sent) == ["Ana Díaz paid 2000.00", "big", "first"]


def test_what_consent_forbids_cannot_be_sent_by_replaying_it(engine: Engine) -> None:
    refused = delivery("refused", state="suppressed", reason="no consent", item={})
    plan_all(engine.database, [refused])
    with engine.database.write() as connection:
        again = replay_deliveries(connection, ["refused"], engine.now(), lambda _: True)
    assert again.sent == 0


def test_large_webhooks_are_routed_a_few_at_a_time(database: Database) -> None:
    accept(database, *(arrival(f"key-{number}") for number in range(5)))
    with database.read() as connection:
        size = len(waiting(connection, 1)[0].webhook.body)
        assert len(waiting(connection, 100, most_bytes=3 * size)) == 3
        assert len(waiting(connection, 100, most_bytes=1)) == 1
