"""One request to the very address that was checked, and its answer, within a time and a size.

No redirect is followed, no proxy of the environment is used, nothing is unpacked.
https://urllib3.readthedocs.io/en/stable/advanced-usage.html#custom-sni-hostname
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from threading import Timer
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from bridge.connector import Halted, Retry
from connectors.webhook.addresses import Address

MOST_READ = 65_536
"""Bytes of an answer's body; all that is wanted of it is the status."""


@dataclass(frozen=True)
class Request:
    """`host` is the name that the receiver has to prove; `path` has its query with it."""

    secure: bool
    host: str
    port: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the receiver said, or in `trouble` why it said nothing."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    trouble: Retry | None = None


class _Watch:
    """Cuts a connection off when its time is over, however busily the other side drips."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._timer: Timer | None = None
        self._twin: socket.socket | None = None

    @property
    def left(self) -> float:
        return max(0.01, self._end - time.monotonic())

    def over(self, connected: socket.socket) -> None:
        # Once TLS is spoken the socket is another object; its twin stays.
        self._twin = connected.dup()
        self._timer = Timer(self.left, self._cut, [self._twin])
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        if self._timer and self._twin:
            self._timer.cancel()
            self._timer.join()
            self._twin.close()
            self._timer = self._twin = None

    @staticmethod
    def _cut(twin: socket.socket) -> None:
        with suppress(OSError):
            twin.shutdown(socket.SHUT_RDWR)


class _Plain(HTTPConnection):
    watch: _Watch

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.watch.over(connected)
        return connected


class _Secure(HTTPSConnection):
    watch: _Watch

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.watch.over(connected)
        return connected


def exchange(
    request: Request, addresses: Sequence[Address], seconds: float, trust: ssl.SSLContext
) -> Answer:
    """Tries the addresses until one takes a connection. Raises Halted for a bad certificate."""
    watch = _Watch(seconds)
    for number, address in enumerate(addresses):
        # The last one may use all the time that is left.
        share = watch.left / (len(addresses) - number)
        connection = _connection(request, address, share, watch, trust)
        try:
            connection.connect()
            connection.sock.settimeout(watch.left)
            return _spoken(connection, request)
        except ssl.SSLCertVerificationError:
            raise Halted(
                "the receiver cannot prove its name: its certificate is wrong or has expired; have "
                "it renewed, then `showbridge resume`"
            ) from None
        except (OSError, HTTPError):
            continue
        finally:
            connection.close()
            watch.end()
    return Answer(trouble=Retry("the receiver could not be reached", whole_account=True))


def _connection(
    request: Request, address: Address, seconds: float, watch: _Watch, trust: ssl.SSLContext
) -> HTTPConnection:
    connection: Any
    if request.secure:
        connection = _Secure(
            str(address),
            request.port,
            timeout=seconds,
            ssl_context=trust,
            server_hostname=request.host,
        )
    else:
        connection = _Plain(str(address), request.port, timeout=seconds)
    connection.watch = watch
    return connection  # type: ignore[no-any-return]


def _spoken(connection: HTTPConnection, request: Request) -> Answer:
    """From here on it may have been taken, so that no other address is tried."""
    try:
        connection.request(
            request.method,
            request.path,
            body=request.body,
            headers={"Host": _host(request), "Accept-Encoding": "identity", **request.headers},
            preload_content=False,
            decode_content=False,
            enforce_content_length=False,
        )
        response = connection.getresponse()
    except (OSError, HTTPException, HTTPError, ValueError):
        return Answer(
            trouble=Retry(
                "the receiver did not answer in time or broke off; it may have taken the message, "
                "and will get it again under the same webhook-id"
            )
        )
    with suppress(OSError, HTTPException, HTTPError, ValueError):
        response.read(MOST_READ)
        response.close()
    return Answer(response.status, {k.lower(): v for k, v in response.headers.items()})


def _host(request: Request) -> str:
    name = f"[{request.host}]" if ":" in request.host else request.host
    return name if request.port == (443 if request.secure else 80) else f"{name}:{request.port}"
