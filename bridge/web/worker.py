"""A gunicorn worker in which one loop reads for all clients, and nobody else waits for any.

A thread for each client that still sends is what slow clients are after, so
none is given: a request is handed on when all of it has arrived. A webhook of the
usual size is verified in the loop itself, since a change of threads costs as
much as checking its signature; a large one by a thread for such, and what is
for Flask by others. Recording is another thread's work again, and many are recorded at
once. All answers are written by the loop.

A connection goes through the stages of `bridge.web.connections`: its request
arrives, it is answered, and the next one is waited for, or the client is given
a moment to read its last answer. New connections go to the process that has the
fewest, if that is awake.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import re
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from gunicorn.workers.base import Worker as GunicornWorker

from bridge.config import ServerConfig
from bridge.errors import SenderError
from bridge.logs import place_of
from bridge.web import exchange
from bridge.web.answers import BUSY, CROWDED, NOT_DURABLE, TOO_SLOW, Answer
from bridge.web.client import claimed_by, client_address, counted_by, network_of
from bridge.web.connections import Connection, Connections, Stage, max_connections
from bridge.web.exchange import Exchange, Unreadable
from bridge.web.framing import Framing
from bridge.web.hooks import Finish, Reply, broken, reply_to
from bridge.web.memory import trimmer
from bridge.web.refusals import Refusals
from bridge.web.shares import Shares
from bridge.web.threads import Threads

log = logging.getLogger(__name__)

READ_BYTES = 65_536
READ_BYTES_OF_LARGE = 262_144
MAX_ACCEPTS = 64
# How long a client that has its answer is listened to, so that it can read it.
PARTING_SECONDS = 2.0
# How long a kept-alive connection may be silent. Proxies keep theirs for up to two minutes, and
# what they send while it is being closed is lost:
# https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#keepalive
IDLE_SECONDS = 15.0
IDLE_SECONDS_OF_PROXIES = 150.0
# What is under way when the process is told to stop has so long to arrive.
STOP_SECONDS = 2.0
ANSWER_SECONDS = 30.0
# What large requests took is given back to the machine when none has come for so long.
TRIM_SECONDS = 2.0
# What may follow a request before its answer is there.
PIPELINED_BYTES = 8_192
LOOK_SECONDS = 0.25
# Long enough for a process that waits for nothing else.
STAND_BACK_SECONDS = 0.001
# When no more files can be opened.
FULL_SECONDS = 0.1
TELL_AGAIN_SECONDS = 60.0
SWITCH_SECONDS = 0.0005
# Large requests are few, and two at once would only take turns at one core.
LARGE_THREADS = 1

_EMPTY_LINES = re.compile(rb"\A(?:\r\n)+")


@dataclass(frozen=True)
class Terms:
    """What the server tells its workers, which it makes itself."""

    server: ServerConfig
    shares: Shares
    refusals: Refusals
    max_body: int
    inflates: bool


def worker_class(terms: Terms) -> type[Worker]:
    """The server makes its workers itself, by their class alone."""
    return type("Worker", (Worker,), {"terms": terms})


class Worker(GunicornWorker):  # type: ignore[misc]  # gunicorn ships no types
    """`app.extensions["answers_later"]` answers what needs no thread; the rest is for Flask."""

    terms: Terms

    def init_process(self) -> None:
        _require_addresses(self.sockets)
        self._connections = Connections(max_connections())
        self._selector = selectors.DefaultSelector()
        self._large = Threads(LARGE_THREADS, "large")
        self._others = Threads(self.terms.server.threads, "others")
        # What threads say: connections with what makes their answers.
        self._answered: deque[tuple[Connection, Exchange | None, Finish]] = deque()
        self._is_called = False
        # What follows an answered request and has arrived already.
        self._next: deque[Connection] = deque()
        self._listens = False
        self._listens_again = 0.0
        self._stood_back = False
        self._was_asked = False
        self._looked = 0.0
        self._stops_at = math.inf
        self._told_of_files = 0.0
        self._trim = trimmer()
        self._trims_at: float | None = None
        # Threads that verify large bodies must not hold up the loop for long at each of its calls.
        sys.setswitchinterval(SWITCH_SECONDS)
        super().init_process()

    def run(self) -> None:
        """Until the server stops: then what has begun is answered, for a while."""
        for listener in self.sockets:
            listener.setblocking(False)
        self._selector.register(self.PIPE[0], selectors.EVENT_READ)
        while self.alive and self._has_parent():
            self._turn()
        self.terms.shares.leave(self.age)
        self._listen(False)
        for listener in self.sockets:
            listener.close()
        self._stops_at = time.monotonic() + STOP_SECONDS
        end = time.monotonic() + self.cfg.graceful_timeout
        while len(self._connections) and time.monotonic() < end:
            self._turn()
        for connection in self._connections:
            self._close(connection)

    def _has_parent(self) -> bool:
        return bool(self.ppid == os.getppid())

    # The loop

    def _turn(self) -> None:
        now = time.monotonic()
        if self.alive:
            self.terms.shares.tell(self.age, len(self._connections))
            self._listen(now >= self._listens_again)
        self._was_asked = False
        events = self._selector.select(self._patience(now))
        # It comes to what is answered below: nobody needs to wake it for that.
        self._is_called = True
        for key, _ in events:
            if isinstance(key.data, Connection):
                self._safely(self._hear, key.data)
            elif key.data:
                self._accept(key.data)
            else:
                self._drain_wakes()
        if self._listens and not self._was_asked:
            # Another process took it: the next one is another matter.
            self._stood_back = False
        self._go_on()
        self._look_at_clocks()

    def _patience(self, now: float) -> float:
        if self._next or self._answered:
            return 0.0
        if self.alive and not self._listens:
            return max(0.0, self._listens_again - now)
        return LOOK_SECONDS if self._connections.has(Stage.ARRIVING) else 1.0

    def _go_on(self) -> None:
        """Write what is answered, then one more request of each that sent several at once."""
        # Before looking: what is answered from now on calls for itself.
        self._is_called = False
        while self._answered:
            connection, request, finish = self._answered.popleft()
            self._safely(partial(self._answer, request=request, finish=finish), connection)
        for _ in range(len(self._next)):
            connection = self._next.popleft()
            if connection.stage is Stage.ARRIVING:
                self._safely(self._consider, connection)

    def _safely(self, step: Callable[[Connection], None], connection: Connection) -> None:
        """A bug that one connection meets is not the others'."""
        try:
            step(connection)
        except Exception as error:  # noqa: BLE001
            log.error("a connection is closed: %s", place_of(error))
            self._close(connection)

    def _drain_wakes(self) -> None:
        with suppress(BlockingIOError):
            os.read(self.PIPE[0], 4096)

    def _look_at_clocks(self) -> None:
        now = time.monotonic()
        if now < self._looked + LOOK_SECONDS:
            return
        self._looked = now
        self.notify()
        self.terms.refusals.tell_rest()
        self._close_overdue(now)
        if now >= self._stops_at:
            self._close_what_is_not_answered()
        if self._trims_at is not None and now >= self._trims_at:
            self._trims_at = None
            self._trim()

    def _close_overdue(self, now: float) -> None:
        overdue = self._connections.overdue
        for connection in overdue(Stage.ARRIVING, now - self.terms.server.request_seconds):
            self._safely(partial(self._give_up, answer=TOO_SLOW), connection)
        for connection in overdue(Stage.ANSWERING, now - ANSWER_SECONDS):
            self._safely(partial(self._refuse, answer=NOT_DURABLE), connection)
        for connection in overdue(Stage.PARTING, now - PARTING_SECONDS):
            self._safely(self._close, connection)
        for connection in overdue(Stage.IDLE, now - IDLE_SECONDS):
            if connection.address or connection.since < now - IDLE_SECONDS_OF_PROXIES:
                self._safely(self._close, connection)

    def _close_what_is_not_answered(self) -> None:
        """The process stops."""
        for stage in (Stage.ARRIVING, Stage.IDLE):
            for connection in self._connections.overdue(stage, math.inf):
                self._give_up(connection, TOO_SLOW)

    # Connections come and go

    def _listen(self, wanted: bool) -> None:
        if wanted == self._listens:
            return
        for listener in self.sockets:
            if wanted:
                self._selector.register(listener, selectors.EVENT_READ, listener)
            else:
                self._selector.unregister(listener)
        self._listens = wanted

    def _accept(self, listener: socket.socket) -> None:
        """Leaves new connections to a process that has far fewer, if that comes for them soon."""
        self._was_asked = True
        for _ in range(MAX_ACCEPTS):
            has_too_many = self.terms.shares.has_too_many(self.age, len(self._connections))
            if has_too_many and not self._stood_back:
                self._stood_back = True
                self._stop_listening_for(STAND_BACK_SECONDS)
                return
            try:
                sock, peer = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._cannot_accept(error)
                return
            self._stood_back = False
            self._welcome(sock, peer[:2], listener.getsockname()[:2])

    def _cannot_accept(self, error: OSError) -> None:
        if error.errno == errno.ECONNABORTED:
            return
        now = time.monotonic()
        if now > self._told_of_files + TELL_AGAIN_SECONDS:
            self._told_of_files = now
            log.error("a connection cannot be accepted: %s", error.strerror)
        if leaving := self._connections.first_to_go():
            self._give_up(leaving, CROWDED)
        else:
            self._stop_listening_for(FULL_SECONDS)

    def _stop_listening_for(self, seconds: float) -> None:
        self._listens_again = time.monotonic() + seconds
        self._listen(False)

    def _welcome(self, sock: socket.socket, peer: tuple[str, int], server: tuple[str, int]) -> None:
        sock.setblocking(False)
        connection = Connection(
            sock, peer, server, self._counted_by(peer), self._new_framing(), time.monotonic()
        )
        self._connections.add(connection)
        self._watch(connection, True)
        # Most have sent their request by now, and what has arrived is not closed for lack of room.
        self._safely(self._hear, connection)
        if connection.stage is Stage.CLOSED:
            return
        if crowding := self._connections.one_too_many(connection):
            self._give_up(crowding, CROWDED)

    def _counted_by(self, peer: tuple[str, int]) -> str:
        return counted_by(peer[0], self.terms.server.trusted_proxies)

    def _new_framing(self) -> Framing:
        return Framing(self.terms.max_body, self.terms.inflates)

    def _watch(self, connection: Connection, wanted: bool) -> None:
        if wanted != connection.is_watched:
            if wanted:
                self._selector.register(connection.sock, selectors.EVENT_READ, connection)
            else:
                self._selector.unregister(connection.sock)
            connection.is_watched = wanted

    def _close(self, connection: Connection) -> None:
        self._watch(connection, False)
        self._connections.remove(connection)
        connection.sock.close()

    def _give_up(self, connection: Connection, answer: Answer) -> None:
        """Say so to a client that has sent something, unless it has its answer already."""
        if connection.stage is Stage.ARRIVING and connection.received:
            self._refuse(connection, answer)
            return
        if answer is CROWDED:
            _reply(answer)  # for the log alone: an operator is to know that room is short
        self._close(connection)

    def _part(self, connection: Connection) -> None:
        """Let the client read its answer: it would be lost if what it still sends were refused."""
        if connection.has_ended:
            self._close(connection)
            return
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
            return
        self._connections.take(connection, len(connection.received))
        self._connections.let_go(connection)
        self._connections.move(connection, Stage.PARTING, time.monotonic())
        self._watch(connection, True)

    # Requests arrive

    def _hear(self, connection: Connection) -> None:
        """There is something to read, or the client has hung up."""
        if connection.stage is Stage.CLOSED:
            return  # by what came before it in this turn
        try:
            data = connection.sock.recv(self._bytes_to_read(connection))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hear_the_end(connection)
        elif connection.stage is not Stage.PARTING:
            self._hear_more(connection, data)

    def _bytes_to_read(self, connection: Connection) -> int:
        if connection.stage is Stage.ANSWERING:
            return PIPELINED_BYTES
        return READ_BYTES_OF_LARGE if len(connection.received) >= READ_BYTES else READ_BYTES

    def _hear_more(self, connection: Connection, data: bytes) -> None:
        if not connection.received:
            # Empty lines before a request are none of it: RFC 9112, section 2.2.
            data = _EMPTY_LINES.sub(b"", data, count=1)
            if not data:
                return
        self._connections.hold(connection, data)
        if connection.stage is Stage.IDLE:
            self._connections.move(connection, Stage.ARRIVING, time.monotonic())
        if connection.stage is Stage.ARRIVING:
            self._consider(connection)
        elif len(connection.received) >= PIPELINED_BYTES:
            self._watch(connection, False)

    def _hear_the_end(self, connection: Connection) -> None:
        connection.has_ended = True
        self._watch(connection, False)
        if connection.stage is Stage.ARRIVING and connection.received:
            self._consider(connection)
        elif connection.stage is not Stage.ANSWERING:
            self._close(connection)

    def _consider(self, connection: Connection) -> None:
        """Hand the request on if it is whole, or will never be."""
        framing = connection.framing
        try:
            end = framing.end(connection.received)
        except SenderError as refused:
            self._refuse(connection, Answer(refused.status, "refused", refused.reason))
            return
        if end is None and connection.has_ended:
            end = len(connection.received)
        if end is not None:
            self._hand_on(connection, end)
            return
        if framing.head is not None and not connection.was_told_to_continue:
            self._has_head(connection)
        if largest := self._connections.too_large_to_hold():
            self._refuse(largest, BUSY)

    def _has_head(self, connection: Connection) -> None:
        """Its body is still to come."""
        connection.was_told_to_continue = True
        if not connection.address:
            self._count_by_claim(connection)
        if connection.framing.wants_to_be_told_to_continue(connection.received):
            self._send(connection, b"HTTP/1.1 100 Continue\r\n\r\n")

    def _count_by_claim(self, connection: Connection) -> None:
        """Behind a proxy of ours a slow request counts for the client that the proxy names."""
        told = claimed_by(bytes(connection.received[: connection.framing.head]))
        environ = {"REMOTE_ADDR": connection.peer[0], "HTTP_X_FORWARDED_FOR": told}
        address = client_address(environ, self.terms.server.trusted_proxies)
        self._connections.rename(connection, network_of(address))
        crowding = self._connections.one_too_many(connection)
        if crowding:
            self._give_up(crowding, CROWDED)

    def _hand_on(self, connection: Connection, end: int) -> None:
        is_small = connection.framing.is_small(connection.received, end)
        self._connections.move(connection, Stage.ANSWERING, time.monotonic())
        received = self._connections.take(connection, end)
        take_up = partial(self._guarded, connection, partial(self._take_up, connection, received))
        if is_small:
            take_up()
            return
        self._trims_at = time.monotonic() + TRIM_SECONDS
        if not self._large.submit(take_up):
            self._refuse(connection, BUSY)

    # Requests are answered

    def _take_up(self, connection: Connection, received: bytes) -> None:
        """In the loop or in a thread; the answer comes later, maybe from another one."""
        request = self._read(connection, received)
        if request is None:
            return
        finish = partial(self._finish, connection, request)
        if not self.wsgi.extensions["answers_later"](request.environ, finish):
            ask = partial(self._ask_flask, request, finish)
            if not self._others.submit(partial(self._guarded, connection, ask)):
                finish(lambda: _reply(BUSY))

    def _ask_flask(self, request: Exchange, finish: Callable[[Finish], None]) -> None:
        """In a thread."""
        reply = exchange.run(self.wsgi, request.environ)
        finish(lambda: reply)

    def _guarded(self, connection: Connection, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # a bug of ours: the sender is to come back
            failed = broken(error)
            self._finish(connection, None, lambda: _reply(failed))

    def _read(self, connection: Connection, received: bytes) -> Exchange | None:
        head = connection.framing.head or len(received)
        try:
            return exchange.read(received, head, connection.peer, connection.server, self.cfg)
        except Unreadable as unreadable:
            answer = unreadable.answer
            self._finish(connection, None, lambda: _reply(answer))
            return None

    def _finish(self, connection: Connection, request: Exchange | None, finish: Finish) -> None:
        """From any thread. The loop is woken once for all that it will find."""
        self._answered.append((connection, request, finish))
        if not self._is_called:
            self._is_called = True
            with suppress(BlockingIOError):
                os.write(self.PIPE[1], b".")

    def _answer(self, connection: Connection, *, request: Exchange | None, finish: Finish) -> None:
        if connection.stage is not Stage.ANSWERING:
            return  # given up meanwhile
        reply = finish()
        closes = self._closes(connection, request, reply)
        answer = (
            request.answer(reply, closes=closes)
            if request
            else exchange.as_bytes(reply, closes=closes)
        )
        self._connections.let_go(connection)
        if not self._send(connection, answer):
            self._close(connection)
        elif closes:
            self._part(connection)
        else:
            self._await_next(connection)

    def _closes(self, connection: Connection, request: Exchange | None, reply: Reply) -> bool:
        """A client that goes on sending behind a refused request has to connect again."""
        return (
            request is None
            or not self.alive
            or connection.has_ended
            or not (request.ends_with_its_bytes and request.keeps_alive)
            or (reply.is_refusal and bool(connection.received))
        )

    def _await_next(self, connection: Connection) -> None:
        now = time.monotonic()
        connection.framing = self._new_framing()
        connection.was_told_to_continue = False
        self._connections.rename(connection, self._counted_by(connection.peer))
        self._watch(connection, True)
        empty_lines = _EMPTY_LINES.match(connection.received)
        self._connections.skip(connection, empty_lines.end() if empty_lines else 0)
        if connection.received:
            self._connections.move(connection, Stage.ARRIVING, now)
            self._next.append(connection)
        else:
            self._connections.move(connection, Stage.IDLE, now)

    def _refuse(self, connection: Connection, answer: Answer) -> None:
        """Without having read the request to its end, so that the connection ends too."""
        self._connections.let_go(connection)
        if self._send(connection, exchange.as_bytes(_reply(answer), closes=True)):
            self._part(connection)
        else:
            self._close(connection)

    def _send(self, connection: Connection, data: bytes) -> bool:
        """Whether the client has room for it: answers are short, and nobody waits for it."""
        try:
            return connection.sock.send(data) == len(data)
        except OSError:
            return False


def _require_addresses(listeners: Sequence[socket.socket]) -> None:
    """A Unix socket has no address by which clients could be told apart."""
    if any(listener.family == socket.AF_UNIX for listener in listeners):
        raise RuntimeError("the receiver listens on an address and a port, not on a Unix socket")


def _reply(answer: Answer) -> Reply:
    return reply_to(answer, "", time.perf_counter())
