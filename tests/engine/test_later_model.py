"""Whatever comes between: what is scheduled is sent once, or called off, and undoes nothing.

Purchases and refunds are routed at once or one by one, promoted, claimed,
tried again, sent sooner by hand and replayed; after each step, and once all is
done, what the vendor was asked to do must be right.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, Phase, settings
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

from bridge.ledger import cancellers, occasions, tables
from bridge.ledger.books import books
from bridge.ledger.claim import Batch, Claimed, claim
from bridge.ledger.database import Database
from bridge.ledger.plan import Once, Plan, PlannedDelivery
from bridge.ledger.replay import replay_deliveries, replay_webhook
from bridge.ledger.settle import Settlement, settle
from bridge.ledger.verify import verify
from tests.conftest import Now
from tests.ledger.later import (
    ANA,
    BO,
    PURCHASE,
    REFUND,
    event,
    may_repeat,
    plan,
    promote,
    receive,
    route,
    unless,
)
from tests.ledger.records import delivery

LANE = "hubspot.upsert_contact"


@dataclass(frozen=True)
class Happened:
    """`later`: after how many seconds its rule wants it done; 0: at once."""

    number: int
    kind: str
    person: str
    order: str
    later: int
    is_called_off: bool
    is_once: bool

    @property
    def name(self) -> str:
        return f"e{self.number}"

    @property
    def text(self) -> str:
        return f"{self.kind} {self.person} {self.order}"

    def owed(self, received_at: float) -> PlannedDelivery:
        is_later = {"state": "scheduled", "due_at": received_at + self.later} if self.later else {}
        owed = delivery(self.name, self.person, action="upsert_contact", lane=LANE, **is_later)
        owed = replace(owed, item={"text": self.text})
        if self.is_called_off and self.kind == PURCHASE:
            owed = replace(owed, unless=unless(order=self.order, person=self.person))
        if self.is_once:
            owed = replace(owed, once=Once(f"{self.kind} {self.person}", None, "once per contact"))
        return owed


HAPPENED = st.tuples(
    st.sampled_from([PURCHASE, PURCHASE, REFUND]),
    st.sampled_from([ANA, ANA, BO]),
    st.sampled_from(["T1", "T2"]),
    st.sampled_from([0, 0, 10, 20, 35]),
    st.booleans(),
    st.booleans(),
)


class Bridge(RuleBasedStateMachine):
    """The real ledger, one transaction at a time."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.now = Now(100.0)
        self.happened: list[Happened] = []
        self.received: dict[int, float] = {}
        self.refunded: set[tuple[str, str]] = set()
        self.written: list[str] = []
        self.delivered: list[str] = []
        self.wrong: list[str] = []
        with self.database.write() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())

    # What happens

    @initialize(happened=st.lists(HAPPENED, min_size=2, max_size=5))
    def begin(self, happened: list[Any]) -> None:
        self.receive(happened)

    @rule(happened=st.lists(HAPPENED, min_size=1, max_size=4))
    def receive(self, happened: list[Any]) -> None:
        """Routed at once; a refund is done at once or later, and always."""
        some = []
        for kind, person, order, later, is_called_off, is_once in happened:
            number = receive(self.database, f"key {len(self.happened)}", self.now())
            is_once = is_once and kind == PURCHASE
            each = Happened(number, kind, person, order, later, is_called_off, is_once)
            self.happened.append(each)
            self.received[number] = self.now()
            some.append(each)
        self._route(some)

    @rule(seconds=st.sampled_from([0, 5, 9, 40]))
    def promote(self, seconds: int) -> None:
        self.now.advance(1 + seconds)
        promote(self.database, self.now())

    @rule(lot=st.randoms(use_true_random=True), most=st.integers(1, 5))
    def work(self, lot: random.Random, most: int) -> None:
        """Some arrive, some are to be tried again, and of some nobody knows."""
        taken = self._claim(most)
        ends = [self._end(each, lot.choice("ddddrl")) for each in taken]
        self._settle(ends)

    @precondition(lambda self: self.happened)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        each = data.draw(st.sampled_from(self.happened))
        with self.database.write() as connection:
            replay_webhook(connection, each.number)
        self._route([each], replayed=True)

    @precondition(lambda self: self.happened)
    @rule(data=st.data())
    def send_now(self, data: st.DataObject) -> None:
        each = data.draw(st.sampled_from(self.happened))
        self.now.advance(1)
        with self.database.write() as connection:
            replay_deliveries(connection, [each.name], self.now(), may_repeat)

    @rule()
    def keep_house(self) -> None:
        with self.database.write() as connection:
            cancellers.forget_ended(connection, ("", ""), 1000)
            occasions.forget(connection, self.now(), 1000)

    # What must be so

    @invariant()
    def nothing_is_sent_that_was_called_off(self) -> None:
        assert self.wrong == []

    @invariant()
    def nothing_arrives_twice(self) -> None:
        assert len(self.delivered) == len(set(self.delivered))

    @invariant()
    def what_is_done_once_is_done_for_one_event(self) -> None:
        doing: dict[str, set[str]] = defaultdict(set)
        states = self._states()
        for each in self.happened:
            if each.is_once and states[each.name] not in ("suppressed", "rejected"):
                doing[each.person].add(each.name)
        assert all(len(names) == 1 for names in doing.values()), doing

    @invariant()
    def the_books_balance(self) -> None:
        with self.database.snapshot() as connection:
            assert books(connection).are_balanced

    def teardown(self) -> None:
        """Once all is done, what was refunded is refunded, and nothing else is."""
        for _ in range(1000):
            self.now.advance(50)
            promote(self.database, self.now())
            taken = self._claim(100)
            self._settle([self._end(each, "d") for each in taken])
            if not taken and not self._open():
                break
        assert not self._open()
        for each in self.happened:
            matter = (each.person, each.order)
            last = [text for text in self.written if text.endswith(f"{each.person} {each.order}")]
            if last:
                is_refund = last[-1].startswith(REFUND)
                assert is_refund is (matter in self.refunded), (matter, self.written)
        with self.database.snapshot() as connection:
            verdict = verify(connection, lambda _done, _total: None)
        assert verdict.is_right, verdict.findings

    # How it is done

    def _route(self, some: Sequence[Happened], *, replayed: bool = False) -> None:
        self.now.advance(1)
        plans = [self._plan(each, replayed) for each in some]
        route(self.database, *plans, now=self.now())
        self.refunded |= {(each.person, each.order) for each in some if each.kind == REFUND}

    def _plan(self, each: Happened, replayed: bool) -> Plan:
        owed = each.owed(self.received[each.number])
        if owed.state == "scheduled" and owed.due_at <= self.now():
            owed = replace(owed, state="waiting", due_at=0.0)
        made = event(each.kind, owed, order=each.order, person=each.person)
        return plan(each.number, made, replayed=replayed)

    def _claim(self, most: int) -> Sequence[Claimed]:
        def choose(ready: Sequence[Claimed]) -> Batch:
            """One of each person, so that none arrives while one before it does not."""
            firsts = {each.order_key: each for each in reversed(ready)}
            return Batch([each for each in ready if each in firsts.values()][:most])

        with self.database.write() as connection:
            taken = claim(connection, LANE, "turn", 100, choose, self.now()).deliveries
        called_off = {each.name: each for each in self.happened if each.is_called_off}
        for each in taken:
            known = called_off.get(each.id)
            is_first = known is not None and known.kind == PURCHASE and not each.uncertain
            if known and is_first and (known.person, known.order) in self.refunded:
                self.wrong.append(f"{each.id} was refunded")
        return taken

    def _end(self, claimed: Claimed, end: str) -> Settlement:
        if end != "r":
            self.written.append(str(claimed.item["text"]))
        if end not in ("r", "l"):
            self.delivered.append(claimed.id)
        outcome, state = {"r": ("retry", "waiting"), "l": ("unknown", "waiting")}.get(
            end, ("delivered", "delivered")
        )
        return Settlement(
            webhook=claimed.webhook,
            delivery=claimed.id,
            attempt=claimed.attempt,
            outcome=outcome,
            state=state,
            due_at=self.now(),
            failures=0,
            uncertain=end == "l",
        )

    def _settle(self, ends: Sequence[Settlement]) -> None:
        with self.database.write() as connection:
            settle(connection, ends, "turn", self.now())

    def _states(self) -> dict[str, str]:
        with self.database.read() as connection:
            rows = connection.execute(select(tables.deliveries.c.id, tables.deliveries.c.state))
            return {row.id: row.state for row in rows}

    def _open(self) -> list[str]:
        return [name for name, state in self._states().items() if state in OPEN]


OPEN = ("scheduled", "waiting", "sending")


def test_what_is_scheduled_is_sent_or_called_off_and_undoes_nothing(database: Database) -> None:
    machine: Any = type("BridgeAt", (Bridge,), {"database": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
