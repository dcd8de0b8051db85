"""`showbridge worker`: routes events and makes the calls."""

from __future__ import annotations

import os
import sys
import time

import click

from bridge.cli.concerns import log_concerns
from bridge.cli.start import await_ledger, load_config, redis_url, require_redis_named
from bridge.cli.supervisor import Part, Supervisor
from bridge.config import Config
from bridge.engine import assemble
from bridge.engine.queue import LaneQueue, connect
from bridge.engine.worker import work
from bridge.logs import set_up_logging

# Nothing but a signal has to be noticed.
TEND_SECONDS = 3600.0
# Where processors are short, the receiver goes first: a sender waits for its answer, while what
# was acknowledged can wait.
NICENESS = 5


@click.command("worker")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="How many to run side by side; as bridge.yaml says (delivery.workers) if not given.",
)
def command(processes: int | None) -> None:
    """Route events and deliver them (RQ workers)."""
    config = load_config()
    count = processes or config.delivery.workers
    require_redis_named(config)
    url = redis_url(config)
    if count == 1:
        _work(config, url)
    else:
        # What no worker can start without is said once, and not by each again and again.
        set_up_logging("worker")
        log_concerns(config)
        await_ledger(config).close()
        _work_side_by_side(count)


def _work(config: Config, url: str) -> None:
    set_up_logging("worker")
    os.nice(NICENESS)
    database = await_ledger(config)
    assemble.resume_corrected(config, database, time.time())
    assemble.note_accounts(config, database, time.time())
    queue = LaneQueue(connect(url))
    work(assemble.turns(config, database, queue, time.time), lambda: connect(url))


def _work_side_by_side(count: int) -> None:
    one = [sys.executable, "-m", "bridge", "worker", "--processes", "1"]
    parts = [Part(f"worker {number}", one, os.environ) for number in range(1, count + 1)]
    supervisor = Supervisor(parts, lambda line: click.echo(line, err=True))
    with supervisor.running():
        while supervisor.tend():
            supervisor.wait(TEND_SECONDS)
