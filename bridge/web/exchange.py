"""A request as bytes to what applications read, and their reply to bytes again.

gunicorn's parser is the authority on what a request says. It reads from memory
here: whatever it is given has arrived, so it never waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gunicorn.http import errors, wsgi
from gunicorn.http.parser import RequestParser
from gunicorn.util import http_date

from bridge.web.answers import Answer
from bridge.web.hooks import Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_STATUSES: Mapping[type[Exception], int] = {
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.ExpectationFailed: 417,
    errors.UnsupportedTransferCoding: 501,
}


@dataclass(frozen=True)
class Exchange:
    """One request that was read, and how its answer is to be framed."""

    environ: WSGIEnvironment
    keeps_alive: bool
    version: str
    without_body: bool
    ends_with_its_bytes: bool
    """Whether the parser, too, finds the request's end where its bytes end."""

    def answer(self, reply: Reply, *, closes: bool) -> bytes:
        """The whole answer as it is sent."""
        return as_bytes(reply, closes=closes, version=self.version, without_body=self.without_body)


class Unreadable(Exception):
    """The bytes are no request; `answer` says what is wrong, and the connection ends with it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.reason)


def read(
    received: bytes, head: int, peer: tuple[str, int], server: tuple[str, int], config: Any
) -> Exchange:
    """Read the head, which is `head` bytes long; raises Unreadable.

    `config` is gunicorn's.
    """
    arrived = _Arrived(received, head)
    parser = RequestParser(config, arrived, peer)
    try:
        request = next(parser)
        _, environ = wsgi.create(request, arrived, peer, server, config)
        body = _body(environ, request, arrived)
    except (errors.ParseException, errors.NoMoreData, StopIteration) as error:
        raise Unreadable(_refusal(error)) from None
    environ["wsgi.multithread"] = True
    environ["wsgi.input"] = BytesIO(body)
    is_chunked = "HTTP_TRANSFER_ENCODING" in environ
    rest = arrived.rest or request.unreader.buf.getbuffer().nbytes
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return Exchange(
        environ=environ,
        keeps_alive=not request.should_close(),
        version=".".join(map(str, request.version)),
        without_body=request.method == "HEAD",
        ends_with_its_bytes=not rest if is_chunked else length == len(body),
    )


def _body(environ: WSGIEnvironment, request: Any, arrived: _Arrived) -> bytes:
    """All of it: how long it may be was seen to before. The parser puts chunks together."""
    if "HTTP_TRANSFER_ENCODING" not in environ:
        return bytes(arrived.rest)
    try:
        return bytes(request.body.read())
    except errors.NoMoreData:
        raise Unreadable(Answer(503, "unavailable", "body-incomplete")) from None


def run(app: WSGIApplication, environ: WSGIEnvironment) -> Reply:
    """What an application replies; its body is put together."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
        started.append((status, headers))
        return lambda _data: None

    parts: Iterable[bytes] = app(environ, start)
    try:
        body = b"".join(parts)
    finally:
        getattr(parts, "close", lambda: None)()
    status, headers = started[-1]
    return Reply(status, headers, body)


def as_bytes(
    reply: Reply, *, closes: bool, version: str = "1.1", without_body: bool = False
) -> bytes:
    """An answer with all that HTTP wants around it; its length stands in the reply's headers."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
    head = (
        f"HTTP/{version} {reply.status}\r\nDate: {http_date()}\r\n"
        f"Connection: {'close' if closes else 'keep-alive'}\r\n{fields}\r\n"
    )
    return head.encode("latin-1") + (b"" if without_body else reply.body)


class _Arrived:
    """What a parser takes for a socket: it hands out the head, then the rest as it is asked for."""

    def __init__(self, received: bytes, head: int) -> None:
        self.rest = memoryview(received)
        self._next = head

    def recv(self, size: int) -> bytes:
        count, self._next = self._next or size, 0
        part, self.rest = self.rest[:count], self.rest[count:]
        return bytes(part)

    def send(self, data: bytes) -> int:
        """Nothing: that the sender may continue was said while its body was still to come."""
        return len(data)


@lru_cache(maxsize=64)
def _slug(name: str) -> str:
    """`InvalidHeaderName` is `invalid-header-name`."""
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in name).strip("-")


def _refusal(error: Exception) -> Answer:
    """By the error's kind alone, since its text quotes what was sent."""
    if isinstance(error, errors.NoMoreData | StopIteration):
        return Answer(400, "refused", "request-incomplete")
    return Answer(_STATUSES.get(type(error), 400), "refused", _slug(type(error).__name__))
