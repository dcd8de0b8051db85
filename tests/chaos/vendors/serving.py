"""HTTP/1.1 with kept-alive connections, as little of it as the SDKs speak, and resets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from tests.chaos.vendors.messages import Answer, Request

Handler = Callable[[Request, Callable[[], bool]], Awaitable[Answer]]


class Connection(asyncio.Protocol):
    """One request after the other; who hangs up meanwhile is noticed."""

    def __init__(self, handler: Handler, reset: Answer) -> None:
        self._handler = handler
        self._reset = reset
        self._received = b""
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._go_on()

    def _go_on(self) -> None:
        request = self._next() if self._task is None and self._transport else None
        if request is not None:
            self._task = asyncio.ensure_future(self._answer(request))

    def _next(self) -> Request | None:
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return None
        self._received = rest[length:]
        return Request(method, target, headers, rest[:length])

    async def _answer(self, request: Request) -> None:
        answer = await self._handler(request, lambda: self._transport is None)
        self._task = None
        if self._transport is None:
            return
        if answer is self._reset:
            self._break()
            return
        self._transport.write(answer.as_bytes())
        if request.headers.get("connection", "").lower() == "close":
            self._transport.close()
        else:
            self._go_on()

    def _break(self) -> None:
        """No lingering: the close becomes a reset, as when a machine dies."""
        assert self._transport is not None
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
