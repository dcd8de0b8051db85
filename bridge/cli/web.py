"""`showbridge web`: the receiver."""

from __future__ import annotations

import click

from bridge.cli.concerns import log_concerns
from bridge.cli.start import (
    await_ledger,
    load_config,
    redis_url,
    require_free_port,
    require_own_secrets,
    require_secrets,
)
from bridge.logs import set_up_logging


@click.command("web")
def command() -> None:
    """Receive webhooks (gunicorn and Flask). Needs REDIS_URL, but runs on while Redis is away."""
    config = load_config()
    url = redis_url(config)
    require_free_port(config)
    set_up_logging("web")
    log_concerns(config)
    database = await_ledger(config)
    require_own_secrets(config, database)
    require_secrets(config)
    database.close()
    # Flask and gunicorn are of no use to any other command.
    from bridge.web.server import Server

    Server(config, url).run()
