"""gunicorn, set up for short requests from few senders and hostile ones from many."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn, ThreadWorker

from bridge.config import Config
from bridge.engine.queue import connect
from bridge.ledger.database import Database
from bridge.web.app import create_app

log = logging.getLogger(__name__)

# Short enough for a restart, longer than any request may take.
GRACEFUL_SECONDS = 12
# How long who still sends is listened to after the answer, and who does not.
PARTING_SECONDS = 2.0
PARTING_PAUSE = 0.25


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Runs the receiver until it is told to stop; each worker makes its own application."""

    def __init__(self, config: Config, redis_url: str) -> None:
        self._config = config
        self._redis_url = redis_url
        super().__init__()

    def load_config(self) -> None:
        server = self._config.server
        settings = {
            "bind": [f"{server.host}:{self._config.port}"],
            "workers": server.web_workers,
            "threads": server.threads,
            "worker_class": _worker_class(server.request_seconds),
            "logger_class": JsonLogger,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 60,
            "keepalive": 15,
            "limit_request_line": 2048,
            "control_socket_disable": True,
            "proc_name": "showbridge-web",
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        database = Database(self._config.database_url)
        app = create_app(self._config, database, connect(self._redis_url))
        app.extensions["pressure"].start()
        return app


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Leaves handlers and format to the process, so that all lines look alike."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)
        self.access_log.disabled = True


class DeadlineWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """A threaded worker that hangs up on requests which take too long to arrive.

    gunicorn waits for headers and body without end, so that a few dozen
    clients that send a byte now and then would hold every thread.
    """

    request_seconds: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._began: dict[TConn, float] = {}

    def init_process(self) -> None:
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()
        super().init_process()

    def handle(self, conn: TConn) -> Any:
        self._began[conn] = time.monotonic()
        try:
            again = super().handle(conn)
            if not again:
                _part(conn.sock)
            return again
        finally:
            self._began.pop(conn, None)

    def _watch(self) -> None:
        while True:
            time.sleep(min(1.0, self.request_seconds / 4))
            overdue = time.monotonic() - self.request_seconds
            for conn, began in list(self._began.items()):
                if began < overdue:
                    _hang_up(conn)


def _worker_class(request_seconds: float) -> type[DeadlineWorker]:
    """The server makes the workers itself and hands them nothing of ours but their class."""
    return type("Worker", (DeadlineWorker,), {"request_seconds": request_seconds})


def _part(sock: socket.socket) -> None:
    """Take leave of a client: it gets the whole answer, whatever it is still sending.

    gunicorn would wait for it in the one thread that accepts, two seconds for
    each client that does not hang up, and nobody would be let in meanwhile.
    """
    end = time.monotonic() + PARTING_SECONDS
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(PARTING_PAUSE)
        while time.monotonic() < end and sock.recv(65536):
            pass
    with suppress(OSError):
        # What gunicorn then reads is the end.
        sock.shutdown(socket.SHUT_RD)


def _hang_up(conn: TConn) -> None:
    try:
        conn.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("an overdue connection was gone already")
