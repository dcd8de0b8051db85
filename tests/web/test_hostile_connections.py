"""What clients can do to a connection: a real gunicorn, spoken to byte by byte."""

from __future__ import annotations

import gzip
import hmac
import json
import os
import re
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func
from sqlalchemy import select as query

from bridge.ledger.database import Database
from bridge.ledger.tables import webhooks
from bridge.web.connections import MAX_CONNECTIONS, MAX_FOR_EACH_ADDRESS
from tests.servers import START_SECONDS, free_port, wait_until
from tests.web.conftest import purchase

pytestmark = pytest.mark.xdist_group("processes")

ROOT = Path(__file__).parent.parent.parent
SECRET = "a-secret-for-tests"
REQUEST_SECONDS = 1.5
QUICK = f"request_seconds: {REQUEST_SECONDS}"
# What a busy machine may add to it.
SLACK = 6.0
# How much gunicorn reads at once.
READ = 8192

BRIDGE_YAML = """
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
accounts: {}
server: {%s}
"""


@dataclass
class Web:
    """`showbridge web` with a ledger of its own."""

    port: int
    database: Database
    process: subprocess.Popen[bytes]
    log: Path

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def ask(self, *parts: bytes) -> list[int]:
        """The statuses of all answers until the server hangs up."""
        return statuses(self.say(*parts))

    def say(self, *parts: bytes) -> bytes:
        with self.connect() as connection:
            for part in parts:
                # Who is refused early may find the door shut.
                with suppress(ConnectionError):
                    connection.sendall(part)
            return read_all(connection)

    def kept(self) -> int:
        with self.database.read() as connection:
            return int(connection.execute(query(func.count()).select_from(webhooks)).scalar_one())

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()


def read_all(connection: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            received += part
    return received


def statuses(received: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"^HTTP/1\.1 (\d{3}) ", received, re.MULTILINE)]


@contextmanager
def running(folder: Path, redis_url: str, server: str) -> Iterator[Web]:
    (folder / "bridge.yaml").write_text(BRIDGE_YAML % server)
    port, log = free_port(), folder / "log"
    database = Database(f"sqlite:///{folder / 'ledger.db'}")
    environ = {
        "PATH": os.environ["PATH"],
        "SHOWBRIDGE_CONFIG": str(folder),
        "SHOWBRIDGE_DATA": str(folder / "data"),
        "DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
        "REDIS_URL": redis_url,
        "PORT": str(port),
        "SHOWPASS_SECRETS": SECRET,
    }
    command = [sys.executable, "-m", "bridge", "web"]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environ, cwd=ROOT, stdout=output, stderr=output) as process,
    ):
        web = Web(port, database, process, log)
        try:
            wait_until(lambda: _is_up(web))
            yield web
        finally:
            process.terminate()
            process.wait(START_SECONDS)
            database.close()


def _is_up(web: Web) -> bool:
    with suppress(OSError):
        return web.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == [200]
    return False


