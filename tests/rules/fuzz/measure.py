"""How long one file takes, and how much memory a process needs that compiles it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.rules.fuzz.world import compiled, world

_LONGEST_WAIT = 120


@dataclass(frozen=True)
class Measured:
    """`megabytes` is the most that the whole process held, Python and the bridge included.

    `outcome` says how the file ended; `broken` is a traceback, where one came.
    """

    seconds: float
    megabytes: float
    outcome: str
    broken: str = ""

    def json(self) -> str:
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        said = f"{self.seconds:6.2f} s {self.megabytes:5.0f} MB  {self.outcome:<14}"
        return f"{said} {self.broken}".rstrip()


def measured(text: str) -> Measured:
    """Compiles one file here. What is imported on the way counts as memory, not as time."""
    known = world()
    compiled("rules: []", known)
    started = time.process_time()
    outcome, broken = "", ""
    try:
        outcome = compiled(text, known)
    except Exception:  # noqa: BLE001  # whatever it is, it is what is looked for
        broken = traceback.format_exc()
    seconds = time.process_time() - started
    return Measured(round(seconds, 3), round(most_megabytes(), 1), outcome, broken)


def most_megabytes() -> float:
    """The most that this process held; what `getrusage` tells is also its parent's at the start."""
    status = Path("/proc/self/status").read_text("ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert found, "Linux tells it there"
    return int(found[1]) / 1024


def in_own_process(name: str) -> Measured:
    """One of the heavy files, in a fresh process."""
    command = [sys.executable, "-m", "tests.rules.fuzz", "--one", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_WAIT)
    except subprocess.TimeoutExpired:
        return Measured(_LONGEST_WAIT, 0, "", "it does not end")
    if done.returncode:
        return Measured(0, 0, "", done.stderr)
    return Measured(**json.loads(done.stdout))
