"""The way of a webhook through the web process, and what its sender reads in the end.

A POST to a source's URL is answered here, before Flask: its way to a view and
back would cost as much as verifying and recording the webhook. Everything
else, from a probe to a mistyped URL, finds the same receiver through Flask.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from werkzeug.http import HTTP_STATUS_CODES

from bridge.logs import place_of
from bridge.web.answers import NOT_DURABLE, Answer
from bridge.web.receive import Receiver

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "POST")
HOOK_PATH = r"/hooks/([a-z0-9_-]{1,40})(?:/([A-Za-z0-9_-]{1,128}))?"
_HOOK = re.compile(HOOK_PATH, re.ASCII)


@dataclass(frozen=True)
class Reply:
    """An answer as HTTP: `status` is the whole line, `200 OK`."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def is_refusal(self) -> bool:
        return self.status >= "400"


Finish = Callable[[], Reply]
Later = Callable[["WSGIEnvironment", Callable[[Finish], None]], bool]


def posts_first(receiver: Receiver, others: WSGIApplication) -> WSGIApplication:
    """Whatever is no POST to something like a source's URL goes to the `others`."""

    def first(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        found = _HOOK.fullmatch(environ["PATH_INFO"])
        if found is None or environ["REQUEST_METHOD"] != "POST":
            return others(environ, start)
        began = time.perf_counter()
        reply = _reply(lambda: receiver.receive(found[1], found[2], environ), found[1], began)
        start(reply.status, reply.headers)
        return (reply.body,)

    return first


def answers_later(receiver: Receiver, of_flask: Collection[str]) -> Later:
    """The same without waiting, for all that is no path of Flask's own; whether it is answered.

    `done` is called with what makes the reply, maybe at once, maybe later from
    another thread.
    """

    def later(environ: WSGIEnvironment, done: Callable[[Finish], None]) -> bool:
        path, began = plain(environ["PATH_INFO"]), time.perf_counter()
        if path in of_flask or environ["REQUEST_METHOD"] not in METHODS:
            return False
        found = _HOOK.fullmatch(path)
        source, secret = (found[1], found[2]) if found else ("", None)
        try:
            receiver.receive_later(
                source, secret, environ, lambda make: done(partial(_reply, make, source, began))
            )
        except Exception as error:  # noqa: BLE001  # as in _reply
            done(partial(reply_to, broken(error), source, began))
        return True

    return later


def plain(path: str) -> str:
    """`//hooks/showpass/` is `/hooks/showpass`: senders follow no redirect."""
    if "//" in path or path.endswith("/"):
        return re.sub("/+", "/", path).rstrip("/") or "/"
    return path


def _reply(make: Callable[[], Answer], source: str, began: float) -> Reply:
    try:
        answer = make()
    except Exception as error:  # noqa: BLE001  # a bug of ours: the sender is to come back
        answer = broken(error)
    return reply_to(answer, source, began)


def broken(error: Exception) -> Answer:
    """To a request that failed: come back, which a 500 also says, but not as surely."""
    log.error("a request failed: %s", place_of(error))
    return NOT_DURABLE


def reply_to(answer: Answer, source: str, began: float) -> Reply:
    """Written to the log too; `began` is by `time.perf_counter`."""
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
    status, headers, body = _fixed(answer)
    return Reply(status, [*headers, ("X-Request-Id", request_id)], body)


@lru_cache(maxsize=256)
def _fixed(answer: Answer) -> tuple[str, tuple[tuple[str, str], ...], bytes]:
    """What is the same in every reply of this answer."""
    body = json.dumps(answer.as_json()).encode() + b"\n"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if answer.status == 503:
        headers.append(("Retry-After", str(answer.retry_after)))
    status = f"{answer.status} {HTTP_STATUS_CODES.get(answer.status, 'Unknown')}"
    return status, tuple(headers), body
