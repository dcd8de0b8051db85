"""Where webhooks may go, and what a hostile network cannot do."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from select import select
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bridge.connector import Delivered, Halted, Outcome, Rejected, Retry, Use
from bridge.testing.vendor import Answer, VendorServer
from connectors.webhook import Post, Webhook, WebhookSettings
from connectors.webhook.addresses import METADATA, allowed, may_reach
from tests.connectors.webhook_receivers import SecureVendor, answering, certificate_for

NAME = "hooks.example.com"

FORBIDDEN = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.1.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:a9fe:a9fe::1",
    "2001:db8::1",
    "2002:a9fe:a9fe::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["1.1.1.1", "172.32.0.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8"]


def settings(url: str, *private: str, **more: Any) -> WebhookSettings:
    return WebhookSettings(url=SecretStr(url), allow_private=private, **more)


def send(to: WebhookSettings, *addresses: str, path: str = "") -> Outcome:
    """With a name that leads to these addresses, or to where the system says."""
    resolve: dict[str, Any] = {"resolve": lambda host, port: addresses} if addresses else {}
    [outcome] = Webhook(to, **resolve).post([Post(body={"a": 1}, path=path)])
    return outcome


# Which addresses


@pytest.mark.parametrize("address", FORBIDDEN)
def test_nothing_inside_is_reached(address: str) -> None:
    assert allowed([address], ()) == []


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_reached(address: str) -> None:
    assert allowed([address], ()) == [ip_address(address)]


def test_of_several_addresses_the_forbidden_are_left_out() -> None:
    assert allowed(["10.0.0.1", "8.8.8.8", "::1"], ()) == [ip_address("8.8.8.8")]


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_disguise(address: Any) -> None:
    plain = may_reach(address, ())
    for shape in ("::ffff:{}", "64:ff9b::{}"):
        assert may_reach(ip_address(shape.format(address)), ()) == plain
    assert not may_reach(ip_address(f"::{address}"), ())


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_reached(address: Any) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        mapped = getattr(address, "ipv4_mapped", None)
        assert mapped or address in ip_network("64:ff9b::/96") or not may_reach(address, ())


def test_a_network_that_is_named_is_reached_and_no_other() -> None:
    private = [ip_network("10.1.0.0/16"), ip_network("fd12::/16")]
    found = ["10.1.2.3", "10.2.0.1", "::ffff:a01:9", "fd12::1", "fd13::1", "127.0.0.1"]
    assert [str(each) for each in allowed(found, private)] == [
        "10.1.2.3",
        "::ffff:a01:9",
        "fd12::1",
    ]


@pytest.mark.parametrize("address", sorted(map(str, METADATA)))
def test_metadata_is_reached_only_where_it_is_named_itself(address: str) -> None:
    wide = ip_network(f"{address}/{'16' if '.' in address else '32'}", strict=False)
    assert allowed([address], [wide]) == []
    assert allowed([address], [ip_network(address)]) == [ip_address(address)]


# Which URLs


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "127.0.0.1.", "1.2.3.4.5"],
)
def test_an_address_in_disguise_is_refused_at_load(host: str) -> None:
    with pytest.raises(ValidationError, match="four plain numbers"):
        settings(f"https://{host}/hook")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "hooks.example.com/x",
        "https:///x",
        "https://",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:x/",
        "https://a@hooks.example.com/",
        "https://hooks.example.com@evil.example/",
        "https://hooks.example.com\\@evil.example/",
        "https://hooks.example.com/#x",
        "https://hooks.example.com%2f.evil.example/",
        "https://[::1/",
        "https://[::1]x/",
        "https://ex ample.com/",
        "https://ex\r\nX-A: 1.com/",
        "https://exämple.com/",
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_refused_at_load(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(url)
    assert "evil" not in str(caught.value)
    assert "example.com/" not in str(caught.value).replace("hooks.example.com/...", "")


def test_plain_http_is_for_the_own_network() -> None:
    with pytest.raises(ValidationError, match="must begin with https"):
        settings("http://hooks.example.com/")
    with pytest.raises(Halted, match="not in a network that"):
        send(settings("http://hooks.example.com/", "10.0.0.0/8"), "8.8.8.8")


# Where a request goes


def test_a_private_address_halts_and_nothing_is_sent() -> None:
    with VendorServer() as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(Halted, match="leads into a private network"):
            send(settings(url))
        with pytest.raises(Halted, match="leads into a private network"):
            send(settings(url.replace("127.0.0.1", "localhost")))
        assert server.requests == []


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A name that leads elsewhere at every look is looked up once."""
    with VendorServer() as server:
        port = int(server.url.rpartition(":")[2])
        answers = [["127.0.0.1"], ["169.254.169.254"]]
        asked: list[tuple[str, int]] = []

        def rebinding(host: str, port: int) -> Sequence[str]:
            asked.append((host, port))
            return answers[len(asked) - 1]

        own = settings(f"http://{NAME}:{port}/hook", "127.0.0.1")
        connector = Webhook(own, resolve=rebinding)
        assert connector.post([Post(body=1)]) == [Delivered()]
        assert asked == [(NAME, port)]
        assert server.requests[0].headers["host"] == f"{NAME}:{port}"
        with pytest.raises(Halted):
            connector.post([Post(body=1)])
        assert len(server.requests) == 1


