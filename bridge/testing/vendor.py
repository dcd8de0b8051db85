"""A vendor on this machine: a real HTTP server that a test scripts and then questions.

A connector's SDK is pointed at `VendorServer.url` and never knows. Replies are
an `Answer`, `Silence.DROP` (the request is read, then the connection dies) or
`Silence.HANG` (nothing comes until the server closes).
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it arrived.

    `path` is as sent, percent signs included; header names are in lower case;
    `body` is parsed JSON, a dict of a form's fields, or else text.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path} {dict(self.query)} {self.body}"


@dataclass(frozen=True)
class Answer:
    """One response; `body` is JSON data, or text or bytes that go out as they are."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()

    def kind(self) -> str:
        return "text/plain" if isinstance(self.body, str | bytes) else "application/json"


class Silence(Enum):
    """The ways of a vendor not to answer."""

    DROP = "drop"
    HANG = "hang"


Reply = Answer | Silence
Handler = Callable[[Request], Reply]


class VendorServer:
    """Listens on 127.0.0.1 while the `with` block lasts; `requests` are all that came, in order."""

    def __init__(self, *replies: Reply, handler: Handler | None = None) -> None:
        self.requests: list[Request] = []
        self.closing = Event()
        self.handler = handler or scripted(*replies)
        self._http = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Speaker", (_Speaker,), {"vendor": self})
        )
        self._http.daemon_threads = True
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def script(self, *replies: Reply) -> None:
        """Answer with these from now on, in order; the last one stays."""
        self.handler = scripted(*replies)

    def take(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.handler(request)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everyone who waits, and refuse connections from now on."""
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def scripted(*replies: Reply) -> Handler:
    """Answer with these in order; the last one stays. Without any: 200 with an empty object."""
    waiting = list(replies) or [Answer(200, {})]

    def answer(request: Request) -> Reply:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return answer


def closed_url() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class _Speaker(BaseHTTPRequestHandler):
    vendor: VendorServer

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self._speak(self.vendor.take(self._request()))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name of the base
        """Stay quiet: what a test prints is the connector's."""

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=_parsed(raw, self.headers.get("Content-Type") or ""),
        )

    def _speak(self, reply: Reply) -> None:
        self.close_connection = True
        if reply is Silence.HANG:
            self.vendor.closing.wait()
        elif reply is Silence.DROP:
            self._drop()
        elif isinstance(reply, Answer):
            self._answer(reply)

    def _drop(self) -> None:
        # No lingering: the close becomes a reset, as when a machine dies.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _answer(self, answer: Answer) -> None:
        payload = answer.payload()
        headers = {"Content-Type": answer.kind(), **answer.headers}
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def _parsed(raw: bytes, kind: str) -> Any:
    text = raw.decode(errors="replace")
    if "json" in kind:
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text
    if "form-urlencoded" in kind:
        return dict(parse_qsl(text, keep_blank_values=True))
    return text or None
