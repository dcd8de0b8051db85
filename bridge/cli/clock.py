"""`showbridge clock`: wakes what is due and what was missed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import click

from bridge.cli.concerns import log_concerns
from bridge.cli.signals import listening
from bridge.cli.start import await_ledger, load_config, redis_url, require_redis_named
from bridge.engine import assemble
from bridge.engine.clock import Clock
from bridge.engine.housekeeping import Housekeeping
from bridge.engine.notify import keep_telling
from bridge.engine.queue import LaneQueue, connect
from bridge.errors import LedgerUnavailable
from bridge.logs import place_of, set_up_logging

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0


@click.command("clock")
def command() -> None:
    """Wake what is due and what was missed; of several one does, the others stand by."""
    config = load_config()
    require_redis_named(config)
    url = redis_url(config)
    set_up_logging("clock")
    log_concerns(config)
    database = await_ledger(config)
    queue = LaneQueue(connect(url))
    clock = assemble.clock(config, database, queue, time.time)
    chores = (
        Housekeeping(database, config.retention, time.time).tick,
        assemble.outages(config, database, time.time).look,
        assemble.lookout(config, database, queue, time.time).look,
        assemble.watch(config, database, time.time).tick,
    )
    notifier = assemble.notifier(config, database, queue, time.time)
    with listening() as signals:
        end_telling = keep_telling(notifier, lambda: clock.holds, lambda: clock.cannot_write)
        log.info("the clock runs")
        while not signals.stop:
            tick(clock, chores)
            signals.wait(TICK_SECONDS)
        end_telling()
        clock.leave()


def tick(clock: Clock, chores: Sequence[Callable[[], None]]) -> None:
    """Who stands by does none of it."""
    clock.tick()
    for chore in chores if clock.holds else ():
        _do(chore)


def _do(chore: Callable[[], None]) -> None:
    """Waking goes on, whatever is in the way of the rest."""
    try:
        chore()
    except LedgerUnavailable as failure:
        log.warning("%s is put off, the ledger is away: %s", _name(chore), failure)
    except Exception as error:  # noqa: BLE001  # tried again in the next round
        log.error("%s failed: %s", _name(chore), place_of(error))


def _name(chore: Callable[[], None]) -> str:
    return chore.__qualname__.partition(".")[0].lower()
