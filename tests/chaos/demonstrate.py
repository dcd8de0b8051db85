"""Each safety in turn, there and taken out: python -m tests.chaos.demonstrate --database sqlite

With all safeties every run must keep the promise; without one of them the
same run must break it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.plan import Size
from tests.chaos.report import Outcome
from tests.chaos.run import Options, run
from tests.chaos.sabotage import SAFETIES

QUIET = Size(kills=2, seconds=30.0, persons=40, rate=8.0, slow=0.25)
BUSY = Size(kills=8, seconds=15.0, persons=30, rate=6.0, resets=0.15)


@dataclass(frozen=True)
class Trial:
    """What makes a safety count. Others must be free to take over from who is slow."""

    size: Size = BUSY
    workers: int = 2


TRIALS = {name: Trial() for name in SAFETIES} | {"renewal": Trial(QUIET, 5)}


def main() -> None:
    given = _options()
    wanted = [given.only] if given.only else list(SAFETIES)
    right = [_try(name, given) for name in wanted]
    sys.exit(0 if all(right) else 1)


def _options() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", choices=tuple(SAFETIES))
    return parser.parse_args()


def _try(name: str, given: argparse.Namespace) -> bool:
    right = True
    for without in (None, name):
        with tempfile.TemporaryDirectory(prefix="showbridge-chaos-") as folder:
            outcome = _run(TRIALS[name], given, without, Path(folder))
        _say(f"{name:11} {'taken out' if without else 'in place '}  {_told(outcome)}")
        right = right and outcome.is_kept is (without is None)
    return right


def _run(trial: Trial, given: argparse.Namespace, without: str | None, folder: Path) -> Outcome:
    # What is left without the re-wake stays there however long one waits.
    deadline = 30.0 if without == "re-wake" else 90.0
    options = Options(given.seed, trial.size, given.database, deadline, trial.workers, without)
    return run(options, folder, lambda line: None)


def _told(outcome: Outcome) -> str:
    return "kept" if outcome.is_kept else "BROKEN: " + "; ".join(_reasons(outcome))


def _reasons(outcome: Outcome) -> Iterator[str]:
    if outcome.happened.left:
        yield f"{sum(outcome.happened.left.values())} left that nobody worked on"
    kinds: dict[str, list[str]] = {}
    for finding in outcome.findings:
        kinds.setdefault(finding.kind, []).append(finding.text)
    for kind, texts in kinds.items():
        yield f"{len(texts)} {kind} ({texts[0]})"
    for name, good, said in outcome.accounts:
        if not good:
            yield f"{name} says {said}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
