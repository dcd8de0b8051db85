"""What is tried is what is done: python -m tests.rules.try_and_live --pairs 10000 --seed 1

Random rules meet random webhooks. Each pair is rehearsed as `showbridge rules try`
does, on the ledger as it is then, and afterwards really run: accepted, routed and
drained by the engine, on SQLite, with a Redis, with the clock that promotes what
is due. The matches must be the same, with the same reasons and the same members;
the deliveries with their ids, items, states and times; and, once all is done, the
calls. Most bridges run in preview, where the calls are on record; every few rule
sets are run by a bridge with credentials, whose real SDKs call a vendor on this
machine: there the requests are compared.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import click
import yaml
from redis import Redis

from bridge.config import Config, load, world
from bridge.engine import assemble
from bridge.engine.clock import Clock
from bridge.engine.queue import LaneQueue
from bridge.engine.rehearse import RehearsedDelivery, Stage, arriving, once_only
from bridge.engine.turns import Turns
from bridge.ledger import rule_versions, scheduled
from bridge.ledger.accept import Arrival, keep
from bridge.ledger.cancellers import came_before, without
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from bridge.ledger.lanes import INBOX, occupied
from bridge.ledger.migrate import migrate
from bridge.ledger.replay import as_if_replayed
from bridge.ledger.stories import DeliveryRecord, Story, story
from bridge.rules import RuleSet, compile_files
from bridge.testing.vendor import Answer, Reply, Request, VendorServer
from tests.conftest import Now
from tests.connectors import mailchimp_audience
from tests.connectors.hubspot_account import Account
from tests.connectors.mailchimp_audience import Audience
from tests.connectors.slack_limits import flaws
from tests.rules.random_rules import rules_text, webhook
from tests.servers import running_redis
from tests.test_previewed_is_sent import CREDENTIALS, SECRETS, SHIPPED, Sent, remembered

RULES = 10
EVENTS = 10
# Every so many rule sets are run by a bridge with credentials.
LIVE_EACH = 10
MINUTE = 60.0


@dataclass
class Vendors:
    """HubSpot, Slack and Mailchimp on this machine, by their rules."""

    account: Account = field(default_factory=Account)
    audience: Audience = field(default_factory=Audience)

    def answer(self, request: Request) -> Reply:
        if request.path.startswith("/crm/"):
            return self.account.answer(request)
        if request.path.startswith("/3.0/"):
            return self.audience.answer(request)
        if flaws(request):
            return Answer(200, {"ok": False, "error": "invalid_blocks"})
        return Answer(200, {"ok": True, "ts": "1.1", "channel": "C0123456789"})


def as_sent(request: Request) -> Sent:
    """As a preview tells it, which cannot know the id of an audience that a rule names."""
    path = request.path.replace(mailchimp_audience.LIST, "***")
    return Sent(request.method, path, dict(request.query), request.body)


@dataclass
class Done:
    """What was compared."""

    pairs: int = 0
    matched: int = 0
    deliveries: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    requests: int = 0


@dataclass
class Expected:
    """What a rehearsal said of one delivery that would be sent."""

    lane: str
    calls: Sequence[Mapping[str, Any]]
    webhook: int


@dataclass
class Run:
    """One bridge, in preview or live, with all that belongs to it."""

    config: Config
    database: Database
    turns: Turns
    clock: Clock
    now: Now
    vendor: VendorServer | None
    done: Done
    orders: list[str] = field(default_factory=list)
    expected: dict[str, Expected] = field(default_factory=dict)

    def rule_set(self, random: Random, events: int) -> None:
        """One random rule set over some events, one after the other; then what comes later."""
        text = rules_text(random, RULES)
        rules = compile_files({"rules.yaml": text}, world(self.config), "config")
        with self.database.write() as connection:
            rule_versions.publish(
                connection,
                rules.version,
                rules.files,
                author="test",
                how="published",
                now=self.now(),
            )
        for _ in range(events):
            self._event(rules, random)
            self.now.advance(random.choice((1.0, 30 * MINUTE, 1440 * MINUTE)))
        self._later()

    def _event(self, rules: RuleSet, random: Random) -> None:
        number = self._accept(random)
        rehearsed = self._rehearse(rules, number)
        self._turn(INBOX)
        self.done.pairs += len(rules.rules)
        self._compare_routed(self._story(number), rehearsed)
        self._drain()

    def _accept(self, random: Random) -> int:
        source, body, order = webhook(random, len(self.orders), self.orders)
        if order:
            self.orders.append(order)
        configured = self.config.sources[source]
        arrived = arriving(configured, body, self.now()).webhook
        with self.database.write() as connection:
            keep(connection, [Arrival(arrived, configured.source.identify(arrived))])
            return int(connection.exec_driver_sql("SELECT max(number) FROM webhooks").scalar_one())

    def _rehearse(self, rules: RuleSet, number: int) -> Rehearsed:
        stage = Stage.of(self.config, rules)
        with self.database.snapshot() as connection:
            [waiting] = as_if_replayed(connection, [number])
            rehearsal = stage.rehearse(waiting, self.now())
            # In the order in which it is decided live: what is called off does nothing once.
            called_off = came_before(connection, [rehearsal.plan])
            [left] = without([rehearsal.plan], called_off)
            [rehearsal] = once_only(connection, [replace(rehearsal, decided=left)])
        [event] = rehearsal.events
        return Rehearsed(
            verdicts=[each._asdict() for each in event.verdicts],
            deliveries=list(event.deliveries),
        )

    def _compare_routed(self, found: Story, rehearsed: Rehearsed) -> None:
        assert len(found.events) == 1, (found.state, found.reason)
        [event] = found.events
        same(_plain(rehearsed.verdicts), list(event.verdicts), f"verdicts of {found.number}")
        self.done.matched += sum(each["matched"] for each in event.verdicts)
        real = {each.id: each for each in event.deliveries}
        for each in rehearsed.deliveries:
            self._compare_delivery(each, real.pop(each.planned.id))
        # What is done once more behind what came late is no rule's.
        assert not real or any(each.type.startswith("invoice.") for each in found.events)

    def _compare_delivery(self, tried: RehearsedDelivery, real: DeliveryRecord) -> None:
        planned = tried.planned
        told = (planned.state, planned.reason)
        same(told, (real.state, real.reason), f"delivery {real.id}")
        self.done.deliveries[real.state] += 1
        if planned.state in ("waiting", "scheduled"):
            same(_plain(planned.item), _plain(real.item), f"item {real.id}")
            same(max(self.now(), planned.due_at), real.due_at, f"time of {real.id}")
            webhook_number = tried.rehearsal.waiting.number
            self.expected[real.id] = Expected(planned.lane, tried.calls, webhook_number)

    def _drain(self) -> None:
        """All that is due, lane by lane, and compare what was called."""
        while lanes := self._due():
            for lane in lanes:
                before = len(self.vendor.requests) if self.vendor else 0
                waiting = self._waiting(lane)
                self._turn(lane)
                sent = self.vendor.requests[before:] if self.vendor else []
                ended = self._compare_ended(lane)
                # What goes out together is called together: that, no preview of one can tell.
                if self.vendor and len(ended) == waiting == 1:
                    self._compare_requests(ended[0].calls, [as_sent(each) for each in sent])
            self.now.advance(2)

    def _turn(self, lane: str) -> None:
        self.turns.waker.wake(lane)
        self.turns.take(lane)

    def _due(self) -> list[str]:
        with self.database.read() as connection:
            return sorted({*due_lanes(connection, self.now()), *occupied(connection, self.now())})

    def _waiting(self, lane: str) -> int:
        with self.database.read() as connection:
            query = "SELECT count(*) FROM deliveries WHERE lane = ? AND state = 'waiting'"
            return int(connection.exec_driver_sql(query, (lane,)).scalar_one())

    def _compare_ended(self, lane: str) -> list[Expected]:
        """What this turn ended, as it was expected: on record are the calls of the real engine."""
        ended = {name: each for name, each in self._ended(lane).items() if name in self.expected}
        for name, each in ended.items():
            calls = list(each.attempts[-1].calls)
            same(list(self.expected[name].calls), calls, f"calls of {name}")
            self.done.calls += len(calls)
        return [self.expected.pop(name) for name in ended]

    def _compare_requests(self, calls: Sequence[Mapping[str, Any]], sent: Sequence[Sent]) -> None:
        """All that is called in any case, and nothing else but what is called sometimes."""
        told = [Sent(one["method"], one["path"], dict(one["query"]), one["body"]) for one in calls]
        sure = [one for one, call in zip(told, calls, strict=True) if not call["when"]]
        asked = [one for one in sent if not remembered(one)]
        assert all(one in told for one in asked), (asked, told)
        assert all(one in asked for one in sure if not remembered(one)), (asked, told)
        self.done.requests += len(asked)

    def _ended(self, lane: str) -> dict[str, DeliveryRecord]:
        numbers = {each.webhook for each in self.expected.values() if each.lane == lane}
        found = [
            delivery
            for number in sorted(numbers)
            for event in self._story(number).events
            for delivery in event.deliveries
            if delivery.lane == lane
        ]
        states = ("previewed", "delivered", "dead", "rejected")
        return {each.id: each for each in found if each.state in states and each.attempts}

    def _later(self) -> None:
        """Until nothing is scheduled any more; what was called off meanwhile is not called."""
        while due := self._next_due():
            self.now.at = max(self.now.at, due)
            self.clock.tick()
            self._drain()
        for name, each in self.expected.items():
            [real] = [
                delivery
                for event in self._story(each.webhook).events
                for delivery in event.deliveries
                if delivery.id == name
            ]
            assert (real.state, real.attempts) == ("suppressed", []), (name, real.state)
            assert str(real.reason).startswith("cancelled"), real.reason
            self.done.deliveries["called off"] += 1
        self.expected.clear()

    def _next_due(self) -> float | None:
        with self.database.read() as connection:
            soon = scheduled.due(connection, float("inf"), 1)
            if not soon:
                return None
            query = "SELECT min(due_at) FROM deliveries WHERE state = 'scheduled'"
            return float(connection.exec_driver_sql(query).scalar_one())

    def _story(self, number: int) -> Story:
        with self.database.read() as connection:
            found = story(connection, number)
        assert found is not None
        return found


@dataclass(frozen=True)
class Rehearsed:
    """What was tried of one event."""

    verdicts: Sequence[Mapping[str, Any]]
    deliveries: Sequence[RehearsedDelivery]


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def same(tried: object, live: object, what: str) -> None:
    assert tried == live, f"{what}: tried {tried}, live {live}"


def compare(pairs: int, seed: int, told: Callable[[Done], None] = lambda _: None) -> Done:
    """So many pairs, at least; raises AssertionError at the first that is not the same."""
    done, random = Done(), Random(seed)
    sets = -(-pairs // (RULES * EVENTS))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sb-try-")))
        redis = stack.enter_context(running_redis(folder))
        preview = stack.enter_context(running(folder / "preview", redis, done, live=False))
        real = stack.enter_context(running(folder / "live", redis, done, live=True))
        for number in range(sets):
            chosen = real if number % LIVE_EACH == 1 else preview
            chosen.rule_set(random, EVENTS)
            told(done)
    return done


@contextmanager
def running(folder: Path, redis_url: str, done: Done, *, live: bool) -> Iterator[Run]:
    """A bridge with the shipped accounts and an empty ledger."""
    with ExitStack() as stack:
        handler = Vendors().answer
        vendor = stack.enter_context(VendorServer(handler=handler)) if live else None
        config = _installed(folder, vendor)
        database = Database(config.database_url, keeps_time=False)
        stack.callback(database.close)
        migrate(database)
        queue = LaneQueue(stack.enter_context(Redis.from_url(redis_url)))
        now = Now()
        turns = assemble.turns(config, database, queue, now)
        clock = assemble.clock(config, database, queue, now)
        yield Run(config, database, turns, clock, now, vendor, done)


def _installed(folder: Path, vendor: VendorServer | None) -> Config:
    """The shipped accounts, led to a vendor if there is one; rules go live by command alone."""
    (folder / "data").mkdir(parents=True)
    settings = yaml.safe_load((SHIPPED / "bridge.yaml").read_text("utf-8"))
    for account in settings["accounts"].values():
        account |= {"base_url": vendor.url} if vendor else {}
    settings["rules"] = {"publish": "by_command"}
    # What sums up several is what no preview of one can tell.
    settings["delivery"] = {**settings.get("delivery", {}), "digest_after": "1 day"}
    (folder / "bridge.yaml").write_text(yaml.safe_dump(settings))
    shutil.copy(SHIPPED / "rules.yaml", folder / "rules.yaml")
    environ = {**SECRETS, **(CREDENTIALS if vendor else {})}
    return load({**environ, "SHOWBRIDGE_DATA": str(folder / "data")}, folder)


def _so_far(done: Done) -> None:
    click.echo(f"\r{done.pairs:,} pairs", nl=False, err=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    done = compare(options.pairs, options.seed, _so_far)
    ended = ", ".join(f"{count:,} {state}" for state, count in sorted(done.deliveries.items()))
    click.echo(
        f"\r{done.pairs:,} pairs of a rule and an event in {time.monotonic() - began:.0f} s:"
    )
    click.echo(f"  {done.matched:,} matched, as tried; deliveries as tried: {ended}")
    click.echo(
        f"  {done.calls:,} calls on record, and {done.requests:,} requests to a vendor, as tried"
    )


if __name__ == "__main__":
    main()
