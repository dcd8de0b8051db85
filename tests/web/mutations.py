"""A flood of mutated requests: python -m tests.web.mutations --requests 1000000 --seed 7

Forgeries, damaged in every way (see `mutator`), go over real connections to a
real receiver, between genuine webhooks. No answer may be a 500, nothing forged
may be taken, each genuine webhook must have its own answer in its turn and be
in the ledger byte for byte, and no process may be restarted. The same seed
makes the same requests.
"""

from __future__ import annotations

import argparse
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.servers import running_postgresql, running_redis
from tests.web.genuine import NAMES, Genuine, genuine
from tests.web.mutator import Mutated, mutated
from tests.web.receivers import Receiver, running
from tests.web.wire import Answer, all_answers, connect, first_answer

LANES = 8
GROUP = 48
# Between so many forgeries stands a genuine webhook.
APART = 12
MAX_PIPELINE = 16
MAX_FAULTS = 20
TAKEN = ("accepted", "quarantined", "duplicate")
# Nobody works on what comes in.
SERVER = "most_waiting: 100000000"


@dataclass
class Outcome:
    """What was seen by all lanes; `held` must be in the ledger, `maybe` may be in it."""

    requests: int = 0
    connections: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    held: Counter[tuple[str, bytes]] = field(default_factory=Counter)
    maybe: Counter[tuple[str, bytes]] = field(default_factory=Counter)

    def add(self, other: Outcome) -> None:
        self.requests += other.requests
        self.connections += other.connections
        self.statuses += other.statuses
        self.faults += other.faults
        self.held += other.held
        self.maybe += other.maybe


@dataclass
class _Sent:
    """A request of a pipeline; `again` says that it was sent before and had no answer."""

    raw: bytes
    webhook: Genuine | None
    again: bool = False


Make = Callable[[Random, float], Mutated]


