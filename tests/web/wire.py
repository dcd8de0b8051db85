"""HTTP as bytes: requests that may be wrong in any way, and answers as they came."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# What a sender waits for its answer at most; Showpad gives up after 15 seconds.
PATIENCE = 15.0

_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n")
_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)\r\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nConnection: *close\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """One answer; of `100 Continue` too, which has no body."""

    status: int
    head: bytes
    body: bytes

    @cached_property
    def said(self) -> Mapping[str, Any]:
        """What the receiver says; nothing of an answer that is somebody else's, such as a proxy."""
        with suppress(ValueError):
            found = json.loads(self.body)
            return found if isinstance(found, dict) else {}
        return {}

    @property
    def result(self) -> str:
        return str(self.said.get("result", ""))

    @property
    def is_last(self) -> bool:
        return _CLOSES.search(self.head) is not None


def first_answer(received: bytes | bytearray) -> tuple[Answer, int] | None:
    """The answer that stands in front and its length; None if it is not there in full.

    An answer to HEAD announces a body that does not follow: it is taken for one
    if another answer stands directly behind it.
    """
    found = _HEAD.match(received)
    if found is None:
        return None
    head, start = bytes(found[0]), found.end()
    length = _LENGTH.search(head)
    wanted = int(length[1]) if length else 0
    if received[start : start + 7] == b"HTTP/1.":
        wanted = 0
    if len(received) < start + wanted:
        return None
    return Answer(int(found[1]), head, bytes(received[start : start + wanted])), start + wanted


def all_answers(received: bytes) -> Sequence[Answer]:
    """As many as came; the last one may lack its body, as after a HEAD."""
    found = []
    while complete := first_answer(received):
        answer, length = complete
        found.append(answer)
        received = received[length:]
    if rest := _HEAD.match(received):
        found.append(Answer(int(rest[1]), rest[0], received[rest.end() :]))
    return found


def connect(port: int, address: str = "127.0.0.1", seconds: float = PATIENCE) -> socket.socket:
    """A connection that comes from `address`, one of the many that loopback has."""
    connection = socket.create_connection(("127.0.0.1", port), seconds, (address, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_to_end(connection: socket.socket) -> bytes:
    received = bytearray()
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            received += part
    return bytes(received)


def ask(port: int, *parts: bytes) -> Sequence[Answer]:
    """All answers to what is sent before the sender closes its side."""
    return all_answers(say(port, *parts))


def say(port: int, *parts: bytes) -> bytes:
    """All that comes back."""
    with connect(port) as connection:
        with suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
        return read_to_end(connection)


def reset(connection: socket.socket) -> None:
    """Hang up as when a machine dies."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def request(
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
    *,
    framing: str | None = None,
    version: str = "HTTP/1.1",
) -> bytes:
    """`framing` is the header that says where the body ends, if not its length."""
    lines = [
        f"{method} {path} {version}",
        "Host: hooks.example.com",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
        f"Content-Length: {len(body)}" if framing is None else framing,
    ]
    kept = [line for line in lines if line]
    return "\r\n".join([*kept, "", ""]).encode("latin-1") + body


def chunks(body: bytes, size: int, extension: bytes = b"") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    each = (b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts)
    return b"".join(each) + b"0\r\n\r\n"