@pytest.fixture(scope="module", autouse=True)
def may_open_many_files() -> None:
    """As many as the connections that tests open on their side."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4_000 if most == resource.RLIM_INFINITY else min(4_000, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, wanted), most))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Web]:
    """One for the whole module; in its log is no answer that nobody promised."""
    with running(tmp_path_factory.mktemp("hostile"), redis_url, QUICK) as started:
        yield started
    told = [json.loads(line) for line in started.lines()]
    answered = {line["status"] for line in told if line["message"] == "webhook"}
    assert 200 in answered
    assert {status for status in answered if status >= 500} <= {503}
    assert [line for line in told if line["level"] in ("ERROR", "CRITICAL")] == []


@pytest.fixture(autouse=True)
def stays_well(web: Web) -> Iterator[None]:
    """After each test the server takes webhooks as before."""
    yield
    assert web.ask(request()) == [200]


def request(body: bytes | None = None, *headers: str, close: bool = True) -> bytes:
    """Signed, whole and new; `headers` come on top."""
    content = new() if body is None else body
    return head(content, f"Content-Length: {len(content)}", *headers, close=close) + content


def head(body: bytes, *headers: str, close: bool = True) -> bytes:
    lines = [
        "POST /hooks/showpass HTTP/1.1",
        "Host: localhost",
        f"X-SHOWPASS-SIGNATURE: {signature(body)}",
        *headers,
        *(["Connection: close"] if close else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def forged() -> bytes:
    return request(close=False).replace(b"SIGNATURE: ", b"SIGNATURE: 0", 1)


def exchange(connection: socket.socket, sent: bytes) -> int:
    connection.sendall(sent)
    return answer(connection)


def answer(connection: socket.socket) -> int:
    """The status of the next answer, which comes in one or two parts."""
    received = b""
    while not received.endswith(b"}\n"):
        part = connection.recv(65536)
        assert part, "hung up on"
        received += part
    [status] = statuses(received)
    return status


def new() -> bytes:
    return purchase(webhook_event_uuid=str(uuid4()))


def signature(body: bytes) -> str:
    try:
        name = json.loads(body)["id"]
    except (ValueError, KeyError):
        name = "x"
    return hmac.digest(SECRET.encode(), name.encode(), "sha1").hex()


def reset(connection: socket.socket) -> None:
    """Hang up as when a machine dies."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def chunks(body: bytes, size: int = 100) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def heard(connections: Sequence[socket.socket], seconds: float) -> list[socket.socket]:
    """Those of them that have something to read, or were hung up on, within so long."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ, connection)
        return [key.data for key, _ in selector.select(seconds)]


def is_hung_up(connection: socket.socket, trickle: bytes, seconds: float) -> bool:
    """Whether the server ends the connection while a byte comes now and then."""
    end = time.monotonic() + seconds
    with suppress(ConnectionError):
        while time.monotonic() < end:
            if heard([connection], 0.1) and not connection.recv(65536):
                return True
            connection.sendall(trickle)
        return False
    return True


# Bodies


def test_a_chunked_body_without_a_length_is_taken(web: Web) -> None:
    body, before = new(), web.kept()
    assert web.ask(head(body, "Transfer-Encoding: chunked"), chunks(body)) == [200]
    assert web.kept() == before + 1


@pytest.mark.parametrize(
    "broken",
    [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n0\r\n\r\n", b"5\r\n{}", b"", b"2\r\n{}XX0\r\n\r\n"],
)
def test_a_broken_chunk_stores_nothing(web: Web, broken: bytes) -> None:
    body, before = new(), web.kept()
    with web.connect() as connection:
        connection.sendall(head(body, "Transfer-Encoding: chunked") + broken)
        connection.shutdown(socket.SHUT_WR)
        answered = statuses(read_all(connection))
    assert answered in ([400], [503], [])
    assert web.kept() == before


@pytest.mark.parametrize("trailer", [b"broken\r\n", b"X-A: b\r\n" * 300, b": x\r\n"])
def test_a_broken_trailer_is_no_crash(web: Web, trailer: bytes) -> None:
    body = new()
    whole = chunks(body).removesuffix(b"\r\n") + trailer + b"\r\n"
    answered = web.ask(head(body, "Transfer-Encoding: chunked") + whole)
    assert answered in ([200], [400], [431], [503], [])


def test_an_announced_body_over_the_cap_is_refused_unread(web: Web) -> None:
    """Of the twenty megabytes only the headers are ever sent."""
    assert web.ask(head(new(), "Content-Length: 20000000")) == [413]


def test_a_sent_body_over_the_cap_is_refused_before_it_is_through(web: Web) -> None:
    for header, unit in (
        ("Content-Length: 20000000", b" " * 50_000),
        ("Transfer-Encoding: chunked", b"c350\r\n" + b" " * 50_000 + b"\r\n"),
    ):
        sent = 0
        with web.connect() as connection:
            connection.sendall(head(new(), header))
            with suppress(ConnectionError):
                while sent < 20_000_000 and not heard([connection], 0):
                    connection.sendall(unit)
                    sent += 50_000
            assert statuses(read_all(connection)) == [413], header
        assert sent < 20_000_000, header


@pytest.mark.parametrize("length", ["9" * 5000, "9" * 30, "-1", "+5", "5, 6", "0x10", "٥", "1e3"])
def test_a_length_that_is_none_is_refused(web: Web, length: str) -> None:
    before = web.kept()
    body = new()
    raw = head(body, "Content-Length: LENGTH").replace(b"LENGTH", length.encode()) + body
    with web.connect() as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        assert statuses(read_all(connection)) in ([400], [413])
    assert web.kept() == before


def test_a_length_beside_chunks_is_refused(web: Web) -> None:
    before = web.kept()
    body = new()
    smuggled = head(body, "Transfer-Encoding: chunked", "Content-Length: 5") + chunks(body)
    assert web.ask(smuggled) == [400]
    assert web.kept() == before


def test_a_compressed_body_is_refused_without_being_inflated(web: Web) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert web.ask(request(bomb, "Content-Encoding: gzip")) == [415]


def test_a_client_that_vanishes_in_mid_body_leaves_nothing(web: Web) -> None:
    body, before = new(), web.kept()
    seen = sum("body-incomplete" in line for line in web.lines())
    with web.connect() as connection:
        connection.sendall(head(body, f"Content-Length: {len(body)}") + body[:-10])
        reset(connection)
    wait_until(lambda: sum("body-incomplete" in line for line in web.lines()) > seen)
    assert web.kept() == before


def test_a_body_that_ends_too_soon_is_asked_for_again(web: Web) -> None:
    body, before = new(), web.kept()
    with web.connect() as connection:
        connection.sendall(head(body, f"Content-Length: {len(body)}") + body[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert statuses(read_all(connection)) == [503]
    assert web.kept() == before


@pytest.mark.parametrize("path", ["/hooks/showpass", "/hooks/nobody"])
@pytest.mark.parametrize(
    "chunk", [b"zz\r\n", b"5 \r\nabcde\r\n", b"2\r\n{}XX", b"5;=\r\nabcde\r\n"]
)
def test_what_follows_a_broken_chunk_is_not_read_as_a_request(
    web: Web, path: str, chunk: bytes
) -> None:
    """Where the next request begins is unknown, and a proxy may think otherwise."""
    begun = head(new(), "Transfer-Encoding: chunked", close=False)
    sent = begun.replace(b"/hooks/showpass", path.encode()) + chunk
    with web.connect() as connection:
        connection.sendall(sent + b"0\r\n\r\n")
        first = connection.recv(65536)
        with suppress(ConnectionError):
            connection.sendall(request())
        assert statuses(first + read_all(connection)) == [400]


def test_empty_lines_behind_a_request_bring_no_answer_of_their_own(web: Web) -> None:
    with web.connect() as connection:
        assert exchange(connection, request(close=False) + b"\r\n") == 200
        assert heard([connection], REQUEST_SECONDS + 1.0) == []
        assert exchange(connection, b"\r\n" + request(close=False)) == 200


def test_an_http_1_0_client_is_not_told_to_continue(web: Web) -> None:
    body = new()
    begun = head(body, f"Content-Length: {len(body)}", "Expect: 100-continue")
    with web.connect() as connection:
        connection.sendall(begun.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        assert heard([connection], 0.3) == []
        connection.sendall(body)
        assert re.match(rb"HTTP/1.0 200 ", read_all(connection))


# Slowness


@pytest.mark.parametrize("part", ["body", "chunks", "headers", "request line"])
def test_whoever_sends_a_byte_now_and_then_is_hung_up_on(web: Web, part: str) -> None:
    before = web.kept()
    begun = {
        "body": head(new(), "Content-Length: 4000000") + b"{",
        "chunks": head(new(), "Transfer-Encoding: chunked") + b"3d0900\r\n",
        "headers": b"POST /hooks/showpass HTTP/1.1\r\nX-Slow: ",
        "request line": b"POST /hooks/",
    }[part]
    with web.connect() as connection:
        connection.sendall(begun)
        assert is_hung_up(connection, b"x", REQUEST_SECONDS + SLACK)
    assert web.kept() == before


def test_headers_that_never_end_are_refused_at_their_limit(web: Web) -> None:
    with web.connect() as connection:
        connection.sendall(b"POST /hooks/showpass HTTP/1.1\r\n")
        with suppress(ConnectionError):
            for number in range(2000):
                connection.sendall(b"X-Header-%d: x\r\n" % number)
        assert statuses(read_all(connection)) in ([400], [431], [])


def test_while_hundreds_are_slow_a_webhook_in_two_parts_is_answered(web: Web) -> None:
    """A request that has not arrived whole has no thread, so none can be taken from others."""
    before = web.kept()
    with ExitStack() as opened:
        for _ in range(400):
            slow = opened.enter_context(web.connect())
            slow.sendall(head(new(), "Content-Length: 900000") + b"{")
        for _ in range(3):
            body = new()
            first = head(body, f"Content-Length: {len(body)}", close=False)
            connection = opened.enter_context(web.connect())
            connection.sendall(first)
            assert heard([connection], 0.2) == []
            assert exchange(connection, body) == 200
    assert web.kept() == before + 3


def test_a_request_that_is_slow_is_told_so_in_time_and_may_come_again(web: Web) -> None:
    with web.connect() as connection:
        connection.sendall(head(new(), "Content-Length: 900000") + b"{")
        said = read_all(connection)
    assert statuses(said) == [503]
    assert b"request-too-slow" in said
    assert b"Retry-After" in said


def test_the_time_of_a_request_counts_from_when_its_connection_was_accepted(web: Web) -> None:
    with web.connect() as connection:
        assert heard([connection], REQUEST_SECONDS / 2) == []
        connection.sendall(b"POST /hooks/showpass HTTP/1.1\r\n")
        began = time.monotonic()
        assert is_hung_up(connection, b"x", REQUEST_SECONDS + SLACK)
        assert time.monotonic() - began < REQUEST_SECONDS + SLACK


def test_a_client_that_takes_no_answers_is_hung_up_on(web: Web) -> None:
    """Thousands of requests whose answers nobody reads cost no more than what fits in between."""
    ping = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with web.connect() as connection:
        connection.settimeout(30)
        with suppress(ConnectionError):
            for _ in range(2000):
                connection.sendall(ping * 100)
        assert web.ask(request()) == [200]


def test_more_connections_of_one_address_than_it_may_have_close_its_slowest(
    tmp_path: Path, redis_url: str
) -> None:
    server = "web_workers: 1, request_seconds: 60"
    with running(tmp_path, redis_url, server) as one, ExitStack() as opened:
        slow = [opened.enter_context(one.connect()) for _ in range(MAX_FOR_EACH_ADDRESS)]
        for connection in slow:
            connection.sendall(b"POST /hooks/showpass HTTP/1.1\r\n")
        for _ in range(20):
            assert one.ask(request()) == [200]
        # What has not been read yet needs no answer.
        assert statuses(read_all(slow[0])) in ([503], [])
        assert heard(slow[-1:], 0) == []


def test_idle_connections_of_strangers_make_room_for_webhooks(
    tmp_path: Path, redis_url: str
) -> None:
    probe = b"GET /hooks/showpass HTTP/1.1\r\nHost: x\r\n\r\n"
    with running(tmp_path, redis_url, "web_workers: 1") as one, ExitStack() as opened:
        for number in range(MAX_CONNECTIONS):
            stranger = socket.create_connection(
                ("127.0.0.1", one.port), 30, (f"127.0.3.{1 + number // 300}", 0)
            )
            assert exchange(opened.enter_context(stranger), probe) == 200
        genuine = [opened.enter_context(one.connect()) for _ in range(20)]
        for connection in genuine:
            connection.sendall(request(close=False))
        assert [answer(connection) for connection in genuine] == [200] * 20


def test_large_requests_of_clients_that_leave_harm_nobody_else(
    tmp_path: Path, redis_url: str
) -> None:
    """Among them such as are whole already, but wait behind another answer."""
    ping, large = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", bytes(120_000)
    behind = ping + head(b"", "Content-Length: 120000")
    half = head(b"", "Content-Length: 900000") + bytes(99_000)
    with running(tmp_path, redis_url, "web_workers: 1") as one, ExitStack() as opened:
        for _ in range(330):
            opened.enter_context(one.connect()).sendall(half)
        for _ in range(30):
            leaving = one.connect()
            leaving.sendall(behind + large)
            reset(leaving)
            with suppress(ConnectionError):
                opened.enter_context(one.connect()).sendall(half)
        assert one.ask(request()) == [200]
        assert [line for line in one.lines() if '"ERROR"' in line] == []


def test_a_client_that_says_nothing_does_not_hold_up_a_stop(tmp_path: Path, redis_url: str) -> None:
    """Its time would be longer than the test waits."""
    server = "web_workers: 1, request_seconds: 300"
    with running(tmp_path, redis_url, server) as one, one.connect():
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(START_SECONDS) == 0


def test_while_sixty_four_are_slow_others_are_answered(web: Web) -> None:
    before = web.kept()
    with ExitStack() as opened:
        slow = [opened.enter_context(web.connect()) for _ in range(64)]
        for connection in slow:
            connection.sendall(head(new(), "Content-Length: 4000000") + b"{")
        began = time.monotonic()
        for _ in range(10):
            assert web.ask(request()) == [200]
        assert time.monotonic() - began < REQUEST_SECONDS + SLACK
        assert all(is_hung_up(each, b"x", REQUEST_SECONDS + SLACK) for each in slow)
    assert web.kept() == before + 10


def test_hundreds_that_say_nothing_keep_nobody_waiting(web: Web) -> None:
    with ExitStack() as opened:
        for _ in range(300):
            opened.enter_context(web.connect())
        began = time.monotonic()
        assert web.ask(request()) == [200]
        assert time.monotonic() - began < 5 * REQUEST_SECONDS + SLACK


def test_whoever_has_an_answer_and_does_not_hang_up_keeps_nobody_waiting(web: Web) -> None:
    with ExitStack() as opened:
        for _ in range(40):
            connection = opened.enter_context(web.connect())
            connection.sendall(request(b"{}"))
        began = time.monotonic()
        assert web.ask(request()) == [200]
        assert time.monotonic() - began < REQUEST_SECONDS + SLACK


# What a header cannot do


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script-Name", "SCRIPT-NAME", "PATH_INFO"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_header_says_what_our_paths_are(web: Web, name: str, method: str) -> None:
    sent = f"{method} /hooks/readyz HTTP/1.1\r\nHost: x\r\n{name}: /hooks\r\n"
    said = web.say(f"{sent}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
    assert statuses(said) in ([200], [400], [404])
    assert b"ledger" not in said


def test_what_is_no_request_is_in_the_log_without_a_word_of_it(web: Web) -> None:
    secret = uuid4().hex
    web.ask(f"POST /hooks/showpass/{secret} HTTP/9.9\r\n\r\n".encode())
    web.ask(f"GET / HTTP/1.1\r\nX-Showpass-Signature {secret}\r\n\r\n".encode())
    web.ask(f"GET / HTTP/1.1\r\nX-Showpass-Signature:\x01{secret}\r\n\r\n".encode())
    web.ask(request())
    wait_until(lambda: any("accepted" in line for line in web.lines()[-3:]))
    assert secret not in web.log.read_text()


def test_refused_requests_take_less_of_the_log_than_they_send(
    tmp_path: Path, redis_url: str
) -> None:
    small = b"POST /hooks/x HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with running(tmp_path, redis_url, "") as one:
        before = one.log.stat().st_size
        for _ in range(1000):
            assert one.ask(small) == [404]
        assert one.log.stat().st_size - before < 1000 * len(small)


# Whole webhooks need no thread


def test_one_connection_has_its_answers_one_after_the_other(web: Web) -> None:
    first, before = request(close=False), web.kept()
    elsewhere = first.replace(b"/hooks/showpass", b"/hooks/nobody")
    sent = [first, first, request(b"{}", close=False), forged(), elsewhere, request(close=False)]
    with web.connect() as connection:
        assert [exchange(connection, one) for one in sent] == [200, 200, 400, 401, 404, 200]
    assert web.kept() == before + 2


def test_while_slow_clients_hold_all_threads_whole_webhooks_are_answered(
    tmp_path: Path, redis_url: str
) -> None:
    server = "request_seconds: 60, web_workers: 1, threads: 2"
    with running(tmp_path, redis_url, server) as busy, ExitStack() as opened:
        for _ in range(4):
            slow = opened.enter_context(busy.connect())
            slow.sendall(head(new(), "Content-Length: 4000000") + b"{")
        for _ in range(4):
            quick = opened.enter_context(busy.connect())
            assert exchange(quick, request(close=False)) == 200
        assert busy.kept() == 4


def test_while_the_ledger_is_busy_others_are_answered_and_webhooks_wait(
    tmp_path: Path, redis_url: str
) -> None:
    with running(tmp_path, redis_url, "web_workers: 1") as one, ExitStack() as opened:
        waiting = [opened.enter_context(one.connect()) for _ in range(40)]
        with one.database.write():
            for connection in waiting:
                connection.sendall(request(close=False))
            for _ in range(3):
                assert one.ask(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n") == [200]
            assert heard(waiting, 0) == []
        assert [answer(connection) for connection in waiting] == [200] * 40
        assert one.kept() == 40


def test_who_hangs_up_before_the_answer_is_recorded_and_nobody_else_is_harmed(
    tmp_path: Path, redis_url: str
) -> None:
    with running(tmp_path, redis_url, "web_workers: 1") as one, ExitStack() as opened:
        leaving = [opened.enter_context(one.connect()) for _ in range(5)]
        with one.database.write():
            for connection in leaving:
                connection.sendall(request(close=False))
            assert one.ask(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n") == [200]
            for connection in leaving:
                reset(connection)
        assert one.ask(request()) == [200]
        assert one.kept() == 6
        assert [line for line in one.lines() if '"ERROR"' in line] == []


def test_a_stop_lets_whole_webhooks_be_recorded_and_answered(
    tmp_path: Path, redis_url: str
) -> None:
    with running(tmp_path, redis_url, "web_workers: 1") as one, ExitStack() as opened:
        waiting = [opened.enter_context(one.connect()) for _ in range(10)]
        with one.database.write():
            for connection in waiting:
                connection.sendall(request(close=False))
            # The loop takes what comes in its order.
            assert one.ask(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n") == [200]
            one.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not _holds_a_socket(one.process.pid))
        said = [read_all(connection) for connection in waiting]
        assert [statuses(each) for each in said] == [[200]] * 10
        assert all(b"\r\nConnection: close\r\n" in each for each in said)
        assert one.process.wait(START_SECONDS) == 0
        assert one.kept() == 10


# Odd, but allowed or refused by the book


def test_expect_100_continue_is_answered_before_the_body(web: Web) -> None:
    body = new()
    with web.connect() as connection:
        connection.sendall(head(body, f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert statuses(connection.recv(65536)) == [100]
        connection.sendall(body)
        assert statuses(read_all(connection)) == [200]


@pytest.mark.parametrize("second", ["same", "0" * 40, ""])
def test_two_signature_headers_are_one_too_many(web: Web, second: str) -> None:
    body, before = new(), web.kept()
    value = signature(body) if second == "same" else second
    assert web.ask(request(body, f"X-SHOWPASS-SIGNATURE: {value}")) == [401]
    assert web.kept() == before


def test_a_signature_header_with_an_underscore_is_none(web: Web) -> None:
    body, before = new(), web.kept()
    raw = request(body).replace(b"X-SHOWPASS-SIGNATURE", b"X_SHOWPASS_SIGNATURE")
    assert web.ask(raw)[0] in (400, 401)
    assert web.kept() == before


def test_a_probe_by_head_has_no_body(web: Web) -> None:
    said = web.say(b"HEAD /hooks/showpass HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert statuses(said) == [200]
    assert said.endswith(b"\r\n\r\n")


def test_pipelined_requests_are_answered_in_turn(web: Web) -> None:
    before = web.kept()
    several = [request(close=False), request(close=False), request(close=False), request()]
    assert web.ask(b"".join(several)) == [200, 200, 200, 200]
    assert web.kept() == before + 4


def test_what_is_pipelined_behind_a_refused_request_is_not_read(web: Web) -> None:
    """Else a stranger could have thousands of requests refused for one connection."""
    before = web.kept()
    several = [request(close=False), forged(), request(close=False), request()]
    assert web.ask(b"".join(several)) == [200, 401]
    assert web.kept() == before + 1


def test_pipelined_requests_that_meet_where_a_read_ends_are_answered_in_turn(web: Web) -> None:
    """The server reads so much at once; what it has read and what it has not are both whole."""
    first, last = request(close=False), request()
    ping = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Padding: \r\n\r\n"
    padding = b"x" * (READ - len(first) - len(ping))
    second = ping.replace(b"X-Padding: ", b"X-Padding: " + padding)
    assert web.ask(first + second + last) == [200, 200, 200]


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /hooks/showpass\r\n\r\n",
        b"POST /hooks/showpass HTTP/9.9\r\n\r\n",
        b"PO\0ST /hooks/showpass HTTP/1.1\r\n\r\n",
        b"GET /hooks/\xff\xfe%00%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET " + b"/" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"POST /hooks/showpass HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    ],
    ids=[
        *("empty lines", "TLS", "HTTP/2", "HTTP/0.9", "HTTP/9.9", "NUL", "odd path", "long path"),
        "two lengths",
    ],
)
def test_what_is_no_request_is_no_crash(web: Web, raw: bytes) -> None:
    before = web.kept()
    with web.connect() as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answered = statuses(read_all(connection))
    assert all(400 <= status < 500 or status == 505 for status in answered)
    assert web.kept() == before


# The end


def test_a_stop_lets_requests_under_way_finish(web: Web, tmp_path: Path, redis_url: str) -> None:
    with running(tmp_path, redis_url, "request_seconds: 10") as stopping, ExitStack() as opened:
        bodies = [new() for _ in range(12)]
        begun = [opened.enter_context(stopping.connect()) for _ in bodies]
        for connection, body in zip(begun, bodies, strict=True):
            connection.sendall(head(body, f"Content-Length: {len(body)}", "Expect: 100-continue"))
            # From here on a thread is at it.
            assert statuses(connection.recv(65536)) == [100]
        stopping.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not _holds_a_socket(stopping.process.pid))
        for connection, body in zip(begun, bodies, strict=True):
            connection.sendall(body)
            assert statuses(read_all(connection)) == [200]
        assert stopping.process.wait(START_SECONDS) == 0
        assert stopping.kept() == 12


def _holds_a_socket(pid: int) -> bool:
    """Of gunicorn's first process, which holds the listening one and lets it go when it stops."""
    held = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            held.append(str(entry.readlink()))
    return any(one.startswith("socket:") for one in held)
