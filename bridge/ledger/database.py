"""One way to the database: transactions that are durable, take turns, and fail in one way."""

from __future__ import annotations

import fcntl
import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as Connection  # for those who pass one on
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InvalidatePoolError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bridge.errors import LedgerUnavailable
from bridge.ledger.moments import SERVER_TIME
from bridge.regular_files import why

# A server that hangs must not hang the receiver: the sender is asked to come back instead.
_POSTGRESQL = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "options": "-c statement_timeout=20000 -c lock_timeout=8000",
}


# For a writer's turn; then the sender is asked to come back. Seconds.
LONGEST_WAIT = 5.0
_TOO_BUSY = LedgerUnavailable("another process has been writing for too long")


class Database:
    """A SQLite file or a PostgreSQL database behind one interface.

    Safe to share between threads, not between processes: make one after a fork.
    `keeps_time` False lets leases and wakes go by the times that callers give,
    on a server too.
    """

    def __init__(self, url: str, *, keeps_time: bool = True) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._turn = _FileTurn(Path(f"{self.url.database}.lock")) if self.is_sqlite else None
        self._engine = _sqlite(url) if self.is_sqlite else _postgresql(url)
        if keeps_time and not self.is_sqlite:
            self._engine.update_execution_options(**{SERVER_TIME: True})

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the block ends; raises LedgerUnavailable."""
        with _one_failure():
            if self._turn is None:
                with self._engine.begin() as connection:
                    yield connection
                return
            with self._turn, self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view for one or a few queries; raises LedgerUnavailable."""
        with _one_failure(), self._engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One moment of the ledger for all queries of the block; raises LedgerUnavailable."""
        with _one_failure(), self._engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def shorten_journal(self) -> bool:
        """Write SQLite's journal into its file and empty it; False where others are reading.

        Asked for at quiet moments: until it is done or given up, writers wait.
        """
        if self._turn is None:
            return True
        with _one_failure(), self._turn, self._engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_SHORT_WAIT_MS}")
            try:
                row = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000:.0f}")
        return not row[0]

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def _one_failure() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
        raise LedgerUnavailable(_plainly(error)) from error
    except DBAPIError as error:
        # Neither a row's fault nor a statement's: SQLite says so of a damaged file.
        damaged = type(error) is DatabaseError
        if not (damaged or error.connection_invalidated):
            raise
        raise LedgerUnavailable(_plainly(error)) from error


def _plainly(error: Exception) -> str:
    """The driver's first line: never the statement, whose parameters hold bodies."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, OSError) and cause.filename:
        return f"{cause.filename} cannot be used: {why(cause)}"
    return str(cause).strip().partition("\n")[0] or type(cause).__name__


def is_login_refused(failure: LedgerUnavailable) -> bool:
    """Whether a server is there and takes neither user, password nor database."""
    return any(words in str(failure) for words in _REFUSED)


_REFUSED = ("authentication failed", "no password supplied", "pg_hba.conf", "does not exist")
_BUSY_SECONDS = 3.0
_SHORT_WAIT_MS = 20
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        # Transactions are begun here, by name, and not by the driver's guess.
        connect_args={
            "isolation_level": None,
            "timeout": _BUSY_SECONDS,
            "check_same_thread": False,
        },
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        if cursor.execute("PRAGMA page_count").fetchone() == (0,):
            # How a file gives back pages is settled before its journal's mode, or never; asked
            # of one that is there, it would wait for whoever writes.
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _postgresql(url: str) -> Engine:
    engine = create_engine(url, connect_args=_POSTGRESQL, pool_timeout=5, hide_parameters=True)

    @event.listens_for(engine, "checkout")
    def _replace_dropped(connection: Any, _record: object, _proxy: object) -> None:
        """A server that ended has said so: on a quiet connection there is nothing else to read.

        To ask the server itself would cost each transaction one round trip more.
        """
        if connection.closed or _is_readable(connection.fileno()):
            raise InvalidatePoolError

    return engine


def _is_readable(socket: int) -> bool:
    now = select.poll()
    now.register(socket, select.POLLIN)
    return bool(now.poll(0))


class _FileTurn:
    """Gives writers their turn, over threads and processes, none much later than others.

    SQLite's own busy handler waits longer each time, so that under load some
    writers wait for hundreds of milliseconds while others pass. Here all ask
    equally often, and the kernel takes the lock back from a process that dies.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()
        self._file: int | None = None

    def __enter__(self) -> None:
        deadline = time.monotonic() + LONGEST_WAIT
        if not self._thread.acquire(timeout=LONGEST_WAIT):
            raise _TOO_BUSY
        try:
            if self._file is None:
                self._file = _open_private(self._path)
            _lock(self._file, deadline)
        except BaseException:
            self._thread.release()
            raise

    def __exit__(self, *_: object) -> None:
        assert self._file is not None  # set by __enter__  # noqa: S101
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._thread.release()


def _lock(file: int, deadline: float) -> None:
    """Asks again and again, since the kernel's own queue knows no end of patience."""
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise _TOO_BUSY from None
        time.sleep(0.0002)


def _open_private(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