def flood(
    receiver: Receiver,
    requests: int,
    seed: int,
    told: Callable[[int], None] = lambda _: None,
    make: Make = mutated,
) -> Outcome:
    """Send so many, then compare the ledger; `told` hears now and then how many were sent."""
    before = receiver.web_processes()
    with ThreadPoolExecutor(LANES) as pool:
        tally = _Tally(told)
        lanes = [_Lane(receiver.port, seed, number, tally, make) for number in range(LANES)]
        share = -(-requests // LANES)
        seen = list(pool.map(lambda lane: lane.run(share), lanes))
    outcome = Outcome()
    for one in seen:
        outcome.add(one)
    if receiver.web_processes() != before:
        outcome.faults.append("a web process was restarted")
    outcome.faults += [f"in the log: {line}" for line in receiver.errors()]
    outcome.faults += _differences(outcome, receiver.kept())
    return outcome


def _differences(outcome: Outcome, kept: Counter[tuple[str, bytes]]) -> Iterator[str]:
    for source, body in outcome.held - kept:
        yield f"genuine, and not in the ledger: {source} {body!r}"
    for source, body in kept - (outcome.held + outcome.maybe):
        yield f"in the ledger, and never sent, or once too often: {source} {body!r}"


class _Tally:
    def __init__(self, told: Callable[[int], None]) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._count = 0

    def add(self, count: int) -> None:
        with self._lock:
            self._count += count
            self._told(self._count)


class _Lane:
    """One of several that send at once, one connection each."""

    def __init__(self, port: int, seed: int, number: int, tally: _Tally, make: Make) -> None:
        self.outcome = Outcome()
        self._port = port
        self._seed = seed
        self._number = number
        self._tally = tally
        self._make = make
        self._connection: socket.socket | None = None
        self._received = bytearray()
        self._window = MAX_PIPELINE
        self._place = ""

    def run(self, count: int) -> Outcome:
        for group in range(-(-count // GROUP)):
            size = min(GROUP, count - group * GROUP)
            self._place = f"seed {self._seed}, lane {self._number}, group {group}"
            made = Random(f"{self._seed}/{self._number}/{group}")
            self._send_group(made, [self._make(made, time.time()) for _ in range(size)])
            self._tally.add(size)
            if len(self.outcome.faults) >= MAX_FAULTS:
                break
        self._hang_up()
        return self.outcome

    def _send_group(self, made: Random, forgeries: Sequence[Mutated]) -> None:
        self.outcome.requests += len(forgeries)
        self._send_framed(self._pipeline(made, [one for one in forgeries if one.is_framed]))
        for one in forgeries:
            if not one.is_framed:
                self._send_unframed(made, one)

    def _pipeline(self, made: Random, forgeries: Sequence[Mutated]) -> deque[_Sent]:
        """Genuine in front, at the end, and now and then in between."""
        sent: deque[_Sent] = deque()
        for number, one in enumerate(forgeries):
            if number % APART == 0:
                sent.append(self._genuine(made))
            sent.append(_Sent(one.raw, None))
        sent.append(self._genuine(made))
        return sent

    def _genuine(self, made: Random) -> _Sent:
        webhook = genuine(made, made.choice(NAMES), time.time)
        return _Sent(webhook.raw, webhook)

    # What has one answer each, in its turn

    def _send_framed(self, waiting: deque[_Sent]) -> None:
        while waiting:
            is_new = self._connection is None
            batch = [waiting[at] for at in range(min(self._window, len(waiting)))]
            self._send(b"".join(one.raw for one in batch))
            answered = 0
            while answered < len(batch) and (answer := self._next_answer()):
                self._judge(waiting.popleft(), answer)
                answered += 1
            self._window = min(MAX_PIPELINE, max(1, 2 * answered))
            if answered < len(batch):
                self._hang_up()
                if not answered and is_new:
                    self._fault("no answer", waiting.popleft().raw)
                for one in waiting:
                    one.again = True

    def _judge(self, sent: _Sent, answer: Answer) -> None:
        self.outcome.statuses[answer.status] += 1
        if sent.webhook is None:
            if _is_ours(answer) or answer.result in TAKEN:
                self._fault(f"answered {answer.status} {answer.result}", sent.raw)
            return
        self.outcome.held[(sent.webhook.source, sent.webhook.body)] += 1
        allowed = ("accepted", "duplicate") if sent.again else ("accepted",)
        if answer.status != 200 or answer.result not in allowed:
            self._fault(f"genuine, answered {answer.status} {answer.result}", sent.raw)

    # What may have any number of answers

    def _send_unframed(self, made: Random, forgery: Mutated) -> None:
        """On a connection of its own, behind a genuine one and before another, now and then."""
        self._hang_up()
        if made.random() < 0.25:
            self._send_framed(deque([self._genuine(made)]))
        behind = self._genuine(made) if made.random() < 0.5 else None
        self._send(forgery.raw + (behind.raw if behind else b""))
        answers = self._rest()
        self._hang_up()
        for number, answer in enumerate(answers):
            self._judge_unframed(forgery, behind, answer, is_last=number == len(answers) - 1)
        if behind and behind.webhook:
            self._settle(behind.webhook, answers)

    def _judge_unframed(
        self, forgery: Mutated, behind: _Sent | None, answer: Answer, *, is_last: bool
    ) -> None:
        self.outcome.statuses[answer.status] += 1
        if _is_ours(answer) and answer.said.get("reason") != "body-incomplete":
            self._fault(f"answered {answer.status} {answer.result}", forgery.raw)
        if answer.result in TAKEN and not (behind and is_last):
            self._fault(f"answered {answer.result}", forgery.raw)
        if (answer.is_last or (answer.status == 400 and not answer.result)) and not is_last:
            self._fault("malformed, and the connection went on", forgery.raw)

    def _settle(self, webhook: Genuine, answers: Sequence[Answer]) -> None:
        """It counts as sent if it was taken; it may have been read as a part of the forgery."""
        is_taken = bool(answers) and answers[-1].result in TAKEN
        kept = self.outcome.held if is_taken else self.outcome.maybe
        kept[(webhook.source, webhook.body)] += 1

    # The connection

    def _send(self, data: bytes) -> None:
        if self._connection is None:
            self._connection = connect(self._port, self._address())
            self._received.clear()
            self.outcome.connections += 1
        with suppress(ConnectionError):
            self._connection.sendall(data)

    def _address(self) -> str:
        """One lane comes from where proxies do; the others take no port that a server may want."""
        if self._number == 0:
            return "127.0.0.1"
        return f"127.0.{10 + self._number}.{1 + self.outcome.connections % 250}"

    def _next_answer(self) -> Answer | None:
        """None if the receiver hung up; `100 Continue` is none."""
        while (found := first_answer(self._received)) is None or found[0].status == 100:
            if found:
                del self._received[: found[1]]
            elif not self._receive():
                return None
        del self._received[: found[1]]
        return found[0]

    def _rest(self) -> Sequence[Answer]:
        """All answers that come when nothing more is sent."""
        with suppress(OSError):
            if self._connection:
                self._connection.shutdown(socket.SHUT_WR)
        while self._receive():
            pass
        found = all_answers(bytes(self._received))
        self._received.clear()
        return [one for one in found if one.status != 100]

    def _receive(self) -> bool:
        part = b""
        if self._connection:
            try:
                part = self._connection.recv(65536)
            except TimeoutError:
                self._fault("nothing came in time", bytes(self._received))
            except ConnectionError:
                part = b""
        self._received += part
        return bool(part)

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _fault(self, what: str, raw: bytes) -> None:
        self.outcome.faults.append(f"{what} ({self._place}): {raw[:1_500]!r}")


def _is_ours(answer: Answer) -> bool:
    """Our own fault. That something is not implemented, or not of this version, is none."""
    return answer.status >= 500 and answer.status not in (501, 505)


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="sb-") as folder, _ledger(options, folder) as url:
        (Path(folder) / "r").mkdir()
        with (
            running_redis(Path(folder) / "r") as redis_url,
            running(Path(folder), redis_url, url, SERVER) as receiver,
        ):
            began = time.monotonic()
            outcome = flood(receiver, options.requests, options.seed, _progress(began))
            seconds = time.monotonic() - began
    _report(outcome, options.seed, seconds)
    sys.exit(1 if outcome.faults else 0)


def _options() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    return parser.parse_args()


@contextmanager
def _ledger(options: argparse.Namespace, folder: str) -> Iterator[str]:
    if options.database == "sqlite":
        yield f"sqlite:///{folder}/ledger.db"
    else:
        with running_postgresql() as url:
            yield url


def _progress(began: float, every: int = 50_000) -> Callable[[int], None]:
    told = every

    def tell(count: int) -> None:
        nonlocal told
        if count >= told:
            told += every
            _say(f"  {count} sent, {count / (time.monotonic() - began):.0f}/s")

    return tell


def _report(outcome: Outcome, seed: int, seconds: float) -> None:
    _say(
        f"seed {seed}: {outcome.requests} mutated requests over {outcome.connections} connections"
        f" in {seconds:.0f} s, {outcome.requests / seconds:.0f}/s"
    )
    _say(f"answers: {dict(sorted(outcome.statuses.items()))}")
    _say(f"genuine webhooks between them: {outcome.held.total()} that must be in the ledger")
    for fault in outcome.faults[:MAX_FAULTS]:
        _say(f"FAULT {fault}")
    _say(f"{len(outcome.faults)} faults")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # what it is for


if __name__ == "__main__":
    main()
