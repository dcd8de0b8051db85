"""What strangers can do to the receiver: python -m benchmarks.hostile --seconds 60

A receiver is sent 100 genuine webhooks a second, of both sources, while 200
hostile connections do their worst over an uplink of 100 Mbit/s: what became of
the genuine ones, and what the web processes needed. The attackers run at a low
priority, since they would be other machines.

`--kinds` chooses what they do (`--list` tells the kinds). `--cost` prints a
table of what one refused request costs, by kind and size, beside receiving and
hashing the same bytes. `--uplink` fills the uplink with refused requests of
each size and tells what that leaves for genuine ones. Linux only: the figures
come from /proc. All stays on loopback.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import strangers
from benchmarks.load import run as load
from tests.servers import running_postgresql, running_redis
from tests.web.attack import KINDS
from tests.web.genuine import NAMES, genuine
from tests.web.receivers import ROOT, Process, Receiver, running
from tests.web.senders import percentile

RATE = 100
WARM_UP_SECONDS = 3.0
# Until what is left of an attack has been given back.
REST_SECONDS = 15.0
SAMPLE_SECONDS = 0.5


def main() -> None:
    options = _options()
    if options.list:
        print("\n".join(KINDS))
        return
    with _receiver(options.database) as (receiver, folder):
        if options.cost:
            _report_costs(receiver, folder, options.sources)
        elif options.uplink:
            _report_uplink(receiver, options.seconds, options.megabits)
        else:
            _report_attack(receiver, options)


def _options() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--addresses", type=int, default=200, help="that the attackers come from")
    parser.add_argument("--megabits", type=float, default=100.0, help="of the attackers' uplink")
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=tuple(KINDS))
    parser.add_argument("--list", action="store_true", help="the kinds, and nothing else")
    parser.add_argument("--cost", action="store_true", help="of one refused request, as a table")
    parser.add_argument("--sources", nargs="+", choices=NAMES, default=NAMES, help="for --cost")
    parser.add_argument("--uplink", action="store_true", help="full of refused requests")
    return parser.parse_args()


@contextmanager
def _receiver(database: str) -> Iterator[tuple[Receiver, Path]]:
    with tempfile.TemporaryDirectory(prefix="sb-") as name, _ledger(database, name) as url:
        folder = Path(name)
        (folder / "r").mkdir()
        with running_redis(folder / "r") as redis_url, running(folder, redis_url, url) as receiver:
            yield receiver, folder


@contextmanager
def _ledger(database: str, folder: str) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{folder}/ledger.db"
    else:
        with running_postgresql() as url:
            yield url


# Programs beside the receiver


def _started(module: str, receiver: Receiver, *options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, "--port", str(receiver.port), *map(str, options)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _begun(process: subprocess.Popen[str]) -> None:
    if process.stdout is None or process.stdout.readline() != "begun\n":
        raise RuntimeError(f"{process.args!r} did not begin")


def _told(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    said, _ = process.communicate()
    found: Mapping[str, Any] = json.loads(said)
    return found


def _genuine(receiver: Receiver, seconds: float, seed: int) -> subprocess.Popen[str]:
    options = ("--seconds", seconds, "--rate", RATE, "--seed", seed)
    return _started("tests.web.senders", receiver, *options)


# The attack


class _Watch:
    """The most memory that each process had, looked at now and then."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.proportional = dict.fromkeys(processes, 0.0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            for process, most in self.proportional.items():
                self.proportional[process] = max(most, process.proportional())


def _report_attack(receiver: Receiver, options: argparse.Namespace) -> None:
    _told(_genuine(receiver, WARM_UP_SECONDS, 1))
    processes = receiver.web_processes()
    before = [(each.resident(), each.proportional()) for each in processes]
    spent, logged = _processor(processes), receiver.log.stat().st_size
    for each in processes:
        each.forget_peak()
    with _Watch(processes) as watch:
        attackers = _attackers(receiver, options)
        sent = _told(_genuine(receiver, options.seconds, 2))
        hostile = _told(attackers)
    if receiver.web_processes() != processes:
        print("FAULT: web processes were restarted, their figures are lost")
        return
    spent, logged = _processor(processes) - spent, receiver.log.stat().st_size - logged
    peaks = [(each.peak(), watch.proportional[each]) for each in processes]
    _tell_genuine(sent)
    _tell_hostile(hostile, options.seconds)
    print(f"processor: {spent:.1f} s in {options.seconds:.0f} s, of all web processes together")
    print(
        f"log: {logged / max(1, hostile['bytes']):.4f} bytes for each hostile byte, {logged} in all"
    )
    time.sleep(REST_SECONDS)
    for number, each in enumerate(processes):
        rest = each.resident(), each.proportional()
        _tell_memory(number, before[number], peaks[number], rest)
    checked = receiver.verify()
    print(f"verify: {'all is right' if checked.returncode == 0 else checked.stdout}")
    print(f"errors in the log: {len(receiver.errors())}")


