"""gunicorn, set up for short requests from few senders and hostile ones from many."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from bridge.config import Config
from bridge.engine.queue import connect
from bridge.hosts import listening_address, with_port
from bridge.ledger.database import Database
from bridge.web import hooks
from bridge.web.app import create_app
from bridge.web.refusals import Refusals
from bridge.web.shares import Shares
from bridge.web.worker import Terms, worker_class

# Short enough for a restart, longer than any request may take.
GRACEFUL_SECONDS = 12
_MEMORY = Path("/dev/shm")  # noqa: S108  # gunicorn makes files there that nobody else can open


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Runs the receiver until it is told to stop; each worker makes its own application."""

    def __init__(self, config: Config, redis_url: str) -> None:
        self._config = config
        self._redis_url = redis_url
        self._refusals = Refusals()
        super().__init__()

    def load_config(self) -> None:
        server, shares = self._config.server, Shares()
        inflates = any(source.accept_gzip for source in self._config.sources.values())
        largest = max((source.max_body for source in self._config.sources.values()), default=0)
        settings = {
            "bind": [with_port(listening_address(server.host), self._config.port)],
            "workers": server.web_workers,
            "worker_class": worker_class(Terms(server, shares, self._refusals, largest, inflates)),
            # However it ended.
            "child_exit": lambda _arbiter, worker: shares.leave(worker.age),
            "logger_class": JsonLogger,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 60,
            "limit_request_line": 2048,
            # No sender and no proxy has a say in what our paths and addresses are: what is told
            # of the client is read by us, as far as `trusted_proxies` wrote it.
            "forwarder_headers": "",
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "worker_tmp_dir": str(_for_heartbeats(self._config.data)),
            "control_socket_disable": True,
            "proc_name": "showbridge-web",
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """In each worker, after the fork."""
        hooks.log.addFilter(self._refusals)
        database = Database(self._config.database_url)
        app = create_app(self._config, database, connect(self._redis_url))
        app.extensions["pressure"].start()
        app.extensions["standby"].start()
        return app


def _for_heartbeats(data: Path) -> Path:
    """In memory if that can be, else beside the ledger, which is writable if anything is.

    https://gunicorn.org/reference/settings/#worker_tmp_dir
    """
    return _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else data


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Leaves handlers and format to the process, so that all lines look alike."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)
        self.access_log.disabled = True
