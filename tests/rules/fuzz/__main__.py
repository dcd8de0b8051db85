"""`python -m tests.rules.fuzz --cases 50000 --seed 1`: no file may end in a traceback.

Afterwards each of the heavy files is compiled in a process of its own, and may
take a second and 200 MB.
"""

from __future__ import annotations

import argparse
import sys

from tests.rules.fuzz.heavy import HEAVY
from tests.rules.fuzz.measure import Measured, in_own_process, measured
from tests.rules.fuzz.run import run

MOST_SECONDS = 1.0
MOST_MEGABYTES = 200


def main() -> int:
    options = _options()
    if options.one is not None:
        sys.stdout.write(measured(HEAVY[options.one]()).json())
        return 0
    report = run(options.cases, options.seed)
    _say(report)
    heavy = {} if options.no_heavy else {name: in_own_process(name) for name in HEAVY}
    for name, one in sorted(heavy.items(), key=lambda each: -each[1].seconds):
        _say(f"{'   ' if _fine(one) else '!! '}{one}  {name}")
    return 0 if not report.broken and all(map(_fine, heavy.values())) else 1


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fine(one: Measured) -> bool:
    return one.seconds < MOST_SECONDS and one.megabytes < MOST_MEGABYTES and not one.broken


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.rules.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-heavy", action="store_true", help="leave the heavy files out")
    parser.add_argument("--one", help="compile one heavy file in this process", choices=HEAVY)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
