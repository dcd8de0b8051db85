"""gunicorn's threaded worker, quick with whole webhooks and short with slow clients.

A webhook that has arrived whole is checked and answered by the loop that waits
for all clients, since a change of threads costs as much as checking a
signature. Nothing there waits: recording is another thread's work, and many
are recorded at once. Every other request, from a probe to one that arrives
byte by byte, has one of gunicorn's threads to itself.

New connections go to the process that has the fewest, as far as that is awake.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from bridge.web.hooks import Reply
from bridge.web.shares import Shares
from bridge.web.whole import MOST_BYTES, is_whole

log = logging.getLogger(__name__)

# How long who still sends is listened to after the answer, and who does not.
PARTING_SECONDS = 2.0
PARTING_PAUSE = 0.25
# Long enough for whoever waits for nothing else.
STAND_BACK_SECONDS = 0.001

# What gunicorn's threads say of a connection when they give it back to the loop.
_STAYS: Future[Any] = Future()
_STAYS.set_result(True)
_SAYS_NOTHING: Future[Any] = Future()
_SAYS_NOTHING.set_result(_DEFER)


def worker_class(request_seconds: float, shares: Shares) -> type[Worker]:
    """The server makes the workers itself and hands them nothing of ours but their class."""
    return type("Worker", (Worker,), {"request_seconds": request_seconds, "shares": shares})


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Hangs up on requests that take too long to arrive.

    gunicorn waits for headers and body without end, so that a few dozen
    clients that send a byte now and then would hold every thread.
    """

    request_seconds: float
    shares: Shares

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._began: dict[TConn, float] = {}
        self._finished: deque[tuple[TConn, wsgi.Response, Callable[[], Reply]]] = deque()
        self._accepts_again = 0.0
        self._stood_back = False
        self._was_asked = False

    def init_process(self) -> None:
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Leaves a new connection to a process that has far fewer, if that comes for it soon."""
        self._was_asked = True
        if not self._stood_back and self.shares.has_too_many(self.age, self.nr_conns):
            self._stood_back = True
            self._accepts_again = time.monotonic() + STAND_BACK_SECONDS
            self.set_accept_enabled(False)
            return
        self._stood_back = False
        super().accept(listener)

    def set_accept_enabled(self, enabled: bool) -> None:
        """The loop asks for it again and again."""
        if not enabled or time.monotonic() >= self._accepts_again:
            super().set_accept_enabled(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        if self.alive:
            self.shares.tell(self.age, self.nr_conns)
            if not self._accepting and self.nr_conns < self.worker_connections:
                timeout = min(timeout, max(0.0, self._accepts_again - time.monotonic()))
        else:
            self.shares.leave(self.age)
        self._was_asked = False
        super().wait_for_and_dispatch_events(timeout)
        if self._accepting and not self._was_asked:
            # Another process took it: the next one is another matter.
            self._stood_back = False

    def enqueue_req(self, conn: TConn) -> None:
        """What the loop does with a connection that may have something to read."""
        received = _received(conn)
        if is_whole(received):
            self._receive(conn)
        elif received or conn.data_ready or conn.initialized or not self.alive:
            super().enqueue_req(conn)
        else:
            self.finish_request(conn, _SAYS_NOTHING)

    def handle(self, conn: TConn) -> Any:
        """What a thread does with it."""
        self._began[conn] = time.monotonic()
        try:
            again = super().handle(conn)
            if not again:
                _part(conn.sock)
            return again
        finally:
            self._began.pop(conn, None)

    def _receive(self, conn: TConn) -> None:
        self._began[conn] = time.monotonic()
        request = None
        try:
            conn.init()
            # If it were not whole after all, this would be an error and no wait.
            conn.sock.setblocking(False)
            request = next(conn.parser)
            response, environ = wsgi.create(request, conn.sock, conn.client, conn.server, self.cfg)
            self.wsgi.extensions["posts_later"](environ, partial(self._finish, conn, response))
        except (StopIteration, NoMoreData, OSError):
            self._leave(conn)
        except Exception as error:  # noqa: BLE001  # gunicorn knows which are the client's fault
            self.handle_error(request, conn.sock, conn.client, error)
            self._leave(conn)

    def _finish(self, conn: TConn, response: wsgi.Response, reply: Callable[[], Reply]) -> None:
        """From any thread. The loop is called once for all that it will find."""
        self._finished.append((conn, response, reply))
        if len(self._finished) == 1:
            self.method_queue.defer(self._answer_finished)

    def _answer_finished(self) -> None:
        while self._finished:
            conn, response, reply = self._finished.popleft()
            if self._answer(conn, response, reply()):
                self._began.pop(conn, None)
                self.finish_request(conn, _STAYS)
            else:
                self._leave(conn)

    def _answer(self, conn: TConn, response: wsgi.Response, reply: Reply) -> bool:
        """Whether the connection stays. Who does not take the answer at once goes without."""
        if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
            response.force_close()
        try:
            response.start_response(reply.status, reply.headers)
            response.write(reply.body)
            return bool(conn.parser.finish_body()) and not response.should_close()
        except OSError:
            return False

    def _leave(self, conn: TConn) -> None:
        """By a thread, since the client may take its time."""
        self._began.pop(conn, None)
        parted = self.tpool.submit(_part, conn.sock)
        parted.add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def _watch(self) -> None:
        while True:
            time.sleep(min(1.0, self.request_seconds / 4))
            overdue = time.monotonic() - self.request_seconds
            for conn, began in list(self._began.items()):
                if began < overdue:
                    _hang_up(conn)


def _received(conn: TConn) -> bytes:
    """What lies in the kernel, and stays there; nothing where an earlier read took a part of it."""
    if conn.parser and conn.parser.unreader.buf.getbuffer().nbytes:
        return b""
    try:
        return bytes(conn.sock.recv(MOST_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except OSError:
        return b""


def _part(sock: socket.socket) -> None:
    """Take leave of a client: it gets the whole answer, whatever it is still sending.

    gunicorn would wait for it in the one thread that accepts, two seconds for
    each client that does not hang up, and nobody would be let in meanwhile.
    """
    end = time.monotonic() + PARTING_SECONDS
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(PARTING_PAUSE)
        while time.monotonic() < end and sock.recv(65536):
            pass
    with suppress(OSError):
        # What gunicorn then reads is the end.
        sock.shutdown(socket.SHUT_RD)


def _hang_up(conn: TConn) -> None:
    try:
        conn.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("an overdue connection was gone already")
