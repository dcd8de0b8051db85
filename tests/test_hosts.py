"""Hosts as operators write them: IPv6 everywhere, and what cannot be one is a mistake at load.

The kind: https://github.com/authelia/authelia/pull/3055 (no brackets),
https://github.com/opf/openproject/pull/2779 and
https://github.com/jundot/omlx/pull/878 (an address that stands for all of them is shown or asked),
https://github.com/containers/ramalama/pull/2834 (brackets where there must be none).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import config
from bridge.cli.hooks import address, receiver, target
from bridge.cli.welcome import welcome
from bridge.errors import OperatorError
from bridge.hosts import as_seen_here, listening_address, read_host, read_listening, with_port
from bridge.settings import EmailTarget
from connectors.email.settings import EmailSettings

BRIDGE = "sources:\n  showpass: {secrets: {env: SHOWPASS_SECRETS}}\n"


def loaded(folder: Path, host: str, more: str = "") -> config.Config:
    (folder / "bridge.yaml").write_text(f"{BRIDGE}server:\n  host: {host}\n{more}", "utf-8")
    return config.load({"SHOWBRIDGE_DATA": str(folder / "data"), "PORT": "8123"}, folder)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),  # read, not bound to
        ("'::1'", "http://[::1]:8123"),
        ("'[::1]'", "http://[::1]:8123"),
        ("'::'", "http://[::1]:8123"),
        ("'0:0:0:0:0:0:0:0'", "http://[::1]:8123"),
        ("'2001:DB8::1'", "http://[2001:DB8::1]:8123"),
        ("'::ffff:127.0.0.1'", "http://[::ffff:127.0.0.1]:8123"),
        ("localhost", "http://localhost:8123"),
        ("hooks_1.example.com.", "http://hooks_1.example.com.:8123"),
    ],
)
def test_an_address_of_either_kind_is_shown_as_this_machine_reaches_it(
    tmp_path: Path, written: str, url: str
) -> None:
    made = loaded(tmp_path, written)
    assert receiver(made) == url
    shown = welcome(made, None, None)
    assert f"{url}/hooks/showpass" in shown
    assert "http://::" not in shown
    assert "http://0.0.0.0" not in shown


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("'*'", "write 0.0.0.0"),
        ("''", "write 0.0.0.0"),
        ("'127.0.0.1 '", "write 127.0.0.1"),
        ("' ::1'", "write '::1'"),
        ("'127.0.0.1\\t'", "one like hooks.example.com"),
        ("http://127.0.0.1", "write 127.0.0.1"),
        ("https://hooks.example.com/hooks", "write hooks.example.com"),
        ("http://[::1]:8000", "write '::1'"),
        ("//localhost", "an address or a name"),
        ("localhost/", "write localhost"),
        ("127.0.0.1:8000", "the variable PORT; write 127.0.0.1"),
        ("'[::1]:8000'", "the variable PORT; write '::1'"),
        ("'localhost:'", "write localhost"),
        ("'127.0.0.1,::1'", "write one address"),
        ("0.0.0.0 127.0.0.1", "write one address"),
        ("unix:/run/showbridge.sock", "an address or a name"),
        ("127.0.1", "192.0.2.10"),
        ("256.0.0.1", "192.0.2.10"),
        ("'::12345'", "2001:db8::1"),
        ("'[::1'", "2001:db8::1"),
        ("'[127.0.0.1]'", "2001:db8::1"),
        ("'fe80::1%eth0'", "write '::'"),
        ("bücher.example", "write xn--bcher-kva.example"),
        ("-x.example.com", "one like hooks.example.com"),
        ("a..b", "one like hooks.example.com"),
    ],
)
def test_what_cannot_be_listened_on_is_a_mistake_at_load(
    tmp_path: Path, written: str, remedy: str
) -> None:
    with pytest.raises(OperatorError) as raised:
        loaded(tmp_path, written)
    said = str(raised.value)
    assert "bridge.yaml:4:9: `server.host` is not right" in said
    assert remedy in said


def test_a_password_in_a_url_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as raised:
        loaded(tmp_path, "http://ana:hunter2@hooks.example.com")
    assert "write hooks.example.com" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_mail_server_s_host_is_read_in_the_same_way() -> None:
    with pytest.raises(ValueError, match="the port goes into `port`"):
        EmailSettings.model_validate({"host": "smtp.example.com:587"})
    with pytest.raises(ValueError, match=r"write smtp\.example\.com"):
        EmailSettings.model_validate({"host": "smtps://smtp.example.com"})
    given = EmailSettings.model_validate({"host": "[2001:db8::25]"})
    assert given.host == "2001:db8::25"
    assert given.server == "[2001:db8::25]:587"


def test_an_alert_s_mail_server_is_read_in_the_same_way(tmp_path: Path) -> None:
    tell = "alerts:\n  tell:\n    - email: {to: a@b.example, from: a@b.example, host: '%s'}\n"
    with pytest.raises(OperatorError, match="the port goes into `port`"):
        loaded(tmp_path, "127.0.0.1", tell % "smtp.example.com:587")
    [target] = loaded(tmp_path, "127.0.0.1", tell % "[::1]").alerts.tell
    assert isinstance(target, EmailTarget)
    assert target.name == "e-mail through [::1]:587"


@pytest.mark.parametrize(
    "to",
    [
        "::1",
        "http://[::1",
        "http://::1:8000",
        "http://*:8000",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://a b:8000",
        "127.0.0.1:8000",
    ],
)
def test_send_refuses_an_address_that_is_none(tmp_path: Path, to: str) -> None:
    [source] = loaded(tmp_path, "'::1'").sources.values()
    with pytest.raises(OperatorError, match=r"--to needs a whole address.*\[::1\]"):
        target(to, source)


def test_send_takes_ipv6_addresses(tmp_path: Path) -> None:
    [source] = loaded(tmp_path, "'::1'").sources.values()
    assert target("http://[::1]:8000/", source) == "http://[::1]:8000/hooks/showpass"
    assert address("http://ana:x@[2001:db8::1]:8000/hooks/x") == "http://[2001:db8::1]:8000"


def test_networks_written_as_ipv6_hold_the_same_clients(tmp_path: Path) -> None:
    """A listener on `::` sees IPv4 clients as `::ffff:...`, and people copy what they see."""
    made = loaded(
        tmp_path, "'::'", "  trusted_proxies: ['::ffff:10.0.0.5', '::ffff:10.1.0.0/112']\n"
    )
    assert [str(each) for each in made.server.trusted_proxies] == ["10.0.0.5/32", "10.1.0.0/16"]


def test_a_name_is_listened_on_by_ipv4_if_it_has_such_an_address() -> None:
    assert listening_address("localhost") == "127.0.0.1"
    assert listening_address("::1") == "::1"


def test_a_host_that_was_read_is_read_the_same_again() -> None:
    for text in ("127.0.0.1", "::1", "[::1]", "localhost", "::"):
        host = read_listening(text)
        assert read_listening(host) == host == read_host(host, "elsewhere")
        assert read_host(with_port(host, 80).rpartition(":")[0], "elsewhere") == host
        assert read_listening(as_seen_here(host)) == as_seen_here(host)
