"""The vendors' process, started, set and asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Simulator:
    url: str

    def set_faults(self, rates: Mapping[str, Mapping[str, float]]) -> None:
        self._ask("POST", "faults", rates)

    def add_people(self, people: Mapping[str, Any]) -> None:
        self._ask("POST", "people", people)

    def reset(self) -> None:
        self._ask("POST", "reset", {})

    def effects(self, since: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", f"effects?since={since}")["effects"]
        return found

    def counters(self) -> dict[str, Any]:
        return self._ask("GET", "counters")

    def _ask(self, method: str, what: str, data: Any = None) -> dict[str, Any]:
        body = None if data is None else json.dumps(data)
        headers = {"Content-Type": "application/json"}
        url = f"{self.url}/_control/{what}"
        answer = urllib3.request(method, url, body=body, headers=headers, timeout=30.0)
        assert answer.status == 200, f"{url}: {answer.status}"
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def running_vendors(seed: int, *options: str) -> Iterator[Simulator]:
    """A simulator in a process of its own while the block lasts."""
    command = [sys.executable, "-m", "tests.chaos.vendors", "--seed", str(seed), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the vendors did not start"
            yield Simulator(f"http://127.0.0.1:{json.loads(line)['port']}")
        finally:
            process.terminate()
