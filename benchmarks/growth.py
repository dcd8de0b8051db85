"""A ledger with a long past beside one with a short one: python -m benchmarks.growth

Both are filled with events that had three deliveries each, all done but the
last few. Then the same is asked of both, one right after the other and each
first as often as the other: to accept webhooks, to drain a round of them (route
them, claim and settle their deliveries), to list events, to tell one event's
story, and the commands that show these two, as whole processes. Whatever else the machine
does slows such a pair down together, so that the ratio is told as the median of
the pairs' ratios, with what the middle half of them lie between; and of all
pairs together, where the rare long pauses for the journal count too. It is the
large ledger's speed to the small one's; 1 is no difference. Beside it, once:
the books, and with `--verify` checking everything.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from benchmarks.servers import environ, showbridge
from bridge.event import Identity, Webhook
from bridge.ledger.accept import Acceptor, Arrival, keep
from bridge.ledger.books import books
from bridge.ledger.claim import Batch, claim
from bridge.ledger.database import Database
from bridge.ledger.delivery_ids import delivery_id
from bridge.ledger.look_up import Filters, recent
from bridge.ledger.migrate import migrate
from bridge.ledger.plan import Plan, PlannedDelivery, PlannedEvent, record, waiting
from bridge.ledger.settle import Settlement, settle
from bridge.ledger.stories import story
from bridge.ledger.verify import verify
from tests.ledger.filling import fill
from tests.servers import running_postgresql

LANE = "slack.post_message:#bench"
BATCH = 100
# Webhooks that a worker routes in a transaction.
ROUTED = 25


@dataclass
class Ledger:
    """One of the two, and how long each thing took in each round."""

    events: int
    url: str
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database = Database(self.url)
        migrate(self.database)
        fill(self.database, self.events)
        self.acceptor = Acceptor(self.database)
        self.random = random.Random(1)

    def accept(self) -> None:
        self.acceptor.accept(_arrival())

    def receive(self) -> None:
        """So many new webhooks; not measured: it is what draining needs."""
        with self.database.write() as connection:
            keep(connection, [_arrival() for _ in range(BATCH)])

    def drain(self) -> None:
        """One round: webhooks are routed to a delivery each, these are claimed and settled."""
        now = time.time()
        for _ in range(BATCH // ROUTED):
            with self.database.write() as connection:
                new = waiting(connection, ROUTED)
                record(connection, [_plan(each.number) for each in new], now)
        with self.database.write() as connection:
            taken = claim(connection, LANE, "turn", BATCH, Batch, now).deliveries
        ends = [
            Settlement(each.webhook, each.id, each.attempt, "delivered", "delivered", now, 0)
            for each in taken
        ]
        with self.database.write() as connection:
            settle(connection, ends, "turn", now)

    def command(self, *arguments: str) -> None:
        """As an operator types it; its lines are thrown away."""
        with tempfile.TemporaryDirectory() as folder:
            own = environ(Path(folder), 8080, DATABASE_URL=self.url)
            subprocess.run(showbridge(*arguments), env=own, check=True, stdout=subprocess.DEVNULL)

    def list_by_command(self) -> None:
        self.command("events")

    def tell_by_command(self) -> None:
        self.command("event", str(self.random.randrange(1, self.events)))

    def list(self) -> None:
        with self.database.read() as connection:
            recent(connection, Filters(), 20)

    def tell(self) -> None:
        with self.database.read() as connection:
            story(connection, self.random.randrange(1, self.events))


# What is asked, and how often for each pair.
DONE: Mapping[str, tuple[Callable[[Ledger], None], int]] = {
    "accept": (Ledger.accept, 20),
    "drain round": (Ledger.drain, 1),
    "events": (Ledger.list, 5),
    "event": (Ledger.tell, 10),
}
# What takes as long as a process takes to start: in two of so many pairs.
COMMANDS: Mapping[str, Callable[[Ledger], None]] = {
    "`events`": Ledger.list_by_command,
    "`event`": Ledger.tell_by_command,
}
COMMANDS_EVERY = 8
# Pairs that fill caches.
WARMING = 5


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        urls = [stack.enter_context(_empty(options.postgresql)) for _ in range(2)]
        ledgers = []
        for url, events in zip(urls, (options.small, options.large), strict=True):
            began = time.perf_counter()
            ledgers.append(Ledger(events, url))
            print(f"{events:,} events filled in {time.perf_counter() - began:.0f} s", flush=True)
        for number in range(options.rounds + WARMING):
            pair = ledgers if number % 2 else ledgers[::-1]
            _round(pair)
            if number % COMMANDS_EVERY < 2:
                _commands(pair)
        _report(*ledgers)
        _balance(ledgers[1])
        if options.verify:
            _verify(ledgers[1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=10_000, help="events")
    parser.add_argument("--large", type=int, default=1_000_000, help="events")
    parser.add_argument("--rounds", type=int, default=120, help="pairs of each measurement")
    parser.add_argument("--verify", action="store_true", help="the large one too, in minutes")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    return parser.parse_args()


@contextmanager
def _empty(postgresql: bool) -> Iterator[str]:
    if postgresql:
        with running_postgresql() as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="showbridge-growth-") as folder:
        yield f"sqlite:///{Path(folder) / 'ledger.db'}"


def _round(ledgers: Sequence[Ledger]) -> None:
    """One pair of each measurement."""
    for ledger in ledgers:
        ledger.receive()
    for name, (do, times) in DONE.items():
        for ledger in ledgers:
            began = time.perf_counter()
            for _ in range(times):
                do(ledger)
            ledger.seconds.setdefault(name, []).append((time.perf_counter() - began) / times)


def _commands(ledgers: Sequence[Ledger]) -> None:
    for name, do in COMMANDS.items():
        for ledger in ledgers:
            began = time.perf_counter()
            do(ledger)
            ledger.seconds.setdefault(name, []).append(time.perf_counter() - began)


def _report(small: Ledger, large: Ledger) -> None:
    print(f"{'':12} {small.events:>12,} {large.events:>12,}     ratio  middle half  of all")
    for name in (*DONE, *COMMANDS):
        warming = WARMING if name in DONE else 0
        one, other = small.seconds[name][warming:], large.seconds[name][warming:]
        ratios = [mine / theirs for mine, theirs in zip(one, other, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        told = [f"{statistics.median(times) * 1000:9.2f} ms" for times in (one, other)]
        spread = f"{low:.2f} to {high:.2f}"
        of_all = sum(one) / sum(other)
        print(f"{name:12} {' '.join(told)}     {middle:5.2f} {spread:>12}   {of_all:5.2f}")


def _balance(ledger: Ledger) -> None:
    with ledger.database.snapshot() as connection:
        began = time.perf_counter()
        balanced = books(connection).are_balanced
        print(f"books        {time.perf_counter() - began:.2f} s, balanced: {balanced}")


def _verify(ledger: Ledger) -> None:
    with ledger.database.snapshot() as connection:
        began = time.perf_counter()
        verdict = verify(connection, lambda _done, _total: None)
        print(f"verify       {time.perf_counter() - began:.1f} s, right: {verdict.is_right}")


def _arrival() -> Arrival:
    key = uuid4().hex
    webhook = Webhook("showpass", b" " * 1000, {"content-type": "application/json"}, time.time())
    return Arrival(webhook, Identity(idempotency_key=key, event_type="bench", fingerprint=key))


def _plan(number: int) -> Plan:
    event = PlannedEvent(1, "bench", f"{number}@example.com", [], [])
    owed = PlannedDelivery(
        id=delivery_id(number, [uuid4().hex]),
        position=1,
        rule="Bench",
        step=1,
        place=0,
        account="slack",
        action="post_message",
        lane=LANE,
        order_key=f"person-{number}",
        item={"text": "somebody bought two tickets"},
    )
    return Plan(number, "routed", "v1", events=[event], deliveries=[owed])


if __name__ == "__main__":
    main()