def test_a_redirect_to_metadata_leads_nowhere() -> None:
    with VendorServer() as target, VendorServer() as server:
        server.script(Answer(307, headers={"Location": f"{target.url}/latest/meta-data"}))
        outcome = send(settings(server.url, "127.0.0.1"))
        assert isinstance(outcome, Rejected)
        assert target.requests == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with VendorServer() as proxy, VendorServer() as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert send(settings(server.url, "127.0.0.1")) == Delivered()
        assert (len(server.requests), proxy.requests) == (1, [])


def test_the_next_address_is_tried_where_one_takes_no_connection() -> None:
    with VendorServer() as server:
        port = int(server.url.rpartition(":")[2])
        own = settings(f"http://{NAME}:{port}/", "127.0.0.0/8", "::1")
        assert send(own, "::1", "127.0.0.99", "127.0.0.1") == Delivered()
        assert len(server.requests) == 1


def test_once_it_is_out_no_other_address_gets_it_too() -> None:
    def dropping(connected: socket.socket) -> None:
        connected.shutdown(socket.SHUT_RDWR)

    count: list[int] = []

    def counted(connected: socket.socket) -> None:
        count.append(1)
        dropping(connected)

    with answering(counted) as url:
        own = settings(url.replace("127.0.0.1", NAME), "127.0.0.0/8")
        assert isinstance(send(own, "127.0.0.1", "127.0.0.1"), Retry)
    assert len(count) == 1


def test_a_name_that_nobody_knows_is_tried_again_later() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    own = settings(f"https://{NAME}/")
    [outcome] = Webhook(own, resolve=unknown).post([Post(body=1)])
    assert outcome == Retry("the receiver's name cannot be found; check `url`", whole_account=True)


