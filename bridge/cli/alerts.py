"""`showbridge alerts`: who is told of alerts, and whether that works."""

from __future__ import annotations

import os
import time

import click
from rich.text import Text

from bridge.cli.screen import clean, screen
from bridge.cli.start import redis_url
from bridge.config import Config, load
from bridge.engine import assemble
from bridge.engine.notify import try_each
from bridge.engine.queue import LaneQueue, connect
from bridge.ledger.database import Database

_TEST = "This is a test of `showbridge alerts --test`: alerts reach you this way."


@click.command("alerts")
@click.option("--test", is_flag=True, help="Send a test alert to each of them.")
def command(test: bool) -> None:
    """Say who is told of alerts, in order; with --test see that it works."""
    config = load(os.environ)
    if not config.alerts.tell:
        click.echo(
            "Nobody is told: `showbridge status` shows alerts to who looks. "
            f"{config.folder / 'bridge.yaml'} may name somebody under `alerts`."
        )
    elif test:
        _test(config)
    else:
        for number, target in enumerate(config.alerts.tell, 1):
            click.echo(f"{number}. {clean(target.name)}")


def _test(config: Config) -> None:
    database = Database(config.database_url)
    queue = LaneQueue(connect(redis_url(config)))
    targets = assemble.notifier(config, database, queue, time.time).targets
    failed = False
    for name, reason in try_each(targets, _TEST):
        failed = failed or bool(reason)
        line = Text.assemble((f"{clean(name)}  ", "bold"), _said(reason))
        screen().print(line, soft_wrap=True)
    database.close()
    if failed:
        raise click.exceptions.Exit(1)


def _said(reason: str) -> tuple[str, str]:
    return (f"failed: {clean(reason, 200)}", "red") if reason else ("sent", "green")
