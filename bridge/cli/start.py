"""What every process needs before it can work: the configuration, the data folder, the ledger."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

from bridge.cli.embedded_redis import socket_path
from bridge.config import Config, load
from bridge.engine.own_redis import own_url
from bridge.errors import LedgerUnavailable, OperatorError
from bridge.ledger.database import Database
from bridge.ledger.migrate import migrate

log = logging.getLogger(__name__)

WAIT_SECONDS = 1.0
# What a PostgreSQL says that has refused us for now.
_PASSING = ("starting up", "shutting down", "recovery", "not yet accepting", "too many", "slots")


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """The configuration that the environment names; raises ConfigurationError."""
    return load(os.environ if environ is None else environ)


def make_data_folder(config: Config) -> None:
    """For us alone: the ledger holds names and addresses."""
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        writable = os.access(config.data, os.W_OK | os.X_OK)
    except OSError as error:
        raise OperatorError(
            f"the data folder {config.data} cannot be made: {error.strerror}; "
            "set SHOWBRIDGE_DATA to a folder that this user may write"
        ) from error
    if not writable:
        raise OperatorError(
            f"the data folder {config.data} is not writable; give it to this user, "
            "or set SHOWBRIDGE_DATA to another folder"
        )


def open_ledger(config: Config) -> Database:
    """The ledger at this version's tables; raises OperatorError or LedgerUnavailable."""
    make_data_folder(config)
    database = Database(config.database_url)
    migrate(database)
    return database


def await_ledger(config: Config) -> Database:
    """Like `open_ledger`, but a server that is away is waited for; a refusal is raised."""
    make_data_folder(config)
    database, said = Database(config.database_url), ""
    while True:
        try:
            migrate(database)
        except LedgerUnavailable as failure:
            if database.is_sqlite or not _may_pass(str(failure)):
                raise
            if str(failure) != said:
                log.warning("waiting for the ledger: %s", failure)
            said = str(failure)
            time.sleep(WAIT_SECONDS)
        else:
            return database


def _may_pass(failure: str) -> bool:
    """A server that answers with a refusal, such as of the password, will not think again."""
    return "FATAL" not in failure or any(words in failure for words in _PASSING)


def redis_url(config: Config) -> str:
    """REDIS_URL, or where our own Redis of this data folder listens while it runs."""
    return config.redis_url or own_url(socket_path(config.data))


def require_redis_named(config: Config) -> None:
    """Raises OperatorError where a process on its own would wait for a Redis that nobody starts."""
    if not config.redis_url and not socket_path(config.data).exists():
        raise OperatorError(
            "there is no Redis: set REDIS_URL, or start everything at once with "
            "`showbridge run`, which brings its own"
        )


def require_secrets(config: Config) -> None:
    """Raises OperatorError where a source could verify nothing."""
    lacking = [name for name, source in config.sources.items() if not source.secrets]
    if lacking:
        raise OperatorError(
            f"no signing secret for {', '.join(lacking)}: set the variable or file that "
            f"{config.folder / 'bridge.yaml'} names under `secrets`"
        )


def require_free_port(config: Config) -> None:
    """Raises OperatorError where another program listens already."""
    host, port = config.server.host, config.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OperatorError(
                f"cannot listen on {host}:{port}: {error.strerror}; stop the program that "
                f"does, or choose another port: PORT={port + 1}"
            ) from error
