"""Whatever comes between: each person's effects in order, none lost, no message twice.

Purchases and refunds arrive in any order, are routed, drained by workers that
die at any moment, refused, looked for, replayed; a model says what the vendor
must then have been asked to do.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import count
from math import inf
from typing import Any

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from bridge.engine import late
from bridge.engine.drain import Drain
from bridge.engine.lease import Lease
from bridge.errors import LeaseLost
from bridge.event import Webhook
from bridge.ledger import accounts, lanes, tables
from bridge.ledger.accept import Arrival, keep
from bridge.ledger.books import books
from bridge.ledger.database import Database
from bridge.ledger.due import due_lanes
from bridge.ledger.lanes import INBOX
from bridge.ledger.plan import Plan, Waiting, waiting
from bridge.ledger.repeats import written_by
from bridge.ledger.replay import replay_deliveries, replay_webhook
from tests.conftest import Now
from tests.engine.order_events import ACTIONS, PERSONS, ROUTER, Received
from tests.engine.order_vendor import (
    CALL_MOODS,
    ITEM_MOODS,
    LEASE,
    Dead,
    Moods,
    Vendor,
    destination,
)
from tests.engine.scripted import patience

MAY_REPEAT = late.repeatable(ROUTER.accounts)
ENDLESS = patience(attempts=10**6, max_age=inf, cap=20.0, jitter=random.Random(1).random)


def _one_by_one(done: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the vendor knows of a person after so many single writes."""
    state: dict[str, str] = {}
    for item in done:
        state.update({"last": item["name"], item["matter"]: item["state"]})
    return state


# Who, which ticket, whether it is refunded, and whether by a transaction of its own.
HAPPENED = st.tuples(st.sampled_from(PERSONS), st.sampled_from("12"), st.booleans(), st.booleans())


# Seeded by one number: drawn one by one, moods would nearly always be the simplest.
LOTS = st.randoms(use_true_random=True)
WAITS = (0.0, 0.0, 2.0, 11.0, LEASE + 1, 61.0)


