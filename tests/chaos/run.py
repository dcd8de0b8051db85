"""One run: from a seed to what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.cli import _COMMANDS as COMMANDS
from tests.chaos.books import read_books
from tests.chaos.check import Evidence, check
from tests.chaos.conductor import Conductor
from tests.chaos.installation import LEASE_SECONDS, Installation, installed, ledger
from tests.chaos.parts import ROOT
from tests.chaos.plan import AUDIENCE, Plan, Size, make
from tests.chaos.report import Outcome
from tests.chaos.simulator import Simulator, running_vendors

# Far beyond the lease, and well within the time that a connector waits.
SLOW_SECONDS = LEASE_SECONDS * 2.5


@dataclass(frozen=True)
class Options:
    """`deadline`: seconds in which all must have come to rest; `without`: a safety taken out."""

    seed: int
    size: Size
    database: str = "sqlite"
    deadline: float = 120.0
    without: str | None = None


def run(options: Options, folder: Path, say: Callable[[str], None]) -> Outcome:
    on_server = options.database == "postgresql"
    plan = make(options.seed, options.size, with_database=on_server, slow_seconds=SLOW_SECONDS)
    with running_vendors(options.seed, "--hubspot-calls", "190") as vendors:
        members = dict.fromkeys(sorted(plan.left), "unsubscribed")
        vendors.add_people({"mailchimp": {AUDIENCE: members}})
        with installed(folder, options.database, vendors.url, options.without) as installation:
            conductor = Conductor(plan, installation, vendors, say)
            conductor.run(options.deadline)
            return _outcome(plan, installation, vendors, conductor)


def _outcome(
    plan: Plan, installation: Installation, vendors: Simulator, conductor: Conductor
) -> Outcome:
    database = ledger(installation)
    books = read_books(database)
    database.close()
    evidence = Evidence(plan, conductor.sender.acknowledged, books, vendors.effects())
    return Outcome(
        evidence=evidence,
        happened=conductor.happened,
        findings=check(evidence),
        answers=conductor.sender.answers,
        counters=vendors.counters(),
        ended=installation.house.ended,
        accounts=list(_accounts(installation.environ)),
    )


def _accounts(environ: Mapping[str, str]) -> Iterator[tuple[str, bool, str]]:
    """What the bridge itself says of its books."""
    for name in ("status", "verify"):
        if name not in COMMANDS:
            continue
        command = [sys.executable, "-m", "bridge", name, "--json"]
        done = subprocess.run(
            command, env=dict(environ), cwd=ROOT, capture_output=True, text=True, check=False
        )
        good = done.returncode == 0
        yield f"showbridge {name}", good, _told(done.stdout) if good else _tail(done)


def _told(text: str) -> str:
    try:
        said = json.loads(text)
    except ValueError:
        return text.strip()[-300:]
    shown = {key: said[key] for key in ("books", "webhooks", "deliveries") if key in said}
    return json.dumps(shown or said)[:400]


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stdout + done.stderr).strip()[-600:]
