"""What `showbridge run` says: once when all is up, and when something needs a person."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from sqlalchemy import make_url

from bridge.cli.hooks import hook_url, receiver
from bridge.config import Config
from bridge.dotenv_file import NAME, read_dotenv
from bridge.errors import LedgerUnavailable
from bridge.hosts import as_seen_here, in_url
from bridge.ledger.alerts import open_alerts
from bridge.ledger.database import Database
from bridge.settings_files import secrets_file

LOOK_SECONDS = 2.0


def welcome(config: Config, own_redis: Sequence[str] | None, log: Path | None) -> str:
    """A few lines: what is running, the URLs to paste, what to try next."""
    return "\n".join(
        [
            "",
            click.style("Showbridge is running.", bold=True) + " Ctrl-C stops it.",
            "",
            *_running(config, own_redis, log),
            "",
            click.style("Webhook URLs", bold=True),
            *_urls(config),
            "",
            click.style("Try next, in a second terminal", bold=True),
            f"  {_given()}{_program()} send --all",
            f"  {_given()}{_program()} events",
            "",
        ]
    )


def _running(config: Config, own_redis: Sequence[str] | None, log: Path | None) -> Iterator[str]:
    server, workers = config.server, config.delivery.workers
    everywhere = "" if as_seen_here(server.host) == server.host else " and all other addresses"
    yield _line("receiver", f"{receiver(config)}{everywhere}, {server.web_workers} processes")
    yield _line("workers", f"{workers}, and the clock")
    yield _line("redis", f"our own, {own_redis[0]}" if own_redis else "at REDIS_URL")
    yield _line("ledger", _ledger(config))
    live = [account.name for account in config.accounts.values() if not account.preview]
    preview = [account.name for account in config.accounts.values() if account.preview]
    if live:
        yield _line("live", ", ".join(live))
    if preview:
        yield _line("preview", f"{', '.join(preview)}: calls are recorded, nothing leaves")
    if log is not None:
        yield _line("log", str(log))


def _line(name: str, what: str) -> str:
    return f"  {click.style(name.ljust(9), fg='cyan')} {what}"


def _ledger(config: Config) -> str:
    url = make_url(config.database_url)
    if url.get_backend_name() == "sqlite":
        return f"{url.database} (SQLite)"
    return f"PostgreSQL, {in_url(url.host or 'local')}/{url.database}"


def _urls(config: Config) -> Iterator[str]:
    for source in config.sources.values():
        yield _line(source.name, hook_url(receiver(config), source, hidden=True))
        if source.trial:
            file = secrets_file(config.data, source.name)
            yield f"  {'':9} signed with a random secret for trying out: {file}"


def _given() -> str:
    """The variables of this start that the second terminal needs too; none is a secret."""
    names = ("PORT", "SHOWBRIDGE_DATA", "SHOWBRIDGE_CONFIG")
    dotenv = read_dotenv(Path(NAME))
    given = [name for name in names if os.environ.get(name) and name not in dotenv]
    return "".join(f"{name}={shlex.quote(os.environ[name])} " for name in given)


def _program() -> str:
    """As it was typed, or as it can be typed."""
    beside = Path(sys.executable).parent / "showbridge"
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return "showbridge"


class Announcer:
    """Tells of each alert once, when it is raised: mistakes in the rules, a refused account."""

    def __init__(self, database: Database, say: Callable[[str], None]) -> None:
        self._database = database
        self._say = say
        self._told: set[tuple[str, str, str]] = set()
        self._next = 0.0

    def announce(self, now: float) -> None:
        if now < self._next:
            return
        self._next = now + LOOK_SECONDS
        try:
            with self._database.read() as connection:
                alerts = open_alerts(connection)
        except LedgerUnavailable as failure:
            self._say(f"the ledger is away: {failure}")
            return
        fresh = {(alert.kind, alert.subject, alert.text) for alert in alerts}
        for _, _, text in sorted(fresh - self._told):
            self._say(text)
        self._told = fresh