class Bridge(RuleBasedStateMachine):
    """The real ledger and engine, one step at a time."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.now = Now()
        self.vendor = Vendor(self.now)
        self.received: list[Received] = []
        self.stale: list[Waiting] = []
        self.turns = count()
        with self.database.write() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())

    # What happens

    @initialize(happened=st.lists(HAPPENED, min_size=3, max_size=6))
    def begin(self, happened: list[tuple[str, str, bool, bool]]) -> None:
        self.receive(happened, at_once=True)

    @rule(happened=st.lists(HAPPENED, min_size=1, max_size=4), at_once=st.booleans())
    def receive(self, happened: list[tuple[str, str, bool, bool]], at_once: bool) -> None:
        """A refund may have a transaction of its own; then its ticket says what it refunds."""
        for person, ticket, ends, own in happened:
            name = f"e{len(self.received)}"
            transaction = f"R-{name}" if ends and own else f"T-{ticket}"
            self.received.append(Received(name, person, ticket, transaction, ends))
            self._accept(self.received[-1])
        if at_once:
            self.route(100)

    @precondition(lambda self: self.received)
    @rule(data=st.data())
    def redeliver(self, data: st.DataObject) -> None:
        self._accept(data.draw(st.sampled_from(self.received)))

    @rule(limit=st.sampled_from([1, 2, 100]))
    def route(self, limit: int) -> None:
        with self.database.read() as connection:
            self.stale = waiting(connection, limit)
        self._record(self.stale)

    @precondition(lambda self: self.stale)
    @rule()
    def route_again(self) -> None:
        """By a worker whose lease lapsed without its noticing."""
        self._record(self.stale)

    @precondition(lambda self: self.received)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        number = self._number(data.draw(st.sampled_from(self.received)))
        with self.database.write() as connection:
            replay_webhook(connection, number)

    @rule(lot=LOTS)
    def send_again(self, lot: random.Random) -> None:
        """A single delivery, as it was filled in."""
        if not self.vendor.rejected:
            return
        name = lot.choice(sorted(self.vendor.rejected))
        with self.database.write() as connection:
            replay_deliveries(connection, [name], self.now(), MAY_REPEAT)
        self._note_what_waits_again()

    @rule(turns=st.integers(1, 6), lot=LOTS)
    def work(self, turns: int, lot: random.Random) -> None:
        """Turns at lanes that are due, some of which end badly, and waits between them."""
        self._resume()
        for _ in range(turns):
            with self.database.read() as connection:
                due = sorted({*due_lanes(connection, self.now())} - {INBOX})
            if due:
                calls = lot.choices(("fine", "fine", "fine", *CALL_MOODS), k=2)
                items = lot.choices(("fine", "fine", *ITEM_MOODS), k=4)
                lane, rounds, dies = lot.choice(due), lot.randint(1, 5), lot.random() < 0.3
                note(f"{lane}: {rounds} rounds, {calls}, {items}{', then dies' * dies}")
                self._drain(lane, Moods(calls, items), rounds, dies)
            self._wait(lot.choice(WAITS))

    @rule(turns=st.integers(1, 6), lot=LOTS)
    def work_more(self, turns: int, lot: random.Random) -> None:
        """Most of what happens is work."""
        self.work(turns, lot)

    # What must be so

    @invariant()
    def nothing_older_wins_and_no_message_is_posted_twice(self) -> None:
        assert self.vendor.wrong == []
        assert not [name for name, times in self.vendor.posted.items() if times > 1]

    def teardown(self) -> None:
        """Once nothing goes wrong any more, everything is done, in order."""
        self._finish()
        self.nothing_older_wins_and_no_message_is_posted_twice()
        for action in ACTIONS:
            for person in PERSONS:
                self._compare(action, person)
        with self.database.read() as connection:
            found = books(connection)
        assert found.are_balanced
        assert found.deliveries.states.keys() <= {"delivered", "rejected"}

    def _compare(self, action: str, person: str) -> None:
        """With what the model expects; less is known where the vendor has refused something."""
        mine = {
            name: owed.planned.item
            for name, owed in self.vendor.owed.items()
            if (owed.planned.action, owed.planned.item["person"]) == (action, person)
        }
        done = [mine[name] for name in self.vendor.acknowledged if name in mine]
        state = self.vendor.states.get((action, person), {})
        if not mine.keys() & self.vendor.ever_rejected:
            expected = self._expected(person, repeated=action != "post")
            assert [item["name"] for item in done] == expected, (action, person)
            if action != "post":
                assert state == _one_by_one(done), (action, person)
        refused = {mine[name]["matter"] for name in mine.keys() & self.vendor.rejected}
        for ticket in state.keys() & self._refunded(person) - refused:
            assert state[ticket] == "refunded", (action, person, ticket)

    def _refunded(self, person: str) -> set[str]:
        return {each.ticket for each in self.received if each.ends and each.person == person}

    def _expected(self, person: str, *, repeated: bool) -> list[str]:
        """In the order of receipt; behind a late purchase its refunds, if they are idempotent."""
        names = []
        for index, each in enumerate(self.received):
            if each.person != person:
                continue
            names.append(each.name)
            if repeated and not each.ends:
                before = self.received[:index]
                names += [
                    other.name
                    for other in before
                    if other.ends and other.person == person and other.ticket == each.ticket
                ]
        return names

    # How it is done

    def _accept(self, received: Received) -> None:
        webhook = Webhook("showpass", received.body(), {}, self.now())
        identity = ROUTER.sources["showpass"].identify(webhook)
        with self.database.write() as connection:
            keep(connection, [Arrival(webhook, identity)])

    def _number(self, received: Received) -> int:
        key = tables.webhooks.c.idempotency_key
        with self.database.read() as connection:
            query = tables.webhooks.select().where(key == f"{received.transaction}/{received.name}")
            return int(connection.execute(query).one().number)

    def _record(self, found: Sequence[Waiting]) -> None:
        plans = [ROUTER.plan(each, 0.0) for each in found]
        with self.database.write() as connection:
            before = late.look(connection, plans)
            whole = late.record(connection, plans, before, MAY_REPEAT, self.now())
        self.vendor.note(whole)
        self._note_what_waits_again()

    def _note_what_waits_again(self) -> None:
        """Beside what a plan says: what is renewed behind another event, or sent again alone."""
        waits = select(tables.deliveries).where(tables.deliveries.c.state == "waiting")
        with self.database.read() as connection:
            rows = connection.execute(waits).all()
            written = written_by(connection, {(row.webhook, row.position) for row in rows})
        names = {row.id for row in rows}
        for (number, _), owed in written.items():
            open_ = [each for each in owed if each.id in names]
            self.vendor.note([Plan(number, "routed", "v", replayed=True, deliveries=open_)])

    def _drain(self, lane: str, moods: Moods, rounds: int = 1000, dies: bool = False) -> None:
        self.vendor.moods = moods
        turn = f"turn-{next(self.turns)}"
        with self.database.write() as connection:
            lanes.wake(connection, lane, turn, self.now())
            if not lanes.take(connection, lane, turn, self.now(), LEASE):
                return
        lease = Lease(self.database, lane, turn, LEASE, self.now, self.now(), self.now)
        try:
            # Not entered: whoever dies neither renews the lease nor gives it back.
            self._run(lease, rounds, dies)
        except (Dead, LeaseLost):
            self.vendor.answers_are_kept(False)
        else:
            with self.database.write() as connection:
                lanes.release(connection, lane, turn)

    def _run(self, lease: Lease, rounds: int, dies: bool) -> None:
        left = count(rounds, -1)

        def stopping() -> bool:
            """Asked before each round, when the answers of the one before it are at hand."""
            is_last = next(left) <= 0
            if is_last and dies:
                raise Dead
            self.vendor.answers_are_kept(True)
            return is_last

        Drain(self.database, destination(self.vendor), ENDLESS, self.now).run(lease, stopping)

    def _wait(self, seconds: float) -> None:
        self.now.advance(seconds)
        self.vendor.catch_up()

    def _resume(self) -> None:
        with self.database.write() as connection:
            accounts.resume(connection, "moody")

    def _finish(self) -> None:
        self._resume()
        for _ in range(100):
            self._wait(LEASE + 1)
            self.route(100)
            with self.database.read() as connection:
                due = sorted({*due_lanes(connection, self.now())} - {INBOX})
                is_open = books(connection).deliveries.states.keys() & {"waiting", "sending"}
            for lane in due:
                self._drain(lane, Moods())
            if not due and not is_open:
                return
        raise AssertionError("something is never done")


def test_order_is_kept_whatever_comes_between(database: Database) -> None:
    machine: Any = type("BridgeAt", (Bridge,), {"database": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=14,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
