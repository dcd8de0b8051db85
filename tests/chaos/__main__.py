"""Pull every plug, again and again, and see what was promised kept: python -m tests.chaos --seed 7

Runs a whole installation (web, two workers, two clocks, a Redis, a database)
beside a simulator of the vendors, sends it a stream of signed webhooks, and
kills its parts with `kill -9` while the vendors have bad days. At the end all
must have arrived, once, in each person's order. The same seed repeats the
same plan. `--without SAFETY` takes one safety out: then the run must fail.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import Size
from tests.chaos.report import lines
from tests.chaos.run import Options, run
from tests.chaos.sabotage import SAFETIES


def main() -> None:
    given = _options()
    names = ("kills", "seconds", "persons", "rate", "slow", "resets")
    size = Size(**{name: getattr(given, name) for name in names})
    options = Options(
        given.seed, size, given.database, given.deadline, given.workers, given.without
    )
    _say(f"seed {options.seed}, {options.database}, without {options.without or 'nothing'}")
    # Told to stop, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="showbridge-chaos-"))
    outcome = run(options, folder, _say)
    _say("")
    for line in lines(outcome):
        _say(line)
    _say(f"\nlogs: {folder}\nagain: {_again(options)}")
    sys.exit(0 if outcome.is_kept else 1)


def _options() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300.0, help="of kills and webhooks")
    parser.add_argument("--persons", type=int, default=300)
    parser.add_argument("--rate", type=float, default=6.0, help="webhooks a second")
    parser.add_argument("--slow", type=float, default=0.02, help="least share of slow answers")
    parser.add_argument("--resets", type=float, default=0.0, help="least share of resets")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--deadline", type=float, default=300.0, help="seconds to come to rest")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--without", choices=tuple(SAFETIES), help="a safety to take out")
    return parser.parse_args()


def _again(options: Options) -> str:
    size, without = options.size, f" --without {options.without}" if options.without else ""
    return (
        f"python -m tests.chaos --seed {options.seed} --kills {size.kills} "
        f"--seconds {size.seconds:g} --persons {size.persons} --rate {size.rate:g} "
        f"--slow {size.slow:g} --resets {size.resets:g} --database {options.database} "
        f"--deadline {options.deadline:g} --workers {options.workers}{without}"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
