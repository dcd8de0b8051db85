"""What everything costs while nothing happens: processor time and memory of each process.

`python -m benchmarks.idle`: starts `showbridge run`, sends one webhook so that
every connection is open, waits, and measures for 20 seconds (`--seconds`).
Linux only: the figures come from /proc. Each process's time is counted by the
kernel in ticks, usually of 10 ms, so a longer run tells more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import environ, running, showbridge
from tests.servers import free_port, running_postgresql

# Until what the start has left behind is done.
SETTLE_SECONDS = 8.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process of the bridge."""

    number: int
    name: str

    def cpu_seconds(self) -> float:
        """In user and system mode, since it began."""
        fields = Path(f"/proc/{self.number}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> tuple[float, float]:
        """Resident and proportional: pages shared with others count for their share; MB."""
        found = dict.fromkeys(("Rss", "Pss"), 0)
        for line in Path(f"/proc/{self.number}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in found:
                found[name] = int(value.split()[0])
        return found["Rss"] / 1024, found["Pss"] / 1024


def processes_under(number: int) -> Iterator[Process]:
    """The process and all its descendants."""
    yield Process(number, _name(number))
    for child in Path(f"/proc/{number}/task/{number}/children").read_text().split():
        yield from processes_under(int(child))


def _name(number: int) -> str:
    words = Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace").split("\0")
    program = Path(words[0]).name
    return words[3] if "bridge" in words and len(words) > 3 else program


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.postgresql:
            with running_postgresql() as url:
                measure(Path(folder), chosen.seconds, DATABASE_URL=url)
        else:
            measure(Path(folder), chosen.seconds)


def measure(folder: Path, seconds: float, **more: str) -> None:
    port = free_port()
    environment = environ(folder / "data", port, **more)
    url = f"http://127.0.0.1:{port}/healthz"
    with running(showbridge("run"), environment, url, folder / "log") as bridge:
        _send_one(environment)
        time.sleep(SETTLE_SECONDS)
        found = list(processes_under(bridge.pid))
        before = [process.cpu_seconds() for process in found]
        began = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        spent = [after.cpu_seconds() - was for after, was in zip(found, before, strict=True)]
        _print(found, [one / took for one in spent])


def _send_one(environment: dict[str, str]) -> None:
    subprocess.run(
        showbridge("send", "invoice.purchase"), env=environment, check=True, capture_output=True
    )


def _print(found: list[Process], shares: list[float]) -> None:
    print(f"{'process':14} {'% of a core':>11} {'resident MB':>12} {'proportional MB':>16}")
    memories = [process.memory() for process in found]
    for process, share, (resident, proportional) in zip(found, shares, memories, strict=True):
        print(f"{process.name:14} {share:>11.2%} {resident:>12.0f} {proportional:>16.0f}")
    proportional = sum(each for _, each in memories)
    print(f"{'together':14} {sum(shares):>11.2%} {'':>12} {proportional:>16.0f}")


if __name__ == "__main__":
    main()
