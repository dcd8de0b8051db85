"""The Flask application: the receiver's URLs, and what operators' machines ask."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from redis import Redis
from werkzeug.exceptions import HTTPException

from bridge.config import Config
from bridge.engine.queue import LaneQueue
from bridge.engine.wake import Bell, Waker
from bridge.ledger.accept import Acceptor
from bridge.ledger.database import Database
from bridge.ledger.lanes import INBOX
from bridge.web.answers import Answer
from bridge.web.health import Readiness, Report, readiness
from bridge.web.hooks import METHODS, answers_later, broken, plain, posts_first, reply_to
from bridge.web.pressure import Pressure, free_disk_of
from bridge.web.receive import Receiver
from bridge.web.refusals import RefusedSources
from bridge.web.standby import standby_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def create_app(
    config: Config,
    database: Database,
    redis: Redis,
    now: Callable[[], float] = time.time,
    elapsed: Callable[[], float] = time.monotonic,
) -> Flask:
    """One application for one process; `database` is to be made after a fork.

    `app.extensions["bell"]` wakes the inbox; whoever closes the database stops it first.
    `app.extensions["pressure"]` is to be started by who wants the receiver to refuse.
    `app.extensions["standby"]` is to be started by who wants refusals and a missing clock told.
    `app.extensions["answers_later"]` answers in a server's loop whatever needs no thread.
    """
    bell = Bell(Waker(database, LaneQueue(redis), now), INBOX)
    pressure = Pressure(config.server, database, free_disk_of(database), now)
    refused = RefusedSources(now)
    receiver = Receiver(
        sources=config.sources,
        trusted_proxies=config.server.trusted_proxies,
        acceptor=Acceptor(database, config.retention),
        now=now,
        rung=bell.ring,
        pressure=pressure,
        refused=refused,
    )
    app = Flask("bridge", static_folder=None)
    app.extensions["bell"] = bell
    app.extensions["pressure"] = pressure
    app.extensions["standby"] = standby_of(config, database, redis, refused, now)
    _add_hooks(app, receiver)
    ready = Readiness(lambda: readiness(database, redis, now(), pressure.reason), elapsed)
    _add_health(app, ready.ask)
    _add_error_answers(app)
    of_flask = frozenset(rule.rule for rule in app.url_map.iter_rules() if not rule.arguments)
    app.extensions["answers_later"] = answers_later(receiver, of_flask)
    quick = _plain_paths(posts_first(receiver, app.wsgi_app))
    app.wsgi_app = quick  # type: ignore[method-assign, assignment]  # Flask's own way
    return app


def _add_hooks(app: Flask, receiver: Receiver) -> None:
    def hook(source: str, secret: str | None = None) -> Response:
        began = time.perf_counter()
        answer = receiver.receive(source, secret, request.environ)
        return _response(answer, source, began)

    for path in ("/hooks/<source>", "/hooks/<source>/<secret>"):
        app.add_url_rule(path, "hook", hook, methods=METHODS)


def _response(answer: Answer, source: str, began: float) -> Response:
    reply = reply_to(answer, source, began)
    return Response(reply.body, reply.status, reply.headers)


def _add_health(app: Flask, look: Callable[[], Report]) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return Response('{"alive": true}\n', mimetype="application/json")

    @app.get("/readyz")
    def readyz() -> Response:
        ready, report = look()
        text = json.dumps(report) + "\n"
        return Response(text, status=200 if ready else 503, mimetype="application/json")


def _add_error_answers(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        status = error.code or 404
        reason = re.sub(r"\W+", "-", error.name.lower())
        return _response(Answer(status, "refused", reason), "", time.perf_counter())

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        return _response(broken(error), "", time.perf_counter())


def _plain_paths(app: WSGIApplication) -> WSGIApplication:
    def with_plain_path(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = plain(environ.get("PATH_INFO", ""))
        return app(environ, start)

    return with_plain_path
