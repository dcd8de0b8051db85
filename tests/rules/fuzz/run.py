"""Many files, one after the other."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from random import Random

from tests.rules.fuzz.making import good_texts, made
from tests.rules.fuzz.measure import most_megabytes
from tests.rules.fuzz.world import event, used, world

_MOST_BROKEN = 10


@dataclass
class Report:
    """`broken` are tracebacks, each with the number that makes the file again."""

    cases: int = 0
    seconds: float = 0.0
    slowest: tuple[float, str] = (0.0, "")
    megabytes: float = 0.0
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        speed = self.cases / self.seconds if self.seconds else 0
        lines = [
            f"{self.cases:,} files in {self.seconds:.0f} s, {speed:.0f} a second",
            f"the slowest took {self.slowest[0] * 1000:.0f} ms: {self.slowest[1]}",
            f"the process held {self.megabytes:.0f} MB at most",
            f"{len(self.broken)} tracebacks",
        ]
        return "\n".join((*lines, *self.broken))


def run(cases: int, seed: int) -> Report:
    """The same files for the same seed."""
    report, known, about, good = Report(), world(), event(), good_texts()
    began = time.perf_counter()
    for number in range(cases):
        text = made(Random(f"{seed}-{number}"), good)
        started = time.process_time()
        try:
            used(text, known, about)
        except Exception:  # noqa: BLE001  # whatever it is, it is what is looked for
            report.broken.append(f"case {seed}-{number}:\n{traceback.format_exc()}\n{text}")
        seconds = time.process_time() - started
        report.slowest = max(report.slowest, (seconds, f"case {seed}-{number}"))
        report.cases += 1
        if len(report.broken) >= _MOST_BROKEN:
            break
    report.seconds = time.perf_counter() - began
    report.megabytes = most_megabytes()
    return report


def text_of(case: str) -> str:
    """The file of a case, to look at it: `1-4711`."""
    return made(Random(case), good_texts())