def _attackers(receiver: Receiver, options: argparse.Namespace) -> subprocess.Popen[str]:
    chosen = ("seconds", "connections", "addresses", "megabits")
    given = [part for name in chosen for part in (f"--{name}", getattr(options, name))]
    started = _started("tests.web.attack", receiver, *given, "--kinds", *options.kinds)
    _begun(started)
    return started


def _processor(processes: Sequence[Process]) -> float:
    return sum(each.cpu_seconds() for each in processes)


def _tell_genuine(told: Mapping[str, Any]) -> None:
    accepted = told["answers"].get("200 accepted", 0)
    print(f"genuine: {accepted} of {told['sent']} accepted {_latencies(told['latencies'])}")
    if accepted != told["sent"]:
        print(f"  answers: {told['answers']}")


def _latencies(seconds: Sequence[float]) -> str:
    p50, p99, most = (percentile(seconds, share) * 1e3 for share in (0.5, 0.99, 1.0))
    return f"(p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {most:.0f} ms)"


def _tell_hostile(hostile: Mapping[str, Any], seconds: float) -> None:
    megabits = hostile["bytes"] * 8 / seconds / 1e6
    print(f"hostile: {hostile['bytes'] / 1e6:.1f} MB sent, {megabits:.0f} Mbit/s")
    print(f"  answers: {dict(sorted(Counter(hostile['statuses']).items()))}")
    print(f"  done in full: {hostile['done']}")


def _tell_memory(number: int, *pairs: tuple[float, float]) -> None:
    """Before, at its peak and at rest afterwards, each as RSS and PSS."""
    before, peak, rest = (f"{rss:.0f} ({pss:.0f})" for rss, pss in pairs)
    print(f"web process {number + 1}, MB, RSS (PSS): {before} before, {peak} peak, {rest} at rest")


# What a refused request costs


def _report_costs(receiver: Receiver, folder: Path, sources: Sequence[str]) -> None:
    _told(_genuine(receiver, WARM_UP_SECONDS, 1))
    with strangers.bare(folder) as bare:
        rows = []
        for row in strangers.measure(receiver, bare, sources):
            rows.append(row)
            print(f"{row.source}, {row.kind}, {row.size}: {row.ratio:.1f}", file=sys.stderr)
    for line in strangers.table(rows):
        print(line)
    for source, row in strangers.worst(rows).items():
        print(f"\ndearest of {source}: {row.kind}, {row.size}, {row.ratio:.1f} times its bytes")


# What a full uplink leaves

UPLINK_SIZES = (1_000, 64_000, 999_000)
CAPACITY_REQUESTS = 2_000
CAPACITY_CONNECTIONS = 16


def _report_uplink(receiver: Receiver, seconds: float, megabits: float) -> None:
    """`seconds` for each size: first 100 genuine a second, then as many as are answered."""
    _told(_genuine(receiver, WARM_UP_SECONDS, 1))
    heads = (
        "| refused requests of | came through, Mbit/s | refused a second | web processes, cores "
    )
    print(heads + "| genuine accepted | p50, ms | p99, ms | genuine a second at most |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    for size in (0, *UPLINK_SIZES):
        _tell_uplink(receiver, size, seconds, megabits)


def _tell_uplink(receiver: Receiver, size: int, seconds: float, megabits: float) -> None:
    processes = receiver.web_processes()
    with _filled(receiver, size, seconds, megabits) as hostile:
        spent = _processor(processes)
        sent = _told(_genuine(receiver, seconds, size + 2))
        spent = _processor(processes) - spent
    flooded = hostile()
    with _filled(receiver, size, seconds, megabits):
        most = _capacity(receiver)
    accepted = sent["answers"].get("200 accepted", 0)
    p50, p99 = (percentile(sent["latencies"], share) * 1e3 for share in (0.5, 0.99))
    print(
        f"| {size or 'nothing'} | {flooded['bytes'] * 8 / seconds / 1e6:.0f} "
        f"| {flooded['answered'] / seconds:.0f} | {spent / seconds:.2f} "
        f"| {accepted} of {sent['sent']} | {p50:.0f} | {p99:.0f} | {most:.0f} |"
    )


@contextmanager
def _filled(
    receiver: Receiver, size: int, seconds: float, megabits: float
) -> Iterator[Callable[[], Mapping[str, Any]]]:
    """An uplink full of requests of this size; ended with the block, which may ask what it did."""
    told: dict[str, Any] = {"bytes": 0, "answered": 0}
    if not size:
        yield lambda: told
        return
    options = ("--size", size, "--seconds", seconds, "--megabits", megabits)
    flood = _started("benchmarks.uplink", receiver, *options)
    _begun(flood)
    yield lambda: told
    told |= _told(flood)


def _capacity(receiver: Receiver) -> float:
    """Genuine webhooks a second, each connection its next as soon as it has its answer."""
    random = Random(time.monotonic_ns())
    prepared = [
        genuine(random, NAMES[number % len(NAMES)], time.time).raw
        for number in range(CAPACITY_REQUESTS)
    ]
    return load(receiver.port, prepared, CAPACITY_CONNECTIONS).rate


if __name__ == "__main__":
    main()
