"""What every process needs before it can work: the configuration, the data folder, the ledger."""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain

from bridge.cli.embedded_redis import socket_path
from bridge.cli.variables import Variables
from bridge.config import FILE, Config, SourceConfig, load
from bridge.engine.own_redis import own_url
from bridge.environment import DEFAULT_PORT
from bridge.errors import LedgerUnavailable, OperatorError
from bridge.hosts import listening_address, with_port
from bridge.ledger import accounts
from bridge.ledger.database import Database
from bridge.ledger.migrate import migrate
from bridge.ledger.sources import last_taken
from bridge.settings_files import secrets_file

log = logging.getLogger(__name__)

WAIT_SECONDS = 1.0
PRIVILEGED = 1024
LAST_PORT = 65_535
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
            f"{config.folder / FILE} names under `secrets`"
        )


def require_own_secrets(config: Config, database: Database) -> None:
    """Raises OperatorError where a source that had its sender's secret has none, or a random one.

    With a random one each genuine webhook would be refused, which Showpad takes for final.
    """
    if lost := lost_secrets(config, database):
        wanted = [Variables(config).wanted_by(one) for one in lost]
        names = " and ".join(name for some in wanted for name in some) or "`secrets`"
        of = " and ".join(one.name for one in lost)
        raise OperatorError(
            f"{names} {'is' if len(lost) == 1 else 'are'} not set, but webhooks of {of} were "
            "signed with the sender's secret until now, and each genuine one would be refused: "
            "set it again, in .env or wherever it was; if nothing comes from there any more, take "
            f"the source out of {FILE}; to try something out with a random secret, set "
            "SHOWBRIDGE_DATA to another folder"
        )
    with database.write() as connection:
        for source in config.sources.values():
            if source.secrets and not source.trial:
                accounts.note_signed(connection, source.name, time.time())


def lost_secrets(config: Config, database: Database) -> list[SourceConfig]:
    """Sources that had their sender's secret, and have none now, or a random one."""
    return [one for one in config.sources.values() if _has_lost(one, config, database)]


def _has_lost(source: SourceConfig, config: Config, database: Database) -> bool:
    """An earlier version noted nothing: then what it took was signed with what is gone."""
    if source.secrets and not source.trial:
        return False
    with database.read() as connection:
        if accounts.was_signed(connection, source.name):
            return True
        made = secrets_file(config.data, source.name).exists()
        return not made and last_taken(connection, source.name) is not None


def require_free_port(config: Config) -> None:
    """Raises OperatorError if this process cannot listen there, with what to do about it."""
    host, port = config.server.host, config.port
    try:
        _listen(listening_address(host), port)
    except OSError as error:
        why = error.strerror or str(error)
        raise OperatorError(
            f"cannot listen on {with_port(host, port)}: {why}; {_remedy(error, config)}"
        ) from error


def _listen(address: str, port: int) -> None:
    """For a moment; raises OSError."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


def _remedy(error: OSError, config: Config) -> str:
    if error.errno == errno.EACCES:
        return (
            f"a port below {PRIVILEGED} needs rights that this user lacks: choose another one, "
            f"PORT={_free_port(config)}, and let a proxy pass on to it"
        )
    if error.errno == errno.EADDRINUSE:
        return f"stop the program that does, or choose another port: PORT={_free_port(config)}"
    place = f"`host` below `server:` in {config.folder / FILE}"
    return f"{place} must be an address of this machine, such as 127.0.0.1 or 0.0.0.0"


def _free_port(config: Config) -> int:
    """One that can be listened on now: the next, or from the usual one on."""
    address = listening_address(config.server.host)
    first = config.port + 1 if config.port >= PRIVILEGED else DEFAULT_PORT
    for port in chain(range(first, LAST_PORT + 1), range(DEFAULT_PORT, first)):
        with suppress(OSError):
            _listen(address, port)
            return port
    return DEFAULT_PORT
