"""`showbridge run`: everything on one machine, in the foreground."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
from redis.exceptions import RedisError

from bridge.cli.concerns import concerns
from bridge.cli.embedded_redis import redis_command
from bridge.cli.hooks import receiver
from bridge.cli.start import (
    load_config,
    make_data_folder,
    open_ledger,
    redis_url,
    require_free_port,
    require_own_secrets,
)
from bridge.cli.supervisor import Part, Supervisor
from bridge.cli.welcome import LOOK_SECONDS, Announcer, welcome
from bridge.config import Config, world
from bridge.engine.queue import connect, is_refusal, trouble_with
from bridge.errors import OperatorError
from bridge.first_run import make_missing_secrets
from bridge.ledger.database import Database
from bridge.ledger.rule_versions import live
from bridge.rule_files import read_files

START_SECONDS = 20.0
TEND_SECONDS = 0.1


@click.command("run")
def command() -> None:
    """Start the receiver, the workers, the clock and, unless REDIS_URL is set, a Redis."""
    config = load_config()
    make_data_folder(config)
    with _alone(config.data):
        database = open_ledger(config)
        require_own_secrets(config, database)
        make_missing_secrets(config)
        config = load_config()
        require_free_port(config)
        _require_rules(config, database)
        with _log(config.data) as log:
            _run(config, database, log)


def _run(config: Config, database: Database, log: IO[bytes] | None) -> None:
    own_redis = None if config.redis_url else redis_command(config.data)
    url = redis_url(config)
    if own_redis is None:
        _warn_of_redis(url)
    supervisor = Supervisor(
        list(_parts(config, url, own_redis, log)),
        _warn,
        f"; {log_file(config.data)} says why" if log else "",
    )
    for concern in concerns(config):
        _warn(concern)
    with supervisor.running():
        if _wait_until_up(config, url, supervisor, log):
            click.echo(welcome(config, own_redis, log_file(config.data) if log else None))
        announcer = Announcer(database, _warn)
        while supervisor.tend():
            announcer.announce(time.monotonic())
            supervisor.wait(LOOK_SECONDS)
        click.echo("\nStopping: requests and turns under way are finished first.")
    click.echo("Stopped. Nothing is lost: what waits goes on at the next start.")


def _parts(
    config: Config, url: str, own_redis: Sequence[str] | None, log: IO[bytes] | None
) -> Iterator[Part]:
    environ = {**os.environ, "REDIS_URL": url}
    if own_redis is not None:
        yield Part("redis", own_redis, environ, log)
    ours = [sys.executable, "-m", "bridge"]
    yield Part("clock", [*ours, "clock"], environ, log)
    for number in range(1, config.delivery.workers + 1):
        yield Part(f"worker {number}", [*ours, "worker", "--processes", "1"], environ, log)
    yield Part("web", [*ours, "web"], environ, log)


def _wait_until_up(config: Config, url: str, supervisor: Supervisor, log: IO[bytes] | None) -> bool:
    """False where a stop was asked for meanwhile; raises OperatorError where a part stays away."""
    redis = connect(url)
    deadline = time.monotonic() + START_SECONDS
    while supervisor.tend():
        # A Redis of somebody else's may come later: webhooks are taken without it.
        if _answers(config) and (config.redis_url or _pings(redis)):
            return True
        if time.monotonic() > deadline:
            place = f"at the end of {log_file(config.data)}" if log else "above"
            raise OperatorError(f"not everything started in time; the reason stands {place}")
        supervisor.wait(TEND_SECONDS)
    return False


def _warn_of_redis(url: str) -> None:
    """Raises OperatorError for one that is too old; one that is away may come back."""
    trouble = trouble_with(connect(url))
    if is_refusal(trouble):
        _warn(
            f"Redis refuses the user or password of REDIS_URL ({trouble}): webhooks are taken, "
            "deliveries wait until it takes them"
        )
    elif trouble:
        _warn(
            f"Redis does not answer at REDIS_URL ({trouble}): webhooks are taken, "
            "deliveries wait for it"
        )


def _answers(config: Config) -> bool:
    import urllib3

    url = f"{receiver(config)}/healthz"
    try:
        answer = urllib3.request("GET", url, retries=False, timeout=1.0)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200


def _pings(redis: object) -> bool:
    try:
        return bool(redis.ping())  # type: ignore[attr-defined]  # redis types it as a union
    except (RedisError, OSError):
        return False


def _require_rules(config: Config, database: Database) -> None:
    """Mistakes in the rules stop the very first start only: later, the last good version lives."""
    try:
        read_files(config.folder).compiled(world(config))
    except OperatorError as mistakes:
        with database.read() as connection:
            if live(connection) is None:
                raise
        _warn(f"the rules have mistakes, the last good version stays live:\n{mistakes}")


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Two supervisors on one data folder would fight over its Redis."""
    with (data / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OperatorError(
                f"another `showbridge run` uses the data folder {data}; stop it first, "
                "or set SHOWBRIDGE_DATA and PORT for this one"
            ) from error
        yield


@contextmanager
def _log(data: Path) -> Iterator[IO[bytes] | None]:
    """At a terminal the log goes to a file, made new at each start; else to standard error."""
    if not sys.stdout.isatty():
        yield None
        return
    path = log_file(data)
    if path.exists():
        shutil.move(path, path.with_suffix(".previous.log"))
    with path.open("ab") as log:
        path.chmod(0o600)
        yield log


def log_file(data: Path) -> Path:
    return data / "showbridge.log"


def _warn(line: str) -> None:
    click.echo(click.style(line, fg="yellow"), err=True)
