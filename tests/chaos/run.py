"""One run: from a seed to what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.books import read_books
from tests.chaos.check import Effect, Evidence, check
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
    deadline: float = 300.0
    workers: int = 2
    without: str | None = None


def run(options: Options, folder: Path, say: Callable[[str], None]) -> Outcome:
    on_server = options.database == "postgresql"
    plan = make(options.seed, options.size, with_database=on_server, slow_seconds=SLOW_SECONDS)
    with running_vendors(options.seed, "--hubspot-calls", "190") as vendors:
        members = dict.fromkeys(sorted(plan.left), "unsubscribed")
        vendors.add_people({"mailchimp": {AUDIENCE: members}})
        where = (folder, options.database, vendors.url, options.workers, options.without)
        with installed(*where) as installation:
            conductor = Conductor(plan, installation, vendors, say)
            conductor.run(options.deadline)
            effects = vendors.effects()
            (folder / "effects.json").write_text(json.dumps(effects))
            return _outcome(plan, installation, vendors, conductor, effects)


def _outcome(
    plan: Plan,
    installation: Installation,
    vendors: Simulator,
    conductor: Conductor,
    effects: Sequence[Effect],
) -> Outcome:
    database = ledger(installation)
    books = read_books(database)
    database.close()
    evidence = Evidence(plan, conductor.sender.acknowledged, books, effects)
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
        command = [sys.executable, "-m", "bridge", name, "--json"]
        done = subprocess.run(
            command, env=dict(environ), cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1) or not done.stdout:
            yield f"showbridge {name}", False, (done.stdout + done.stderr).strip()[-600:]
            continue
        said = json.loads(done.stdout)
        # What was rejected, since vendors were made to, needs a person, as `status` says by 1.
        ended_well = done.returncode == 0 or name == "status"
        good = ended_well and not any(_differences(said["books"]))
        yield f"showbridge {name}", good, _told(said)


def _differences(books: Mapping[str, Any]) -> Iterator[int]:
    for book in books.values():
        yield book["difference"]


def _told(said: Mapping[str, Any]) -> str:
    webhooks, owed = said["books"]["webhooks"], said["books"]["deliveries"]
    books = (
        f"{webhooks['acknowledged']} webhooks acknowledged, {webhooks['stored']} stored; "
        f"{owed['planned']} deliveries planned, {owed['stored']} stored"
    )
    findings = [f"{each['count']} {each['what']}" for each in said.get("findings", [])]
    return "; ".join([books, *findings])
