"""The Flask application: the receiver's URLs, and what operators' machines ask."""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
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
from bridge.logs import place_of
from bridge.web.health import readiness
from bridge.web.receive import NOT_DURABLE, Answer, Receiver

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

_METHODS = ["GET", "HEAD", "POST"]


def create_app(
    config: Config, database: Database, redis: Redis, now: Callable[[], float] = time.time
) -> Flask:
    """One application for one process; `database` is to be made after a fork.

    `app.extensions["bell"]` wakes the inbox; whoever closes the database stops it first.
    """
    bell = Bell(Waker(database, LaneQueue(redis), now), INBOX)
    receiver = Receiver(
        sources=config.sources,
        trusted_proxies=config.server.trusted_proxies,
        acceptor=Acceptor(database),
        now=now,
        rung=bell.ring,
    )
    app = Flask("bridge", static_folder=None)
    app.extensions["bell"] = bell
    _add_hooks(app, receiver)
    _add_health(app, database, redis, now)
    _add_error_answers(app)
    app.wsgi_app = _plain_paths(app.wsgi_app)  # type: ignore[method-assign, assignment]  # Flask's own way
    return app


def _add_hooks(app: Flask, receiver: Receiver) -> None:
    def hook(source: str, secret: str | None = None) -> Response:
        began = time.perf_counter()
        answer = receiver.receive(source, secret, request.environ)
        return _response(answer, source, began)

    for path in ("/hooks/<source>", "/hooks/<source>/<secret>"):
        app.add_url_rule(path, "hook", hook, methods=_METHODS)


def _response(answer: Answer, source: str, began: float) -> Response:
    # Tells requests apart in a log; nobody has to be kept from guessing it.
    request_id = f"{random.getrandbits(64):016x}"
    log.info(
        "webhook",
        extra={
            "request": request_id,
            "source": source[:100],
            "status": answer.status,
            "result": answer.result,
            "reason": answer.reason,
            "milliseconds": round((time.perf_counter() - began) * 1000, 1),
        },
    )
    response = Response(_body(answer), status=answer.status, mimetype="application/json")
    response.headers["X-Request-Id"] = request_id
    if answer.status == NOT_DURABLE.status:
        response.headers["Retry-After"] = "3"
    if answer.status in (408, 413, 503):
        # An unread body would be taken for the next request.
        response.headers["Connection"] = "close"
    return response


@lru_cache(maxsize=256)
def _body(answer: Answer) -> bytes:
    return json.dumps(answer.as_json()).encode() + b"\n"


def _add_health(app: Flask, database: Database, redis: Redis, now: Callable[[], float]) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return Response('{"alive": true}\n', mimetype="application/json")

    @app.get("/readyz")
    def readyz() -> Response:
        ready, report = readiness(database, redis, now())
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
        # A bug of ours: the sender is asked to come back, which a 500 also says, but not as surely.
        log.error("a request failed: %s", place_of(error))
        return _response(NOT_DURABLE, "", time.perf_counter())


def _plain_paths(app: WSGIApplication) -> WSGIApplication:
    """`//hooks/showpass/` is `/hooks/showpass`: senders follow no redirect."""

    def plain(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if "//" in path or path.endswith("/"):
            environ["PATH_INFO"] = re.sub("/+", "/", path).rstrip("/") or "/"
        return app(environ, start)

    return plain
