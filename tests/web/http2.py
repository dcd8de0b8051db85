"""One HTTP/2 request over TLS, made by hand so that it can be wrong (RFC 9113, RFC 7541)."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.web.wire import PATIENCE

_DATA, _HEADERS, _RESET, _SETTINGS, _GOAWAY = 0, 1, 3, 4, 7
_END_STREAM, _END_HEADERS = 1, 4
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Heard:
    """All data of the answer, and whether the stream came to its end without being reset."""

    body: bytes
    is_whole: bool


def say(port: int, host: str, headers: Headers, body: bytes) -> Heard:
    """Send the only request of a connection. No certificate is checked."""
    with _connected(port, host) as connection:
        fields = b"".join(_literal(name, value) for name, value in headers)
        # A server that refuses the first frame may be gone before the last is written.
        with suppress(OSError):
            connection.sendall(
                _PREFACE
                + _frame(_SETTINGS, 0, 0, b"")
                + _frame(_HEADERS, _END_HEADERS, 1, fields)
                + _frame(_DATA, _END_STREAM, 1, body)
            )
        data = b""
        for kind, flags, payload in _frames(connection):
            if kind == _DATA:
                data += payload
            if kind in (_RESET, _GOAWAY):
                return Heard(data, is_whole=False)
            if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
                return Heard(data, is_whole=True)
        return Heard(data, is_whole=False)


def _connected(port: int, host: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connection = context.wrap_socket(plain, server_hostname=host)
    assert connection.selected_alpn_protocol() == "h2"
    return connection


def _frames(connection: ssl.SSLSocket) -> Iterator[tuple[int, int, bytes]]:
    """Until the server hangs up."""
    received = b""
    with suppress(ConnectionError, ssl.SSLError):
        while part := connection.recv(65536):
            received += part
            while len(received) >= 9 and len(received) >= 9 + (size := _size(received)):
                yield received[3], received[4], received[9 : 9 + size]
                received = received[9 + size :]


def _size(frame: bytes) -> int:
    return int.from_bytes(frame[:3], "big")


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    """A header field as it stands: not indexed, not compressed."""
    return b"\x00" + _text(name) + _text(value)


def _text(text: bytes) -> bytes:
    """With its length, in seven bits and as many bytes more as that takes."""
    if len(text) < 127:
        return bytes([len(text)]) + text
    rest, length = len(text) - 127, b"\x7f"
    while rest >= 128:
        length += bytes([rest % 128 + 128])
        rest //= 128
    return length + bytes([rest]) + text