# Certificates


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SecureVendor:
    file, context = certificate_for(NAME, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return SecureVendor(context)


def test_the_certificate_is_checked_against_the_name(secure: SecureVendor) -> None:
    with secure as server:
        own = settings(f"https://{NAME}:{server.port}/hook", "127.0.0.1")
        assert send(own, "127.0.0.1") == Delivered()
        assert server.names == [NAME]
        assert server.requests[0].headers["host"] == f"{NAME}:{server.port}"


def test_a_certificate_for_another_name_gets_nothing(secure: SecureVendor) -> None:
    with secure as server:
        own = settings(f"https://other.example.com:{server.port}/hook", "127.0.0.1")
        with pytest.raises(Halted, match="cannot prove its name"):
            send(own, "127.0.0.1")
        assert server.requests == []


def test_a_certificate_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    _, context = certificate_for(NAME, tmp_path)
    with SecureVendor(context) as server:
        own = settings(f"https://{NAME}:{server.port}/hook", "127.0.0.1")
        with pytest.raises(Halted, match="cannot prove its name"):
            send(own, "127.0.0.1")
        assert server.requests == []


# Time and size


# Seconds, on a busy machine too; what is not cut off goes on for longer than an hour.
CUT_OFF = 30.0


def dripping(what: bytes) -> Callable[[socket.socket], None]:
    """A byte now and then, each well within the time that one read may take."""

    def manner(connected: socket.socket) -> None:
        connected.sendall(what)
        # Readable: the other side has gone.
        while not select([connected], [], [], 0.05)[0]:
            connected.sendall(b"x")

    return manner


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"", Retry),
        (b"HTTP/1.1 20", Retry),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", Delivered),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", Delivered),
        (b"HTTP/1.1 422 No\r\nContent-Length: 100000\r\n\r\n", Rejected),
    ],
    ids=["nothing", "status", "header", "body", "refusal"],
)
def test_who_drips_is_cut_off_in_time(beginning: bytes, kind: type) -> None:
    with answering(dripping(beginning)) as url:
        started = time.monotonic()
        outcome = send(settings(url, "127.0.0.1", timeout=0.4))
        assert 0.3 < time.monotonic() - started < CUT_OFF
    assert isinstance(outcome, kind)


def test_endless_interim_answers_are_cut_off_in_time() -> None:
    def manner(connected: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connected.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with answering(manner) as url:
        started = time.monotonic()
        assert isinstance(send(settings(url, "127.0.0.1", timeout=0.4)), Retry)
        assert time.monotonic() - started < CUT_OFF


def test_a_slow_greeting_of_tls_is_cut_off_in_time() -> None:
    with answering(dripping(b"\x16\x03\x03\x40\x00")) as url:
        started = time.monotonic()
        secure = settings(url.replace("http:", "https:"), "127.0.0.1", timeout=0.4)
        assert isinstance(send(secure), Retry)
        assert time.monotonic() - started < CUT_OFF


@pytest.mark.parametrize(
    ("status", "kind"), [(b"200 OK", Delivered), (b"500 No", Retry), (b"400 No", Rejected)]
)
def test_of_a_huge_answer_little_is_read(status: bytes, kind: type) -> None:
    sent = [0]

    def manner(connected: socket.socket) -> None:
        connected.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 10000000000\r\n\r\n")
        with suppress(OSError):
            while True:
                sent[0] += connected.send(b"x" * 65_536)

    with answering(manner) as url:
        assert isinstance(send(settings(url, "127.0.0.1")), kind)
    assert sent[0] < 50_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"x" * 1_000_000,
        b"\0\xff\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"",
    ],
    ids=["headers", "long header", "long line", "bytes", "big status", "no status", "nothing"],
)
def test_what_is_no_answer_is_none(answer: bytes) -> None:
    def manner(connected: socket.socket) -> None:
        connected.sendall(answer)

    with answering(manner) as url:
        assert isinstance(send(settings(url, "127.0.0.1")), Retry)


# Before anything is sent


def survey(url: str, *addresses: str, private: Sequence[str] = ()) -> tuple[str, str]:
    def resolve(host: str, port: int) -> Sequence[str]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return addresses

    own = settings(url, *private)
    uses = [Use("a rule", "webhook.post", {"body": {}})]
    [found] = Webhook(own, resolve=resolve).survey(uses)
    assert found.what == f"the receiver's address at {NAME}"
    return found.state, found.advice


def test_a_survey_looks_the_name_up_and_sends_nothing() -> None:
    assert survey(f"https://{NAME}/secret", "8.8.8.8") == ("right", "")
    state, advice = survey(f"https://{NAME}/secret", "10.0.0.1")
    assert (state, "allow_private" in advice) == ("wrong", True)
    state, advice = survey(f"https://{NAME}/secret")
    assert (state, "cannot be found" in advice) == ("wrong", True)
    assert Webhook(WebhookSettings()).survey([]) == []
