"""No request crosses into another, straight at the receiver and through nginx and Caddy."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from uuid import uuid4

import pytest

from tests.web import http2, proxies, wire
from tests.web.genuine import Genuine, genuine, new_body, sign
from tests.web.receivers import LISTED, Receiver, running
from tests.web.smuggling import CASES
from tests.web.wire import Answer, all_answers, first_answer, request

pytestmark = pytest.mark.xdist_group("processes")

DOORS = ("directly", "nginx", "caddy")
PROXIES = ("nginx", "caddy")
REPORT, ALIVE = b'"ledger"', b'"alive"'
# What the receiver waits for a request that does not end.
SERVER = "request_seconds: 2, trusted_proxies: [127.0.0.1]"
# How long an attacker waits for more: longer than a busy machine takes for what it does at once.
PAUSE = 3.0
# An address that is no proxy of ours.
STRANGER = "127.0.0.5"


@dataclass(frozen=True)
class House:
    """A receiver, and the ports at which it can be reached."""

    receiver: Receiver
    ports: Mapping[str, int]

    def holds(self, webhook: Genuine) -> int:
        return self.receiver.count(webhook.source, webhook.body)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("smuggled")
    for name in (*PROXIES, "http2"):
        (folder / name).mkdir()
    with (
        running(folder, redis_url, f"sqlite:///{folder / 'ledger.db'}", SERVER) as receiver,
        proxies.nginx(folder / "nginx", receiver.port) as nginx,
        proxies.caddy(folder / "caddy", receiver.port) as caddy,
        proxies.encrypting_caddy(folder / "http2", receiver.port) as encrypting,
    ):
        ports = {"directly": receiver.port, "nginx": nginx, "caddy": caddy, "http2": encrypting}
        yield House(receiver, ports)


@pytest.fixture(autouse=True)
def _no_errors(house: House) -> Iterator[None]:
    before = len(house.receiver.errors())
    yield
    assert house.receiver.errors()[before:] == []


def new(source: str = "showpass") -> Genuine:
    return genuine(Random(uuid4().int), source, time.time)


def said(port: int, raw: bytes, address: str = "127.0.0.1") -> bytes:
    """All that comes back to this and to a last request, behind which the connection ends.

    If that was taken for a part of something else, all that comes until it is silent. The
    sender's side stays open as long, since proxies let go what they do for a sender that left.
    """
    last = request("/hooks/nobody", b"", {"Connection": "close"})
    received = b""
    with wire.connect(port, address) as connection, suppress(ConnectionError):
        with suppress(ConnectionError):
            connection.sendall(raw + last)
        readable = select.poll()
        readable.register(connection, select.POLLIN)
        while readable.poll(PAUSE * 1000):
            part = connection.recv(65536)
            if not part:
                break
            received += part
    return received


def answer_to(port: int, raw: bytes, address: str = "127.0.0.1") -> Answer:
    """The first one."""
    with wire.connect(port, address) as connection:
        connection.sendall(raw)
        return next_answer(connection)


def next_answer(connection: socket.socket, *, is_final: bool = False) -> Answer:
    """A final one is none that only tells to go on, which some proxies say twice."""
    received = b""
    while True:
        if (found := first_answer(received)) is None:
            part = connection.recv(65536)
            assert part, "hung up without an answer"
            received += part
        elif is_final and found[0].status == 100:
            received = received[found[1] :]
        else:
            return found[0]


def results(port: int, *requests: bytes) -> Sequence[str]:
    """The answer to each, on connections of their own."""
    answers = [answer_to(port, one) for one in requests]
    return [f"{answer.status} {answer.result}" for answer in answers]


def assert_others_have_their_own_answers(house: House, door: str) -> None:
    """Three that are answered differently, so that an answer too many shifts them."""
    webhook = new()
    probe = request(webhook.path, method="GET", framing="")
    followed = results(house.ports[door], webhook.raw, webhook.raw, probe)
    assert followed == ["200 accepted", "200 duplicate", "200 ready"]
    assert house.holds(webhook) == 1


# A proxy waits for such a body as long as it likes, and nobody behind it hears of it.
UNHEARD = "body: that is too large"
EVERYWHERE = [
    (door, case) for case in CASES for door in DOORS if door not in PROXIES or case != UNHEARD
]


@pytest.mark.parametrize(("door", "case"), EVERYWHERE)
def test_no_request_is_smuggled_in_another(house: House, door: str, case: str) -> None:
    webhook = new()
    report = request("/readyz", method="GET", framing="")
    taken = 0
    for inside in (webhook.raw, report):
        for raw in CASES[case](inside):
            heard = said(house.ports[door], raw)
            answers = all_answers(heard)
            assert REPORT not in heard
            assert 500 not in [answer.status for answer in answers]
            taken += sum(answer.result in ("accepted", "duplicate") for answer in answers)
    # A proxy may take what is inside for a second request, and answers it as one then.
    assert house.holds(webhook) <= (taken if door in PROXIES else 0)
    assert_others_have_their_own_answers(house, door)


@pytest.mark.parametrize("door", DOORS)
def test_pipelined_webhooks_have_an_answer_each_in_their_order(house: House, door: str) -> None:
    first, second = new(), new("showpad")
    refused = request("/hooks/showpass", b"{}", sign("showpass", first.body, 0.0, "a-guess"))
    raw = first.raw + refused + second.raw + first.raw
    heard = [answer.result for answer in all_answers(said(house.ports[door], raw))]
    # Who is refused may be hung up on.
    assert heard in (["accepted", "refused", "accepted", "duplicate", "refused"], heard[:2])
    assert heard[:2] == ["accepted", "refused"]
    assert_others_have_their_own_answers(house, door)


# What lies inside the house

PATHS = (
    *("/readyz", "/healthz", "//readyz", "/./readyz", "/READYZ", "/readyz/", "/readyz?/hooks/"),
    *("/hooks/readyz", "/hooks/healthz", "/hooks//readyz", "/hooks/../readyz", "/hooks/..//readyz"),
    *("/hooks/%2e%2e/readyz", "/hooks/.%2e/readyz", "/hooks/..%2freadyz", "/hooks/%2e%2e%2freadyz"),
    *("/hooks/..;/readyz", "/hooks/..;x/readyz", "/hooks/..\\readyz", "/hooks/%252e%252e/readyz"),
    *("/hooks/x/../../readyz", "/hooks/x/%2e%2e/%2e%2e/readyz", "/hooks/..%00/readyz"),
    *("/hooks/%c0%ae%c0%ae/readyz", "/hooks/#/../../readyz", "/hooks/?/../../readyz", "/hooks/..."),
    *("/readyz#/hooks/", "/readyz%23/hooks/", "/readyz%3f/hooks/", "/readyz;/hooks/", "\\readyz"),
    *("http://hooks.example.com/readyz", "http://hooks.example.com/hooks/../readyz", "readyz"),
    *("http://hooks.example.com//readyz", "http://127.0.0.1/readyz", "http:/readyz", "*", "///"),
    *(
        "/hooks/http://127.0.0.1/readyz",
        "/hooks/@127.0.0.1/readyz",
        "/%72eadyz",
        "/hooks/%2freadyz",
    ),
)


@pytest.mark.parametrize("door", PROXIES)
@pytest.mark.parametrize("path", PATHS)
def test_health_is_not_reached_from_outside_by_any_path(house: House, door: str, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        framing = "Content-Length: 0" if method == "POST" else ""
        heard = said(house.ports[door], request(path, method=method, framing=framing))
        assert REPORT not in heard
        assert ALIVE not in heard
        assert 500 not in [answer.status for answer in all_answers(heard)]


HEADERS: Mapping[str, Mapping[str, str]] = {
    "SCRIPT_NAME": {"SCRIPT_NAME": "/hooks"},
    "SCRIPT-NAME": {"SCRIPT-NAME": "/hooks"},
    "Script_Name": {"Script_Name": "/hooks"},
    "SCRIPT_NAME of a path": {"SCRIPT_NAME": "/"},
    "SCRIPT_NAME in Connection": {"SCRIPT_NAME": "/hooks", "Connection": "SCRIPT_NAME"},
    "PATH_INFO": {"PATH_INFO": "/readyz"},
    "PATH-INFO": {"PATH-INFO": "/readyz"},
    "REQUEST_URI": {"REQUEST_URI": "/readyz"},
    "REMOTE_USER": {"REMOTE_USER": "root", "REMOTE_ADDR": "127.0.0.1"},
    "X-Original-URL": {"X-Original-URL": "/readyz", "X-Rewrite-URL": "/readyz"},
    "X-Forwarded-Prefix": {"X-Forwarded-Prefix": "/hooks", "X-Script-Name": "/hooks"},
    "X-Forwarded-Path": {"X-Forwarded-Path": "/readyz", "X-Forwarded-Uri": "/readyz"},
    "X-Forwarded-Host": {"X-Forwarded-Host": "127.0.0.1", "X-Forwarded-Proto": "https"},
    "X-Forwarded-Ssl": {"X-Forwarded-Ssl": "on", "X-Forwarded-Protocol": "ssl"},
    "X-HTTP-Method-Override": {"X-HTTP-Method-Override": "GET", "X-Method-Override": "GET"},
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("named", HEADERS)
def test_health_is_not_reached_from_outside_by_any_header(
    house: House, door: str, named: str
) -> None:
    for path in ("/hooks/readyz", "/hooks/healthz"):
        for method in ("GET", "POST"):
            framing = "Content-Length: 0" if method == "POST" else ""
            raw = request(path, b"", HEADERS[named], method, framing=framing)
            heard = said(house.ports[door], raw)
            assert REPORT not in heard
            assert ALIVE not in heard
            assert {answer.status for answer in all_answers(heard)} <= {400, 404}
    assert_others_have_their_own_answers(house, door)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("named", HEADERS)
def test_no_header_of_a_genuine_webhook_changes_where_it_goes(
    house: House, door: str, named: str
) -> None:
    webhook = new()
    raw = request(webhook.path, webhook.body, {**webhook.headers, **HEADERS[named]})
    answer = answer_to(house.ports[door], raw)
    assert answer.status == 400 or (answer.status, answer.result) == (200, "accepted")
    assert house.holds(webhook) == (1 if answer.status == 200 else 0)
    assert_others_have_their_own_answers(house, door)


# As proxies on the same machine and in front of it send them, together.
OF_PROXIES: Mapping[str, Mapping[str, str]] = {
    "two names": {"X-Forwarded-Proto": "https", "X-Forwarded-Protocol": "https"},
    "http and ssl": {"X-Forwarded-Proto": "http", "X-Forwarded-Ssl": "on"},
    "two hops and ssl": {"X-Forwarded-Proto": "https, http", "X-Forwarded-Ssl": "on"},
    "ssl off": {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off"},
    "three names": {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Protocol": "http",
        "X-Forwarded-Scheme": "wss",
    },
    "Front-End-Https": {"Front-End-Https": "on", "X-Forwarded-Proto": "http"},
    "X-Url-Scheme": {"X-Url-Scheme": "https", "X-Forwarded-Protocol": "ssl"},
    "Forwarded": {"Forwarded": "for=192.0.2.1;proto=http;host=x", "X-Forwarded-Proto": "https"},
    "a port": {"X-Forwarded-Port": "443, 80", "X-Forwarded-Host": "a.example, b.example"},
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("named", OF_PROXIES)
def test_what_proxies_say_of_the_scheme_changes_no_answer(
    house: House, door: str, named: str
) -> None:
    """gunicorn refuses schemes that contradict each other, which Showpad takes for final.

    https://github.com/benoitc/gunicorn/issues/1857
    """
    webhook = new()
    raw = request(webhook.path, webhook.body, {**webhook.headers, **OF_PROXIES[named]})
    answer = answer_to(house.ports[door], raw)
    assert (answer.status, answer.result) == (200, "accepted")
    assert house.holds(webhook) == 1


# Who is calling

CLAIMS: Mapping[str, str] = {
    "the address": f"X-Forwarded-For: {LISTED}",
    "the address, and a proxy of ours": f"X-Forwarded-For: {LISTED}, 127.0.0.1",
    "two lines": f"X-Forwarded-For: {LISTED}\r\nX-Forwarded-For: {LISTED}",
    "named in Connection": f"X-Forwarded-For: {LISTED}\r\nConnection: close, X-Forwarded-For",
    "only named in Connection": "Connection: close, X-Forwarded-For",
    "an underscore": f"X_Forwarded_For: {LISTED}",
    "a folded line": f"X-Forwarded-For: 1.2.3.4,\r\n {LISTED}",
    "Forwarded": f"Forwarded: for={LISTED}",
    "X-Real-IP": f"X-Real-IP: {LISTED}\r\nTrue-Client-IP: {LISTED}\r\nCF-Connecting-IP: {LISTED}",
    "REMOTE_ADDR": f"REMOTE_ADDR: {LISTED}\r\nREMOTE-ADDR: {LISTED}",
    "PROXY": f"Proxy-Protocol: PROXY TCP4 {LISTED} 127.0.0.1 1 2",
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("claim", CLAIMS)
def test_no_claim_of_an_address_is_believed(house: House, door: str, claim: str) -> None:
    webhook = new()
    length = f"Content-Length: {len(webhook.body)}"
    framing = f"{CLAIMS[claim]}\r\n{length}"
    raw = request("/hooks/listed", webhook.body, webhook.headers, framing=framing)
    assert answer_to(house.ports[door], raw, STRANGER).status in (400, 403)
    assert house.holds(Genuine("listed", webhook.body, {})) == 0


@pytest.mark.parametrize("door", DOORS)
def test_a_line_of_the_proxy_protocol_is_not_believed(house: House, door: str) -> None:
    webhook = new()
    line = f"PROXY TCP4 {LISTED} 127.0.0.1 1 2\r\n".encode()
    raw = line + request("/hooks/listed", webhook.body, webhook.headers)
    heard = all_answers(said(house.ports[door], raw, STRANGER))
    assert {answer.status for answer in heard} <= {400}
    assert house.holds(Genuine("listed", webhook.body, {})) == 0


# What is one connection's alone

HOPS = (
    *("X-Showpass-Signature", "close, X-Showpass-Signature", "keep-alive, Content-Length"),
    *("Content-Type", "Host", "Transfer-Encoding", "Upgrade", "X-Forwarded-For, X-Request-Id", ","),
)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("named", HOPS)
def test_what_connection_names_changes_one_request_alone(
    house: House, door: str, named: str
) -> None:
    webhook = new()
    raw = request(webhook.path, webhook.body, {**webhook.headers, "Connection": named})
    answer = answer_to(house.ports[door], raw)
    taken = answer.result == "accepted"
    assert taken or answer.status in (400, 401)
    assert house.holds(webhook) == (1 if taken else 0)
    assert_others_have_their_own_answers(house, door)


@pytest.mark.parametrize("door", DOORS)
def test_a_body_that_is_asked_for_is_one_webhook(house: House, door: str) -> None:
    webhook = new()
    raw = request(webhook.path, webhook.body, {**webhook.headers, "Expect": "100-continue"})
    end = raw.index(b"\r\n\r\n") + 4
    with wire.connect(house.ports[door]) as connection:
        connection.sendall(raw[:end])
        assert next_answer(connection).status == 100
        connection.sendall(raw[end:])
        answer = next_answer(connection, is_final=True)
        assert (answer.status, answer.result) == (200, "accepted")
    assert house.holds(webhook) == 1
    assert_others_have_their_own_answers(house, door)


@pytest.mark.parametrize("door", DOORS)
def test_an_upgrade_to_http_2_is_not_made(house: House, door: str) -> None:
    webhook = new()
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c"}
    headers = {**webhook.headers, **upgrade, "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA"}
    raw = request(webhook.path, webhook.body, headers)
    heard = all_answers(said(house.ports[door], raw + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
    assert heard
    assert 101 not in [answer.status for answer in heard]
    assert REPORT not in b"".join(answer.body for answer in heard)
    assert_others_have_their_own_answers(house, door)


@pytest.mark.parametrize("door", DOORS)
def test_a_hundred_kept_connections_have_their_own_answers(house: House, door: str) -> None:
    """Forgeries and genuine ones by turns, each connection with its own pattern."""
    port, bodies = (
        house.ports[door],
        [new_body(Random(uuid4().int), "showpass") for _ in range(100)],
    )
    for number, body in enumerate(bodies):
        headers = sign("showpass", body, 0.0, None if number % 3 else "a-guess")
        answer = answer_to(port, request("/hooks/showpass", body, headers))
        assert answer.result == ("accepted" if number % 3 else "refused")


# HTTP/2 in front, HTTP/1.1 behind

SPLIT = b" HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz"
DOWNGRADED: Mapping[str, http2.Headers] = {
    "a length that is too small": ((b"content-length", b"0"),),
    "a length that is too large": ((b"content-length", b"99999"),),
    "two lengths": ((b"content-length", b"0"), (b"content-length", b"1")),
    "chunks": ((b"transfer-encoding", b"chunked"),),
    "chunks in capitals": ((b"Transfer-Encoding", b"chunked"),),
    "a line break in a value": ((b"x", b"y\r\nTransfer-Encoding: chunked"),),
    "a bare LF in a value": ((b"x", b"y\nTransfer-Encoding: chunked"),),
    "a line break in a name": ((b"x: y\r\ntransfer-encoding", b"chunked"),),
    "a colon in a name": ((b"transfer-encoding: chunked\r\nx", b"y"),),
    "connection": ((b"connection", b"content-length"),),
    "an upgrade": ((b"connection", b"upgrade"), (b"upgrade", b"h2c")),
    "a request in the path": ((b":path", b"/hooks/showpass" + SPLIT),),
    "a request in the method": ((b":method", b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\nPOST"),),
    "a request in the host": ((b":authority", b"hooks.example.com\r\n\r\nGET /readyz"),),
    "a path outside": ((b":path", b"/readyz"),),
    "a path that leads out": ((b":path", b"/hooks/../readyz"),),
    "a path that is none": ((b":path", b"readyz"),),
    "an underscore": (
        (b"script_name", b"/hooks"),
        (b":path", b"/hooks/readyz"),
        (b":method", b"GET"),
    ),
}


@pytest.mark.parametrize("case", DOWNGRADED)
def test_no_request_is_smuggled_by_http_2(house: House, case: str) -> None:
    webhook = new()
    usual = {b":method": b"POST", b":scheme": b"https", b":path": b"/hooks/showpass"}
    usual |= {b":authority": proxies.HOST.encode()}
    changed = [pair for pair in DOWNGRADED[case] if pair[0] in usual]
    more = [pair for pair in DOWNGRADED[case] if pair[0] not in usual]
    headers = [*(usual | dict(changed)).items(), *more]
    for inside in (webhook.raw, request("/readyz", method="GET", framing="")):
        heard = http2.say(house.ports["http2"], proxies.HOST, headers, b"0\r\n\r\n" + inside)
        assert REPORT not in heard.body
        assert ALIVE not in heard.body
    assert house.holds(webhook) == 0
    following = new()
    followed = [through_http_2(house, following).body for _ in range(2)]
    assert b'"accepted"' in followed[0]
    assert b'"duplicate"' in followed[1]


def test_a_genuine_webhook_comes_through_http_2(house: House) -> None:
    webhook = new()
    heard = through_http_2(house, webhook)
    assert heard.is_whole
    assert b'"accepted"' in heard.body
    assert house.holds(webhook) == 1


def through_http_2(house: House, webhook: Genuine) -> http2.Heard:
    headers = [
        *((b":method", b"POST"), (b":scheme", b"https"), (b":path", webhook.path.encode())),
        (b":authority", proxies.HOST.encode()),
        *((name.lower().encode(), value.encode()) for name, value in webhook.headers.items()),
    ]
    return http2.say(house.ports["http2"], proxies.HOST, headers, webhook.body)
