"""gunicorn, set up for short requests from few senders and hostile ones from many."""

from __future__ import annotations

import logging
import resource
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from bridge.config import Config
from bridge.engine.queue import connect
from bridge.ledger.database import Database
from bridge.web import hooks
from bridge.web.app import create_app
from bridge.web.connections import MAX_CONNECTIONS
from bridge.web.refusals import Refusals
from bridge.web.shares import Shares
from bridge.web.worker import Terms, worker_class

# Short enough for a restart, longer than any request may take.
GRACEFUL_SECONDS = 12


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Runs the receiver until it is told to stop; each worker makes its own application."""

    def __init__(self, config: Config, redis_url: str) -> None:
        self._config = config
        self._redis_url = redis_url
        super().__init__()

    def load_config(self) -> None:
        server, shares, refusals = self._config.server, Shares(), Refusals()
        hooks.log.addFilter(refusals)
        inflates = any(source.accept_gzip for source in self._config.sources.values())
        largest = max((source.max_body for source in self._config.sources.values()), default=0)
        settings = {
            "bind": [f"{server.host}:{self._config.port}"],
            "workers": server.web_workers,
            "worker_class": worker_class(Terms(server, shares, refusals, largest, inflates)),
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
            "control_socket_disable": True,
            "proc_name": "showbridge-web",
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        _allow_open_files()
        database = Database(self._config.database_url)
        app = create_app(self._config, database, connect(self._redis_url))
        app.extensions["pressure"].start()
        return app


def _allow_open_files() -> None:
    """As many as all connections need beside the ledger's files; often only 1,024 are allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MAX_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Leaves handlers and format to the process, so that all lines look alike."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)
        self.access_log.disabled = True
